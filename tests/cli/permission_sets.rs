//! Links of permission sets of IAM Identity Center, whose roles nobody but AWS may change.

use std::time::Duration;

use serde_json::{Value, json};
use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, PermissionSet, World};

use crate::scene::{ROLE, Scene, step};

/// Bootstraps a link of the permission set `Deployer`.
pub const BOOTSTRAP: &str = "bootstrap --yes --target-account 222222222222 --name dev --principal permission-set/Deployer \
                         --profile security-admin --target-profile dev-admin";

/// The pattern by which a restricted role trusts the permission set.
const PATTERN: &str =
    "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com*/AWSReservedSSO_Deployer_????????????????";

/// A scene with the permission set in the source account, whose session is the profile `deployer`.
pub fn scene() -> Scene {
    let scene = Scene::new();
    let principals = scene.sandbox.world(World::add_principals);
    scene.session_profile("deployer", &principals.deployer);
    scene
}

/// Returns the permission set with these statements as its inline policy.
fn set(statements: &Value) -> PermissionSet {
    PermissionSet::new("Deployer", "eu-west-1").inline(json!({"Version": "2012-10-17", "Statement": statements}))
}

/// Returns the grant of one role.
pub fn grant(role: &str) -> Value {
    json!({"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})
}

/// Does what the administrator of the permission set does.
pub fn provision(scene: &Scene, statements: &Value) {
    let set = set(statements);
    scene.sandbox.world(|world| world.provision(ACCOUNT_A, &set)).unwrap();
}

fn linked(more: &str) -> Scene {
    let scene = scene();
    provision(&scene, &json!([grant(ROLE)]));
    scene.xacct(&format!("{BOOTSTRAP} --user-profile deployer {more}")).exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

#[test]
fn a_permission_set_with_the_grant_gets_a_link_that_works_and_rejects_what_it_must() {
    let scene = linked("--generate-external-id");
    assert!(scene.environment.read("xacct.toml").contains("principals = [\"permission-set/Deployer\"]"));
    let document = scene.xacct_json("verify", 0);
    let verification = &document["targets"]["dev"]["verification"];
    for id in ["who_am_i", "assume_role", "create_bucket", "refused_without_external_id", "nobody_else_admitted"] {
        assert_eq!(step(verification, id)["outcome"], "ok", "{id}");
    }
    scene.xacct("bootstrap --check").exits_with(0).says(&["both accounts match"]);
    scene.xacct("list --live").exits_with(0).says(&["permission-set/Deployer"]);
}

#[test]
fn the_missing_grant_is_shown_in_every_form_and_merged_with_the_policy_of_the_set() {
    let scene = scene();
    let own = json!({"Sid": "Own", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"});
    provision(&scene, &json!([own]));
    let output = scene.xacct(&format!("{BOOTSTRAP} --user-profile deployer")).exits_with(3);
    output.says(&[
        "The grant of permission set Deployer is missing",
        "management account",
        "delegated administrator",
        "\"Sid\": \"Own\"",
        "\"Resource\": \"arn:aws:iam::222222222222:role/xacct\"",
        "Permission sets > Deployer > Inline policy",
        "aws sso-admin put-inline-policy-to-permission-set",
        "aws sso-admin provision-permission-set",
        "--target-id 111111111111",
        "resource \"aws_ssoadmin_permission_set_inline_policy\" \"deployer\"",
        "Permission set Deployer has no grant",
    ]);
    // The role in the target account is made, and nothing is written to the permission set.
    assert!(scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_some()));
    assert!(
        !scene.writes().iter().any(|it| it.starts_with("Put") && it.ends_with("UserPolicy")),
        "{:?}",
        scene.writes()
    );
    assert_eq!(scene.writes().iter().filter(|it| *it == "PutRolePolicy").count(), 1, "that of the role in the target");
    scene.xacct("bootstrap --check").exits_with(4).says(&["lacks the grant"]);
    provision(&scene, &json!([own, grant(ROLE)]));
    scene.xacct("bootstrap --check").exits_with(0);
    scene.xacct("verify").exits_with(0);
}

#[test]
fn what_the_set_lacks_is_in_the_json() {
    let scene = scene();
    let document = scene.xacct_json(&format!("{BOOTSTRAP} --no-verify"), 5);
    let lacking = &document["permission_sets"][0];
    assert_eq!(lacking["permission_set"], "permission-set/Deployer");
    assert_eq!(lacking["missing"], json!([ROLE]));
    assert_eq!(lacking["inline_policy"]["Statement"], json!([grant(ROLE)]));
    assert_eq!(lacking["commands"].as_array().unwrap().len(), 2);
}

#[test]
fn a_run_that_waits_goes_on_when_the_role_shows_the_grant() {
    let scene = scene();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            scene.wait_for("CreateRole");
            std::thread::sleep(Duration::from_millis(500));
            provision(&scene, &json!([grant(ROLE)]));
        });
        let output = scene.xacct(&format!("{BOOTSTRAP} --wait --user-profile deployer")).exits_with(0);
        output.says(&["Verified in"]);
    });
}

#[test]
fn the_last_look_is_at_the_end_of_the_wait() {
    let scene = scene();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            scene.wait_for("CreateRole");
            std::thread::sleep(Duration::from_millis(700));
            provision(&scene, &json!([grant(ROLE)]));
        });
        let output = scene.xacct(&format!("{BOOTSTRAP} --wait=3s --user-profile deployer")).exits_with(0);
        output.says(&["Verified in"]);
    });
}

#[test]
fn a_set_without_the_grant_beside_a_tested_user_is_said_to_lack_it() {
    let scene = scene();
    let both = BOOTSTRAP.replace("--principal", "--principal user/alice --principal");
    let document = scene.xacct(&format!("{both} --user-profile alice --output json")).exits_with(5).json();
    let notes = step(&document["targets"]["dev"]["verification"], "who_am_i")["notes"].to_string();
    assert!(notes.contains("permission-set/Deployer by evaluation, not tested: it has no grant yet"), "{notes}");
}

#[test]
fn the_inline_grant_for_an_organization_is_named_as_it_is_to_be_added() {
    let scene = scene();
    for account in [ACCOUNT_A, ACCOUNT_B] {
        scene.sandbox.world(|world| world.set_organization(account, "o-a1b2c3d4e5"));
    }
    let options = "--grant organization --organization o-a1b2c3d4e5 --no-verify";
    let output = scene.xacct(&format!("{BOOTSTRAP} {options}")).exits_with(5);
    let output = output.says(&["sts:AssumeRole on", "arn:aws:iam::*:role/xacct", "aws:ResourceOrgID, but"]);
    let lacks = output.stdout.split("lacks the grant").nth(1).unwrap();
    assert!(!lacks.split("ResourceOrgID").next().unwrap().contains(ROLE), "{output}");
}

#[test]
fn a_restricted_link_trusts_every_role_of_the_set() {
    let scene = linked("--restrict-to-user");
    assert_eq!(scene.conditions()["ArnLike"]["aws:PrincipalArn"], json!(PATTERN));
    scene.xacct("verify").exits_with(0);
    scene.xacct("bootstrap --check").exits_with(0);
    // The set is assigned again: its role gets another suffix.
    let session = scene.sandbox.world(|world| {
        world.deprovision(ACCOUNT_A, "Deployer");
        let role = world.provision(ACCOUNT_A, &set(&json!([grant(ROLE)]))).unwrap();
        world.issue_role_session(ACCOUNT_A, &role, "alice@example.com").clone()
    });
    scene.session_profile("again", &session);
    scene.xacct("verify --user-profile again").exits_with(0);
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn a_restricted_link_works_for_an_identity_center_in_us_east_1() {
    let scene = Scene::new();
    let session = scene.sandbox.world(|world| {
        let set = PermissionSet::new("Deployer", "us-east-1")
            .inline(json!({"Version": "2012-10-17", "Statement": [grant(ROLE)]}));
        let role = world.provision(ACCOUNT_A, &set).unwrap();
        world.issue_role_session(ACCOUNT_A, &role, "alice@example.com").clone()
    });
    scene.session_profile("deployer", &session);
    scene.xacct(&format!("{BOOTSTRAP} --restrict-to-user --user-profile deployer")).exits_with(0);
}

#[test]
fn a_set_that_was_not_provisioned_again_is_diagnosed() {
    let scene = scene();
    provision(&scene, &json!([grant("arn:aws:iam::333333333333:role/xacct")]));
    let output = scene.xacct(&format!("{BOOTSTRAP} --user-profile deployer")).exits_with(3);
    output.says(&["The role of permission set Deployer shows a grant without", "provision-permission-set"]);
    let document = scene.xacct_json("diagnose dev", 3);
    assert_eq!(document["targets"]["dev"]["diagnosis"]["findings"][0]["cause"], "permission_set_not_provisioned");
}

#[test]
fn what_cannot_be_given_a_link_is_refused_before_anything_is_written() {
    let scene = scene();
    let role = scene.sandbox.world(|world| world.permission_set_role(ACCOUNT_A, "Deployer").unwrap().to_owned());
    let cases = [
        ("permission-set/Nobody".to_owned(), 1, "account 111111111111 has no role of permission set `Nobody`"),
        ("permission-set/Nobody".to_owned(), 1, "assign the permission set to account 111111111111"),
        ("permission-set/Deployer --require-mfa".to_owned(), 2, "sessions of permission set `Deployer` never have MFA"),
        (
            format!("role/aws-reserved/sso.amazonaws.com/eu-west-1/{role}"),
            2,
            "use the permission set: `permission-set/Deployer`",
        ),
        (
            format!("arn:aws:sts::111111111111:assumed-role/{role}/alice"),
            2,
            "use the permission set: `permission-set/Deployer`",
        ),
    ];
    for (principal, code, text) in cases {
        let words = BOOTSTRAP.replace("permission-set/Deployer", &principal);
        scene.xacct(&words).exits_with(code).says(&[text]);
    }
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert!(!scene.environment.has("xacct.toml"));
}

#[test]
fn the_set_of_an_operator_is_offered_and_never_taken() {
    let scene = scene();
    let output =
        scene.xacct("bootstrap 222222222222 --yes --profile deployer --target-profile dev-admin").exits_with(2);
    output.says(&["--principal permission-set/Deployer"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
}

#[test]
fn a_teardown_says_what_the_set_keeps() {
    let scene = linked("");
    let output = scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    output.says(&["permission set Deployer keeps its grant", "XacctAssumeRole"]);
    assert!(scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_none()));
}

#[test]
fn the_printed_policy_is_enough_for_the_operator_of_a_permission_set() {
    let scene = linked("");
    let printed = scene.xacct("print policies --for source-operator").exits_with(0).stdout;
    let document: Value = serde_json::from_str(&printed).unwrap();
    scene.sandbox.world(|world| {
        let admin = world.user_mut(ACCOUNT_A, "admin");
        admin.policies.attached.clear();
        admin.policies.inline.insert("operator".to_owned(), document);
    });
    scene.xacct("bootstrap --yes").exits_with(0);
    provision(&scene, &json!([{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]));
    scene.xacct("diagnose dev").exits_with(3).says(&["Permission set Deployer has no grant"]);
}

#[test]
fn sessions_of_a_permission_set_last_an_hour_at_most() {
    let scene = linked("--max-session-duration 4h");
    scene.xacct("credentials --no-cache --format process --duration 2h").exits_with(2).says(&["1h"]);
    scene.xacct("credentials --no-cache --format process").exits_with(0);
}

#[test]
fn credentials_of_somebody_else_are_refused_with_the_way_to_sign_in() {
    let scene = linked("");
    let output = scene.xacct("verify --user-profile alice").exits_with(5);
    output.says(&["do not belong to permission set", "aws configure sso --profile Deployer"]);
}
