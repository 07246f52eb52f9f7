//! Links of groups.

use serde_json::{Value, json};
use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, World};

use crate::scene::{ROLE, Scene, step};

/// Bootstraps a link of the group `deployers`, whose only member is alice.
const BOOTSTRAP: &str = "bootstrap --yes --target-account 222222222222 --name dev --principal group/deployers \
                         --profile security-admin --target-profile dev-admin";

fn scene() -> Scene {
    let scene = Scene::new();
    scene.sandbox.world(World::add_principals);
    scene
}

fn linked(more: &str) -> Scene {
    let scene = scene();
    scene.xacct(&format!("{BOOTSTRAP} --user-profile alice {more}")).exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

/// Returns the grant of the group.
fn grant(scene: &Scene) -> Option<Value> {
    scene.sandbox.world(|world| world.group_policy(ACCOUNT_A, "deployers", "xacct").cloned())
}

/// Lets alice list her groups.
fn list_groups(world: &mut World) {
    let statement = json!({"Effect": "Allow", "Action": "iam:ListGroupsForUser", "Resource": "*"});
    world.put_user_policy(ACCOUNT_A, "alice", "self", json!({"Version": "2012-10-17", "Statement": [statement]}));
}

#[test]
fn a_group_gets_a_link_that_works_and_rejects_what_it_must() {
    let scene = scene();
    let output = scene.xacct(&format!("{BOOTSTRAP} --generate-external-id --user-profile alice")).exits_with(0);
    output.says(&["group/deployers may assume", "add policy xacct to group deployers"]);
    assert_eq!(grant(&scene).unwrap()["Statement"][0]["Resource"], json!(ROLE));
    assert!(scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_none()));
    assert!(scene.environment.read("xacct.toml").contains("principals = [\"group/deployers\"]"));
    let document = scene.xacct_json("verify", 0);
    let verification = &document["targets"]["dev"]["verification"];
    for id in ["who_am_i", "assume_role", "create_bucket", "refused_without_external_id", "nobody_else_admitted"] {
        assert_eq!(step(verification, id)["outcome"], "ok", "{id}");
    }
    scene.xacct("bootstrap --check").exits_with(0).says(&["both accounts match"]);
    scene.xacct("list").exits_with(0).says(&["group/deployers"]);
}

#[test]
fn a_member_is_found_among_the_profiles() {
    let scene = scene();
    let output = scene.xacct(BOOTSTRAP).exits_with(0);
    output.says(&["profile alice"]);
}

#[test]
fn a_group_without_members_at_hand_is_not_proven() {
    let scene = scene();
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").groups.clear());
    let output = scene.xacct(BOOTSTRAP).exits_with(5);
    output.says(&["a member of group", "deployers"]);
    assert!(grant(&scene).is_some());
}

#[test]
fn a_user_who_is_no_member_does_not_test_the_link() {
    let scene = linked("");
    let output = scene.xacct("verify --user-profile bob").exits_with(3);
    output.says(&["User bob is not a member of group deployers, which has the grant", "add-user-to-group"]);
    // The administrator may list its own groups.
    let output = scene.xacct("verify --user-profile security-admin").exits_with(5);
    output.says(&["do not belong to a member of group"]);
}

#[test]
fn membership_that_nobody_may_read_is_said_to_be_unknown() {
    let scene = linked("");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"", "profile = \"bob\"");
    let output = scene.xacct("verify").exits_with(0);
    let output = output.says(&[
        "Works, maybe by another grant",
        "!   credentials belong to",
        "AWS does not let alice list its groups",
    ]);
    assert!(!output.everything().contains("Verified"), "{output}");
    // This operator may read them.
    scene.environment.edit("xacct.toml", "profile = \"bob\"", "profile = \"security-admin\"");
    let output = scene.xacct("verify").exits_with(0).says(&["Verified", "ok  credentials belong to"]);
    assert!(!output.everything().contains("cannot tell"), "{output}");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"", "profile = \"bob\"");
    scene.sandbox.world(list_groups);
    let output = scene.xacct("verify").exits_with(0);
    assert!(!output.everything().contains("cannot tell"), "{output}");
}

#[test]
fn another_grant_of_the_user_does_not_test_that_of_the_group() {
    let scene = linked("");
    scene.sandbox.world(|world| {
        let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        world.put_user_policy(ACCOUNT_A, "bob", "own", document);
    });
    let output = scene.xacct("verify --user-profile bob").exits_with(5);
    output.says(&["?   credentials belong to", "is not a member of group deployers"]);
}

#[test]
fn an_administrator_who_is_no_member_is_not_the_user_of_a_diagnosis() {
    let scene = linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    let document = scene.xacct_json("diagnose", 3);
    assert_eq!(document["targets"]["dev"]["diagnosis"]["findings"][0]["cause"], "caller_is_another_user");
    scene.xacct("diagnose").exits_with(3).says(&[
        "do not belong to a",
        "caller_is_another_user",
        "--user-profile NAME",
    ]);
}

#[test]
fn the_sessions_of_members_have_their_names() {
    let scene = linked("");
    scene.xacct("credentials dev --no-cache --format process").exits_with(0);
    assert_eq!(scene.requests("AssumeRole")[0].parameter("RoleSessionName"), Some("alice"));
}

#[test]
fn a_restricted_link_of_a_group_is_refused_with_its_members() {
    let scene = scene();
    scene.sandbox.world(|world| {
        world.add_to_group(ACCOUNT_A, "bob", "deployers");
    });
    let output = scene.xacct(&format!("{BOOTSTRAP} --restrict-to-user")).exits_with(2);
    output.says(&[
        "a trust policy cannot name group `deployers`",
        "principals = [\"user/alice\", \"user/bob\"]",
        "--restrict-to-user=false",
    ]);
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert!(!scene.environment.has("xacct.toml"));
}

#[test]
fn members_of_a_group_may_need_mfa() {
    let scene = scene();
    scene.xacct(&format!("{BOOTSTRAP} --require-mfa --no-verify")).exits_with(0);
    assert_eq!(scene.conditions()["Bool"]["aws:MultiFactorAuthPresent"], json!("true"));
}

#[test]
fn a_changed_grant_of_a_group_is_repaired() {
    let scene = linked("");
    scene.sandbox.world(|world| world.add_to_group(ACCOUNT_A, "alice", "deployers").policies.inline.clear());
    scene.xacct("bootstrap --check").exits_with(4).says(&["add policy xacct to group deployers"]);
    let output = scene.xacct("verify").exits_with(3);
    output.says(&["User alice has no grant", "xacct bootstrap dev"]);
    scene.xacct("bootstrap --yes").exits_with(0);
    assert!(grant(&scene).is_some());
}

#[test]
fn a_group_that_is_created_again_gets_its_grant_back() {
    let scene = linked("");
    scene.sandbox.world(|world| {
        world.account_mut(ACCOUNT_A).groups.remove("deployers");
        world.add_to_group(ACCOUNT_A, "alice", "deployers");
    });
    scene.xacct("verify").exits_with(3);
    scene.xacct("bootstrap --yes").exits_with(0).says(&["add policy xacct to group deployers", "Verified"]);
}

#[test]
fn a_teardown_takes_the_grant_of_the_group_away() {
    let scene = linked("");
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    assert_eq!(grant(&scene), None);
    assert!(scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_none()));
    assert!(scene.iam_writes().contains(&"DeleteGroupPolicy".to_owned()));
}

#[test]
fn a_group_takes_the_place_of_a_user() {
    let scene = Scene::linked("--name dev");
    scene.sandbox.world(World::add_principals);
    scene.xacct("replace alice --with group/deployers --yes --user-profile alice").exits_with(0);
    assert!(grant(&scene).is_some());
}

#[test]
fn a_group_that_does_not_exist_is_refused() {
    let scene = scene();
    let output = scene.xacct(&BOOTSTRAP.replace("deployers", "nobody")).exits_with(1);
    output.says(&["account 111111111111 has no group `nobody`", "aws iam list-groups"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
}

#[test]
fn the_printed_policy_is_enough_for_the_operator_of_a_group() {
    let scene = linked("");
    let printed = scene.xacct("print policies --for source-operator").exits_with(0).stdout;
    let document: Value = serde_json::from_str(&printed).unwrap();
    scene.sandbox.world(|world| {
        let admin = world.user_mut(ACCOUNT_A, "admin");
        admin.policies.attached.clear();
        admin.policies.inline.insert("operator".to_owned(), document);
        world.account_mut(ACCOUNT_A).groups.get_mut("deployers").unwrap().policies.inline.clear();
    });
    scene.xacct("bootstrap --yes").exits_with(0).says(&["add policy xacct to group deployers"]);
    scene.xacct("diagnose dev").exits_with(0);
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    assert_eq!(grant(&scene), None);
}

#[test]
fn terraform_gets_the_grant_of_a_group() {
    let scene = linked("");
    let output = scene.xacct("print role-hcl").exits_with(0);
    output.says(&["resource \"aws_iam_group_policy\" \"source\"", "group = \"deployers\"", "deployers:xacct"]);
}
