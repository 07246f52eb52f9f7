//! `bootstrap --check` finds manual changes without writing, and the next run repairs them. Unmanaged policies and tags
//! are kept.

use serde_json::{Value, json};
use xacct_sandbox::World;
use xacct_sandbox::world::Role;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, text, trust};
use crate::support::policies::{allow, document};

const OPTIONS: &str = "--external-id abc --tag team=platform --max-session-duration 2h --policy-arn PowerUserAccess \
                       --permissions-boundary AdministratorAccess";

/// Makes a manual change on a link created with [`OPTIONS`] and asserts which changes repair it.
#[track_caller]
fn repairs(plant: impl FnOnce(&mut World), actions: &[&str]) {
    mends_with(OPTIONS, plant, actions);
}

#[track_caller]
fn mends_with(options: &str, plant: impl FnOnce(&mut World), actions: &[&str]) {
    let scene = Scene::linked(options);
    scene.sandbox.world(plant);

    let found = scene.xacct_json("bootstrap --check", 4);
    assert_eq!(pending(&found), actions, "{found:#}");
    assert_eq!(found["pending_changes"], actions.len());
    assert_eq!(found["applied"], false);
    assert_eq!(scene.writes(), [""; 0], "--check writes nothing");

    // What was tightened by hand is loosened only if this is wanted.
    let is_weaker = found["targets"][ACCOUNT_B]["weaker"].is_array();
    if is_weaker {
        scene.xacct("bootstrap --yes").exits_with(1);
        assert_eq!(scene.writes(), [""; 0]);
    }
    scene.xacct(if is_weaker { "bootstrap --yes --allow-weaker" } else { "bootstrap --yes" }).exits_with(0);
    let left = scene.xacct_json("bootstrap --check", 0);
    assert_eq!(left["pending_changes"], 0, "{left:#}");
}

/// Returns the actions of all changes, first those of the target, then those of the source.
fn pending(document: &Value) -> Vec<String> {
    let of = |side: &Value| side["changes"].as_array().cloned().unwrap_or_default();
    let target = of(&document["targets"][ACCOUNT_B]);
    let source = of(&document["source"]);
    target.iter().chain(&source).map(|change| text(&change["action"])).collect()
}

fn role(world: &mut World) -> &mut Role {
    world.role_mut(ACCOUNT_B, "xacct").expect("role xacct")
}

#[test]
fn a_trust_policy_without_its_condition() {
    let open = trust(&json!({}));
    repairs(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &open), &["replace_trust_policy"]);
}

#[test]
fn a_trust_policy_with_another_external_id() {
    let other = trust(&json!({"StringEquals": {"sts:ExternalId": "other"}}));
    repairs(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &other), &["replace_trust_policy"]);
}

#[test]
fn a_trust_policy_with_two_external_ids() {
    let two = trust(&json!({"StringEquals": {"sts:ExternalId": ["abc", "other"]}}));
    repairs(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &two), &["replace_trust_policy"]);
}

#[test]
fn a_trust_policy_with_a_foreign_principal() {
    let mut wide = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    wide["Statement"].as_array_mut().unwrap().push(json!({
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"}, "Action": "sts:AssumeRole",
    }));
    repairs(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &wide), &["replace_trust_policy"]);
}

#[test]
fn a_trust_policy_that_names_a_deleted_user() {
    let mut named = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    named["Statement"][0]["Principal"]["AWS"] = json!("arn:aws:iam::111111111111:user/bob");
    repairs(
        |world| {
            world.set_trust_policy(ACCOUNT_B, "xacct", &named);
            world.delete_user(ACCOUNT_A, "bob");
        },
        &["replace_trust_policy"],
    );
}

#[test]
fn a_missing_mfa_condition() {
    let scene = Scene::linked("--require-mfa --no-verify");
    let open = trust(&json!({}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &open));
    assert_eq!(pending(&scene.xacct_json("bootstrap --check", 4)), ["replace_trust_policy"]);
    scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    assert_eq!(scene.conditions(), json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}));
}

#[test]
fn a_shorter_session_limit() {
    repairs(|world| role(world).max_session_duration = 3600, &["update_role"]);
}

#[test]
fn a_changed_description() {
    repairs(|world| role(world).description = Some("x".to_owned()), &["update_role"]);
}

#[test]
fn a_removed_description() {
    repairs(|world| role(world).description = None, &["update_role"]);
}

#[test]
fn a_removed_boundary() {
    repairs(|world| role(world).boundary = None, &["set_permissions_boundary"]);
}

#[test]
fn a_changed_boundary() {
    let other = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    repairs(|world| world.set_role_boundary(ACCOUNT_B, "xacct", Some(other)), &["set_permissions_boundary"]);
}

#[test]
fn a_removed_tag_and_a_changed_tag() {
    repairs(
        |world| {
            role(world).tags.remove("xacct:source-account");
            role(world).tags.insert("team".to_owned(), "sales".to_owned());
        },
        &["tag_role"],
    );
}

#[test]
fn a_detached_policy() {
    repairs(|world| role(world).policies.attached.clear(), &["attach_policy"]);
}

#[test]
fn a_changed_managed_inline_policy() {
    mends_with(
        "",
        |world| world.put_role_policy(ACCOUNT_B, "xacct", "xacct-verify", allow("s3:*", "*")),
        &["put_role_policy"],
    );
}

#[test]
fn a_removed_managed_inline_policy() {
    mends_with("", |world| role(world).policies.inline.clear(), &["put_role_policy"]);
}

#[test]
fn a_managed_inline_policy_no_longer_configured() {
    repairs(
        |world| world.put_role_policy(ACCOUNT_B, "xacct", "xacct-old", allow("s3:*", "*")),
        &["delete_role_policy"],
    );
}

#[test]
fn a_deleted_role() {
    repairs(
        |world| {
            world.delete_role(ACCOUNT_B, "xacct");
        },
        &["create_role", "attach_policy"],
    );
}

#[test]
fn a_deleted_grant() {
    repairs(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear(), &["put_grant"]);
}

#[test]
fn a_grant_with_a_wildcard() {
    repairs(
        |world| {
            let wide = document(json!([{
                "Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*",
            }]));
            world.put_user_policy(ACCOUNT_A, "alice", "xacct", wide);
        },
        &["put_grant"],
    );
}

/// Even with our `Sid`, somebody meant it.
#[test]
fn a_grant_turned_into_a_denial_is_repaired_only_when_adopted() {
    let scene = Scene::linked(OPTIONS);
    let denial = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "XacctAssumeRole", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": ROLE,
    }]});
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "xacct", denial.clone()));
    scene.xacct("bootstrap --check").exits_with(4).says(&["only bootstrap", "--adopt repairs this"]);
    let refused = scene.xacct("bootstrap --yes").exits_with(1);
    refused.says(&["that xacct did not write", "\"Effect\":\"Deny\"", "--adopt"]);
    assert_eq!(scene.writes(), [""; 0]);
    let adopted = scene.xacct("bootstrap --yes --adopt").exits_with(0);
    assert!(adopted.everything().replace(char::is_whitespace, "").contains("\"Effect\":\"Deny\""), "{adopted}");
}

#[test]
fn everything_at_once() {
    repairs(
        |world| {
            world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({})));
            world.put_role_policy(ACCOUNT_B, "xacct", "xacct-old", allow("s3:*", "*"));
            world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
            let role = role(world);
            role.max_session_duration = 43_200;
            role.boundary = None;
            role.tags.remove("team");
            role.policies.attached.clear();
        },
        &[
            "replace_trust_policy",
            "update_role",
            "set_permissions_boundary",
            "tag_role",
            "delete_role_policy",
            "attach_policy",
            "put_grant",
        ],
    );
}

#[test]
fn equivalent_policies_are_not_drift() {
    let scene = Scene::linked("--external-id abc");
    let same = document(json!({
        "Sid": "XacctAssumeRole",
        "Effect": "Allow",
        "Principal": {"AWS": ["111111111111"]},
        "Action": ["sts:AssumeRole"],
        "Condition": {"StringEquals": {"sts:externalid": ["abc"]}},
    }));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &same));
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn keeps_unmanaged_policies_and_tags() {
    let scene = Scene::linked("");
    let boundary = "arn:aws:iam::aws:policy/PowerUserAccess";
    let attached = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    scene.sandbox.world(|world| {
        world.put_role_policy(ACCOUNT_B, "xacct", "by-hand", allow("ec2:*", "*"));
        world.attach_role_policy(ACCOUNT_B, "xacct", attached);
        world.set_role_boundary(ACCOUNT_B, "xacct", Some(boundary));
        role(world).tags.insert("owner".to_owned(), "carol".to_owned());
        world.put_user_policy(ACCOUNT_A, "alice", "by-hand", allow("ec2:*", "*"));
        world.attach_user_policy(ACCOUNT_A, "alice", attached);
    });
    scene.xacct("bootstrap --check").exits_with(0);
    // A run that writes keeps them too, and reports them.
    let document =
        scene.xacct_json("bootstrap --yes --allow-weaker --external-id new --max-session-duration 3h --tag a=b", 0);
    let target = &document["targets"][ACCOUNT_B];
    for (reported, left) in [("warnings", ["by-hand", attached]), ("notes", [boundary, "owner"])] {
        let reported = target[reported].to_string();
        assert!(left.iter().all(|left| reported.contains(left)), "{left:?} in {reported}");
    }
    scene.sandbox.world(|world| {
        let role = world.role(ACCOUNT_B, "xacct").unwrap();
        assert!(role.policies.inline.contains_key("by-hand"));
        assert!(role.policies.attached.contains(attached));
        assert_eq!(role.boundary.as_deref(), Some(boundary));
        assert_eq!(role.tags["owner"], "carol");
        let alice = world.user(ACCOUNT_A, "alice").unwrap();
        assert!(alice.policies.inline.contains_key("by-hand"));
        assert!(alice.policies.attached.contains(attached));
    });
}

#[test]
fn keeps_grants_of_other_links() {
    let scene = Scene::linked("");
    let other = "arn:aws:iam::333333333333:role/other";
    scene.sandbox.world(|world| {
        let both = document(json!([{
            "Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [other, ROLE],
        }]));
        world.put_user_policy(ACCOUNT_A, "alice", "xacct", both);
    });
    let found = scene.xacct_json("bootstrap --check", 4);
    assert_eq!(found["pending_changes"], 0, "it is reported as an orphan: {found:#}");
    scene.xacct("bootstrap --yes --target-account 222222222222 --role-name second").exits_with(0);
    let granted = scene.granted();
    assert!(granted.contains(&other.to_owned()), "{granted:?}");
}
