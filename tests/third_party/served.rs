//! The AWS SDKs, the AWS CLI and Terraform get credentials from `xacct exec --server`, and renew them.

use std::time::Duration;

use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::accounts::{Accounts, REGION};
use crate::support::third_party::{self, installed, skip, test_name};
use crate::support::{Output, TestEnvironment};
use crate::using::{program, sandbox};

const ROLE_SESSION: &str = "arn:aws:sts::222222222222:assumed-role/xacct/alice";

/// A default profile that every SDK would prefer.
const SHADOW: &str =
    "\n[default]\nregion = us-east-1\naws_access_key_id = AKIASHADOW\naws_secret_access_key = shadow\n";

/// Runs a program of an SDK, which must get a first session and, before that expires, a second one.
#[track_caller]
fn assert_renews(sandbox: &Sandbox, environment: &TestEnvironment, words: &[&str]) {
    environment.append("aws/config", SHADOW);
    environment.append("aws/credentials", SHADOW);
    sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Brief(Duration::from_secs(8))).on_call(1));
    let arguments = [&["exec", "--server", "--region", "us-east-1", "--"], words].concat();
    let output = environment.xacct(&arguments).exits_with(0);
    let document = output.json();
    assert_eq!(document["arns"], serde_json::json!([ROLE_SESSION, ROLE_SESSION]), "{output}");
    assert_ne!(document["first"], document["second"], "{output}");
    let keys: Vec<String> = sandbox.world(|world| world.sessions().map(|session| session.key.id.clone()).collect());
    for key in [&document["first"], &document["second"]] {
        assert!(keys.iter().any(|known| key == known), "{key} {output}");
    }
}

#[test]
fn boto3_renews_its_credentials() {
    let Some(python) = program(test_name!(), "python") else {
        return;
    };
    let (sandbox, environment) = sandbox("--external-id abc");
    environment.write("main.py", include_str!("sdks/main.py"));
    let mut import = environment.command(&python);
    import.args(["-c", "import boto3"]);
    if Output::of(import).code != 0 {
        return skip(test_name!(), "there is no boto3 in the venv");
    }
    assert_renews(&sandbox, &environment, &[&python.display().to_string(), "main.py"]);
}

#[test]
fn the_sdk_for_javascript_renews_its_credentials() {
    let package = r#"{"private": true, "type": "module", "dependencies": {"@aws-sdk/client-sts": "3.1169.0"}}"#;
    let files = [("package.json", package), ("main.mjs", include_str!("sdks/main.mjs"))];
    let arguments = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
    let folder = match installed("sdk-javascript", &files, "npm", &arguments) {
        Ok(folder) => folder,
        Err(reason) => return skip(test_name!(), &reason),
    };
    let (sandbox, mut environment) = sandbox("--external-id abc");
    environment.set("PATH", &std::env::var("PATH").unwrap_or_default());
    assert_renews(&sandbox, &environment, &["node", &folder.join("main.mjs").display().to_string()]);
}

#[test]
fn the_sdk_for_go_renews_its_credentials() {
    let module = "module sdk\n\ngo 1.24\n\nrequire (\n\tgithub.com/aws/aws-sdk-go-v2/config v1.33.18\n\t\
                  github.com/aws/aws-sdk-go-v2/service/sts v1.52.0\n)\n";
    let files = [("go.mod", module), ("main.go", include_str!("sdks/main.go"))];
    let folder = match installed("sdk-go", &files, "go", &["build", "-mod=mod", "-o", "main", "."]) {
        Ok(folder) => folder,
        Err(reason) => return skip(test_name!(), &reason),
    };
    let (sandbox, environment) = sandbox("--external-id abc");
    assert_renews(&sandbox, &environment, &[&folder.join("main").display().to_string()]);
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
