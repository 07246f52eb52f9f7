#![doc = include_str!("README.md")]

pub mod answers;
pub mod aws;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod diagnosis;
pub mod environment;
pub mod error;
pub mod export;
pub mod files;
pub mod iam;
mod operations;
pub mod print;
pub mod proof;
pub mod report;
pub mod text;
mod topics;

use std::ffi::OsString;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::ValueEnum;
use clap::builder::StyledStr;
use clap::error::ContextValue;

use crate::cli::Color;
use crate::commands::CommandLine;
use crate::context::Context;
use crate::error::{Ended, Error, ExitCode, Kind};

/// Runs xacct with these arguments; the first is the program's name. Call it before starting any thread.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Ended {
    let arguments: Vec<_> = arguments.collect();
    // A bug has printed what it is by now, and has an exit code of the documented ones like everything else.
    catch_unwind(AssertUnwindSafe(|| run_with(&arguments))).unwrap_or(ExitCode::Error.into())
}

fn run_with(arguments: &[OsString]) -> Ended {
    environment::tidy();
    if let Some(ended) = commands::complete(arguments) {
        return ended;
    }
    if let Some(color) = color_in(arguments) {
        use_color(color);
    }
    let line = match CommandLine::parse(arguments) {
        Ok(line) => line,
        Err(mut error) => {
            escape(&mut error);
            if !error.use_stderr() {
                // Help and version are results, so they go to stdout.
                let _ = error.print();
                return ExitCode::Done.into();
            }
            print_usage_error(&error);
            commands::report_usage_error(arguments, &error.to_string());
            return ExitCode::Usage.into();
        }
    };
    environment::hide_code();
    use_color(line.global().color);
    match Context::of_this_process() {
        Ok(context) => commands::run(&line, &context),
        Err(error) => {
            let error = Error::new(Kind::File, format!("cannot use the working directory: {error}"));
            let console = report::Console::new(context::Terminal::default(), cli::OutputFormat::Table);
            console.error(&error);
            error.kind.exit_code().into()
        }
    }
}

/// Finds `--color` in arguments that clap has not parsed yet: its errors and the help have colors, too.
fn color_in(arguments: &[OsString]) -> Option<Color> {
    let mut words = arguments.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let value = words.find_map(|word| match word.strip_prefix("--color")? {
        "" => Some(None),
        rest => rest.strip_prefix('=').map(Some),
    });
    Color::from_str(value?.or_else(|| words.next())?, false).ok()
}

/// Sets whether output has colors from now on.
fn use_color(color: Color) {
    let choice = match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Escapes command-line and `XACCT_…` values that an error repeats: clap does not.
fn escape(error: &mut clap::Error) {
    let given = error.context().filter_map(|(_, value)| match value {
        ContextValue::String(text) => Some(vec![text.clone()]),
        ContextValue::Strings(texts) => Some(texts.clone()),
        _ => None,
    });
    let given: Vec<_> = given.flatten().collect();
    let escaped = |text: &String| text::on_one_line(text).into_owned();
    // What is styled already has escapes of its own.
    let restyled = |text: &StyledStr| {
        let styled = text.ansi().to_string();
        StyledStr::from(given.iter().fold(styled, |styled, text| styled.replace(text.as_str(), &escaped(text))))
    };
    let values: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(escaped(text)))),
            ContextValue::Strings(texts) => Some((kind, ContextValue::Strings(texts.iter().map(escaped).collect()))),
            ContextValue::StyledStr(text) => Some((kind, ContextValue::StyledStr(restyled(text)))),
            ContextValue::StyledStrs(all) => Some((kind, ContextValue::StyledStrs(all.iter().map(restyled).collect()))),
            _ => None,
        })
        .collect();
    for (kind, value) in values {
        error.insert(kind, value);
    }
}

/// Prints clap's error about the arguments, with its label `tip:` replaced by xacct's `hint:`.
fn print_usage_error(error: &clap::Error) {
    const RESET: &str = "\u{1b}[0m";
    let text = error.render().ansi().to_string().replace(&format!("tip:{RESET}"), &format!("hint:{RESET}"));
    let _ = write!(anstream::stderr(), "{text}");
}
