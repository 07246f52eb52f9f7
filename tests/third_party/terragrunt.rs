//! Terragrunt uses the output of `xacct print terragrunt-hcl` as it is, and gets sessions from xacct.
//!
//! Whatever a test does, nothing may be made in the source account.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::Bucket;

use crate::accounts::{Account, Accounts, REGION};
use crate::support::third_party::{self, in_go, skip, test_name};
use crate::support::{Output, TestEnvironment};
use crate::using::{self, sandbox};

const XACCT: &str = env!("CARGO_BIN_EXE_xacct");

/// The version that `tests/run` builds.
const VERSION: &str = "1.0.0";

const BUCKET: &str = "variable \"bucket\" {\n  type = string\n}\n\
                      resource \"aws_s3_bucket\" \"made\" {\n  bucket = var.bucket\n}\n\
                      output \"bucket\" {\n  value = aws_s3_bucket.made.bucket\n}\n";

/// A bucket without the AWS provider, which asks more of S3 than the sandbox knows.
const BUCKET_OF_CLI: &str = "variable \"bucket\" {\n  type = string\n}\n\
                             resource \"terraform_data\" \"made\" {\n  input = var.bucket\n  \
                             provisioner \"local-exec\" {\n    command = \"aws s3api create-bucket --bucket ${self.input}\"\n  }\n  \
                             provisioner \"local-exec\" {\n    when    = destroy\n    \
                             command = \"aws s3api delete-bucket --bucket ${self.input}\"\n  }\n}\n";

const WHO: &str =
    "data \"aws_caller_identity\" \"here\" {}\noutput \"arn\" {\n  value = data.aws_caller_identity.here.arn\n}\n";

/// Returns Terragrunt; `None`, counted as skipped, without it or Terraform's provider.
fn program(test: &str) -> Option<PathBuf> {
    static TERRAFORM: OnceLock<Result<(), String>> = OnceLock::new();
    let terraform = || {
        let mut environment = TestEnvironment::new();
        environment.write("main.tf", WHO);
        third_party::init_terraform(&mut environment)
    };
    let program = TERRAFORM.get_or_init(terraform).clone().and_then(|()| in_go("terragrunt"));
    program.map_err(|reason| skip(test, &reason)).ok()
}

/// Gives an environment what Terragrunt needs: Terraform, xacct and the AWS CLI on the `PATH`.
fn prepare(environment: &mut TestEnvironment) {
    for (name, value) in third_party::terraform_variables() {
        environment.set(&name, &value);
    }
    let folder = |program: PathBuf| program.parent().expect("a folder").display().to_string();
    let aws = third_party::in_venv("aws").map_or_else(|_| String::new(), folder);
    let path = std::env::var("PATH").unwrap_or_default();
    environment.set("PATH", &format!("{}:{aws}:{path}", folder(PathBuf::from(XACCT))));
    for (name, value) in [("TG_NON_INTERACTIVE", "true"), ("TG_TF_PATH", "terraform"), ("TG_NO_COLOR", "true")] {
        environment.set(name, value);
    }
}

/// Writes a unit with a root.hcl in a directory above it.
fn unit(environment: &TestEnvironment, path: &str, more: &str, terraform: &str) {
    let include = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\n";
    environment.write(&format!("{path}/terragrunt.hcl"), &format!("{include}{more}"));
    environment.write(&format!("{path}/main.tf"), terraform);
}

fn bucket_input(bucket: &str) -> String {
    format!("inputs = {{\n  bucket = \"{bucket}\"\n}}\n")
}

/// Runs Terragrunt in a directory.
fn run(environment: &TestEnvironment, path: &str, words: &str) -> Output {
    let mut command = environment.command(in_go("terragrunt").expect("the program of this test"));
    command.args(words.split_whitespace()).current_dir(environment.path(path));
    Output::of(command)
}

/// Returns the access key of a profile.
fn key(environment: &TestEnvironment, profile: &str) -> [(&'static str, String); 2] {
    let text = environment.read(".aws/credentials");
    let (_, section) = text.split_once(&format!("[{profile}]\n")).expect("the profile");
    let value = |name: &str| {
        let found = section.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        found.expect("the key").to_owned()
    };
    [("AWS_ACCESS_KEY_ID", value("aws_access_key_id")), ("AWS_SECRET_ACCESS_KEY", value("aws_secret_access_key"))]
}

/// Makes the environment that of a pipeline: an access key of alice, and no profiles.
fn enter_pipeline(environment: &mut TestEnvironment) {
    for (name, value) in key(environment, "alice") {
        environment.set(name, &value);
    }
    let none = environment.path("none").display().to_string();
    for (name, value) in [
        ("AWS_REGION", REGION),
        ("AWS_CONFIG_FILE", &none),
        ("AWS_SHARED_CREDENTIALS_FILE", &none),
        ("XACCT_USER_PROFILE", "-"),
    ] {
        environment.set(name, value);
    }
}

/// Returns to the profiles.
fn leave_pipeline(environment: &mut TestEnvironment) {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "XACCT_USER_PROFILE",
    ] {
        environment.unset(name);
    }
}

/// Sets the variable that the command has told to set.
fn export(environment: &mut TestEnvironment, told: &str) {
    let line = told.lines().find_map(|line| line.trim().strip_prefix("export ")).expect("a line with `export`");
    let words = shlex::split(line).expect("one word");
    let (name, value) = words[0].split_once('=').expect("a variable");
    environment.set(name, value);
}

const APPLY: &str = "apply -auto-approve --backend-bootstrap";
const DESTROY: &str = "destroy -auto-approve";

#[test]
fn terragrunt_assumes_the_role_also_for_its_state() {
    let (Some(_), Some(mut accounts)) = (program(test_name!()), Accounts::for_test(test_name!())) else {
        return;
    };
    accounts.bootstrap(&["--policy-arn=AdministratorAccess"]).exits_with(0);
    let before = accounts.source.everything();
    let [by_key, by_profile, made] = ["key", "profile", "made"].map(|name| format!("tg-{name}-{}", accounts.target.id));
    let environment = &mut accounts.environment;
    prepare(environment);
    let print = |environment: &TestEnvironment, bucket: &str| {
        let words = ["print", "terragrunt-hcl", "--region", REGION, "--bucket", bucket];
        environment.xacct(&[&words[..], &["--terragrunt-version", VERSION, "--out=root.hcl"]].concat()).exits_with(0);
    };
    print(environment, &by_key);
    unit(environment, "unit", &bucket_input(&made), BUCKET);
    enter_pipeline(environment);
    run(environment, "unit", APPLY).exits_with(0);
    assert_eq!(accounts.target.buckets(), [by_key.as_str(), made.as_str()]);
    let environment = &mut accounts.environment;
    leave_pipeline(environment);
    environment.set("AWS_PROFILE", "alice");
    run(environment, "unit", DESTROY).exits_with(0);
    print(environment, &by_profile);
    unit(environment, "another", &bucket_input(&made), BUCKET);
    run(environment, "another", "init --backend-bootstrap").exits_with(0);
    assert_eq!(accounts.target.buckets(), [by_key.as_str(), by_profile.as_str()]);
    assert_eq!(accounts.source.everything(), before);
}

#[test]
fn terraform_assumes_the_role_of_the_generated_provider_and_state() {
    let (Some(_), Some(mut accounts)) = (program(test_name!()), Accounts::for_test(test_name!())) else {
        return;
    };
    accounts.bootstrap(&["--generate-external-id", "--policy-arn=AdministratorAccess"]).exits_with(0);
    let before = accounts.source.everything();
    let [state, made] = ["state", "made"].map(|name| format!("tg-{name}-{}", accounts.target.id));
    let environment = &mut accounts.environment;
    prepare(environment);
    let words = ["print", "terragrunt-hcl", "--region", REGION, "--bucket", &state, "--out=root.hcl"];
    let told = environment.xacct(&[&words[..], &["--terragrunt-version", VERSION]].concat()).exits_with(0).stderr;
    assert!(told.contains("without the role if AWS_ACCESS_KEY_ID is set"), "{told}");
    unit(environment, "unit", &bucket_input(&made), BUCKET);

    // With an access key in the environment, this version leaves the role aside, as xacct says.
    enter_pipeline(environment);
    environment.set("TG_NO_AUTO_RETRY", "true");
    let failed = run(environment, "unit", APPLY);
    assert!(failed.code != 0 && failed.stderr.contains("NoSuchBucket"), "{failed}");
    leave_pipeline(environment);
    let diagnosis = environment.xacct(&["diagnose", "--message", &failed.stderr]).exits_with(3).stdout;
    assert!(diagnosis.contains("role_not_assumed") && diagnosis.contains("--auth-provider-cmd"), "{diagnosis}");
    assert_eq!(accounts.target.buckets(), [""; 0]);

    let environment = &mut accounts.environment;
    environment.set("AWS_PROFILE", "alice");
    run(environment, "unit", APPLY).exits_with(0);
    assert_eq!(accounts.target.buckets(), [made.as_str(), state.as_str()]);
    let environment = &accounts.environment;
    run(environment, "unit", DESTROY).exits_with(0);
    assert_eq!(accounts.target.buckets(), [state.as_str()]);
    assert_eq!(accounts.source.everything(), before);
}

/// The way for pipelines: several units of two targets, one of which depends on a unit of the other.
#[test]
fn units_of_several_targets_get_sessions_from_xacct() {
    let (Some(_), Some(mut accounts)) = (program(test_name!()), Accounts::for_test(test_name!())) else {
        return;
    };
    let all =
        ["--generate-external-id", "--policy-arn=AdministratorAccess", "--no-verify", "--config=my live/xacct.toml"];
    accounts.environment.write("my live/empty", "");
    accounts.bootstrap(&[&all[..], &["--name=dev"]].concat()).exits_with(0);
    let prod = accounts.another_target("prod-admin");
    let environment = &mut accounts.environment;
    let words = ["bootstrap", "--yes", "--name=prod", "--target-account", &prod.id, "--target-profile=prod-admin"];
    environment.xacct(&[&words[..], &all].concat()).exits_with(0);
    prepare(environment);
    let name = |account: &Account, what: &str| format!("tg-{what}-{}", account.id);
    for (target, account) in [("dev", &accounts.target), ("prod", &prod)] {
        let (state, out) = (name(account, "state"), format!("--out=my live/{target}/root.hcl"));
        environment.write(&format!("my live/{target}/empty"), "");
        let words = ["print", "terragrunt-hcl", target, "--bucket", &state, "--region", REGION, "--auth-provider-cmd"];
        let words = [&words[..], &["--config=my live/xacct.toml", "--terragrunt-version", VERSION, &out]].concat();
        let told = environment.xacct(&words).exits_with(0).stderr;
        export(environment, &told);
        unit(environment, &format!("my live/{target}/bucket"), &bucket_input(&name(account, "made")), BUCKET);
    }
    let dependent = "dependency \"dev\" {\n  config_path = \"../../dev/bucket\"\n}\n\
                     inputs = {\n  bucket = \"on-${dependency.dev.outputs.bucket}\"\n}\n";
    unit(environment, "my live/prod/dependent", dependent, BUCKET);

    let before = accounts.source.everything();
    let environment = &mut accounts.environment;
    enter_pipeline(environment);
    run(environment, "my live/prod/bucket", APPLY).exits_with(0);
    assert_eq!(prod.buckets(), [name(&prod, "made"), name(&prod, "state")]);
    // Terragrunt asks for the session of dev with that of prod in the environment.
    let failed = run(&accounts.environment, "my live/prod/dependent", APPLY);
    assert!(failed.code != 0 && failed.stderr.contains("a session of target `prod`, not the user's"), "{failed}");

    leave_pipeline(&mut accounts.environment);
    run(&accounts.environment, "my live", "run --all --backend-bootstrap -- apply -auto-approve").exits_with(0);
    let dependent = format!("on-{}", name(&accounts.target, "made"));
    assert_eq!(accounts.target.buckets(), [name(&accounts.target, "made"), name(&accounts.target, "state")]);
    assert_eq!(prod.buckets(), [dependent, name(&prod, "made"), name(&prod, "state")]);

    // The same settings are those for a command with a session.
    let environment = &mut accounts.environment;
    let auth = environment.variables()["TG_AUTH_PROVIDER_CMD"].clone();
    environment.unset("TG_AUTH_PROVIDER_CMD");
    let program = in_go("terragrunt").expect("the program of this test").display().to_string();
    let exec = ["--config=my live/xacct.toml", "exec", "prod", "--", &program, "--working-dir=my live/prod/bucket"];
    environment.xacct(&[&exec[..], &["destroy", "-auto-approve"]].concat()).exits_with(0);
    assert!(!prod.buckets().contains(&name(&prod, "made")));

    let environment = &mut accounts.environment;
    environment.set("TG_AUTH_PROVIDER_CMD", &auth);
    run(environment, "my live", "run --all -- destroy -auto-approve").exits_with(0);
    assert_eq!(accounts.target.buckets(), [name(&accounts.target, "state")]);
    assert_eq!(prod.buckets(), [name(&prod, "state")]);
    assert_eq!(accounts.source.everything(), before);
}

/// Returns how many sessions STS has opened since it was last asked.
fn opened(sandbox: &Sandbox) -> usize {
    let requests = sandbox.requests();
    sandbox.clear_requests();
    requests.iter().filter(|request| request.operation == "AssumeRole").count()
}

/// The provider asks for the caller, who must be the role.
fn assert_role(environment: &TestEnvironment, path: &str) {
    let outputs: Value = run(environment, path, "output -json").exits_with(0).json();
    assert_eq!(outputs["arn"]["value"], "arn:aws:sts::222222222222:assumed-role/xacct/alice");
}

#[test]
fn one_session_serves_all_units_only_with_the_cache() {
    if program(test_name!()).is_none() {
        return;
    }
    let (sandbox, mut environment) = sandbox("--external-id abc");
    prepare(&mut environment);
    let words = ["print", "terragrunt-hcl", "--region=us-east-1", "--auth-provider-cmd", "--out=root.hcl"];
    let told = environment.xacct(&words).exits_with(0).stderr;
    for name in ["a", "b", "c"] {
        unit(&environment, &format!("live/{name}"), "", WHO);
    }
    export(&mut environment, &told);
    let apply = "run --all -- apply -auto-approve";
    run(&environment, "live", apply).exits_with(0);
    assert_eq!(opened(&sandbox), 1, "one session for all units");
    assert_role(&environment, "live/b");
    assert_eq!(opened(&sandbox), 0);

    let cached = environment.variables()["TG_AUTH_PROVIDER_CMD"].clone();
    environment.set("TG_AUTH_PROVIDER_CMD", &cached.replace(" --cache", ""));
    let count = || {
        run(&environment, "live/a", "apply -auto-approve").exits_with(0);
        opened(&sandbox)
    };
    let (first, second) = (count(), count());
    assert!(first >= 1 && second >= 1, "{first} and {second} sessions: without the cache, every run has its own");
}

#[test]
fn terragrunt_uses_the_cached_mfa_session() {
    let (Some(_), Some(_)) = (program(test_name!()), using::program(test_name!(), "aws")) else {
        return;
    };
    let (sandbox, mut environment) = sandbox("--require-mfa --external-id abc --policy-arn AdministratorAccess");
    prepare(&mut environment);
    let words = ["print", "terragrunt-hcl", "--region=us-east-1", "--auth-provider-cmd", "--out=root.hcl"];
    let told = environment.xacct(&words).exits_with(0).stderr;
    export(&mut environment, &told);
    unit(&environment, "made", &bucket_input("made-with-mfa"), BUCKET_OF_CLI);
    let refused = run(&environment, "made", "apply -auto-approve");
    assert!(refused.code != 0 && refused.stderr.contains("--mfa-code"), "{refused}");
    let code = sandbox.totp("alice");
    environment.xacct(&["exec", "--mfa-code", &code, "--duration=1h", "--", "true"]).exits_with(0);
    run(&environment, "made", "apply -auto-approve").exits_with(0);
    let buckets = || {
        let owner = |bucket: &Bucket| (bucket.name.clone(), bucket.account.clone());
        sandbox.world(|world| world.buckets().map(owner).collect::<Vec<_>>())
    };
    assert_eq!(buckets(), [("made-with-mfa".to_owned(), "222222222222".to_owned())]);
    run(&environment, "made", DESTROY).exits_with(0);
    assert_eq!(buckets(), []);

    // With the generated provider, Terraform assumes the role with the user's MFA session.
    environment.unset("TG_AUTH_PROVIDER_CMD");
    environment.xacct(&["print", "terragrunt-hcl", "--region=us-east-1", "--out=root.hcl"]).exits_with(0);
    unit(&environment, "who", "", WHO);
    let program = in_go("terragrunt").expect("the program of this test").display().to_string();
    let script = format!(
        "eval \"$(xacct credentials --session-token --format env)\" && {program} apply -auto-approve --working-dir who"
    );
    let mut command = environment.command("/bin/sh");
    command.args(["-c", &script]);
    let output = Output::of(command).exits_with(0);
    assert!(output.stdout.contains("222222222222:assumed-role/xacct/alice"), "{output}");
}

/// Terragrunt takes the role apart, and writes it into the backend itself.
#[test]
fn terragrunt_writes_every_argument_of_the_role() {
    if program(test_name!()).is_none() {
        return;
    }
    let mut environment = TestEnvironment::new();
    prepare(&mut environment);
    environment.write(
        "xacct.toml",
        "[source]\naccount = '111111111111'\nuser = 'alice'\n[targets.dev]\naccount = '222222222222'\n\
         external_id = 'a,b=c:d/@'\nallow_session_tags = true\nsession_tags = { project = 'x y', team = 'z' }\n\
         source_identity = 'alice'\n",
    );
    let words = ["print", "terragrunt-hcl", "--bucket=my-state", "--region", REGION, "--terragrunt-version", VERSION];
    environment.xacct(&[&words[..], &["--out=root.hcl"]].concat()).exits_with(0);
    unit(&environment, "unit", "", "");
    run(&environment, "unit", "run -- init -backend=false").exits_with(0);
    let cache = std::fs::read_dir(environment.path("unit/.terragrunt-cache")).expect("the cache").flatten();
    let inner = cache.flat_map(|entry| std::fs::read_dir(entry.path()).into_iter().flatten().flatten());
    let written: Vec<_> =
        inner.filter_map(|entry| std::fs::read_to_string(entry.path().join("backend.tf")).ok()).collect();
    let [backend] = &written[..] else { panic!("{written:?}") };
    for argument in [
        "external_id     = \"a,b=c:d/@\"",
        "role_arn        = \"arn:aws:iam::222222222222:role/xacct\"",
        "session_name    = \"alice\"",
        "source_identity = \"alice\"",
        "duration        = \"1h\"",
        "project = \"x y\"",
        "team    = \"z\"",
    ] {
        assert!(backend.contains(argument), "{argument}\n{backend}");
    }
}

/// The names that xacct prints for this version are those that it has.
#[test]
fn terragrunt_has_the_options_and_variables_of_its_version() {
    if program(test_name!()).is_none() {
        return;
    }
    let (sandbox, mut environment) = sandbox("");
    prepare(&mut environment);
    let print = |version: &str| {
        environment.xacct(&["print", "terragrunt-hcl", "--terragrunt-version", version]).exits_with(0).stdout
    };
    let (printed, old) = (print(VERSION), print("0.72"));
    let help = run(&environment, ".", "run --help").exits_with(0).stdout;
    let names = |text: &str| {
        let words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| word.contains("iam-"));
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(&printed).len(), 3, "{printed}");
    assert!(names(&printed).iter().all(|name| help.contains(&**name)), "{help}");
    assert!(names(&old).iter().all(|name| !help.contains(&**name)), "{help}");
    environment.set("AWS_PROFILE", "alice");
    environment.write("plain/terragrunt.hcl", "");
    environment.write("plain/main.tf", &format!("provider \"aws\" {{\n  region = \"us-east-1\"\n}}\n{WHO}"));
    let role = "arn:aws:iam::222222222222:role/xacct";
    let mut assumes = |name: &str, words: &str| {
        if !name.is_empty() {
            environment.set(name, role);
        }
        sandbox.clear_requests();
        let output = run(&environment, "plain", &format!("apply -auto-approve {words}")).exits_with(0);
        environment.unset(name);
        assert!(output.stdout.contains("222222222222:assumed-role/xacct/"), "{name} {words} {output}");
    };
    assumes("TG_IAM_ASSUME_ROLE", "");
    assumes("TERRAGRUNT_IAM_ROLE", "");
    assumes("", &format!("--iam-assume-role {role}"));
    let refused = run(&environment, "plain", &format!("apply --terragrunt-iam-role {role}"));
    assert!(refused.code != 0, "{refused}");
}
