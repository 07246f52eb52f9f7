//! xacct makes one kind of thing: a **link** that lets a user of a *source account* work in a *target account*.
//!
//! A link is two halves: a role in the target account whose trust policy admits the source account, and a grant on the
//! user in the source account that allows `sts:AssumeRole` on exactly that role. xacct makes both, proves that the link
//! works, and proves that it refuses what it must refuse.
//!
//! # Map
//!
//! | module | what is there |
//! |---|---|
//! | [`cli`] | options that several commands take; the doc comments of what can be typed are the help |
//! | [`config`] | options, environment and `xacct.toml` made into settings; writing `xacct.toml` |
//! | [`commands`] | the verbs, each reading from top to bottom: resolve, observe, decide, act, report |
//! | `operations` | what verbs are made of; imports no command |
//! | [`iam`] | the pure core: names and ARNs, policy documents, the plan, and what policies decide |
//! | [`aws`] | the only place that knows the AWS SDK: reads, writes, sessions, the test bucket |
//! | [`proof`] | the steps that prove a link, and the verdict |
//! | [`diagnosis`] | why a link does not work: facts of both halves, and what they show |
//! | [`export`] | a session's credentials, as programs and shells read them |
//! | [`print`](mod@print) | settings for the tools that use a link |
//! | [`report`] | results for people and for programs |
//! | [`files`] | files that people name, read and replaced with care |
//! | [`text`] | text of others, made fit for where it is shown |
//! | [`error`] | the error type and the exit codes |
//! | `topics` | what `xacct help TOPIC` tells |
//! | [`context`] | terminal, environment and randomness, handed in at the top |
//!
//! Dependencies point one way: `commands` → `operations` → `diagnosis` → `proof` → `aws` → `iam`; `print` knows `iam`, and
//! `report` also `proof` and `diagnosis`, of which only `diagnosis::collect` asks AWS; `iam` knows nothing, nor do `text` and
//! `files`. Only `commands::bootstrap` and `commands::teardown`, with the `operations::grant_writer` of both, reach
//! `aws::iam::apply`, so nothing else can write IAM. A test holds this.
//!
//! # How a link is made
//!
//! `bootstrap` observes both accounts ([`aws::iam::observe`]), plans ([`iam::plan`]), shows the plan, applies that same
//! value ([`aws::iam::apply`]), observes and plans again (nothing may be left), records the link ([`config::record`]) and
//! proves it ([`proof`]).
//!
//! `teardown` goes the same way backwards: it observes, plans ([`iam::plan::teardown`]), shows, applies, observes again, and
//! takes the link out of the file ([`config::forget`]).

pub mod aws;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod diagnosis;
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

use clap::builder::StyledStr;
use clap::error::ContextValue;

use crate::commands::CommandLine;
use crate::context::Context;
use crate::error::{Ended, Error, ExitCode, Kind};

/// Runs xacct with these arguments, the first of which is the program's name. To be called before any thread is started.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Ended {
    let arguments: Vec<_> = arguments.collect();
    // A bug has printed what it is by now, and has an exit code of the documented ones like everything else.
    catch_unwind(AssertUnwindSafe(|| run_with(&arguments))).unwrap_or(ExitCode::Error.into())
}

fn run_with(arguments: &[OsString]) -> Ended {
    let line = match CommandLine::parse(arguments) {
        Ok(line) => line,
        Err(mut error) => {
            escape(&mut error);
            if !error.use_stderr() {
                // Help and version are answers, and go to stdout.
                let _ = error.print();
                return ExitCode::Done.into();
            }
            print_usage_error(&error);
            commands::report_usage_error(arguments, &error.to_string());
            return ExitCode::Usage.into();
        }
    };
    hide_code();
    match Context::of_this_process() {
        Ok(context) => commands::run(&line, &context),
        Err(error) => {
            let error = Error::new(Kind::File, format!("the working folder cannot be used: {error}"));
            let console = report::Console::new(context::Terminal::default(), cli::OutputFormat::Table);
            console.error(&error);
            error.kind.exit_code().into()
        }
    }
}

/// Escapes what was typed, or stands in `XACCT_…`, where an error repeats it: clap does not.
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

/// Prints what is wrong with the arguments. What clap labels `tip:` is labelled as every other hint is.
fn print_usage_error(error: &clap::Error) {
    const RESET: &str = "\u{1b}[0m";
    let text = error.render().ansi().to_string().replace(&format!("tip:{RESET}"), &format!("hint:{RESET}"));
    let _ = write!(anstream::stderr(), "{text}");
}

/// Takes the MFA code, which was read by now, out of the environment: neither the command of `exec` nor what a profile
/// names as its `credential_process` needs it.
fn hide_code() {
    // SAFETY: there is only this thread so far, so nobody reads the environment meanwhile.
    unsafe { std::env::remove_var("XACCT_MFA_CODE") }
}
