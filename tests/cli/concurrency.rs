//! Many targets: all places are taken until the last one, STS is not asked more often than was agreed, and throttling costs
//! time only.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use xacct_sandbox::{Fault, FaultKind, RecordedRequest, Sandbox, Stage};

use crate::scene::{ACCOUNT_A, Scene, trust};
use crate::support::policies::document;
use crate::support::third_party::test_name;
use crate::terminal::Terminal;

const STATEMENT: &str = "arn:aws:iam::*:role/xacct";

/// So many accounts, each with a link that works and is on record.
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

/// When work on each target began and ended, by its session's account.
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

/// How long it takes is the machine's affair; the latency dwarfs what is done between two targets.
#[test]
fn all_places_are_taken() {
    const TARGETS: usize = 48;
    let scene = linked(TARGETS);
    scene.sandbox.set_latency(Duration::from_millis(200));
    scene.xacct("verify").exits_with(0).says(&["works"]);
    let spans = spans(&scene.sandbox.requests());
    assert_eq!(spans.len(), TARGETS);
    let begin = spans.values().map(|span| span.0).min().unwrap();
    let end = spans.values().map(|span| span.1).max().unwrap();
    let busy: Duration = spans.values().map(|span| span.1 - span.0).sum();
    let share = busy.as_secs_f64() / (end - begin).as_secs_f64();
    assert!((0.8 * 8.0..=8.0).contains(&share), "{share:.2} of 8 places were taken on average");
}

/// One that is slow keeps its own place and no other.
#[test]
fn a_slow_target_holds_up_no_other() {
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
    assert!(beside >= 10, "{beside} of 11 were done meanwhile: {spans:?}, {slow:?}");
}

#[test]
fn sts_is_not_asked_more_often_than_was_agreed() {
    let scene = linked(20);
    let all = |words: &str| {
        scene.sandbox.clear_requests();
        scene.xacct(words).exits_with(0);
        let requests = scene.sandbox.requests();
        let mut starts: Vec<_> = requests.iter().filter(|it| it.service == "sts").map(|it| it.start).collect();
        starts.sort();
        assert_eq!(starts.len(), 61, "three tries a target, and who the user is");
        *starts.last().unwrap() - starts[0]
    };
    // 20 at once, 20 in each second after them, and one more; the first may have been on their way for a while.
    let paced = all("verify --concurrency 20 --sts-rate 20");
    assert!(paced >= Duration::from_secs(2), "{paced:?}");
}

/// A profile that assumes a role asks STS, too, before xacct has asked for anything.
#[test]
fn what_profiles_ask_of_sts_counts() {
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
    scene.xacct("sweep --dry-run --concurrency 20 --sts-rate 20").exits_with(0);
    let requests = scene.sandbox.requests();
    let starts: Vec<_> = requests.iter().filter(|it| it.service == "sts").map(|it| it.start).collect();
    assert_eq!(starts.len(), 40, "a session for each target, and whose it is");
    let paced = *starts.iter().max().unwrap() - *starts.iter().min().unwrap();
    assert!(paced >= Duration::from_millis(900), "{paced:?}");
}

#[test]
fn throttling_slows_down_and_fails_nothing() {
    let scene = linked(20);
    // More in a row than the SDK tries by itself.
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Throttle).on_calls(3..=40));
    let document = scene.xacct_json("verify --concurrency 4", 0);
    let targets = document["targets"].as_object().unwrap();
    assert_eq!(targets.len(), 20);
    assert!(targets.values().all(|target| target["verification"]["outcome"] == "works"), "{document:#}");
    let throttled = scene.requests("AssumeRole").iter().filter(|it| it.status == Some(400)).count();
    assert_eq!(throttled, 38);
}

#[test]
fn a_terminal_shows_a_line_for_each_target_in_work() {
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
    for step in ["making a bucket", "deleting the bucket", "looking whether the bucket is gone"] {
        assert!(screen.matches(step).count() >= 4, "{step}: {screen}");
    }
    for tally in ["verify 12 targets", "verify 3 of 12 targets verified", "verify 11 of 12 targets verified"] {
        assert!(screen.contains(tally), "{tally}: {screen}");
    }
}

#[test]
fn without_a_terminal_a_line_now_and_then_says_how_far_it_is() {
    let scene = linked(20);
    scene.sandbox.set_latency(Duration::from_millis(200));
    let output = scene.xacct("verify --concurrency 1").exits_with(0);
    let lines: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("verify: ")).collect();
    assert!((1..=3).contains(&lines.len()), "{output}");
    assert!(lines[0].ends_with(" of 20 targets verified"), "{output}");
    let quick = linked(2).xacct("verify").exits_with(0);
    assert!(!quick.stderr.contains("verified"), "{quick}");
}
