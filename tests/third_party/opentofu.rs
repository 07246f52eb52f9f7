//! OpenTofu uses what xacct prints for Terraform, as it is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::accounts::{Accounts, REGION};
use crate::support::third_party::{self, in_go, skip, test_name};
use crate::support::{Output, TestEnvironment};

/// The version that `tests/run` builds.
const VERSION: &str = "opentofu-1.12";

/// Prepares an environment with the AWS provider under the name of OpenTofu's registry; `None`, with the test skipped,
/// without OpenTofu or Terraform's provider.
fn opentofu(test: &str, environment: &mut TestEnvironment) -> Option<PathBuf> {
    let prepared = in_go("tofu").and_then(|program| {
        environment.write("provider/main.tf", "data \"aws_caller_identity\" \"here\" {}\n");
        // Terraform finds the provider wherever this machine has it.
        third_party::init_terraform_in("provider", environment)?;
        let mirror = environment.path("mirror");
        let theirs = environment.path("provider/.terraform/providers/registry.terraform.io/hashicorp/aws");
        let ours = mirror.join("registry.opentofu.org/hashicorp/aws");
        mirrored(&theirs, &ours).map_err(|error| format!("{}: {error}", theirs.display()))?;
        let config = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        );
        environment.write("tofu.tfrc", &config);
        environment.set("TF_CLI_CONFIG_FILE", &environment.path("tofu.tfrc").display().to_string());
        Ok(program)
    });
    prepared.map_err(|reason| skip(test, &reason)).ok()
}

/// Links `VERSION/OS_ARCH` of a provider; OpenTofu follows no links above.
fn mirrored(theirs: &Path, ours: &Path) -> std::io::Result<()> {
    for version in fs::read_dir(theirs)?.flatten() {
        fs::create_dir_all(ours.join(version.file_name()))?;
        for platform in fs::read_dir(version.path())?.flatten() {
            link(&platform.path(), &ours.join(version.file_name()).join(platform.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(windows)]
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(from, to)
}

/// Runs OpenTofu in `live`.
fn tofu(environment: &TestEnvironment, words: &str) -> Output {
    let mut command = environment.command(in_go("tofu").expect("the program of this test"));
    command.args(words.split_whitespace()).arg("-no-color").current_dir(environment.path("live"));
    Output::of(command)
}

const ENCRYPTED: &str = r#"
terraform {
  encryption {
    key_provider "pbkdf2" "key" {
      passphrase = "a passphrase of many letters"
    }
    method "aes_gcm" "method" {
      keys = key_provider.pbkdf2.key
    }
    state {
      method   = method.aes_gcm.method
      enforced = true
    }
  }
}
"#;

#[test]
fn opentofu_keeps_its_state_and_makes_a_bucket_in_the_target_account() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let [state, made] = ["state", "made"].map(|name| format!("tofu-{name}-{}", accounts.target.id));
    let environment = &mut accounts.environment;
    if opentofu(test_name!(), environment).is_none() {
        return;
    }
    accounts.bootstrap(&["--generate-external-id", "--policy-arn=AdministratorAccess"]).exits_with(0);
    let location = format!("--create-bucket-configuration LocationConstraint={REGION}");
    accounts.target.aws(&format!("s3api create-bucket --bucket {state} {location}"));
    let before = accounts.source.everything();
    let environment = &mut accounts.environment;
    let backend = ["backend-hcl", "--terraform-version", VERSION, "--bucket", &state, "--key=a/b.tfstate"];
    environment.write(
        "live/main.tf",
        &format!("resource \"aws_s3_bucket\" \"made\" {{\n  bucket = \"{made}\"\n}}\n{ENCRYPTED}"),
    );
    for words in [&backend[..], &["provider-hcl", "--version-constraint", "~> 5.67"]] {
        let out = format!("--out=live/{}.tf", words[0]);
        environment.xacct(&[&["print"], words, &["--region", REGION, &out]].concat()).exits_with(0);
    }
    environment.set("AWS_PROFILE", "alice");
    tofu(environment, "init -input=false").exits_with(0);
    assert_eq!(tofu(environment, "fmt -check -diff backend-hcl.tf provider-hcl.tf").exits_with(0).stdout, "");
    tofu(environment, "apply -auto-approve -input=false").exits_with(0);
    assert_eq!(accounts.target.buckets(), [made.as_str(), state.as_str()]);

    // State encryption is OpenTofu's own.
    let environment = &accounts.environment;
    let file = environment.path("state").display().to_string();
    accounts.target.aws(&format!("s3api get-object --bucket {state} --key a/b.tfstate {file}"));
    let stored = environment.read("state");
    assert!(stored.contains("encrypted_data") && !stored.contains("aws_s3_bucket"), "{stored}");

    // Another run has the lock file.
    environment.write("lock", "{\"ID\": \"of another run\"}");
    let lock = format!("--bucket {state} --key a/b.tfstate.tflock");
    accounts.target.aws(&format!("s3api put-object {lock} --body {}", environment.path("lock").display()));
    let locked = tofu(environment, "destroy -auto-approve -input=false").exits_with(1);
    assert!(locked.stderr.contains("of another run"), "{locked}");
    accounts.target.aws(&format!("s3api delete-object {lock}"));

    tofu(environment, "destroy -auto-approve -input=false").exits_with(0);
    assert_eq!(accounts.target.buckets(), [state.as_str()]);
    let objects = accounts.target.aws(&format!("s3api list-objects-v2 --bucket {state}"));
    assert_eq!(objects["Contents"].as_array().map(Vec::len), Some(1), "no lock is left");
    assert_eq!(accounts.source.everything(), before);
}

#[test]
fn opentofu_imports_a_bootstrapped_role_without_changes() {
    let Some(mut accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    let arguments = ["--generate-external-id", "--allow-session-tags", "--policy-arn=ReadOnlyAccess", "--no-verify"];
    accounts.bootstrap(&arguments).exits_with(0);
    let before = accounts.everything();
    let environment = &mut accounts.environment;
    if opentofu(test_name!(), environment).is_none() {
        return;
    }
    environment.write("live/empty", "");
    environment.xacct(&["print", "role-hcl", "--out=live/link.tf"]).exits_with(0);
    tofu(environment, "init -input=false").exits_with(0);
    let planned = tofu(environment, "plan -input=false").exits_with(0).stdout;
    assert!(planned.contains(" to import, 0 to add, 0 to change, 0 to destroy."), "{planned}");
    tofu(environment, "apply -auto-approve -input=false").exits_with(0);
    tofu(environment, "plan -input=false -detailed-exitcode").exits_with(0);
    environment.xacct(&["print", "role-hcl", "--removed", "--out=live/link.tf"]).exits_with(0);
    tofu(environment, "apply -auto-approve -input=false").exits_with(0);
    assert_eq!(tofu(environment, "state list").exits_with(0).stdout, "");
    assert_eq!(accounts.everything(), before);
}

/// The backend reads its settings before it calls AWS.
#[test]
fn opentofu_reads_every_argument_of_its_version() {
    let program = match in_go("tofu") {
        Ok(program) => program,
        Err(reason) => return skip(test_name!(), &reason),
    };
    let mut environment = TestEnvironment::new();
    environment.write(
        "xacct.toml",
        "[source]\naccount = '111111111111'\nuser = 'alice'\n[targets.dev]\naccount = '222222222222'\nexternal_id = 'abc'\n\
         allow_session_tags = true\nsession_tags = { project = 'x y', team = 'z' }\nsource_identity = 'alice'\n",
    );
    let words = ["print", "backend-hcl", "--terraform-version", VERSION, "--bucket=b-1", "--region=eu-west-1"];
    let printed = environment.xacct(&words).exits_with(0).stdout;
    // Nothing listens there, so the first error is that the role cannot be assumed.
    for (name, value) in [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ACCESS_KEY_ID", "any"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ] {
        environment.set(name, value);
    }
    let init = |text: &str| {
        environment
            .write("backend.tf", &text.replace("use_lockfile", "skip_credentials_validation = true\n    use_lockfile"));
        let mut init = environment.command(&program);
        init.args(["init", "-no-color", "-input=false"]);
        Output::of(init).exits_with(1)
    };
    let read = init(&printed);
    assert!(read.stderr.contains("Cannot assume IAM Role"), "{read}");
    assert!(printed.contains("cannot set a source identity") && !printed.contains("source_identity ="), "{printed}");
    // An argument that it lacks would have been an error.
    let refused = init(&printed.replace("use_lockfile", "no_such_argument"));
    assert!(refused.stderr.contains("no_such_argument"), "{refused}");
}
