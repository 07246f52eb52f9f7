//! `xacct exec`: a command with a session, as if xacct were not there.

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

/// The variables that a command sees.
#[track_caller]
fn variables(scene: &Scene, options: &str) -> BTreeMap<String, String> {
    let output = scene.xacct(&format!("exec {options} -- /usr/bin/env")).exits_with(0);
    let lines = output.stdout.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A script below `sh -c`, with `xacct exec` before it.
fn run(scene: &Scene, script: &str) -> Output {
    let mut command = scene.command("exec -- /bin/sh -c");
    command.arg(script);
    Output::of(command)
}

#[test]
fn the_command_has_the_roles_session() {
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
fn what_would_win_over_the_session_is_gone_and_all_else_stays() {
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
    ];
    let kept =
        [("AWS_ACCESS_KEY_ID", ALICE.id), ("TF_VAR_x", "1"), ("AWS_SDK_LOAD_CONFIG", "1"), ("AWS_CA_BUNDLE", "")];
    for (name, value) in stale.into_iter().chain(kept) {
        scene.environment.set(name, value);
    }
    let seen = variables(&scene, "");
    for (name, _) in stale {
        assert!(!seen.contains_key(name), "{name}");
    }
    assert_ne!(seen["AWS_ACCESS_KEY_ID"], ALICE.id);
    for name in ["TF_VAR_x", "AWS_SDK_LOAD_CONFIG", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "HOME"] {
        assert!(seen.contains_key(name), "{name}");
    }
}

#[test]
fn a_region_that_nobody_named_is_not_set() {
    let scene = Scene::linked("");
    scene.environment.edit("aws/config", "[profile alice]\nregion = us-east-1\n", "[profile alice]\n");
    scene.environment.edit("xacct.toml", "region = \"us-east-1\"\n", "");
    let seen = variables(&scene, "");
    assert!(!seen.contains_key("AWS_REGION") && !seen.contains_key("AWS_DEFAULT_REGION"), "{seen:?}");
}

#[test]
fn the_exit_code_is_the_commands() {
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
    scene.xacct("exec -- /no/such/command").exits_with(127).says(&["`/no/such/command` cannot be run"]);
    scene.xacct("exec -- no-such-command").exits_with(127);
    scene
        .xacct("exec --duration 12h -- /bin/true")
        .exits_with(1)
        .says(&["--duration 1h", "--max-session-duration 12h"]);
    scene.environment.write("plain", "text");
    scene.xacct("exec -- ./plain").exits_with(126).says(&["`./plain` cannot be run"]);
}

#[test]
fn streams_are_the_commands_own_and_the_expiry_is_named_on_stderr() {
    let scene = Scene::linked("");
    let mut command = scene.command("exec -- /bin/sh -c");
    command.arg("cat; echo said >&2").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("xacct");
    child.stdin.take().expect("stdin").write_all(b"typed\n\xff").expect("a reader");
    let output = child.wait_with_output().expect("the end");
    assert_eq!(output.stdout, b"typed\n\xff");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("Session of role xacct in 222222222222 until 2"), "{stderr}");
    assert!(stderr.ends_with("said\n"), "{stderr}");
}

#[test]
fn a_session_lasts_as_long_as_the_role_allows_or_as_was_asked() {
    let scene = Scene::linked("--max-session-duration 4h");
    for (options, seconds) in [("", "14400"), ("--duration 30m", "1800")] {
        scene.sandbox.clear_requests();
        scene.xacct(&format!("exec {options} -- /bin/true")).exits_with(0);
        assert_eq!(scene.requests("AssumeRole")[0].parameter("DurationSeconds"), Some(seconds));
    }
}

#[test]
fn a_link_that_does_not_let_in_runs_nothing_and_says_how_to_learn_why() {
    let scene = Scene::linked("--external-id abc");
    scene.environment.edit("xacct.toml", "\"abc\"", "\"wrong\"");
    let output = run(&scene, "echo ran > ran").exits_with(3);
    output.says(&["cannot be assumed", "answered AccessDenied", "hint: see why: xacct diagnose 222222222222"]);
    assert!(!scene.environment.has("ran"));
}

#[test]
fn credentials_that_nobody_said_are_the_users_are_not_tried() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.xacct("exec -- /bin/true").exits_with(1).says(&["not those of user `alice`", "--user-profile"]);
    assert_eq!(scene.requests("AssumeRole").len(), 0);
}

#[test]
fn what_is_typed_wrongly_sends_nothing() {
    let scene = Scene::new();
    scene.xacct("exec -- /bin/true").exits_with(2).says(&["there is no `xacct.toml` here"]);
    let targets = "[source]\nuser = \"alice\"\n[targets.dev]\naccount = \"222222222222\"\n[targets.prod]\naccount = \"333333333333\"\n";
    scene.environment.write("xacct.toml", targets);
    for (words, wanted) in [
        ("exec dev", "COMMAND"),
        ("exec dev --", "COMMAND"),
        ("exec dev /bin/true", "unexpected argument"),
        ("exec dev prod -- /bin/true", "unexpected argument"),
        ("exec -- /bin/true", "a session is of one target, and there are dev, prod"),
        ("exec test -- /bin/true", "has no target `test`"),
        ("exec dev --duration 5m -- /bin/true", "is less than 15m"),
        ("exec dev --mfa-session-duration 1 -- /bin/true", "has no unit"),
        ("exec dev --mfa-code 12 -- /bin/true", "has 2 digits"),
        ("exec dev --cache --no-cache -- /bin/true", "contradict each other"),
    ] {
        scene.xacct(words).exits_with(2).says(&[wanted]);
    }
    assert!(scene.sandbox.requests().is_empty());
}

/// Says which signals it gets, until a file `enough` is there.
const LISTENER: &str = "for name in INT TERM HUP QUIT USR1 USR2; do trap \"echo $name\" $name; done; echo ready; \
                        while [ ! -e enough ]; do /bin/sleep 0.05; done; exit 5";

/// Starts a command, and waits until it is ready.
#[track_caller]
fn start(command: Command) -> Running {
    let running = Running::start(command);
    assert_eq!(running.line().as_deref(), Some("ready"));
    running
}

/// `xacct exec` of the listener, which is ready.
#[track_caller]
fn listening(scene: &Scene) -> Running {
    let mut command = scene.command("exec -- /bin/sh -c");
    command.arg(LISTENER);
    start(command)
}

#[test]
fn signals_are_passed_on_once_and_xacct_waits_for_the_end() {
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
    assert_eq!(running.line(), None, "nothing came twice");
    running.ended().exits_with(5);
}

#[test]
fn what_is_ignored_from_the_start_stays_so() {
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
    // xacct itself, before there is a command.
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
fn the_exit_code_is_known_where_the_end_of_children_is_ignored() {
    let scene = Scene::linked("");
    let mut command = scene.environment.command("/bin/sh");
    command.args(["-c", "trap '' CHLD; exec \"$0\" exec -- /bin/sh -c 'exit 7'", env!("CARGO_BIN_EXE_xacct")]);
    Output::of(command).exits_with(7);
}

#[test]
fn a_signal_that_ends_the_command_is_in_the_exit_code() {
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
    // What would come twice has had the time to.
    std::thread::sleep(Duration::from_millis(300));
    scene.environment.write("enough", "");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(5), "{screen}");
    assert_eq!(screen.matches("INT").count(), 1, "{screen}");
    assert_eq!(screen.matches("QUIT").count(), 1, "{screen}");
}

#[test]
fn ctrl_c_is_left_to_the_terminal() {
    let mut scene = Scene::linked("");
    scene.environment.write("listen.sh", LISTENER);
    // The terminal does not know a command in a session of its own: what this one hears, xacct has sent.
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
fn a_signal_to_xacct_alone_reaches_the_command_on_a_terminal_too() {
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
fn ctrl_c_before_the_command_runs_is_heard_by_xacct() {
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
fn a_code_is_asked_for_and_what_is_typed_next_is_the_commands() {
    let mut scene = Scene::linked("--require-mfa --no-verify");
    let code = scene.sandbox.totp("alice");
    let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "exec -- /usr/bin/head -n 1") else {
        return;
    };
    terminal.answer("MFA code of arn:aws:iam::111111111111:mfa/alice:", 1, &format!("{code}\n"));
    terminal.answer("Session of role xacct", 1, "for the command\n");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("for the command"), "{screen}");
}

/// Terraform at work, with a provider that it brings itself; `None`, with the test counted as skipped, without Terraform.
fn terraform(test: &str, scene: &mut Scene) -> Option<Terminal> {
    scene.environment.write(
        "main.tf",
        "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    command = \"echo at-work; sleep 5\"\n  }\n}\n",
    );
    scene.environment.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    scene.environment.set("CHECKPOINT_DISABLE", "1");
    let init = scene.environment.command("terraform").args(["init", "-input=false"]).output();
    if !init.is_ok_and(|init| init.status.success()) {
        skip(test, "there is no terraform");
        return None;
    }
    let mut terminal = Terminal::start(test, scene, "exec -- terraform apply -auto-approve -no-color")?;
    terminal.answer("(local-exec): at-work", 1, "");
    Some(terminal)
}

#[test]
fn terraform_is_interrupted_once_by_ctrl_c_and_by_a_signal_to_xacct() {
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
