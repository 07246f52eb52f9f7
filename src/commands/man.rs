//! `xacct man`: the manual, one page for each command.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man as Page;

use super::command_line::{Start, Verb, definition};
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::files::{self, Readers};
use crate::operations::run::TARGET;
use crate::topics::TOPICS;

/// Print a manual page, or write all manual pages.
///
/// Each command has a page, in roff format.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct man verify | man -l -
  xacct man --out ~/.local/share/man/man1
  man xacct-print-profile")]
pub struct Man {
    /// The command, such as `verify` or `print profile` (default: the page of xacct itself)
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    words: Vec<String>,
    /// Write all pages to this directory, and create it if necessary
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
}

impl Verb for Man {
    const NAME: &'static str = "man";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let mut xacct = definition(start.groups);
        // Commands get their full names, and the options of every command.
        xacct.build();
        match &self.out {
            Some(directory) => {
                let directory = start.context.directory.join(directory);
                let failed = |error: std::io::Error| {
                    let words = format!("cannot write to `{}`: {error}", directory.display());
                    Error::new(Kind::File, words).caused_by(error)
                };
                std::fs::create_dir_all(&directory).map_err(failed)?;
                let pages = pages(&xacct, &xacct)?;
                for (name, text) in &pages {
                    files::replace(&directory.join(format!("{name}.1")), text, Readers::All).map_err(failed)?;
                }
                start.console.say(&format!("Wrote {} pages to {}", pages.len(), directory.display()));
            }
            None => {
                let found = self.words.iter().try_fold(&xacct, |command, word| command.find_subcommand(word));
                let command = found.ok_or_else(|| {
                    Error::usage(format!("xacct has no command `{}`", self.words.join(" ")))
                        .hint("list the commands: xacct help")
                })?;
                start.console.result(&page(command, &xacct)?);
            }
        }
        Ok(ExitCode::Done.into())
    }
}

/// Returns the pages of a command and of its subcommands, by name.
fn pages(command: &Command, xacct: &Command) -> Result<BTreeMap<String, String>> {
    let mut pages = BTreeMap::from([(name(command), page(command, xacct)?)]);
    for own in visible(command) {
        // A command under a second name comes later, and has no page of its own.
        for (name, text) in self::pages(own, xacct)? {
            pages.entry(name).or_insert(text);
        }
    }
    Ok(pages)
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

/// Returns the name of a command's page: `xacct-print-profile`.
fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or("xacct").to_owned()
}

/// Renders the page of a command.
fn page(command: &Command, xacct: &Command) -> Result<String> {
    let mut text = rendered(command)
        .map_err(|error| Error::new(Kind::Internal, format!("cannot write the manual page: {error}")))?;
    let after = Remarks::of(command);
    let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    section(&mut text, "COMMANDS", visible(command).map(|own| item(&format!("{}(1)", name(own)), &about(own))));
    if command.get_name() == xacct.get_name() {
        let topics = TOPICS.iter().map(|topic| item(&format!("xacct help {}", topic.name), topic.summary));
        section(&mut text, "TOPICS", topics);
    }
    section(&mut text, "EXAMPLES", after.examples.iter().map(|block| literal(block)));
    section(&mut text, "NOTES", after.notes.iter().map(|block| paragraph(block)));
    section(&mut text, "ENVIRONMENT", environment(command));
    section(&mut text, "FILES", FILES.map(|(file, use_of)| item(file, use_of)).into_iter());
    section(&mut text, "EXIT STATUS", Remarks::of(xacct).exit_codes.iter().map(|block| status(block)));
    let others = xacct.get_subcommands().filter(|_| command.get_name() != xacct.get_name()).take(1);
    let others = others.map(|_| paragraph("xacct(1) lists the commands and the topics of xacct help."));
    section(&mut text, "SEE ALSO", others);
    Ok(text)
}

/// Renders what clap knows: the title, the names, the synopsis, the description and the options.
fn rendered(command: &Command) -> std::io::Result<String> {
    let page = Page::new(command.clone()).title(name(command).to_uppercase());
    let page = page.source(concat!("xacct ", env!("CARGO_PKG_VERSION"))).manual("xacct");
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    // clap_mangen's synopsis lists every option, without its value.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").lines().map(|line| escaped(line.trim())).collect::<Vec<_>>();
    writeln!(text, ".SH SYNOPSIS\n.nf\n{}\n.fi", usage.join("\n"))?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What xacct reads and writes.
const FILES: [(&str, &str); 4] = [
    ("xacct.toml", "the links; see xacct help config"),
    (
        "~/.aws/config, ~/.aws/credentials",
        "profiles of the operators and the user; AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name others",
    ),
    ("$XDG_CACHE_HOME/xacct, ~/.cache/xacct", "cached sessions, for their owner only"),
    ("$XDG_STATE_HOME/xacct, ~/.local/state/xacct", "the last tests of each link on this machine"),
];

/// The help after the options, by its blocks.
#[derive(Default)]
struct Remarks {
    examples: Vec<String>,
    notes: Vec<String>,
    exit_codes: Vec<String>,
}

impl Remarks {
    fn of(command: &Command) -> Self {
        let mut remarks = Self::default();
        let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        for block in text.split("\n\n") {
            let (title, lines) = block.split_once('\n').unwrap_or((block, ""));
            match title {
                "Example:" | "Examples:" => remarks.examples.push(lines.to_owned()),
                "Exit codes:" => remarks.exit_codes.push(lines.to_owned()),
                // The list of topics has a section of its own.
                title if title.starts_with("Topics") => {}
                _ => remarks.notes.push(block.to_owned()),
            }
        }
        remarks
    }
}

/// Appends a section, unless it is empty.
fn section(page: &mut String, title: &str, parts: impl Iterator<Item = String>) {
    let parts: String = parts.collect();
    if !parts.is_empty() {
        page.push_str(&format!(".SH \"{title}\"\n{parts}"));
    }
}

/// Returns the variables that options and the target can be set with.
fn environment(command: &Command) -> impl Iterator<Item = String> + '_ {
    let has = |option: &str| command.get_arguments().any(|argument| argument.get_id() == option);
    // Commands that only delete or revoke have --all, and need it or a name.
    let is_removal = has("all") && !has("remove");
    command.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(move |argument| {
        match argument.get_long() {
            Some(option) => Some(item(argument.get_env()?.to_str()?, &format!("the same as --{option}"))),
            // clap does not know this variable, because it must not conflict with options that exclude a target.
            None => {
                let is_target = ["target", "targets"].contains(&argument.get_id().as_str());
                let meaning = if is_removal { "ignored" } else { "the target, if none is specified" };
                is_target.then(|| item(TARGET, meaning))
            }
        }
    })
}

/// Returns a term with its description.
fn item(term: &str, text: &str) -> String {
    format!(".TP\n\\fB{}\\fR\n{}\n", escaped(term), escaped(text))
}

/// Returns lines that stay as they are.
fn literal(text: &str) -> String {
    format!(".nf\n{}\n.fi\n", text.lines().map(escaped).collect::<Vec<_>>().join("\n"))
}

/// Returns lines that fill the width.
fn paragraph(text: &str) -> String {
    format!(".PP\n{}\n", text.lines().map(|line| escaped(line.trim())).collect::<Vec<_>>().join("\n"))
}

/// Returns the exit codes, each with its meaning.
fn status(block: &str) -> String {
    let lines = block.lines().map(|line| match line.trim().split_once("  ") {
        Some((codes, meaning)) => item(codes, meaning),
        // A sentence of its own is indented like the codes, the rest of a meaning more.
        None if line.starts_with("  xacct") => format!(".PP\n{}\n", escaped(line.trim())),
        None => format!("{}\n", escaped(line.trim())),
    });
    lines.collect()
}

/// Escapes a line for roff.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}
