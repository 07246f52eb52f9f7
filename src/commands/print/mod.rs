//! `xacct print`: settings for the tools that use a link. Offline.

mod audit_query;
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
use std::path::Path;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::command_line::{Action, Entry, Start, Verb, typed};
use crate::error::{Ended, Error, Result};
pub use provider::ProviderHcl;

/// Every consumer, in the order of the help.
const CONSUMERS: &[Entry] = &[
    Entry::of::<ProviderHcl>(),
    Entry::of::<backend::BackendHcl>(),
    Entry::of::<terragrunt::TerragruntHcl>(),
    Entry::of::<profile::Profiles>(),
    Entry::of::<hcp::Hcp>(),
    Entry::of::<policies::Policies>(),
    Entry::of::<audit_query::AuditQuery>(),
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
            Some("--config" | "--color") => drop(words.next()),
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
    /// `None` if none is named.
    consumer: Option<Action>,
}

impl FromArgMatches for Print {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let consumer = matches.subcommand().map(|_| typed(CONSUMERS.iter(), matches)).transpose()?;
        Ok(Self { consumer: consumer.map(|typed| typed.action) })
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
            .after_long_help("Examples:\n  xacct print profile dev\n  xacct print backend-hcl dev --bucket my-state > backend.tf")
            // Without one, xacct names those that fit.
            .override_usage("xacct print [OPTIONS] <CONSUMER>");
        command.subcommands(CONSUMERS.iter().map(Entry::definition))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl Verb for Print {
    const NAME: &'static str = "print";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        match &self.consumer {
            Some(consumer) => consumer(start),
            None => Err(no_consumer(&start.context.directory)),
        }
    }
}

/// Returns the error of `xacct print` alone, which names what fits the files in the directory.
fn no_consumer(directory: &Path) -> Error {
    let names: Vec<_> = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|it| it.file_name()).collect();
    let has = |ending: &str| names.iter().any(|name| name.to_string_lossy().ends_with(ending));
    let error = Error::usage("`xacct print` needs the tool to print settings for");
    let error = match (has("terragrunt.hcl"), has(".tf") || has(".tofu")) {
        (true, _) => error.hint("for Terragrunt: xacct print terragrunt-hcl"),
        (false, true) => error
            .hint("for the provider in Terraform: xacct print provider-hcl")
            .hint("for state in S3: xacct print backend-hcl"),
        (false, false) => error
            .hint("for Terraform: xacct print provider-hcl")
            .hint("for the AWS CLI and every SDK: xacct print profile"),
    };
    error.hint("all tools: xacct print --help")
}

/// Returns whether `xacct print` has a consumer of this name.
pub fn is_consumer(name: &str) -> bool {
    CONSUMERS.iter().any(|entry| entry.definition().get_name() == name)
}
