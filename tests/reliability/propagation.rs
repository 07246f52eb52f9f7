//! AWS takes its time to honour changes: xacct waits for it, in all that a link is made of, and hardly longer.
//!
//! All is measured by the server's record: the link is usable when the last server honours the last write, and wasted is
//! the time from then until xacct asks again. It sleeps after refusals only, and from then on there are none; what passes
//! between its later requests is its own work, which is shown.

use std::fmt;
use std::time::Duration;

use xacct_sandbox::{RecordedRequest, Sandbox};

use crate::scene::{ACCOUNT_B, Scene, side_by_side};

/// How AWS takes its time.
struct Case {
    /// After how many seconds the role and its trust policy are honoured.
    role: u64,
    /// After how many seconds the grant is.
    grant: u64,
    /// After how many seconds the role's permissions are.
    permissions: u64,
    /// Whether old and new take turns before they settle.
    flaps: bool,
    /// Whether IAM shows the old state meanwhile.
    stale: bool,
    latency: Duration,
    mfa: bool,
}

impl Case {
    /// All is honoured after the same time.
    fn after(seconds: u64) -> Self {
        let (flaps, stale, mfa) = (false, false, false);
        Self { role: seconds, grant: seconds, permissions: seconds, flaps, stale, latency: Duration::ZERO, mfa }
    }

    fn longest(&self) -> u64 {
        self.role.max(self.grant).max(self.permissions)
    }

    /// For how long old and new take turns.
    fn flap(&self) -> Duration {
        if self.flaps { Duration::from_secs((self.longest() / 4).clamp(1, 5)) } else { Duration::ZERO }
    }

    fn scene(&self) -> Scene {
        let seconds = Duration::from_secs;
        let builder = Sandbox::builder().latency(self.latency).propagation(seconds(self.role));
        let builder = builder.propagation_of_grants(seconds(self.grant));
        let builder = builder.propagation_of_permissions(seconds(self.permissions));
        // With every third, two answers in a row say that all is well when it is not.
        let old_every = if self.latency.is_zero() { 2 } else { 3 };
        Scene::of(builder.flap(self.flap()).old_every(old_every).stale_reads(self.stale))
    }

    /// When all servers honour this write, if it is one.
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

/// What one run came to.
struct Measured {
    /// From the answer to the last write until the link was usable.
    wait: Duration,
    /// From then until xacct asked again.
    late: Duration,
    /// After that, when no request was under way.
    idle: Duration,
    /// How often xacct asked for a session.
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

    /// How late xacct may be: a tenth of the wait, or half a second.
    fn bar(&self) -> Duration {
        (self.wait / 10).max(Duration::from_millis(500))
    }
}

/// A look at the grant that was under way when the proof came to its end is not waited for.
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
    // The longest begin first, and none at the same time as another, for who starts is busy.
    cases.sort_by_key(|case| std::cmp::Reverse((case.longest(), case.flaps)));
    let cases: Vec<_> = (0..).zip(cases).collect();
    println!("  seconds  latency                       wait    late     bar    idle  attempts");
    side_by_side(&cases, |(number, case)| {
        std::thread::sleep(Duration::from_millis(500) * *number);
        measure(case);
    });
}

/// A machine that is busy with other things adds to what is measured, so the best of three runs counts.
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
