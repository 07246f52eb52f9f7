//! `xacct exec`: runs a command with a session of the role.

mod child;

use std::ffi::OsString;
use std::process::Command;

use clap::Args;

use super::command_line::{Start, Verb};
use crate::cli::SessionOptions;
use crate::error::{Ended, Error, Kind, Result};
use crate::export;
use crate::operations::run::Run;
use crate::operations::{interrupt, session};
use child::Signals;

/// Run a command with a session of the role.
///
/// The command gets the session's credentials in its environment; variables that would override them are removed. It has
/// stdin, stdout, stderr and signals as if started directly, and xacct exits with its exit code.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct exec -- terraform plan
  xacct exec dev --duration 4h -- aws s3 ls
  xacct exec dev -- bash

The command does not see AWS_PROFILE and other variables that would override the
session or hold other credentials, nor XACCT_MFA_CODE. xacct exits with its exit code: 128 plus the signal
if one ended it, 127 if there is no such command, 126 if it cannot be run.

xacct passes signals on to the command; Ctrl-C reaches it directly. A signal that
another program sends to the whole process group arrives twice, and the second
one makes Terraform give up: use timeout --foreground, and send signals to xacct,
not to its group.")]
pub struct Exec {
    /// The target, by name in xacct.toml or account ID (default: the only one)
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", last = true, required = true, num_args = 1..)]
    pub command: Vec<OsString>,
    /// Which session.
    #[command(flatten)]
    pub session: SessionOptions,
}

impl Verb for Exec {
    const NAME: &'static str = "exec";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        exec(self, &start.load()?)
    }
}

/// Runs `xacct exec`.
fn exec(args: &Exec, run: &Run<'_>) -> Result<Ended> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Error::usage("there is no command").hint("give it after `--`: xacct exec TARGET -- COMMAND"));
    };
    // From now on a signal is either heard before the command runs, or passed on to it; none is lost between.
    let signals = Signals::watch()?;
    let opened = interrupt::guarded(run, session::of_role(args.target.as_deref(), &args.session, run))?;
    let keys = opened.credentials.reveal();
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(export::is_stale)) {
        command.env_remove(name);
    }
    command.envs(export::variables(&keys, opened.region.as_ref()));

    let expiry = export::expiration(&keys).unwrap_or_else(|| "an unknown time".to_owned());
    run.console.say(&format!("Session of {} until {expiry}", opened.whose));
    let outlived = || {
        run.console.say(&format!(
            "The session of {} ended at {expiry}, and the command still runs: AWS refuses what it asks for from now on",
            opened.whose
        ));
    };
    let ended = child::run(command, signals, keys.expires, run.context.now, &outlived)
        .map_err(|error| Error::new(Kind::Internal, format!("the command cannot be waited for: {error}")))?;
    if let child::How::NotStarted(error) = &ended.how {
        let shown = program.to_string_lossy();
        run.console.error(&Error::new(Kind::File, format!("`{shown}` cannot be run: {error}")));
    } else if ended.outlived {
        run.console.say(&format!("The command outlived the session, which ended at {expiry}"));
    }
    Ok(Ended::Command(ended.code()))
}
