//! Applies what was planned, then looks again: nothing may be left to do.

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{Job, Work, survey};
use crate::aws::apply::{self, Applied};
use crate::cli::Bootstrap;
use crate::commands::writes::{nothing_left, outcome};
use crate::error::Result;
use crate::iam::plan::{Change, Plan, Refusal, plan_grant, plan_role};
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
        outcome(&results(&applied), grant_plan, "", &place)?;
        let look = async || {
            let observed = survey::user_again(source).await?;
            Ok(left(observed.map(|observed| plan_grant(grant, &observed, args.adopt))))
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
    job.written = job.plan.changes.iter().any(Change::bears_on_access).then(Instant::now);
    let place = format!("target account {}", job.role.account);
    job.made = applied.iter().all(|applied| applied.result.is_ok());
    outcome(&results(&applied), &job.plan, job.role.name.as_str(), &place)?;
    let look = async || {
        let observed = survey::role_again(target, &job.desired).await?;
        // What was adopted a moment ago is ours now, though its tags may not be visible yet.
        Ok(left(observed.map(|observed| plan_role(&job.desired, Some(&observed), &target.quotas, true))))
    };
    nothing_left(look, &place, args.timeout, progress).await
}

fn results<'a>(applied: &'a [Applied<'_>]) -> Vec<(&'a Change, &'a Result<()>)> {
    applied.iter().map(|applied| (applied.change, &applied.result)).collect()
}

/// What is still to be done, in words.
fn left(planned: Option<std::result::Result<Plan, Box<Refusal>>>) -> Vec<String> {
    match planned {
        Some(Ok(plan)) => plan.changes.iter().map(|change| sentence(change, "", Mood::Would)).collect(),
        Some(Err(refusal)) => vec![refusal.to_string()],
        None => vec!["create it".to_owned()],
    }
}
