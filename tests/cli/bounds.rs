//! Answers without end: each kind has a limit, and what exceeds it is an error that says so.

use std::time::{Duration, Instant};

use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{Scene, side_by_side};

const COMMANDS: [&str; 8] = [
    "verify",
    "bootstrap --check",
    "diagnose --profile security-admin",
    "teardown --all --dry-run",
    "revoke --all --dry-run",
    "import arn:aws:iam::222222222222:role/other --user alice --dry-run",
    "sweep --all --dry-run",
    "who",
];

/// The exit code for an answer that is not AWS's: it proves nothing about a link.
fn failed(words: &str) -> i32 {
    if words.starts_with("verify") || words.starts_with("diagnose") { 5 } else { 1 }
}

#[test]
fn an_endless_body_is_an_error() {
    side_by_side(&COMMANDS, |words| {
        let scene = Scene::linked("");
        scene.sandbox.add_fault(Fault::new("*", FaultKind::LongAnswer));
        // On a busy machine, the time for an answer may end first.
        let output = scene.xacct(words).exits_with(failed(words));
        let ends = ["the response is larger than 16777216 bytes", "timed out"];
        assert!(ends.iter().any(|end| output.everything().contains(end)), "{output}");
    });
}

#[test]
fn a_text_of_a_megabyte_is_an_error_and_takes_no_time() {
    side_by_side(&COMMANDS, |words| {
        let scene = Scene::linked("");
        scene.sandbox.add_fault(Fault::new("*", FaultKind::LongArn(1024 * 1024)));
        let start = Instant::now();
        scene.xacct(words).exits_with(failed(words)).says(&["a text in the response is longer than 4096 bytes"]);
        assert!(start.elapsed() < Duration::from_secs(20), "{words}: {:?}", start.elapsed());
    });
}

#[test]
fn a_text_just_within_the_limit_takes_no_time_either() {
    side_by_side(&COMMANDS, |words| {
        let scene = Scene::linked("");
        scene.sandbox.add_fault(Fault::new("*", FaultKind::LongArn(4000)));
        let start = Instant::now();
        scene.xacct(words);
        assert!(start.elapsed() < Duration::from_secs(20), "{words}: {:?}", start.elapsed());
    });
}

#[test]
fn a_list_without_end_is_an_error() {
    let cases = [
        ("ListRolePolicies", "bootstrap --check"),
        ("ListAttachedRolePolicies", "bootstrap --check"),
        ("ListRolePolicies", "teardown --all --dry-run"),
        ("ListInstanceProfilesForRole", "teardown --all --dry-run"),
        ("ListBuckets", "sweep --all --dry-run"),
        ("GetAccountAuthorizationDetails", "who"),
    ];
    side_by_side(&cases, |(operation, words)| {
        let scene = Scene::linked("");
        scene.sandbox.world(|world| {
            world.add_bucket(crate::scene::ACCOUNT_B, "xacct-verify-any", "us-east-1");
        });
        scene.sandbox.add_fault(Fault::new(*operation, FaultKind::EndlessPages));
        let output = scene.xacct(words);
        let asked = scene.requests(operation).len();
        assert!(asked > 0 && asked <= 500, "{operation}, {words}: {asked} requests\n{output}");
        assert!(output.everything().contains("returned more than"), "{operation}: {output}");
    });
}

#[test]
fn a_diagnosis_asks_no_more_than_it_can_use() {
    let scene = Scene::linked("");
    scene.sandbox.add_fault(Fault::new("*", FaultKind::EndlessPages));
    let output = scene.xacct("diagnose");
    let asked = scene.sandbox.requests().len();
    assert!(asked < 3000, "{asked} requests\n{output}");
}
