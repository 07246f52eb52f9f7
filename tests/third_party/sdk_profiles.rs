//! The AWS SDKs use a link through the profiles that `xacct print profile` prints, and renew their sessions.

use std::fs;

use xacct_sandbox::Sandbox;

use crate::sdks::{self, Sdk};
use crate::support::third_party::test_name;
use crate::support::{Output, TestEnvironment};
use crate::using::sandbox;

const XACCT: &str = env!("CARGO_BIN_EXE_xacct");

/// A sandbox with alice's link, and an environment in which the program runs with profile `work`.
fn scene(link: &str) -> (Sandbox, TestEnvironment) {
    let (sandbox, mut environment) = sandbox(link);
    environment.set("PATH", &std::env::var("PATH").unwrap_or_default());
    environment.set("AWS_PROFILE", "work");
    // The SDK for Go does not use AWS_ENDPOINT_URL when it assumes the role of a profile.
    environment.set("AWS_ENDPOINT_URL_STS", sandbox.url());
    (sandbox, environment)
}

fn install_profile(environment: &TestEnvironment, options: &[&str]) {
    let arguments = ["print", "profile", "--install", "--profile-name=work", "--region=us-east-1"];
    environment.xacct(&[&arguments, options].concat()).exits_with(0);
}

fn run(environment: &TestEnvironment, program: &[String]) -> Output {
    let (name, arguments) = program.split_first().expect("a program");
    let mut command = environment.command(name);
    command.args(arguments);
    Output::of(command)
}

/// The SDK assumes the role of the printed profile itself, and again before the session expires.
#[track_caller]
fn assert_assumes_the_role(test: &str, sdk: Sdk) {
    let Some(program) = sdk.program(test) else {
        return;
    };
    let (sandbox, environment) = scene("--external-id abc");
    install_profile(&environment, &[]);
    sdks::shorten_sessions(&sandbox, 1, sdks::BRIEF);
    sdks::assert_renewed(&sandbox, &run(&environment, &program));
    let asked = sdks::asked_for_sessions(&sandbox);
    assert_eq!(asked.len(), 2, "{asked:#?}");
    for request in asked {
        let agent = request.user_agent.clone().unwrap_or_default();
        assert!(agent.starts_with(sdk.user_agent()), "{agent}");
        assert_eq!(request.parameter("ExternalId"), Some("abc"));
        assert_eq!(request.parameter("RoleSessionName"), Some("alice"));
        // The SDK for Java leaves this to STS, whose default is an hour.
        let duration = (sdk != Sdk::Java).then_some("3600");
        assert_eq!(request.parameter("DurationSeconds"), duration);
    }
}

#[test]
fn boto3_assumes_the_role_of_a_printed_profile() {
    assert_assumes_the_role(test_name!(), Sdk::Python);
}

#[test]
fn the_sdk_for_javascript_assumes_the_role_of_a_printed_profile() {
    assert_assumes_the_role(test_name!(), Sdk::JavaScript);
}

#[test]
fn the_sdk_for_go_assumes_the_role_of_a_printed_profile() {
    assert_assumes_the_role(test_name!(), Sdk::Go);
}

#[test]
fn the_sdk_for_java_assumes_the_role_of_a_printed_profile() {
    assert_assumes_the_role(test_name!(), Sdk::Java);
}

/// The SDK cannot prompt for an MFA code. It gets sessions from xacct once a code was entered, and again before a session
/// expires. Some SDKs hide why xacct failed.
#[track_caller]
fn assert_runs_credential_process(test: &str, sdk: Sdk) {
    let Some(program) = sdk.program(test) else {
        return;
    };
    let (sandbox, environment) = scene("--require-mfa --external-id abc");
    // Some SDKs run the command in a shell, others do not.
    let folder = environment.path("a $HOME b");
    fs::create_dir(&folder).expect("a directory");
    fs::rename(environment.path("xacct.toml"), folder.join("xacct.toml")).expect("a file that was moved");
    let file = format!("--config={}", folder.join("xacct.toml").display());
    install_profile(&environment, &[&file]);
    assert_ne!(run(&environment, &program).code, 0);
    sandbox.clear_requests();
    install_profile(&environment, &["--credential-process", &format!("--program={XACCT}"), &file]);

    let failed = run(&environment, &program);
    assert_ne!(failed.code, 0, "{failed}");
    assert_eq!(failed.stderr.contains("an MFA code is required"), sdk.shows_errors_of_processes(), "{failed}");
    assert_eq!(sdks::asked_for_sessions(&sandbox).len(), 0);

    let code = sandbox.totp("alice");
    environment.xacct(&[&*file, "exec", "--mfa-code", &code, "--", "/bin/true"]).exits_with(0);
    sandbox.clear_requests();
    // boto3 gets a session at the start, and uses none that expires so soon.
    let shortened = if sdk == Sdk::Python { 2 } else { 1 };
    sdks::shorten_sessions(&sandbox, shortened, sdks::BRIEF);
    sdks::assert_renewed(&sandbox, &run(&environment, &program));
    let asked = sdks::asked_for_sessions(&sandbox);
    assert_eq!(asked.len(), shortened + 1, "{asked:#?}");
    for request in asked {
        let agent = request.user_agent.clone().unwrap_or_default();
        assert!(agent.contains("app/xacct-"), "{agent}");
        assert_eq!((&*request.operation, request.parameter("ExternalId")), ("AssumeRole", Some("abc")));
    }
}

#[test]
fn boto3_runs_credential_process() {
    assert_runs_credential_process(test_name!(), Sdk::Python);
}

#[test]
fn the_sdk_for_javascript_runs_credential_process() {
    assert_runs_credential_process(test_name!(), Sdk::JavaScript);
}

#[test]
fn the_sdk_for_go_runs_credential_process() {
    assert_runs_credential_process(test_name!(), Sdk::Go);
}

#[test]
fn the_sdk_for_java_runs_credential_process() {
    assert_runs_credential_process(test_name!(), Sdk::Java);
}

/// If xacct fails, some SDKs go on with the credentials of a container, as the help says.
#[track_caller]
fn assert_goes_on_only_as_documented(test: &str, sdk: Sdk) {
    let Some(program) = sdk.program(test) else {
        return;
    };
    let (sandbox, environment) = scene("--external-id abc");
    let process = format!("{XACCT} --config /missing/xacct.toml credentials");
    environment
        .append("aws/config", &format!("\n[profile work]\nregion = us-east-1\ncredential_process = {process}\n"));
    sdks::shorten_sessions(&sandbox, 1, sdks::SERVED);
    let words: Vec<_> = program.iter().map(String::as_str).collect();
    let arguments = [&["exec", "--server", "--", "/usr/bin/env", "AWS_PROFILE=work"], &words[..]].concat();
    let output = environment.xacct(&arguments);
    match sdk.shows_errors_of_processes() {
        true => {
            assert!(output.code != 0 && output.stderr.contains("/missing/xacct.toml"), "{output}");
        }
        false => sdks::assert_renewed(&sandbox, &output),
    }
}

#[test]
fn boto3_stops_if_credential_process_fails() {
    assert_goes_on_only_as_documented(test_name!(), Sdk::Python);
}

#[test]
fn the_sdk_for_javascript_goes_on_if_credential_process_fails() {
    assert_goes_on_only_as_documented(test_name!(), Sdk::JavaScript);
}

#[test]
fn the_sdk_for_go_stops_if_credential_process_fails() {
    assert_goes_on_only_as_documented(test_name!(), Sdk::Go);
}

#[test]
fn the_sdk_for_java_goes_on_if_credential_process_fails() {
    assert_goes_on_only_as_documented(test_name!(), Sdk::Java);
}
