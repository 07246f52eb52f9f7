//! `xacct print`: settings for the tools that use a link. Offline.

mod backend;
mod cloudformation;
mod consumer;
mod hcp;
mod install;
mod out;
mod policies;
mod profile;
mod provider;
mod role_hcl;
mod terragrunt;

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::command_line::{Action, Entry, Start, Verb, typed};
use crate::error::{Ended, Result};
pub use provider::ProviderHcl;

/// Every consumer, in the order of the help.
const CONSUMERS: &[Entry] = &[
    Entry::of::<ProviderHcl>(),
    Entry::of::<backend::BackendHcl>(),
    Entry::of::<terragrunt::TerragruntHcl>(),
    Entry::of::<profile::Profiles>(),
    Entry::of::<hcp::Hcp>(),
    Entry::of::<policies::Policies>(),
    Entry::of::<role_hcl::RoleHcl>(),
    Entry::of::<cloudformation::Cloudformation>(),
];

/// Consumers that used to be commands, as in `xacct print-profile`. This list does not grow.
const FORMER_COMMANDS: [&str; 7] =
    ["backend-hcl", "terragrunt-hcl", "profile", "hcp", "policies", "role-hcl", "cloudformation"];

/// Returns the arguments with the current name of a former command: `print profile` for `print-profile`.
///
/// This happens before clap parses them, so that help and errors show the current names.
pub fn with_current_names(arguments: &[OsString]) -> Vec<OsString> {
    let mut current = arguments.to_vec();
    let mut words = arguments.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        match word.to_str() {
            // A global option before the command; its value follows.
            Some("--config") => drop(words.next()),
            Some(option) if option.starts_with('-') => {}
            Some("help") => {}
            word => {
                let consumer = word.and_then(|word| word.strip_prefix("print-"));
                if let Some(consumer) = consumer.filter(|consumer| FORMER_COMMANDS.contains(consumer)) {
                    current.splice(at..=at, [Print::NAME.into(), consumer.into()]);
                }
                break;
            }
        }
    }
    current
}

/// The arguments of `xacct print`: a consumer with its own arguments.
pub struct Print {
    consumer: Action,
}

impl FromArgMatches for Print {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        Ok(Self { consumer: typed(CONSUMERS.iter(), matches)?.action })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Print {
    fn augment_args(command: Command) -> Command {
        let command = command
            .about("Print settings for Terraform, the AWS CLI, and other tools")
            .long_about(
                "Print settings for Terraform, the AWS CLI, and other tools that use a link.\n\nWorks offline and without credentials, from \
                 xacct.toml.",
            )
            .subcommand_value_name("CONSUMER")
            .subcommand_help_heading("Consumers")
            .subcommand_required(true)
            .arg_required_else_help(true);
        command.subcommands(CONSUMERS.iter().map(Entry::definition))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl Verb for Print {
    const NAME: &'static str = "print";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        (self.consumer)(start)
    }
}
