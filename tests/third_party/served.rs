//! The AWS SDKs, the AWS CLI and Terraform get credentials from `xacct exec --server`, and renew them.

use crate::accounts::{Accounts, REGION};
use crate::sdks::{self, ROLE_SESSION, Sdk};
use crate::support::third_party::{self, test_name};
use crate::using::{program, sandbox};

/// A default profile that every SDK would prefer.
const SHADOW: &str =
    "\n[default]\nregion = us-east-1\naws_access_key_id = AKIASHADOW\naws_secret_access_key = shadow\n";

/// An SDK gets a first session from `exec --server` and, before that expires, a second one.
#[track_caller]
fn assert_is_served(test: &str, sdk: Sdk) {
    let Some(program) = sdk.program(test) else {
        return;
    };
    let (sandbox, mut environment) = sandbox("--external-id abc");
    environment.set("PATH", &std::env::var("PATH").unwrap_or_default());
    environment.append("aws/config", SHADOW);
    environment.append("aws/credentials", SHADOW);
    sdks::shorten_sessions(&sandbox, 1, sdks::SERVED);
    let words: Vec<_> = program.iter().map(String::as_str).collect();
    let arguments = [&["exec", "--server", "--region", "us-east-1", "--"], &words[..]].concat();
    sdks::assert_renewed(&sandbox, &environment.xacct(&arguments));
    let asked = sdks::asked_for_sessions(&sandbox);
    assert_eq!(asked.len(), 2, "{asked:#?}");
}

#[test]
fn boto3_is_served() {
    assert_is_served(test_name!(), Sdk::Python);
}

#[test]
fn the_sdk_for_javascript_is_served() {
    assert_is_served(test_name!(), Sdk::JavaScript);
}

#[test]
fn the_sdk_for_go_is_served() {
    assert_is_served(test_name!(), Sdk::Go);
}

#[test]
fn the_sdk_for_java_is_served() {
    assert_is_served(test_name!(), Sdk::Java);
}

#[test]
fn the_aws_cli_is_served_in_spite_of_a_default_profile() {
    let Some(aws) = program(test_name!(), "aws") else {
        return;
    };
    let (_sandbox, environment) = sandbox("--external-id abc");
    environment.append("aws/config", SHADOW);
    let aws = aws.display().to_string();
    let words = ["exec", "--server", "--", &aws, "sts", "get-caller-identity", "--output", "json"];
    assert_eq!(environment.xacct(&words).exits_with(0).json()["Arn"], ROLE_SESSION);
    // Other profiles can still be named.
    let named = environment.xacct(&[&words[..], &["--profile", "alice"]].concat()).exits_with(0).json();
    assert_eq!(named["Arn"], "arn:aws:iam::111111111111:user/alice");
    environment.append("aws/credentials", SHADOW);
    assert_eq!(environment.xacct(&words).exits_with(0).json()["Arn"], ROLE_SESSION);
}

/// The S3 backend has the credential chain of the AWS provider.
#[test]
fn the_backend_of_terraform_is_served() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--generate-external-id", "--policy-arn=AdministratorAccess"]).exits_with(0);
    let bucket = format!("served-{}", accounts.target.id);
    let location = format!("--create-bucket-configuration LocationConstraint={REGION}");
    accounts.target.aws(&format!("s3api create-bucket --bucket {bucket} {location}"));
    let environment = &mut accounts.environment;
    environment.write("main.tf", "output \"made\" {\n  value = \"by terraform\"\n}\n");
    let Some(()) = third_party::terraform(test_name!(), environment) else {
        return;
    };
    let backend = format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket = \"{bucket}\"\n    key    = \"a.tfstate\"\n    region = \"{REGION}\"\n  \
         }}\n}}\n"
    );
    environment.write("backend.tf", &backend);
    environment.append(".aws/config", SHADOW);
    environment.append(".aws/credentials", SHADOW);
    let script = "terraform init -no-color -input=false && terraform apply -no-color -auto-approve -input=false";
    environment.xacct(&["exec", "--server", "--", "/bin/sh", "-c", script]).exits_with(0);
    let objects = accounts.target.aws(&format!("s3api list-objects-v2 --bucket {bucket}"));
    assert_eq!(objects["Contents"][0]["Key"], "a.tfstate");
}

#[test]
fn the_aws_provider_of_terraform_is_served() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--generate-external-id"]).exits_with(0);
    let environment = &mut accounts.environment;
    let main = format!(
        "provider \"aws\" {{\n  region = \"{REGION}\"\n}}\ndata \"aws_caller_identity\" \"here\" {{}}\noutput \"arn\" {{\n  \
         value = data.aws_caller_identity.here.arn\n}}\n"
    );
    environment.write("main.tf", &main);
    let Some(()) = third_party::terraform(test_name!(), environment) else {
        return;
    };
    environment.append(".aws/config", SHADOW);
    environment.append(".aws/credentials", SHADOW);
    let script = "terraform apply -no-color -auto-approve -input=false >&2 && terraform output -raw arn";
    let output = environment.xacct(&["exec", "--server", "--", "/bin/sh", "-c", script]).exits_with(0);
    assert_eq!(output.stdout, format!("arn:aws:sts::{}:assumed-role/xacct/alice", accounts.target.id));
}
