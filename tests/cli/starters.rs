//! The tests pass however they are started: by `nohup`, by a script's `&`, by a service without home or stdin, by users
//! with their own settings, and twice at once.

use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Tests that send signals, read input, write below the home directory, or depend on environment variables.
const SOME: [&str; 8] = [
    "exec::exit_code_reports_the_signal_that_killed_the_command",
    "exec::ctrl_c_reaches_the_command_once",
    "exec::forwards_signals_once_and_waits_for_the_command",
    "exec::removes_only_variables_that_override_the_session",
    "bucket_cleanup::sighup_while_deleting_the_bucket",
    "bucket_cleanup::ctrl_c_before_creating_a_bucket",
    "help::suggests_commands_and_options_for_typos",
    "terminal::yes_applies",
];

/// Variables that affect xacct, the SDK or the C library.
const SETTINGS: [(&str, &str); 12] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ("AWS_PROFILE", "nobody"),
    ("AWS_REGION", "nowhere"),
    ("AWS_SECRET_ACCESS_KEY", "none"),
    ("COLUMNS", "20"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("TERM", "xterm-256color"),
    ("TZ", "Asia/Kathmandu"),
    ("XACCT_MFA_CODE", "x"),
    ("XACCT_OUTPUT", "json"),
    ("XACCT_TARGET_ACCOUNT", "none"),
];

/// Starts these tests again, after these shell commands.
fn start(setup: &str, settings: &[(&str, &str)]) -> Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("{setup} exec \"$@\""), "sh"]);
    command.arg(std::env::current_exe().expect("this program")).arg("--exact").args(SOME);
    command.env_remove("HOME").envs(settings.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell")
}

#[track_caller]
fn assert_all_pass(tests: Child) {
    let output = tests.wait_with_output().expect("the end of the tests");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // Otherwise a wrong test name would pass unnoticed.
    let all = format!("test result: ok. {} passed", SOME.len());
    assert!(output.status.success() && stdout.contains(&all), "{stdout}\n{stderr}");
}

fn directory(name: &str) -> TempDir {
    tempfile::Builder::new().prefix(name).tempdir().expect("a temporary directory")
}

#[test]
fn tests_pass_twice_at_once_from_any_parent_process() {
    let (home, temporary) = (directory("xacct-home-"), directory("xacct test "));
    let home_path = home.path().to_str().expect("text");
    std::fs::set_permissions(home_path, PermissionsExt::from_mode(0o555)).expect("a read-only home");
    let ignoring = "trap '' HUP INT QUIT TERM CHLD USR1 USR2; exec <&-;";
    let as_a_service = start(ignoring, &[("HOME", home_path)]);
    let temporary_path = temporary.path().to_str().expect("text");
    let as_somebody = start("", &[&SETTINGS[..], &[("TMPDIR", temporary_path)]].concat());
    assert_all_pass(as_a_service);
    assert_all_pass(as_somebody);
    // root can write everywhere, so check that the tests wrote nothing there.
    for folder in [&home, &temporary] {
        let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a directory").flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
