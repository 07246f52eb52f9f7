//! Links of principals other than one user: roles, and several principals.

use serde_json::{Value, json};
use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, Principals, World};

use crate::scene::{ROLE, Scene, step};

const TERRAFORM: &str = "arn:aws:iam::111111111111:role/ci/terraform";

/// Bootstraps a link of the role `ci/terraform`.
const BOOTSTRAP: &str = "bootstrap --yes --target-account 222222222222 --name dev --principal role/ci/terraform \
                         --profile security-admin --target-profile dev-admin";

/// A scene with a role in the source account, whose session is the profile `terraform`.
fn scene() -> (Scene, Principals) {
    let scene = Scene::new();
    let principals = scene.sandbox.world(World::add_principals);
    scene.session_profile("terraform", &principals.terraform);
    (scene, principals)
}

fn linked(more: &str) -> Scene {
    let (scene, _) = scene();
    scene.xacct(&format!("{BOOTSTRAP} --user-profile terraform {more}")).exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

/// Returns the grant of the role.
fn grant(scene: &Scene) -> Option<Value> {
    scene.sandbox.world(|world| world.role_policy(ACCOUNT_A, "terraform", "xacct").cloned())
}

#[test]
fn a_role_gets_a_link_that_works_and_rejects_what_it_must() {
    let (scene, _) = scene();
    let output = scene.xacct(&format!("{BOOTSTRAP} --generate-external-id --user-profile terraform")).exits_with(0);
    output.says(&["role/ci/terraform may assume", "add policy xacct to role ci/terraform"]);
    assert_eq!(grant(&scene).unwrap()["Statement"][0]["Resource"], json!(ROLE));
    scene.environment.read("xacct.toml").contains("principals = [\"role/ci/terraform\"]").then_some(()).unwrap();
    let document = scene.xacct_json("verify", 0);
    let verification = &document["targets"]["dev"]["verification"];
    for id in ["who_am_i", "assume_role", "create_bucket", "refused_without_external_id", "nobody_else_admitted"] {
        assert_eq!(step(verification, id)["outcome"], "ok", "{id}");
    }
    scene.xacct("bootstrap --check").exits_with(0).says(&["both accounts match"]);
    scene.xacct("list").exits_with(0).says(&["role/ci/terraform"]);
}

#[test]
fn a_restricted_link_trusts_the_role_by_its_arn_with_path() {
    let scene = linked("--restrict-to-user");
    assert_eq!(scene.conditions()["ArnEquals"]["aws:PrincipalArn"], json!(TERRAFORM));
    scene.xacct("verify").exits_with(0);
}

#[test]
fn a_role_that_is_created_again_gets_its_grant_back() {
    let scene = linked("--restrict-to-user");
    let session = scene.sandbox.world(|world| {
        let role = world.recreate_role(ACCOUNT_A, "terraform");
        role.policies.inline.clear();
        world.issue_role_session(ACCOUNT_A, "terraform", "build").clone()
    });
    scene.session_profile("again", &session);
    scene.xacct("verify --user-profile again").exits_with(3);
    scene.xacct("bootstrap --yes --user-profile again").exits_with(0).says(&["add policy xacct to role ci/terraform"]);
}

#[test]
fn a_teardown_takes_the_grant_of_the_role_away() {
    let scene = linked("");
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    assert_eq!(grant(&scene), None);
    assert!(scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_none()));
}

#[test]
fn a_role_without_a_grant_is_diagnosed() {
    let scene = linked("");
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_A, "terraform").unwrap().policies.inline.remove("xacct");
    });
    let output = scene.xacct("verify").exits_with(3);
    output.says(&["Role ci/terraform has no grant", "xacct bootstrap dev"]);
    scene.xacct("diagnose").exits_with(3).says(&["Role ci/terraform has no grant"]);
}

#[test]
fn a_user_and_a_role_share_a_link() {
    let (scene, _) = scene();
    let both = BOOTSTRAP.replace("--principal", "--principal user/alice --principal");
    let output = scene.xacct(&format!("{both} --restrict-to-user --user-profile alice")).exits_with(0);
    output.says(&["alice, role/ci/terraform may assume", "to user alice", "to role ci/terraform"]);
    let trusted = &scene.conditions()["ArnEquals"]["aws:PrincipalArn"];
    assert_eq!(*trusted, json!([TERRAFORM, "arn:aws:iam::111111111111:user/alice"]));
    scene.xacct("verify").exits_with(0);
    scene.xacct("verify --user-profile terraform").exits_with(0).says(&["tested as role/ci/terraform, not as alice"]);
    scene.xacct("bootstrap --check").exits_with(0);
    let output = scene.xacct("verify --user-profile security-admin").exits_with(5);
    output.says(&["do not belong to user alice or role", "ci/terraform, the principals of the link"]);
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    assert_eq!(grant(&scene), None);
    assert!(scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_none()));
}

#[test]
fn a_target_may_have_principals_of_its_own() {
    let scene = Scene::linked("--name dev");
    let principals = scene.sandbox.world(World::add_principals);
    scene.session_profile("terraform", &principals.terraform);
    scene.environment.append("xacct.toml", "principals = [\"role/ci/terraform\"]\n");
    scene.xacct("bootstrap dev --yes --user-profile terraform").exits_with(0).says(&["role/ci/terraform may assume"]);
    assert_eq!(grant(&scene).unwrap()["Statement"][0]["Resource"], json!(ROLE));
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains("user = \"alice\"") && file.contains("principals = [\"role/ci/terraform\"]"), "{file}");
}

#[test]
fn a_grant_on_a_role_that_no_file_names_is_an_orphan() {
    let scene = linked("");
    scene.environment.edit("xacct.toml", "principals = [\"role/ci/terraform\"]", "user = \"alice\"");
    let output = scene.xacct("bootstrap --check").exits_with(4);
    output.says(&["the grant of role ci/terraform", &format!("xacct teardown --orphan {TERRAFORM}")]);
    scene.xacct(&format!("teardown --orphan {TERRAFORM} --yes")).exits_with(0);
    assert_eq!(grant(&scene), None);
}

#[test]
fn what_cannot_be_given_a_link_is_refused_before_anything_is_written() {
    let cases = [
        ("--principal role/ci/nobody", 1, "account 111111111111 has no role `ci/nobody`"),
        ("--principal role/terraform", 1, "the role's ARN is `arn:aws:iam::111111111111:role/ci/terraform`"),
        ("--principal role/ci/terraform --require-mfa", 2, "sessions of role `ci/terraform` never have MFA"),
        ("--principal arn:aws:sts::111111111111:assumed-role/terraform/x", 2, "is a session of a role"),
        ("--principal arn:aws:iam::111111111111:root", 2, "is an account"),
        ("--principal terraform", 2, "does not begin with a kind of principal"),
        (
            "--principal role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Deployer_0123456789abcdef",
            2,
            "permission set",
        ),
        (
            "--principal arn:aws:iam::333333333333:role/x --source-account 111111111111",
            2,
            "the role is in account 333333333333, but the source account is 111111111111",
        ),
    ];
    let (scene, _) = scene();
    for (options, code, text) in cases {
        let words = BOOTSTRAP.replace("--principal role/ci/terraform", options);
        scene.xacct(&words).exits_with(code).says(&[text]);
    }
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert!(!scene.environment.has("xacct.toml"));
}

#[test]
fn the_role_of_an_operator_is_offered_and_never_taken() {
    let (scene, principals) = scene();
    scene.session_profile("session", &principals.deployer);
    let output = scene.xacct("bootstrap 222222222222 --yes --profile session --target-profile dev-admin").exits_with(2);
    output.says(&["is not an IAM user", "specify the user: --user NAME"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
}

#[test]
fn a_principal_of_a_target_in_another_account_is_refused_offline() {
    let scene = Scene::linked("--name dev");
    scene.environment.append("xacct.toml", "principals = [\"arn:aws:iam::999999999999:role/x\"]\n");
    let output = scene.xacct("print cloudformation dev").exits_with(2);
    output.says(&["the principal is in account 999999999999, but the source account is 111111111111"]);
}

#[test]
fn sessions_of_a_role_last_an_hour_at_most() {
    let scene = linked("--max-session-duration 4h");
    scene.xacct("credentials --no-cache --format process").exits_with(0);
    let request = &scene.requests("AssumeRole")[0];
    assert!(request.parameter("DurationSeconds").is_none_or(|seconds| seconds == "3600"), "{request:?}");
    scene.xacct("credentials --no-cache --format process --duration 2h").exits_with(2).says(&["1h"]);
    scene.xacct("print provider-hcl").exits_with(0).says(&["duration = \"1h\""]);
    scene.xacct("print provider-hcl --duration 2h").exits_with(2).says(&["at most 1h"]);
}

#[test]
fn the_list_says_as_whom_the_last_test_ran() {
    let (scene, _) = scene();
    let both = BOOTSTRAP.replace("--principal", "--principal user/alice --principal");
    scene.xacct(&format!("{both} --user-profile alice")).exits_with(0);
    scene.xacct("list").exits_with(0).says(&["works as alice (just now)"]);
    scene.xacct("verify --user-profile terraform").exits_with(0);
    scene.xacct("list").exits_with(0).says(&["works as role/ci/terraform (just now)"]);
    let document = scene.xacct_json("list", 0);
    assert_eq!(document["targets"]["dev"]["last_test"]["tested_as"], "role/ci/terraform");
}

/// A link of user alice, role ci/terraform and permission set Deployer that is only recorded.
fn recorded(more: &str) -> Scene {
    let scene = Scene::linked("--name dev --max-session-duration 4h");
    let three = "principals = [\"user/alice\", \"role/ci/terraform\", \"permission-set/Deployer\"]";
    scene.environment.edit("xacct.toml", "user = \"alice\"", three);
    scene.environment.append("xacct.toml", more);
    scene
}

#[test]
fn printed_settings_are_for_one_of_several_principals() {
    let scene = recorded("");
    let profile = |options: &str| scene.xacct(&format!("print profile {options}")).exits_with(0).stdout;
    let has = |text: &str, lines: &[&str]| {
        lines.iter().for_each(|line| assert!(text.lines().any(|found| found == *line), "{line} in\n{text}"));
    };
    // Without MFA, no device is needed, and every principal can have sessions of an hour.
    has(&profile(""), &["source_profile = alice", "duration_seconds = 3600"]);
    has(&profile("--as user/alice"), &["role_session_name = alice", "duration_seconds = 14400"]);
    let machine = profile("--as role/ci/terraform --credential-source container");
    has(&machine, &["credential_source = EcsContainer", "duration_seconds = 3600"]);
    assert!(!machine.contains("source_profile") && !machine.contains("role_session_name"), "{machine}");
    has(&profile("--as role/ci/terraform --source-profile runner"), &["source_profile = runner"]);
    // The user profile is alice's.
    let output = scene.xacct("print profile --as role/ci/terraform").exits_with(2);
    output.says(&["alice, is not that of role/ci/terraform", "--credential-source", "--source-profile NAME"]);
    scene.environment.append(
        "aws/config",
        "\n[profile me]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = Deployer\n",
    );
    has(&profile("--as permission-set/Deployer"), &["source_profile = me", "duration_seconds = 3600"]);
    let provider = scene.xacct("print provider-hcl --as role/ci/terraform").exits_with(0);
    let provider = provider
        .says(&["gets the credentials of role ci/terraform", "Run Terraform with credentials of role ci/terraform"]);
    assert!(!provider.everything().contains("alice"), "{provider}");
    scene.xacct("print provider-hcl --as permission-set/Deployer").exits_with(0).says(&["export AWS_PROFILE=me"]);
    scene.xacct("print provider-hcl --as user/alice").exits_with(0).says(&["export AWS_PROFILE=alice"]);
    for command in ["provider-hcl", "backend-hcl --bucket b-u-cket", "terragrunt-hcl", "profile"] {
        let refused = |options: &str| scene.xacct(&format!("print {command} {options}")).exits_with(2);
        refused("--as role/ci/terraform --duration 2h").says(&["at most 1h"]);
        let output = refused("--as user/bob");
        output.says(&["user `bob` is not a principal of target `dev`", "--as user/alice"]);
    }
    scene.xacct("print profile --as user/alice --credential-source instance").exits_with(2).says(&["is for roles"]);
}

#[test]
fn words_about_a_role_are_not_those_about_a_user() {
    let scene = linked("--max-session-duration 4h");
    let output = scene.xacct("exec dev --duration 2h -- true").exits_with(2);
    assert!(!output.everything().contains("access key"), "{output}");
    output.says(&["sessions of a role open no longer ones"]);
    // An operator who may read nothing.
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "admin").policies.attached.clear());
    let output = scene.xacct("diagnose --as role/ci/terraform").exits_with(5);
    for words in ["groups of", "MFA devices of", "boundary of the user"] {
        assert!(!output.everything().contains(words), "{words}: {output}");
    }
    output.says(&["permissions boundary of the calling role"]);
}

#[test]
fn nobody_is_evaluated_by_another_path_than_the_role_has() {
    let (scene, _) = scene();
    scene.xacct(&format!("{BOOTSTRAP} --no-verify")).exits_with(0);
    for command in ["verify", "diagnose"] {
        let output = scene.xacct(&format!("{command} --as role/other/terraform")).exits_with(1);
        output.says(&["the role's ARN is `arn:aws:iam::111111111111:role/ci/terraform`", "name it role/ci/terraform"]);
    }
}

#[test]
fn the_profile_of_one_of_several_users_has_the_device_of_that_user() {
    let scene = Scene::linked("--name dev");
    let two = "principals = [\"user/alice\", \"user/bob\"]";
    scene.environment.edit("xacct.toml", "user = \"alice\"", two);
    scene.environment.append("xacct.toml", "require_mfa = true\n");
    let output = scene.xacct("print profile").exits_with(2);
    output.says(&["MFA device is unknown", "--as user/alice", "--mfa-serial ARN"]);
    let output = scene.xacct("print profile --as user/bob --source-profile bob").exits_with(0);
    output.says(&["mfa_serial = arn:aws:iam::111111111111:mfa/bob", "role_session_name = bob"]);
}

#[test]
fn the_other_principals_of_a_proven_link_are_evaluated_with_what_was_read_anyway() {
    let (scene, _) = scene();
    let both = BOOTSTRAP.replace("--principal", "--principal user/alice --principal");
    let notes = |document: &Value, target: &Value| {
        let verification = if target["verification"].is_null() { document } else { &target["verification"] };
        step(verification, "who_am_i")["notes"].clone()
    };
    let document = scene.xacct(&format!("{both} --user-profile alice --output json")).exits_with(0).json();
    let target = &document["targets"]["dev"];
    let words = ["tested as alice, not as role/ci/terraform", "role/ci/terraform by evaluation, not tested: "];
    assert_eq!(notes(&document, target), json!([words[0], format!("{}trust policy and grant allow it", words[1])]));
    scene.sandbox.clear_requests();
    let document = scene.xacct_json("verify", 0);
    let not_read = "the trust policy allows it; its own policies were not read";
    let target = &document["targets"]["dev"];
    assert_eq!(notes(&document, target), json!([words[0], format!("{}{not_read}", words[1])]));
    // Nothing is read for it.
    assert!(
        scene
            .requests("GetRole")
            .iter()
            .all(|request| request.parameter("RoleName").is_none_or(|name| name == "xacct"))
    );
    // A trust policy that admits alice alone.
    scene.sandbox.world(|world| {
        let mut trust = world.role(ACCOUNT_B, "xacct").unwrap().trust.clone();
        trust["Statement"][0]["Principal"] = json!({"AWS": "arn:aws:iam::111111111111:user/alice"});
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust);
    });
    let document = scene.xacct_json("verify", 0);
    let text = notes(&document, &document["targets"]["dev"]).to_string();
    assert!(
        text.contains("role/ci/terraform by evaluation, not tested: not allowed: the trust policy of role xacct"),
        "{text}"
    );
}
