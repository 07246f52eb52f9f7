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
/// xacct passes the session's credentials to the command in environment variables, and removes variables that would
/// override them. The command uses stdin, stdout, stderr and signals directly, and xacct exits with its exit code.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct exec -- terraform plan
  xacct exec dev --duration 4h -- aws s3 ls
  xacct exec dev -- bash

xacct removes AWS_PROFILE, XACCT_MFA_CODE and other variables that would
override the session or hold other credentials. xacct exits with the command's
exit code: 128 plus the signal number if a signal ended it, 127 if it was not
found, 126 if it cannot be run.

xacct forwards signals to the command; Ctrl-C reaches the command directly. If
another program signals the whole process group, the command gets the signal
twice, and Terraform aborts at the second one: use timeout --foreground, and
send signals to xacct, not to its process group.")]
pub struct Exec {
    /// The target, by name in xacct.toml or account ID (default: the only one)
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", last = true, required = true, num_args = 1..)]
    pub command: Vec<OsString>,
    /// Options of the session.
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
        return Err(Error::usage("no command given").hint("put it after `--`: xacct exec TARGET -- COMMAND"));
    };
    // From here on, a signal either ends xacct before the command runs, or is passed on to the command; none is lost.
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
    run.console.say(&format!("Using a session of {} that expires at {expiry}", opened.whose));
    let outlived = || {
        run.console.say(&format!(
            "The session of {} expired at {expiry}, but the command is still running: AWS now denies its requests",
            opened.whose
        ));
    };
    let ended = child::run(command, signals, keys.expires, run.context.now, &outlived)
        .map_err(|error| Error::new(Kind::Internal, format!("cannot wait for the command: {error}")))?;
    if let child::How::NotStarted(error) = &ended.how {
        let shown = program.to_string_lossy();
        run.console.error(&Error::new(Kind::File, format!("cannot run `{shown}`: {error}")));
    } else if ended.outlived {
        run.console.say(&format!("The command ran longer than its session, which expired at {expiry}"));
    }
    Ok(Ended::Command(ended.code()))
}
