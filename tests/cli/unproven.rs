//! What says nothing about a link: AWS is busy, fails or does not answer, or the sign-in has expired. Such a test is not
//! proven, with an exit code of its own, in every step; expired and absent credentials are errors.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, BOOTSTRAP, Scene, has_stood_for_hours, side_by_side, step, trust};

fn error(status: u16, code: &str, message: &str) -> FaultKind {
    FaultKind::Error { status, code: code.to_owned(), message: message.to_owned() }
}

fn expired() -> FaultKind {
    error(403, "ExpiredToken", "The security token included in the request is expired")
}

fn linked() -> Scene {
    let scene = Scene::linked("--external-id abc --no-verify");
    scene.sandbox.world(has_stood_for_hours);
    scene
}

/// A link with this fault.
fn with(fault: Fault) -> Scene {
    let scene = linked();
    scene.sandbox.add_fault(fault);
    scene
}

fn target(document: &Value) -> &Value {
    &document["targets"][ACCOUNT_B]
}

fn causes(document: &Value) -> Vec<String> {
    let findings = target(document)["diagnosis"]["findings"].as_array().into_iter().flatten();
    findings.filter_map(|finding| Some(finding["cause"].as_str()?.to_owned())).collect()
}

/// Asserts that this step, and so the link, is not proven.
#[track_caller]
fn assert_not_proven(verification: &Value, id: &str) {
    assert_eq!(verification["outcome"], "not_proven", "{verification:#}");
    let step = step(verification, id);
    assert_eq!(step["outcome"], "not_proven", "{verification:#}");
    assert!(step["error"]["message"].is_string(), "{verification:#}");
    assert!(!verification.to_string().contains("\"failed\""), "{verification:#}");
}

/// The commands that test a link, each with the arguments that test the linked one.
fn commands() -> [String; 3] {
    ["verify".to_owned(), "list --live".to_owned(), format!("{BOOTSTRAP} --external-id abc")]
}

#[test]
fn throttled_for_the_whole_patience_is_not_proven() {
    side_by_side(&commands(), |words| {
        let scene = with(Fault::new("AssumeRole", FaultKind::Throttle));
        let document = scene.xacct_json(words, 5);
        assert_not_proven(&target(&document)["verification"], "assume_role");
        assert_eq!(causes(&document), ["aws_unavailable"], "{words}: {document:#}");
    });
    let scene = with(Fault::new("AssumeRole", FaultKind::Throttle));
    assert_eq!(causes(&scene.xacct_json("diagnose", 5)), ["aws_unavailable"]);
}

#[test]
fn a_throttled_get_caller_identity_is_not_proven() {
    let scene = with(Fault::new("GetCallerIdentity", FaultKind::Throttle));
    let document = scene.xacct_json("verify", 5);
    assert_not_proven(&target(&document)["verification"], "who_am_i");
    assert_eq!(causes(&document), ["aws_unavailable"], "{document:#}");
}

#[test]
fn sts_503_is_not_proven() {
    let unavailable = error(503, "ServiceUnavailable", "The service is unavailable.");
    let kinds = [FaultKind::ServerError(503), FaultKind::ServerError(500), FaultKind::Page(502), unavailable];
    side_by_side(&kinds, |kind| {
        let verification = with(Fault::new("AssumeRole", kind.clone())).verdict("", 5);
        assert_not_proven(&verification, "assume_role");
    });
}

#[test]
fn create_bucket_503_is_not_proven() {
    let steps = [("CreateBucket", "create_bucket"), ("DeleteBucket", "delete_bucket"), ("HeadBucket", "bucket_gone")];
    let kinds = [FaultKind::ServerError(503), FaultKind::Throttle, FaultKind::Page(502)];
    let cases: Vec<_> = steps.iter().flat_map(|step| kinds.iter().map(move |kind| (step, kind))).collect();
    side_by_side(&cases, |((operation, id), kind)| {
        let verification = with(Fault::new(*operation, (*kind).clone())).verdict("", 5);
        assert_not_proven(&verification, id);
        assert_eq!(step(&verification, "assume_role")["outcome"], "ok");
    });
}

#[test]
fn a_timeout_is_not_proven() {
    let steps = [
        ("GetCallerIdentity", "who_am_i"),
        ("AssumeRole", "assume_role"),
        ("CreateBucket", "create_bucket"),
        ("DeleteBucket", "delete_bucket"),
        ("HeadBucket", "bucket_gone"),
    ];
    side_by_side(&steps, |(operation, id)| {
        let verification = with(Fault::new(*operation, FaultKind::Hang)).verdict("", 5);
        assert_not_proven(&verification, id);
        assert!(step(&verification, id)["error"]["message"].to_string().contains("timed out"), "{verification:#}");
    });
    side_by_side(&["diagnose", "list --live"], |words| {
        let scene = with(Fault::new("AssumeRole", FaultKind::Hang));
        let document = scene.xacct_json(words, 5);
        assert!(document.to_string().contains("sts:AssumeRole timed out"), "{words}: {document:#}");
    });
}

#[test]
fn a_busy_aws_proves_no_refusal() {
    side_by_side(&[FaultKind::ServerError(503), FaultKind::Reset, FaultKind::Throttle], |kind| {
        let verification = with(Fault::new("AssumeRole", kind.clone()).on_calls(2..=u64::MAX)).verdict("", 5);
        assert_not_proven(&verification, "refused_without_external_id");
        assert_not_proven(&verification, "refused_with_wrong_external_id");
        assert_eq!(step(&verification, "delete_bucket")["outcome"], "ok");
    });
}

#[test]
fn a_trust_policy_that_a_busy_iam_does_not_show_is_not_proven() {
    let verification = with(Fault::new("GetRole", FaultKind::Throttle)).verdict("", 5);
    assert_not_proven(&verification, "nobody_else_admitted");
}

/// What is open stays open, whatever else AWS does not answer.
#[test]
fn a_busy_s3_hides_no_open_role() {
    side_by_side(&[FaultKind::ServerError(503), FaultKind::Reset], |kind| {
        let scene = with(Fault::new("CreateBucket", kind.clone()));
        scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({}))));
        let verification = scene.verdict("", 3);
        assert_eq!(verification["outcome"], "too_open", "{verification:#}");
        assert_eq!(step(&verification, "create_bucket")["outcome"], "not_proven", "{verification:#}");
    });
}

#[test]
fn an_expired_sign_in_is_an_error_with_its_own_cause() {
    side_by_side(&commands(), |words| {
        let document = with(Fault::new("AssumeRole", expired())).xacct_json(words, 1);
        assert_eq!(target(&document)["error"]["kind"], "credentials", "{words}: {document:#}");
        assert_eq!(causes(&document), ["expired_token"], "{words}: {document:#}");
    });
    let document = with(Fault::new("AssumeRole", expired())).xacct_json("diagnose", 1);
    assert_eq!(causes(&document), ["expired_token"], "{document:#}");
}

#[test]
fn a_sign_in_that_expires_between_two_steps_is_an_error() {
    let scene = with(Fault::new("AssumeRole", expired()).on_calls(2..=u64::MAX));
    assert_not_proven(&scene.verdict("", 1), "refused_without_external_id");
    scene.xacct("verify --fail-on broken").exits_with(1);
}

#[test]
fn absent_credentials_are_an_error() {
    let mut scene = linked();
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    scene.environment.set("AWS_EC2_METADATA_DISABLED", "true");
    assert_eq!(scene.xacct_json("verify", 1)["error"]["kind"], "credentials");
    let document = scene.xacct_json("list --live", 1);
    assert_eq!(target(&document)["error"]["kind"], "credentials", "{document:#}");
    assert_eq!(causes(&scene.xacct_json("diagnose", 1)), ["no_credentials"]);
}

#[test]
fn fail_on_chooses_the_outcomes_that_fail() {
    let unproven = || with(Fault::new("CreateBucket", FaultKind::ServerError(503)));
    let broken = || {
        let scene = linked();
        scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
        scene
    };
    let open = || {
        let scene = linked();
        scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({}))));
        scene
    };
    let cases: [(&dyn Fn() -> Scene, &str, &str, i32); 3] =
        [(&unproven, "unproven", "not_proven", 5), (&broken, "broken", "refused", 3), (&open, "open", "too_open", 3)];
    for (scene, own, outcome, exit_code) in cases {
        let scene = scene();
        let others: Vec<_> = ["broken", "open", "unproven"].into_iter().filter(|name| *name != own).collect();
        for command in ["verify", "list --live"] {
            for (option, exit_code) in [
                (String::new(), exit_code),
                (format!("--fail-on {own}"), exit_code),
                (format!("--fail-on {}", others.join(",")), 0),
            ] {
                let document = scene.xacct_json(&format!("{command} {option}"), exit_code);
                assert_eq!(target(&document)["verification"]["outcome"], outcome, "{option}: {document:#}");
            }
        }
    }
    linked().xacct("verify --fail-on never").exits_with(2).says(&["never", "broken, open, unproven"]);
}

#[test]
fn of_several_targets_broken_is_worse_than_unproven() {
    let scene = Scene::new();
    let words = "bootstrap --yes --no-verify --target-account 222222222222,333333333333 --user alice --user-profile alice \
                 --profile security-admin --enter-role OrganizationAccountAccessRole --external-id abc";
    scene.xacct(words).exits_with(0);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({"Bool": {"aws:x": "y"}}))));
    scene.sandbox.add_fault(Fault::new("CreateBucket", FaultKind::ServerError(503)));
    let document = scene.xacct_json("verify", 3);
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "refused", "{document:#}");
    assert_eq!(document["targets"][ACCOUNT_C]["verification"]["outcome"], "not_proven", "{document:#}");
    scene.xacct("verify --fail-on open,unproven").exits_with(5).says(&["inconclusive", "does not work"]);
    scene.xacct("verify --fail-on open").exits_with(0).says(&["inconclusive", "does not work"]);
}

#[test]
fn a_report_says_when_and_with_which_version_and_requests_it_was_made() {
    side_by_side(&commands(), |words| {
        let scene = linked();
        let before = OffsetDateTime::now_utc() - time::Duration::SECOND;
        let document = scene.xacct_json(words, 0);
        let verification = &target(&document)["verification"];
        let started = OffsetDateTime::parse(verification["started_at"].as_str().expect("a time"), &Rfc3339);
        let started = started.expect("as in RFC 3339");
        assert!(started >= before && started <= OffsetDateTime::now_utc(), "{started}");
        assert_eq!(verification["xacct_version"], env!("CARGO_PKG_VERSION"));
        let mut all = Vec::new();
        for id in [
            "who_am_i",
            "assume_role",
            "create_bucket",
            "delete_bucket",
            "bucket_gone",
            "refused_without_external_id",
            "refused_with_wrong_external_id",
        ] {
            // Bootstrap has already asked who the user is.
            let ids = step(verification, id)["request_ids"].as_array().map_or(&[][..], Vec::as_slice);
            assert!(!ids.is_empty() || id == "who_am_i", "{words}, {id}: {verification:#}");
            all.extend(ids.iter().map(ToString::to_string));
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "each request is in one step: {verification:#}");
        let shown = document.to_string();
        assert!(!shown.contains("SecretAccessKey") && !shown.contains("SessionToken"), "{shown}");
    });
}

/// A retried request has an ID for each attempt.
#[test]
fn every_attempt_has_a_request_id() {
    let verification = with(Fault::new("AssumeRole", FaultKind::ServerError(503)).on_calls(1..=2)).verdict("", 0);
    let ids = step(&verification, "assume_role")["request_ids"].as_array().map(Vec::len);
    assert_eq!(ids, Some(3), "{verification:#}");
}

#[test]
fn a_test_has_a_session_name_of_its_own_unless_told() {
    let names = |scene: &Scene, words: &str| {
        scene.sandbox.clear_requests();
        scene.xacct(words).exits_with(0);
        let requests = scene.requests("AssumeRole");
        let ours = requests.iter().filter(|it| it.parameter("RoleArn") == Some(crate::scene::ROLE));
        let mut names: Vec<_> = ours.filter_map(|it| it.parameter("RoleSessionName").map(str::to_owned)).collect();
        names.dedup();
        names
    };
    for words in commands() {
        let scene = linked();
        assert_eq!(names(&scene, &words), ["xacct-verify"], "{words}");
        assert_eq!(names(&scene, &format!("{words} --session-name nightly")), ["nightly"], "{words}");
    }
    let scene = linked();
    for words in ["exec --no-cache -- true", "credentials --no-cache", "diagnose"] {
        assert_eq!(names(&scene, words), ["alice"], "{words}");
    }
}

/// Such a statement usually requires the user's name.
#[test]
fn a_declared_statement_about_the_session_name_keeps_the_users() {
    let scene = Scene::new();
    let statement = json!({
        "Sid": "OwnName",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:AssumeRole",
        "Condition": {"StringNotEquals": {"sts:RoleSessionName": "${aws:username}"}},
    });
    scene.environment.write("own.json", &json!({"Version": "2012-10-17", "Statement": [statement]}).to_string());
    scene.bootstrap("--external-id abc --trust-statement-file own.json").exits_with(0);
    scene.xacct("verify").exits_with(0);
    assert!(scene.requests("AssumeRole").iter().any(|it| it.parameter("RoleSessionName") == Some("alice")));
}
