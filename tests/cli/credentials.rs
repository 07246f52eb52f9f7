//! `xacct credentials`: session credentials in every format.

use serde_json::Value;
use xacct_sandbox::world::Session;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use crate::snapshots::assert_output;
use crate::support::Output;
use crate::support::third_party::test_name;
use crate::terminal::Terminal;

/// Returns the session with this access key, which must belong to this account.
#[track_caller]
fn session(scene: &Scene, account: &str, key: &str) -> Session {
    let found = scene.sandbox.world(|world| world.sessions().find(|session| session.key.id == key).cloned());
    let session = found.unwrap_or_else(|| panic!("no session {key}"));
    assert_eq!(session.account, account);
    session
}

/// Compares the output with a snapshot, with placeholders for its secrets.
#[track_caller]
fn shows(scene: &Scene, name: &str, words: &str) {
    let mut output = scene.xacct(words).exits_with(0);
    scene.sandbox.world(|world| {
        for session in world.sessions() {
            for (secret, shown) in
                [(&session.key.id, "KEY-ID"), (&session.key.secret, "SECRET"), (&session.token, "TOKEN")]
            {
                output.stdout = output.stdout.replace(secret, shown);
            }
        }
    });
    assert_output(name, words, &output);
}

#[test]
fn every_format() {
    let scene = Scene::linked("--external-id abc");
    for format in ["process", "env", "fish", "powershell", "json", "terragrunt"] {
        shows(&scene, &format!("credentials-{format}"), &format!("credentials --format {format} --region eu-west-1"));
    }
}

#[test]
fn the_default_is_credential_process() {
    let scene = Scene::linked("--external-id abc");
    let document = scene.xacct("credentials 222222222222").exits_with(0).json();
    let key = document["AccessKeyId"].as_str().unwrap();
    let session = session(&scene, ACCOUNT_B, key);
    assert_eq!(document["Version"], 1);
    assert_eq!(document["SessionToken"], session.token);
    assert_eq!(scene.requests("AssumeRole")[0].parameter("ExternalId"), Some("abc"));
}

#[test]
fn a_shell_can_eval_the_output() {
    let mut scene = Scene::linked("");
    scene.environment.set("AWS_PROFILE", "alice");
    scene.environment.set("XACCT", env!("CARGO_BIN_EXE_xacct"));
    let script = "eval \"$(\"$XACCT\" credentials --format env)\" && \
                  \"$XACCT\" credentials --user-profile nobody; echo \"[${AWS_PROFILE-}] $AWS_ACCESS_KEY_ID\"";
    let mut command = scene.environment.command("/bin/sh");
    command.args(["-c", script]);
    let output = Output::of(command).exits_with(0);
    let key = output.stdout.trim().strip_prefix("[] ").unwrap_or_else(|| panic!("{output}"));
    session(&scene, ACCOUNT_B, key);
}

#[test]
fn xacct_works_as_its_own_credential_process() {
    let scene = Scene::linked("");
    let xacct = env!("CARGO_BIN_EXE_xacct");
    let profile = format!("\n[profile linked]\nregion = us-east-1\ncredential_process = {xacct} credentials\n");
    scene.environment.append("aws/config", &profile);
    let words = "bootstrap --check --target-account 222222222222 --user alice --profile security-admin \
                 --target-profile linked";
    // The role has no permission to read itself, so the error comes from the role.
    let output = scene.xacct(words).exits_with(1);
    assert!(output.stderr.contains("assumed-role/xacct/alice"), "{output}");
}

#[test]
fn session_token_returns_the_users_session() {
    let scene = Scene::linked("");
    let document = scene
        .xacct(&format!("credentials --session-token --mfa-code {}", scene.sandbox.totp("alice")))
        .exits_with(0)
        .json();
    let with_mfa = session(&scene, ACCOUNT_A, document["AccessKeyId"].as_str().unwrap());
    assert!(with_mfa.mfa.is_some());
    assert_eq!(scene.requests("GetSessionToken")[0].parameter("DurationSeconds"), Some("43200"));
    assert_eq!(scene.requests("AssumeRole").len(), 0);
    let again = scene.xacct("credentials --session-token").exits_with(0).json();
    assert_eq!(again["AccessKeyId"], document["AccessKeyId"], "the session is cached");
}

#[test]
fn session_token_honors_the_duration_without_a_cache() {
    let scene = Scene::linked("");
    let words = "credentials --session-token --no-cache --mfa-session-duration 4h";
    let output = scene.xacct(words).exits_with(1).says(&["an MFA code is required", "--mfa-code CODE"]);
    assert!(!output.stderr.contains("role"), "{output}");
    scene.xacct(&format!("{words} --mfa-code {}", scene.sandbox.totp("alice"))).exits_with(0);
    assert_eq!(scene.requests("GetSessionToken")[0].parameter("DurationSeconds"), Some("14400"));
}

#[test]
fn session_token_without_mfa() {
    let scene = Scene::linked("");
    scene.environment.edit("aws/config", "mfa_serial = arn:aws:iam::111111111111:mfa/alice\n", "");
    let document: Value = scene.xacct("credentials --session-token --mfa-session-duration 1h").exits_with(0).json();
    assert!(session(&scene, ACCOUNT_A, document["AccessKeyId"].as_str().unwrap()).mfa.is_none());
    assert_eq!(scene.requests("GetSessionToken")[0].parameter("DurationSeconds"), Some("3600"));
    assert!(!scene.environment.has(".cache/xacct"));
}

#[test]
fn session_token_requires_an_access_key() {
    let mut scene = Scene::linked("");
    let document = scene.xacct("credentials").exits_with(0).json();
    for (name, field) in [
        ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
        ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
        ("AWS_SESSION_TOKEN", "SessionToken"),
    ] {
        scene.environment.set(name, document[field].as_str().unwrap());
    }
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    scene.xacct("credentials --session-token").exits_with(1).says(&["are session credentials", "--user-profile"]);
}

#[test]
fn usage_errors_send_no_requests() {
    let scene = Scene::linked("");
    for (words, wanted) in [
        ("credentials --format yaml", "invalid value 'yaml'"),
        ("credentials dev", "has no target `dev`"),
        ("credentials dev --session-token", "cannot be used with"),
        ("credentials dev --forget", "cannot be used with"),
        ("credentials --forget --session-token", "cannot be used with"),
    ] {
        let output = scene.xacct(words).exits_with(2).says(&[wanted]);
        assert_eq!(output.stdout, "");
    }
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn terminal_shows_a_warning_with_the_credentials() {
    let mut scene = Scene::linked("");
    let Some(terminal) = Terminal::start(test_name!(), &mut scene, "credentials") else {
        return;
    };
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("SecretAccessKey") && screen.contains("These credentials are secret until 2"), "{screen}");
}

/// Creates targets `dev` and `prod`, and an empty directory for each of these units.
fn units(units: &[&str]) -> Scene {
    let scene = Scene::linked("");
    scene.xacct(
        "bootstrap 333333333333 --name prod --yes --no-verify --enter-role OrganizationAccountAccessRole --external-id bcd",
    )
    .exits_with(0);
    scene.environment.edit("xacct.toml", "[targets.222222222222]", "[targets.dev]");
    for unit in units {
        scene.environment.write(&format!("{unit}/terragrunt.hcl"), "");
    }
    scene.sandbox.clear_requests();
    scene
}

/// Terragrunt runs the command in the directory of a unit.
#[test]
fn the_target_is_that_of_the_directory() {
    let scene = units(&[
        "live/dev/vpc",
        "live/prod/dev/.terragrunt-cache/prod/y",
        "live/prod",
        "live/222222222222/vpc",
        "live/shared",
    ]);
    let config = scene.environment.path("xacct.toml").display().to_string();
    let ask = |directory: &str, config: &str| {
        let mut command = scene.environment.command(env!("CARGO_BIN_EXE_xacct"));
        command.current_dir(scene.environment.path(directory));
        command.args(["--config", config, "credentials", "--target-from-directory", "--format", "json"]);
        scene.sandbox.clear_requests();
        Output::of(command)
    };
    for (directory, config, role) in [
        ("live/dev/vpc", config.as_str(), "arn:aws:iam::222222222222:role/xacct"),
        ("live/dev/vpc", "../../../xacct.toml", "arn:aws:iam::222222222222:role/xacct"),
        // The nearest counts.
        ("live/prod/dev/.terragrunt-cache/prod/y", &config, "arn:aws:iam::222222222222:role/xacct"),
        ("live/prod", &config, "arn:aws:iam::333333333333:role/xacct"),
        ("live/222222222222/vpc", &config, "arn:aws:iam::222222222222:role/xacct"),
    ] {
        ask(directory, config).exits_with(0);
        assert_eq!(scene.requests("AssumeRole")[0].parameter("RoleArn"), Some(role), "{directory}");
    }
    ask("live/shared", &config)
        .exits_with(2)
        .says(&["no directory in `live/shared` is the name or account ID of a target", "`dev`, `prod`"]);
    ask("live/dev", "xacct.toml").exits_with(2).says(&["there is no xacct.toml here", "absolute path"]);
    // Names of directories above xacct.toml are no targets.
    let text = scene.environment.read("xacct.toml");
    scene.environment.write("live/prod/dev/xacct.toml", &text);
    let inner = scene.environment.path("live/prod/dev/xacct.toml").display().to_string();
    ask("live/prod/dev/.terragrunt-cache", &inner).exits_with(2).says(&["no directory in `.terragrunt-cache`"]);
    ask("live/dev/vpc", &inner).exits_with(2).says(&["is not below that of"]);
    scene.xacct("credentials dev --target-from-directory").exits_with(2).says(&["cannot be used with"]);
}

/// What is printed works in any directory, and opens one session for all.
#[test]
fn the_printed_command_for_terragrunt_works_in_every_unit() {
    let scene = units(&["live/prod/vpc", "live/it's here/prod/db"]);
    let printed = scene.xacct("print terragrunt-hcl prod --region us-east-1").exits_with(0);
    let line = printed.stderr.lines().find_map(|line| line.trim().strip_prefix("export TG_AUTH_PROVIDER_CMD="));
    let words = shlex::split(line.unwrap_or_else(|| panic!("{printed}"))).expect("one word of a shell");
    let command = shlex::split(&words[0]).expect("words");
    for unit in ["live/prod/vpc", "live/it's here/prod/db", "live/prod/vpc"] {
        let mut run = scene.environment.command(env!("CARGO_BIN_EXE_xacct"));
        run.args(&command[1..]).current_dir(scene.environment.path(unit));
        let document = Output::of(run).exits_with(0).json();
        assert!(document["awsCredentials"]["SESSION_TOKEN"].is_string(), "{document}");
    }
    let assumed = scene.requests("AssumeRole");
    assert_eq!(assumed.len(), 1);
    assert_eq!(assumed[0].parameter("RoleArn"), Some("arn:aws:iam::333333333333:role/xacct"));
}
