//! `xacct completions`: a completion script for a shell.

use clap::Args;

use super::command_line::{Start, Verb, definition};
use crate::error::{Ended, ExitCode, Result};

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
        clap_complete::generate(self.shell, &mut definition(start.groups), "xacct", &mut script);
        start.console.result(&String::from_utf8_lossy(&script));
        Ok(ExitCode::Done.into())
    }
}
