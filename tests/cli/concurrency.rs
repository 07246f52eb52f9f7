//! Many targets: xacct uses all slots until the end, respects the STS rate limit, and survives throttling.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use xacct_sandbox::{Fault, FaultKind, RecordedRequest, Sandbox, Stage};

use crate::scene::{ACCOUNT_A, Scene, trust};
use crate::support::policies::document;
use crate::support::third_party::test_name;
use crate::terminal::Terminal;

const STATEMENT: &str = "arn:aws:iam::*:role/xacct";

/// Creates this many accounts, each with a recorded, working link.
fn linked(targets: usize) -> Scene {
    let allow = |action: serde_json::Value, resource: &str| {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        document(statement)
    };
    let trust = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    let bucket = allow(json!(["s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:TagResource"]), "*");
    let scene = Scene::of(Sandbox::builder().plant(|world| {
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", allow(json!("sts:AssumeRole"), STATEMENT));
        for account in accounts(targets) {
            world.add_role(&account, "xacct", trust.clone());
            world.put_role_policy(&account, "xacct", "xacct-verify", bucket.clone());
        }
    }));
    let mut file = format!("[source]\naccount = \"{ACCOUNT_A}\"\nuser = \"alice\"\nuser_profile = \"alice\"\n");
    for account in accounts(targets) {
        file.push_str(&format!("\n[targets.{account}]\naccount = \"{account}\"\nexternal_id = \"abc\"\n"));
    }
    scene.environment.write("xacct.toml", &file);
    scene
}

fn accounts(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("{:012}", 500_000_000_000 + number))
}

/// Returns the start and end of the work on each target, by account.
fn spans(requests: &[RecordedRequest]) -> BTreeMap<String, (Duration, Duration)> {
    let mut spans = BTreeMap::new();
    for request in requests {
        let of_role = request.parameter("RoleArn").and_then(|arn| arn.split(':').nth(4));
        let account = of_role.or(request.account.as_deref()).expect("an account").to_owned();
        let end = request.end.expect("an answer");
        let span = spans.entry(account).or_insert((request.start, end));
        *span = (span.0.min(request.start), span.1.max(end));
    }
    spans.remove(ACCOUNT_A);
    spans
}

/// The assertion is about utilization, not time: the latency is much longer than xacct's own work between two targets.
#[test]
fn uses_all_slots() {
    const TARGETS: usize = 48;
    let scene = linked(TARGETS);
    scene.sandbox.set_latency(Duration::from_millis(200));
    scene.xacct("verify --concurrency 8").exits_with(0).says(&["works"]);
    let spans = spans(&scene.sandbox.requests());
    assert_eq!(spans.len(), TARGETS);
    let begin = spans.values().map(|span| span.0).min().unwrap();
    let end = spans.values().map(|span| span.1).max().unwrap();
    let busy: Duration = spans.values().map(|span| span.1 - span.0).sum();
    let share = busy.as_secs_f64() / (end - begin).as_secs_f64();
    assert!((0.8 * 8.0..=8.0).contains(&share), "{share:.2} of 8 slots were used on average");
}

/// Without a number, xacct begins with eight and goes on with more, as that is faster.
#[test]
fn finds_its_own_level() {
    let scene = linked(48);
    scene.sandbox.set_latency(Duration::from_millis(200));
    scene.xacct("verify").exits_with(0).says(&["works"]);
    let spans: Vec<_> = spans(&scene.sandbox.requests()).into_values().collect();
    let beside = |at: &Duration| spans.iter().filter(|span| span.0 <= *at && *at < span.1).count();
    let first = spans.iter().map(|span| span.1).min().expect("a target");
    let began = spans.iter().filter(|span| span.0 < first).count();
    assert!(began <= 8, "{began} of them began at once");
    let most = spans.iter().map(|span| beside(&span.0)).max().expect("a target");
    assert!(most > 8, "{most} at once");
}

/// A slow target occupies only its own slot.
#[test]
fn a_slow_target_delays_no_other() {
    let scene = linked(12);
    let slow = scene.sandbox.hold("CreateBucket", 1, Stage::Arrived);
    let running = scene.start("verify --concurrency 2");
    scene.wait_for_several("DeleteBucket", 11);
    slow.release();
    running.ended().exits_with(0);
    let mut spans: Vec<_> = spans(&scene.sandbox.requests()).into_values().collect();
    spans.sort_by_key(|span| span.1 - span.0);
    let slow = spans.pop().expect("a target");
    let beside = spans.iter().filter(|span| span.0 >= slow.0 && span.1 <= slow.1).count();
    assert!(beside >= 10, "{beside} of 11 were finished in the meantime: {spans:?}, {slow:?}");
}

#[test]
fn respects_the_sts_rate_limit() {
    let scene = linked(20);
    let all = |words: &str| {
        scene.sandbox.clear_requests();
        scene.xacct(words).exits_with(0);
        let requests = scene.sandbox.requests();
        let mut starts: Vec<_> = requests.iter().filter(|it| it.service == "sts").map(|it| it.start).collect();
        starts.sort();
        assert_eq!(starts.len(), 61, "three sessions per target, and GetCallerIdentity");
        *starts.last().unwrap() - starts[0]
    };
    // 20 requests at once, 20 in each following second, and one more; the first ones may have started earlier.
    let paced = all("verify --concurrency 20 --sts-rate 20");
    assert!(paced >= Duration::from_secs(2), "{paced:?}");
}

/// A profile that assumes a role calls STS too, before xacct sends its own requests.
#[test]
fn sts_requests_of_profiles_count_toward_the_rate_limit() {
    const TARGETS: usize = 20;
    let scene = linked(TARGETS);
    let mut profiles = scene.environment.read("aws/config");
    for account in accounts(TARGETS) {
        scene.sandbox.world(|world| {
            world.add_role(&account, "entry", trust(&json!({})));
            world.attach_role_policy(&account, "entry", "arn:aws:iam::aws:policy/AdministratorAccess");
        });
        let own = format!("account = \"{account}\"\n");
        scene.environment.edit("xacct.toml", &own, &format!("{own}profile = \"{account}\"\n"));
        let role = format!("role_arn = arn:aws:iam::{account}:role/entry\nsource_profile = security-admin");
        profiles.push_str(&format!("\n[profile {account}]\n{role}\n"));
    }
    scene.environment.write("aws/config", &profiles);
    scene.xacct("sweep --all --dry-run --concurrency 20 --sts-rate 20").exits_with(0);
    let requests = scene.sandbox.requests();
    let starts: Vec<_> = requests.iter().filter(|it| it.service == "sts").map(|it| it.start).collect();
    assert_eq!(starts.len(), 40, "a session for each target, and GetCallerIdentity");
    let paced = *starts.iter().max().unwrap() - *starts.iter().min().unwrap();
    assert!(paced >= Duration::from_millis(900), "{paced:?}");
}

#[test]
fn throttling_causes_no_failures() {
    let scene = linked(20);
    // More consecutive failures than the SDK retries.
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Throttle).on_calls(3..=40));
    let document = scene.xacct_json("verify --concurrency 4", 0);
    let targets = document["targets"].as_object().unwrap();
    assert_eq!(targets.len(), 20);
    assert!(targets.values().all(|target| target["verification"]["outcome"] == "works"), "{document:#}");
    let throttled = scene.requests("AssumeRole").iter().filter(|it| it.status == Some(400)).count();
    assert_eq!(throttled, 38);
}

#[test]
fn terminal_shows_progress_per_target() {
    let mut scene = linked(12);
    scene.sandbox.set_latency(Duration::from_millis(300));
    let words = "verify --concurrency 3";
    let Some(terminal) = Terminal::start_on("xterm", test_name!(), &mut scene, words) else {
        return;
    };
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    for target in accounts(12) {
        assert!(screen.contains(&format!("{target} assuming the role")), "{target}: {screen}");
    }
    for step in ["creating a test bucket", "deleting the test bucket", "checking that the test bucket is gone"] {
        assert!(screen.matches(step).count() >= 4, "{step}: {screen}");
    }
    for tally in ["verify 12 targets", "verify 3 of 12 targets verified", "verify 11 of 12 targets verified"] {
        assert!(screen.contains(tally), "{tally}: {screen}");
    }
}

#[test]
fn pipe_shows_progress_lines() {
    let scene = linked(20);
    scene.sandbox.set_latency(Duration::from_millis(200));
    let output = scene.xacct("verify --concurrency 1").exits_with(0);
    let lines: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("verify: ")).collect();
    assert!((1..=3).contains(&lines.len()), "{output}");
    assert!(lines[0].ends_with(" of 20 targets verified"), "{output}");
    let quick = linked(2).xacct("verify").exits_with(0);
    assert!(!quick.stderr.contains("verified"), "{quick}");
}
