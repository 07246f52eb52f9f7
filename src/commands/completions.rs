//! `xacct completions`: shell completions, of options and of values: targets, profiles, Regions, managed policies.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, Args};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};

use super::command_line::{Start, Verb};
use crate::aws::credentials::profiles::Profiles;
use crate::config::ConfigFile;
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::iam::arn::JOB_FUNCTIONS;
use crate::iam::names::Region;

/// Print a completion script for a shell.
///
/// The script asks xacct what to suggest: commands and options, targets of xacct.toml, AWS profiles, Regions, and managed
/// policies. xacct reads files for that, and sends no requests.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  In ~/.bashrc:
    source <(xacct completions bash)
  In ~/.zshrc, after compinit:
    source <(xacct completions zsh)
  In ~/.config/fish/completions/xacct.fish:
    xacct completions fish | source

The script works only with the xacct version that printed it. Don't save it: let
the shell run this command when it starts.")]
pub struct Completions {
    /// The shell (default: that of SHELL)
    pub shell: Option<clap_complete::Shell>,
}

/// The variable with which the script asks for completions.
const ASKED: &str = "XACCT_COMPLETE";

impl Verb for Completions {
    const NAME: &'static str = "completions";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let of_environment = || start.context.variable("SHELL").and_then(clap_complete::Shell::from_shell_path);
        let shell = self.shell.or_else(of_environment).ok_or_else(|| {
            Error::usage("SHELL is not set to a shell that xacct supports")
                .hint("specify the shell: xacct completions bash")
        })?;
        let mut script = Vec::new();
        let shells = Shells::builtins();
        let completer = shells.completer(&shell.to_string());
        let written = completer.map(|it| it.write_registration(ASKED, "xacct", "xacct", "xacct", &mut script));
        match written {
            Some(Ok(())) => start.console.result(&String::from_utf8_lossy(&script)),
            _ => return Err(Error::new(Kind::Internal, format!("no completions for {shell}"))),
        }
        Ok(ExitCode::Done.into())
    }
}

/// Answers a completion script; `None` if no script started this run.
pub fn answer(arguments: &[OsString], definition: fn() -> clap::Command) -> Option<Ended> {
    let factory = || with_values(definition(), arguments);
    let directory = std::env::current_dir().ok();
    match CompleteEnv::with_factory(factory).var(ASKED).try_complete(arguments.to_vec(), directory.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(ExitCode::Done.into()),
        Err(_) => Some(ExitCode::Usage.into()),
    }
}

/// Adds what is known of values to the arguments of all commands.
fn with_values(command: clap::Command, words: &[OsString]) -> clap::Command {
    let names: Vec<_> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let command = command.mut_args(|argument| with_values_of(argument, words));
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |own| with_values(own, words)))
}

fn with_values_of(argument: Arg, words: &[OsString]) -> Arg {
    let file = config(words);
    let kind = argument.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default();
    let values = match (kind.as_str(), argument.get_id().as_str()) {
        ("TARGET", _) => ArgValueCandidates::new(move || targets(&file)),
        ("REGION", _) => ArgValueCandidates::new(move || regions(&file)),
        ("POLICY", _) => ArgValueCandidates::new(move || policies(&file)),
        (_, "profile" | "target_profile" | "user_profile") => ArgValueCandidates::new(profiles),
        _ => return argument,
    };
    argument.add(values)
}

/// Returns the file of the command that is being typed.
fn config(words: &[OsString]) -> PathBuf {
    let words: Vec<_> = words.iter().filter_map(|word| word.to_str()).collect();
    let after = words.windows(2).find(|pair| pair.first() == Some(&"--config")).and_then(|pair| pair.last().copied());
    let typed = after.or_else(|| words.iter().find_map(|word| word.strip_prefix("--config=")));
    let named = typed.map(PathBuf::from).or_else(|| std::env::var_os("XACCT_CONFIG").map(PathBuf::from));
    named.unwrap_or_else(|| "xacct.toml".into())
}

/// Reads the file; one that cannot be read suggests nothing.
fn read(file: &Path) -> ConfigFile {
    ConfigFile::load(file).unwrap_or_default()
}

fn targets(file: &Path) -> Vec<CompletionCandidate> {
    let targets = read(file).targets.into_iter();
    targets.map(|(name, record)| CompletionCandidate::new(name).help(Some(record.account.to_string().into()))).collect()
}

fn regions(file: &Path) -> Vec<CompletionCandidate> {
    let recorded = read(file).targets.into_iter().filter_map(|(_, record)| record.region);
    distinct(recorded.map(|region| region.to_string()).chain(Region::ALWAYS_ON.map(str::to_owned)))
}

fn policies(file: &Path) -> Vec<CompletionCandidate> {
    // Other policies have names, too; these are those that people give to roles like this one.
    const USUAL: [&str; 4] = ["PowerUserAccess", "ReadOnlyAccess", "AdministratorAccess", "SecurityAudit"];
    let recorded = read(file).targets.into_iter().flat_map(|(_, record)| record.policy_arns);
    let known = USUAL.into_iter().chain(JOB_FUNCTIONS).map(str::to_owned);
    distinct(recorded.map(|policy| policy.to_string()).chain(known))
}

fn profiles() -> Vec<CompletionCandidate> {
    distinct(Profiles::names().unwrap_or_default())
}

/// Returns each once, in this order.
fn distinct(all: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    let mut seen = std::collections::BTreeSet::new();
    all.into_iter().filter(|value| seen.insert(value.clone())).map(CompletionCandidate::new).collect()
}
