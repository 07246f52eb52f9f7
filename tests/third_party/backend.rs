//! Terraform stores its state with the settings of `xacct print backend-hcl`.

use crate::accounts::{Accounts, REGION};
use crate::support::TestEnvironment;
use crate::support::third_party::{self, test_name};
use crate::terraform::{assert_formatted, terraform};

#[test]
fn terraform_keeps_its_state_in_the_target_account() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let bucket = format!("state-{}", accounts.target.id);
    let location = format!("--create-bucket-configuration LocationConstraint={REGION}");
    accounts.target.aws(&format!("s3api create-bucket --bucket {bucket} {location}"));

    // The printed policy is the role's only policy.
    accounts.bootstrap(&["--generate-external-id"]).exits_with(0);
    let print = ["print", "backend-hcl", "--bucket", &bucket, "--key=a/b.tfstate", "--region", REGION];
    let environment = &accounts.environment;
    environment.xacct(&[&print[..], &["--policy", "--workspaces", "--out=state.json"]].concat()).exits_with(0);
    accounts.bootstrap(&["--policy-file=state.json", "--probe=identity", "--allow-weaker"]).exits_with(0);

    let environment = &mut accounts.environment;
    environment.xacct(&[&print[..], &["--out=backend.tf"]].concat()).exits_with(0);
    environment.write("main.tf", "output \"made\" {\n  value = \"by terraform\"\n}\n");
    environment.set("AWS_PROFILE", "alice");
    let Some(()) = third_party::terraform(test_name!(), environment) else {
        return;
    };
    assert_formatted(environment, "backend.tf");
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);
    terraform(environment, &["workspace", "new", "second"]);
    terraform(environment, &["apply", "-auto-approve", "-input=false"]);

    let objects = accounts.target.aws(&format!("s3api list-objects-v2 --bucket {bucket}"));
    let keys: Vec<_> = objects["Contents"].as_array().unwrap().iter().map(|object| object["Key"].clone()).collect();
    assert_eq!(keys, ["a/b.tfstate", "env:/second/a/b.tfstate"], "and no lock is left");
}

/// `init` reads the backend settings before it calls AWS; with `-backend=false` it ignores them.
#[test]
fn terraform_accepts_every_argument_of_its_version() {
    let mut environment = TestEnvironment::new();
    environment.write("xacct.toml", "[source]\naccount = '111111111111'\nuser = 'alice'\n[targets.dev]\naccount = '222222222222'\nexternal_id = 'abc'\n");
    environment.write("main.tf", "");
    if third_party::terraform(test_name!(), &mut environment).is_none() {
        return;
    }
    let printed =
        environment.xacct(&["print", "backend-hcl", "--bucket=b-1", "--region=eu-west-1"]).exits_with(0).stdout;
    let printed = printed.replace("use_lockfile", "skip_credentials_validation = true\n    use_lockfile");
    environment.write("backend.tf", &printed);
    // Nothing listens there, so Terraform's first error is that it cannot assume the role.
    environment.set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    environment.set("AWS_ACCESS_KEY_ID", "any");
    environment.set("AWS_SECRET_ACCESS_KEY", "any");
    environment.set("AWS_MAX_ATTEMPTS", "1");
    let mut init = environment.command("terraform");
    init.args(["init", "-no-color", "-input=false"]);
    let init = crate::support::Output::of(init).exits_with(1);
    assert!(init.stderr.contains("Cannot assume IAM Role"), "{init}");
    assert!(init.stderr.contains("arn:aws:iam::222222222222:role/xacct"), "{init}");
}
