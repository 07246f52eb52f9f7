use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn verify(name: &str) -> ShellCommand {
    ShellCommand::new("xacct").arg("verify").arg(name).option("--config", "dir/xacct.toml")
}

#[test]
fn quotes_words_with_special_characters() {
    let command = |value: &str| verify(value).to_string();
    assert_eq!(command("dev.eu-1"), "xacct verify dev.eu-1 --config dir/xacct.toml");
    assert_eq!(command(""), "xacct verify '' --config dir/xacct.toml");
    assert_eq!(command("x; rm -rf ~"), "xacct verify 'x; rm -rf ~' --config dir/xacct.toml");
    assert_eq!(command("it's\n$(id)"), r"xacct verify 'it'\''s$(id)' --config dir/xacct.toml");
}

#[test]
fn values_are_never_parsed_as_options() {
    assert_eq!(verify("--yes").to_string(), "xacct verify --config dir/xacct.toml -- --yes");
    assert_eq!(verify("\u{1b}-y").to_string(), "xacct verify --config dir/xacct.toml -- -y");
    let command = ShellCommand::new("xacct").arg("exec").option("--profile", "-p").flag("--adopt").args(["-a", "b"]);
    assert_eq!(command.to_string(), "xacct exec --profile=-p --adopt -- -a b");
    assert_eq!(verify("dev").command(["true"]).to_string(), "xacct verify dev --config dir/xacct.toml -- true");
    assert_eq!(verify("dev").option_if("--user", None::<&str>), verify("dev"));
}

#[test]
fn long_commands_span_several_lines() {
    let command = ShellCommand::new("aws").arg("a b").on_next_line().option("--name", "it's").flag("--yes");
    assert_eq!(command.to_string(), "aws 'a b' \\\n  --name 'it'\\''s' --yes");
    // A shell removes a backslash before a newline; shlex would make an empty word of it.
    assert_eq!(shlex::split(&command.to_string().replace("\\\n", "")), Some(command.words()));
}

/// Generates texts that a shell, a terminal or an option parser could misinterpret.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "-{0,3}[a-z'\"$`\\\\ ;|&<>(){}*?!#~=\n\t\u{1b}\u{202e}-]{0,8}"]
}

proptest! {
    #[test]
    fn a_shell_reads_exactly_the_words(values in vec(value(), 0..4), options in vec(value(), 0..4)) {
        let command = values.iter().fold(ShellCommand::new("aws").arg("iam"), ShellCommand::arg);
        let command = options.iter().fold(command, |command, value| command.option("--name", value));
        let split = shlex::split(&command.to_string());
        prop_assert_eq!(split, Some(command.words()));
    }

    /// Parses the words as getopt, argparse and clap do.
    #[test]
    fn no_value_becomes_an_option(values in vec(value(), 0..4), options in vec(value(), 0..4)) {
        let command = options.iter().fold(ShellCommand::new("aws"), |command, value| command.option("--name", value));
        let command = values.iter().fold(command.arg("iam"), ShellCommand::arg);
        let (mut found_values, mut found_options) = (Vec::new(), Vec::new());
        let mut words = command.words().into_iter();
        while let Some(word) = words.next() {
            if word == "--" {
                found_values.extend(words.by_ref());
            } else if word == "--name" {
                let value = words.next().unwrap_or_default();
                prop_assert!(!value.starts_with('-'));
                found_options.push(value);
            } else if let Some(value) = word.strip_prefix("--name=") {
                found_options.push(value.to_owned());
            } else {
                prop_assert!(!word.starts_with('-'), "{} would be parsed as an option", word);
                found_values.push(word);
            }
        }
        let plain = |values: &[String]| values.iter().map(shown).collect::<Vec<_>>();
        prop_assert_eq!(found_options, plain(&options));
        prop_assert_eq!(found_values, [vec!["aws".to_owned(), "iam".to_owned()], plain(&values)].concat());
    }

    #[test]
    fn nothing_in_it_steers_the_terminal(values in vec(value(), 0..4)) {
        let command = values.iter().fold(ShellCommand::new("aws"), ShellCommand::arg).to_string();
        prop_assert!(!command.contains(is_hidden));
    }
}
