//! Multi-factor authentication: one code is enough, and tests that cannot run are reported as inconclusive.

use serde_json::{Value, json};
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ALICE};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, ROLE, Scene, as_alice, step, trust};
use crate::support::policies::document;

/// Returns an invalid code for alice's device.
fn wrong_code(scene: &Scene) -> &'static str {
    let right = scene.sandbox.totp("alice");
    if right == "000000" { "000001" } else { "000000" }
}

/// Creates a link that requires MFA, without testing it.
fn requiring_mfa() -> Scene {
    Scene::linked("--require-mfa --external-id abc --no-verify")
}

#[track_caller]
fn assert_proven(verification: &Value) {
    assert_eq!(verification["outcome"], "works", "{verification:#}");
    for id in ["refused_without_external_id", "refused_with_wrong_external_id", "refused_without_mfa"] {
        assert_eq!(step(verification, id)["outcome"], "ok", "{id}: {verification:#}");
    }
}

#[test]
fn one_code_is_enough_for_all_checks() {
    let scene = Scene::new();
    let code = scene.sandbox.totp("alice");
    let document = scene.bootstrap_json(&format!("--require-mfa --external-id abc --mfa-code {code}"), 0);
    assert_proven(&document["targets"][ACCOUNT_B]["verification"]);
    let conditions = json!({
        "StringEquals": {"sts:ExternalId": "abc"},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
    });
    assert_eq!(scene.conditions(), conditions);
    assert_eq!(scene.requests("GetSessionToken").len(), 1);
}

#[test]
fn reads_the_code_from_the_environment() {
    let mut scene = requiring_mfa();
    scene.environment.set("XACCT_MFA_CODE", &scene.sandbox.totp("alice"));
    assert_proven(&scene.verdict("", 0));
}

#[test]
fn one_code_is_enough_for_all_targets() {
    let scene = Scene::new();
    let code = scene.sandbox.totp("alice");
    let document = scene.xacct_json(
        &format!(
            "bootstrap --yes --target-account 222222222222,333333333333 --user alice --user-profile alice --profile \
             security-admin --enter-role OrganizationAccountAccessRole --require-mfa --external-id abc --mfa-code {code}"
        ),
        0,
    );
    for target in [ACCOUNT_B, ACCOUNT_C] {
        assert_proven(&document["targets"][target]["verification"]);
    }
    assert_eq!(scene.requests("GetSessionToken").len(), 1);
}

#[test]
fn one_code_is_enough_during_propagation() {
    let scene = Scene::of(Sandbox::builder().propagation(std::time::Duration::from_secs(1)));
    let code = scene.sandbox.totp("alice");
    let document = scene.bootstrap_json(&format!("--require-mfa --external-id abc --mfa-code {code}"), 0);
    assert_proven(&document["targets"][ACCOUNT_B]["verification"]);
}

#[test]
fn a_wrong_code_is_inconclusive() {
    let scene = requiring_mfa();
    let verification = scene.verdict(&format!("--mfa-code {}", wrong_code(&scene)), 5);
    assert_eq!(verification["outcome"], "not_proven");
    let failed = step(&verification, "assume_role");
    assert_eq!(failed["outcome"], "not_proven");
    assert!(failed["error"]["aws"]["message"].to_string().contains("invalid MFA one time pass code"));
    assert_eq!(scene.requests("AssumeRole").len(), 0);
}

#[test]
fn a_used_code_is_inconclusive_and_the_hint_says_to_wait() {
    let scene = requiring_mfa();
    let code = scene.sandbox.totp("alice");
    scene.verdict(&format!("--mfa-code {code}"), 0);
    let verification = scene.verdict(&format!("--no-cache --mfa-code {code}"), 5);
    assert_eq!(verification["outcome"], "not_proven");
    let hints = step(&verification, "assume_role")["error"]["hints"].to_string();
    assert!(hints.contains("wait for the next code"), "{hints}");
}

#[test]
fn without_a_code_creates_the_link_without_testing_it() {
    let scene = Scene::new();
    let output = scene.bootstrap("--require-mfa").exits_with(5);
    output.says(&["Inconclusive", "--mfa-code CODE", "Wrote xacct.toml"]);
    assert_eq!(scene.granted(), [ROLE]);
    let verification = scene.verdict("", 5);
    assert_eq!(verification["outcome"], "not_proven");
    scene.verdict(&format!("--mfa-code {}", scene.sandbox.totp("alice")), 0);
}

#[test]
fn a_role_without_the_mfa_condition_is_too_open() {
    let scene = requiring_mfa();
    let open = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &open));
    let verification = scene.verdict(&format!("--mfa-code {}", scene.sandbox.totp("alice")), 3);
    assert_eq!(verification["outcome"], "too_open");
    assert_eq!(step(&verification, "refused_without_mfa")["outcome"], "failed");
}

#[test]
fn looks_up_the_device_if_the_profile_has_none() {
    let scene = requiring_mfa();
    scene.environment.edit("aws/config", "mfa_serial = arn:aws:iam::111111111111:mfa/alice\n", "");
    scene.sandbox.world(|world| {
        let own = document(json!({
            "Effect": "Allow", "Action": "iam:ListMFADevices", "Resource": "arn:aws:iam::111111111111:user/alice",
        }));
        world.put_user_policy(ACCOUNT_A, "alice", "own-devices", own);
    });
    assert_proven(&scene.verdict(&format!("--mfa-code {}", scene.sandbox.totp("alice")), 0));
    assert_eq!(scene.requests("ListMFADevices").len(), 1);
}

#[test]
fn requires_mfa_serial_if_devices_cannot_be_listed() {
    let scene = requiring_mfa();
    scene.environment.edit("aws/config", "mfa_serial = arn:aws:iam::111111111111:mfa/alice\n", "");
    let verification = scene.verdict(&format!("--mfa-code {}", scene.sandbox.totp("alice")), 5);
    assert_eq!(verification["outcome"], "not_proven");
    let error = &step(&verification, "assume_role")["error"];
    assert!(error["message"].to_string().contains("cannot list the MFA devices"), "{error}");
    assert!(error["hints"].to_string().contains("mfa_serial"), "{error}");
}

#[test]
fn ignores_security_keys() {
    let scene = requiring_mfa();
    scene.environment.edit("aws/config", "mfa_serial = arn:aws:iam::111111111111:mfa/alice\n", "");
    scene.sandbox.world(|world| {
        let own = document(json!({
            "Effect": "Allow", "Action": "iam:ListMFADevices", "Resource": "*",
        }));
        world.put_user_policy(ACCOUNT_A, "alice", "own-devices", own);
        let device = &mut world.user_mut(ACCOUNT_A, "alice").mfa_devices[0];
        device.serial = "arn:aws:iam::111111111111:u2f/user/alice/key".to_owned();
    });
    let verification = scene.verdict("--mfa-code 123456", 5);
    let error = &step(&verification, "assume_role")["error"];
    assert!(error["message"].to_string().contains("no MFA device that generates codes"), "{error}");
}

#[test]
fn an_mfa_session_cannot_test_the_rejection_without_mfa() {
    let mut scene = requiring_mfa();
    scene.verdict(&format!("--mfa-code {}", scene.sandbox.totp("alice")), 0);
    let session = scene.sandbox.world(|world| {
        let mut sessions = world.sessions().filter(|session| session.mfa.is_some());
        sessions.next().cloned().expect("the session with MFA")
    });
    scene.environment.set("AWS_ACCESS_KEY_ID", &session.key.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", &session.key.secret);
    scene.environment.set("AWS_SESSION_TOKEN", &session.token);
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    let verification = scene.verdict("", 5);
    assert_eq!(verification["outcome"], "not_proven");
    assert_eq!(step(&verification, "assume_role")["outcome"], "ok");
    assert_eq!(step(&verification, "refused_without_external_id")["outcome"], "ok");
    assert_eq!(step(&verification, "refused_without_mfa")["outcome"], "not_proven");
}

#[test]
fn credentials_of_another_user_are_inconclusive() {
    let scene = Scene::linked("");
    let verification = scene.verdict("--user-profile bob", 5);
    assert_eq!(verification["outcome"], "not_proven");
    let who = step(&verification, "who_am_i");
    assert_eq!(who["outcome"], "not_proven");
    assert_eq!(who["evidence"], "arn:aws:iam::111111111111:user/bob");
    assert!(who["error"]["hints"].to_string().contains("--user-profile"), "{who}");
    assert_eq!(scene.requests("CreateBucket").len(), 0);
}

#[test]
fn a_user_of_the_same_name_in_another_account_is_another_user() {
    let mut scene = Scene::linked("");
    scene.sandbox.world(|world| {
        let keys = world.user(ACCOUNT_A, "alice").unwrap().keys.clone();
        world.user_mut(ACCOUNT_A, "alice").keys.clear();
        world.user_mut(ACCOUNT_C, "alice").keys = keys;
    });
    as_alice(&mut scene.environment);
    assert_eq!(scene.verdict("", 5)["outcome"], "not_proven");
}

#[test]
fn a_role_session_is_inconclusive() {
    let scene = Scene::linked("");
    scene.environment.append(
        "aws/config",
        "[profile entered]\nregion = us-east-1\nsource_profile = security-admin\n\
         role_arn = arn:aws:iam::222222222222:role/OrganizationAccountAccessRole\n",
    );
    let verification = scene.verdict("--user-profile entered", 5);
    assert_eq!(verification["outcome"], "not_proven");
}

#[test]
fn an_operator_who_is_not_the_user_cannot_test_the_link() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_ACCESS_KEY_ID", ADMIN_A.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ADMIN_A.secret);
    // Otherwise bootstrap finds it.
    let no_key = "AKIASANDBOXNOBODYAAA";
    scene.environment.edit("aws/credentials", ALICE.id, no_key);
    let words = "bootstrap --yes --target-account 222222222222 --user alice";
    let document = scene.xacct_json(words, 5);
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "not_proven");
    assert_eq!(document["config"]["written"], true);
    assert_eq!(scene.granted(), [ROLE]);
    scene.environment.edit("aws/credentials", no_key, ALICE.id);
    scene.xacct("verify --user-profile alice").exits_with(0);
}
