//! Applies the plan, then reads again to check that nothing is left.

use std::cell::Cell;

use super::arguments::Teardown;
use super::objection::refused;
use super::orphan::Orphan;
use super::plan::plan_grant;
use super::work::{Job, Work};
use crate::aws::iam::{apply, read};
use crate::config::Link;
use crate::error::{Kind, Result};
use crate::iam::names::PolicyName;
use crate::iam::plan::Note;
use crate::iam::plan::teardown::plan_role_removal;
use crate::iam::state::{ObservedUser, Reading};
use crate::iam::templates::GRANT_POLICY;
use crate::operations::accounts;
use crate::operations::apply::{check_unchanged, outcome, read_until_done};
use crate::operations::grant_writer::GrantWriter;
use crate::operations::run::{Run, side_by_side};
use crate::proof::Watch;
use crate::report::console::Progress;
use crate::text::shell::ShellCommand;

/// Removes the roles concurrently, then removes them from the grant. A role that AWS does not delete does not stop the
/// others, and is removed from the grant as well; the next run removes what remains. A role that xacct refuses to delete
/// keeps its entry: it may be another by now, and the entry is part of what was not confirmed.
pub async fn remove(work: &mut Work, orphan: Option<&Orphan>, args: &Teardown, run: &Run<'_>) {
    let progress = run.console.progress("teardown");
    progress.now("removing");
    let roles = work.jobs.iter_mut();
    side_by_side(roles, args.report.concurrency, async |job| {
        job.result = remove_role(job, orphan, args, &progress).await;
    })
    .await;
    work.grant.result = remove_grant(work, orphan, args, run, &progress).await;
}

/// Returns the command that shows what a run would remove.
fn dry_run<'a>(orphan: Option<&Orphan>, links: impl Iterator<Item = &'a Link>) -> ShellCommand {
    let dry_run = ShellCommand::new("xacct").arg("teardown").flag("--dry-run");
    match orphan {
        Some(orphan) => dry_run.option("--orphan", orphan.typed()),
        None => links.fold(dry_run, |command, link| command.arg(&link.name)),
    }
}

async fn remove_role(job: &Job, orphan: Option<&Orphan>, args: &Teardown, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    let place = format!("target account {}", job.role.account);
    if let Some(shown) = &job.state.shown
        && let Some(now) =
            accounts::role_to_remove(operator, &job.role.name).await.map_err(|error| error.context(&place))?
    {
        let what = format!("{place}: role `{}`", job.role.name);
        let next = dry_run(orphan, std::iter::once(&job.link));
        check_unchanged(&what, &now.fingerprint().changed_since(shown), &next)?;
        // It may have been used since it was shown.
        plan_role_removal(&job.state.removal, Some(&now))
            .map_err(|objections| refused(&objections, &job.link, orphan))?;
    }
    let applied = apply::remove_role(&operator.access, &job.role, &job.plan.changes, args.timeout).await;
    outcome(&applied, &job.plan, job.role.name.as_str(), &place)?;
    let read_left = async || match read::role(&operator.access, &job.role.name).await? {
        Reading::Absent => Ok(Vec::new()),
        _ => Ok(vec![format!("delete role {}", job.role.name)]),
    };
    read_until_done(read_left, &place, args.timeout, progress).await
}

/// Removes the roles from the grant as it is now. Roles that other runs have added since the preview stay.
async fn remove_grant(
    work: &mut Work,
    orphan: Option<&Orphan>,
    args: &Teardown,
    run: &Run<'_>,
    progress: &Progress<'_>,
) -> Result<()> {
    let (Some(operator), Some(shown)) = (&work.source.operator, &work.source.observed) else { return Ok(()) };
    let name: PolicyName = GRANT_POLICY.parse()?;
    let is_refused = |job: &Job| job.result.as_ref().is_err_and(|error| error.kind == Kind::Refused);
    let roles = work.jobs.iter().filter(|job| !is_refused(job)).map(|job| job.role.clone()).collect();
    work.grant.plan = plan_grant(orphan, &shown.arn, &roles, Some(shown))?;
    if work.grant.plan.is_empty() {
        return Ok(());
    }
    let what = format!("source account {}: policy `{name}` of user `{}`", shown.arn.account, shown.arn.name);
    let next = dry_run(orphan, work.jobs.iter().map(|job| &job.link));
    let is_of_user = orphan.is_some_and(|orphan| orphan.user().is_some());
    let (orphan, shown_plan, has_begun) = (orphan.cloned(), work.grant.plan.clone(), Cell::new(false));
    let planner = move |user: &ObservedUser| {
        let plan = plan_grant(orphan.as_ref(), &user.arn, &roles, Some(user))?;
        // After the first write, the rest may well have no statement of xacct's.
        let is_foreign = !has_begun.get() && plan.notes.iter().any(|note| matches!(note, Note::OtherGrant(_)));
        // What is orphaned depends on the grant, so that more could go than was shown.
        let is_other = is_of_user && !has_begun.get() && !plan.is_empty() && plan != shown_plan;
        has_begun.set(has_begun.get() || !plan.is_empty());
        let changed = [(is_foreign, "xacct did not write it"), (is_other, "statements")];
        let changed: Vec<_> = changed.into_iter().filter(|(is_it, _)| *is_it).map(|(_, what)| what).collect();
        check_unchanged(&what, &changed, &next)?;
        Ok(plan)
    };
    let mut writer = GrantWriter::new(operator, shown, &name, &work.grant.plan, run.context.random, planner);
    let result = writer.write_and_rest(args.timeout, progress).await;
    (work.grant.repairs, work.grant.plan) = (writer.repairs(), writer.plan);
    result
}
