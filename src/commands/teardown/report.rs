//! What teardown shows: the plan before, and what is gone after.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::{Failed, Job, Teardown, Work};
use crate::cli::Half;
use crate::error::{Error, ExitCode, Result};
use crate::operations::accounts::who;
use crate::operations::apply::agreed;
use crate::operations::grant_writer::repaired;
use crate::operations::run::Run;
use crate::report::changes::{self, Mood, Style};
use crate::report::console::{STRONG, count};
use crate::report::json::{self, JsonChange, JsonError};

/// Says that no link of these names is on record: an earlier run may have removed it.
pub fn nothing_on_record(unknown: &[String], run: &Run<'_>) {
    let path = run.file.path.display().to_string();
    let mut text = "Nothing to do".to_owned();
    if unknown.is_empty() {
        let _ = write!(text, ": {path} has no targets");
    }
    text.push_str(&not_on_record(unknown, run));
    run.console.tell(&text);
    if run.console.is_json() {
        let body = JsonTeardown {
            source: None,
            targets: BTreeMap::new(),
            not_on_record: unknown.to_vec(),
            pending_changes: 0,
            applied: false,
            config: JsonConfig { path, written: false, error: None },
        };
        run.console.result(&json::document("teardown", ExitCode::Done, body));
    }
}

fn not_on_record(unknown: &[String], run: &Run<'_>) -> String {
    let known: Vec<_> = run.file.targets.iter().map(|(name, _)| name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let lines =
        unknown.iter().map(|name| format!("\n{name} is not on record in {} (it has {known})", run.file.path.display()));
    lines.collect()
}

/// Shows who is at work, which links go, and every change.
pub fn preview(work: &Work, args: &Teardown, run: &Run<'_>) {
    let mut text = String::new();
    who(&mut text, "Source", work.source.account.as_str(), work.source.operator.as_ref());
    for job in &work.jobs {
        who(&mut text, "Target", job.link.account.as_str(), job.operator.as_ref());
        let _ = writeln!(text, "Link     {} will not assume {} any more", work.source.user.name, job.role);
    }
    match work.pending() {
        _ if work.jobs.is_empty() => text.push_str("\nNo target can be removed\n"),
        0 => text.push_str("\nNothing to do: nothing is left of this\n"),
        pending => {
            let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", count(pending, "change"));
        }
    }
    text.push_str(&plans(work, args.changes.show_policies, run.console.width()));
    text.push_str(&not_on_record(&work.unknown, run));
    run.console.tell(&text);
    for Failed { link, error } in &work.failed {
        run.console.error(&error.clone().context(format!("target {}", link.name)));
    }
}

/// The plans in the order in which they are applied: the roles, then the grant.
fn plans(work: &Work, documents: bool, width: u16) -> String {
    let several = work.jobs.len() > 1;
    let side = |job: &Job| if several { job.link.name.clone() } else { "target".to_owned() };
    let pad = work.jobs.iter().map(|job| side(job).chars().count()).max().unwrap_or_default().max("source".len());
    let show = |plan, side: &str, role| changes::preview(plan, &Style { side, pad, role, documents, width });
    let targets = work.jobs.iter().map(|job| show(&job.plan, &side(job), job.role.name.as_str()));
    let source = show(&work.grant_plan, "source", "");
    targets.chain([source]).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Asks whether to remove all this.
///
/// # Errors
/// When the answer is no, or there is nobody to ask.
pub async fn confirm(work: &Work, pending: usize, run: &Run<'_>) -> Result<()> {
    let names = work.jobs.iter().map(|job| job.link.name.as_str()).collect::<Vec<_>>().join(", ");
    let hint = "or only look: --dry-run, or --check to fail if there is anything";
    agreed(&format!("Remove {names}?"), &format!("{} to apply", count(pending, "change")), hint, run).await
}

/// Shows what came of it. `recorded` says whether `xacct.toml` was written; `None` after a preview.
pub fn finish(work: &Work, args: &Teardown, run: &Run<'_>, exit_code: ExitCode, recorded: Option<Result<bool>>) {
    let console = run.console;
    if console.is_json() {
        console.result(&json::document("teardown", exit_code, JsonTeardown::new(work, run, recorded.as_ref())));
    }
    let Some(recorded) = recorded else {
        if work.pending() > 0 {
            console.say("Nothing was changed");
        }
        return;
    };
    for job in work.gone().filter(|_| work.pending() > 0) {
        let half = match args.only {
            None => "",
            Some(Half::Source) => " (the grant)",
            Some(Half::Target) => " (the role)",
        };
        console.tell(&format!("Removed {}{half}: {}", job.link.name, job.role));
    }
    if work.grant_result.is_ok() && work.jobs.iter().any(|job| job.result.is_err()) {
        for change in &work.grant_plan.changes {
            console.say(&format!("This was done: {}", changes::sentence(change, "", Mood::Done)));
        }
    }
    if let Some(text) = repaired(work.grant_repairs) {
        console.say(&text);
    }
    let errors: Vec<&Error> = work.errors().chain(recorded.as_ref().err()).collect();
    errors.into_iter().for_each(|error| console.error(error));
    let path = run.file.path.display();
    let gone: Vec<_> = work.gone().map(|job| job.link.name.as_str()).collect();
    if args.only.is_some() {
        console.say(&format!("{path} keeps {}: only one half was looked at", gone.join(", ")));
        console.say("When the other half is gone, too, remove it there, or run xacct teardown without --only");
    } else if matches!(recorded, Ok(true)) {
        console.say(&format!("Took {} out of {path}", gone.join(", ")));
        if gone.len() == run.file.targets.len() {
            console.say("It has no targets any more, and keeps [source] for the next link");
        }
    }
}

#[derive(Serialize)]
struct JsonTeardown {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<JsonSource>,
    targets: BTreeMap<String, JsonTarget>,
    not_on_record: Vec<String>,
    pending_changes: usize,
    applied: bool,
    config: JsonConfig,
}

#[derive(Serialize)]
struct JsonSource {
    account: String,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    changes: Vec<JsonChange>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repairs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

#[derive(Serialize)]
struct JsonTarget {
    account: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    changes: Vec<JsonChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

#[derive(Serialize)]
struct JsonConfig {
    path: String,
    written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl JsonTeardown {
    fn new(work: &Work, run: &Run<'_>, recorded: Option<&Result<bool>>) -> Self {
        let jobs = work.jobs.iter().map(|job| {
            let target = JsonTarget {
                account: job.link.account.to_string(),
                role: job.link.role.to_string(),
                role_arn: Some(job.role.to_string()),
                operator: job.operator.as_ref().map(json::Operator::from),
                changes: json::plan_changes(&job.plan, job.role.name.as_str()),
                error: job.result.as_ref().err().map(JsonError::from),
            };
            (job.link.name.clone(), target)
        });
        let failed = work.failed.iter().map(|Failed { link, error }| {
            let target = JsonTarget {
                account: link.account.to_string(),
                role: link.role.to_string(),
                role_arn: None,
                operator: None,
                changes: Vec::new(),
                error: Some(error.into()),
            };
            (link.name.clone(), target)
        });
        Self {
            source: Some(JsonSource {
                account: work.source.account.to_string(),
                user: work.source.user.to_string(),
                operator: work.source.operator.as_ref().map(json::Operator::from),
                changes: json::plan_changes(&work.grant_plan, ""),
                notes: json::plan_notes(&work.grant_plan),
                repairs: Some(work.grant_repairs).filter(|repairs| *repairs > 0),
                error: work.grant_result.as_ref().err().map(JsonError::from),
            }),
            targets: jobs.chain(failed).collect(),
            not_on_record: work.unknown.clone(),
            pending_changes: work.pending(),
            applied: recorded.is_some(),
            config: JsonConfig {
                path: run.file.path.display().to_string(),
                written: matches!(recorded, Some(Ok(true))),
                error: recorded.and_then(|recorded| recorded.as_ref().err()).map(JsonError::from),
            },
        }
    }
}
