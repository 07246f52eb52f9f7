//! `xacct print`: settings for the tools that use a link. Offline.

mod backend;
mod cloudformation;
mod consumer;
mod hcp;
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

/// Consumers that used to be commands, as in `xacct print-profile`. None is added to them.
const FORMER_COMMANDS: [&str; 7] =
    ["backend-hcl", "terragrunt-hcl", "profile", "hcp", "policies", "role-hcl", "cloudformation"];

/// The same arguments, where a command that is no more is named as it is now: `print profile` for `print-profile`.
///
/// This is done before clap sees them, so that its help and its errors teach the new names.
pub fn with_current_names(arguments: &[OsString]) -> Vec<OsString> {
    let mut current = arguments.to_vec();
    let mut words = arguments.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        match word.to_str() {
            // It stands before the command, and has a value.
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

/// What `xacct print` takes: a consumer, with what that one takes.
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
                "Print settings for Terraform, the AWS CLI, and other tools that use a link.\n\nNeeds neither network nor credentials: everything is in \
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
