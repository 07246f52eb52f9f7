//! Faults of AWS and networks: bootstrap succeeds, or reports which changes were made and which were skipped.

use serde_json::Value;
use xacct_sandbox::{Fault, FaultKind, Sandbox, SandboxBuilder};

use crate::scene::{ACCOUNT_B, ACCOUNT_C, BOOTSTRAP, ROLE, Scene};

fn denied() -> FaultKind {
    FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "not today".to_owned() }
}

fn conflict() -> FaultKind {
    FaultKind::Error { status: 409, code: "ConcurrentModification".to_owned(), message: "try again".to_owned() }
}

/// Asserts that bootstrap succeeds despite these faults, and that the next run changes nothing.
#[track_caller]
fn gets_through(faults: impl IntoIterator<Item = Fault>) {
    let builder = faults.into_iter().fold(Sandbox::builder(), SandboxBuilder::fault);
    let scene = Scene::of(builder);
    scene.bootstrap("--external-id abc --policy-arn PowerUserAccess").exits_with(0);
    scene.sandbox.clear_faults();
    scene.xacct("bootstrap --check").exits_with(0);
    assert_eq!(scene.buckets(), 0);
}

#[test]
fn throttling() {
    gets_through(["CreateRole", "AssumeRole", "CreateBucket"].map(|it| Fault::new(it, FaultKind::Throttle).on_call(1)));
}

#[test]
fn server_errors() {
    let once = |operation: &str, status| Fault::new(operation, FaultKind::ServerError(status)).on_call(1);
    gets_through([
        once("AttachRolePolicy", 500),
        once("GetRole", 503),
        once("PutUserPolicy", 500),
        once("GetCallerIdentity", 502),
    ]);
}

#[test]
fn broken_connections() {
    gets_through(["PutUserPolicy", "GetUser", "AssumeRole"].map(|it| Fault::new(it, FaultKind::Reset).on_call(1)));
}

#[test]
fn lost_answers_to_idempotent_writes() {
    let lost = |operation: &str| Fault::new(operation, FaultKind::Reset).on_call(1).after_processing();
    gets_through([lost("PutUserPolicy"), lost("AttachRolePolicy")]);
}

#[test]
fn concurrent_modifications() {
    gets_through(
        ["CreateRole", "PutUserPolicy", "AttachRolePolicy"].map(|it| Fault::new(it, conflict()).on_calls(1..=2)),
    );
}

#[test]
fn lost_answers_to_create_role() {
    let kinds = [FaultKind::Reset, FaultKind::TruncatedBody, FaultKind::NotXml, FaultKind::ServerError(503)];
    for kind in kinds {
        gets_through([Fault::new("CreateRole", kind).on_call(1).after_processing()]);
    }
}

#[test]
fn answers_not_from_aws() {
    for kind in [FaultKind::NotXml, FaultKind::TruncatedBody] {
        let scene = Scene::of(Sandbox::builder().fault(Fault::new("GetCallerIdentity", kind.clone())));
        let document = scene.bootstrap_json("", 1);
        let error = &document["error"];
        assert_eq!(error["kind"], "network", "{kind:?}: {document:#}");
        assert!(
            error["hints"].to_string().contains("proxy") || error["hints"].to_string().contains("network"),
            "{error}"
        );
        assert_eq!(scene.writes(), [""; 0]);
    }
}

#[test]
fn connection_refused() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let document = scene.bootstrap_json("", 1);
    assert_eq!(document["error"]["kind"], "network", "{document:#}");
    assert!(document["error"]["hints"].to_string().contains("AWS_ENDPOINT_URL"), "{document:#}");
}

#[test]
fn corrects_clock_skew() {
    for seconds in [-900, 900] {
        let scene = Scene::of(Sandbox::builder().clock_skew(seconds));
        scene.bootstrap("").exits_with(0);
    }
}

#[test]
fn a_failure_reports_completed_and_skipped_changes() {
    let scene = Scene::of(Sandbox::builder().fault(Fault::new("CreateRole", denied())));
    let output = scene.bootstrap("--policy-arn PowerUserAccess").exits_with(1);
    output.says(&[
        "could not create role xacct",
        "iam:CreateRole returned AccessDenied: not today",
        "not tried: attach arn:aws:iam::aws:policy/PowerUserAccess to role xacct",
        "run the command again",
    ]);
    assert_eq!(scene.granted(), [ROLE], "the other half is created anyway");
    scene.sandbox.clear_faults();
    scene.bootstrap("--policy-arn PowerUserAccess").exits_with(0);
}

#[test]
fn a_failure_after_creating_the_role() {
    let scene = Scene::of(Sandbox::builder().fault(Fault::new("PutRolePolicy", denied())));
    let output = scene.bootstrap("").exits_with(1);
    output.says(&["could not add policy xacct-verify to role xacct", "done: created role xacct"]);
    assert_eq!(scene.requests("AssumeRole").len(), 0, "an incomplete link is not verified");
    scene.sandbox.clear_faults();
    scene.bootstrap("").exits_with(0);
}

#[test]
fn a_failure_to_write_the_grant() {
    let scene = Scene::of(Sandbox::builder().fault(Fault::new("PutUserPolicy", denied())));
    let document = scene.bootstrap_json("", 1);
    assert!(document["source"]["error"]["message"].to_string().contains("could not add policy xacct to user alice"));
    assert_eq!(document["targets"][ACCOUNT_B]["error"], Value::Null);
    scene.sandbox.clear_faults();
    scene.bootstrap("").exits_with(0);
}

#[test]
fn one_failing_target_does_not_stop_the_other() {
    let scene = Scene::of(Sandbox::builder().fault(Fault::new("CreateRole", denied()).on_call(2)));
    let words = "bootstrap --yes --target-account 222222222222,333333333333 --user alice --user-profile alice \
                 --profile security-admin --enter-role OrganizationAccountAccessRole --external-id abc";
    let output = scene.xacct(words).exits_with(1);
    let row = |account: &str| {
        let mut rows = output.stdout.lines().filter(|line| line.trim_start().starts_with(account));
        rows.next_back().unwrap_or_else(|| panic!("no row of {account}\n{output}")).to_owned()
    };
    let rows = [row(ACCOUNT_B), row(ACCOUNT_C)];
    assert_eq!(rows.iter().filter(|row| row.contains("works")).count(), 1, "{output}");
    assert_eq!(rows.iter().filter(|row| row.contains("error")).count(), 1, "{output}");
    assert!(output.stderr.contains("could not create role xacct"), "{output}");
    let failed = if rows[0].contains("error") { ACCOUNT_B } else { ACCOUNT_C };
    assert!(output.stderr.contains(failed), "which target failed: {failed}\n{output}");
    // Only the working target is recorded.
    let recorded = scene.environment.read("xacct.toml");
    assert!(!recorded.contains(failed), "{recorded}");
    scene.xacct(words).exits_with(0);
}

#[test]
fn a_hanging_call_times_out() {
    let scene = Scene::of(Sandbox::builder().fault(Fault::new("GetUser", FaultKind::Hang).on_call(1)));
    scene.bootstrap("").exits_with(0);
}

#[test]
fn another_program_changes_the_file_during_the_run() {
    for (theirs, is_an_error) in [("# mine\n", false), ("not [toml\n", true)] {
        changes_the_file_meanwhile(theirs, is_an_error);
    }
}

fn changes_the_file_meanwhile(theirs: &str, is_an_error: bool) {
    let scene = Scene::of(
        Sandbox::builder().fault(Fault::new("CreateRole", FaultKind::Delay(std::time::Duration::from_secs(1)))),
    );
    let mut command = scene.command(BOOTSTRAP);
    let child = command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    scene.wait_for("CreateRole");
    scene.environment.write("xacct.toml", theirs);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(is_an_error)));
    let text = scene.environment.read("xacct.toml");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.contains("was changed by another program while xacct was running"), is_an_error, "{said}");
    if is_an_error {
        assert_eq!(text, theirs);
    } else {
        assert!(text.contains(theirs) && text.contains(ACCOUNT_B), "{text}");
    }
}
