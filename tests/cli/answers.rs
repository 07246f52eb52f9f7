//! Each answer of AWS means the same to every command: what waits, what is retried, and what is said about it.

use std::time::{Duration, Instant};

use serde_json::Value;
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::scene::{ACCOUNT_B, Scene, has_stood_for_hours, side_by_side};

const SECOND: Duration = Duration::from_secs(1);

fn error(status: u16, code: &str, message: &str) -> FaultKind {
    FaultKind::Error { status, code: code.to_owned(), message: message.to_owned() }
}

fn finding(document: &Value) -> Value {
    document["targets"][ACCOUNT_B]["diagnosis"]["findings"][0].clone()
}

/// Fails the operation of every call, and returns the first finding of verify.
#[track_caller]
fn found(operation: &str, kind: FaultKind, exit_code: i32) -> Value {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(has_stood_for_hours);
    scene.sandbox.add_fault(Fault::new(operation, kind));
    finding(&scene.xacct_json("verify", exit_code))
}

#[test]
fn s3_that_does_not_know_the_session_says_nothing_about_the_profile() {
    let unknown = "The AWS Access Key Id you provided does not exist in our records.";
    let finding = found("CreateBucket", error(403, "InvalidAccessKeyId", unknown), 5);
    assert_eq!(finding["cause"], "s3_session", "{finding:#}");
    assert!(!finding["fixes"].to_string().contains("aws configure"), "{finding:#}");
}

#[test]
fn a_new_account_is_not_waited_for() {
    let scene = Scene::new();
    scene.sandbox.world(|world| world.set_not_signed_up(ACCOUNT_B, true));
    let start = Instant::now();
    let document = scene.bootstrap_json("--external-id abc", 5);
    assert!(start.elapsed() < 60 * SECOND, "{:?}", start.elapsed());
    assert_eq!(finding(&document)["cause"], "account_not_ready", "{document:#}");
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "not_proven");
    scene.sandbox.world(|world| world.set_not_signed_up(ACCOUNT_B, false));
    scene.xacct("verify").exits_with(0);
}

/// Without an answer about the policies, nothing shows that the link does not work.
#[test]
fn a_busy_aws_says_nothing_about_the_link() {
    let answers = [
        error(400, "Throttling", "Rate exceeded"),
        error(503, "ServiceUnavailable", "The service is unavailable."),
        error(400, "RequestTimeout", "Your socket connection was not read from or written to in time."),
    ];
    let cases: Vec<_> =
        answers.iter().flat_map(|answer| ["AssumeRole", "CreateBucket"].map(|operation| (operation, answer))).collect();
    side_by_side(&cases, |(operation, answer)| {
        let scene = Scene::linked("--external-id abc --no-verify");
        scene.sandbox.add_fault(Fault::new(*operation, (*answer).clone()));
        let document = scene.xacct_json("verify", 5);
        let verification = &document["targets"][ACCOUNT_B]["verification"];
        assert_eq!(verification["outcome"], "not_proven", "{operation}, {answer:?}: {verification:#}");
        assert_eq!(finding(&document)["cause"], "aws_unavailable", "{operation}, {answer:?}: {document:#}");
    });
}

#[test]
fn an_unknown_answer_is_shown_as_it_is_and_not_waited_for() {
    let scene = Scene::new();
    scene.sandbox.add_fault(Fault::new("AssumeRole", error(400, "TeapotException", "I am a teapot")));
    let start = Instant::now();
    let document = scene.bootstrap_json("--external-id abc", 5);
    assert!(start.elapsed() < 60 * SECOND, "{:?}", start.elapsed());
    let finding = finding(&document);
    // Nothing shows that the link does not work.
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "not_proven");
    assert_eq!((&finding["cause"], &finding["certainty"]), (&"unknown_answer".into(), &"likely".into()), "{finding:#}");
    let shown = finding.to_string();
    let asked = "sts:AssumeRole on arn:aws:iam::222222222222:role/xacct";
    for part in ["TeapotException", "I am a teapot", "not known to xacct", asked] {
        assert!(shown.contains(part), "{part}: {finding:#}");
    }
    scene.xacct("exec -- true").exits_with(1).says(&["TeapotException, which is not known to xacct"]);
}

/// One screen shows the error line and the diagnosis.
#[test]
fn the_error_line_and_the_diagnosis_say_the_same() {
    let scoped = error(403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. ");
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(has_stood_for_hours);
    scene.sandbox.add_fault(Fault::new("AssumeRole", scoped));
    let output = scene.xacct("verify").exits_with(5);
    let said = output.everything();
    assert!(said.contains("signed for"), "{said}");
    for wrong in ["secret access key does not match", "clock differs"] {
        assert!(!said.contains(wrong), "{said}");
    }
}

#[test]
fn a_unique_id_in_place_of_the_arn_is_waited_for_by_bootstrap_and_teardown() {
    let scene = Scene::of(Sandbox::builder().unique_ids(4 * SECOND));
    scene.bootstrap("--external-id abc --no-verify").exits_with(0);
    let renew = || {
        scene.sandbox.world(|world| {
            world.role_mut(ACCOUNT_B, "xacct").expect("the role").created = time::OffsetDateTime::now_utc();
        });
    };
    // As if the last run had ended right after CreateRole.
    renew();
    scene.xacct("bootstrap --check").exits_with(0);
    renew();
    scene.xacct("teardown --all --yes").exits_with(0);
    assert!(scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_none()));
}

#[test]
fn diagnose_takes_a_unique_id_for_propagation() {
    let scene = Scene::of(Sandbox::builder().propagation(20 * SECOND).unique_ids(20 * SECOND));
    scene.bootstrap("--external-id abc --no-verify --timeout 1s");
    let finding = finding(&scene.xacct_json("diagnose", 3));
    assert_eq!(finding["cause"], "propagating", "{finding:#}");
}

#[test]
fn iam_is_given_time_to_agree_about_changes() {
    let scene = Scene::new();
    let conflict = error(409, "ConcurrentModification", "try again");
    scene.sandbox.add_fault(Fault::new("PutRolePolicy", conflict.clone()).on_calls(1..=9));
    let absent = error(404, "NoSuchEntity", "The role with name xacct cannot be found.");
    scene.sandbox.add_fault(Fault::new("AttachRolePolicy", absent).on_calls(1..=9));
    scene.bootstrap("--external-id abc --policy-arn PowerUserAccess --no-verify").exits_with(0);
    let hasty = Scene::new();
    hasty.sandbox.add_fault(Fault::new("PutUserPolicy", conflict));
    let start = Instant::now();
    hasty.bootstrap("--external-id abc --no-verify --timeout 2s").exits_with(1).says(&["ConcurrentModification"]);
    assert!(start.elapsed() < 30 * SECOND, "{:?}", start.elapsed());
}

#[test]
fn sessions_of_the_global_endpoint_in_an_opt_in_region() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(has_stood_for_hours);
    scene.sandbox.world(|world| world.be_global_endpoint(true));
    let finding = finding(&scene.xacct_json("verify --region ap-east-1", 5));
    assert_eq!(finding["cause"], "version_1_token", "{finding:#}");
}

#[test]
fn equal_session_tags_are_refused_before_any_request() {
    let scene = Scene::linked("--external-id abc --no-verify");
    scene.sandbox.clear_requests();
    for command in ["exec", "credentials", "diagnose"] {
        let (options, end) =
            ("--session-tag team=a --session-tag TEAM=b", if command == "exec" { " -- true" } else { "" });
        scene.xacct(&format!("{command} {options}{end}")).exits_with(2).says(&["set twice"]);
    }
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_hint_repeats_the_request_that_failed() {
    let scene = Scene::linked("--external-id abc --no-verify");
    let options = "--session-tag a=1 --source-identity me --session-name mine";
    let output = scene.xacct(&format!("exec {options} -- true")).exits_with(3);
    let said = output.everything();
    let hint = said.split("xacct diagnose").nth(1).unwrap_or_default();
    for option in ["--session-tag a=1", "--source-identity me", "--session-name mine"] {
        assert!(hint.contains(option), "{option}: {said}");
    }
}
