//! Applies what was planned, then reads again: nothing may be left to do.

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

/// Applies both sides at once. One target that fails stops no other. Returns what wrote the grant, if it had to be
/// written.
pub async fn apply(work: &mut Work, args: &Bootstrap, run: &Run<'_>) -> Result<Option<GrantWriter>> {
    let mut writer = grant_writer(work, args, run)?;
    let write_grant = async {
        let Some(writer) = &mut writer else { return Ok(()) };
        let progress = run.console.progress("bootstrap");
        match args.only {
            None => writer.write(args.timeout, &progress).await,
            // No proof follows during which others that write it would be noticed.
            Some(_) => writer.write_and_rest(args.timeout, &progress).await,
        }
    };
    let tally = run.console.tally("bootstrap", work.jobs.len(), "made");
    let write_roles = side_by_side(work.jobs.iter_mut(), args.report.concurrency, async |job| {
        let progress = run.console.progress(&job.link.name);
        job.result = apply_role(job, args, &progress).await;
        tally.one_more();
    });
    (work.grant.result, _) = tokio::join!(write_grant, write_roles);
    Ok(writer)
}

/// What writes the grant; `None` if it is as it should be, or was not observed.
fn grant_writer(work: &Work, args: &Bootstrap, run: &Run<'_>) -> Result<Option<GrantWriter>> {
    let (Some(operator), Some(shown)) = (&work.source.operator, &work.source.observed) else { return Ok(None) };
    if work.grant.plan.is_empty() {
        return Ok(None);
    }
    let desired = settle::grant(&work.source.user, work.jobs.iter().map(|job| (&job.link, job.role.clone())))?;
    let (name, before, adopt) = (desired.policy_name.clone(), shown.grant.clone(), args.adopt);
    let planner = move |user: &ObservedUser| {
        let plan = plan_grant(&desired, user, adopt).map_err(|refusal| refused(&refusal))?;
        // What other runs of xacct put there stays. Anything else would be lost, and was not shown.
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
    progress.now("making the role");
    let applied = apply::to_role(&operator.access, &job.role, &job.plan.changes).await;
    job.state.written = job.plan.changes.iter().any(Change::bears_on_access).then(Instant::now);
    let place = format!("target account {}", job.role.account);
    job.state.made = applied.iter().all(|(_, result)| result.is_ok());
    outcome(&applied, &job.plan, job.role.name.as_str(), &place)?;
    progress.now("looking at what was made");
    let read_left = async || {
        let observed = accounts::observe_role(operator, &job.state.desired).await?;
        // What was adopted a moment ago is ours now, though its tags may not be visible yet.
        let plan = observed.map(|observed| plan_role(&job.state.desired, Some(&observed), &job.state.quotas, true));
        Ok(left(plan))
    };
    read_until_done(read_left, &place, args.timeout, progress).await
}

/// What is still to be done, in words.
fn left(planned: Option<std::result::Result<Plan, Box<Refusal>>>) -> Vec<String> {
    match planned {
        Some(Ok(plan)) => plan.changes.iter().map(|change| sentence(change, "", Mood::Would)).collect(),
        Some(Err(refusal)) => vec![refusal.to_string()],
        None => vec!["create it".to_owned()],
    }
}
