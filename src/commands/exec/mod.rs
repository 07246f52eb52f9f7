//! `xacct exec`: runs a command with a session of the role.

mod child;

use std::process::Command;

use crate::cli::Exec;
use crate::error::{Ended, Error, Kind, Result};
use crate::export;
use crate::operations::run::Run;
use crate::operations::{interrupt, session};
use child::Signals;

/// Runs `xacct exec`.
pub fn exec(args: &Exec, run: &Run<'_>) -> Result<Ended> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Error::usage("there is no command").hint("give it after `--`: xacct exec TARGET -- COMMAND"));
    };
    // From now on a signal is either heard before the command runs, or passed on to it; none is lost between.
    let signals = Signals::watch()?;
    let opened = interrupt::guarded(run, session::of_role(args.target.as_deref(), &args.session, run))?;
    let keys = opened.credentials.reveal();
    let mut command = Command::new(program);
    command.args(arguments);
    for name in export::STALE {
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
