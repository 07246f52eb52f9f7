//! One file a command, each reading from top to bottom: resolve, observe, decide, act, report.

mod bootstrap;
mod interrupt;
mod print;
mod verify;

use clap::CommandFactory;

use crate::aws::probe::Leftovers;
use crate::cli::{Cli, Command, OutputFormat};
use crate::config::ConfigFile;
use crate::context::Context;
use crate::error::{Error, ExitCode, Kind, Result};
use crate::report::{Console, json};

/// What every command is given.
pub(crate) struct Run<'a> {
    pub context: &'a Context,
    pub console: &'a Console,
    pub file: ConfigFile,
    pub leftovers: Leftovers,
}

/// Runs the command and reports how it went.
pub fn run(cli: &Cli, context: &Context) -> ExitCode {
    let (name, format) = match &cli.command {
        Command::Bootstrap(args) => ("bootstrap", args.report.output),
        Command::Verify(args) => ("verify", args.report.output),
        Command::PrintProviderHcl(_) => ("print-provider-hcl", OutputFormat::Table),
        Command::Completions(_) => ("completions", OutputFormat::Table),
        Command::Man => ("man", OutputFormat::Table),
    };
    let console = Console::new(context.terminal, format);
    dispatch(cli, context, &console).unwrap_or_else(|error| {
        let exit_code = error.kind.exit_code();
        if console.is_json() {
            console.result(&json::document(name, exit_code, json::Failure { error: (&error).into() }));
        }
        console.error(&error);
        exit_code
    })
}

fn dispatch(cli: &Cli, context: &Context, console: &Console) -> Result<ExitCode> {
    let run = || {
        let path = context.directory.join(&cli.global.config);
        // Messages name the file as the user knows it.
        let shown = if cli.global.config.is_absolute() { &path } else { &cli.global.config };
        let file = ConfigFile { path: shown.clone(), ..ConfigFile::load(shown)? };
        Ok::<_, Error>(Run { context, console, file, leftovers: Leftovers::default() })
    };
    match &cli.command {
        Command::Bootstrap(args) => {
            let run = run()?;
            interrupt::guarded(&run, bootstrap::bootstrap(args, &run))
        }
        Command::Verify(args) => {
            let run = run()?;
            interrupt::guarded(&run, verify::verify(args, &run))
        }
        Command::PrintProviderHcl(args) => print::provider_hcl(args, &run()?),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "xacct", &mut script);
            console.result(&String::from_utf8_lossy(&script));
            Ok(ExitCode::Done)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error| Error::new(Kind::Internal, format!("the manual page: {error}")))?;
            console.result(&String::from_utf8_lossy(&page));
            Ok(ExitCode::Done)
        }
    }
}
