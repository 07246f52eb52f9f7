//! Applies the plan, then reads again to check that nothing is left to do.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::arguments::Bootstrap;
use super::other_half::naming;
use super::refusal::{changed_meanwhile, refused};
use super::work::{Job, Making, Work};
use crate::aws::iam::apply;
use crate::error::{Error, Kind, Result};
use crate::iam::names::PolicyName;
use crate::iam::plan::bootstrap::{Refusal, is_plain_grant, plan_grant, plan_role};
use crate::iam::plan::order::{is_removal, phases};
use crate::iam::plan::teardown::{Lost, plan_grant_removal};
use crate::iam::plan::{Change, Plan};
use crate::iam::record::POLICIES_TAG;
use crate::iam::state::{DesiredGrant, ObservedPrincipal, ObservedRole};
use crate::iam::templates::GRANT_POLICY;
use crate::operations::accounts::{self, Operator};
use crate::operations::apply::{check_unchanged, outcome, part_way, read_until_done};
use crate::operations::grant_writer::{GrantWriter, GrantWriters, Until};
use crate::operations::run::{Run, side_by_side};
use crate::operations::settle;
use crate::proof::Watch;
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;
use crate::text::shell::ShellCommand;

/// Applies both sides: the grant beside new roles, but after any role that exists is as it should be. One target that
/// fails stops no other. Returns what wrote the grants that had to be written.
///
/// If the link `proves` to be new afterwards, what was written is read back beside the proof.
pub async fn apply(work: &mut Work, args: &Bootstrap, proves: bool, run: &Run<'_>) -> Result<GrantWriters> {
    let waits = work.jobs.iter().any(|job| job.state.changes_what_stands(&job.plan));
    // The proof of new access begins beside the reads. What bears on existing access is read back before anything else.
    let is_first = !waits && proves && args.wait.is_none() && work.source.leaving().next().is_none();
    for job in &mut work.jobs {
        job.state.is_read_beside = is_first && job.state.shown.is_none();
    }
    if waits {
        apply_roles(&mut work.jobs, args, run).await;
    }
    let mut writers = grant_writers(work, args, run)?;
    let write_grant = async {
        let progress = run.console.progress("bootstrap");
        let until = match args.only {
            // No proof follows that would notice concurrent writes by other runs.
            Some(_) => Until::Rested,
            None if is_first => Until::Written,
            None => Until::ReadBack,
        };
        writers.write(args.timeout, until, &progress).await
    };
    let write_roles = async {
        if !waits {
            apply_roles(&mut work.jobs, args, run).await;
        }
    };
    (work.grant.result, _) = tokio::join!(write_grant, write_roles);
    if writers.is_empty() && !work.grant.plan.is_empty() && work.source.operator.is_some() {
        work.grant.result = Err(grant_withheld(work));
    }
    Ok(writers)
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

/// What writes the grants: none that is as it should be, was not observed, or has no role left. A role that exists and
/// could not be changed as planned is granted to no new principal.
fn grant_writers(work: &Work, args: &Bootstrap, run: &Run<'_>) -> Result<GrantWriters> {
    let mut writers = GrantWriters::default();
    let Some(operator) = &work.source.operator else { return Ok(writers) };
    for grantee in work.source.staying() {
        let plan = work.grant.plan.of_grant(&grantee.arn);
        let ready = work.jobs.iter().filter(|job| job.result.is_ok() && job.link.managed_by.is_none());
        let ready = ready.map(|job| (&job.link, job.role.clone()));
        let links = work.source.links_of(grantee, ready);
        let Some(shown) = grantee.observed.as_ref().filter(|_| !plan.is_empty() && !links.is_empty()) else { continue };
        let desired = settle::grant_beside(&run.file, &work.source, grantee, links.into_iter())?;
        writers.push(grant_writer(operator, shown, plan, desired, args, run));
    }
    let roles: BTreeSet<_> = work.jobs.iter().filter(|job| job.result.is_ok()).map(|job| job.role.clone()).collect();
    for grantee in work.source.leaving() {
        let name: PolicyName = GRANT_POLICY.parse()?;
        let Some(shown) = &grantee.observed else { continue };
        let named = settle::named_beside(run, [grantee])?;
        let gone = named.names_lost(&grantee.arn.reference(), &roles);
        let plan = plan_grant_removal(&grantee.arn, &name, Lost { roles: &roles, gone: &gone }, Some(shown));
        if plan.is_empty() {
            continue;
        }
        let (policy, roles) = (name.clone(), roles.clone());
        let planner = move |principal: &ObservedPrincipal| {
            let lost = Lost { roles: &roles, gone: &gone };
            Ok(plan_grant_removal(&principal.arn, &policy, lost, Some(principal)))
        };
        writers.push(GrantWriter::new(operator, shown, &name, &plan, run.context.random, planner));
    }
    Ok(writers)
}

fn grant_writer(
    operator: &Operator,
    shown: &ObservedPrincipal,
    plan: Plan,
    desired: DesiredGrant,
    args: &Bootstrap,
    run: &Run<'_>,
) -> GrantWriter {
    let (name, before, adopt) = (desired.policy_name.clone(), shown.grant.clone(), args.adopt);
    let planner = move |principal: &ObservedPrincipal| {
        // Roles added by other runs of xacct stay. Other changes would be lost without having been shown.
        let grant = &principal.grant;
        let changed = *grant != before && grant.as_ref().is_some_and(|found| !is_plain_grant(found));
        match plan_grant(&desired, principal, adopt) {
            Ok(plan) if plan.is_empty() || !changed => Ok(plan),
            Err(refusal) if !changed => Err(refused(&refusal)),
            _ => Err(changed_meanwhile(&desired)),
        }
    };
    GrantWriter::new(operator, shown, &name, &plan, run.context.random, planner)
}

/// The grant stays as it is, because no role is what it should be.
fn grant_withheld(work: &Work) -> Error {
    let kind = work.jobs.iter().find_map(|job| job.result.as_ref().err()).map_or(Kind::Refused, |error| error.kind);
    let source = &work.source;
    let whose: Vec<_> = source.grantees.iter().map(|grantee| grantee.arn.in_words()).collect();
    let whose = whose.join(" and ");
    Error::new(kind, format!("source account {}: the grant of {whose} was not changed", source.account))
        .note("xacct changed no role as planned, so it grants no new access")
}

async fn apply_role(job: &mut Job, args: &Bootstrap, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    let place = place(job);
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
    let mut applied = Vec::new();
    for phase in phases(&job.plan.changes, state.shown.as_ref(), &state.quotas) {
        applied.extend(apply::to_role(&operator.access, &job.role, &phase, state.shown.is_none(), args.timeout).await);
        if applied.iter().any(|(_, result)| result.is_err()) {
            break;
        }
        if phase.read_back {
            let is_later = |change: &Change| is_removal(change) || change.updates_record();
            let read_left = async || Ok(left(role_plan(operator, state).await?, |change| !is_later(change)));
            let shown = read_until_done(read_left, &place, args.timeout, progress).await;
            if let Err(error) = shown {
                return Err(part_way(error, &applied, &job.plan, job.role.name.as_str()));
            }
        }
    }
    state.written = job.plan.changes.iter().any(Change::bears_on_access).then(Instant::now);
    state.made = applied.iter().all(|(_, result)| result.is_ok());
    outcome(&applied, &job.plan, job.role.name.as_str(), &place)?;
    if state.is_read_beside { Ok(()) } else { read_back(job, args, progress).await }
}

/// Reads the role until AWS shows all changes.
///
/// # Errors
/// When AWS cannot be reached, or does not show them in time.
pub async fn read_back(job: &Job, args: &Bootstrap, progress: &Progress<'_>) -> Result<()> {
    let Some(operator) = job.operator.as_ref().filter(|_| !job.plan.is_empty()) else { return Ok(()) };
    progress.now("reading the role back");
    let read_left = async || Ok(left(role_plan(operator, &job.state).await?, |_| true));
    read_until_done(read_left, &place(job), args.timeout, progress).await
}

/// Plans what is left to change in the role, which `None` says does not exist. What was adopted a moment ago is ours now,
/// though its tags may not be visible yet.
async fn role_plan(operator: &Operator, state: &Making) -> Result<Option<std::result::Result<Plan, Box<Refusal>>>> {
    let observed = accounts::read_role_back(operator, &state.desired).await?;
    Ok(observed.map(|observed| plan_role(&state.desired, Some(&observed), &state.quotas, true)))
}

fn place(job: &Job) -> String {
    format!("target account {}", job.role.account)
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
