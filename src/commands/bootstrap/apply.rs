//! Applies the plan, then reads again to check that nothing is left to do.

use tokio::time::Instant;

use super::arguments::Bootstrap;
use super::other_half::naming;
use super::refusal::{changed_meanwhile, refused};
use super::work::{Job, Making, Work};
use crate::aws::iam::apply;
use crate::error::{Error, Kind, Result};
use crate::iam::plan::bootstrap::{Refusal, is_plain_grant, plan_grant, plan_role};
use crate::iam::plan::order::{is_removal, phases};
use crate::iam::plan::{Change, Plan};
use crate::iam::record::POLICIES_TAG;
use crate::iam::state::{ObservedRole, ObservedUser};
use crate::operations::accounts;
use crate::operations::apply::{check_unchanged, outcome, part_way, read_until_done};
use crate::operations::grant_writer::GrantWriter;
use crate::operations::run::{Run, side_by_side};
use crate::operations::settle;
use crate::proof::Watch;
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;
use crate::text::shell::ShellCommand;

/// Applies both sides: the grant beside new roles, but after any role that exists is as it should be. One target that
/// fails stops no other. Returns what wrote the grant, if it had to be written.
pub async fn apply(work: &mut Work, args: &Bootstrap, run: &Run<'_>) -> Result<Option<GrantWriter>> {
    let waits = work.jobs.iter().any(|job| job.state.changes_what_stands(&job.plan));
    if waits {
        apply_roles(&mut work.jobs, args, run).await;
    }
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
    let write_roles = async {
        if !waits {
            apply_roles(&mut work.jobs, args, run).await;
        }
    };
    (work.grant.result, _) = tokio::join!(write_grant, write_roles);
    if writer.is_none() && !work.grant.plan.is_empty() && work.source.observed.is_some() {
        work.grant.result = Err(grant_withheld(work));
    }
    Ok(writer)
}

async fn apply_roles(jobs: &mut [Job], args: &Bootstrap, run: &Run<'_>) {
    let tally = run.console.tally("bootstrap", jobs.len(), "made");
    side_by_side(jobs.iter_mut(), args.report.concurrency, async |job| {
        let progress = run.console.progress(&job.link.name);
        job.result = apply_role(job, args, &progress).await;
        tally.one_more();
    })
    .await;
}

/// What writes the grant; `None` if it is as it should be, was not observed, or no role is left for it. A role that
/// exists and could not be changed as planned is granted to no new principal.
fn grant_writer(work: &Work, args: &Bootstrap, run: &Run<'_>) -> Result<Option<GrantWriter>> {
    let (Some(operator), Some(shown)) = (&work.source.operator, &work.source.observed) else { return Ok(None) };
    let ready: Vec<_> = work.jobs.iter().filter(|job| job.result.is_ok()).collect();
    if work.grant.plan.is_empty() || ready.is_empty() {
        return Ok(None);
    }
    let links = ready.iter().filter(|job| job.link.managed_by.is_none()).map(|job| (&job.link, job.role.clone()));
    let desired = settle::grant_beside(&run.file, &work.source.user, links)?;
    let (name, before, adopt) = (desired.policy_name.clone(), shown.grant.clone(), args.adopt);
    let planner = move |user: &ObservedUser| {
        // Roles added by other runs of xacct stay. Other changes would be lost without having been shown.
        let changed = user.grant != before && user.grant.as_ref().is_some_and(|found| !is_plain_grant(found));
        match plan_grant(&desired, user, adopt) {
            Ok(plan) if plan.is_empty() || !changed => Ok(plan),
            Err(refusal) if !changed => Err(refused(&refusal)),
            _ => Err(changed_meanwhile(&desired)),
        }
    };
    Ok(Some(GrantWriter::new(operator, shown, &name, &work.grant.plan, run.context.random, planner)))
}

/// The grant stays as it is, because no role is what it should be.
fn grant_withheld(work: &Work) -> Error {
    let kind = work.jobs.iter().find_map(|job| job.result.as_ref().err()).map_or(Kind::Refused, |error| error.kind);
    let user = &work.source.user;
    Error::new(kind, format!("source account {}: the grant of user `{}` was not changed", user.account, user.name))
        .note("xacct changed no role as planned, so it grants no new access")
}

async fn apply_role(job: &mut Job, args: &Bootstrap, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    let place = format!("target account {}", job.role.account);
    let state = &mut job.state;
    if let Some(shown) = &state.shown {
        progress.now("reading the role again");
        state.made = false;
        let now = accounts::observe_role(operator, &state.desired).await.map_err(|error| error.context(&place))?;
        state.used_before = now.as_ref().map(|now| now.last_used.clone().into());
        let left = now.as_ref().and_then(|now| left_of(&job.plan, shown, now, state));
        let changed =
            now.map_or_else(|| vec!["it is gone"], |now| now.fingerprint().changed_since(&shown.fingerprint()));
        match left {
            // Another run has done some of it.
            Some(left) if !changed.is_empty() => job.plan.changes = left,
            _ => {
                let what = format!("{place}: role `{}`", job.role.name);
                let next = naming(ShellCommand::new("xacct").arg("bootstrap"), &job.link);
                check_unchanged(&what, &changed, &next.flag("--dry-run"))?;
            }
        }
    }
    progress.now("writing the role");
    let desired = &state.desired;
    // What was adopted a moment ago is ours now, though its tags may not be visible yet.
    let read_plan = async || {
        let observed = accounts::read_role_back(operator, desired).await?;
        Ok::<_, Error>(observed.map(|observed| plan_role(desired, Some(&observed), &state.quotas, true)))
    };
    let mut applied = Vec::new();
    for phase in phases(&job.plan.changes, state.shown.as_ref(), &state.quotas) {
        applied.extend(apply::to_role(&operator.access, &job.role, &phase, state.shown.is_none(), args.timeout).await);
        if applied.iter().any(|(_, result)| result.is_err()) {
            break;
        }
        if phase.read_back {
            let is_later = |change: &Change| is_removal(change) || change.updates_record();
            let read_left = async || Ok(left(read_plan().await?, |change| !is_later(change)));
            let shown = read_until_done(read_left, &place, args.timeout, progress).await;
            if let Err(error) = shown {
                return Err(part_way(error, &applied, &job.plan, job.role.name.as_str()));
            }
        }
    }
    state.written = job.plan.changes.iter().any(Change::bears_on_access).then(Instant::now);
    state.made = applied.iter().all(|(_, result)| result.is_ok());
    outcome(&applied, &job.plan, job.role.name.as_str(), &place)?;
    progress.now("reading the role back");
    let read_left = async || Ok(left(read_plan().await?, |_| true));
    read_until_done(read_left, &place, args.timeout, progress).await
}

/// What is left of the plan to do on a role that is not as it was shown: `None` if it is another role, or needs anything
/// that was not in the plan.
fn left_of(plan: &Plan, shown: &ObservedRole, now: &ObservedRole, state: &Making) -> Option<Vec<Change>> {
    let fresh = plan_role(&state.desired, Some(now), &state.quotas, true).ok()?;
    let is_part = fresh.changes.iter().all(|change| plan.changes.contains(change));
    let wanted = state.desired.all_tags();
    let others = |role: &ObservedRole| {
        let mut tags = role.tags.clone();
        tags.retain(|key, _| !wanted.contains_key(key) && key != POLICIES_TAG);
        tags
    };
    // Those of an exclusive link are among the changes.
    let same_policies = state.desired.exclusive || fresh.undeclared_policies().eq(plan.undeclared_policies());
    let is_same = now.id == shown.id && others(now) == others(shown) && same_policies && fresh.notes == plan.notes;
    (is_same && is_part).then_some(fresh.changes)
}

/// What of these changes is still to be made, in words.
fn left(planned: Option<std::result::Result<Plan, Box<Refusal>>>, counts: impl Fn(&Change) -> bool) -> Vec<String> {
    match planned {
        Some(Ok(plan)) => {
            let changes = plan.changes.iter().filter(|change| counts(change));
            changes.map(|change| sentence(change, "", Mood::Would)).collect()
        }
        Some(Err(refusal)) => vec![refusal.to_string()],
        None => vec!["create the role".to_owned()],
    }
}
