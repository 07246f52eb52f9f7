//! Starts, controls and inspects a sandbox.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::aws_files::{self, AwsFiles};
use crate::backend::{Backend, State};
use crate::clock::Clock;
use crate::faults::{Fault, Faults};
use crate::holds::{Hold, Holds, Stage};
use crate::record::{Record, RecordedRequest};
use crate::totp;
use crate::world::{History, Propagation, World};

/// The settings of a sandbox before it starts.
#[derive(Debug, Default)]
pub struct SandboxBuilder {
    port: u16,
    latency: Duration,
    propagation: Propagation,
    faults: Vec<Fault>,
    skew_seconds: i64,
    world: World,
}

impl SandboxBuilder {
    /// Sets the port to listen on. The default is any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Delays every response by at least this time. Requests do not wait for each other.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Applies changes from requests to decisions only after this time. Until then, the old state decides.
    pub fn propagation(mut self, delay: Duration) -> Self {
        self.propagation.delay = delay;
        self
    }

    /// Sets the propagation delay for policies of users and groups only.
    pub fn propagation_of_grants(mut self, delay: Duration) -> Self {
        self.propagation.grants = Some(delay);
        self
    }

    /// Sets the propagation delay for policies of roles only.
    pub fn propagation_of_permissions(mut self, delay: Duration) -> Self {
        self.propagation.permissions = Some(delay);
        self
    }

    /// Alternates decisions between the old and the new state for this time after the propagation delay.
    pub fn flap(mut self, time: Duration) -> Self {
        self.propagation.flap = time;
        self
    }

    /// Makes every n-th decision use the old state while decisions alternate. The default is every second.
    ///
    /// # Panics
    ///
    /// On 0.
    pub fn old_every(mut self, decisions: u32) -> Self {
        assert!(decisions > 0, "the old state must decide sometimes");
        self.propagation.old_every = decisions;
        self
    }

    /// Makes IAM's reads, too, return the old state until a change has propagated.
    pub fn stale_reads(mut self, stale: bool) -> Self {
        self.propagation.stale_reads = stale;
        self
    }

    /// Makes GetRole show the unique ID (`AROA…`) in place of the ARN for this time after CreateRole, as IAM does now and
    /// then.
    pub fn unique_ids(mut self, time: Duration) -> Self {
        self.propagation.unique_ids = time;
        self
    }

    /// Makes IAM show a use of a role only after this time, as it does within hours.
    pub fn late_uses(mut self, time: Duration) -> Self {
        self.propagation.late_uses = time;
        self
    }

    /// Adds a fault. If several match a call, the first one applies.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets how many seconds the server's clock is ahead of the machine's in signature checks; negative is behind.
    pub fn clock_skew(mut self, seconds: i64) -> Self {
        self.skew_seconds = seconds;
        self
    }

    /// Sets a service control policy on an account; see [`World::set_service_control_policy`].
    pub fn scp(mut self, account: &str, name: &str, document: Value) -> Self {
        self.world.set_service_control_policy(account, name, document);
        self
    }

    /// Sets a resource control policy on an account; see [`World::set_resource_control_policy`].
    pub fn rcp(mut self, account: &str, name: &str, document: Value) -> Self {
        self.world.set_resource_control_policy(account, name, document);
        self
    }

    /// Starts with this world instead of the default one.
    pub fn world(mut self, world: World) -> Self {
        self.world = world;
        self
    }

    /// Changes the world before the start.
    pub fn plant(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    ///
    /// If no port or thread is available; [`SandboxBuilder::try_start`] returns that as an error.
    pub fn start(self) -> Sandbox {
        self.try_start().expect("a sandbox starts on 127.0.0.1")
    }

    /// Starts the server on its own threads. When this returns, it accepts connections.
    ///
    /// # Errors
    /// When no port or thread is available.
    pub fn try_start(self) -> io::Result<Sandbox> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("xacct-sandbox")
            .enable_all()
            .build()?;
        let backend = Arc::new(Backend {
            state: Mutex::new(State { world: self.world, history: History::default(), propagation: self.propagation }),
            clock: Clock::skewed(self.skew_seconds),
            faults: Faults::new(self.faults),
            holds: Holds::default(),
            record: Record::default(),
            latency: Mutex::new(self.latency),
            started: Instant::now(),
            gone: watch::Sender::new(false),
        });
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        runtime.spawn(crate::server::serve(listener, Arc::clone(&backend)));
        Ok(Sandbox { url: format!("http://127.0.0.1:{port}"), port, backend, runtime: Some(runtime) })
    }
}

/// A running server, which stops when this is dropped.
pub struct Sandbox {
    url: String,
    port: u16,
    backend: Arc<Backend>,
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Does not wait for requests that hang on purpose, and works inside another runtime.
            runtime.shutdown_background();
        }
    }
}

impl Sandbox {
    /// Returns a builder with the default world, without delays or faults.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Starts a sandbox with the default world.
    pub fn start() -> Sandbox {
        Sandbox::builder().start()
    }

    /// Returns the endpoint of all services, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Writes `config` and `credentials` with a profile for every fixed key: `security-admin` (admin of A), `dev-admin`
    /// (admin of B), `third-admin` (admin of C), `alice`, `bob`, and `root` (root of A).
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn write_aws_files(&self, directory: &Path) -> io::Result<AwsFiles> {
        aws_files::write(directory)
    }

    /// Returns environment variables that point AWS clients here, with the files of [`Sandbox::write_aws_files`].
    pub fn environment(&self, directory: &Path) -> Vec<(String, String)> {
        aws_files::environment(&self.url, directory)
    }

    /// Returns the requests since the start, or since [`Sandbox::clear_requests`].
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.backend.record.all()
    }

    /// Clears the record of requests. Their numbers continue.
    pub fn clear_requests(&self) {
        self.backend.record.clear();
    }

    /// Inspects or changes the state directly. A change takes effect at once, and so does everything that was still
    /// propagating. Every use of `…_mut` counts as a change.
    pub fn world<T>(&self, visit: impl FnOnce(&mut World) -> T) -> T {
        let mut state = crate::lock::lock(&self.backend.state);
        let before = Arc::clone(&state.world.accounts);
        let result = visit(&mut state.world);
        if !Arc::ptr_eq(&before, &state.world.accounts) {
            state.history.settle();
        }
        result
    }

    /// Adds a fault. Calls are counted from the start, or from [`Sandbox::clear_faults`].
    pub fn add_fault(&self, fault: Fault) {
        self.backend.faults.add(fault);
    }

    /// Removes all faults, and counts calls from 1 again. A server that was gone accepts connections again.
    pub fn clear_faults(&self) {
        self.backend.gone.send_if_modified(std::mem::take);
        self.backend.faults.clear();
    }

    /// Holds a request at a stage: the `call`-th of the operation from now on, counted from 1.
    pub fn hold(&self, operation: &str, call: u64, stage: Stage) -> Hold {
        self.backend.holds.add(operation, call, stage)
    }

    /// Changes the latency.
    pub fn set_latency(&self, latency: Duration) {
        *crate::lock::lock(&self.backend.latency) = latency;
    }

    /// Changes the propagation delay.
    pub fn set_propagation(&self, delay: Duration) {
        crate::lock::lock(&self.backend.state).propagation.delay = delay;
    }

    /// Moves the server's clock forward: sessions expire, MFA codes change, changes propagate. Signatures stay valid.
    pub fn advance(&self, by: Duration) {
        self.backend.clock.advance(by);
    }

    /// Returns a valid, unused code of a user's MFA device. If all current codes are used, the server's clock moves forward
    /// by 30 seconds. Two calls without use of the code return the same one.
    ///
    /// # Panics
    ///
    /// If no user with that name has an MFA device.
    pub fn totp(&self, user: &str) -> String {
        loop {
            let found = self.world(|world| {
                let users = world.accounts.values().filter_map(|account| account.users.get(user));
                let device = users.flat_map(|user| &user.mfa_devices).next()?;
                let now = totp::step(self.backend.clock.now());
                let used = |step| world.used_codes.contains(&(device.serial.clone(), step));
                let step = (now..=now + 1).find(|step| !used(*step));
                Some(step.map(|step| totp::code(&device.seed, step)))
            });
            match found.unwrap_or_else(|| panic!("no user `{user}` with an MFA device")) {
                Some(code) => return code,
                None => self.advance(Duration::from_secs(totp::STEP_SECONDS.unsigned_abs())),
            }
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url).finish_non_exhaustive()
    }
}
