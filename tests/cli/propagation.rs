//! xacct waits for IAM propagation after its own writes, and at no other time.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind, RecordedRequest, Sandbox, SandboxBuilder};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, Scene, has_stood_for_hours, step};
use crate::support::policies::document;

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn becomes_usable(builder: SandboxBuilder, options: &str, after: Duration) -> Value {
    let scene = Scene::of(builder);
    let document = scene.bootstrap_json(options, 0);
    let verification = document["targets"][ACCOUNT_B]["verification"].clone();
    assert_eq!(verification["outcome"], "works");
    let ready = Duration::from_millis(verification["ready_after_ms"].as_u64().expect("ready_after_ms"));
    let least = after.saturating_sub(Duration::from_millis(600));
    assert!((least..after + 4 * SECOND).contains(&ready), "ready after {ready:?}, not {after:?}");
    assert_eq!(scene.buckets(), 0);
    verification
}

#[test]
fn waits_one_second() {
    becomes_usable(Sandbox::builder().propagation(SECOND), "--external-id abc", SECOND);
}

#[test]
fn waits_three_seconds() {
    becomes_usable(Sandbox::builder().propagation(3 * SECOND), "--external-id abc", 3 * SECOND);
}

#[test]
fn reads_that_lag_for_many_seconds() {
    let scene = Scene::of(Sandbox::builder().propagation(9 * SECOND).stale_reads(true));
    scene.bootstrap("").exits_with(0);
    assert!(scene.environment.has("xacct.toml"));
}

#[test]
fn alternating_old_and_new_answers() {
    let builder = Sandbox::builder().propagation(SECOND).flap(SECOND);
    becomes_usable(builder, "--external-id abc", SECOND);
}

#[test]
fn reads_that_lag_behind() {
    becomes_usable(Sandbox::builder().propagation(SECOND).stale_reads(true), "", SECOND);
}

#[test]
fn role_permissions_that_propagate_later() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.set_propagation(SECOND);
    scene.bootstrap("--allow-weaker --policy-arn PowerUserAccess").exits_with(0);
}

#[test]
fn waits_for_an_added_condition() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.set_propagation(SECOND);
    let document = scene.bootstrap_json("--external-id abc", 0);
    let verification = &document["targets"][ACCOUNT_B]["verification"];
    assert_eq!(step(verification, "refused_without_external_id")["outcome"], "ok");
}

#[test]
fn reports_waiting_once_in_a_pipe() {
    let scene = Scene::of(Sandbox::builder().propagation(SECOND));
    let output = scene.bootstrap("--external-id abc").exits_with(0);
    assert_eq!(output.stderr.matches("waiting for IAM propagation (").count(), 1, "{output}");
    assert!(output.stdout.contains("after the last write"), "{output}");
}

/// Returns the session names of the AssumeRole requests.
fn session_names(scene: &Scene) -> Vec<String> {
    let name = |request: &RecordedRequest| request.parameter("RoleSessionName").map(str::to_owned);
    scene.requests("AssumeRole").iter().filter_map(name).collect()
}

#[test]
fn without_writes_a_denial_is_final() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
    });
    let start = Instant::now();
    assert_eq!(scene.verdict("", 3)["outcome"], "refused");
    assert_eq!(session_names(&scene), ["xacct-verify", "alice"], "each name is tried once");
    assert!(start.elapsed() < 5 * SECOND, "{:?}", start.elapsed());
}

#[test]
fn a_second_run_does_not_wait() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| {
        let deny = document(json!({
            "Effect": "Deny", "Action": "sts:*", "Resource": "*",
        }));
        world.put_user_policy(ACCOUNT_A, "alice", "deny", deny);
    });
    let document = scene.xacct_json("bootstrap", 3);
    assert_eq!(document["pending_changes"], 0);
    assert_eq!(session_names(&scene), ["xacct-verify", "alice"], "each name is tried once");
}

#[test]
fn stops_waiting_at_the_timeout() {
    let scene = Scene::of(Sandbox::builder().propagation(60 * SECOND));
    let start = Instant::now();
    let document = scene.bootstrap_json("--timeout 2s", 3);
    let took = start.elapsed();
    assert!((2 * SECOND..6 * SECOND).contains(&took), "{took:?}");
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "refused");
    assert_eq!(document["config"]["written"], true);
}

#[test]
fn timeout_is_inconclusive_and_says_what_to_do() {
    let scene = Scene::of(Sandbox::builder().propagation(60 * SECOND));
    let output = scene.bootstrap("--timeout 1s").exits_with(3);
    output.says(&["propagating, likely", "wait a minute", "xacct verify"]);
    scene.sandbox.advance(60 * SECOND);
    scene.verdict("", 0);
}

#[test]
fn verify_right_after_bootstrap_mentions_propagation() {
    let scene = Scene::of(Sandbox::builder().propagation(60 * SECOND));
    scene.bootstrap("--no-verify").exits_with(0);
    let document = scene.xacct_json("verify", 3);
    let cause = &document["targets"][ACCOUNT_B]["diagnosis"]["findings"][0];
    assert_eq!(cause["cause"], "propagating", "{document:#}");
    assert_eq!(cause["certainty"], "likely");
    scene.sandbox.advance(60 * SECOND);
    scene.verdict("", 0);
}

#[test]
fn ctrl_c_stops_waiting_and_keeps_the_link() {
    let scene = Scene::of(Sandbox::builder().propagation(60 * SECOND));
    let mut running = scene.start(&format!("{BOOTSTRAP} --external-id abc"));
    scene.wait_for("AssumeRole");
    let start = Instant::now();
    running.signal(Signal::INT);
    running.ended().exits_with(130);
    assert!(start.elapsed() < 5 * SECOND, "{:?}", start.elapsed());
    assert!(scene.environment.has("xacct.toml"));
    assert_eq!(scene.buckets(), 0);
    scene.sandbox.advance(60 * SECOND);
    scene.verdict("", 0);
}

/// Creates a link that a policy of alice denies.
fn denied() -> Scene {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| {
        let deny = document(json!({
            "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*",
        }));
        world.put_user_policy(ACCOUNT_A, "alice", "deny", deny);
    });
    scene
}

#[test]
fn does_not_wait_for_a_description() {
    let scene = denied();
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").description = None);
    let document = scene.xacct_json("bootstrap --yes", 3);
    assert_eq!(scene.iam_writes(), ["UpdateRole"]);
    assert_eq!(session_names(&scene), ["xacct-verify", "alice"], "each name is tried once");
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "refused");
}

#[test]
fn reports_an_scp_denial_at_once() {
    let deny = document(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}));
    let scene = Scene::of(Sandbox::builder().scp(ACCOUNT_B, "no-buckets", deny));
    let start = Instant::now();
    let document = scene.bootstrap_json("", 3);
    assert!(start.elapsed() < 20 * SECOND, "{:?}", start.elapsed());
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "s3_blocked");
    assert_eq!(scene.requests("CreateBucket").len(), 1);
}

#[test]
fn a_denial_of_an_old_link_is_final() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(has_stood_for_hours);
    scene.environment.edit("xacct.toml", "external_id = \"abc\"", "external_id = \"other\"");
    let document = scene.xacct_json("verify", 3);
    assert_eq!(document["targets"][ACCOUNT_B]["diagnosis"]["findings"][0]["cause"], "external_id_wrong");
    assert_eq!(session_names(&scene), ["xacct-verify", "alice"], "each name is tried once");
}

#[test]
fn does_not_blame_an_scp_for_propagation() {
    let scene = Scene::of(Sandbox::builder().propagation_of_permissions(60 * SECOND));
    scene.bootstrap("--no-verify").exits_with(0);
    let document = scene.xacct_json("verify", 3);
    let target = &document["targets"][ACCOUNT_B];
    assert_eq!(target["verification"]["outcome"], "s3_blocked");
    assert_eq!(target["diagnosis"]["findings"][0]["cause"], "propagating", "{document:#}");
}

#[test]
fn reports_propagation_of_a_new_condition() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.set_propagation(60 * SECOND);
    let output = scene.bootstrap("--external-id abc --timeout 1s").exits_with(3);
    output.says(&[
        "TOO OPEN",
        "accepted a request it must reject",
        "[target account: not_enforced, likely]",
        "if the trust policy was changed within the last minutes, wait a minute",
    ]);
    scene.sandbox.advance(60 * SECOND);
    scene.verdict("", 0);
}

#[test]
fn does_not_wait_for_a_missing_policy_of_an_existing_role() {
    let gone = FaultKind::Error { status: 404, code: "NoSuchEntity".to_owned(), message: "no such policy".to_owned() };
    let scene = Scene::linked("");
    scene.sandbox.add_fault(Fault::new("AttachRolePolicy", gone));
    let start = Instant::now();
    scene.bootstrap("--allow-weaker --policy-arn PowerUserAccess").exits_with(1).says(&["NoSuchEntity"]);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(scene.requests("AttachRolePolicy").len(), 1);
}

#[test]
fn waits_for_a_new_role_that_is_not_visible_yet() {
    let gone = FaultKind::Error { status: 404, code: "NoSuchEntity".to_owned(), message: "not yet".to_owned() };
    let scene = Scene::of(Sandbox::builder().fault(Fault::new("PutRolePolicy", gone).on_calls(1..=2)));
    scene.bootstrap("").exits_with(0);
}

#[test]
fn waits_for_a_narrower_trust_policy() {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.set_propagation(Duration::from_secs(2));
    let document = scene.bootstrap_json("--external-id abc", 0);
    let verification = &document["targets"][ACCOUNT_B]["verification"];
    assert!(verification["ready_after_ms"].as_u64().is_some_and(|ready| ready > 1500), "{verification:#}");
}
