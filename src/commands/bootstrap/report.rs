//! The output of bootstrap: the plan, the result, and what the owner of the other account needs.

use std::fmt::Write;

use comfy_table::Cell;

use super::arguments::Bootstrap;
use super::json::JsonBootstrap;
use super::other_half::{OtherHalf, other_half};
use super::work::{Job, Work};
use crate::cli::{Half, Probe};
use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::plan::Change;
use crate::operations::accounts::who;
use crate::operations::apply::{ask, check_can_ask, declined};
use crate::operations::grant_writer::repaired;
use crate::operations::run::Run;
use crate::proof::Outcome;
use crate::report::console::{self, GOOD, STRONG, count};
use crate::report::{diagnosis, json, proof};
use crate::text::shell::ShellCommand;

/// Shows the operators, the links, and every change. `found_profile` is the user's, if xacct had to look for it.
pub fn preview(work: &Work, found_profile: Option<&str>, args: &Bootstrap, run: &Run<'_>) {
    let mut text = String::new();
    who(&mut text, "Source", work.source.account.as_str(), work.source.operator.as_ref());
    for job in &work.jobs {
        who(&mut text, "Target", job.link.account.as_str(), job.operator.as_ref());
        let _ = writeln!(text, "Link     {} may assume {}", work.source.user.name, job.role);
        text.push_str(&terms(&job.link));
        if let Some(why) = &job.state.no_bucket {
            let _ = writeln!(text, "         test without a bucket: {why}");
        } else if is_kept_without_bucket(job, run) {
            let _ =
                writeln!(text, "         test without a bucket (probe in xacct.toml); to decide again: --probe auto");
        }
        if let Some(kept) = &job.state.kept {
            let _ = writeln!(text, "         {kept}");
        }
    }
    if let Some(profile) = found_profile {
        let _ = writeln!(text, "User     {}\n         profile {profile}", work.source.user);
    }
    let pending = work.pending();
    if work.jobs.is_empty() {
        text.push_str("\nNo target could be read\n");
    } else if pending == 0 && work.differs() {
        let _ = writeln!(text, "\n{STRONG}No changes, but the accounts differ from xacct.toml{STRONG:#}");
    } else if pending == 0 {
        let _ = writeln!(text, "\nNo changes: both accounts match xacct.toml");
    } else if args.changes.check && !work.differs() {
        text.push_str("\nBoth accounts match xacct.toml; bootstrap would only update tags that record the last run\n");
    } else {
        let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", count(pending, "change"));
    }
    text.push_str(&work.plans(args.changes.show_policies, run.console.width()));
    run.console.tell(&text);
    for failed in &work.failed {
        let error = failed.error.clone();
        // The error names the account; the target's name is added only if it differs.
        let named = failed.link.name != failed.link.account.as_str();
        run.console.error(&if named { error.context(format!("target {}", failed.link.name)) } else { error });
    }
}

/// Returns whether the file says to test without a bucket, though this plan changes what the role may do.
fn is_kept_without_bucket(job: &Job, run: &Run<'_>) -> bool {
    let recorded = run.file.target(&job.link.name).and_then(|target| target.probe);
    let is_kept = job.link.probe == Probe::Identity && recorded == Some(Probe::Identity);
    is_kept && job.plan.changes.iter().any(Change::adds_permissions)
}

fn terms(link: &Link) -> String {
    let id = match link.external_id.known() {
        Some(id) => format!("external ID {id}"),
        None => "no external ID".to_owned(),
    };
    let mut terms = vec![if link.require_mfa { "MFA required" } else { "no MFA" }.to_owned()];
    if link.restrict_to_user {
        terms.push("this user only".to_owned());
    }
    if link.allow_session_tags {
        terms.push("session tags".to_owned());
    }
    terms.push(format!("sessions up to {}", link.max_session_duration));
    format!("         {id}\n         {}\n", terms.join(" · "))
}

/// Asks for confirmation; `d` shows the policy documents.
///
/// # Errors
/// When the answer is no, or there is no terminal to ask on.
pub async fn confirm(work: &Work, run: &Run<'_>) -> Result<()> {
    let changes = count(work.pending(), "change");
    let hints =
        ["apply without asking: --yes", "or show the changes and stop: --dry-run, or --check to fail if there are any"];
    check_can_ask(&format!("{changes} to apply"), hints, run)?;
    loop {
        let answer = ask(format!("Apply {changes}? [y/N, d = show policies]"), run).await;
        match answer.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(()),
            "d" => run.console.warn(&work.plans(true, run.console.width())),
            _ => return Err(declined()),
        }
    }
}

/// Shows the result. `recorded` says whether `xacct.toml` was written; `None` after a preview.
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
    if let Some(text) = repaired(work.grant.repairs) {
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
        let target = match work.jobs.as_slice() {
            [job] => job.link.name.as_str(),
            _ => "TARGET",
        };
        let exec = ShellCommand::new("xacct").arg("exec").arg(target);
        console.say("Next: xacct print-provider-hcl > provider.tf, and run Terraform with the user's credentials");
        console.say(&format!("Or, without that provider block: {exec} -- COMMAND"));
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
        if let Some(Ok(proof)) = &job.state.proof
            && (!several || proof.outcome != Outcome::Works)
        {
            let heading = proof::heading(proof);
            let title = if several { format!("{}: {heading}", job.link.name) } else { heading };
            console.result(&format!("\n{title}\n{}", proof::steps(proof, job.state.diagnosis.as_ref(), user, width)));
        } else if let Some(diagnosis) = &job.state.diagnosis {
            console.result(&format!("\n{}", diagnosis::text(diagnosis, width)));
        }
    }
    if several {
        console.result(&format!("\n{}", table(work, width)));
        return;
    }
    for job in work.done() {
        let mut text = format!("\nRole         {}", job.role);
        if let Some(id) = job.link.external_id.known() {
            let _ = write!(text, "\nExternal ID  {id}");
        }
        if job.operator.is_some()
            && job.state.desired.inline.keys().any(|name| name.as_str() == crate::iam::templates::VERIFY_POLICY)
        {
            text.push_str("\nSo far the role can only create xacct-verify-* buckets.\nAttach the permissions that Terraform needs:");
            let attach = ShellCommand::new("xacct").arg("bootstrap").arg(&job.link.name).option_if("--only", only);
            let _ = write!(text, "\n  {}", attach.option("--policy-arn", "PowerUserAccess"));
        }
        console.result(&text);
    }
}

/// Returns a table with one row per target.
fn table(work: &Work, width: u16) -> String {
    let mut table = console::borderless(width);
    table.set_header(["TARGET", "ACCOUNT", "CHANGES", "RESULT", "READY AFTER"]);
    for job in &work.jobs {
        let proof = job.state.proof.as_ref();
        let (result, ready) = match (&job.result, proof) {
            (Err(_), _) => ("error", None),
            (Ok(()), Some(Ok(proof))) => (proof::verdict_in_short(proof.outcome), proof.ready_after),
            (Ok(()), Some(Err(_))) => ("applied; error while verifying", None),
            (Ok(()), None) if work.grant.result.is_err() => ("applied; the grant failed", None),
            (Ok(()), None) => ("applied; not verified", None),
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
    let proofs = work.jobs.iter().filter_map(|job| job.state.proof.as_ref()?.as_ref().err());
    work.grant
        .result
        .as_ref()
        .err()
        .into_iter()
        .chain(work.jobs.iter().filter_map(|job| job.result.as_ref().err()))
        .chain(proofs)
}

/// Returns what the owners of the other accounts need.
fn for_the_other_owners(work: &Work, only: Half) -> String {
    let mut text = String::new();
    for job in work.done() {
        let OtherHalf { owner, command, document } = other_half(work, job, only);
        let what = if only == Half::Source { "a role with this trust policy" } else { "this policy on the user" };
        let _ = writeln!(text, "\n{GOOD}This half is done.{GOOD:#} Next, the owner of {owner} creates the other half:");
        let _ = writeln!(text, "  {command}\nor, with any other tool, {what}:\n{document}");
        let _ = writeln!(text, "Then test the link: xacct verify");
    }
    text
}
