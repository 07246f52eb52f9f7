//! Profiles that assume roles with MFA or with a session duration, which the SDK does not support.

use serde_json::json;
use xacct_sandbox::world::ADMIN_A;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, trust};

/// A dry run, which needs credentials of both operators.
const DRY_RUN: &str = "bootstrap --dry-run --target-account 222222222222 --user alice";

/// Creates role `operator` in account B, an administrator that alice may assume with MFA and an external ID.
fn operators() -> Scene {
    let scene = Scene::new();
    scene.sandbox.world(|world| {
        let conditions =
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"sts:ExternalId": "abc"}});
        world.add_role(ACCOUNT_B, "operator", trust(&conditions));
        world.attach_role_policy(ACCOUNT_B, "operator", "arn:aws:iam::aws:policy/AdministratorAccess");
        world.grant_assume_role(ACCOUNT_A, "alice", "operator", "arn:aws:iam::222222222222:role/operator");
        world.add_role(ACCOUNT_A, "operator", trust(&json!({})));
        world.attach_role_policy(ACCOUNT_A, "operator", "arn:aws:iam::aws:policy/AdministratorAccess");
    });
    scene
}

fn profile(scene: &Scene, name: &str, settings: &str) {
    scene.environment.append("aws/config", &format!("\n[profile {name}]\n{}\n", settings.replace("; ", "\n")));
}

const MFA: &str = "role_arn = arn:aws:iam::222222222222:role/operator; source_profile = alice; external_id = abc; \
                   role_session_name = me; duration_seconds = 1800; mfa_serial = arn:aws:iam::111111111111:mfa/alice";

#[test]
fn a_profile_with_mfa_needs_one_code_and_sends_all_its_settings() {
    let scene = operators();
    profile(&scene, "operator", MFA);
    let words = format!("{DRY_RUN} --profile security-admin --target-profile operator");
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("{words} --mfa-code {code}")).exits_with(0).says(&["profile operator, assumed role"]);
    let request = &scene.requests("AssumeRole")[0];
    for (name, value) in [("RoleSessionName", "me"), ("DurationSeconds", "1800"), ("ExternalId", "abc")] {
        assert_eq!(request.parameter(name), Some(value));
    }
    let token = &scene.requests("GetSessionToken")[0];
    assert_eq!(token.parameter("SerialNumber"), Some("arn:aws:iam::111111111111:mfa/alice"));
    // The session is cached, so no second code is needed.
    scene.xacct(&words).exits_with(0);
    assert_eq!(scene.requests("GetSessionToken").len(), 1);
}

#[test]
fn a_profile_with_mfa_requires_a_code() {
    let scene = operators();
    profile(&scene, "operator", MFA);
    let words = format!("{DRY_RUN} --profile security-admin --target-profile operator");
    scene.xacct(&words).exits_with(1).says(&["profile `operator`", "--mfa-code CODE"]);
    assert_eq!(scene.requests("AssumeRole").len(), 0);
}

#[test]
fn a_profile_with_a_duration_requests_it() {
    let mut scene = operators();
    let role =
        "role_arn = arn:aws:iam::111111111111:role/operator; source_profile = security-admin; duration_seconds = 7200";
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_A, "operator").unwrap().max_session_duration = 7200);
    profile(&scene, "long", role);
    scene.xacct(&format!("{DRY_RUN} --profile long --target-profile dev-admin")).exits_with(0);
    scene.environment.set("AWS_PROFILE", "long");
    scene.xacct(&format!("{DRY_RUN} --target-profile dev-admin")).exits_with(0);
    let requests = scene.requests("AssumeRole");
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.parameter("DurationSeconds"), Some("7200"));
        assert_eq!(request.parameter("RoleSessionName"), Some("xacct"));
    }
    // Keys in the environment win over AWS_PROFILE, as in other AWS tools.
    scene.sandbox.clear_requests();
    scene.environment.set("AWS_ACCESS_KEY_ID", ADMIN_A.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ADMIN_A.secret);
    scene.xacct(&format!("{DRY_RUN} --target-profile dev-admin")).exits_with(0);
    assert_eq!(scene.requests("AssumeRole").len(), 0);
}

#[test]
fn assumes_the_roles_of_a_chain_in_order() {
    let scene = operators();
    profile(
        &scene,
        "first",
        "role_arn = arn:aws:iam::111111111111:role/operator; source_profile = security-admin; duration_seconds = 900",
    );
    profile(
        &scene,
        "second",
        "role_arn = arn:aws:iam::222222222222:role/OrganizationAccountAccessRole; source_profile = first; region = us-east-1",
    );
    scene.xacct(&format!("{DRY_RUN} --profile security-admin --target-profile second")).exits_with(0);
    let roles: Vec<_> =
        scene.requests("AssumeRole").iter().map(|it| it.parameter("RoleArn").unwrap().to_owned()).collect();
    let wanted =
        ["arn:aws:iam::111111111111:role/operator", "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"];
    assert_eq!(roles, wanted);
}

#[test]
fn the_source_may_be_the_environment_or_the_profile_itself() {
    let mut scene = operators();
    scene.environment.set("AWS_ACCESS_KEY_ID", ADMIN_A.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ADMIN_A.secret);
    let role = "role_arn = arn:aws:iam::111111111111:role/operator; duration_seconds = 900";
    profile(&scene, "env", &format!("{role}; credential_source = Environment"));
    let keys = format!("aws_access_key_id = {}; aws_secret_access_key = {}", ADMIN_A.id, ADMIN_A.secret);
    profile(&scene, "own", &format!("{role}; source_profile = own; {keys}"));
    for name in ["env", "own"] {
        scene.sandbox.clear_requests();
        scene.xacct(&format!("{DRY_RUN} --profile {name} --target-profile dev-admin")).exits_with(0);
        assert_eq!(scene.requests("AssumeRole")[0].parameter("DurationSeconds"), Some("900"), "{name}");
    }
}

#[test]
fn reports_invalid_chains_before_sending_requests() {
    let scene = operators();
    let role = "role_arn = arn:aws:iam::111111111111:role/operator";
    profile(&scene, "a", &format!("{role}; source_profile = b; duration_seconds = 900"));
    profile(&scene, "b", &format!("{role}; source_profile = a"));
    profile(&scene, "nowhere", &format!("{role}; source_profile = nobody; duration_seconds = 900"));
    profile(&scene, "words", &format!("{role}; source_profile = alice; duration_seconds = 1h"));
    profile(&scene, "short", &format!("{role}; source_profile = alice; duration_seconds = 60"));
    profile(&scene, "serial", &format!("{role}; source_profile = alice; mfa_serial = me"));
    for (name, wanted, code) in [
        ("a", "forms a cycle", 1),
        ("nowhere", "profile `nobody`, the source_profile of `nowhere`, does not exist", 1),
        ("words", "duration_seconds of profile `words` is `1h`", 2),
        ("short", "is less than 15m", 2),
        ("serial", "mfa_serial of profile `serial`", 2),
    ] {
        scene.xacct(&format!("{DRY_RUN} --profile {name} --target-profile dev-admin")).exits_with(code).says(&[wanted]);
    }
    assert!(scene.requests("AssumeRole").is_empty());
}

#[test]
fn names_the_denied_role_of_a_chain() {
    let scene = operators();
    profile(
        &scene,
        "no",
        "role_arn = arn:aws:iam::333333333333:role/x; source_profile = alice; duration_seconds = 900",
    );
    let words = format!("{DRY_RUN} --profile no --target-profile dev-admin");
    scene.xacct(&words).exits_with(1).says(&["profile `no`: sts:AssumeRole was denied", "returned AccessDenied"]);
}
