//! `xacct exec` runs a command with a session, transparently.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use xacct_sandbox::world::ALICE;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_B, Scene};
use crate::support::third_party::{skip, test_name};
use crate::support::{Output, Running};
use crate::terminal::Terminal;

/// Returns the environment variables of a command.
#[track_caller]
fn variables(scene: &Scene, options: &str) -> BTreeMap<String, String> {
    let output = scene.xacct(&format!("exec {options} -- /usr/bin/env")).exits_with(0);
    let lines = output.stdout.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Runs `xacct exec` with a script for `sh -c`.
fn run(scene: &Scene, script: &str) -> Output {
    run_with(scene, "", script)
}

/// Does the same with options.
fn run_with(scene: &Scene, options: &str, script: &str) -> Output {
    let mut command = scene.command(&format!("exec {options} -- /bin/sh -c"));
    command.arg(script);
    Output::of(command)
}

#[test]
fn the_command_gets_the_role_session() {
    let scene = Scene::linked("--external-id abc");
    let seen = variables(&scene, "--region eu-west-1");
    let session = scene.sandbox.world(|world| {
        world.sessions().find(|session| session.key.id == seen["AWS_ACCESS_KEY_ID"]).cloned().expect("the session")
    });
    assert_eq!(session.account, ACCOUNT_B);
    assert_eq!(seen["AWS_SECRET_ACCESS_KEY"], session.key.secret);
    assert_eq!(seen["AWS_SESSION_TOKEN"], session.token);
    assert_eq!([&seen["AWS_REGION"], &seen["AWS_DEFAULT_REGION"]], ["eu-west-1", "eu-west-1"]);
    assert!(seen["AWS_CREDENTIAL_EXPIRATION"].ends_with('Z'), "{seen:?}");
}

#[test]
fn warns_of_terraform_files_that_assume_the_same_role() {
    let scene = Scene::linked("");
    let provider = scene.xacct("print-provider-hcl").exits_with(0).stdout;
    let warning = "provider.tf assumes role xacct of 222222222222";
    let says = |options: &str| {
        let output = run_with(&scene, options, "true # terraform").exits_with(0);
        output.stderr.matches(warning).count()
    };
    assert_eq!(says(""), 0);
    scene.environment.write("provider.tf", &provider);
    assert_eq!((says(""), says("--quiet")), (1, 1));
    scene.xacct("exec -- /usr/bin/env").exits_with(0).stderr.contains(warning).then(|| panic!("not Terraform"));
    // Every form that xacct prints.
    for (words, file) in
        [("print backend-hcl --bucket state", "backend.tf"), ("print terragrunt-hcl", "terragrunt.hcl")]
    {
        let scene = Scene::linked("");
        scene.environment.write(file, &scene.xacct(words).exits_with(0).stdout);
        run_with(&scene, "", "true").exits_with(0).says(&[&format!("{file} assumes role xacct"), "without xacct exec"]);
    }
}

#[test]
fn removes_only_variables_that_override_the_session() {
    let mut scene = Scene::linked("");
    let stale = [
        ("AWS_PROFILE", "alice"),
        ("AWS_DEFAULT_PROFILE", "alice"),
        ("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/other"),
        ("AWS_ROLE_SESSION_NAME", "other"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
        ("AWS_SECURITY_TOKEN", "old"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "x"),
        ("AWS_ACCOUNT_ID", "111111111111"),
        ("XACCT_MFA_CODE", "123456"),
        ("AWS_ACCESS_KEY", "AKIAOLD"),
        ("AWS_SECRET_KEY", "old"),
        ("SECRET_ACCESS_KEY", "old"),
        ("AMAZON_ACCESS_KEY_ID", "AKIAOLD"),
        ("AMAZON_SECRET_ACCESS_KEY", "old"),
        ("AMAZON_SESSION_TOKEN", "old"),
        ("AWS_BEARER_TOKEN_BEDROCK", "old"),
        ("AWS_BEARER_TOKEN_OF_TOMORROW", "old"),
        ("AWS_SOMETHING_NEW", "old"),
    ];
    let kept =
        [("AWS_ACCESS_KEY_ID", ALICE.id), ("TF_VAR_x", "1"), ("AWS_SDK_LOAD_CONFIG", "1"), ("AWS_CA_BUNDLE", "")];
    let settings = [
        ("AWS_PAGER", ""),
        ("AWS_CLI_AUTO_PROMPT", "off"),
        ("AWS_MAX_ATTEMPTS", "3"),
        ("AWS_SDK_UA_APP_ID", "x"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    ];
    for (name, value) in stale.into_iter().chain(kept).chain(settings) {
        scene.environment.set(name, value);
    }
    let seen = variables(&scene, "");
    for (name, _) in stale {
        assert!(!seen.contains_key(name), "{name}");
    }
    assert_ne!(seen["AWS_ACCESS_KEY_ID"], ALICE.id);
    for (name, value) in settings {
        assert_eq!(seen[name], value, "{name}");
    }
    // A shell that takes the session over has no more than that.
    scene.environment.set("XACCT", env!("CARGO_BIN_EXE_xacct"));
    let mut command = scene.environment.command("/bin/sh");
    command.args(["-c", "eval \"$(\"$XACCT\" credentials --format env)\" && env"]);
    let output = Output::of(command).exits_with(0);
    for (name, _) in stale.iter().filter(|(name, _)| *name != "XACCT_MFA_CODE") {
        assert!(!output.stdout.contains(&format!("\n{name}=")), "{name}: {output}");
    }
    for format in ["fish", "powershell"] {
        let output = scene.xacct(&format!("credentials --format {format}")).exits_with(0);
        let first = output.stdout.lines().next().unwrap_or_default();
        for (name, _) in stale.iter().filter(|(name, _)| *name != "XACCT_MFA_CODE") {
            assert!(first.contains(name), "{name}: {first}");
        }
    }
    for name in ["TF_VAR_x", "AWS_SDK_LOAD_CONFIG", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "HOME"] {
        assert!(seen.contains_key(name), "{name}");
    }
}

#[test]
fn a_session_of_another_role_is_not_handed_over() {
    for words in ["exec -- /usr/bin/env", "credentials", "credentials --format env", "exec --cache -- /usr/bin/env"] {
        let scene = Scene::linked("");
        scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::OtherRole));
        let output = scene.xacct(words).exits_with(1).says(&["assumed-role/not-xacct", "was asked for"]);
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn sets_no_region_unless_configured() {
    let scene = Scene::linked("");
    scene.environment.edit("aws/config", "[profile alice]\nregion = us-east-1\n", "[profile alice]\n");
    scene.environment.edit("xacct.toml", "region = \"us-east-1\"\n", "");
    let seen = variables(&scene, "");
    assert!(!seen.contains_key("AWS_REGION") && !seen.contains_key("AWS_DEFAULT_REGION"), "{seen:?}");
}

#[test]
fn returns_the_exit_code_of_the_command() {
    let scene = Scene::linked("");
    for (script, code) in [
        ("exit 0", 0),
        ("exit 42", 42),
        ("exit 3", 3),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("kill -PIPE $$", 141),
    ] {
        run(&scene, script).exits_with(code);
    }
    scene.xacct("exec -- /no/such/command").exits_with(127).says(&["cannot run `/no/such/command`"]);
    scene.xacct("exec -- no-such-command").exits_with(127);
    let too_long = scene.xacct("exec --duration 12h -- /bin/true").exits_with(1);
    assert_eq!(too_long.stderr.matches("request a shorter session").count(), 1, "{too_long}");
    too_long.says(&["request a shorter session: --duration 1h", "--max-session-duration 12h"]);
    scene.environment.write("plain", "text");
    scene.xacct("exec -- ./plain").exits_with(126).says(&["cannot run `./plain`"]);
}

#[test]
fn passes_streams_through_and_shows_the_expiry_on_stderr() {
    let scene = Scene::linked("");
    let mut command = scene.command("exec -- /bin/sh -c");
    command.arg("cat; echo said >&2").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("xacct");
    child.stdin.take().expect("stdin").write_all(b"typed\n\xff").expect("a reader");
    let output = child.wait_with_output().expect("the end");
    assert_eq!(output.stdout, b"typed\n\xff");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("Using a session of role xacct in 222222222222 that expires at 2"), "{stderr}");
    assert!(stderr.ends_with("said\n"), "{stderr}");
}

#[test]
fn session_duration_is_the_maximum_or_as_requested() {
    let scene = Scene::linked("--max-session-duration 4h");
    for (options, seconds) in [("", "14400"), ("--duration 30m", "1800")] {
        scene.sandbox.clear_requests();
        scene.xacct(&format!("exec {options} -- /bin/true")).exits_with(0);
        assert_eq!(scene.requests("AssumeRole")[0].parameter("DurationSeconds"), Some(seconds));
    }
}

#[test]
fn a_broken_link_runs_no_command_and_suggests_diagnose() {
    let scene = Scene::linked("--external-id abc");
    scene.environment.edit("xacct.toml", "\"abc\"", "\"wrong\"");
    let output = run(&scene, "echo ran > ran").exits_with(3);
    output.says(&[
        "cannot assume `arn:aws:iam::",
        "returned AccessDenied",
        "hint: find out why: xacct diagnose 222222222222",
    ]);
    assert!(!scene.environment.has("ran"));
}

#[test]
fn does_not_try_credentials_of_an_unknown_principal() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.xacct("exec -- /bin/true").exits_with(1).says(&["do not belong to user `alice`", "--user-profile"]);
    assert_eq!(scene.requests("AssumeRole").len(), 0);
}

#[test]
fn usage_errors_send_no_requests() {
    let scene = Scene::new();
    scene.xacct("exec -- /bin/true").exits_with(2).says(&["there is no xacct.toml here"]);
    let targets = "[source]\nuser = \"alice\"\n[targets.dev]\naccount = \"222222222222\"\n[targets.prod]\naccount = \"333333333333\"\n";
    scene.environment.write("xacct.toml", targets);
    for (words, wanted) in [
        ("exec dev", "a shell needs a terminal"),
        ("exec dev --", "COMMAND"),
        ("exec dev prod -- /bin/true", "unexpected argument"),
        ("exec -- /bin/true", "a session needs exactly one target, but these are selected: dev, prod"),
        ("exec test -- /bin/true", "has no target `test`"),
        ("exec dev --duration 5m -- /bin/true", "is less than 15m"),
        ("exec dev --mfa-session-duration 1 -- /bin/true", "has no unit"),
        ("exec dev --mfa-code 12 -- /bin/true", "has 2 digits"),
        ("exec dev --cache --no-cache -- /bin/true", "conflict"),
    ] {
        scene.xacct(words).exits_with(2).says(&[wanted]);
    }
    assert!(scene.sandbox.requests().is_empty());
}

/// Everything from the second word on is the command, whatever looks like an option of `exec` in it.
#[test]
fn the_command_needs_no_dashes_after_a_target() {
    let scene = Scene::linked("");
    for words in [
        "exec 222222222222 /bin/echo --region x -v --help",
        "exec --duration 1h 222222222222 /bin/echo --region x -v --help",
        "--config xacct.toml exec 222222222222 --no-cache /bin/echo --region x -v --help",
        "exec 222222222222 -- /bin/echo --region x -v --help",
    ] {
        assert_eq!(scene.xacct(words).exits_with(0).stdout, "--region x -v --help\n", "{words}");
    }
    // What is no target may be a command.
    let output = scene.xacct("exec aws s3 ls --recursive").exits_with(2);
    output.says(&["has no target `aws`", "hint: or, if it is the command: xacct exec -- aws s3 ls --recursive"]);
}

/// A script that prints the signals it receives, until a file `enough` exists.
const LISTENER: &str = "for name in INT TERM HUP QUIT USR1 USR2; do trap \"echo $name\" $name; done; echo ready; \
                        while [ ! -e enough ]; do /bin/sleep 0.05; done; exit 5";

/// Starts a command and waits until it is ready.
#[track_caller]
fn start(command: Command) -> Running {
    let running = Running::start(command);
    assert_eq!(running.line().as_deref(), Some("ready"));
    running
}

/// Starts `xacct exec` with the listener and waits until it is ready.
#[track_caller]
fn listening(scene: &Scene) -> Running {
    let mut command = scene.command("exec -- /bin/sh -c");
    command.arg(LISTENER);
    start(command)
}

#[test]
fn forwards_signals_once_and_waits_for_the_command() {
    let scene = Scene::linked("");
    let mut running = listening(&scene);
    for (signal, name) in [
        (Signal::INT, "INT"),
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
        (Signal::INT, "INT"),
    ] {
        running.signal(signal);
        assert_eq!(running.line().as_deref(), Some(name));
    }
    scene.environment.write("enough", "");
    assert_eq!(running.line(), None, "no signal arrived twice");
    running.ended().exits_with(5);
}

#[test]
fn inherits_ignored_signals() {
    let scene = Scene::linked("");
    for (signal, name) in [(Signal::HUP, "HUP"), (Signal::INT, "INT"), (Signal::USR1, "USR1")] {
        let mut command = scene.environment.command("/bin/sh");
        let line = "exec \"$0\" exec -- /bin/sh -c 'echo ready; exec /bin/sleep 30'";
        command.args(["-c", &format!("trap '' {name}; {line}"), env!("CARGO_BIN_EXE_xacct")]);
        let mut running = start(command);
        running.signal(signal);
        std::thread::sleep(Duration::from_millis(200));
        running.signal(Signal::TERM);
        running.ended().exits_with(143);
    }
    // The same for xacct itself, before it starts the command.
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Delay(Duration::from_millis(500))));
    scene.sandbox.clear_requests();
    let mut command = scene.environment.command("/bin/sh");
    let line = "exec \"$0\" exec -- /bin/true";
    command.args(["-c", &format!("trap '' HUP; {line}"), env!("CARGO_BIN_EXE_xacct")]);
    let mut running = Running::start(command);
    scene.wait_for("AssumeRole");
    running.signal(Signal::HUP);
    running.ended().exits_with(0);
}

#[test]
fn knows_the_exit_code_even_if_sigchld_is_ignored() {
    let scene = Scene::linked("");
    let mut command = scene.environment.command("/bin/sh");
    command.args(["-c", "trap '' CHLD; exec \"$0\" exec -- /bin/sh -c 'exit 7'", env!("CARGO_BIN_EXE_xacct")]);
    Output::of(command).exits_with(7);
}

#[test]
fn exit_code_reports_the_signal_that_killed_the_command() {
    let scene = Scene::linked("");
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129), (Signal::USR1, 138)] {
        let mut command = scene.command("exec -- /bin/sh -c");
        command.arg("echo ready; exec /bin/sleep 30");
        let mut running = start(command);
        running.signal(signal);
        running.ended().exits_with(code);
    }
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let mut scene = Scene::linked("");
    scene.environment.write("listen.sh", LISTENER);
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "exec -- /bin/sh listen.sh") else {
        return;
    };
    terminal.answer("ready", 1, "\u{3}");
    terminal.answer("INT", 1, "\u{1c}");
    terminal.answer("QUIT", 1, "");
    // A second signal would have arrived by now.
    std::thread::sleep(Duration::from_millis(300));
    scene.environment.write("enough", "");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(5), "{screen}");
    assert_eq!(screen.matches("INT").count(), 1, "{screen}");
    assert_eq!(screen.matches("QUIT").count(), 1, "{screen}");
}

#[test]
fn leaves_ctrl_c_to_the_terminal() {
    let mut scene = Scene::linked("");
    scene.environment.write("listen.sh", LISTENER);
    // The command has its own session, so it gets no signals from the terminal, only from xacct.
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "exec -- setsid /bin/sh listen.sh") else {
        return;
    };
    terminal.answer("ready", 1, "\u{3}");
    terminal.answer("ready", 1, "\u{1c}");
    std::thread::sleep(Duration::from_millis(500));
    scene.environment.write("enough", "");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(5), "{screen}");
    assert!(!screen.contains("INT") && !screen.contains("QUIT"), "{screen}");
}

#[test]
fn forwards_signals_sent_only_to_xacct_on_a_terminal() {
    let mut scene = Scene::linked("");
    scene.environment.write("listen.sh", &format!("echo parent $PPID.; {LISTENER}"));
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "exec -- /bin/sh listen.sh") else {
        return;
    };
    terminal.answer("ready", 1, "");
    let screen = terminal.screen();
    let parent = screen.split("parent ").nth(1).and_then(|rest| rest.split('.').next()).expect("a number").to_owned();
    assert!(Command::new("kill").args(["-INT", &parent]).status().is_ok_and(|status| status.success()));
    terminal.answer("INT", 1, "");
    scene.environment.write("enough", "");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(5), "{screen}");
    assert_eq!(screen.matches("INT").count(), 1, "{screen}");
}

#[test]
fn ctrl_c_before_the_command_starts_stops_xacct() {
    let scene = Scene::linked("");
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Hang));
    let mut command = scene.command("exec -- /bin/sh -c");
    command.arg("echo ran > ran");
    let mut running = Running::start(command);
    scene.wait_for("AssumeRole");
    running.signal(Signal::INT);
    running.ended().exits_with(130);
    assert!(!scene.environment.has("ran"));
}

#[test]
fn prompts_for_a_code_and_leaves_further_input_to_the_command() {
    let mut scene = Scene::linked("--require-mfa --no-verify");
    let code = scene.sandbox.totp("alice");
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "exec -- /usr/bin/head -n 1") else {
        return;
    };
    terminal.answer("MFA code for arn:aws:iam::111111111111:mfa/alice:", 1, &format!("{code}\n"));
    terminal.answer("Using a session of role xacct", 1, "for the command\n");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("for the command"), "{screen}");
}

/// Starts Terraform with a built-in provider; `None`, counted as skipped, if Terraform is not installed.
fn terraform(test: &str, scene: &mut Scene) -> Option<Terminal> {
    scene.environment.write(
        "main.tf",
        "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    command = \"echo at-work; sleep 5\"\n  }\n}\n",
    );
    scene.environment.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    scene.environment.set("CHECKPOINT_DISABLE", "1");
    let init = scene.environment.command("terraform").args(["init", "-input=false"]).output();
    if !init.is_ok_and(|init| init.status.success()) {
        skip(test, "terraform is not installed");
        return None;
    }
    let mut terminal = Terminal::start(test, scene, "exec -- terraform apply -auto-approve -no-color")?;
    terminal.answer("(local-exec): at-work", 1, "");
    Some(terminal)
}

#[test]
fn terraform_receives_one_interrupt() {
    for by_keyboard in [true, false] {
        let mut scene = Scene::linked("");
        let Some(mut terminal) = terraform(test_name!(), &mut scene) else {
            return;
        };
        if by_keyboard {
            terminal.answer("at-work", 1, "\u{3}");
        } else {
            let xacct = terminal.program();
            assert!(Command::new("kill").args(["-INT", &xacct]).status().is_ok_and(|status| status.success()));
        }
        let (code, screen) = terminal.ended();
        assert_eq!(code, Some(1), "{screen}");
        assert_eq!(screen.matches("Interrupt received").count(), 1, "{screen}");
        assert!(screen.contains("Gracefully shutting down") && !screen.contains("Two interrupts"), "{screen}");
    }
}

#[test]
fn without_a_command_starts_the_shell() {
    let mut scene = Scene::linked("");
    scene.environment.set("PS1", "ready> ");
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "exec 222222222222") else {
        return;
    };
    terminal.answer("Starting /bin/sh; leave it with `exit`", 1, "");
    terminal.answer(
        "ready> ",
        1,
        "echo \"[$XACCT_TARGET $XACCT_SESSION_ROLE ${AWS_ACCESS_KEY_ID%%[A-Z0-9][A-Z0-9]*}]\"; exit 3\n",
    );
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(3), "{screen}");
    assert!(screen.contains("[222222222222 arn:aws:iam::222222222222:role/xacct ]"), "{screen}");
    assert!(screen.contains("Using a session of role xacct in 222222222222"), "{screen}");
}

#[test]
fn no_shell_starts_within_a_shell() {
    let mut scene = Scene::linked("");
    scene.environment.set("XACCT_SESSION_ROLE", "arn:aws:iam::333333333333:role/other");
    let Some(terminal) = Terminal::start(test_name!(), &mut scene, "exec 222222222222") else {
        return;
    };
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(2), "{screen}");
    assert!(screen.contains("has a session of arn:aws:iam::333333333333:role/other already"), "{screen}");
    // A command has no prompt that could mislead.
    let mut command = scene.command("exec -- /bin/sh -c");
    command.arg("echo $XACCT_SESSION_ROLE");
    let output = Output::of(command).exits_with(0);
    assert_eq!(output.stdout, "arn:aws:iam::222222222222:role/xacct\n");
    output.says(&[
        "inside another `xacct exec`; the command does not get that session of arn:aws:iam::333333333333:role/other",
    ]);
}
