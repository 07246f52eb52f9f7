//! Applies the plan, then reads again to check that nothing is left.

use std::cell::Cell;

use super::objection::refused;
use super::plan::{plan_grant, roles_of};
use super::report::Report;
use super::work::{Job, Work};
use crate::aws::iam::{apply, read};
use crate::error::{Kind, Result};
use crate::iam::names::PolicyName;
use crate::iam::plan::teardown::plan_role_removal;
use crate::iam::plan::{Note, Plan};
use crate::iam::state::{ObservedPrincipal, Reading};
use crate::iam::templates::GRANT_POLICY;
use crate::operations::accounts;
use crate::operations::apply::{check_unchanged, outcome, read_until_done};
use crate::operations::grant_writer::{GrantWriter, GrantWriters, Until};
use crate::operations::run::side_by_side;
use crate::operations::settle;
use crate::proof::Watch;
use crate::report::console::Progress;

/// Removes the roles concurrently, then removes them from the grants. A role that AWS does not delete does not stop the
/// others, and is removed from the grant as well; the next run removes what remains. A role that xacct refuses to delete
/// keeps its entry: it may be another by now, and the entry is part of what was not confirmed.
pub async fn remove(work: &mut Work, report: &Report<'_>) {
    let Report { args, run, .. } = report;
    let progress = run.console.progress(report.verb);
    progress.now("removing");
    let many = args.report.concurrency;
    side_by_side(&mut work.jobs, many, async |job| job.result = remove_role(job, report).await).await;
    let removed = work.jobs.iter().filter(|job| !job.plan.is_empty());
    run.forget_sessions(removed.map(|job| job.role.clone()));
    // What a read shows of a role decides nothing about the grant.
    let check = side_by_side(&work.jobs, many, async |job| check_removed(job, report, &progress).await);
    let mut writers = grant_writers(work, report);
    let write = async {
        match &mut writers {
            Ok((_, writers)) if !writers.is_empty() => writers.write(args.timeout, Until::Rested, &progress).await,
            _ => Ok(()),
        }
    };
    let (checked, written) = tokio::join!(check, write);
    for (job, checked) in work.jobs.iter_mut().zip(checked) {
        job.result = std::mem::replace(&mut job.result, Ok(())).and(checked);
    }
    work.grant.result = writers.and_then(|(planned, writers)| {
        (work.grant.repairs, work.grant.plan) = (writers.repairs(), planned.and(writers.into_plan()));
        written
    });
}

async fn remove_role(job: &Job, report: &Report<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    let place = format!("target account {}", job.role.account);
    if let Some(shown) = &job.state.shown
        && let Some(now) =
            accounts::role_to_remove(operator, &job.role.name).await.map_err(|error| error.context(&place))?
    {
        let what = format!("{place}: role `{}`", job.role.name);
        let next = report.dry_run([&job.link.name]);
        check_unchanged(&what, &now.fingerprint().changed_since(shown), &next)?;
        // It may have been used since it was shown.
        plan_role_removal(&job.state.removal, Some(&now))
            .map_err(|objections| refused(&objections, &job.link, report.orphan))?;
    }
    let applied = apply::remove_role(&operator.access, &job.role, &job.plan.changes, report.args.timeout).await;
    outcome(&applied, &job.plan, job.role.name.as_str(), &place)
}

/// Reads until AWS shows that the role is gone.
async fn check_removed(job: &Job, report: &Report<'_>, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty() && job.result.is_ok()) else {
        return Ok(());
    };
    let place = format!("target account {}", job.role.account);
    let read_left = async || match read::role(&operator.access, &job.role.name).await? {
        Reading::Absent => Ok(Vec::new()),
        _ => Ok(vec![format!("delete role {}", job.role.name)]),
    };
    read_until_done(read_left, &place, report.args.timeout, progress).await
}

/// Returns what removes the roles from the grants as they are now, and the plan of the grants that stay as they are. Roles
/// that other runs have added since the preview stay.
fn grant_writers(work: &Work, report: &Report<'_>) -> Result<(Plan, GrantWriters)> {
    let run = report.run;
    let Some(operator) = &work.source.operator else { return Ok((work.grant.plan.clone(), GrantWriters::default())) };
    let name: PolicyName = GRANT_POLICY.parse()?;
    let orphan = report.orphan.cloned();
    let named = settle::named_beside(run, &work.source.grantees)?;
    let is_of_principal = orphan.as_ref().is_some_and(|orphan| orphan.principal().is_some());
    let (mut planned, mut writers) = (Plan::default(), GrantWriters::default());
    for grantee in &work.source.grantees {
        let Some(shown) = &grantee.observed else { continue };
        let is_refused = |job: &Job| job.result.as_ref().is_err_and(|error| error.kind == Kind::Refused);
        let roles = roles_of(grantee, &work.source, work.jobs.iter().filter(|job| !is_refused(job)));
        let plan = plan_grant(orphan.as_ref(), &named, &shown.arn, &roles, Some(shown))?;
        if plan.is_empty() {
            planned = planned.and(plan);
            continue;
        }
        let what = format!("source account {}: policy `{name}` of {}", shown.arn.account(), shown.arn.in_words());
        let next = report.dry_run(work.targets());
        let (orphan, named) = (orphan.clone(), named.clone());
        let (shown_plan, has_begun) = (plan.clone(), Cell::new(false));
        let planner = move |principal: &ObservedPrincipal| {
            let plan = plan_grant(orphan.as_ref(), &named, &principal.arn, &roles, Some(principal))?;
            // After the first write, the rest may well have no statement of xacct's.
            let is_foreign = !has_begun.get() && plan.notes.iter().any(|note| matches!(note, Note::OtherGrant(_)));
            // What is orphaned depends on the grant, so that more could go than was shown.
            let is_other = is_of_principal && !has_begun.get() && !plan.is_empty() && plan != shown_plan;
            has_begun.set(has_begun.get() || !plan.is_empty());
            let changed = [(is_foreign, "xacct did not write it"), (is_other, "statements")];
            let changed: Vec<_> = changed.into_iter().filter(|(is_it, _)| *is_it).map(|(_, what)| what).collect();
            check_unchanged(&what, &changed, &next)?;
            Ok(plan)
        };
        writers.push(GrantWriter::new(operator, shown, &name, &plan, run.context.random, planner));
    }
    Ok((planned, writers))
}
