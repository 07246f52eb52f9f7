//! Causes in the request.

use serde_json::json;

use super::{TRUST, add_profile, change_trust, deny_in_trust, try_as, try_with, verify};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};

const EXTERNAL_ID: [&str; 3] = ["Condition", "StringEquals", "sts:ExternalId"];

#[test]
fn external_id_missing() {
    let scene = Scene::linked("--external-id right");
    scene.environment.edit("xacct.toml", "external_id = \"right\"\n", "");
    verify(scene, "").only("external_id_missing", "request").marks(TRUST, &[&EXTERNAL_ID]).repairs();
}

#[test]
fn external_id_wrong() {
    let scene = Scene::linked("--external-id right");
    scene.environment.edit("xacct.toml", "external_id = \"right\"", "external_id = \"wrong\"");
    let broken = verify(scene, "").only("external_id_wrong", "request").marks(TRUST, &[&EXTERNAL_ID]);
    broken.says(&["`right`", "`wrong`"]).repairs();
}

#[test]
fn external_id_wrong_for_a_pattern() {
    let scene = Scene::linked("--external-id right");
    let like = json!({"StringLike": {"sts:ExternalId": "team-*"}});
    change_trust(&scene, |statement| statement["Condition"] = like);
    let broken = verify(scene, "").only("external_id_wrong", "request");
    broken.marks(TRUST, &[&["Condition", "StringLike", "sts:ExternalId"]]).repairs();
}

#[test]
fn external_id_missing_and_ambiguous() {
    let scene = Scene::linked("--external-id right");
    let one_of = json!({"StringEquals": {"sts:ExternalId": ["left", "right"]}});
    change_trust(&scene, |statement| statement["Condition"] = one_of);
    scene.environment.edit("xacct.toml", "external_id = \"right\"\n", "");
    let broken = verify(scene, "").only("external_id_missing", "request").marks(TRUST, &[&EXTERNAL_ID]);
    let fixes = broken.diagnosis["findings"][0]["fixes"].to_string();
    assert!(!fixes.contains("bootstrap"), "bootstrap would widen the trust policy: {fixes}");
    assert!(fixes.contains("ask the operator of account 222222222222"), "{fixes}");
}

#[test]
fn mfa_absent() {
    let scene = Scene::linked("--require-mfa --no-verify");
    scene.environment.edit("xacct.toml", "require_mfa = true\n", "");
    let broken = verify(scene, "").only("mfa_absent", "request");
    broken.marks(TRUST, &[&["Condition", "Bool", "aws:MultiFactorAuthPresent"]]).repairs();
}

#[test]
fn mfa_absent_with_an_explicit_deny() {
    let scene = Scene::linked("");
    deny_in_trust(&scene, json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}));
    let broken = verify(scene, "").only("mfa_absent", "request");
    broken.marks(TRUST, &[&["Condition", "BoolIfExists", "aws:MultiFactorAuthPresent"]]).repairs();
}

#[test]
fn mfa_absent_without_a_code() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let broken = try_with(scene, "verify --NO-CODE", 5).only("mfa_absent", "request");
    let mut scene = broken.scene;
    super::apply(&mut scene, &broken.diagnosis["findings"][0]["fixes"][0], |_, step| panic!("{step}"));
}

/// Returns an invalid code for alice's device.
fn wrong_code(scene: &Scene) -> &'static str {
    if scene.sandbox.totp("alice") == "000000" { "000001" } else { "000000" }
}

#[test]
fn mfa_code_wrong() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let code = wrong_code(&scene);
    let mut broken = verify(scene, &format!("--mfa-code {code}")).only("mfa_code_wrong", "request");
    broken.words = "verify".to_owned();
    broken.says(&["invalid MFA one time pass code"]).repairs_by_hand(wait);
}

#[test]
fn mfa_code_used_before() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("verify --no-cache --mfa-code {code}")).exits_with(0);
    let mut broken = verify(scene, &format!("--no-cache --mfa-code {code}")).only("mfa_code_wrong", "request");
    broken.words = "verify".to_owned();
    broken.says(&["already used"]).repairs_by_hand(wait);
}

fn wait(scene: &mut Scene, step: &str) {
    assert!(step.starts_with("wait for the next code"), "{step}");
    scene.sandbox.advance(std::time::Duration::from_secs(30));
}

#[test]
fn mfa_serial_wrong() {
    let scene = Scene::linked("--require-mfa --no-verify");
    scene.sandbox.world(|world| world.add_mfa_device(ACCOUNT_A, "bob", b"sandbox-seed-of-bob".to_vec()));
    scene.environment.edit("aws/config", "mfa/alice", "mfa/bob");
    let broken = verify(scene, "").only("mfa_serial_wrong", "request");
    broken.says(&["arn:aws:iam::111111111111:mfa/alice"]).repairs();
}

#[test]
fn session_tags_not_allowed() {
    let scene = Scene::linked("");
    let broken = try_with(scene, "diagnose --session-tag a=b", 3).first("session_tags_not_allowed", "target");
    assert_eq!(broken.causes(), ["session_tags_not_allowed", "session_tags_not_allowed"]);
    assert_eq!(broken.diagnosis["findings"][1]["side"], "source");
    broken.marks(TRUST, &[&["Action"]]).repairs();
}

#[test]
fn source_identity_not_allowed() {
    let scene = Scene::linked("");
    let broken = try_with(scene, "diagnose --source-identity alice", 3).first("source_identity_not_allowed", "target");
    assert_eq!(broken.causes(), ["source_identity_not_allowed", "source_identity_not_allowed"]);
    assert_eq!(broken.diagnosis["findings"][1]["side"], "source");
    broken.marks(TRUST, &[&["Action"]]).repairs();
}

#[test]
fn duration_over_role_limit() {
    let scene = Scene::linked("");
    let broken = try_with(scene, "diagnose --duration 4h", 3).only("duration_over_role_limit", "request");
    broken.says(&["4h", "1h", "MaxSessionDuration"]).repairs();
}

#[test]
fn duration_over_the_limit_of_an_unmanaged_role() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.clear());
    let broken = try_with(scene, "diagnose --duration 4h", 3).only("duration_over_role_limit", "request");
    let first = &broken.diagnosis["findings"][0]["fixes"][0]["steps"];
    assert_eq!(first, &json!([{"do": "request a session of at most 1h"}]), "nothing is adopted for it");
}

#[test]
fn duration_over_chaining_limit() {
    let scene = Scene::linked("--max-session-duration 12h");
    let (key, token) = scene.sandbox.world(|world| {
        let session = world.issue_role_session(ACCOUNT_A, "deployer", "s");
        (session.key.clone(), session.token.clone())
    });
    add_profile(&scene, "chained", &key.id, &key.secret, Some(&token));
    try_as(&scene, "chained");
    let broken = try_with(scene, "diagnose --duration 2h", 3).first("caller_is_role_session", "local_configuration");
    assert_eq!(broken.causes(), ["caller_is_role_session", "duration_over_chaining_limit"]);
    assert_eq!(broken.diagnosis["findings"][1]["side"], "request");
    broken.repairs();
}

#[test]
fn duration_within_the_limits() {
    let scene = Scene::linked("--max-session-duration 4h");
    scene.xacct("diagnose --duration 4h").exits_with(0);
}

#[test]
fn session_without_mfa() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let (key, token) = scene.sandbox.world(|world| {
        let session = world.issue_user_session(ACCOUNT_A, "alice", false);
        (session.key.clone(), session.token.clone())
    });
    add_profile(&scene, "session", &key.id, &key.secret, Some(&token));
    try_as(&scene, "session");
    let mut broken = verify(scene, "--NO-CODE").first("session_without_mfa", "local_configuration");
    broken.words = "verify".to_owned();
    broken.repairs();
}

#[test]
fn an_mfa_code_with_temporary_credentials() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let session = scene.sandbox.world(|world| world.issue_user_session(ACCOUNT_A, "alice", false).clone());
    add_profile(&scene, "session", &session.key.id, &session.key.secret, Some(&session.token));
    try_as(&scene, "session");
    verify(scene, "").only("session_without_mfa", "local_configuration").repairs();
}

#[test]
fn an_mfa_session_is_accepted() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let session = scene.sandbox.world(|world| world.issue_user_session(ACCOUNT_A, "alice", true).clone());
    add_profile(&scene, "session", &session.key.id, &session.key.secret, Some(&session.token));
    try_as(&scene, "session");
    scene.xacct("diagnose").exits_with(0);
}

/// Creates a link that requires MFA, for a user whose profile has no `mfa_serial`.
fn without_serial() -> Scene {
    let scene = Scene::linked("--require-mfa --no-verify");
    scene.environment.edit("aws/config", "mfa_serial = arn:aws:iam::111111111111:mfa/alice\n", "");
    scene
}

#[test]
fn mfa_absent_with_an_unknown_device() {
    let broken = verify(without_serial(), "").only("mfa_absent", "request");
    broken.says(&["found no code-generating MFA device", "mfa_serial arn:aws:iam::111111111111:mfa/alice"]).repairs();
}

#[test]
fn mfa_absent_without_a_totp_device() {
    let scene = without_serial();
    scene.sandbox.world(|world| {
        let device = &mut world.user_mut(ACCOUNT_A, "alice").mfa_devices[0];
        device.serial = "arn:aws:iam::111111111111:u2f/user/alice/key".to_owned();
    });
    let broken = verify(scene, "").only("mfa_absent", "request");
    broken.repairs_by_hand(|scene, step| {
        assert!(step.starts_with("add a virtual MFA device"), "{step}");
        let serial = "arn:aws:iam::111111111111:mfa/alice";
        scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").mfa_devices[0].serial = serial.to_owned());
        scene.configure("alice", &format!("mfa_serial = {serial}"));
    });
}
