//! The output of revoke: the plan, and the result.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::arguments::Revoke;
use super::plan::{Failed, Job};
use crate::error::{ExitCode, Result};
use crate::iam::revocation::{REVOKE_POLICY, in_words};
use crate::operations::accounts::who;
use crate::operations::apply::confirm_removal;
use crate::operations::run::Run;
use crate::report::changes::{Style, preview};
use crate::report::console::{STRONG, count};
use crate::report::json::{self, JsonChange, JsonError};
use crate::text::shell::ShellCommand;

/// Shows the operators and every change.
pub fn show(jobs: &[Job], failed: &[Failed], args: &Revoke, run: &Run<'_>) {
    let mut text = String::new();
    for job in jobs {
        who(&mut text, "Target", job.link.account.as_str(), Some(&job.operator));
    }
    let pending = jobs.iter().map(|job| job.plan.changes.len()).sum::<usize>();
    match pending {
        _ if jobs.is_empty() => text.push_str("\nNo session can be revoked\n"),
        0 => text.push_str("\nNothing to do: no policy of xacct revokes sessions\n"),
        pending => {
            let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", count(pending, "change"));
        }
    }
    let side = |job: &Job| if jobs.len() > 1 { job.link.name.clone() } else { "target".to_owned() };
    let pad = jobs.iter().map(|job| side(job).chars().count()).max().unwrap_or_default();
    let (documents, width) = (args.changes.show_policies, run.console.width());
    let plans = jobs.iter().filter(|job| !job.plan.is_empty()).map(|job| {
        let style = Style { side: &side(job), pad, role: job.revocation.role.name.as_str(), documents, width };
        preview(&job.plan, &style)
    });
    text.push_str(&plans.collect::<Vec<_>>().join("\n"));
    run.console.tell(&text);
    for Failed { link, error } in failed {
        run.console.error(&error.clone().context(format!("target {}", link.name)));
    }
}

/// Asks for confirmation.
///
/// # Errors
/// When the answer is no, or there is no terminal to ask on.
pub async fn confirm(jobs: &[Job], pending: usize, args: &Revoke, run: &Run<'_>) -> Result<()> {
    let names = jobs.iter().filter(|job| !job.plan.is_empty()).map(|job| job.link.name.as_str());
    let names = names.collect::<Vec<_>>().join(", ");
    let question = match args.lift {
        true => format!("Remove the policy from {names}?"),
        false => format!("End all sessions of {names}, also those of runs in progress?"),
    };
    let hint = "or show the changes and stop: --dry-run";
    confirm_removal(&question, &format!("{} to apply", count(pending, "change")), hint, run).await
}

/// Shows the result: the number of planned changes, and whether they were to be applied.
pub fn finish(
    jobs: &[Job],
    failed: &[Failed],
    (pending, applied): (usize, bool),
    exit_code: ExitCode,
    args: &Revoke,
    run: &Run<'_>,
) {
    let console = run.console;
    if console.is_json() {
        let done = jobs.iter().map(|job| (job.link.name.clone(), JsonTarget::from(job)));
        let targets = done.chain(failed.iter().map(|failed| (failed.link.name.clone(), JsonTarget::from(failed))));
        let body = JsonRevoke { targets: targets.collect(), pending_changes: pending, applied };
        console.result(&json::document("revoke", exit_code, body));
    }
    if !applied {
        if pending > 0 {
            console.say("Nothing was changed");
        }
        return;
    }
    for job in jobs.iter().filter(|job| !job.plan.is_empty()) {
        match &job.result {
            Ok(Some(before)) => {
                let role = &job.revocation.role;
                console.tell(&format!("Revoked all sessions of {role} issued before {}", in_words(*before)));
            }
            Ok(None) => console.tell(&format!("Removed policy {REVOKE_POLICY} from {}", job.revocation.role)),
            Err(error) => console.error(error),
        }
    }
    if args.lift || !jobs.iter().any(|job| matches!(job.result, Ok(Some(_)))) {
        return;
    }
    match run.session_cache().map(|cache| cache.forget()) {
        Some(Ok(forgotten)) if forgotten > 0 => {
            console.say(&format!("Removed {} of this machine from the cache", count(forgotten, "session")));
        }
        Some(Err(error)) => console.error(&error),
        _ => {}
    }
    let verify = ShellCommand::new("xacct").arg("verify").args(args.targets.iter());
    console.say(&format!("Next: {verify}"));
}

#[derive(Serialize)]
struct JsonRevoke {
    targets: BTreeMap<String, JsonTarget>,
    pending_changes: usize,
    applied: bool,
}

#[derive(Default, Serialize)]
struct JsonTarget {
    account: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    changes: Vec<JsonChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl From<&Job> for JsonTarget {
    fn from(job: &Job) -> Self {
        Self {
            account: job.link.account.to_string(),
            role: job.link.role.to_string(),
            role_arn: Some(job.revocation.role.to_string()),
            operator: Some((&job.operator).into()),
            changes: json::plan_changes(&job.plan, job.revocation.role.name.as_str()),
            revoked_before: job.result.as_ref().ok().copied().flatten().map(in_words),
            error: job.result.as_ref().err().map(JsonError::from),
        }
    }
}

impl From<&Failed> for JsonTarget {
    fn from(Failed { link, error }: &Failed) -> Self {
        let (account, role) = (link.account.to_string(), link.role.to_string());
        Self { account, role, error: Some(error.into()), ..Self::default() }
    }
}
