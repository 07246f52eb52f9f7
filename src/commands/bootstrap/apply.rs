//! Applies what was planned, then looks again: nothing may be left to do.

use tokio::time::Instant;

use crate::aws::iam::apply::{self, Applied};
use crate::commands::bootstrap::refusal::{changed_meanwhile, refused};
use crate::commands::bootstrap::{Bootstrap, Job, Work};
use crate::error::Result;
use crate::iam::plan::bootstrap::{Refusal, is_plain_grant, plan_grant, plan_role};
use crate::iam::plan::{Change, Plan};
use crate::iam::state::ObservedUser;
use crate::operations::accounts;
use crate::operations::apply::{nothing_left, outcome};
use crate::operations::grant_writer::Grant;
use crate::operations::run::{Run, side_by_side};
use crate::proof::Watch;
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;

/// Applies both sides at once. One target that fails stops no other.
pub async fn apply(work: &mut Work, args: &Bootstrap, run: &Run<'_>) {
    let mut grant = grant(work, args, run);
    let write_grant = async {
        match &mut grant {
            // No proof follows during which others that write it would be noticed.
            Some(grant) if args.only.is_some() => {
                grant.write_and_rest(args.timeout, &run.console.progress("bootstrap")).await
            }
            Some(grant) => grant.write(args.timeout, &run.console.progress("bootstrap")).await,
            None => Ok(()),
        }
    };
    let tally = run.console.tally("bootstrap", work.jobs.len(), "made");
    let write_roles = side_by_side(work.jobs.iter_mut(), args.report.concurrency, async |job| {
        let progress = run.console.progress(&job.link.name);
        job.result = apply_role(job, args, &progress).await;
        tally.one_more();
    });
    (work.grant_result, _) = tokio::join!(write_grant, write_roles);
    work.grant_writer = grant;
}

/// The grant, ready to be written; `None` if it is as it should be, or not looked at.
fn grant(work: &Work, args: &Bootstrap, run: &Run<'_>) -> Option<Grant> {
    let Work { source, grant, grant_plan, .. } = work;
    let (operator, shown) = (source.operator.as_ref()?, source.observed.as_ref()?);
    if grant_plan.is_empty() {
        return None;
    }
    let (desired, before, adopt) = (grant.clone(), shown.grant.clone(), args.adopt);
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
    Some(Grant::new(operator, shown, &grant.policy_name, grant_plan, run.context.random, planner))
}

async fn apply_role(job: &mut Job, args: &Bootstrap, progress: &Progress<'_>) -> Result<()> {
    let Some(target) = job.target.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    progress.now("making the role");
    let applied = apply::to_role(&target.operator.access, &job.role, &job.plan.changes).await;
    job.written = job.plan.changes.iter().any(Change::bears_on_access).then(Instant::now);
    let place = format!("target account {}", job.role.account);
    job.made = applied.iter().all(|applied| applied.result.is_ok());
    outcome(&results(&applied), &job.plan, job.role.name.as_str(), &place)?;
    progress.now("looking at what was made");
    let look = async || {
        let observed = accounts::role_again(target, &job.desired).await?;
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
