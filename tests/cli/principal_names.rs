//! How principals are named on the command line, in the file and in advice, and what xacct says of those that do not fit.

use serde_json::json;
use xacct_sandbox::world::{ACCOUNT_A, World};

use crate::scene::{ROLE, Scene};
use crate::support::Output;
use crate::support::policies::allow;

const TERRAFORM: &str = "arn:aws:iam::111111111111:role/ci/terraform";

const BOOTSTRAP: &str = "bootstrap --yes --no-verify --target-account 222222222222 --name dev --profile security-admin \
                         --target-profile dev-admin";

fn scene() -> Scene {
    let scene = Scene::new();
    scene.sandbox.world(World::add_principals);
    scene
}

/// Makes a link of these principals.
fn linked(principals: &str) -> Scene {
    let scene = scene();
    scene.xacct(&format!("{BOOTSTRAP} {principals}")).exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

/// Returns what was said, without line breaks.
fn said(output: &Output) -> String {
    output.everything().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(output: &Output, texts: &[&str]) {
    let said = said(output);
    texts.iter().for_each(|text| assert!(said.contains(text), "`{text}` is missing\n{output}"));
}

#[test]
fn a_principal_that_is_named_twice_counts_once() {
    let twice = format!("--principal role/ci/terraform --principal {TERRAFORM} --principal role/ci/terraform");
    let scene = linked(&twice);
    let file = scene.environment.read("xacct.toml");
    assert_eq!(file.matches("ci/terraform").count(), 1, "{file}");
    scene.xacct("list").exits_with(0);
    let other = format!("--principal {TERRAFORM} --principal arn:aws:iam::333333333333:role/ci/terraform");
    let output = scene.xacct(&format!("{BOOTSTRAP} --config other.toml {other}")).exits_with(2);
    says(&output, &["is in account 333333333333"]);
    let role = "arn:aws:iam::222222222222:role/xacct";
    let output = scene
        .xacct(&format!("import {role} --config new.toml --profile security-admin --target-profile dev-admin {twice}"));
    output.exits_with(0);
    scene.xacct("list --config new.toml").exits_with(0);
}

#[test]
fn an_option_overrides_the_variable_of_another_option_with_which_it_conflicts() {
    let mut scene = scene();
    scene.environment.set("XACCT_USER", "alice");
    scene.environment.set("XACCT_ENTER_ROLE", "OrganizationAccountAccessRole");
    let output = scene.xacct(&format!("{BOOTSTRAP} --principal role/ci/terraform")).exits_with(0);
    says(&output, &["role/ci/terraform may assume"]);
    let file = scene.environment.read("xacct.toml");
    assert!(!file.contains("alice") && !file.contains("enter_role"), "{file}");
    scene.xacct("bootstrap --user alice --principal user/alice").exits_with(2).says(&["cannot be used with"]);
}

#[test]
fn other_principals_than_users_have_another_option() {
    let scene = scene();
    let cases = [
        ("--user role/ci/terraform", "is a role, not a user", "--principal role/ci/terraform"),
        (&format!("--user {TERRAFORM}"), "is a role, not a user", &format!("--principal {TERRAFORM}")),
        ("--user group/deployers", "is a group, not a user", "--principal group/deployers"),
        ("--principal role/", "has no name of a role after its last `/`", "use KIND/NAME"),
        ("--principal role/ci/terraform/", "has no name of a role after its last `/`", "use KIND/NAME"),
        ("--principal role/ci//terraform", "has an empty part between two `/`", "use KIND/NAME"),
    ];
    for (options, rule, fix) in cases {
        says(&scene.xacct(&format!("{BOOTSTRAP} {options}")).exits_with(2), &[rule, fix]);
    }
    let of_source = |line: &str| {
        let target = "[targets.dev]\naccount = \"222222222222\"\n";
        scene.environment.write("xacct.toml", &format!("[source]\naccount = \"111111111111\"\n{line}\n\n{target}"));
        scene.xacct("list").exits_with(2)
    };
    let output = of_source("user = \"role/ci/terraform\"");
    says(&output, &["xacct.toml:3: ", "is a role, not a user", "principals = [\"role/ci/terraform\"]"]);
    says(&of_source("principals = []"), &["xacct.toml:3: `principals` is empty", "remove the line"]);
}

#[test]
fn printed_names_of_orphans_are_accepted() {
    let scene = linked("--principal role/ci/terraform");
    let foreign = "arn:aws:iam::222222222222:role/foreign";
    scene.sandbox.world(|world| {
        let role = world.role_mut(ACCOUNT_A, "terraform").expect("the role");
        role.policies.inline.get_mut("xacct").expect("the grant")["Statement"][0]["Resource"] = json!([ROLE, foreign]);
    });
    let output = said(&scene.xacct("bootstrap --dry-run").exits_with(0));
    let (_, after) = output.split_once("remove it: xacct teardown --orphan ").expect(&output);
    let orphan = after.split(' ').next().unwrap_or_default();
    assert_eq!(orphan, TERRAFORM);
    scene.xacct(&format!("teardown --orphan {orphan} --yes")).exits_with(0);
    let grant = scene.sandbox.world(|world| world.role_policy(ACCOUNT_A, "terraform", "xacct").cloned());
    assert!(!grant.expect("the grant").to_string().contains(foreign));
    let output = scene.xacct("teardown --orphan role/ci/terraform --yes").exits_with(2);
    says(&output, &["lacks the account of the role", "arn:aws:iam::ACCOUNT:role/ci/terraform"]);
}

#[test]
fn the_list_has_the_principals_of_each_target() {
    let scene = linked("--principal user/alice");
    scene.environment.append("xacct.toml", "principals = [\"role/ci/terraform\", \"user/bob\"]\n");
    let output = scene.xacct("list").exits_with(0);
    says(&output, &["role/ci/terraform, bob of account 111111111111"]);
    assert!(!output.stdout.contains("alice"), "{output}");
    let document = scene.xacct_json("list", 0);
    let both = json!(["role/ci/terraform", "user/bob"]);
    assert_eq!((&document["source"]["principals"], &document["targets"]["dev"]["principals"]), (&both, &both));
    assert_eq!(document["source"].get("user"), None);
}

#[test]
fn settings_that_the_principals_of_a_link_cannot_have_are_refused_by_every_command_that_uses_it() {
    let commands = ["verify", "diagnose", "exec -- true", "list --live", "print profile", "print role-hcl"];
    let of_role = (linked("--principal role/ci/terraform"), "require_mfa = true", "never have MFA");
    let of_group = (linked("--principal group/deployers"), "restrict_to_user = true", "cannot name group `deployers`");
    for (scene, line, text) in [of_role, of_group] {
        scene.environment.append("xacct.toml", &format!("{line}\n"));
        for command in commands.into_iter().chain(["bootstrap --dry-run"]) {
            says(&scene.xacct(command).exits_with(2), &[text, "in xacct.toml)"]);
        }
    }
}

#[test]
fn the_role_of_an_operator_is_offered_with_its_path() {
    let scene = Scene::new();
    let principals = scene.sandbox.world(World::add_principals);
    scene.session_profile("session", &principals.terraform);
    let offered =
        || scene.xacct("bootstrap 222222222222 --yes --profile session --target-profile dev-admin").exits_with(2);
    says(&offered(), &["--principal role/PATH/terraform"]);
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_A, "terraform", "read", allow("iam:GetRole", "*")));
    says(&offered(), &["--principal role/ci/terraform"]);
}

#[test]
fn who_is_evaluated_and_is_no_principal_is_to_be_declared_first() {
    let scene = linked("--principal group/deployers");
    let output = scene.xacct("diagnose --as role/ci/terraform").exits_with(3);
    says(
        &output,
        &[
            "add role ci/terraform to the principals in [source] of xacct.toml: principals = [\"group/deployers\", \
         \"role/ci/terraform\"]",
            "is not a principal of target dev, which is for group/deployers",
        ],
    );
    says(
        &scene.xacct("diagnose --as user/bob").exits_with(3),
        &["aws iam add-user-to-group --group-name deployers --user-name bob"],
    );
    let output = scene.xacct("diagnose --as role/nobody").exits_with(3);
    says(&output, &["has no role nobody", "create role nobody, or correct the name: --as KIND/NAME"]);
    // Of several targets.
    let text = scene.environment.read("xacct.toml");
    let (_, target) = text.split_once("[targets.dev]").expect("the target");
    scene
        .environment
        .append("xacct.toml", &format!("\n[targets.two]{}", target.replace("222222222222", "333333333333")));
    let output = scene.xacct("verify --as role/ci/terraform");
    says(&output, &["Evaluated for role/ci/terraform"]);
}

#[test]
fn an_absent_principal_is_corrected_where_it_is_named() {
    let scene = linked("--principal role/ci/terraform");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_A, "terraform"));
    let output = scene.xacct("diagnose").exits_with(3);
    says(&output, &["create role ci/terraform, or correct its name in `principals` in xacct.toml"]);
}

#[test]
fn terraform_gets_no_grant_of_a_permission_set_and_is_told_so() {
    let scene = scene();
    let file = |principals: &str| {
        let source = format!("[source]\naccount = \"111111111111\"\nprincipals = [\"{principals}\"]\n");
        scene.environment.write("xacct.toml", &format!("{source}\n[targets.dev]\naccount = \"222222222222\"\n"));
    };
    file("permission-set/Deployer");
    let output = scene.xacct("print role-hcl").exits_with(0);
    says(&output, &["Contains no grant for permission set Deployer"]);
    assert!(!said(&output).contains("may assume roles from another"), "{output}");
    file("group/deployers");
    let output = scene.xacct("print policies --for source-operator").exits_with(0);
    says(
        &output,
        &["Assuming that the group is arn:aws:iam::111111111111:group/deployers. If it has a path, use its ARN"],
    );
}
