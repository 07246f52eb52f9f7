//! The output of revoke: the plan, and the result.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use super::arguments::Revoke;
use super::work::{Job, Work};
use crate::error::{ExitCode, Result};
use crate::iam::revocation::{REVOKE_POLICY, in_words};
use crate::operations::accounts::{who, who_of_several};
use crate::operations::apply::confirm_removal;
use crate::operations::run::Run;
use crate::operations::work::Failed;
use crate::report::console::{STRONG, count};
use crate::report::json::{self, ByName};
use crate::report::proof::error_in_short;
use crate::report::several::{self, Field, Sheet};

/// Reports on one run.
pub struct Report<'a> {
    pub args: &'a Revoke,
    pub run: &'a Run<'a>,
}

impl Report<'_> {
    /// Shows the operators and every change.
    pub fn preview(&self, work: &Work) {
        let Self { args, run } = self;
        let mut text = String::new();
        let (width, everything) = (run.console.width(), args.changes.show_everything());
        let operators = work.jobs.iter().map(|job| (job.link.account.as_str(), job.operator.as_ref()));
        if work.has_several() && !everything {
            who_of_several(&mut text, &work.names(), operators, width);
        } else {
            operators.for_each(|(account, operator)| who(&mut text, "Target", account, operator));
        }
        match work.pending() {
            _ if work.jobs.is_empty() => text.push_str("\nNo role can be changed\n"),
            0 => text.push_str("\nNothing to do: no role has xacct's revocation policy\n"),
            pending => {
                let _ = writeln!(text, "\n{STRONG}{}{STRONG:#}", count(pending, "change"));
            }
        }
        text.push_str(&work.preview(&args.changes, width));
        run.console.tell(text.trim_start_matches('\n'));
        work.tell_failed(run.console);
    }

    /// Asks for confirmation.
    ///
    /// # Errors
    /// When the answer is no, or there is no terminal to ask on.
    pub async fn confirm(&self, work: &Work) -> Result<()> {
        let changed: BTreeSet<_> =
            work.jobs.iter().filter(|job| !job.plan.is_empty()).map(|job| job.link.name.as_str()).collect();
        let names = work.targets().into_iter().filter(|name| changed.contains(name)).collect::<Vec<_>>().join(", ");
        let question = match self.args.lift {
            true => format!("Remove the policy from {names}?"),
            false => format!("End all current sessions of {names}, including runs in progress?"),
        };
        let hint = "or show the changes and stop: --dry-run";
        confirm_removal(&question, &format!("{} to apply", count(work.pending(), "change")), hint, self.run).await
    }

    /// Shows the result. `applied` says whether the changes were to be applied.
    pub fn finish(&self, work: &Work, exit_code: ExitCode, applied: bool) {
        let Self { args, run } = self;
        let console = run.console;
        if console.is_json() {
            let targets = work.json_targets(|job| JsonRevoked { revoked_before: job.state.before.map(in_words) });
            let body = JsonRevoke { targets, pending_changes: work.pending(), applied };
            console.result(&json::document("revoke", exit_code, body));
        }
        if !applied {
            if work.pending() > 0 {
                console.say("Nothing was changed");
            }
            return;
        }
        if work.has_several() {
            console.tell(&format!("\n{}", results(work, args, console.width())));
        } else {
            for job in work.done() {
                console.tell(&match job.state.before {
                    Some(before) => format!("Revoked all sessions of {} issued before {}", job.role, in_words(before)),
                    None => format!("Removed policy {REVOKE_POLICY} from {}", job.role),
                });
            }
        }
        work.jobs.iter().filter_map(|job| job.result.as_ref().err()).for_each(|error| console.error(error));
        if !work.jobs.iter().any(|job| job.state.before.is_some()) {
            return;
        }
        match run.session_cache().map(|cache| cache.forget()) {
            Some(Ok(forgotten)) if forgotten > 0 => {
                console.say(&format!("Deleted {} from the cache on this machine", count(forgotten, "session")));
            }
            Some(Err(error)) => console.error(&error),
            _ => {}
        }
        let verify = run.file.xacct().arg("verify").args(args.targets.iter());
        console.say(&format!("Next: {verify}"));
    }
}

/// Returns a row for each target, and below them how many are done.
fn results(work: &Work, args: &Revoke, width: u16) -> String {
    let done = if args.lift { "lifted" } else { "revoked" };
    let of_job = |job: &Job| match &job.result {
        Err(error) => ("error", error_in_short(error)),
        Ok(()) => (done, String::new()),
    };
    let jobs = work.jobs.iter().map(|job| (&job.link, of_job(job)));
    let failed = work.failed.iter().map(|Failed { link, error }| (link, ("error", error_in_short(error))));
    let rows: Vec<_> = jobs.chain(failed).collect();
    let sheet = Sheet::new(vec![
        Field::of("Target", &rows, |(link, _)| link.name.clone()),
        Field::of("Account", &rows, |(link, _)| link.account.to_string()),
        Field::of("Role", &rows, |(link, _)| link.role_below_its_path()).column(),
        Field::of("Result", &rows, |(_, (result, _))| (*result).to_owned()).column(),
        Field::of("Cause", &rows, |(_, (_, cause))| cause.clone()).column().wrapping(),
    ]);
    let last = several::result(work.done().count(), rows.len(), done);
    // The earliest of the times is true of all roles.
    let before = work.jobs.iter().filter_map(|job| job.state.before).min();
    let sessions = before.map(|before| format!(": all sessions issued before {}", in_words(before)));
    format!("{}\n\n{last}{}", sheet.table(width), sessions.unwrap_or_default())
}

#[derive(Serialize)]
struct JsonRevoke {
    targets: ByName,
    pending_changes: usize,
    applied: bool,
}

#[derive(Default, Serialize)]
struct JsonRevoked {
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_before: Option<String>,
}
