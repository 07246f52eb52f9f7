//! One file per command; each reads top to bottom: resolve, observe, decide, act, report.

mod bootstrap;
mod command_line;
mod completions;
mod credentials;
mod diagnose;
mod exec;
mod forget;
mod help;
mod import;
mod list;
mod man;
mod r#move;
mod print;
mod replace;
mod revoke;
mod rotate;
mod sweep;
mod teardown;
mod verify;
mod who;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};

use crate::cli::{Global, OutputFormat};
use crate::context::Context;
use crate::error::{Ended, Error, ExitCode};
use crate::operations::reports::Reports;
use crate::report::{Console, json};
use command_line::{Entry, Group, Start, Typed};

/// Every command, in the order of the help. To add one, add a file that implements [`command_line::Verb`], and an entry
/// here.
const GROUPS: &[Group] = &[
    Group { title: "Create", commands: &[Entry::of::<bootstrap::Bootstrap>(), Entry::of::<import::Import>()] },
    Group {
        title: "Test",
        commands: &[
            Entry::of::<list::List>(),
            Entry::of::<verify::Verify>(),
            Entry::of::<diagnose::Diagnose>(),
            Entry::of::<who::WhoGetsIn>(),
        ],
    },
    Group { title: "Use", commands: &[Entry::of::<exec::Exec>(), Entry::of::<credentials::Credentials>()] },
    Group {
        title: "Change and remove",
        commands: &[
            Entry::of::<replace::Replace>(),
            Entry::of::<rotate::Rotate>(),
            Entry::of::<r#move::Move>(),
            Entry::of::<revoke::Revoke>(),
            Entry::of::<teardown::Teardown>(),
            Entry::of::<forget::Forget>(),
            Entry::of::<sweep::Sweep>(),
        ],
    },
    Group {
        title: "Settings for other tools",
        commands: &[
            Entry::of::<print::Print>(),
            // Users asked for this name.
            Entry::of::<print::ProviderHcl>().named("print-provider-hcl"),
        ],
    },
    Group {
        title: "Help",
        commands: &[Entry::of::<help::Help>(), Entry::of::<completions::Completions>(), Entry::of::<man::Man>()],
    },
];

/// A parsed command line: a command with its arguments, and the global options.
pub struct CommandLine {
    global: Global,
    typed: Typed,
}

impl CommandLine {
    /// Parses these arguments; the first is the program's name.
    ///
    /// # Errors
    /// Returns clap's error: requested help, or wrong usage.
    pub fn parse(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let arguments = exec::with_dashes(&print::with_current_names(arguments), definition);
        let (global, typed) = command_line::parse(GROUPS, arguments).map_err(with_consumer)?;
        Ok(Self { global, typed })
    }

    /// Returns the options of every command.
    #[must_use]
    pub fn global(&self) -> &Global {
        &self.global
    }
}

/// Suggests `print profile` to those who typed `profile`.
fn with_consumer(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && print::is_consumer(word)
    {
        let suggested = vec![format!("print {word}")];
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(suggested));
    }
    error
}

/// Returns the whole command line as clap's definition.
#[must_use]
pub fn definition() -> clap::Command {
    command_line::definition(GROUPS)
}

/// Answers a shell that completes a command line; `None` if this run is not for that.
#[must_use]
pub fn complete(arguments: &[OsString]) -> Option<Ended> {
    completions::answer(arguments, definition)
}

/// Runs the command and reports the result.
pub fn run(line: &CommandLine, context: &Context) -> Ended {
    let Typed { name, format, reports, action } = &line.typed;
    let console = Console::new(context.terminal, *format).with_volume(line.global.volume());
    let failed = |error: &Error, reports: Option<&Reports>| {
        let exit_code = error.kind.exit_code();
        let document = json::value(name, exit_code, json::Failure { error: error.into() });
        if console.is_json() {
            console.result(&json::text(&document));
        }
        console.error(error);
        if let Some(reports) = reports {
            reports.write(document, &console);
        }
        Ended::from(exit_code)
    };
    let reports = match Reports::prepare(name, reports, &line.global.config, context) {
        Ok(reports) => reports,
        Err(error) => return failed(&error, None),
    };
    let start = Start { context, console: &console, global: &line.global, reports: &reports, groups: GROUPS };
    let ended = action(&start).unwrap_or_else(|error| failed(&error, Some(&reports)));
    match console.lost().or_else(|| reports.lost()) {
        None => ended,
        Some(error) => {
            console.error(&error);
            error.kind.exit_code().into()
        }
    }
}

/// Reports wrong usage as a JSON document, if JSON output was requested.
pub fn report_usage_error(arguments: &[OsString], message: &str) {
    let Some(command) = command_line::asked_for_json(GROUPS, arguments) else { return };
    let console = Console::new(crate::context::Terminal::default(), OutputFormat::Json);
    // Clap has already printed the message for people; the document holds its first line.
    let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let error = Error::usage(message).hint(format!("see xacct {command} --help"));
    console.result(&json::document(command, ExitCode::Usage, json::Failure { error: (&error).into() }));
}
