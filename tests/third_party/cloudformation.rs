//! CloudFormation creates a working role from the output of `xacct print cloudformation`, and cfn-lint finds no errors
//! in it.

use serde_json::Value;

use crate::accounts::Accounts;
use crate::support::third_party::{self, in_venv, test_name};
use crate::support::{Output, TestEnvironment};

const EVERYTHING: &str = r##"
[source]
account = "111111111111"
user = "alice"

[targets.dev]
account = "222222222222"
role = "a+b=c"
role_path = "/team/x/"
external_id = "aZ09_+=,.@:/-"
max_session_duration = "2h"
require_mfa = true
restrict_to_user = true
allow_session_tags = true
policy_arns = ["PowerUserAccess"]
policy_files = ["own.json"]
permissions_boundary = "AdministratorAccess"
tags = { "a:b /c" = "- yes: é @x", on = "true", empty = "" }
"##;

const OWN: &str = r##"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject",
    "Resource": ["arn:aws:s3:::*/${aws:username}", "arn:aws:s3:::x/'\"#; %{a}\t\u0085\u00ff: -"],
    "Condition": {"StringEquals": {"aws:PrincipalTag/x": ["yes", "No", "on", "~", "null", "true", "0x1f", "1e3", "1_000",
    "12:30:45", "2001-01-01", ".inf", "=", "<<", "? a", "- a", "!x", "&a", "*a", "|", ">", "[a", "{a", "a: b", "a #b", "%a",
    "@a", "`a", "", " a ", "a:", ":a", "-", "---", "...", "\\n", "a\nb", "\u00a0", "\u00e9", "y", "e1"]}}}]}"##;

fn program(test: &str, name: &str) -> Option<std::path::PathBuf> {
    in_venv(name).map_err(|reason| third_party::skip(test, &reason)).ok()
}

#[test]
fn cfn_lint_finds_no_errors() {
    let Some(lint) = program(test_name!(), "cfn-lint") else { return };
    let environment = TestEnvironment::new();
    environment.write("xacct.toml", EVERYTHING);
    environment.write("own.json", OWN);
    for (format, file) in [("yaml", "role.yaml"), ("json", "role.json")] {
        environment.xacct(&["print", "cloudformation", "--format", format, "--out", file]).exits_with(0);
        let mut command = environment.command(&lint);
        command.args(["--template", file]);
        Output::of(command).exits_with(0);
    }
}

/// Parses the YAML with Python's `yaml`, like the AWS CLI and cfn-lint.
#[test]
fn yaml_equals_json() {
    let Some(python) = program(test_name!(), "python") else { return };
    let environment = TestEnvironment::new();
    environment.write("xacct.toml", EVERYTHING);
    environment.write("own.json", OWN);
    environment.write("role.yaml", &environment.xacct(&["print", "cloudformation"]).exits_with(0).stdout);
    let json: Value = environment.xacct(&["print", "cloudformation", "--format=json"]).exits_with(0).json();
    let mut command = environment.command(python);
    command.args(["-c", "import json, yaml; print(json.dumps(yaml.safe_load(open('role.yaml', encoding='utf-8'))))"]);
    assert_eq!(Output::of(command).exits_with(0).json(), json);
}

#[test]
fn a_role_created_by_cloudformation_works_and_is_managed() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    // xacct creates the grant, CloudFormation the role.
    let (source, target) = (&accounts.source.id, &accounts.target.id);
    let environment = &accounts.environment;
    let only = ["bootstrap", "--yes", "--only=source", "--user=alice", "--user-profile=alice", "--external-id=abc"];
    let target_account = format!("--target-account={target}");
    environment.xacct(&[&only[..], &["--profile=security-admin", &target_account]].concat()).exits_with(0);
    let template = environment.xacct(&["print", "cloudformation"]).exits_with(0).stdout;
    assert!(template.contains(source.as_str()), "{template}");
    let created = "cloudformation create-stack --stack-name xacct --capabilities CAPABILITY_NAMED_IAM --template-body";
    accounts.target.aws_text(created, &template);
    let stack = accounts.target.aws("cloudformation describe-stacks --stack-name xacct")["Stacks"][0].clone();
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{stack:#}");
    assert_eq!(stack["Outputs"][0]["OutputValue"], accounts.role_arn("xacct").as_str(), "{stack:#}");

    environment.xacct(&["verify"]).exits_with(0);
    let check = ["bootstrap", "--check", "--target-profile=dev-admin", "--profile=security-admin"];
    environment.xacct(&check).exits_with(0);
}
