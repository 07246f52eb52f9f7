//! `xacct completions`: a completion script for a shell.

use clap::Args;

use super::command_line::{HELP, Start, Verb, definition};
use crate::error::{Ended, ExitCode, Result};
use crate::topics::TOPICS;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:
  xacct completions bash > ~/.local/share/bash-completion/completions/xacct")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

impl Verb for Completions {
    const NAME: &'static str = "completions";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut completed(&definition(start.groups)), "xacct", &mut script);
        start.console.result(&String::from_utf8_lossy(&script));
        Ok(ExitCode::Done.into())
    }
}

/// Returns the definition to complete. Commands and topics are subcommands of `help` in it, because not every shell's
/// script completes the values of arguments.
fn completed(xacct: &clap::Command) -> clap::Command {
    let topics = TOPICS.iter().map(|topic| clap::Command::new(topic.name).about(topic.summary));
    let help = clap::Command::new(HELP)
        .about(about(xacct.find_subcommand(HELP)))
        .subcommands(named(xacct))
        .subcommands(topics);
    let others = xacct.get_subcommands().filter(|command| command.get_name() != HELP);
    clap::Command::new("xacct")
        .version(env!("CARGO_PKG_VERSION"))
        .args(xacct.get_arguments())
        .subcommands(others)
        .subcommand(help)
        .disable_help_subcommand(true)
}

/// Returns the subcommands of a command, recursively, without their arguments.
fn named(command: &clap::Command) -> Vec<clap::Command> {
    let commands = command.get_subcommands();
    commands
        .map(|own| clap::Command::new(own.get_name().to_owned()).about(about(Some(own))).subcommands(named(own)))
        .collect()
}

fn about(command: Option<&clap::Command>) -> clap::builder::StyledStr {
    command.and_then(clap::Command::get_about).cloned().unwrap_or_default()
}
