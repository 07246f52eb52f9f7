//! The command line as a whole: registers commands, and turns arguments into an action to run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::builder::{PossibleValue, PossibleValuesParser, Resettable};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};

use crate::aws::s3::test_bucket::Leftovers;
use crate::cli::{Global, OutputFormat};
use crate::config::{ConfigFile, VARIABLE as EXTERNAL_ID};
use crate::context::Context;
use crate::error::{Ended, Result};
use crate::operations::reports::{Reports, Requested};
use crate::operations::run::Run;
use crate::report::Console;
use crate::topics::TOPICS;

/// Create and test cross-account access in AWS: a role in one account that a user in another may assume.
///
/// A link has two halves: a role in the target account that trusts the source account, and a grant in the source account
/// that allows the user sts:AssumeRole on exactly that role. xacct creates both, and tests with a real session and a real
/// bucket that the link works and rejects what it should.
#[derive(Debug, Parser)]
#[command(
    name = "xacct",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    // xacct has its own, which also knows topics.
    disable_help_subcommand = true,
    after_long_help = "Examples:
  xacct bootstrap 222222222222 --name dev --generate-external-id
  xacct verify
  xacct print-provider-hcl > provider.tf

Exit codes:
  0  done; access works
  1  an error occurred, or you declined the changes
  2  invalid arguments, or an invalid xacct.toml
  3  access does not work, or is too open
  4  differs from xacct.toml (any --check)
  5  access could not be tested: AWS was busy or out of reach, or the user's
     credentials or MFA code are missing
  129, 130, 143  ended by SIGHUP, Ctrl-C, SIGTERM; xacct deleted the test
     bucket, or printed its name on stderr
  xacct exec exits with the exit code of its command: 128 plus the number of
  the signal that ended it, 127 if it was not found, 126 if it cannot be run.
  If xacct cannot open the session, the codes above apply."
)]
struct Xacct {
    /// Options of every command.
    #[command(flatten)]
    global: Global,
}

/// A command: its arguments and its action.
pub trait Verb: Args + 'static {
    /// The name on the command line.
    const NAME: &'static str;

    /// Runs the command.
    ///
    /// # Errors
    /// Returns the errors that the command does not report itself.
    fn run(&self, start: &Start<'_>) -> Result<Ended>;
}

/// What a command starts with.
pub struct Start<'a> {
    pub context: &'a Context,
    pub console: &'a Console,
    pub global: &'a Global,
    pub reports: &'a Reports,
    /// All commands.
    pub groups: &'static [Group],
}

impl<'a> Start<'a> {
    /// Loads `xacct.toml` for a command that works on its links.
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub fn load(&self) -> Result<Run<'a>> {
        let path = self.context.directory.join(&self.global.config);
        // Messages name the file as the user knows it.
        let shown = if self.global.config.is_absolute() { &path } else { &self.global.config };
        let file = ConfigFile::load(shown)?.with_variable(self.context.variable(EXTERNAL_ID))?;
        self.reports.know(&file);
        Ok(Run { file, ..self.without_file() })
    }

    /// Returns the same for a command that needs no `xacct.toml`.
    pub fn without_file(&self) -> Run<'a> {
        let Self { context, console, reports, .. } = *self;
        Run {
            context,
            console,
            reports,
            file: ConfigFile::default(),
            leftovers: Leftovers::default(),
            is_confirming: AtomicBool::default(),
        }
    }
}

/// The help command and its argument. Its possible values are known only here.
pub const HELP: &str = "help";
pub const HELPED: &str = "words";

/// Runs a command with its parsed arguments.
pub type Action = Box<dyn Fn(&Start<'_>) -> Result<Ended>>;

/// A command in the list of commands.
#[derive(Clone, Copy)]
pub struct Entry {
    name: &'static str,
    define: fn(clap::Command) -> clap::Command,
    parse: fn(&ArgMatches) -> std::result::Result<Action, clap::Error>,
}

impl Entry {
    /// Returns the entry of this command.
    pub const fn of<V: Verb>() -> Self {
        let parse = |matches: &ArgMatches| {
            let verb = V::from_arg_matches(matches)?;
            Ok(Box::new(move |start: &Start<'_>| verb.run(start)) as Action)
        };
        Self { name: V::NAME, define: V::augment_args, parse }
    }

    /// Returns the same command under another name.
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Returns the command as clap's definition.
    pub fn definition(&self) -> clap::Command {
        (self.define)(clap::Command::new(self.name))
    }
}

/// Related commands.
pub struct Group {
    /// The heading in the help.
    pub title: &'static str,
    /// Its commands, in the order of the help.
    pub commands: &'static [Entry],
}

/// A parsed command.
pub struct Typed {
    /// Its name.
    pub name: &'static str,
    /// The format of its report.
    pub format: OutputFormat,
    /// Its further reports.
    pub reports: Requested,
    /// Runs it.
    pub action: Action,
}

/// Finds the command in these matches.
///
/// # Errors
/// When there is none, or its arguments conflict.
pub fn typed<'a>(
    mut entries: impl Iterator<Item = &'a Entry>,
    matches: &ArgMatches,
) -> std::result::Result<Typed, clap::Error> {
    let found = matches.subcommand().and_then(|(name, matches)| {
        let entry = entries.find(|entry| entry.name == name)?;
        Some((entry, matches))
    });
    let (entry, matches) = found.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
    let format = matches.try_get_one("output").ok().flatten().copied();
    Ok(Typed {
        name: entry.name,
        format: format.unwrap_or(OutputFormat::Table),
        reports: requested(matches, format == Some(OutputFormat::Json)),
        action: (entry.parse)(matches)?,
    })
}

/// Returns the reports that a command is to write; none if it has no such options.
fn requested(matches: &ArgMatches, json: bool) -> Requested {
    let path = |id| matches.try_get_one::<PathBuf>(id).ok().flatten().cloned();
    Requested {
        destinations: matches.try_get_many("report").ok().flatten().into_iter().flatten().cloned().collect(),
        since: path("since"),
        json,
        redact: matches.try_get_one("redact").ok().flatten().copied().unwrap_or_default(),
        others: path("save_facts").into_iter().collect(),
        external_id: matches.try_get_one("external_id").ok().flatten().cloned(),
    }
}

/// Parses the arguments into the global options and a command.
///
/// # Errors
/// Returns clap's error: requested help, or wrong usage.
pub fn parse(
    groups: &'static [Group],
    arguments: impl IntoIterator<Item = OsString>,
) -> std::result::Result<(Global, Typed), clap::Error> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let matches = definition(groups).try_get_matches_from(&arguments).or_else(|error| match error.kind() {
        ErrorKind::ArgumentConflict => {
            without_overridden(definition(groups), &arguments).try_get_matches_from(&arguments)
        }
        _ => Err(error),
    })?;
    Ok((Global::from_arg_matches(&matches)?, typed(entries(groups), &matches)?))
}

/// Returns the command line without the variables of options that conflict with a typed option: an option overrides
/// variables, its own and those of its alternatives.
fn without_overridden(xacct: clap::Command, arguments: &[OsString]) -> clap::Command {
    let Ok(typed) = xacct.clone().ignore_errors(true).try_get_matches_from(arguments) else { return xacct };
    without_overridden_by(&typed, xacct)
}

fn without_overridden_by(typed: &ArgMatches, command: clap::Command) -> clap::Command {
    let is_typed =
        |argument: &&clap::Arg| typed.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine);
    let conflict = |one: &clap::Arg, other: &clap::Arg| {
        command.get_arg_conflicts_with(one).iter().any(|conflict| conflict.get_id() == other.get_id())
    };
    let is_overridden = |of_variable: &&clap::Arg| {
        let mut typed = command.get_arguments().filter(is_typed);
        of_variable.get_env().is_some()
            && !is_typed(of_variable)
            && typed.any(|typed| conflict(typed, of_variable) || conflict(of_variable, typed))
    };
    let overridden: Vec<_> = command.get_arguments().filter(is_overridden).map(|it| it.get_id().clone()).collect();
    let command = overridden
        .into_iter()
        .fold(command, |command, id| command.mut_arg(id, |argument| argument.env(Resettable::Reset)));
    match typed.subcommand() {
        Some((name, typed)) => command.mut_subcommand(name, |command| without_overridden_by(typed, command)),
        None => command,
    }
}

/// Returns the command that was to report in JSON, for arguments that clap cannot parse.
pub fn asked_for_json(groups: &'static [Group], arguments: &[OsString]) -> Option<&'static str> {
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let by_option = words.windows(2).any(|pair| pair == ["--output", "json"]) || words.contains(&"--output=json");
    let by_variable = std::env::var("XACCT_OUTPUT").is_ok_and(|format| format == "json");
    let reports = |entry: &&Entry| entry.definition().get_arguments().any(|argument| argument.get_id() == "output");
    let is_typed =
        |entry: &&Entry| entry.definition().get_name_and_visible_aliases().iter().any(|it| words.contains(it));
    let command = entries(groups).find(is_typed).filter(reports)?;
    (by_option || by_variable).then_some(command.name)
}

fn entries(groups: &'static [Group]) -> impl Iterator<Item = &'static Entry> {
    groups.iter().flat_map(|group| group.commands)
}

/// Returns the whole command line as clap's definition.
pub fn definition(groups: &'static [Group]) -> clap::Command {
    let xacct = Xacct::command().subcommands(entries(groups).map(Entry::definition));
    let sections = groups.iter().map(|group| {
        let commands = group.commands.iter().map(|entry| (entry.name, about(&entry.definition())));
        section(group.title, &commands.collect::<Vec<_>>(), &xacct)
    });
    let template = sections.chain([HELP_END.to_owned()]).fold(HELP_START.to_owned(), |all, one| all + &one);
    let topics: Vec<_> = TOPICS.iter().map(|topic| (topic.name, topic.summary.to_owned())).collect();
    let topics = section("Topics (xacct help TOPIC)", &topics, &xacct);
    let after = xacct.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let helped = helped(&xacct);
    xacct.help_template(template).after_long_help(topics + &after).mut_subcommand(HELP, |help| {
        help.mut_arg(HELPED, |words| words.value_parser(PossibleValuesParser::new(helped)))
    })
}

/// clap has no groups of commands; in the help of xacct they are between these two.
const HELP_START: &str = "{about-with-newline}\n{usage-heading} {usage}\n\n";
const HELP_END: &str = "Options:\n{options}{after-help}";

/// Returns a heading, and names with their descriptions.
fn section(title: &str, lines: &[(&str, String)], xacct: &clap::Command) -> String {
    // As wide as the longest name, `print-provider-hcl`.
    const NAME: usize = 18;
    const LINE: usize = 80;
    let (header, literal) = (xacct.get_styles().get_header(), xacct.get_styles().get_literal());
    let mut section = format!("{header}{title}:{header:#}\n");
    for (name, about) in lines {
        let name = format!("  {literal}{name}{literal:#}{:1$}  ", "", NAME.saturating_sub(name.len()));
        let indent = " ".repeat(NAME + 4);
        let options = textwrap::Options::new(LINE).initial_indent(&name).subsequent_indent(&indent);
        let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
        section.push_str(&textwrap::fill(about, options));
        section.push('\n');
    }
    section + "\n"
}

fn about(command: &clap::Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Returns the values that `xacct help` accepts.
fn helped(xacct: &clap::Command) -> Vec<PossibleValue> {
    let name = |command: &clap::Command| {
        let aliases: Vec<_> = command.get_visible_aliases().map(str::to_owned).collect();
        PossibleValue::new(command.get_name().to_owned()).aliases(aliases)
    };
    let commands = xacct.get_subcommands().map(name);
    let topics = TOPICS.iter().map(|topic| PossibleValue::new(topic.name));
    // Second words, as in `xacct help print profile`, are accepted but not listed.
    let nested =
        xacct.get_subcommands().flat_map(clap::Command::get_subcommands).map(|command| name(command).hide(true));
    commands.chain(topics).chain(nested).collect()
}
