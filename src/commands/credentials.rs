//! `xacct credentials`: the one command that prints secrets.

use clap::{Args, ValueEnum};

use super::command_line::{Start, Verb};
use crate::cli::SessionOptions;
use crate::config;
use crate::error::{Ended, ExitCode, Result};
use crate::export;
use crate::operations::run::Run;
use crate::operations::session::Purpose;
use crate::operations::{interrupt, session};
use crate::report::console::count;

/// Print session credentials for tools and shells.
///
/// The output is secret until the session expires. The default format is for credential_process in the AWS config file.
/// With it, every AWS tool can use the link, including its external ID and MFA.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  In the AWS config file, for every AWS tool:
    [profile dev]
    credential_process = /usr/local/bin/xacct --config /home/me/xacct.toml credentials dev
  In a shell:
    eval \"$(xacct credentials dev --format env)\"
    xacct credentials dev --format fish | source
  In PowerShell:
    xacct credentials dev --format powershell | Out-String | Invoke-Expression
  For Terragrunt, which runs the command in the directory of each unit:
    TG_AUTH_PROVIDER_CMD='xacct --config /live/xacct.toml credentials dev --cache --format terragrunt'
  Delete all cached sessions:
    xacct credentials --forget")]
pub struct Credentials {
    /// The target, by name in xacct.toml or account ID (default: XACCT_TARGET, else the only one)
    #[arg(value_name = "TARGET", conflicts_with_all = ["session_token", "forget"])]
    pub target: Option<String>,
    /// Use the target whose name or account ID is a directory between xacct.toml and the working directory
    ///
    /// The directory nearest to the working directory wins: with live/xacct.toml, live/dev/vpc selects target dev. Use it for
    /// Terragrunt, which runs the command in the directory of each unit.
    #[arg(long, conflicts_with_all = ["target", "session_token", "forget"])]
    pub target_from_directory: bool,
    /// Format of the credentials
    #[arg(long, value_name = "FORMAT", default_value = "process")]
    pub format: Format,
    /// Print the user's own session instead (GetSessionToken, with MFA if the user has a device)
    #[arg(long)]
    pub session_token: bool,
    /// Delete all cached sessions and exit
    #[arg(long, conflicts_with = "session_token")]
    pub forget: bool,
    /// Options of the session.
    #[command(flatten)]
    pub session: SessionOptions,
}

/// Output formats of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// credential_process in the AWS config file
    Process,
    /// sh, bash and zsh
    Env,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
    /// One JSON document
    Json,
    /// For Terragrunt's --auth-provider-cmd
    Terragrunt,
}

impl Verb for Credentials {
    const NAME: &'static str = "credentials";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        // Emptying the cache needs no xacct.toml.
        let run = if self.forget { start.without_file() } else { start.load()? };
        credentials(self, &run).map(Ended::from)
    }
}

/// Runs `xacct credentials`.
fn credentials(args: &Credentials, run: &Run<'_>) -> Result<ExitCode> {
    if args.forget {
        let forgotten = run.session_cache().map_or(Ok(0), |cache| cache.forget())?;
        run.console.say(&format!("Removed {} from the cache", count(forgotten, "session")));
        return Ok(ExitCode::Done);
    }
    let of_directory = match args.target_from_directory {
        true => Some(config::of_directory(&run.file, &run.context.directory)?),
        false => None,
    };
    let opened = interrupt::guarded(run, async {
        match args.session_token {
            true => session::of_user(&args.session, run).await,
            false => {
                let target = of_directory.as_deref().or(args.target.as_deref());
                Ok(session::of_role(target, &args.session, Purpose::HandOver, run).await?.opened)
            }
        }
    })?;
    let keys = opened.credentials.reveal();
    let region = opened.region.as_ref();
    let inherited = run.context.environment.keys().map(String::as_str);
    let text = match args.format {
        Format::Process => export::process(&keys),
        Format::Env => export::sh(&keys, region, inherited),
        Format::Fish => export::fish(&keys, region, inherited),
        Format::Powershell => export::powershell(&keys, region, inherited),
        Format::Json => export::json(&keys, region),
        Format::Terragrunt => export::terragrunt(&keys, region),
    };
    run.console.result(&text);
    if run.context.terminal.shows_results {
        // Not refused: the user asked for them, and aws-vault export, Granted and aws configure export-credentials
        // print them, too.
        let until = export::expiration(&keys).map_or_else(String::new, |at| format!(" until {at}"));
        run.console.say(&format!("These credentials are secret{until}; they remain in the terminal's scrollback"));
    }
    Ok(ExitCode::Done)
}
