//! `xacct credentials`: the one command that prints secrets.

use crate::cli::{Credentials, Format};
use crate::error::{ExitCode, Result};
use crate::export;
use crate::operations::proving;
use crate::operations::run::Run;
use crate::operations::{interrupt, session};
use crate::report::console::count;

/// Runs `xacct credentials`.
pub fn credentials(args: &Credentials, run: &Run<'_>) -> Result<ExitCode> {
    if args.forget {
        let forgotten = proving::cache(run).map_or(Ok(0), |cache| cache.forget())?;
        run.console.say(&format!("Forgot {}", count(forgotten, "session")));
        return Ok(ExitCode::Done);
    }
    let opened = interrupt::guarded(run, async {
        match args.session_token {
            true => session::of_user(&args.session, run).await,
            false => session::of_role(args.target.as_deref(), &args.session, run).await,
        }
    })?;
    let keys = opened.credentials.reveal();
    let region = opened.region.as_ref();
    let text = match args.format {
        Format::Process => export::process(&keys),
        Format::Env => export::sh(&keys, region),
        Format::Fish => export::fish(&keys, region),
        Format::Powershell => export::powershell(&keys, region),
        Format::Json => export::json(&keys, region),
        Format::Terragrunt => export::terragrunt(&keys, region),
    };
    run.console.result(&text);
    if run.context.terminal.shows_results {
        // Not refused: it was asked for, and whoever knows aws-vault export, granted or aws configure export-credentials
        // copies it from here.
        let until = export::expiration(&keys).map_or_else(String::new, |at| format!(" until {at}"));
        run.console.say(&format!("These are secrets{until}: they stay in the terminal's memory"));
    }
    Ok(ExitCode::Done)
}
