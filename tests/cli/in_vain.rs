//! bootstrap waits only for what waiting can change: after the first denial it reads what it did not write itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xacct_sandbox::{Sandbox, SandboxBuilder, World};

use crate::fixes;
use crate::operators::{WORDS, source_policy, target_policy, with_operators, without};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, side_by_side, step, text};
use crate::support::policies::{allow, document};

const SECOND: Duration = Duration::from_secs(1);

/// What is in the way before the link is made.
type Put = fn(&mut World);

fn deny() -> Value {
    document(json!([{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]))
}

fn a_deny_on_the_user(world: &mut World) {
    world.put_user_policy(ACCOUNT_A, "alice", "deny", deny());
}

fn a_deny_on_a_group(world: &mut World) {
    let arn = world.add_policy(ACCOUNT_A, "deny", deny());
    world.add_to_group(ACCOUNT_A, "alice", "team").policies.attached.insert(arn);
}

fn a_boundary(world: &mut World) {
    let arn = world.add_policy(ACCOUNT_A, "buckets-only", allow("s3:*", "*"));
    world.set_user_boundary(ACCOUNT_A, "alice", Some(&arn));
}

fn a_guard_for_mfa(world: &mut World) {
    let mut guard = deny();
    guard["Statement"][0]["Action"] = json!("sts:AssumeRole");
    guard["Statement"][0]["Condition"] = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
    world.put_user_policy(ACCOUNT_A, "alice", "guard", guard);
}

/// What IAM may do to requests and to readers. bootstrap reads back what it wrote before it tests anything.
fn worlds() -> [SandboxBuilder; 3] {
    let lags = |seconds| Sandbox::builder().propagation(seconds * SECOND);
    [Sandbox::builder(), lags(30), lags(3).stale_reads(true)]
}

const OBSTACLES: [(&str, Put); 4] = [
    ("source_denies", a_deny_on_the_user),
    ("source_denies", a_deny_on_a_group),
    ("boundary_cuts", a_boundary),
    ("mfa_absent", a_guard_for_mfa),
];

/// Asserts that the run did not wait, and returns the diagnosis.
#[track_caller]
fn is_told_at_once(scene: &Scene, options: &str, cause: &str) -> Value {
    let start = Instant::now();
    let document = scene.bootstrap_json(options, 3);
    assert!(start.elapsed() < 20 * SECOND, "{:?}", start.elapsed());
    let target = &document["targets"][ACCOUNT_B];
    assert_eq!(target["verification"]["outcome"], "refused", "{document:#}");
    let notes = step(&target["verification"], "assume_role")["notes"].to_string();
    assert!(notes.contains("did not wait for IAM propagation, which would not help: "), "{document:#}");
    let diagnosis = target["diagnosis"].clone();
    let causes: Vec<_> = diagnosis["findings"].as_array().unwrap().iter().map(|it| text(&it["cause"])).collect();
    assert_eq!(causes, [cause], "what was just written is not what lacks: {diagnosis:#}");
    assert_eq!(document["config"]["written"], true);
    diagnosis
}

#[test]
fn what_is_in_the_way_of_the_user_is_told_at_once() {
    for (cause, put) in OBSTACLES {
        side_by_side(&[0, 1, 2], |world| {
            let scene = Scene::of(worlds().into_iter().nth(*world).unwrap());
            scene.sandbox.world(put);
            let diagnosis = is_told_at_once(&scene, "--external-id abc", cause);
            if cause != "mfa_absent" {
                fixes::apply(&scene, &diagnosis["findings"][0]["fixes"][0]);
                scene.sandbox.advance(60 * SECOND);
                scene.verdict("", 0);
            }
        });
    }
}

/// Nothing is read of the user until AWS denies, and then once for all targets.
#[test]
fn a_link_that_works_reads_nothing_more() {
    let scene = Scene::new();
    scene.bootstrap("--external-id abc").exits_with(0);
    assert_eq!(scene.requests("ListGroupsForUser").len(), 0);

    let scene = Scene::of(Sandbox::builder().propagation(2 * SECOND));
    scene.bootstrap("--external-id abc").exits_with(0);
    assert_eq!(scene.requests("ListGroupsForUser").len(), 1);
}

/// A statement that the file adds to the trust policy denies the user: bootstrap itself keeps it there.
#[test]
fn a_deny_in_a_trust_statement_file_is_told_at_once() {
    let scene = Scene::of(Sandbox::builder().propagation(3 * SECOND).stale_reads(true));
    let no = json!({
        "Sid": "NotAlice",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/alice"}},
    });
    scene.environment.write("more.json", &document(json!([no])).to_string());
    let plan = scene.bootstrap("--trust-statement-file more.json --dry-run").exits_with(0);
    plan.says(&["trust_statement_files deny user alice, so the link cannot work", "NotAlice"]);
    let diagnosis = is_told_at_once(&scene, "--trust-statement-file more.json", "trust_denies");
    let by_hand = fixes_by_hand(&diagnosis);
    assert!(by_hand.contains("trust_statement_files") && by_hand.contains("(NotAlice)"), "{by_hand}");
}

fn fixes_by_hand(diagnosis: &Value) -> String {
    text(&diagnosis["findings"][0]["fixes"][0]["steps"][0]["do"])
}

/// A Deny that others wrote into the grant policy, and that bootstrap keeps.
#[test]
fn a_deny_in_the_grant_policy_is_told_at_once() {
    let scene = Scene::linked("--no-verify");
    let mut grant = scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").cloned()).unwrap();
    grant["Statement"].as_array_mut().unwrap().push(deny()["Statement"][0].clone());
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant));
    is_told_at_once(&scene, "--external-id abc", "source_denies");
}

/// A denial that this run removes from the trust policy propagates: it is waited for.
#[test]
fn a_deny_that_bootstrap_removes_is_waited_for() {
    side_by_side(&[false, true], |stale| {
        let scene = Scene::of(Sandbox::builder().stale_reads(*stale));
        scene.link("--external-id abc");
        let mut trust = scene.trust_policy();
        let no = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"});
        trust["Statement"].as_array_mut().unwrap().push(no);
        scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
        scene.sandbox.set_propagation(3 * SECOND);
        let output = scene.xacct("bootstrap --yes --allow-weaker").exits_with(0);
        // With stale reads, the wait is over once the change can be read.
        assert!(*stale || output.stderr.contains("waiting for IAM propagation ("), "{output}");
    });
}

/// What nobody can read may pass.
#[test]
fn what_cannot_be_read_is_waited_for() {
    let scene = with_operators(without(source_policy(), "iam:GetPolicyVersion"), target_policy(ROLE));
    scene.sandbox.world(a_boundary);
    let output = scene.xacct(&format!("{WORDS} --timeout 2s")).exits_with(3);
    assert!(!output.everything().contains("did not wait"), "{output}");
}

/// The role's boundary never allows the bucket that `--probe bucket` asks for.
#[test]
fn a_bucket_that_the_boundary_of_the_role_forbids_is_told_at_once() {
    let scene = Scene::of(Sandbox::builder());
    let start = Instant::now();
    let options = "--probe bucket --policy-arn PowerUserAccess --permissions-boundary ReadOnlyAccess";
    let document = scene.bootstrap_json(options, 3);
    assert!(start.elapsed() < 20 * SECOND, "{:?}", start.elapsed());
    let verification = &document["targets"][ACCOUNT_B]["verification"];
    assert_eq!(verification["outcome"], "s3_blocked", "{document:#}");
    let notes = step(verification, "create_bucket")["notes"].to_string();
    assert!(notes.contains("which would not help: the permissions boundary does not allow"), "{document:#}");
    assert_eq!(scene.requests("CreateBucket").len(), 1);
}

/// A Deny on a condition in a policy file: this request meets it, whatever propagates.
#[test]
fn a_bucket_that_a_policy_file_denies_on_a_condition_is_told_at_once() {
    let denies = |action: &str, region: &str| {
        let scene = Scene::of(Sandbox::builder().propagation(3 * SECOND).stale_reads(true));
        let all = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
        let here = json!({"StringEquals": {"aws:RequestedRegion": region}});
        let no = json!({"Effect": "Deny", "Action": action, "Resource": "*", "Condition": here});
        scene.environment.write("role.json", &document(json!([all, no])).to_string());
        let start = Instant::now();
        let exit_code = if region == "us-east-1" { 3 } else { 0 };
        let document = scene.bootstrap_json("--policy-file role.json", exit_code);
        (start.elapsed(), document["targets"][ACCOUNT_B].clone())
    };
    side_by_side(&[("s3:CreateBucket", "create_bucket"), ("s3:DeleteBucket", "delete_bucket")], |(action, id)| {
        let (elapsed, target) = denies(action, "us-east-1");
        assert!(elapsed < 20 * SECOND, "{action}: {elapsed:?}");
        assert_eq!(target["verification"]["outcome"], "s3_blocked", "{target:#}");
        let notes = step(&target["verification"], id)["notes"].to_string();
        assert!(notes.contains(&format!("denies {action}")), "{target:#}");
        assert_eq!(target["diagnosis"]["findings"][0]["cause"], "s3_denied", "{target:#}");
    });
    denies("s3:CreateBucket", "eu-west-1");
}
