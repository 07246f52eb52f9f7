//! `xacct help`: shows help for a command or a topic.

use std::ffi::OsString;

use clap::Args;

use super::command_line::{HELP, HELPED, Start, Verb, definition};
use crate::error::{Ended, ExitCode, Result};
use crate::report::markdown;
use crate::topics::TOPICS;

/// Show help for a command or a topic.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct help verify
  xacct help print profile")]
pub struct Help {
    /// A command or a topic (default: list all)
    // clap checks it against all names; see `command_line::definition`.
    #[arg(id = HELPED, value_name = "COMMAND|TOPIC", num_args = 0..=2)]
    words: Vec<String>,
}

impl Verb for Help {
    const NAME: &'static str = HELP;

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        if let [word] = self.words.as_slice()
            && let Some(topic) = TOPICS.iter().find(|topic| topic.name == word)
        {
            start.console.result(&markdown::rendered(topic.text, start.console.width()));
            return Ok(ExitCode::Done.into());
        }
        // A command's help is what `--help` shows.
        let words = ["xacct"].into_iter().chain(self.words.iter().map(String::as_str)).chain(["--help"]);
        match definition(start.groups).try_get_matches_from(words.map(OsString::from)) {
            Err(shown) => {
                let _ = shown.print();
                Ok(if shown.use_stderr() { ExitCode::Usage } else { ExitCode::Done }.into())
            }
            Ok(_) => Ok(ExitCode::Done.into()),
        }
    }
}
