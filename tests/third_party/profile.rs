//! The AWS CLI and botocore read the profiles printed by `xacct print profile`.

use serde_json::{Value, json};

use crate::accounts::Accounts;
use crate::support::third_party::{self, in_venv, test_name};
use crate::support::{Output, TestEnvironment};

#[test]
fn the_aws_cli_works_with_a_printed_profile() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--generate-external-id", "--max-session-duration=2h"]).exits_with(0);
    let environment = &accounts.environment;
    let arguments = ["print", "profile", "--profile-name=work", "--region=eu-west-1"];
    environment.append(".aws/config", &environment.xacct(&arguments).exits_with(0).stdout);
    let mut aws = environment.command(in_venv("aws").expect("what the accounts had"));
    aws.args(["sts", "get-caller-identity", "--profile", "work", "--output", "json"]);
    let identity = Output::of(aws).exits_with(0).json();
    let session = format!("arn:aws:sts::{}:assumed-role/xacct/alice", accounts.target.id);
    assert_eq!(identity["Arn"], session.as_str());
}

/// The output goes into the config file as printed, and the AWS CLI runs xacct from it.
#[test]
fn the_aws_cli_works_with_a_credential_process_profile() {
    let Some(accounts) = Accounts::for_test(test_name!()) else {
        return;
    };
    accounts.bootstrap(&["--generate-external-id"]).exits_with(0);
    let environment = &accounts.environment;
    let program = concat!("--program=", env!("CARGO_BIN_EXE_xacct"));
    let arguments = ["print", "profile", "--profile-name=work", "--credential-process", program, "--region=eu-west-1"];
    environment.append(".aws/config", &environment.xacct(&arguments).exits_with(0).stdout);
    let mut aws = environment.command(in_venv("aws").expect("what the accounts had"));
    aws.args(["sts", "get-caller-identity", "--profile", "work", "--output", "json"]);
    // In another directory than that of xacct.toml.
    environment.write("elsewhere/file", "");
    aws.current_dir(environment.path("elsewhere"));
    let identity = Output::of(aws).exits_with(0).json();
    let session = format!("arn:aws:sts::{}:assumed-role/xacct/alice", accounts.target.id);
    assert_eq!(identity["Arn"], session.as_str());
}

/// Prints the profiles of a config file as botocore parses them.
const READ: &str = "
import json, sys
from botocore.configloader import load_config
from botocore.compat import compat_shell_split
profiles = load_config(sys.argv[1])['profiles']
for profile in profiles.values():
    if 'credential_process' in profile:
        profile['credential_process'] = compat_shell_split(profile['credential_process'])
print(json.dumps(profiles))
";

fn read(environment: &TestEnvironment, text: &str) -> Option<Value> {
    let python = match in_venv("python") {
        Ok(python) => python,
        Err(reason) => {
            third_party::skip(test_name!(), &reason);
            return None;
        }
    };
    environment.write("config", text);
    let mut command = environment.command(python);
    command.args(["-c", READ, "config"]);
    Some(Output::of(command).exits_with(0).json())
}

#[test]
fn botocore_reads_every_allowed_character() {
    let environment = TestEnvironment::new();
    environment.write(
        "xacct.toml",
        r##"
        [source]
        account = "111111111111"
        user = "a+b=c,d.e@f_g-1"
        user_profile = "_-/.%@:+"

        [targets.default]
        account = "222222222222"
        role = "+=,.@-_"
        role_path = "/#;%(x)s/${path}/[default]/\"'\\/"
        external_id = "aZ09_+=,.@:/-"
        max_session_duration = "12h"
        require_mfa = true

        [targets."2nd it is [x] #1"]
        account = "333333333333"
        "##,
    );
    let printed = environment.xacct(&["print", "profile"]).exits_with(0).stdout;
    let Some(profiles) = read(&environment, &printed) else {
        return;
    };
    let expected = json!({
        "default": {
            "role_arn": "arn:aws:iam::222222222222:role/#;%(x)s/${path}/[default]/\"'\\/+=,.@-_",
            "source_profile": "_-/.%@:+",
            "external_id": "aZ09_+=,.@:/-",
            "mfa_serial": "arn:aws:iam::111111111111:mfa/a+b=c,d.e@f_g-1",
            "role_session_name": "a+b=c,d.e@f_g-1",
            "duration_seconds": "43200",
        },
        "2nd-it-is--x---1": {
            "role_arn": "arn:aws:iam::333333333333:role/xacct",
            "source_profile": "_-/.%@:+",
            "role_session_name": "a+b=c,d.e@f_g-1",
            "duration_seconds": "3600",
        },
    });
    assert_eq!(profiles, expected);
}

#[test]
fn botocore_parses_the_credential_process_command() {
    let environment = TestEnvironment::new();
    environment.write("it's one.toml", "[targets.'a b']\naccount = '222222222222'\n");
    let arguments = ["print", "profile", "--credential-process", "--program=my $HOME/xacct", "--config=it's one.toml"];
    let printed = environment.xacct(&arguments).exits_with(0).stdout;
    let Some(profiles) = read(&environment, &printed) else {
        return;
    };
    let path = |file: &str| environment.path(file).display().to_string();
    let (program, config) = (path("my $HOME/xacct"), path("it's one.toml"));
    let words = json!([program, "--config", config, "credentials", "a b", "--format", "process"]);
    assert_eq!(profiles["a-b"]["credential_process"], words);
}
