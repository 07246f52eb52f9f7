//! Unreadable facts are reported with the missing permission, and no conclusions are drawn from them.

use serde_json::{Value, json};
use xacct_sandbox::World;

use crate::cases;
use crate::diagnose::source::{broken, diagnosis};
use crate::operators::{WORDS, source_policy, take_away, target_policy, with_operators};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, side_by_side, text, trust};
use crate::support::policies::document;

/// Creates a working link with policies of every kind on both sides, and operators with exactly the policies of
/// `policies/`.
fn scene() -> Scene {
    let scene = with_operators(source_policy(), target_policy(ROLE));
    scene.xacct(&format!("{WORDS} --external-id abc --no-verify")).exits_with(0);
    scene.sandbox.world(|world| {
        let all = || document(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
        let some = || document(json!([{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]));
        let boundary = world.add_policy(ACCOUNT_A, "limits", all());
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&boundary));
        let attached = world.add_policy(ACCOUNT_A, "read", some());
        world.attach_user_policy(ACCOUNT_A, "alice", &attached);
        world.put_user_policy(ACCOUNT_A, "alice", "more", some());
        let group = world.add_to_group(ACCOUNT_A, "alice", "team");
        group.policies.inline.insert("mail".to_owned(), some());
        group.policies.attached.insert("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned());
        let boundary = world.add_policy(ACCOUNT_B, "limits", all());
        world.set_role_boundary(ACCOUNT_B, "xacct", Some(&boundary));
        world.attach_role_policy(ACCOUNT_B, "xacct", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    });
    scene.sandbox.clear_requests();
    scene
}

fn without_grant(world: &mut World) {
    world.user_mut(ACCOUNT_A, "alice").policies.inline.remove("xacct");
}

fn causes(diagnosis: &Value) -> Vec<String> {
    diagnosis["findings"].as_array().unwrap().iter().map(|finding| text(&finding["cause"])).collect()
}

fn unread(diagnosis: &Value) -> Vec<String> {
    diagnosis["unread"].as_array().unwrap().iter().map(|unread| text(&unread["permission"])).collect()
}

#[test]
fn minimal_permissions_suffice_for_a_diagnosis() {
    let scene = scene();
    let document = scene.xacct_json("diagnose", 0);
    assert_eq!(document["targets"][ACCOUNT_B]["diagnosis"]["unread"], json!([]), "{document:#}");
    scene.sandbox.world(without_grant);
    let diagnosis = diagnosis(&scene, "");
    assert_eq!(causes(&diagnosis), ["grant_absent"], "{diagnosis:#}");
    assert_eq!(diagnosis["unread"], json!([]), "{diagnosis:#}");
}

/// Each of these may contain the grant or deny it, so a missing grant is not certain.
#[test]
fn an_unreadable_policy_is_not_a_missing_grant() {
    let permissions = [
        "iam:ListUserPolicies",
        "iam:GetUserPolicy",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupsForUser",
        "iam:ListGroupPolicies",
        "iam:GetGroupPolicy",
        "iam:ListAttachedGroupPolicies",
        "iam:GetPolicyVersion",
    ];
    side_by_side(&permissions, |permission| {
        let scene = scene();
        scene.sandbox.world(without_grant);
        take_away(&scene, permission);
        let diagnosis = diagnosis(&scene, "");
        assert_eq!(causes(&diagnosis), [""; 0], "{permission}: {diagnosis:#}");
        assert!(unread(&diagnosis).contains(&(*permission).to_owned()), "{permission}: {diagnosis:#}");
        let decided_by = diagnosis["possible"][0]["decided_by"].to_string();
        assert!(decided_by.contains(permission), "{permission}: {diagnosis:#}");
        if *permission == "iam:GetUserPolicy" {
            cases::record(&scene, "nothing_certain", "");
        }
    });
}

/// Causes elsewhere are found anyway.
#[test]
fn diagnoses_what_is_readable() {
    let permissions = ["iam:ListUserPolicies", "iam:ListGroupsForUser", "iam:ListRolePolicies", "iam:GetUser"];
    side_by_side(&permissions, |permission| {
        let scene = scene();
        scene.sandbox.world(|world| {
            world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({"StringEquals": {"sts:ExternalId": "other"}})));
        });
        take_away(&scene, permission);
        let diagnosis = diagnosis(&scene, "");
        assert_eq!(causes(&diagnosis), ["external_id_wrong"], "{permission}: {diagnosis:#}");
        assert!(unread(&diagnosis).contains(&(*permission).to_owned()), "{permission}: {diagnosis:#}");
    });
}

#[test]
fn an_unreadable_role() {
    let scene = scene();
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    take_away(&scene, "iam:GetRole");
    let diagnosis = diagnosis(&scene, "");
    assert_eq!(causes(&diagnosis), [""; 0], "{diagnosis:#}");
    assert!(unread(&diagnosis).contains(&"iam:GetRole".to_owned()), "{diagnosis:#}");
    assert!(diagnosis["possible"][0]["what"].to_string().contains("role xacct"), "{diagnosis:#}");
    assert!(diagnosis["possible"][0]["decided_by"].to_string().contains("iam:GetRole"), "{diagnosis:#}");
}

/// Without these lists a diagnosis is slower or less detailed, but not wrong.
#[test]
fn optional_lists() {
    side_by_side(&["iam:ListPolicies", "iam:ListRoles", "iam:ListMFADevices"], |permission| {
        let scene = scene();
        scene.sandbox.world(without_grant);
        take_away(&scene, permission);
        assert_eq!(causes(&diagnosis(&scene, "")), ["grant_absent"], "{permission}");
    });
}

/// GetPolicy is called only if ListPolicies is denied.
#[test]
fn unreadable_policy_versions() {
    let scene = scene();
    scene.sandbox.world(|world| {
        without_grant(world);
        let some = json!([{"Effect": "Allow", "Action": ["iam:Get*", "iam:ListU*", "iam:ListA*", "iam:ListG*"], "Resource": "*"},
            {"Effect": "Deny", "Action": ["iam:GetPolicy", "iam:ListPolicies"], "Resource": "*"}]);
        world.put_user_policy(ACCOUNT_A, "operator", "operator", document(some));
    });
    let diagnosis = diagnosis(&scene, "");
    assert_eq!(causes(&diagnosis), [""; 0], "{diagnosis:#}");
    assert!(unread(&diagnosis).contains(&"iam:GetPolicy".to_owned()), "{diagnosis:#}");
}

#[test]
fn operators_without_permissions() {
    let scene = broken("", |world| {
        without_grant(world);
        for account in [ACCOUNT_A, ACCOUNT_B] {
            world.user_mut(account, "admin").policies.attached.clear();
        }
    });
    cases::record(&scene, "nothing_read", "");
    nothing_is_claimed(&diagnosis(&scene, ""));
}

#[test]
fn operators_without_profiles() {
    let scene = broken("", without_grant);
    scene.environment.edit("xacct.toml", "\"security-admin\"", "\"no-such-a\"");
    scene.environment.edit("xacct.toml", "\"dev-admin\"", "\"no-such-b\"");
    let diagnosis = diagnosis(&scene, "");
    nothing_is_claimed(&diagnosis);
    assert!(diagnosis["unread"].to_string().contains("no-such-a"), "{diagnosis:#}");
    assert!(diagnosis["unread"].to_string().contains("no-such-b"), "{diagnosis:#}");
}

#[test]
fn operators_of_another_account() {
    let scene = broken("", without_grant);
    scene.environment.edit("xacct.toml", "\"security-admin\"", "\"third-admin\"");
    scene.environment.edit("xacct.toml", "\"dev-admin\"", "\"third-admin\"");
    let diagnosis = diagnosis(&scene, "");
    nothing_is_claimed(&diagnosis);
    assert!(diagnosis["unread"].to_string().contains("account 333333333333"), "{diagnosis:#}");
}

#[track_caller]
fn nothing_is_claimed(diagnosis: &Value) {
    assert_eq!(causes(diagnosis), [""; 0], "{diagnosis:#}");
    let possible = diagnosis["possible"].as_array().unwrap();
    assert!(possible.len() >= 6, "{diagnosis:#}");
    assert!(possible.iter().all(|it| !text(&it["what"]).is_empty() && !text(&it["decided_by"]).is_empty()));
    assert!(!diagnosis["unread"].as_array().unwrap().is_empty(), "{diagnosis:#}");
}
