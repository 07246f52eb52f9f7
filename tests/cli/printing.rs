//! Every text of the commands that print settings for other tools. None of them asks AWS anything.

use crate::scene::Scene;
use crate::snapshots::assert_output;

const LINKS: &str = r#"
[source]
account = "111111111111"
user = "alice"
user_profile = "alice"

[targets.dev]
account = "222222222222"
external_id = "abc"
region = "eu-west-1"

[targets."2nd"]
account = "333333333333"
role = "deploy"
role_path = "/engineering/"
max_session_duration = "2h"
require_mfa = true
"#;

/// Two links on record, made by nobody.
fn recorded() -> Scene {
    let scene = Scene::new();
    scene.environment.write("xacct.toml", LINKS);
    scene
}

/// Runs a command and holds what it said against the snapshot of that name.
#[track_caller]
fn shows(name: &str, scene: &Scene, words: &str) {
    let output = scene.xacct(words);
    assert_output(name, words, &output);
    assert!(!output.everything().contains('\u{1b}'), "{output:?}");
    assert!(output.stdout.lines().all(|line| line == line.trim_end()), "blanks at the end\n{output}");
}

#[test]
fn provider_blocks() {
    let scene = recorded();
    shows("provider-hcl-one", &scene, "print-provider-hcl dev");
    shows("provider-hcl-several-mfa", &scene, "print-provider-hcl");
    shows(
        "provider-hcl-constraint",
        &scene,
        "print-provider-hcl 222222222222 --version-constraint ~>5.67 --region us-east-1 --duration 30m",
    );
    shows("provider-hcl-too-long", &scene, "print-provider-hcl dev --duration 3h");
    shows("provider-hcl-unknown-target", &scene, "print-provider-hcl prod");
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn provider_blocks_with_more() {
    let scene = recorded();
    let words = "print-provider-hcl dev";
    let tags = "--source-identity alice --session-tag project=x --transitive-tag-key project";
    shows("provider-hcl-no-session-tags", &scene, &format!("{words} {tags}"));
    scene
        .xacct(&format!("{words} --transitive-tag-key x"))
        .exits_with(2)
        .says(&["`x` is not the key of a session tag"]);
    let through = format!("{words} --through arn:aws:iam::111111111111:role/ci");
    shows("provider-hcl-through-too-long", &scene, &format!("{through} --duration 2h"));
    shows("provider-hcl-through-elsewhere", &scene, &through.replace("111111111111", "444444444444"));
    shows("provider-hcl-through-mfa", &scene, &through.replace("dev", "2nd"));
    let region = "region = \"eu-west-1\"\n";
    let more = format!("{region}allow_session_tags = true\nmax_session_duration = \"2h\"\n");
    scene.environment.edit("xacct.toml", region, &more);
    shows("provider-hcl-everything", &scene, &format!("{through} {tags}"));
    scene.xacct(&format!("{words} --session-tag a=1 --session-tag A=2")).exits_with(2).says(&["is given twice"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn profiles() {
    let scene = recorded();
    shows("profile-one", &scene, "print-profile dev --region us-east-1 --duration 30m");
    shows("profile-several-mfa", &scene, "print-profile");
    shows("profile-mfa-device", &scene, "print-profile 2nd --mfa-serial arn:aws:iam::111111111111:mfa/phone");
    shows("profile-process", &scene, "print-profile --credential-process --program /opt/my-tools/xacct");
    shows("profile-own-source", &scene, "print-profile dev --profile-name alice");
    shows("profile-unreadable-name", &scene, "print-profile dev --profile-name a]b");
    shows("profile-one-name-for-two", &scene, "print-profile --profile-name work");
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_profile_needs_to_know_who_has_the_users_credentials() {
    let scene = recorded();
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"", "");
    shows("profile-no-user-profile", &scene, "print-profile dev");
    scene.xacct("print-profile dev --source-profile me").exits_with(0).says(&["source_profile = me\n"]);
}

/// A file is written whole, again where xacct wrote it, and never over what somebody else wrote.
#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let scene = recorded();
    let words = "print-profile dev --out profile.ini";
    scene.xacct(words).exits_with(0).says(&["Wrote profile.ini"]);
    let written = scene.environment.read("profile.ini");
    assert_eq!(written, scene.xacct("print-profile dev").exits_with(0).stdout);
    scene.xacct(&format!("{words} --duration 30m")).exits_with(0);
    assert!(scene.environment.read("profile.ini").contains("duration_seconds = 1800\n"));

    for foreign in
        ["", "[default]\n", "# Printed by xacct print-provider-hcl\n", "\n# Printed by xacct print-profile\n"]
    {
        scene.environment.write("profile.ini", foreign);
        scene.xacct(words).exits_with(1).says(&["`profile.ini` was not written by xacct print-profile", "--force"]);
        assert_eq!(scene.environment.read("profile.ini"), foreign);
    }
    scene.xacct(&format!("{words} --force")).exits_with(0);
    assert_eq!(scene.environment.read("profile.ini"), written);
    scene.xacct("print-profile dev --out no/such/folder").exits_with(1).says(&["cannot write `no/such/folder`"]);
    scene.xacct("print-profile dev --force").exits_with(2);
    assert!(
        !std::fs::read_dir(scene.environment.path(""))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with(".xacct-") })
    );
}

#[test]
fn backends() {
    let scene = recorded();
    let words = "print-backend-hcl dev --bucket my-state";
    shows("backend-usual", &scene, words);
    shows("backend-old", &scene, &format!("{words} --terraform-version 1.5 --key a/b.tfstate"));
    shows("backend-opentofu", &scene, &format!("{words} --terraform-version opentofu-1.8 --lock-table locks"));
    shows("backend-mfa", &scene, "print-backend-hcl 2nd --bucket my-state --region eu-central-1 --duration 1h");
    shows("backend-policy", &scene, &format!("{words} --policy --workspaces"));
    shows("backend-unknown-version", &scene, &format!("{words} --terraform-version 1.99"));
    shows("backend-table-and-lockfile", &scene, &format!("{words} --lock-table locks"));
    shows("backend-several", &scene, "print-backend-hcl --bucket my-state");
    shows("backend-bad-bucket", &scene, "print-backend-hcl dev --bucket My_State");
    scene.xacct(&format!("{words} --policy --key a*")).exits_with(2).says(&["would mean other keys too"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn terragrunt() {
    let scene = recorded();
    let toml = scene.environment.read("xacct.toml");
    shows("terragrunt-external-id", &scene, "print-terragrunt-hcl dev --bucket my-state");
    shows("terragrunt-mfa", &scene, "print-terragrunt-hcl 2nd --region eu-west-1");
    shows("terragrunt-unknown-version", &scene, "print-terragrunt-hcl dev --terragrunt-version 3.0");
    scene.environment.write("xacct.toml", &toml.replace("external_id = \"abc\"", ""));
    shows("terragrunt-iam-role", &scene, "print-terragrunt-hcl dev --terragrunt-version 1.1.2");
    shows("terragrunt-bucket-for-nothing", &scene, "print-terragrunt-hcl dev --bucket my-state");
    scene.xacct("print-terragrunt-hcl dev --terragrunt-version 1.1.1").exits_with(0).says(&["use 1.1.2 or later"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn policies() {
    let scene = recorded();
    shows("policies-source-operator", &scene, "print-policies --for source-operator");
    shows("policies-target-operator", &scene, "print-policies 2nd --for target-operator");
    shows("policies-user", &scene, "print-policies --for user");
    shows("policies-two-accounts", &scene, "print-policies --for target-operator");
    let with_path = "print-policies --for source-operator --user-arn arn:aws:iam::111111111111:user/team/alice";
    scene.xacct(with_path).exits_with(0).says(&["user/team/alice"]);
    scene.environment.edit("xacct.toml", "user = \"alice\"", "");
    scene.xacct("print-policies --for user").exits_with(2).says(&["[source] of `xacct.toml` has no `user`"]);
    scene.xacct("print-policies dev --for target-operator").exits_with(0);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn roles_as_terraform_resources() {
    let scene = recorded();
    scene.environment.append("xacct.toml", "policy_arns = [\"PowerUserAccess\"]\nallow_session_tags = true\n");
    scene.environment.append("xacct.toml", "enter_role = \"OrganizationAccountAccessRole\"\n");
    shows("role-hcl-one", &scene, "print-role-hcl dev");
    shows("role-hcl-several", &scene, "print-role-hcl");
    scene.environment.append("xacct.toml", "policy_files = [\"missing.json\"]\n");
    scene.xacct("print-role-hcl").exits_with(1).says(&["cannot read policy file `missing.json`"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn cloudformation_templates() {
    let scene = recorded();
    shows("cloudformation-yaml", &scene, "print-cloudformation dev");
    shows("cloudformation-json", &scene, "print-cloudformation 2nd --format json");
    shows("cloudformation-several", &scene, "print-cloudformation");
    // JSON has no comments: the document itself says who printed it.
    let words = "print-cloudformation dev --format json --out role.json";
    scene.xacct(words).exits_with(0);
    scene.xacct(&format!("{words} --user-arn arn:aws:iam::111111111111:user/x/alice")).exits_with(0);
    scene.environment.write("role.json", "{\"Metadata\": {}}");
    scene.xacct(words).exits_with(1).says(&["was not written by xacct print-cloudformation"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn hcp_workspaces() {
    let scene = recorded();
    let words = "print-hcp dev --organization acme --workspace network";
    shows("hcp-dynamic", &scene, &format!("{words} --hostname tfe.example.com --project net"));
    shows("hcp-static", &scene, &format!("{words} --auth static"));
    shows("hcp-trust-policy", &scene, &format!("{words} --trust-policy"));
    shows("hcp-static-mfa", &scene, &words.replace("dev", "2nd --auth static"));
    shows("hcp-bad-organization", &scene, &words.replace("acme", "*"));
    assert!(scene.sandbox.requests().is_empty());
}
