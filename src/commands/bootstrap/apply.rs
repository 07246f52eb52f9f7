//! Applies the plan, then reads again to check that nothing is left to do.

use tokio::time::Instant;

use super::arguments::Bootstrap;
use super::refusal::{changed_meanwhile, refused};
use super::work::{Job, Work};
use crate::aws::iam::apply;
use crate::error::Result;
use crate::iam::plan::bootstrap::{Refusal, is_plain_grant, plan_grant, plan_role};
use crate::iam::plan::{Change, Plan};
use crate::iam::state::ObservedUser;
use crate::operations::accounts;
use crate::operations::apply::{outcome, read_until_done};
use crate::operations::grant_writer::GrantWriter;
use crate::operations::run::{Run, side_by_side};
use crate::operations::settle;
use crate::proof::Watch;
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;

/// Applies both sides concurrently. A target that fails does not stop the others. Returns the writer of the grant, if
/// the grant had to be written.
pub async fn apply(work: &mut Work, args: &Bootstrap, run: &Run<'_>) -> Result<Option<GrantWriter>> {
    let mut writer = grant_writer(work, args, run)?;
    let write_grant = async {
        let Some(writer) = &mut writer else { return Ok(()) };
        let progress = run.console.progress("bootstrap");
        match args.only {
            None => writer.write(args.timeout, &progress).await,
            // No proof follows that would notice concurrent writes by other runs.
            Some(_) => writer.write_and_rest(args.timeout, &progress).await,
        }
    };
    let tally = run.console.tally("bootstrap", work.jobs.len(), "done");
    let write_roles = side_by_side(work.jobs.iter_mut(), args.report.concurrency, async |job| {
        let progress = run.console.progress(&job.link.name);
        job.result = apply_role(job, args, &progress).await;
        tally.one_more();
    });
    (work.grant.result, _) = tokio::join!(write_grant, write_roles);
    Ok(writer)
}

/// Returns the writer of the grant; `None` if it needs no change or was not read.
fn grant_writer(work: &Work, args: &Bootstrap, run: &Run<'_>) -> Result<Option<GrantWriter>> {
    let (Some(operator), Some(shown)) = (&work.source.operator, &work.source.observed) else { return Ok(None) };
    if work.grant.plan.is_empty() {
        return Ok(None);
    }
    let desired = settle::grant(&work.source.user, work.jobs.iter().map(|job| (&job.link, job.role.clone())))?;
    let (name, before, adopt) = (desired.policy_name.clone(), shown.grant.clone(), args.adopt);
    let planner = move |user: &ObservedUser| {
        let plan = plan_grant(&desired, user, adopt).map_err(|refusal| refused(&refusal))?;
        // Roles added by other runs of xacct stay. Other changes would be lost without having been shown.
        match &user.grant {
            Some(found) if !plan.is_empty() && user.grant != before && !is_plain_grant(found) => {
                Err(changed_meanwhile(&desired))
            }
            _ => Ok(plan),
        }
    };
    Ok(Some(GrantWriter::new(operator, shown, &name, &work.grant.plan, run.context.random, planner)))
}

async fn apply_role(job: &mut Job, args: &Bootstrap, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    progress.now("writing the role");
    let applied = apply::to_role(&operator.access, &job.role, &job.plan.changes).await;
    job.state.written = job.plan.changes.iter().any(Change::bears_on_access).then(Instant::now);
    let place = format!("target account {}", job.role.account);
    job.state.made = applied.iter().all(|(_, result)| result.is_ok());
    outcome(&applied, &job.plan, job.role.name.as_str(), &place)?;
    progress.now("reading the role back");
    let read_left = async || {
        let observed = accounts::observe_role(operator, &job.state.desired).await?;
        // An adopted role is ours now, even if its tags are not visible yet.
        let plan = observed.map(|observed| plan_role(&job.state.desired, Some(&observed), &job.state.quotas, true));
        Ok(left(plan))
    };
    read_until_done(read_left, &place, args.timeout, progress).await
}

/// Returns the remaining changes, in words.
fn left(planned: Option<std::result::Result<Plan, Box<Refusal>>>) -> Vec<String> {
    match planned {
        Some(Ok(plan)) => plan.changes.iter().map(|change| sentence(change, "", Mood::Would)).collect(),
        Some(Err(refusal)) => vec![refusal.to_string()],
        None => vec!["create the role".to_owned()],
    }
}
