//! What bootstrap shows: the plan before, the result after, and what the other owner needs.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::Cell;
use serde::Serialize;

use super::other_half::{OtherHalf, naming, other_half};
use super::{Bootstrap, Job, Work};
use crate::cli::Half;
use crate::config::Link;
use crate::diagnosis::Diagnosis;
use crate::error::{Error, ExitCode, Kind, Result};
use crate::operations::accounts::who;
use crate::operations::grant_writer::{Grant, repaired};
use crate::operations::run::Run;
use crate::proof::Outcome;
use crate::report::changes::{self, Style};
use crate::report::console::{self, GOOD, STRONG, count};
use crate::report::json::{self, JsonChange, JsonError, JsonProof};
use crate::report::{diagnosis, proof as words};
use crate::text::shell::ShellCommand;

/// Shows who is at work, what the links will be, and every change.
pub fn preview(work: &Work, args: &Bootstrap, run: &Run<'_>) {
    let mut text = String::new();
    who(&mut text, "Source", work.source.account.as_str(), work.source.operator.as_ref());
    for job in &work.jobs {
        who(&mut text, "Target", job.link.account.as_str(), job.target.as_ref().map(|target| &target.operator));
        let _ = writeln!(text, "Link     {} may assume {}", work.source.user.name, job.role);
        text.push_str(&terms(&job.link));
    }
    let pending = work.pending();
    if work.jobs.is_empty() {
        text.push_str("\nNo target could be read\n");
    } else if pending == 0 {
        let _ = writeln!(text, "\nNo changes: both accounts are as they should be");
    } else {
        let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", count(pending, "change"));
    }
    text.push_str(&plans(work, args.changes.show_policies, run.console.width()));
    run.console.tell(&text);
    for failed in &work.failed {
        let error = failed.error.clone();
        // The error names the account; the name says more only where it is another.
        let named = failed.link.name != failed.link.account.as_str();
        run.console.error(&if named { error.context(format!("target {}", failed.link.name)) } else { error });
    }
}

fn terms(link: &Link) -> String {
    let id = match link.external_id.known() {
        Some(id) => format!("external ID {id}"),
        None => "no external ID".to_owned(),
    };
    let mut terms = vec![if link.require_mfa { "MFA demanded" } else { "no MFA" }.to_owned()];
    if link.restrict_to_user {
        terms.push("this user only".to_owned());
    }
    if link.allow_session_tags {
        terms.push("session tags".to_owned());
    }
    terms.push(format!("sessions up to {}", link.max_session_duration));
    format!("         {id}\n         {}\n", terms.join(" · "))
}

/// Asks whether to apply; shows the documents first if that is wanted.
///
/// # Errors
/// When the answer is no, or there is nobody to ask.
pub async fn confirm(work: &Work, pending: usize, run: &Run<'_>) -> Result<()> {
    if !run.context.terminal.can_ask {
        return Err(Error::usage(format!(
            "{} to apply, and no terminal to ask on; nothing was changed",
            count(pending, "change")
        ))
        .hint("apply without asking: --yes")
        .hint("or only look: --dry-run, or --check to fail if there are changes"));
    }
    loop {
        let question = format!("Apply {}? [y/N, d shows the documents]", count(pending, "change"));
        let console = run.console.clone();
        // In a thread of its own: Ctrl-C must be heard while the question stands.
        let answer = tokio::task::spawn_blocking(move || console.ask(&question)).await;
        match answer.ok().flatten().unwrap_or_default().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(()),
            "d" => run.console.say(&plans(work, true, run.console.width())),
            _ => return Err(Error::new(Kind::Declined, "nothing was changed")),
        }
    }
}

/// The plans of all targets, then that of the source.
fn plans(work: &Work, documents: bool, width: u16) -> String {
    let several = work.jobs.len() > 1;
    let side = |job: &Job| if several { job.link.name.clone() } else { "target".to_owned() };
    let pad = work.jobs.iter().map(|job| side(job).chars().count()).max().unwrap_or_default().max("source".len());
    let show = |plan, side: &str, role| changes::preview(plan, &Style { side, pad, role, documents, width });
    let targets = work.jobs.iter().map(|job| show(&job.plan, &side(job), job.role.name.as_str()));
    let source = show(&work.grant_plan, "source", "");
    targets.chain([source]).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Shows what came of it. `recorded` says whether `xacct.toml` was written; `None` after a preview.
pub fn finish(work: &Work, args: &Bootstrap, run: &Run<'_>, exit_code: ExitCode, recorded: Option<Result<bool>>) {
    let console = run.console;
    if console.is_json() {
        console.result(&json::document("bootstrap", exit_code, JsonBootstrap::new(work, args, run, recorded.as_ref())));
    }
    let Some(recorded) = recorded else {
        if work.pending() > 0 {
            console.say("Nothing was changed");
        }
        return;
    };
    if !console.is_json() {
        results(work, args, run);
    }
    if let Some(text) = work.grant_writer.as_ref().and_then(|grant| repaired(grant.repairs())) {
        console.say(&text);
    }
    for error in errors(work) {
        console.error(error);
    }
    if let Err(error) = &recorded {
        console.error(error);
    }
    if matches!(recorded, Ok(true)) {
        console.say(&format!("Wrote {}", run.file.path.display()));
    }
    if let Some(only) = args.only {
        console.tell(&for_the_other_owners(work, only));
    } else if exit_code == ExitCode::Done && !args.no_verify {
        console.say("Next: xacct print-provider-hcl > provider.tf");
    } else if exit_code == ExitCode::Done {
        console.say("Next: xacct verify");
    }
}

fn results(work: &Work, args: &Bootstrap, run: &Run<'_>) {
    let only = args.only.map(|_| "target");
    let console = run.console;
    let width = console.width();
    let user = work.source.user.name.as_str();
    let several = work.jobs.len() + work.failed.len() > 1;
    for job in &work.jobs {
        if let Some(Ok(proof)) = &job.proof
            && (!several || proof.outcome != Outcome::Works)
        {
            let heading = words::heading(proof);
            let title = if several { format!("{}: {heading}", job.link.name) } else { heading };
            console.result(&format!("\n{title}\n{}", words::steps(proof, job.diagnosis.as_ref(), user, width)));
        } else if let Some(diagnosis) = &job.diagnosis {
            console.result(&format!("\n{}", diagnosis::text(diagnosis, width)));
        }
    }
    if several {
        console.result(&format!("\n{}", table(work, width)));
        return;
    }
    for job in work.jobs.iter().filter(|job| job.result.is_ok() && work.grant_result.is_ok()) {
        let mut text = format!("\nRole         {}", job.role);
        if let Some(id) = job.link.external_id.known() {
            let _ = write!(text, "\nExternal ID  {id}");
        }
        if job.target.is_some()
            && job.desired.inline.keys().any(|name| name.as_str() == crate::iam::templates::VERIFY_POLICY)
        {
            text.push_str("\nThe role can only pass the check so far. Attach what Terraform will need:");
            let attach = naming(ShellCommand::new("xacct").arg("bootstrap"), &job.link).option_if("--only", only);
            let _ = write!(text, "\n  {}", attach.option("--policy-arn", "PowerUserAccess"));
        }
        console.result(&text);
    }
}

/// One row a target.
fn table(work: &Work, width: u16) -> String {
    let mut table = console::borderless(width);
    table.set_header(["TARGET", "ACCOUNT", "CHANGES", "RESULT", "READY AFTER"]);
    for job in &work.jobs {
        let proof = job.proof.as_ref();
        let (result, ready) = match (&job.result, proof) {
            (Err(_), _) => ("error", None),
            (Ok(()), Some(Ok(proof))) => (words::verdict_in_short(proof.outcome), proof.ready_after),
            (Ok(()), Some(Err(_))) => ("made; error while verifying", None),
            (Ok(()), None) if work.grant_result.is_err() => ("made; the grant failed", None),
            (Ok(()), None) => ("made; not verified", None),
        };
        let ready = ready.map_or_else(String::new, console::seconds);
        let changes = job.plan.changes.len().to_string();
        table.add_row([&job.link.name, job.link.account.as_str(), &changes, result, &ready].map(Cell::new));
    }
    for failed in &work.failed {
        table.add_row([&failed.link.name, failed.link.account.as_str(), "0", "error", ""].map(Cell::new));
    }
    console::trimmed(&table)
}

fn errors(work: &Work) -> impl Iterator<Item = &Error> {
    let proofs = work.jobs.iter().filter_map(|job| job.proof.as_ref()?.as_ref().err());
    work.grant_result
        .as_ref()
        .err()
        .into_iter()
        .chain(work.jobs.iter().filter_map(|job| job.result.as_ref().err()))
        .chain(proofs)
}

/// What the owners of the other accounts need.
fn for_the_other_owners(work: &Work, only: Half) -> String {
    let mut text = String::new();
    for job in work.jobs.iter().filter(|job| job.result.is_ok() && work.grant_result.is_ok()) {
        let OtherHalf { owner, command, document } = other_half(work, job, only);
        let what = if only == Half::Source { "a role with this trust policy" } else { "this policy on the user" };
        let _ = writeln!(text, "\n{GOOD}This half is made.{GOOD:#} The owner of {owner} makes the other one with");
        let _ = writeln!(text, "  {command}\nor with any other tool, as {what}:\n{document}");
        let _ = writeln!(text, "Then prove the link: xacct verify");
    }
    text
}

#[derive(Serialize)]
struct JsonBootstrap {
    source: JsonSource,
    targets: BTreeMap<String, JsonTarget>,
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
    warnings: Vec<String>,
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
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    changes: Vec<JsonChange>,
    notes: Vec<String>,
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_half: Option<OtherHalf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<JsonProof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
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

impl JsonBootstrap {
    fn new(work: &Work, args: &Bootstrap, run: &Run<'_>, recorded: Option<&Result<bool>>) -> Self {
        let jobs = work.jobs.iter().map(|job| {
            let other_half = args.only.filter(|_| job.result.is_ok()).map(|only| other_half(work, job, only));
            (job.link.name.clone(), JsonTarget { other_half, ..JsonTarget::from(job) })
        });
        let failed = work.failed.iter().map(|failed| {
            let target = JsonTarget {
                account: failed.link.account.to_string(),
                role: failed.link.role.to_string(),
                role_arn: None,
                external_id: None,
                operator: None,
                changes: Vec::new(),
                notes: Vec::new(),
                warnings: Vec::new(),
                other_half: None,
                verification: None,
                diagnosis: None,
                error: Some((&failed.error).into()),
            };
            (failed.link.name.clone(), target)
        });
        Self {
            source: JsonSource {
                account: work.source.account.to_string(),
                user: work.source.user.to_string(),
                operator: work.source.operator.as_ref().map(json::Operator::from),
                changes: json::plan_changes(&work.grant_plan, ""),
                notes: json::plan_notes(&work.grant_plan),
                warnings: json::plan_warnings(&work.grant_plan),
                repairs: work.grant_writer.as_ref().map(Grant::repairs).filter(|repairs| *repairs > 0),
                error: work.grant_result.as_ref().err().map(JsonError::from),
            },
            targets: jobs.chain(failed).collect(),
            pending_changes: work.pending(),
            applied: !args.changes.only_shown(),
            config: JsonConfig {
                path: run.file.path.display().to_string(),
                written: matches!(recorded, Some(Ok(true))),
                error: recorded.and_then(|recorded| recorded.as_ref().err()).map(JsonError::from),
            },
        }
    }
}

impl From<&Job> for JsonTarget {
    fn from(job: &Job) -> Self {
        let proof = job.proof.as_ref();
        let error = job.result.as_ref().err().or_else(|| proof?.as_ref().err());
        Self {
            account: job.link.account.to_string(),
            role: job.link.role.to_string(),
            role_arn: Some(job.role.to_string()),
            external_id: job.link.external_id.known().map(ToString::to_string),
            operator: job.target.as_ref().map(|target| (&target.operator).into()),
            changes: json::plan_changes(&job.plan, job.role.name.as_str()),
            notes: json::plan_notes(&job.plan),
            warnings: json::plan_warnings(&job.plan),
            other_half: None,
            verification: proof.and_then(|proof| proof.as_ref().ok()).map(JsonProof::from),
            diagnosis: job.diagnosis.clone(),
            error: error.map(JsonError::from),
        }
    }
}
