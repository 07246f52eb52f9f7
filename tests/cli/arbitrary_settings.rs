//! No value of an environment variable or of a key in the AWS config files makes xacct panic or hang.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use xacct::environment::{KEYS, READ_BY_SDK};

use crate::scene::Scene;

/// Every command, in a form that changes nothing.
const COMMANDS: [&str; 25] = [
    "verify --probe identity",
    "bootstrap --dry-run",
    "diagnose",
    "credentials --no-cache",
    "exec --no-cache -- true",
    "exec --server -- true",
    "teardown --all --dry-run",
    "sweep --all --dry-run",
    "who",
    "revoke --all --dry-run",
    "import arn:aws:iam::222222222222:role/other --user alice --dry-run",
    "forget --all --dry-run",
    "list --live",
    "print profile",
    "list",
    "print provider-hcl",
    "print policies",
    "print backend-hcl --bucket state",
    "print terragrunt-hcl",
    "print hcp --organization acme --workspace network",
    "print role-hcl",
    "print cloudformation",
    "help config",
    "completions bash",
    "man",
];

/// How many commands one value is tried with.
const COMMANDS_OF_ONE: usize = 1;

/// What has stopped a program before.
const VALUES: [&str; 19] = [
    "",
    " ",
    "x\n",
    "x\r",
    "legacy",
    "0",
    "-1",
    "18446744073709551616",
    "true",
    "ä€",
    "\u{7f}",
    "a b",
    "http://",
    "http://[::1",
    "https://x y/",
    "//127.0.0.1:1",
    "%zz",
    "/dev/null",
    "../../etc",
];

/// Variables that programs other than the SDK read, or libraries below it.
const OTHERS: [&str; 21] = [
    "ALL_PROXY",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_STS",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_COLOR",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "XACCT_TARGET",
    "XDG_CACHE_HOME",
];

/// The keys that the SDK or xacct reads.
const PROFILE_KEYS: [&str; 39] = [
    "account_id_endpoint_mode",
    "auth_scheme_preference",
    "aws_access_key_id",
    "aws_account_id",
    "aws_secret_access_key",
    "aws_session_token",
    "ca_bundle",
    "credential_process",
    "credential_source",
    "disable_clock_skew_correction",
    "disable_request_compression",
    "duration_seconds",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "endpoint_url",
    "external_id",
    "ignore_configured_endpoint_urls",
    "login_session",
    "max_attempts",
    "mfa_serial",
    "region",
    "request_checksum_calculation",
    "request_min_compression_size_bytes",
    "response_checksum_validation",
    "retry_mode",
    "role_arn",
    "role_session_name",
    "sdk_ua_app_id",
    "services",
    "sigv4a_signing_region_set",
    "source_profile",
    "sso_account_id",
    "sso_region",
    "sso_role_name",
    "sso_session",
    "sso_start_url",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "web_identity_token_file",
];

/// Other ways to credentials for alice, each of which reads keys that the others do not.
const WAYS: [&str; 3] = [
    "[profile alice]\nregion = us-east-1\nsso_session = s\nsso_account_id = 111111111111\nsso_role_name = r\n\
     [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n",
    "[profile alice]\nregion = us-east-1\nrole_arn = arn:aws:iam::111111111111:role/x\n\
     web_identity_token_file = xacct.toml\n",
    "[profile alice]\nregion = us-east-1\nrole_arn = arn:aws:iam::111111111111:role/x\nsource_profile = bob\n\
     duration_seconds = 900\n[profile bob]\nregion = us-east-1\n",
];

/// No run may take longer: a call may take 35 s.
const LONGEST: Duration = Duration::from_secs(90);

/// Returns [`VALUES`] and some arbitrary texts, the same in every run.
fn values() -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let arbitrary = "[^\\x00]{1,40}".prop_map(|text: String| text);
    let generated = (0..5).map(|_| arbitrary.new_tree(&mut runner).expect("a text").current());
    VALUES.into_iter().map(str::to_owned).chain(["9".repeat(5000)]).chain(generated).collect()
}

/// Returns the variables that options of xacct read.
fn variables_of_options(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            variables_of_options(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let names = text.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next());
            found.extend(names.map(str::to_owned));
        }
    }
}

/// Runs these commands, many at a time because most of them wait, and returns what was wrong with them.
fn failures(runs: Vec<(String, Command)>) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let runs: Vec<_> = runs.into_iter().map(|run| Mutex::new(Some(run))).collect();
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (what, mut command) = run.lock().unwrap().take().expect("taken once");
                    let start = Instant::now();
                    let output = command.output().expect("a run");
                    let text = String::from_utf8_lossy(&output.stderr);
                    if text.contains("panicked at") || output.status.code().is_none_or(|code| code > 5) {
                        wrong.lock().unwrap().push(format!("{what}: {:?} {text}", output.status));
                    }
                    if start.elapsed() > LONGEST {
                        wrong.lock().unwrap().push(format!("{what}: took {:?}", start.elapsed()));
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// A linked scene from which nothing reaches the network, whatever a setting says.
fn closed_scene() -> Scene {
    let mut scene = Scene::linked("");
    for name in ["HTTPS_PROXY", "AWS_EC2_METADATA_SERVICE_ENDPOINT"] {
        scene.environment.set(name, "http://127.0.0.1:1");
    }
    scene
}

fn check(runs: Vec<(String, Command)>, settings: usize) {
    let count = runs.len();
    let wrong = failures(runs);
    assert!(wrong.is_empty(), "{} of {count} runs:\n{}", wrong.len(), wrong.join("\n"));
    println!("{settings} settings, {} values, {count} runs", values().len());
}

#[test]
fn no_variable_makes_it_panic() {
    let scene = closed_scene();
    let mut names: BTreeSet<String> = READ_BY_SDK.into_iter().chain(KEYS).chain(OTHERS).map(str::to_owned).collect();
    variables_of_options(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
    let mut values: Vec<OsString> = values().into_iter().map(OsString::from).collect();
    #[cfg(unix)]
    values.push(std::os::unix::ffi::OsStringExt::from_vec(vec![b'a', 0xff]));
    let mut turn = 0;
    let mut runs = Vec::new();
    for name in &names {
        for value in &values {
            for _ in 0..COMMANDS_OF_ONE {
                let words = COMMANDS[turn % COMMANDS.len()];
                turn += 1;
                let mut command = scene.command(words);
                // One part of a key alone says nothing.
                if KEYS.contains(&&**name) {
                    for key in KEYS {
                        command.env(key, "AKIAEXAMPLE");
                    }
                }
                command.env(name, value);
                runs.push((format!("{name}={value:?} xacct {words}"), command));
            }
        }
    }
    check(runs, names.len());
}

#[test]
fn no_key_of_a_profile_makes_it_panic() {
    let scene = closed_scene();
    let usual = scene.environment.read("aws/config");
    // The token of session `s`: files are named after the a0f1490a20d0211c997b44bc357e1972deab8ae3-1 of the session.
    let token = "{\"accessToken\":\"t\",\"expiresAt\":\"2099-01-01T00:00:00Z\"}";
    scene.environment.write(".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json", token);
    let keys = scene.environment.read("aws/credentials");
    let of_alice = keys.find("[alice]").expect("alice");
    let after = of_alice + keys[of_alice..].find("\n\n").expect("others");
    scene.environment.write("aws/others", &format!("{}{}", &keys[..of_alice], &keys[after..]));
    let commands = &COMMANDS[..11];
    let mut turn = 0;
    let mut runs = Vec::new();
    for key in PROFILE_KEYS {
        for (index, value) in values().iter().enumerate() {
            let with_key = |line: &str| match line.starts_with('[') {
                true => format!("{line}\n{key} = {value}\n"),
                false => format!("{line}\n"),
            };
            let way = WAYS[(turn / 2) % WAYS.len()];
            let other = format!(
                "{way}{}",
                usual.replace("[profile alice]", "[ignored]").replace("[profile bob]", "[ignored too]")
            );
            for (base, credentials) in [(&usual, "aws/credentials"), (&other, "aws/others")] {
                let lines = base.lines().filter(|line| !line.starts_with(&format!("{key} =")));
                let file = format!("configs/{key}-{index}-{turn}");
                scene.environment.write(&file, &lines.map(with_key).collect::<String>());
                // An odd step, so that every way meets every command.
                let words = commands[turn * 3 % commands.len()];
                turn += 1;
                let mut command = scene.command(words);
                command.env("AWS_CONFIG_FILE", scene.environment.path(&file));
                command.env("AWS_SHARED_CREDENTIALS_FILE", scene.environment.path(credentials));
                runs.push((format!("{key} = {value:?} {credentials} xacct {words}"), command));
            }
        }
    }
    check(runs, PROFILE_KEYS.len());
}
