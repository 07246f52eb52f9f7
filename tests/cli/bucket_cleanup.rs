//! No test bucket is left behind, however a run ends; if one may be, xacct names it.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{Scene, step};
use crate::support::Output;
use crate::support::schema::assert_follows_the_schema;

/// Runs `verify` on a link with this fault, sends a signal after the first request of the operation, and returns the
/// output.
fn interrupted(scene: &Scene, words: &str, operation: &str, signal: Signal) -> Output {
    let mut running = scene.start(words);
    scene.wait_for(operation);
    let start = Instant::now();
    running.signal(signal);
    let output = running.ended();
    assert!(start.elapsed() < Duration::from_secs(15), "{:?} after the signal", start.elapsed());
    output
}

#[test]
fn sighup_while_deleting_the_bucket() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(hang("DeleteBucket"));
    interrupted(&scene, "verify", "DeleteBucket", Signal::HUP).exits_with(129);
    assert_eq!(scene.buckets(), 0);
}

fn hang(operation: &str) -> Fault {
    Fault::new(operation, FaultKind::Hang).on_call(1)
}

#[test]
fn ctrl_c_while_deleting_the_bucket() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(hang("DeleteBucket"));
    let output = interrupted(&scene, "verify", "DeleteBucket", Signal::INT).exits_with(130);
    assert!(output.stderr.contains("Deleting test bucket xacct-verify-222222222222-"), "{output}");
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn sigterm_while_deleting_the_bucket() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(hang("DeleteBucket"));
    interrupted(&scene, "verify", "DeleteBucket", Signal::TERM).exits_with(143);
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn ctrl_c_while_creating_the_bucket_without_an_answer() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(hang("CreateBucket").after_processing());
    interrupted(&scene, "verify", "CreateBucket", Signal::INT).exits_with(130);
    assert_eq!(scene.buckets(), 0);
    assert!(!scene.requests("DeleteBucket").is_empty());
}

#[test]
fn sigterm_after_requesting_a_bucket_that_does_not_exist_yet() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(hang("CreateBucket"));
    let output = interrupted(&scene, "verify", "CreateBucket", Signal::TERM).exits_with(143);
    assert_eq!(scene.buckets(), 0);
    assert!(!output.stderr.contains("may be left behind"), "{output}");
}

#[test]
fn ctrl_c_during_bootstrap_leaves_no_bucket() {
    let scene = Scene::new();
    scene.sandbox.add_fault(hang("DeleteBucket"));
    interrupted(&scene, crate::scene::BOOTSTRAP, "DeleteBucket", Signal::INT).exits_with(130);
    assert_eq!(scene.buckets(), 0);
    // Both halves were created and recorded before.
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn ctrl_c_before_creating_a_bucket() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(hang("AssumeRole"));
    let output = interrupted(&scene, "verify", "AssumeRole", Signal::INT).exits_with(130);
    assert!(output.stderr.contains("interrupted"), "{output}");
    assert_eq!(scene.requests("CreateBucket").len(), 0);
}

#[test]
fn a_second_ctrl_c_exits_at_once_and_names_the_bucket() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(Fault::new("DeleteBucket", FaultKind::Hang));
    let mut running = scene.start("verify");
    scene.wait_for("DeleteBucket");
    running.signal(Signal::INT);
    let start = Instant::now();
    while scene.requests("DeleteBucket").len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(10), "no second attempt");
        std::thread::sleep(Duration::from_millis(10));
    }
    running.signal(Signal::INT);
    let output = running.ended().exits_with(130);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let name = scene.sandbox.world(|world| world.buckets().next().expect("the bucket").name.clone());
    output.says(&[&format!("test bucket `{name}` may be left behind"), "aws s3api delete-bucket"]);
}

#[test]
fn an_interrupted_run_prints_one_json_document() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(hang("DeleteBucket"));
    let output = interrupted(&scene, "verify --output json", "DeleteBucket", Signal::INT).exits_with(130);
    let document = output.json();
    assert_follows_the_schema(&document);
    assert_eq!(document["error"]["kind"], "interrupted");
    assert_eq!(document["exit_code"], 130);
}

#[test]
fn retries_failed_deletions_at_the_end() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(Fault::new("DeleteBucket", FaultKind::ServerError(500)).on_calls(1..=4));
    let verification = scene.verdict("", 5);
    // A failure of AWS says nothing about the link.
    assert_eq!(step(&verification, "delete_bucket")["outcome"], "not_proven");
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn one_failed_deletion_is_retried() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(Fault::new("DeleteBucket", FaultKind::ServerError(503)).on_call(1));
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn lost_answer_to_create_bucket() {
    for region in ["us-east-1", "eu-west-1"] {
        let scene = Scene::linked("");
        scene.sandbox.clear_faults();
        scene.sandbox.add_fault(Fault::new("CreateBucket", FaultKind::Reset).on_call(1).after_processing());
        let verification = scene.verdict(&format!("--region {region}"), 0);
        assert_eq!(verification["outcome"], "works", "{region}");
        assert_eq!(scene.buckets(), 0, "{region}");
    }
}

#[test]
fn lost_answer_to_delete_bucket() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    scene.sandbox.add_fault(Fault::new("DeleteBucket", FaultKind::Reset).on_call(1).after_processing());
    // The bucket is gone, but its owner was not confirmed, so xacct tests with another bucket.
    let verification = scene.verdict("", 0);
    assert_eq!(verification["outcome"], "works");
    assert_eq!(scene.requests("CreateBucket").len(), 2);
    let evidence = &step(&verification, "create_bucket")["evidence"];
    assert_eq!(evidence.to_string().matches("xacct-verify-").count(), 2, "{evidence}");
    assert_eq!(scene.buckets(), 0);
    // If the answer about the second bucket is lost too, the result is inconclusive.
    let last = scene.requests("DeleteBucket").len() as u64;
    scene.sandbox.clear_faults();
    for call in [1, last] {
        scene.sandbox.add_fault(Fault::new("DeleteBucket", FaultKind::Reset).on_call(call).after_processing());
    }
    assert_eq!(scene.verdict("", 5)["outcome"], "not_proven");
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn deletes_a_bucket_that_becomes_visible_late() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    let absent = FaultKind::Error { status: 404, code: "NoSuchBucket".to_owned(), message: "not yet".to_owned() };
    scene.sandbox.add_fault(Fault::new("DeleteBucket", absent).on_calls(1..=2));
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn deletes_the_bucket_although_no_creation_was_answered() {
    let scene = Scene::linked("");
    scene.sandbox.clear_faults();
    // Every answer to CreateBucket is lost.
    scene.sandbox.add_fault(Fault::new("CreateBucket", FaultKind::Reset).after_processing());
    let verification = scene.verdict("", 5);
    assert_eq!(step(&verification, "create_bucket")["error"]["kind"], "network", "{verification:#}");
    assert_eq!(scene.buckets(), 0);
}
