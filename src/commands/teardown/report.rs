//! The output of teardown: the plan, and the result.

use std::fmt::{self, Write};

use serde::Serialize;

use super::arguments::Teardown;
use super::orphan::Orphan;
use super::work::{Job, Work};
use crate::cli::Half;
use crate::commands::command_line::Verb;
use crate::error::{ExitCode, Result};
use crate::operations::accounts::{who, who_of_several, write_paragraphs};
use crate::operations::apply::confirm_removal;
use crate::operations::grant_writer::repaired;
use crate::operations::run::Run;
use crate::operations::work::{Failed, JsonConfig, JsonSource};
use crate::report::changes::{self, Mood};
use crate::report::console::{STRONG, capitalised, count};
use crate::report::json::{self, ByName};
use crate::report::proof;
use crate::report::several::{self, Field, Sheet};
use crate::text::shell::ShellCommand;
use crate::text::some_of;

/// Reports on one run.
pub struct Report<'a> {
    /// The command, which may be another one that removes roles.
    pub verb: &'static str,
    pub args: &'a Teardown,
    pub run: &'a Run<'a>,
    /// With `--orphan`.
    pub orphan: Option<&'a Orphan>,
    /// Targets on the command line that are not in `xacct.toml`.
    pub unknown: Vec<String>,
}

impl Report<'_> {
    /// Returns what is removed of these targets, in words. Other commands remove roles at their end.
    fn what(&self, names: &str) -> String {
        if self.verb == Teardown::NAME { names.to_owned() } else { format!("the old role of {names}") }
    }

    /// Returns the command that shows the plan for these targets.
    pub fn dry_run<T: fmt::Display>(&self, names: impl IntoIterator<Item = T>) -> ShellCommand {
        let command = self.run.file.xacct().arg(self.verb).flag("--dry-run");
        let command = if self.verb == Teardown::NAME { command } else { command.flag("--finish") };
        if let Some(orphan) = self.orphan {
            return command.option("--orphan", orphan.typed());
        }
        command.args(names)
    }

    /// Reports that `xacct.toml` has none of these targets: an earlier run may have removed them.
    pub fn nothing_on_record(&self) {
        let Self { run, unknown, .. } = self;
        let path = run.file.path.display().to_string();
        let mut text = "Nothing to do".to_owned();
        if unknown.is_empty() {
            let _ = write!(text, ": {path} has no targets");
        }
        text.push_str(&self.not_on_record());
        self.nothing_to_do(&text);
    }

    /// Reports that there is nothing to do, in these words.
    pub fn nothing_to_do(&self, text: &str) {
        let Self { run, unknown, .. } = self;
        run.console.tell(text);
        if run.console.is_json() {
            let body = JsonTeardown {
                source: None,
                targets: ByName::default(),
                not_on_record: unknown.clone(),
                pending_changes: 0,
                applied: false,
                config: JsonConfig::new(&run.file.path, None),
            };
            run.console.result(&json::document(self.verb, ExitCode::Done, body));
        }
    }

    fn not_on_record(&self) -> String {
        let Self { run, unknown, .. } = self;
        let known = some_of(run.file.targets.iter().map(|(name, _)| name));
        let known = if known.is_empty() { "none" } else { &known };
        let path = run.file.path.display();
        unknown.iter().map(|name| format!("\n{path} has no target {name}; its targets: {known}")).collect()
    }

    /// Shows the operators, the links to remove, and every change.
    pub fn preview(&self, work: &Work) {
        let Self { args, run, .. } = self;
        let mut text = String::new();
        who(&mut text, "Source", work.source.account.as_str(), work.source.operator.as_ref());
        let (width, everything) = (run.console.width(), args.changes.show_everything());
        if work.has_several() && !everything {
            let names = work.names();
            let operators = work.jobs.iter().map(|job| (job.link.account.as_str(), job.operator.as_ref()));
            who_of_several(&mut text, &names, operators, width);
            // The rows have the accounts.
            let removes = work.jobs.iter().map(|job| {
                format!("{} → role {}", work.source.labels_of(&job.link), job.link.role_below_its_path()).into()
            });
            let gone = work.jobs.iter().map(|job| gone(job).unwrap_or_default().into());
            let paragraphs = [several::said(&names, removes), several::said(&names, gone)];
            write_paragraphs(&mut text, "Removes", &paragraphs.concat(), width);
        }
        for job in work.jobs.iter().filter(|_| everything || !work.has_several()) {
            who(&mut text, "Target", job.link.account.as_str(), job.operator.as_ref());
            let _ = writeln!(text, "Removes  {} → {}", work.source.labels_of(&job.link), job.role);
            if let Some(why) = gone(job) {
                let _ = writeln!(text, "{}", several::filled(&why, "         ", "         ", width));
            }
        }
        if let Some(principal) = self.orphan.and_then(Orphan::principal) {
            let _ = writeln!(text, "Removes  the grant of {}", principal.in_words().replace('`', ""));
        }
        match work.pending() {
            _ if work.jobs.is_empty() && self.orphan.is_none() => text.push_str("\nNo target can be removed\n"),
            0 => match self.orphan {
                Some(orphan) => {
                    let _ = writeln!(text, "\nNothing to do: there is no {}", orphan.in_words());
                }
                None => text.push_str("\nNothing to do: already removed\n"),
            },
            pending => {
                let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", count(pending, "change"));
            }
        }
        text.push_str(&work.preview(&args.changes, width));
        text.push_str(&self.not_on_record());
        run.console.tell(&text);
        work.tell_failed(run.console);
    }

    /// Asks for confirmation.
    ///
    /// # Errors
    /// When the answer is no, or there is no terminal to ask on.
    pub async fn confirm(&self, work: &Work) -> Result<()> {
        let what = match self.orphan.and_then(Orphan::principal) {
            Some(principal) => format!("the grant of {}", principal.in_words().replace('`', "")),
            None => self.what(&work.targets().join(", ")),
        };
        let hint = "or show the changes and stop: --dry-run, or --check to fail if there are any";
        let pending = format!("{} to apply", count(work.pending(), "change"));
        confirm_removal(&format!("Remove {what}?"), &pending, hint, self.run).await
    }

    /// Shows the result. `recorded` says whether `xacct.toml` was written; `None` after a preview.
    pub fn finish(&self, work: &Work, exit_code: ExitCode, recorded: Option<&Result<bool>>) {
        let Self { args, run, .. } = self;
        let console = run.console;
        if console.is_json() {
            console.result(&json::document(self.verb, exit_code, self.json(work, recorded)));
        }
        let Some(recorded) = recorded else {
            if work.pending() > 0 {
                console.say("Nothing was changed");
            }
            return;
        };
        let half = match args.only {
            None => "",
            Some(Half::Source) => " (the grant)",
            Some(Half::Target) => " (the role)",
        };
        if work.pending() > 0 && work.has_several() {
            console.tell(&format!("\n{}", results(work, half, console.width())));
        } else if work.pending() > 0 {
            for job in work.done() {
                let name = match self.orphan {
                    Some(_) => String::new(),
                    None => format!("{}{half}: ", self.what(&job.link.name)),
                };
                console.tell(&format!("Removed {name}{}", job.role));
            }
        }
        if self.orphan.is_some_and(|orphan| orphan.principal().is_some()) && work.grant.result.is_ok() {
            for change in &work.grant.plan.changes {
                console.tell(&capitalised(&changes::sentence(change, "", Mood::Done)));
            }
        }
        if work.grant.result.is_ok() && work.jobs.iter().any(|job| job.result.is_err()) {
            for change in &work.grant.plan.changes {
                console.say(&format!("Done: {}", changes::sentence(change, "", Mood::Done)));
            }
        }
        if let Some(text) = repaired(work.grant.repairs) {
            console.say(&text);
        }
        let roles = work.jobs.iter().filter_map(|job| job.result.as_ref().err());
        let errors = roles.chain(work.grant.result.as_ref().err()).chain(recorded.as_ref().err());
        errors.for_each(|error| console.error(error));
    }

    /// Says which targets `xacct.toml` has no longer.
    pub fn forgotten(&self, work: &Work, recorded: &Result<bool>) {
        let Self { args, run, .. } = self;
        let (console, path) = (run.console, run.file.path.display());
        let gone = work.gone();
        if args.only.is_some() {
            if !gone.is_empty() {
                console.say(&format!("{path} keeps {}, because --only covers one half", gone.join(", ")));
                console.say("After the other half is removed too, run xacct teardown without --only");
            }
        } else if matches!(recorded, Ok(true)) {
            let targets = if gone.len() == 1 { "target" } else { "targets" };
            console.say(&format!("Removed {targets} {} from {path}", gone.join(", ")));
            if gone.len() == run.file.targets.len() {
                console.say(&format!("{path} has no targets left; it keeps [source] for the next link"));
            }
        }
    }

    fn json(&self, work: &Work, recorded: Option<&Result<bool>>) -> JsonTeardown {
        JsonTeardown {
            source: Some(work.into()),
            targets: work.json_targets(|job| JsonWarnings {
                warnings: json::plan_warnings(&job.plan).into_iter().chain(gone(job)).collect(),
                denied: job.state.is_denied,
            }),
            not_on_record: self.unknown.clone(),
            pending_changes: work.pending(),
            applied: recorded.is_some(),
            config: JsonConfig::new(&self.run.file.path, recorded),
        }
    }
}

/// Says that a closed account was not checked.
fn gone(job: &Job) -> Option<String> {
    let why = job.state.gone.as_ref()?;
    Some(format!("account {} was not checked, so its role is left as it is: {why}", job.link.account))
}

/// Returns a row for each target, and below them how many are removed.
fn results(work: &Work, half: &str, width: u16) -> String {
    let removed = format!("removed{half}");
    let in_short = |result: &Result<()>| result.as_ref().err().map(proof::error_in_short).unwrap_or_default();
    let of_job = |job: &Job| match (&job.result, &work.grant.result) {
        (Err(_), _) => ("error", in_short(&job.result)),
        (_, Err(_)) => ("error", in_short(&work.grant.result)),
        _ => (removed.as_str(), String::new()),
    };
    let jobs = work.jobs.iter().map(|job| (&job.link, of_job(job)));
    let failed = work.failed.iter().map(|Failed { link, error }| (link, ("kept", proof::error_in_short(error))));
    let rows: Vec<_> = jobs.chain(failed).collect();
    let sheet = Sheet::new(vec![
        Field::of("Target", &rows, |(link, _)| link.name.clone()),
        Field::of("Account", &rows, |(link, _)| link.account.to_string()),
        Field::of("Role", &rows, |(link, _)| link.role_below_its_path()).column(),
        Field::of("Result", &rows, |(_, (result, _))| (*result).to_owned()).column(),
        Field::of("Cause", &rows, |(_, (_, cause))| cause.clone()).column().wrapping(),
    ]);
    let last = several::result(work.done().count(), rows.len(), "removed");
    format!("{}\n\n{last}{half}", sheet.table(width))
}

#[derive(Serialize)]
struct JsonTeardown {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<JsonSource>,
    targets: ByName,
    not_on_record: Vec<String>,
    pending_changes: usize,
    applied: bool,
    config: JsonConfig,
}

#[derive(Default, Serialize)]
struct JsonWarnings {
    warnings: Vec<String>,
    /// Whether a test has shown that the user can no longer assume the role.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    denied: bool,
}
