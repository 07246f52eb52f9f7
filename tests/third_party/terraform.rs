//! Terraform with the real AWS provider uses the output of `xacct print provider-hcl` as it is.

use serde_json::{Value, json};

use crate::accounts::{Accounts, REGION};
use crate::support::policies::document;
use crate::support::third_party::{self, test_name};
use crate::support::{Output, TestEnvironment};

#[test]
fn terraform_creates_a_bucket_in_the_target_account() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let bucket = format!("made-by-terraform-{}", accounts.target.id);
    let arguments = ["--generate-external-id", "--policy-arn=AdministratorAccess"];
    accounts.bootstrap(&arguments).exits_with(0);
    let environment = &mut accounts.environment;
    let printed = environment.xacct(&["print-provider-hcl"]).exits_with(0).stdout;
    assert!(printed.contains("export AWS_PROFILE=alice"), "{printed}");
    environment.write("provider.tf", &printed);
    environment.write(
        "main.tf",
        &format!(
            r#"
            data "aws_caller_identity" "here" {{}}
            resource "aws_s3_bucket" "made" {{
              bucket = "{bucket}"
            }}
            output "account" {{
              value = data.aws_caller_identity.here.account_id
            }}
            output "arn" {{
              value = data.aws_caller_identity.here.arn
            }}
            "#
        ),
    );
    let Some(()) = third_party::terraform(test_name!(), environment) else {
        return;
    };
    environment.set("AWS_PROFILE", "alice");
    assert_formatted(environment, "provider.tf");
    terraform(environment, &["validate"]);
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);

    assert_eq!(accounts.target.buckets(), [bucket.as_str()]);
    assert_eq!(accounts.source.buckets(), [""; 0]);
    let location = format!("s3api get-bucket-location --bucket {bucket}");
    assert_eq!(accounts.target.aws(&location)["LocationConstraint"], REGION);
    let environment = &accounts.environment;
    let outputs: Value = terraform(environment, &["output", "-json"]).json();
    assert_eq!(outputs["account"]["value"], accounts.target.id.as_str());
    let session = format!("arn:aws:sts::{}:assumed-role/xacct/alice", accounts.target.id);
    assert_eq!(outputs["arn"]["value"], session.as_str());

    terraform(environment, &["destroy", "-auto-approve", "-input=false"]);
    assert_eq!(accounts.target.buckets(), [""; 0]);
}

#[test]
fn terraform_accepts_the_providers_of_several_targets() {
    let mut environment = TestEnvironment::new();
    environment.write(
        "xacct.toml",
        r#"
        [source]
        account = "111111111111"
        user = "a+b=c,d.e@f_g-1"
        user_profile = "two words"

        [targets.dev]
        account = "222222222222"
        external_id = "aZ09_+=,.@:/-"
        max_session_duration = "12h"
        region = "eu-west-1"

        [targets."2nd ${target} \"%{if}\""]
        account = "333333333333"
        role = "+=,.@-_"
        role_path = "/${path}/%{if}/\"quoted\\/"
        "#,
    );
    let arguments = ["print-provider-hcl", "--version-constraint", ">= 5.67, < 7"];
    let printed = environment.xacct(&arguments).exits_with(0).stdout;
    environment.write("provider.tf", &printed);
    environment.write(
        "main.tf",
        r#"
        data "aws_caller_identity" "dev" {
          provider = aws.dev
        }
        data "aws_caller_identity" "second" {
          provider = aws.account_2nd___target_____if__
        }
        "#,
    );
    let Some(()) = third_party::terraform(test_name!(), &mut environment) else {
        return;
    };
    assert_formatted(&environment, "provider.tf");
    terraform(&environment, &["validate"]);
}

#[test]
fn terraform_chains_roles() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--external-id=abc", "--allow-session-tags", "--max-session-duration=2h"]).exits_with(0);
    let (source, role) = (&accounts.source, accounts.role_arn("xacct"));
    let first = format!("arn:aws:iam::{}:role/ci", source.id);
    let alice = format!("arn:aws:iam::{}:user/alice", source.id);
    let policy = |statement: Value| document(json!([statement]));
    let allow = |action: Value, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let trust = json!({"Effect": "Allow", "Principal": {"AWS": alice}, "Action": "sts:AssumeRole"});
    source.aws_with("iam create-role --role-name ci --assume-role-policy-document", &policy(trust));
    let to_target = allow(json!(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]), &role);
    source.aws_with("iam put-role-policy --role-name ci --policy-name x --policy-document", &policy(to_target));
    let to_first = allow(json!("sts:AssumeRole"), &first);
    source.aws_with("iam put-user-policy --user-name alice --policy-name ci --policy-document", &policy(to_first));

    let environment = &mut accounts.environment;
    let through = format!("--through={first}");
    let arguments = ["print-provider-hcl", &through, "--session-tag=project=x", "--out=provider.tf"];
    environment.xacct(&arguments).exits_with(0);
    environment.write(
        "main.tf",
        "data \"aws_caller_identity\" \"here\" {}\noutput \"arn\" {\n  value = data.aws_caller_identity.here.arn\n}\n",
    );
    environment.set("AWS_PROFILE", "alice");
    let Some(()) = third_party::terraform(test_name!(), environment) else {
        return;
    };
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);
    let outputs: Value = terraform(environment, &["output", "-json"]).json();
    let session = format!("arn:aws:sts::{}:assumed-role/xacct/alice", accounts.target.id);
    assert_eq!(outputs["arn"]["value"], session.as_str());
}

/// Session tags, role chaining and Terragrunt: Terraform checks syntax and format.
#[test]
fn terraform_accepts_every_option() {
    let mut environment = TestEnvironment::new();
    environment.write(
        "xacct.toml",
        "[source]\naccount = '111111111111'\nuser = 'alice'\n\
         [targets.dev]\naccount = '222222222222'\nexternal_id = 'abc'\nregion = 'eu-west-1'\nallow_session_tags = true\n",
    );
    let tags = ["--session-tag=project=x", "--session-tag=a:b c=é ", "--transitive-tag-key=project"];
    let chain = ["--source-identity=alice", "--through=arn:aws:iam::111111111111:role/ci"];
    let arguments = [&["print-provider-hcl", "--out=provider.tf"], &tags[..], &chain].concat();
    environment.xacct(&arguments).exits_with(0);
    environment.write("main.tf", "data \"aws_caller_identity\" \"here\" {}\n");
    let Some(()) = third_party::terraform(test_name!(), &mut environment) else {
        return;
    };
    assert_formatted(&environment, "provider.tf");
    terraform(&environment, &["validate"]);
    environment.xacct(&["print", "terragrunt-hcl", "--bucket=my-state", "--out=terragrunt.tf"]).exits_with(0);
    assert_formatted(&environment, "terragrunt.tf");

    // This provider does not have what only older ones have.
    std::fs::remove_file(environment.path("terragrunt.tf")).expect("a file");
    let older = environment.xacct(&["print-provider-hcl", "--version-constraint=~> 3.76"]).exits_with(0).stdout;
    let block = older.find("provider \"aws\"").expect("the provider");
    environment.write("provider.tf", &older[block..]);
    let mut validate = environment.command("terraform");
    validate.args(["validate", "-no-color"]);
    let refused = Output::of(validate).exits_with(1);
    assert!(refused.stderr.contains("An argument named \"duration_seconds\" is not expected here"), "{refused}");
}

/// Runs Terraform and asserts success.
#[track_caller]
pub fn terraform(environment: &TestEnvironment, arguments: &[&str]) -> Output {
    let mut command = environment.command("terraform");
    command.args(arguments).arg("-no-color");
    Output::of(command).exits_with(0)
}

/// Asserts that the file is formatted as by `terraform fmt`.
#[track_caller]
pub fn assert_formatted(environment: &TestEnvironment, file: &str) {
    let different = terraform(environment, &["fmt", "-check", "-diff", file]);
    assert_eq!(different.stdout, "");
}
