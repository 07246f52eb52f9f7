//! What bootstrap decides about the test before it changes anything: whether it has a bucket, and whose credentials.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xacct_sandbox::world::ALICE;
use xacct_sandbox::{Fault, FaultKind, RecordedRequest, Sandbox};

use crate::operators::{WORDS, source_policy, target_policy, with_operators, without};
use crate::scene::{ACCOUNT_B, BOOTSTRAP, ROLE, Scene, as_alice, side_by_side, step};
use crate::support::policies::{allow, deny, document};

const NOT_ALLOWED: &str = "no policy of the role allows s3:CreateBucket";

/// Returns the step with the bucket, and asserts that the link works.
#[track_caller]
fn bucket_step(document: &Value) -> Value {
    let verification = &document["targets"][ACCOUNT_B]["verification"];
    assert_eq!(verification["outcome"], "works", "{document:#}");
    assert_eq!(step(verification, "who_am_i_now")["outcome"], "ok");
    step(verification, "create_bucket").clone()
}

fn inline_policies(scene: &Scene) -> Vec<String> {
    scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").unwrap().policies.inline.keys().cloned().collect())
}

#[test]
fn a_role_that_can_have_no_bucket_is_tested_without_one() {
    let scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(1)));
    let start = Instant::now();
    let document = scene.bootstrap_json("--policy-arn ReadOnlyAccess --external-id abc", 0);
    assert!(start.elapsed() < Duration::from_secs(20), "nothing was waited for");
    assert_eq!(document["targets"][ACCOUNT_B]["no_bucket"], NOT_ALLOWED);
    let skipped = bucket_step(&document);
    assert_eq!((&skipped["outcome"], &skipped["evidence"]), (&json!("skipped"), &json!(NOT_ALLOWED)));
    assert_eq!(scene.requests("CreateBucket").len(), 0);
    assert!(scene.environment.read("xacct.toml").contains("probe = \"identity\"\n"));
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
    scene.xacct("bootstrap").exits_with(0).says(&["No changes"]);
}

#[test]
fn the_plan_says_so() {
    let scene = Scene::new();
    let dry = BOOTSTRAP.replace("--yes", "--dry-run");
    let says = format!("test without a bucket: {NOT_ALLOWED}");
    scene.xacct(&format!("{dry} --policy-arn ReadOnlyAccess")).exits_with(0).says(&[&says]);
    let output = scene.xacct(&format!("{dry} --policy-arn PowerUserAccess")).exits_with(0);
    assert!(!output.everything().contains("without a bucket"), "{output}");
    let output = scene.xacct(&dry).exits_with(0);
    assert!(!output.everything().contains("without a bucket"), "{output}");
}

#[test]
fn policy_files_and_boundaries_decide_too() {
    const NO_TAGS: &str = "no policy of the role allows s3:TagResource";
    let creates_and = |action| allow(json!(["s3:CreateBucket", action]), "*");
    let cases = [
        (allow("s3:GetObject", "*"), "", Some(NOT_ALLOWED)),
        (allow("s3:CreateBucket", "*"), "", Some(NO_TAGS)),
        (creates_and("s3:TagResource"), "", Some("no policy of the role allows s3:DeleteBucket")),
        // CreateBucket sends a tag.
        (creates_and("s3:DeleteBucket"), "", Some(NO_TAGS)),
        (allow("s3:*", "*"), "", None),
        (
            allow("s3:*", "*"),
            "--permissions-boundary ReadOnlyAccess",
            Some("the permissions boundary does not allow s3:CreateBucket"),
        ),
    ];
    side_by_side(&cases, |(policy, options, why)| {
        let scene = Scene::new();
        scene.environment.write("own.json", &policy.to_string());
        let document = scene.bootstrap_json(&format!("--policy-file own.json {options}"), 0);
        let why = why.map_or(Value::Null, Value::from);
        assert_eq!(document["targets"][ACCOUNT_B]["no_bucket"], why, "{document:#}");
        assert_eq!(bucket_step(&document)["outcome"], if why.is_null() { "ok" } else { "skipped" });
        assert_eq!(scene.buckets(), 0);
    });
}

/// The names of the account-regional namespace are others.
#[test]
fn policies_are_evaluated_for_a_name_of_the_namespace() {
    let regional = "arn:aws:s3:::*-222222222222-us-west-2-an";
    let cases = [
        ("arn:aws:s3:::*-222222222222-*-an", "--bucket-namespace account-regional", None),
        (regional, "--bucket-namespace account-regional --region us-west-2", None),
        (regional, "--bucket-namespace account-regional --region us-east-1", Some(NOT_ALLOWED)),
        (regional, "--region us-west-2", Some(NOT_ALLOWED)),
    ];
    side_by_side(&cases, |(resource, options, why)| {
        let scene = Scene::new();
        scene.environment.write("own.json", &allow("s3:*", *resource).to_string());
        let document = scene.bootstrap_json(&format!("--policy-file own.json {options}"), 0);
        let why = why.map_or(Value::Null, Value::from);
        assert_eq!(document["targets"][ACCOUNT_B]["no_bucket"], why, "{document:#}");
        assert_eq!(bucket_step(&document)["outcome"], if why.is_null() { "ok" } else { "skipped" });
    });
}

/// With `--yes`, the text of a policy is read beside the writes.
#[test]
fn the_decision_takes_no_round_trip_of_its_own() {
    let scene = Scene::new();
    scene.bootstrap("--policy-arn ReadOnlyAccess").exits_with(0);
    assert_eq!(scene.requests("GetPolicyVersion").len(), 1);
    assert_eq!(scene.requests("GetPolicy").len(), 1, "the plan has read the version");
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap --check").exits_with(0);
    assert_eq!(scene.requests("GetPolicyVersion").len(), 0, "nothing is tested");
}

#[test]
fn a_bucket_that_the_policies_allow_is_never_given_up() {
    let deny = document(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}));
    let scene = Scene::of(Sandbox::builder().scp(ACCOUNT_B, "NoS3", deny));
    let document = scene.bootstrap_json("--policy-arn PowerUserAccess --timeout 1s", 3);
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "s3_blocked");
    assert!(!scene.environment.read("xacct.toml").contains("probe"));
    assert_eq!(scene.verdict("", 3)["outcome"], "s3_blocked");
    assert_eq!(scene.verdict("--probe auto", 3)["outcome"], "s3_blocked");
}

#[test]
fn probe_bucket_adds_the_policy_for_it() {
    let scene = Scene::linked("--external-id abc --policy-arn ReadOnlyAccess --probe bucket");
    assert_eq!(inline_policies(&scene), ["xacct-verify"]);
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
    assert_eq!(scene.requests("CreateBucket").len(), 1);
    let document = scene.xacct_json("bootstrap --check", 0);
    assert_eq!(document["targets"][ACCOUNT_B]["warnings"], json!([]), "the policy is xacct's own");
    scene.xacct("bootstrap --yes --probe auto").exits_with(0);
    assert_eq!(inline_policies(&scene), [""; 0]);
}

#[test]
fn a_role_with_other_policies_is_not_said_to_do_nothing_else() {
    let so_far = "So far the role can only create xacct-verify-* buckets.";
    let scene = Scene::new();
    scene.bootstrap("").exits_with(0).says(&[so_far]);
    let output = scene.bootstrap("--probe bucket --policy-arn ReadOnlyAccess --allow-weaker").exits_with(0);
    assert!(!output.stdout.contains(so_far), "{output}");
    let scene = Scene::new();
    scene.bootstrap("").exits_with(0);
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "own", allow("s3:*", "*")));
    let output = scene.bootstrap("").exits_with(0);
    assert!(!output.stdout.contains(so_far), "{output}");
}

/// The fix of the diagnosis works, and adds no policy that xacct would call somebody else's.
#[test]
fn the_fix_of_a_denied_bucket_is_probe_bucket() {
    let scene = Scene::linked("--policy-arn ReadOnlyAccess");
    let fix = "xacct bootstrap 222222222222 --probe bucket";
    scene.xacct("verify --probe bucket").exits_with(3).says(&[fix]);
    scene.xacct("bootstrap --yes --target-account 222222222222 --probe bucket").exits_with(0);
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
}

#[test]
fn a_role_that_is_widened_is_tested_with_a_bucket() {
    let scene = Scene::linked("--policy-arn ReadOnlyAccess");
    let says = ["test with a bucket: the role's policies now allow one", "--probe identity"];
    scene.xacct("bootstrap --dry-run --policy-arn PowerUserAccess").exits_with(0).says(&says);
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap --yes --allow-weaker --policy-arn PowerUserAccess").exits_with(0);
    assert_eq!(scene.requests("CreateBucket").len(), 1);
    assert!(!scene.environment.read("xacct.toml").contains("probe = \"identity\""));
    // From now on, a denied bucket is a failure.
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "guard", deny("s3:*", "*")));
    assert_eq!(scene.verdict("", 3)["outcome"], "s3_blocked");
}

#[test]
fn a_role_that_is_widened_keeps_a_test_that_an_option_chose() {
    let scene = Scene::linked("--policy-arn ReadOnlyAccess");
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap --yes --allow-weaker --policy-arn PowerUserAccess --probe identity").exits_with(0);
    assert_eq!(scene.requests("CreateBucket").len(), 0);
    scene.xacct("bootstrap --yes").exits_with(0);
    assert_eq!(scene.requests("CreateBucket").len(), 0, "nothing was widened since");
}

/// A person may choose the shorter test for a role that could have a bucket.
#[test]
fn other_policies_leave_a_test_that_a_person_chose() {
    let scene = Scene::linked("--policy-arn PowerUserAccess --probe identity");
    scene.environment.edit("xacct.toml", "PowerUserAccess", "AdministratorAccess");
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap --yes --allow-weaker").exits_with(0);
    assert_eq!(scene.requests("CreateBucket").len(), 0);
    assert!(scene.environment.read("xacct.toml").contains("probe = \"identity\""));
}

/// The operator cannot read the policies, but the session can, once they have propagated.
#[test]
fn policies_that_only_the_session_can_read_end_the_wait() {
    let scene = with_operators(source_policy(), without(target_policy(ROLE), "iam:GetPolicyVersion"));
    let start = Instant::now();
    let document = scene.xacct_json(&format!("{WORDS} --policy-arn ReadOnlyAccess"), 0);
    assert!(start.elapsed() < Duration::from_secs(60), "{document:#}");
    let skipped = bucket_step(&document);
    assert_eq!((&skipped["outcome"], &skipped["evidence"]), (&json!("skipped"), &json!(NOT_ALLOWED)));
    assert_eq!(scene.requests("CreateBucket").len(), 1);
    assert!(scene.environment.read("xacct.toml").contains("probe = \"identity\"\n"));
    scene.xacct("verify").exits_with(0);
}

/// What the session has read once is not read again with each attempt.
#[test]
fn policies_that_allow_the_bucket_are_read_once() {
    let scene = with_operators(source_policy(), without(target_policy(ROLE), "iam:GetPolicyVersion"));
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "Access Denied".to_owned() };
    scene.sandbox.add_fault(Fault::new("CreateBucket", denied));
    scene.xacct(&format!("{WORDS} --policy-arn AdministratorAccess --timeout 3s")).exits_with(3);
    let by_the_session = |request: &RecordedRequest| {
        request.principal.as_ref().is_some_and(|principal| principal.contains(":assumed-role/"))
    };
    let mut read = scene.requests("GetPolicyVersion");
    read.retain(by_the_session);
    assert!(scene.requests("CreateBucket").len() > 2);
    assert_eq!(read.len(), 1, "{read:#?}");
}

#[test]
fn policies_that_nobody_can_read_are_tried() {
    let scene = with_operators(source_policy(), without(target_policy(ROLE), "iam:GetPolicyVersion"));
    let allowed = scene.xacct_json(&format!("{WORDS} --policy-arn PowerUserAccess"), 0);
    assert_eq!(bucket_step(&allowed)["outcome"], "ok");
    let words = format!("{WORDS} --allow-weaker --policy-arn AmazonS3ReadOnlyAccess --timeout 2s");
    let output = scene.xacct(&words).exits_with(3);
    output.says(&["waiting for IAM propagation (", "s3:CreateBucket denied)", "Could not read:"]);
}

/// Bootstrap without `--user-profile`, by an administrator.
fn by_the_operator() -> String {
    BOOTSTRAP.replace("--user-profile alice ", "")
}

#[test]
fn a_profile_with_the_users_key_is_found_before_anything_is_applied() {
    let scene = Scene::new();
    scene.environment.edit("aws/config", "[profile alice]", "[profile work]");
    scene.environment.edit("aws/credentials", "[alice]", "[work]");
    let dry = by_the_operator().replace("--yes", "--dry-run");
    scene.xacct(&dry).exits_with(0).says(&["User     arn:aws:iam::111111111111:user/alice", "profile work"]);
    scene.xacct(&by_the_operator()).exits_with(0).says(&["Verified in"]);
    assert!(scene.environment.read("xacct.toml").contains("user_profile = \"work\"\n"));
    scene.xacct("verify").exits_with(0);
}

#[test]
fn keys_of_the_user_in_the_environment_are_found() {
    let mut scene = Scene::new();
    without_profile_of_alice(&scene);
    as_alice(&mut scene.environment);
    scene.xacct(&by_the_operator()).exits_with(0).says(&["Verified in"]);
    assert!(!scene.environment.read("xacct.toml").contains("user_profile"), "the next run may have others");
}

#[test]
fn without_the_users_credentials_the_plan_says_that_the_test_is_inconclusive() {
    let scene = Scene::new();
    without_profile_of_alice(&scene);
    let dry = by_the_operator().replace("--yes", "--dry-run");
    let document = scene.xacct_json(&dry, 0);
    let warning = document["source"]["warnings"].to_string();
    for part in ["the test will be inconclusive", "user alice", "--user-profile NAME", "--no-verify"] {
        assert!(warning.contains(part), "{warning}");
    }
    for quiet in [dry.clone() + " --no-verify", dry.replace("--dry-run", "--check"), dry + " --only source"] {
        let output = scene.xacct(&quiet);
        assert!(!output.everything().contains("inconclusive"), "{output}");
    }
    scene.xacct(&by_the_operator()).exits_with(5).says(&["will be inconclusive", "do not belong to user alice"]);
}

fn without_profile_of_alice(scene: &Scene) {
    scene.environment.edit("aws/config", "[profile alice]", "[profile nobody]");
    scene.environment.edit("aws/credentials", "[alice]", "[nobody]");
    scene.environment.edit("aws/credentials", ALICE.id, "AKIASANDBOXNOBODYAAA");
}
