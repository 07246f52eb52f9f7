//! One file a command, each reading from top to bottom: resolve, observe, decide, act, report.

mod bootstrap;
mod command_line;
mod completions;
mod credentials;
mod diagnose;
mod exec;
mod help;
mod man;
mod print;
mod sweep;
mod teardown;
mod verify;

use std::ffi::OsString;

use crate::cli::{Global, OutputFormat};
use crate::context::Context;
use crate::error::{Ended, Error, ExitCode};
use crate::report::{Console, json};
use command_line::{Entry, Group, Start, Typed};

/// Every command, in the order of the help. A new one is a file with what can be typed and what is done ([`command_line::Verb`]),
/// and an entry here.
const GROUPS: &[Group] = &[
    Group { title: "Create", commands: &[Entry::of::<bootstrap::Bootstrap>()] },
    Group { title: "Test", commands: &[Entry::of::<verify::Verify>(), Entry::of::<diagnose::Diagnose>()] },
    Group { title: "Use", commands: &[Entry::of::<exec::Exec>(), Entry::of::<credentials::Credentials>()] },
    Group { title: "Remove", commands: &[Entry::of::<teardown::Teardown>(), Entry::of::<sweep::Sweep>()] },
    Group {
        title: "Settings for other tools",
        commands: &[
            Entry::of::<print::Print>(),
            // It was asked for by this name.
            Entry::of::<print::ProviderHcl>().named("print-provider-hcl"),
        ],
    },
    Group {
        title: "Help",
        commands: &[Entry::of::<help::Help>(), Entry::of::<completions::Completions>(), Entry::of::<man::Man>()],
    },
];

/// What was typed: a command with its arguments, and what applies to every command.
pub struct CommandLine {
    global: Global,
    typed: Typed,
}

impl CommandLine {
    /// Understands these arguments, the first of which is the program's name.
    ///
    /// # Errors
    /// What clap says: help that was asked for, or what is wrong.
    pub fn parse(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let (global, typed) = command_line::parse(GROUPS, print::with_current_names(arguments))?;
        Ok(Self { global, typed })
    }
}

/// Everything that can be typed, as clap knows it.
#[must_use]
pub fn definition() -> clap::Command {
    command_line::definition(GROUPS)
}

/// Runs the command and reports how it went.
pub fn run(line: &CommandLine, context: &Context) -> Ended {
    let Typed { name, format, action } = &line.typed;
    let console = Console::new(context.terminal, *format);
    let start = Start { context, console: &console, global: &line.global, groups: GROUPS };
    let ended = action(&start).unwrap_or_else(|error| {
        let exit_code = error.kind.exit_code();
        if console.is_json() {
            console.result(&json::document(name, exit_code, json::Failure { error: (&error).into() }));
        }
        console.error(&error);
        exit_code.into()
    });
    match console.lost() {
        None => ended,
        Some(error) => {
            console.error(&error);
            error.kind.exit_code().into()
        }
    }
}

/// Reports arguments that cannot be understood as a JSON document, if that was asked for.
pub fn report_usage_error(arguments: &[OsString], message: &str) {
    let Some(command) = command_line::asked_for_json(GROUPS, arguments) else { return };
    let console = Console::new(crate::context::Terminal::default(), OutputFormat::Json);
    // Clap has written it for people already; the document holds its first line.
    let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let error = Error::usage(message).hint(format!("see xacct {command} --help"));
    console.result(&json::document(command, ExitCode::Usage, json::Failure { error: (&error).into() }));
}
