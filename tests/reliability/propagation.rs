//! xacct waits for IAM propagation of every part of a link, and only little longer.
//!
//! All times come from the server's record: the link is usable when the last server has the last write, and the time
//! from then until xacct's next request is wasted. xacct sleeps only after denials, of which there are no more by then.
//! The time between its later requests is its own work, and is reported.

use std::fmt;
use std::time::Duration;

use xacct_sandbox::{RecordedRequest, Sandbox};

use crate::scene::{ACCOUNT_B, Scene, side_by_side};

/// The propagation delays of AWS.
struct Case {
    /// Seconds until the role and its trust policy have propagated.
    role: u64,
    /// Seconds until the grant has propagated.
    grant: u64,
    /// Seconds until the role's permissions have propagated.
    permissions: u64,
    /// Whether old and new answers alternate at first.
    flaps: bool,
    /// Whether IAM reads return the old state during propagation.
    stale: bool,
    latency: Duration,
    mfa: bool,
}

impl Case {
    /// Everything propagates after the same time.
    fn after(seconds: u64) -> Self {
        let (flaps, stale, mfa) = (false, false, false);
        Self { role: seconds, grant: seconds, permissions: seconds, flaps, stale, latency: Duration::ZERO, mfa }
    }

    fn longest(&self) -> u64 {
        self.role.max(self.grant).max(self.permissions)
    }

    /// Returns how long old and new answers alternate.
    fn flap(&self) -> Duration {
        if self.flaps { Duration::from_secs((self.longest() / 4).clamp(1, 5)) } else { Duration::ZERO }
    }

    fn scene(&self) -> Scene {
        let seconds = Duration::from_secs;
        let builder = Sandbox::builder().latency(self.latency).propagation(seconds(self.role));
        let builder = builder.propagation_of_grants(seconds(self.grant));
        let builder = builder.propagation_of_permissions(seconds(self.permissions));
        // With every third, two answers in a row could succeed too early.
        let old_every = if self.latency.is_zero() { 2 } else { 3 };
        Scene::of(builder.flap(self.flap()).old_every(old_every).stale_reads(self.stale))
    }

    /// Returns when this write, if it is one, has propagated to all servers.
    fn honoured(&self, request: &RecordedRequest) -> Option<Duration> {
        let delay = match &*request.operation {
            "PutUserPolicy" => self.grant,
            "PutRolePolicy" | "AttachRolePolicy" => self.permissions,
            "CreateRole" => self.role,
            _ => return None,
        };
        Some(answered(request) + Duration::from_secs(delay) + self.flap())
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, grant, permissions, .. } = self;
        let delays = format!("{role}/{grant}/{permissions}");
        let latency = self.latency.as_millis();
        let [flaps, stale, mfa] = [(self.flaps, "flaps"), (self.stale, "stale"), (self.mfa, "MFA")]
            .map(|(is, word)| if is { word } else { "" });
        write!(f, "{delays:>8} {latency:>7} ms  {flaps:<5}  {stale:<5}  {mfa:<3}")
    }
}

/// The result of one run.
struct Measured {
    /// From the answer to the last write until the link was usable.
    wait: Duration,
    /// From then until xacct's next request.
    late: Duration,
    /// After that, while no request was in progress.
    idle: Duration,
    /// The number of AssumeRole calls.
    attempts: usize,
}

impl Measured {
    fn of(case: &Case, requests: &[RecordedRequest]) -> Self {
        let writes = || requests.iter().filter(|request| case.honoured(request).is_some());
        let written = writes().map(answered).max().expect("a write");
        let usable = writes().filter_map(|write| case.honoured(write)).max().expect("a write");
        let (mut late, mut idle, mut busy_until) = (None, Duration::ZERO, usable);
        for request in requests {
            if request.start >= usable && late.is_none() {
                late = Some(request.start - usable);
                busy_until = busy_until.max(request.start);
            }
            idle += request.start.saturating_sub(busy_until);
            busy_until = busy_until.max(answered(request));
        }
        let attempts = requests.iter().filter(|request| request.operation == "AssumeRole").count();
        Self { wait: usable - written, late: late.unwrap_or_default(), idle, attempts }
    }

    /// Returns the maximum delay: a tenth of the wait, or half a second.
    fn bar(&self) -> Duration {
        (self.wait / 10).max(Duration::from_millis(500))
    }
}

/// xacct does not wait for a read of the grant that is in progress when the verification ends.
fn answered(request: &RecordedRequest) -> Duration {
    request.end.unwrap_or(request.start)
}

#[test]
fn waits_little_longer_than_propagation_takes() {
    let mut cases = vec![
        Case { role: 1, grant: 10, permissions: 20, ..Case::after(0) },
        Case { role: 20, grant: 10, permissions: 1, ..Case::after(0) },
        Case { permissions: 10, ..Case::after(0) },
        Case { grant: 10, ..Case::after(0) },
        Case { mfa: true, ..Case::after(10) },
        Case { mfa: true, flaps: true, ..Case::after(10) },
    ];
    for seconds in [0, 1, 10, 60] {
        for bits in 0..8_u8 {
            let [flaps, stale, is_slow] = [1, 2, 4].map(|bit| bits & bit != 0);
            let latency = Duration::from_millis(if is_slow { 50 } else { 0 });
            cases.push(Case { flaps, stale, latency, ..Case::after(seconds) });
        }
    }
    // The longest runs begin first, and no two at the same time, because starting a run uses the processor.
    cases.sort_by_key(|case| std::cmp::Reverse((case.longest(), case.flaps)));
    let cases: Vec<_> = (0..).zip(cases).collect();
    println!("  seconds  latency                       wait    late     bar    idle  attempts");
    side_by_side(&cases, |(number, case)| {
        std::thread::sleep(Duration::from_millis(500) * *number);
        measure(case);
    });
}

/// A busy machine adds to the measured times, so the best of three runs counts.
fn measure(case: &Case) {
    let is_soon = (0..3).any(|_| {
        let measured = run(case);
        let Measured { wait, late, idle, attempts } = measured;
        let [wait, late, idle, bar] = [wait, late, idle, measured.bar()].map(|time| time.as_millis());
        println!("{case}  {wait:>6}  {late:>6}  {bar:>6}  {idle:>6}  {attempts:>8}");
        measured.late <= measured.bar()
    });
    assert!(is_soon, "too late: {case}");
}

fn run(case: &Case) -> Measured {
    let scene = case.scene();
    let mfa =
        if case.mfa { format!("--require-mfa --mfa-code {}", scene.sandbox.totp("alice")) } else { String::new() };
    let document = scene.bootstrap_json(&format!("--external-id abc {mfa}"), 0);
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "works", "{case}");
    assert_eq!(scene.buckets(), 0, "{case}");
    assert_eq!(scene.requests("GetSessionToken").len(), usize::from(case.mfa), "{case}");
    Measured::of(case, &scene.sandbox.requests())
}
