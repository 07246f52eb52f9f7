//! Help, version, completions and the manual page.

use std::io::Write;
use std::process::Stdio;

use crate::scene::Scene;
use crate::snapshots::assert_output;
use crate::support::third_party::{skip, test_name};
use crate::support::{Output, TestEnvironment};

/// Returns every command, with its parent: `print profile`, not `print`.
pub fn commands() -> Vec<(String, clap::Command)> {
    let mut commands = Vec::new();
    for command in xacct::commands::definition().get_subcommands() {
        let name = command.get_name();
        let own = command.get_subcommands().map(|own| (format!("{name} {}", own.get_name()), own.clone()));
        let before = commands.len();
        commands.extend(own);
        if commands.len() == before {
            commands.push((name.to_owned(), command.clone()));
        }
    }
    commands
}

fn run(words: &str) -> Output {
    let mut environment = TestEnvironment::new();
    environment.set("COLUMNS", "80");
    environment.xacct(&words.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn help_of_every_command() {
    let commands = commands().into_iter().map(|(name, _)| name);
    for command in ["", "print"].map(str::to_owned).into_iter().chain(commands) {
        for (option, name) in [("-h", "short"), ("--help", "long")] {
            let words = format!("{command} {option}");
            let output = run(&words).exits_with(0);
            assert_eq!(output.stderr, "", "{words}");
            let command = if command.is_empty() { "xacct" } else { &command };
            assert_output(&format!("help-{}-{name}", command.replace(' ', "_")), &words, &output);
            assert_fits(&words, &output);
        }
    }
}

#[track_caller]
fn assert_fits(words: &str, output: &Output) {
    for line in output.stdout.lines() {
        assert!(line.chars().count() <= 80, "over 80 columns in `{words}`: {line}");
    }
}

/// clap has no command groups, so xacct lists the commands itself.
#[test]
fn help_groups_list_every_command() {
    let help = run("--help").exits_with(0).stdout;
    let xacct = xacct::commands::definition();
    for command in xacct.get_subcommands() {
        let about = command.get_about().unwrap().to_string();
        let first = about.split(' ').next().unwrap();
        let line = help.lines().find(|line| line.starts_with(&format!("  {} ", command.get_name())));
        assert!(line.is_some_and(|line| line.contains(first)), "{}\n{help}", command.get_name());
    }
    let print = run("print --help").exits_with(0).stdout;
    let consumers: Vec<_> = xacct.find_subcommand("print").unwrap().get_subcommands().collect();
    assert_eq!(consumers.len(), 9);
    for consumer in consumers {
        assert!(print.contains(&format!("\n  {} ", consumer.get_name())), "{}\n{print}", consumer.get_name());
    }
}

#[test]
fn help_command_equals_help_option() {
    let same = |words: &str, others: &str| {
        assert_eq!(run(words).exits_with(0).stdout, run(others).exits_with(0).stdout, "{words}");
    };
    same("help", "--help");
    for (command, _) in commands() {
        same(&format!("help {command}"), &format!("{command} --help"));
    }
    same("help print", "print --help");
    same("help print-profile", "print profile --help");
}

/// Returns the topics in the help, with their descriptions.
fn topics() -> Vec<(String, String)> {
    let help = run("help").exits_with(0).stdout;
    let (_, topics) = help.split_once("Topics (xacct help TOPIC):\n").unwrap();
    let lines = topics.lines().take_while(|line| !line.is_empty());
    let topics: Vec<_> = lines.filter_map(|line| line.trim_start().split_once("  ")).collect();
    assert!(!topics.is_empty(), "{help}");
    topics.into_iter().map(|(name, about)| (name.to_owned(), about.trim().to_owned())).collect()
}

/// In a pipe, topics are plain text within 80 columns, without Markdown markup, and commands and URLs are not broken.
#[test]
fn topics_are_plain_text_in_a_pipe() {
    for (topic, _) in topics() {
        let words = format!("help {topic}");
        let text = run(&words).exits_with(0).stdout;
        assert!(text.lines().count() > 5, "{words}: {text}");
        for line in text.lines() {
            assert!(!line.contains('\u{1b}') && !line.contains("<!--") && !line.contains("|--"), "{words}: {line}");
            let is_whole = line.starts_with("    ") || line.contains("://");
            assert!(line.chars().count() <= 80 || is_whole, "over 80 columns in `{words}`: {line}");
        }
        assert!(!text.lines().any(|line| line.starts_with("# ") || line.starts_with("## ")), "{words}: {text}");
    }
}

#[test]
fn terminal_shows_bold_headings_and_uses_its_width() {
    let (topic, _) = topics().remove(0);
    let mut environment = TestEnvironment::new();
    environment.set("CLICOLOR_FORCE", "1");
    let mut longest = |columns: &str| {
        environment.set("COLUMNS", columns);
        let text = environment.xacct(&["help", &topic]).exits_with(0).stdout;
        assert!(text.starts_with("\u{1b}[1m"), "{text}");
        text.lines().filter(|line| !line.starts_with("    ")).map(|line| line.chars().count()).max().unwrap()
    };
    assert!(longest("120") > 90);
    assert!(longest("60") < 70);
}

#[test]
fn an_unknown_topic_suggests_similar_topics() {
    let (topic, _) = topics().remove(0);
    let mistyped = topic.get(..topic.len() - 1).unwrap();
    run(&format!("help {mistyped}")).exits_with(2).says(&["a similar value exists", &topic]);
    run("help verfy").exits_with(2).says(&["'verify'"]);
    run("help nothing-like-it").exits_with(2).says(&["possible values", &topic]);
}

/// `xacct help NAME` must be unambiguous.
#[test]
fn topics_and_commands_have_different_names() {
    let xacct = xacct::commands::definition();
    for (topic, _) in topics() {
        assert!(xacct.find_subcommand(&topic).is_none(), "{topic}");
        let print = xacct.find_subcommand("print").unwrap();
        assert!(print.find_subcommand(&topic).is_none(), "print {topic}");
        assert!(!topic.starts_with("print-"), "{topic}");
    }
}

#[test]
fn without_arguments_shows_help_and_exits_with_2() {
    let output = run("").exits_with(2);
    assert!(output.stderr.contains("Usage: xacct"), "{output}");
}

#[test]
fn version_is_the_package_version() {
    let version = format!("xacct {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run("--version").exits_with(0).stdout, version);
    assert_eq!(run("-V").exits_with(0).stdout, version);
}

#[test]
fn suggests_commands_and_options_for_typos() {
    run("bootstap").exits_with(2).says(&["bootstrap"]);
    run("bootstrap --external_id abc").exits_with(2).says(&["--external-id"]);
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&format!("completions {shell}")).exits_with(0).stdout;
        assert!(script.contains("XACCT_COMPLETE"), "{shell}: {script}");
    }
    let mut environment = TestEnvironment::new();
    environment.set("SHELL", "/usr/bin/fish");
    assert_eq!(environment.xacct(&["completions"]).exits_with(0).stdout, run("completions fish").stdout);
}

/// Returns what bash gets for the last of these words.
fn completed(scene: &Scene, words: &str) -> Vec<String> {
    let words: Vec<_> = words.split(' ').collect();
    let mut command = scene.environment.command(env!("CARGO_BIN_EXE_xacct"));
    command.env("XACCT_COMPLETE", "bash").env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string()).arg("--").args(&words);
    let output = Output::of(command).exits_with(0);
    assert_eq!(output.stderr, "", "{output}");
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn completes_commands_options_and_values() {
    let scene = Scene::linked("--region eu-south-2");
    scene.environment.append("xacct.toml", "policy_arns = [\"arn:aws:iam::222222222222:policy/own\"]\n");
    let text = scene.environment.read("xacct.toml").replace("[targets.222222222222]", "[targets.prod]");
    scene.environment.write("other.toml", &text);
    scene.sandbox.clear_requests();
    for (words, wanted) in [
        ("xacct boot", &["bootstrap"][..]),
        ("xacct print pro", &["provider-hcl", "profile"]),
        ("xacct bootstrap --generate", &["--generate-external-id"]),
        ("xacct help whose", &["whose-credentials"]),
        ("xacct credentials --format proc", &["process"]),
        ("xacct verify 2", &["222222222222"]),
        ("xacct verify --config other.toml p", &["prod"]),
        ("xacct exec 2", &["222222222222"]),
        ("xacct print profile 2", &["222222222222"]),
        ("xacct verify --user-profile ali", &["alice"]),
        ("xacct bootstrap --profile security", &["security-admin"]),
        ("xacct verify --region eu-south", &["eu-south-2"]),
        ("xacct verify --region us-east-1", &["us-east-1"]),
        ("xacct bootstrap --policy-arn Power", &["PowerUserAccess"]),
        ("xacct bootstrap --policy-arn arn:", &["arn:aws:iam::222222222222:policy/own"]),
        ("xacct bootstrap --permissions-boundary View", &["ViewOnlyAccess"]),
        ("xacct verify --color n", &["never"]),
    ] {
        assert_eq!(completed(&scene, words), wanted, "{words}");
    }
    assert!(scene.sandbox.requests().is_empty());
    // A file that cannot be read suggests nothing.
    scene.environment.write("xacct.toml", "[targets");
    assert_eq!(completed(&scene, "xacct verify 2"), [""; 0]);
}

#[test]
fn bash_accepts_its_completions() {
    let script = run("completions bash").exits_with(0).stdout;
    let environment = TestEnvironment::new();
    let started = environment.command("/bin/bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut bash) = started else {
        return skip(test_name!(), "/bin/bash is not installed");
    };
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_manual_page_is_roff() {
    let page = run("man").exits_with(0).stdout;
    let mut lines = page.lines().skip_while(|line| line.starts_with(['\'', '.']) && !line.starts_with(".TH"));
    let title = lines.next().unwrap_or_default();
    assert!(title.starts_with(".TH XACCT 1"), "{page}");
    for section in ["NAME", "SYNOPSIS", "OPTIONS", "\"COMMANDS\"", "\"TOPICS\"", "\"EXAMPLES\"", "\"ENVIRONMENT\""] {
        assert!(page.contains(&format!(".SH {section}\n")), "{section}\n{page}");
    }
    assert!(page.contains("\\fBxacct\\-verify(1)\\fR"), "{page}");
}

#[test]
fn every_command_has_a_manual_page() {
    let environment = TestEnvironment::new();
    environment.xacct(&["man", "--out", "share/man1"]).exits_with(0).says(&["pages to "]);
    let all = commands().into_iter().map(|(name, _)| name).filter(|name| name != "print-provider-hcl");
    for name in ["".to_owned(), "print".to_owned()].into_iter().chain(all) {
        let words: Vec<_> = ["man"].into_iter().chain(name.split_whitespace()).collect();
        let page = environment.xacct(&words).exits_with(0).stdout;
        let file = format!("share/man1/{}.1", format!("xacct {name}").trim().replace(' ', "-"));
        assert_eq!(environment.read(&file), page, "{file}");
        for section in
            ["NAME", "SYNOPSIS", "DESCRIPTION", "\"EXAMPLES\"", "\"ENVIRONMENT\"", "\"FILES\"", "\"EXIT STATUS\""]
        {
            assert!(page.contains(&format!(".SH {section}\n")), "{section} of {file}");
        }
        assert!(page.contains("\\-\\-config"), "{file} has the options of every command");
    }
    environment.write("file", "");
    environment.xacct(&["man", "--out", "file/man1"]).exits_with(1).says(&["cannot write to"]);
}

/// As a reader sees it.
#[test]
fn the_manual_page_reads_well() {
    let environment = TestEnvironment::new();
    let page = environment.xacct(&["man", "exec"]).exits_with(0);
    environment.write("page.1", &page.stdout);
    let mut command = environment.command("groff");
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").args(["-man", "-Tascii", "-P-c", "-ww", "-rLL=78n", "page.1"]);
    let Ok(shown) = command.output() else {
        return skip(test_name!(), "`groff` is not installed");
    };
    assert_eq!(String::from_utf8_lossy(&shown.stderr), "", "warnings of groff");
    let text = String::from_utf8_lossy(&shown.stdout);
    // groff overstrikes what is bold or underlined.
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '\u{8}' => drop(plain.pop()),
            other => plain.push(other),
        }
    }
    let sections: Vec<_> =
        plain.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase())).collect();
    let wanted = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "CREDENTIALS",
        "THE USER",
        "THE REQUEST",
        "EXAMPLES",
        "NOTES",
        "ENVIRONMENT",
        "FILES",
        "EXIT STATUS",
        "SEE ALSO",
    ];
    // Above and below are the title and the version.
    assert_eq!(sections.get(1..=wanted.len()), Some(&wanted[..]), "{plain}");
    assert!(plain.contains("       xacct-exec - Run a command or a shell with a session of the role\n"), "{plain}");
    assert!(plain.contains("         xacct exec -- terraform plan\n         xacct exec dev --duration"), "{plain}");
    for line in plain.lines() {
        assert!(line.chars().count() <= 80 && !line.contains('\\'), "{line}\n{plain}");
    }
}

#[test]
fn no_colors_in_a_pipe_or_with_no_color() {
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
fn terminal_width_affects_only_tables() {
    for columns in ["40", "200", "zero", "1"] {
        let mut scene = Scene::linked("--external-id abc");
        scene.environment.set("COLUMNS", columns);
        let output = scene.xacct("verify").exits_with(0);
        assert!(output.stdout.contains("alice"), "{output}");
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let scene = Scene::linked("");
    let mut command = scene.command("completions bash");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_failed_write_to_stdout_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let environment = TestEnvironment::new();
    let mut command = environment.command(env!("CARGO_BIN_EXE_xacct"));
    let output = command.arg("man").stdout(full).output().expect("xacct runs");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot write the result to stdout"), "{stderr}");
}

#[test]
fn the_manual_pages_list_every_option() {
    let environment = TestEnvironment::new();
    for (name, command) in commands() {
        let words: Vec<_> = ["man"].into_iter().chain(name.split_whitespace()).collect();
        let page = environment.xacct(&words).exits_with(0).stdout;
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(page.contains(&format!("\\-\\-{}", option.replace('-', "\\-"))), "--{option} of {name}");
        }
        for variable in command.get_arguments().filter_map(|argument| argument.get_env()?.to_str()) {
            assert!(page.contains(&format!("\\fB{variable}\\fR")), "{variable} of {name}");
        }
    }
}
