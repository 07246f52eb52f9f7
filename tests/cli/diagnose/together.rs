//! Two causes together: both are reported, and both fixes together repair the link.

use serde_json::json;

use super::{change_trust, deny_in_trust, try_as, try_with, verify};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};

fn without_grant(scene: &Scene) {
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
}

#[test]
fn wrong_external_id_and_no_grant() {
    let scene = Scene::linked("--external-id right");
    scene.environment.edit("xacct.toml", "external_id = \"right\"", "external_id = \"wrong\"");
    without_grant(&scene);
    let broken = verify(scene, "");
    assert_eq!(broken.causes(), ["external_id_wrong", "grant_absent"]);
    broken.repairs_with_all();
}

#[test]
fn no_role_and_no_grant() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    without_grant(&scene);
    let broken = verify(scene, "");
    assert_eq!(broken.causes(), ["role_absent", "grant_absent"]);
    broken.repairs();
}

#[test]
fn wrong_external_id_and_no_mfa() {
    let scene = Scene::linked("--external-id right --require-mfa --no-verify");
    scene.environment.edit("xacct.toml", "require_mfa = true\n", "");
    scene.environment.edit("xacct.toml", "external_id = \"right\"\n", "");
    let broken = verify(scene, "");
    let mut causes = broken.causes();
    causes.sort_unstable();
    assert_eq!(causes, ["external_id_missing", "mfa_absent"]);
    broken.repairs_with_all();
}

#[test]
fn another_account_and_another_role() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Principal"] = json!({"AWS": "arn:aws:iam::333333333333:root"}));
    scene.sandbox.world(|world| {
        world.grant_assume_role(ACCOUNT_A, "alice", "xacct", "arn:aws:iam::222222222222:role/other");
    });
    let broken = verify(scene, "");
    assert_eq!(broken.causes(), ["trust_other_account", "grant_other_arn"]);
    broken.repairs();
}

#[test]
fn another_user_and_no_role() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    try_as(&scene, "bob");
    let broken = verify(scene, "");
    assert_eq!(broken.causes(), ["caller_is_another_user", "role_absent"]);
    broken.repairs_with_all();
}

#[test]
fn duration_too_long_and_wrong_external_id() {
    let scene = Scene::linked("--external-id right");
    scene.environment.edit("xacct.toml", "external_id = \"right\"", "external_id = \"wrong\"");
    let broken = try_with(scene, "diagnose --duration 4h", 3);
    assert_eq!(broken.causes(), ["external_id_wrong", "duration_over_role_limit"]);
    broken.repairs_with_all();
}

#[test]
fn too_open_in_two_ways() {
    let scene = Scene::linked("--external-id right --require-mfa --no-verify");
    change_trust(&scene, |statement| statement["Condition"] = json!({}));
    let broken = verify(scene, "");
    assert_eq!(broken.causes(), ["external_id_not_demanded", "mfa_not_demanded"]);
    broken.repairs();
}

#[test]
fn denied_and_too_open() {
    // A request denied for one reason would be accepted without the external ID after the first fix.
    let scene = Scene::linked("--external-id right");
    change_trust(&scene, |statement| {
        statement["Principal"] = json!({"AWS": "arn:aws:iam::333333333333:root"});
        statement["Condition"] = json!({});
    });
    verify(scene, "").only("trust_other_account", "target").repairs();
}

#[test]
fn denied_and_not_allowed() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Principal"] = json!({"AWS": "arn:aws:iam::333333333333:root"}));
    deny_in_trust(&scene, json!({"StringEquals": {"aws:PrincipalAccount": ACCOUNT_A}}));
    let broken = verify(scene, "");
    assert_eq!(broken.causes(), ["trust_denies", "trust_other_account"]);
    broken.repairs();
}

#[test]
fn certainly_denied_and_possibly_not_allowed() {
    let scene = Scene::linked("");
    change_trust(&scene, |statement| statement["Condition"] = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}));
    deny_in_trust(&scene, json!({"StringEquals": {"aws:PrincipalAccount": ACCOUNT_A}}));
    let broken = verify(scene, "");
    assert_eq!(broken.causes(), ["trust_denies", "trust_condition"]);
    assert_eq!(broken.diagnosis["findings"][1]["certainty"], "likely");
    broken.repairs();
}

#[test]
fn ignores_statements_for_services() {
    let scene = Scene::linked("--external-id right --require-mfa --no-verify");
    let mut trust = scene.trust_policy();
    let service = json!({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"});
    trust["Statement"].as_array_mut().expect("statements").insert(0, service);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
    scene.environment.edit("xacct.toml", "require_mfa = true\n", "");
    let accept = "accept = [{ who = \"service ec2.amazonaws.com\", reason = \"instances\" }]\n";
    scene.environment.edit("xacct.toml", "external_id = \"right\"\n", accept);
    let broken = verify(scene, "");
    let mut causes = broken.causes();
    causes.sort_unstable();
    assert_eq!(causes, ["external_id_missing", "mfa_absent"]);
    broken.repairs_with_all();
}
