//! Help, version, completions and the manual page.

use std::io::Write;
use std::process::Stdio;

use crate::scene::Scene;
use crate::snapshots::assert_output;
use crate::support::third_party::{skip, test_name};
use crate::support::{Output, TestEnvironment};

const COMMANDS: [&str; 12] = [
    "",
    "bootstrap",
    "verify",
    "diagnose",
    "teardown",
    "sweep",
    "print-provider-hcl",
    "print-profile",
    "completions",
    "man",
    "exec",
    "credentials",
];

fn run(words: &str) -> Output {
    let mut environment = TestEnvironment::new();
    environment.set("COLUMNS", "80");
    environment.xacct(&words.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn help_of_every_command() {
    for command in COMMANDS {
        for (option, name) in [("-h", "short"), ("--help", "long")] {
            let words = format!("{command} {option}");
            let output = run(&words).exits_with(0);
            assert_eq!(output.stderr, "", "{words}");
            let command = if command.is_empty() { "xacct" } else { command };
            assert_output(&format!("help-{command}-{name}"), &words, &output);
            for line in output.stdout.lines() {
                assert!(line.chars().count() <= 80, "over 80 columns in `{words}`: {line}");
            }
        }
    }
}

#[test]
fn without_arguments_the_help_is_shown_and_the_exit_code_is_2() {
    let output = run("").exits_with(2);
    assert!(output.stderr.contains("Usage: xacct"), "{output}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = format!("xacct {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run("--version").exits_with(0).stdout, version);
    assert_eq!(run("-V").exits_with(0).stdout, version);
}

#[test]
fn mistyped_commands_and_options_are_guessed() {
    run("bootstap").exits_with(2).says(&["bootstrap"]);
    run("bootstrap --external_id abc").exits_with(2).says(&["--external-id"]);
}

#[test]
fn completions_are_there_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&format!("completions {shell}")).exits_with(0).stdout;
        for word in ["print-provider-hcl", "generate-external-id"] {
            assert!(script.contains(word), "{word} in the script of {shell}");
        }
    }
}

#[test]
fn bash_accepts_its_completions() {
    let script = run("completions bash").exits_with(0).stdout;
    let environment = TestEnvironment::new();
    let started = environment.command("/bin/bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut bash) = started else {
        return skip(test_name!(), "there is no /bin/bash");
    };
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_manual_is_a_roff_page() {
    let page = run("man").exits_with(0).stdout;
    let mut lines = page.lines().skip_while(|line| line.starts_with(['\'', '.']) && !line.starts_with(".TH"));
    let title = lines.next().unwrap_or_default();
    assert!(title.starts_with(".TH xacct 1"), "{page}");
    for word in [".SH NAME", ".SH SYNOPSIS", "bootstrap", "Exit codes"] {
        assert!(page.contains(word), "{word}\n{page}");
    }
}

#[test]
fn no_color_is_respected_and_a_pipe_has_none() {
    let mut scene = Scene::linked("");
    for variables in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "xterm-256color")]] {
        for (name, value) in variables {
            scene.environment.set(name, value);
        }
        for words in ["verify", "verify unknown", "bootstrap", "--help"] {
            let output = scene.xacct(words);
            assert!(!output.everything().contains('\u{1b}'), "{words}: {output:?}");
        }
    }
}

#[test]
fn a_narrow_or_a_wide_terminal_changes_the_tables_only() {
    for columns in ["40", "200", "zero", "1"] {
        let mut scene = Scene::linked("--external-id abc");
        scene.environment.set("COLUMNS", columns);
        let output = scene.xacct("verify").exits_with(0);
        assert!(output.stdout.contains("alice"), "{output}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = Scene::linked("");
    let mut command = scene.command("completions bash");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let environment = TestEnvironment::new();
    let mut command = environment.command(env!("CARGO_BIN_EXE_xacct"));
    let output = command.arg("man").stdout(full).output().expect("xacct runs");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot be written to stdout"), "{stderr}");
}
