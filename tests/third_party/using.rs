//! Other programs use the link: through credential_process, exec, and shell variables. The AWS CLI also shows how
//! profiles and network settings must be interpreted.

use std::path::{Path, PathBuf};

use xacct_sandbox::{RecordedRequest, Sandbox};

use crate::accounts::{Accounts, REGION, string};
use crate::support::third_party::{in_venv, skip, test_name};
use crate::support::{Output, Proxy, TestEnvironment};

const XACCT: &str = env!("CARGO_BIN_EXE_xacct");

/// Returns a program of the venv; `None`, counted as skipped, if it is missing.
pub fn program(test: &str, name: &str) -> Option<PathBuf> {
    in_venv(name).map_err(|reason| skip(test, &reason)).ok()
}

/// Returns the identity that a program reports.
#[track_caller]
fn identity(environment: &TestEnvironment, program: &Path, arguments: &[&str]) -> String {
    let mut command = environment.command(program);
    command.args(arguments);
    string(&Output::of(command).exits_with(0).json()["Arn"]).to_owned()
}

/// Adds a profile `linked` with xacct as credential_process.
fn linked_profile(environment: &TestEnvironment, file: &str, options: &str) {
    let config = environment.path("xacct.toml").display().to_string();
    let profile = format!(
        "\n[profile linked]\nregion = {REGION}\ncredential_process = \"{XACCT}\" --config \"{config}\" credentials {options}\n"
    );
    environment.append(file, &profile);
}

#[test]
fn the_aws_cli_uses_the_link_through_credential_process_and_exec() {
    let (Some(mut accounts), Some(aws)) = (Accounts::for_test(test_name!()), program(test_name!(), "aws")) else {
        return;
    };
    accounts.bootstrap(&["--generate-external-id"]).exits_with(0);
    let wanted = format!("arn:aws:sts::{}:assumed-role/xacct/alice", accounts.target.id);
    linked_profile(&accounts.environment, ".aws/config", "");
    let who = ["sts", "get-caller-identity", "--output", "json"];
    assert_eq!(identity(&accounts.environment, &aws, &[&who[..], &["--profile", "linked"]].concat()), wanted);

    // Other variables in the environment have no effect.
    accounts.environment.set("AWS_PROFILE", "security-admin");
    let aws = aws.display().to_string();
    let arguments = [&["exec", &accounts.target.id, "--", &aws][..], &who].concat();
    assert_eq!(identity(&accounts.environment, Path::new(XACCT), &arguments), wanted);
}

#[test]
fn boto3_reads_when_a_session_expires() {
    let (Some(accounts), Some(python)) = (Accounts::for_test(test_name!()), program(test_name!(), "python")) else {
        return;
    };
    let mut import = accounts.environment.command(&python);
    if Output::of({
        import.args(["-c", "import boto3"]);
        import
    })
    .code
        != 0
    {
        return skip(test_name!(), "there is no boto3 in the venv");
    }
    accounts.bootstrap(&["--generate-external-id"]).exits_with(0);
    linked_profile(&accounts.environment, ".aws/config", "");
    let script = "import boto3, json\n\
                  session = boto3.Session(profile_name='linked')\n\
                  answer = session.client('sts').get_caller_identity()\n\
                  left = session.get_credentials()._seconds_remaining()\n\
                  print(json.dumps({'Arn': answer['Arn'], 'Left': left}))";
    let mut command = accounts.environment.command(&python);
    command.args(["-c", script]);
    let answer = Output::of(command).exits_with(0).json();
    assert_eq!(string(&answer["Arn"]), format!("arn:aws:sts::{}:assumed-role/xacct/alice", accounts.target.id));
    assert!((3500.0..=3600.0).contains(&answer["Left"].as_f64().unwrap_or_default()), "{answer}");
}

/// A sandbox with alice's link, and an environment.
pub fn sandbox(options: &str) -> (Sandbox, TestEnvironment) {
    let sandbox = Sandbox::start();
    let mut environment = TestEnvironment::new();
    let folder = environment.path("aws");
    sandbox.write_aws_files(&folder).expect("the AWS config files");
    for (name, value) in sandbox.environment(&folder) {
        environment.set(&name, &value);
    }
    let words = format!(
        "bootstrap --yes --no-verify --target-account 222222222222 --user alice --user-profile alice \
         --profile security-admin --target-profile dev-admin {options}"
    );
    environment.xacct(&words.split_whitespace().collect::<Vec<_>>()).exits_with(0);
    sandbox.clear_requests();
    (sandbox, environment)
}

#[test]
fn the_aws_cli_uses_the_cached_mfa_session() {
    let Some(aws) = program(test_name!(), "aws") else {
        return;
    };
    let (sandbox, environment) = sandbox("--require-mfa --external-id abc");
    linked_profile(&environment, "aws/config", "");
    let who = ["sts", "get-caller-identity", "--output", "json", "--profile", "linked"];
    let mut without = environment.command(&aws);
    without.args(who);
    let without = Output::of(without);
    assert!(without.code != 0 && without.stderr.contains("--mfa-code"), "{without}");
    environment.xacct(&["exec", "--mfa-code", &sandbox.totp("alice"), "--", "/bin/true"]).exits_with(0);
    assert_eq!(identity(&environment, &aws, &who), "arn:aws:sts::222222222222:assumed-role/xacct/alice");
}

/// Returns the parameters of an AssumeRole request.
fn asked(requests: &[RecordedRequest]) -> Vec<Vec<Option<String>>> {
    let names = ["RoleArn", "ExternalId", "DurationSeconds", "SerialNumber"];
    let assumed = requests.iter().filter(|request| request.operation == "AssumeRole");
    assumed.map(|request| names.iter().map(|name| request.parameter(name).map(str::to_owned)).collect()).collect()
}

#[test]
fn resolves_profiles_like_the_aws_cli() {
    let Some(aws) = program(test_name!(), "aws") else {
        return;
    };
    let organization = "role_arn = arn:aws:iam::222222222222:role/OrganizationAccountAccessRole";
    let keys = |name: &str| {
        let key = xacct_sandbox::world::ADMIN_A;
        format!("[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret)
    };
    let cases = [
        format!(
            "[profile A]\n{organization}\nsource_profile = security-admin\nduration_seconds = 1800\nexternal_id = abc"
        ),
        format!("[profile A]\n{organization}\nsource_profile = security-admin\nexternal_id = abc"),
        format!(
            "[profile A]\n{organization}\nsource_profile = A\nduration_seconds = 1800\n{}",
            keys("profile A").split_once('\n').unwrap().1
        ),
        format!("[profile A]\n{organization}\nsource_profile = B\nduration_seconds = 900\n{}", keys("profile B")),
        format!(
            "[profile A]\n{organization}\nsource_profile = B\nduration_seconds = 900\n{}\
             role_arn = arn:aws:iam::222222222222:role/never\nsource_profile = A",
            keys("profile B")
        ),
        format!(
            "[profile A]\n{organization}\nsource_profile = B\nduration_seconds = 900\n[profile B]\n{organization}\nsource_profile = A"
        ),
        format!("[profile A]\n{organization}\nsource_profile = nobody\nduration_seconds = 900"),
        format!("[profile A]\n{organization}\nduration_seconds = 900"),
    ];
    for case in cases {
        let (sandbox, environment) = sandbox("");
        environment.append("aws/config", &format!("\n{case}\n"));
        let mut cli = environment.command(&aws);
        cli.args(["sts", "get-caller-identity", "--profile", "A", "--region", "us-east-1"]);
        let cli = Output::of(cli);
        let by_cli = asked(&sandbox.requests());
        sandbox.clear_requests();
        let words = "bootstrap --dry-run --target-account 222222222222 --user alice --target-profile A --profile security-admin";
        let xacct = environment.xacct(&words.split_whitespace().collect::<Vec<_>>());
        assert_eq!(asked(&sandbox.requests()), by_cli, "{case}\n{cli}\n{xacct}");
        assert_eq!(xacct.code == 0, cli.code == 0, "{case}\n{cli}\n{xacct}");
    }
}

#[test]
fn uses_the_same_network_settings_as_the_aws_cli() {
    let Some(aws) = program(test_name!(), "aws") else {
        return;
    };
    // PROXY is the URL of a proxy, HOST its destination, PORT that of the sandbox.
    let cases: &[&[(&str, &str)]] = &[
        &[],
        &[("HTTP_PROXY", "PROXY")],
        &[("http_proxy", "PROXY")],
        &[("HTTP_PROXY", "HOST")],
        &[("HTTPS_PROXY", "PROXY")],
        &[("ALL_PROXY", "PROXY")],
        &[("HTTP_PROXY", "")],
        &[("HTTP_PROXY", "PROXY"), ("http_proxy", "")],
        &[("HTTP_PROXY", "http://127.0.0.1:1"), ("http_proxy", "PROXY")],
        &[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "127.0.0.1")],
        &[("HTTP_PROXY", "PROXY"), ("no_proxy", "127.0.0.1")],
        &[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "127.0.0.1"), ("no_proxy", "")],
        &[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "127.0.0.1:PORT")],
        &[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "example.com, 127.0.0.1")],
        &[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "example.com")],
        &[("HTTP_PROXY", "PROXY"), ("NO_PROXY", "*")],
    ];
    for case in cases {
        let (sandbox, mut environment) = sandbox("");
        let proxy = Proxy::start(true);
        for (name, value) in *case {
            let host = proxy.url().replace("http://", "");
            let value = value.replace("PROXY", &proxy.url()).replace("HOST", &host);
            environment.set(name, &value.replace("PORT", &sandbox.port().to_string()));
        }
        let mut cli = environment.command(&aws);
        cli.args(["sts", "get-caller-identity", "--profile", "alice"]);
        let cli = Output::of(cli);
        let by_cli = proxy.asked().len();
        let xacct = environment.xacct(&["credentials"]);
        let by_xacct = proxy.asked().len() - by_cli;
        assert_eq!((xacct.code == 0, by_xacct > 0), (cli.code == 0, by_cli > 0), "{case:?}\n{cli}\n{xacct}");
    }
}

#[test]
fn shells_eval_the_printed_credentials() {
    for (shell, format, script) in [
        ("bash", "env", "eval \"$(XACCT credentials --format env)\"; echo \"[$AWS_PROFILE]\"; XACCT_SAYS"),
        ("fish", "fish", "XACCT credentials --format fish | source; echo \"[$AWS_PROFILE]\"; XACCT_SAYS"),
        (
            "pwsh",
            "powershell",
            "XACCT credentials --format powershell | Out-String | Invoke-Expression; \"[$Env:AWS_PROFILE]\"; XACCT_SAYS",
        ),
    ] {
        let (sandbox, mut environment) = sandbox("--external-id abc");
        environment.set("PATH", "/usr/local/bin:/usr/bin:/bin");
        environment.set("AWS_PROFILE", "bob");
        let script = script.replace("XACCT_SAYS", "/usr/bin/env").replace("XACCT", XACCT);
        let mut command = environment.command(shell);
        command.args(["-c", &script]);
        if environment.command(shell).arg("--version").output().is_err() {
            skip(test_name!(), &format!("there is no {shell}"));
            continue;
        }
        let output = Output::of(command).exits_with(0);
        assert!(output.stdout.starts_with("[]"), "{output}");
        let value = |name: &str| {
            let line = output.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("{name}, {format}: {output}")).to_owned()
        };
        let (key, token) = (value("AWS_ACCESS_KEY_ID"), value("AWS_SESSION_TOKEN"));
        assert!(sandbox.world(|world| world.sessions().any(|session| session.key.id == key && session.token == token)));
    }
}
