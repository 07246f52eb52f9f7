//! Where the grant of a permission set is: in a managed policy of xacct, or in one statement for an organization.

use std::time::Duration;

use serde_json::{Value, json};
use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, PermissionSet};

use crate::operators::without;
use crate::permission_sets::{BOOTSTRAP, grant, provision, scene};
use crate::scene::{ROLE, Scene, side_by_side};
use crate::support::Output;

const POLICY: &str = "xacct-permission-set-Deployer-1";
const ARN: &str = "arn:aws:iam::111111111111:policy/xacct/xacct-permission-set-Deployer-1";
const MANAGED: &str = "--set-grant managed-policy --user-profile deployer";
const ORGANIZATION: &str = "o-a1b2c3d4e5";
const PATTERN: &str = "--set-grant pattern --organization o-a1b2c3d4e5 --user-profile deployer";

/// Links account C, too.
const OF_C: &str = "bootstrap 333333333333 --name prod --yes --user-profile deployer --profile security-admin \
                    --enter-role OrganizationAccountAccessRole";

fn bootstrap(scene: &Scene, more: &str) -> Output {
    scene.xacct(&format!("{BOOTSTRAP} {more}"))
}

/// Does what the administrator of the permission set does: it refers to the policy.
fn refer(scene: &Scene) {
    let set = PermissionSet::new("Deployer", "eu-west-1").reference(&format!("/xacct/{POLICY}"));
    scene.sandbox.world(|world| world.provision(ACCOUNT_A, &set)).unwrap();
}

/// Returns the policy with the grant.
fn policy(scene: &Scene) -> Option<Value> {
    scene.sandbox.world(|world| Some(world.account(ACCOUNT_A)?.policies.get(ARN)?.document().clone()))
}

fn statements(scene: &Scene) -> Value {
    policy(scene).unwrap()["Statement"].clone()
}

/// A link whose permission set refers to the policy.
fn linked() -> Scene {
    let scene = scene();
    bootstrap(&scene, MANAGED).exits_with(3);
    refer(&scene);
    scene.sandbox.clear_requests();
    scene
}

/// The one statement for an organization.
fn wide() -> Value {
    json!({
        "Sid": "XacctAssumeRoleInOrganization", "Effect": "Allow", "Action": "sts:AssumeRole",
        "Resource": "arn:aws:iam::*:role/xacct",
        "Condition": {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}},
    })
}

#[test]
fn a_permission_set_refers_once_to_a_policy_that_xacct_writes() {
    let scene = scene();
    bootstrap(&scene, MANAGED).exits_with(3).says(&[
        "create managed policy xacct-permission-set-Deployer-1 for",
        "Once, a reference to this customer managed policy",
        "Every account to which the set is assigned needs a policy of this name and path",
        "Permission sets > Deployer > Customer managed policies",
        "aws sso-admin attach-customer-managed-policy-reference-to-permission-set",
        "Name=xacct-permission-set-Deployer-1,Path=/xacct/",
        "aws sso-admin provision-permission-set",
        "resource \"aws_ssoadmin_customer_managed_policy_attachment\" \"deployer\"",
    ]);
    assert_eq!(statements(&scene), json!([grant(ROLE)]));
    assert!(scene.environment.read("xacct.toml").contains("set_grant = \"managed-policy\"\n"));
    scene.xacct("bootstrap --check").exits_with(4).says(&["lacks the grant", "a reference to managed policy"]);
    let document = scene.xacct_json(&format!("{BOOTSTRAP} --no-verify"), 5);
    let lacking = &document["permission_sets"][0];
    assert_eq!((&lacking["managed_policy_arn"], &lacking["inline_policy"]), (&json!(ARN), &Value::Null));
    refer(&scene);
    scene.xacct("bootstrap --check").exits_with(0).says(&["both accounts match"]);
    scene.xacct("list --live").exits_with(0);
    // New targets change only the policy.
    let output = scene.xacct(OF_C).exits_with(0);
    assert!(!output.everything().contains("lacks the grant"), "{output}");
    assert_eq!(statements(&scene)[0]["Resource"], json!([ROLE, ROLE.replace(ACCOUNT_B, ACCOUNT_C)]));
    scene.xacct("verify").exits_with(0);
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn a_run_that_waits_goes_on_when_the_set_refers_to_the_policy() {
    let scene = scene();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            scene.wait_for("CreateRole");
            std::thread::sleep(Duration::from_millis(500));
            refer(&scene);
        });
        bootstrap(&scene, &format!("{MANAGED} --wait")).exits_with(0).says(&["Verified in"]);
    });
}

#[test]
fn the_policy_may_cover_an_organization() {
    let scene = scene();
    for account in [ACCOUNT_A, ACCOUNT_B] {
        scene.sandbox.world(|world| world.set_organization(account, ORGANIZATION));
    }
    bootstrap(&scene, &format!("{MANAGED} --grant organization --organization {ORGANIZATION}")).exits_with(3);
    assert_eq!(statements(&scene), json!([wide()]));
    refer(&scene);
    scene.xacct("verify").exits_with(0);
    scene.xacct("bootstrap --check").exits_with(0).says(&["may assume arn:aws:iam::*:role/xacct in"]);
}

#[test]
fn drift_of_the_policy_is_mended() {
    let scene = linked();
    let change = |statements: Value| {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        scene.sandbox.world(|world| world.change_policy(ACCOUNT_A, ARN, document));
        scene.xacct("bootstrap --check").exits_with(4);
    };
    change(json!([grant(&ROLE.replace("xacct", "other"))]));
    scene.xacct("bootstrap --yes").exits_with(0).says(&["update managed policy"]);
    assert!(statements(&scene)[0]["Resource"].as_array().unwrap().contains(&json!(ROLE)));
    // What others wrote into it does not go unasked.
    let other = json!({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"});
    change(json!([grant(ROLE), other]));
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap --yes").exits_with(1).says(&["contains statements that xacct did not write"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
    scene.xacct("bootstrap --yes --adopt").exits_with(0);
    assert_eq!(statements(&scene), json!([grant(ROLE)]));
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn a_teardown_deletes_the_policy_when_the_set_no_longer_refers_to_it() {
    let scene = linked();
    scene.xacct(OF_C).exits_with(0);
    scene.xacct("teardown prod --yes --even-if-used").exits_with(0).says(&["update managed policy"]);
    assert_eq!(statements(&scene), json!([grant(ROLE)]));
    let output = scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    output.says(&[
        "managed policy xacct-permission-set-Deployer-1 stays",
        "detach-customer-managed-policy-reference-from-permission-set",
        "xacct teardown --orphan",
    ]);
    let orphan = "teardown --orphan permission-set/Deployer --yes";
    scene.xacct(orphan).exits_with(0).says(&["managed policy xacct-permission-set-Deployer-1 stays"]);
    assert_eq!(statements(&scene), json!([grant(ROLE)]));
    provision(&scene, &json!([{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]));
    scene.xacct(orphan).exits_with(0).says(&["delete managed policy xacct-permission-set-Deployer-1"]);
    assert_eq!(policy(&scene), None);
}

#[test]
fn a_teardown_deletes_a_policy_to_which_nothing_refers() {
    let scene = scene();
    bootstrap(&scene, MANAGED).exits_with(3);
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0).says(&["delete managed policy"]);
    assert_eq!(policy(&scene), None);
    assert!(scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_none()));
}

#[test]
fn a_role_that_no_target_has_is_an_orphan_in_the_policy() {
    let scene = linked();
    let old = ROLE.replace("xacct", "old");
    let document = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [ROLE, old],
    }]});
    scene.sandbox.world(|world| world.change_policy(ACCOUNT_A, ARN, document));
    scene.xacct("bootstrap --check").exits_with(4).says(&[&old, "xacct teardown --orphan permission-set/Deployer"]);
    scene.xacct("teardown --orphan permission-set/Deployer --yes").exits_with(0);
    assert_eq!(statements(&scene), json!([grant(ROLE)]));
    scene.xacct("bootstrap --check").exits_with(0);
}

/// The operator's policy suffices to create the policy, to keep its versions and to delete it; without one of its
/// permissions, the run names it.
#[test]
fn the_printed_permissions_suffice_and_a_missing_one_is_named() {
    let printed = linked().xacct("print policies --for source-operator").exits_with(0).stdout;
    let story = |missing: Option<&str>| {
        let document: Value = serde_json::from_str(&printed).unwrap();
        let document = missing.map_or_else(|| document.clone(), |missing| without(document.clone(), missing));
        let scene = scene();
        scene.sandbox.world(|world| {
            let admin = world.user_mut(ACCOUNT_A, "admin");
            admin.policies.attached.clear();
            admin.policies.inline.insert("operator".to_owned(), document);
        });
        let run =
            |words: &str| scene.xacct(&format!("{words} --yes --only source --profile security-admin --timeout 2s"));
        let first = "bootstrap 444444444440 --principal permission-set/Deployer --set-grant managed-policy";
        let more = (1..6).map(|number| run(&format!("bootstrap 44444444444{number}")));
        let mut outputs: Vec<_> = [run(first)].into_iter().chain(more).collect();
        outputs.push(run("teardown --all"));
        let said: String = outputs.iter().map(Output::everything).collect();
        (policy(&scene), said)
    };
    let permissions = [
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:ListPolicyVersions",
        "iam:DeletePolicyVersion",
        "iam:DeletePolicy",
        "iam:ListPolicies",
        "iam:GetPolicyVersion",
    ];
    let (left, said) = story(None);
    assert_eq!(left, None, "{said}");
    assert!(!permissions.iter().any(|permission| said.contains(permission)), "{said}");
    side_by_side(&permissions, |missing| {
        let (_, said) = story(Some(missing));
        assert!(said.contains(missing), "{missing}: {said}");
    });
}

#[test]
fn what_the_policy_needs_is_checked_before_anything_is_written() {
    // IAM compares names whatever the path is.
    let taken = scene();
    taken.sandbox.world(|world| world.add_policy(ACCOUNT_A, POLICY, json!({"Version": "2012-10-17", "Statement": []})));
    let output = bootstrap(&taken, MANAGED).exits_with(1);
    output.says(&["has a policy `xacct-permission-set-Deployer-1` that xacct did not create"]);
    assert_eq!(taken.writes(), Vec::<String>::new());
    let unread = scene();
    let denied = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "iam:ListPolicies", "Resource": "*"},
    ]});
    unread.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "admin", "no-list", denied));
    let output = bootstrap(&unread, MANAGED).exits_with(1);
    output.says(&["cannot read the managed policy with the grant of permission set `Deployer`", "iam:ListPolicies"]);
    assert_eq!(unread.writes(), Vec::<String>::new());
}

#[test]
fn a_pattern_is_one_statement_of_the_set_that_new_targets_do_not_change() {
    let scene = scene();
    scene.sandbox.world(|world| {
        for account in [ACCOUNT_A, ACCOUNT_B, ACCOUNT_C] {
            world.set_organization(account, ORGANIZATION);
        }
    });
    bootstrap(&scene, PATTERN).exits_with(3).says(&[
        "XacctAssumeRoleInOrganization",
        "\"aws:ResourceOrgID\": \"o-a1b2c3d4e5\"",
        "new ones do not change it",
        "put-inline-policy-to-permission-set",
        "permission set Deployer may assume arn:aws:iam::*:role/xacct in",
    ]);
    scene.xacct("bootstrap --check").exits_with(4).says(&["lacks the grant"]);
    // A list of roles is not that statement, although the link works.
    provision(&scene, &json!([grant(ROLE)]));
    scene.xacct("verify").exits_with(0);
    scene.xacct("bootstrap --check").exits_with(4);
    let own = json!({"Sid": "Own", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"});
    provision(&scene, &json!([own, wide()]));
    scene.xacct("bootstrap --check").exits_with(0);
    let output = scene.xacct(OF_C).exits_with(0);
    assert!(!output.everything().contains("lacks the grant"), "{output}");
    scene.xacct("verify").exits_with(0);
    let output = scene.xacct("teardown prod --yes --even-if-used").exits_with(0);
    assert!(!output.everything().contains("keeps its grant"), "{output}");
    let output = scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    output.says(&["permission set Deployer keeps its grant", "XacctAssumeRoleInOrganization"]);
}

#[test]
fn a_set_that_does_not_refer_to_the_policy_is_diagnosed_and_so_is_a_policy_without_the_role() {
    let scene = scene();
    let output = bootstrap(&scene, MANAGED).exits_with(3);
    output.says(&["its role lacks managed policy", "Permission set Deployer has no grant"]);
    let finding = |scene: &Scene| {
        let document = scene.xacct_json("diagnose dev", 3);
        document["targets"]["dev"]["diagnosis"]["findings"][0].clone()
    };
    let lacking = finding(&scene);
    assert_eq!(lacking["cause"], "permission_set_without_grant");
    assert!(lacking.to_string().contains("attach-customer-managed-policy-reference-to-permission-set"), "{lacking}");
    refer(&scene);
    let other = json!({"Version": "2012-10-17", "Statement": [grant(&ROLE.replace("xacct", "other"))]});
    scene.sandbox.world(|world| world.change_policy(ACCOUNT_A, ARN, other));
    let other = finding(&scene);
    assert_eq!((&other["cause"], &other["side"]), (&json!("grant_other_arn"), &json!("source")));
    scene.xacct("bootstrap dev --yes").exits_with(0);
    scene.xacct("diagnose dev").exits_with(0);
}

#[test]
fn import_records_where_the_grant_is() {
    let managed = linked();
    let pattern = scene();
    bootstrap(&pattern, &format!("{PATTERN} --no-verify")).exits_with(5);
    provision(&pattern, &json!([wide()]));
    for (scene, settings) in [
        (managed, "set_grant = \"managed-policy\"\n"),
        (pattern, "set_grant = \"pattern\"\norganization = \"o-a1b2c3d4e5\"\n"),
    ] {
        std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
        let words = "import arn:aws:iam::222222222222:role/xacct --name dev --principal permission-set/Deployer \
                     --profile security-admin --target-profile dev-admin";
        scene.xacct(words).exits_with(0);
        let file = scene.environment.read("xacct.toml");
        assert!(file.contains(settings), "{file}");
        scene.xacct("bootstrap --check").exits_with(0);
    }
}

#[test]
fn a_pattern_needs_the_organization_and_one_name() {
    let scene = scene();
    let output = bootstrap(&scene, "--set-grant pattern").exits_with(2);
    output.says(&["set_grant = \"pattern\" needs the ID of the organization"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
    bootstrap(&scene, &format!("{PATTERN} --no-verify")).exits_with(5);
    scene.sandbox.clear_requests();
    let output = scene.xacct(&format!("{OF_C} --role-name other")).exits_with(2);
    output.says(&["covers one path and name", "set_grant = \"inline\""]);
    assert_eq!(scene.writes(), Vec::<String>::new());
}
