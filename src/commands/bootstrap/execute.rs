//! Applies what was planned, then looks again: nothing may be left to do.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{Job, Work, survey};
use crate::aws::apply::{self, Applied};
use crate::cli::Bootstrap;
use crate::error::{Error, Kind, Result};
use crate::iam::plan::{Change, Plan, Refusal, plan_grant, plan_role};
use crate::proof::Freshness;
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;

/// Applies both sides at once. One target that fails stops no other.
pub async fn apply(work: &mut Work, args: &Bootstrap, progress: &Progress<'_>) {
    let Work { source, grant, grant_plan, grant_result, grant_written, jobs, .. } = work;
    let write_grant = async {
        let Some(operator) = source.operator.as_ref().filter(|_| !grant_plan.is_empty()) else { return Ok(()) };
        let applied = apply::to_user(&operator.access, &grant_plan.changes).await;
        *grant_written = Some(Instant::now());
        let place = format!("source account {}", source.account);
        outcome(&applied, grant_plan, "", &place)?;
        let look = async || {
            let observed = survey::user_again(source).await?;
            Ok(observed.map(|observed| plan_grant(grant, &observed, args.adopt)))
        };
        nothing_left(look, &place, args.timeout, progress).await
    };
    let write_roles = stream::iter(jobs.iter_mut())
        .map(async |job| job.result = apply_role(job, args, progress).await)
        .buffer_unordered(args.report.concurrency.into())
        .collect::<Vec<()>>();
    let (granted, _) = tokio::join!(write_grant, write_roles);
    *grant_result = granted;
}

async fn apply_role(job: &mut Job, args: &Bootstrap, progress: &Progress<'_>) -> Result<()> {
    let Some(target) = job.target.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    let applied = apply::to_role(&target.operator.access, &job.role, &job.plan.changes).await;
    job.written = Some(Instant::now());
    let place = format!("target account {}", job.role.account);
    job.made = applied.iter().all(|applied| applied.result.is_ok());
    outcome(&applied, &job.plan, job.role.name.as_str(), &place)?;
    let look = async || {
        let observed = survey::role_again(target, &job.desired).await?;
        // What was adopted a moment ago is ours now, though its tags may not be visible yet.
        Ok(observed.map(|observed| plan_role(&job.desired, Some(&observed), &target.quotas, true)))
    };
    nothing_left(look, &place, args.timeout, progress).await
}

/// Says of a failed change what failed, what was done before it and what was not tried.
fn outcome(applied: &[Applied<'_>], plan: &Plan, role: &str, place: &str) -> Result<()> {
    let Some(failed) = applied.iter().find(|applied| applied.result.is_err()) else {
        return Ok(());
    };
    let Err(error) = &failed.result else { return Ok(()) };
    let mut error = error.clone().context(format!("{place}: could not {}", sentence(failed.change, role, Mood::Would)));
    for done in applied.iter().filter(|applied| applied.result.is_ok()) {
        error = error.hint(format!("this was done: {}", sentence(done.change, role, Mood::Done)));
    }
    let tried = |change: &Change| applied.iter().any(|applied| std::ptr::eq(applied.change, change));
    for untried in plan.changes.iter().filter(|change| !tried(change)) {
        error = error.hint(format!("this was not tried: {}", sentence(untried, role, Mood::Would)));
    }
    Err(error.hint("mend the cause and run the same command again: it does what is left"))
}

/// Looks until there is nothing left to do: reads, too, lag behind writes.
async fn nothing_left(
    look: impl AsyncFn() -> Result<Option<std::result::Result<Plan, Box<Refusal>>>>,
    place: &str,
    patience: Duration,
    progress: &Progress<'_>,
) -> Result<()> {
    let attempt = async || {
        Ok(match look().await? {
            Some(Ok(plan)) => plan.changes.iter().map(|change| sentence(change, "", Mood::Would)).collect(),
            Some(Err(refusal)) => vec![refusal.to_string()],
            None => vec!["create it".to_owned()],
        })
    };
    let nothing = |left: &Result<Vec<String>>| left.as_ref().is_ok_and(Vec::is_empty);
    let waiting = |waited: Duration| {
        progress.waiting(format!("waiting for {place} to show the changes, {} s so far", waited.as_secs()));
    };
    let fresh = Freshness::JustWritten { at: Instant::now(), patience };
    let left = fresh.settle(1, attempt, nothing, Result::is_ok, waiting).await.answer?;
    if left.is_empty() {
        return Ok(());
    }
    let left = left.join("; ");
    Err(Error::new(Kind::Aws, format!("{place}: AWS took the changes, but these are still to be made: {left}")).hint(
        "AWS may be slow to show them, or someone else changes the same role or user: run the same command again",
    ))
}
