//! Plans the changes.

use std::collections::BTreeMap;

use super::arguments::Bootstrap;
use super::moving;
use super::observe::Observed;
use super::refusal::{grant_would_be_wider, refused, refused_role, would_be_weaker};
use super::settings::{Settings, refuse_same_account};
use super::work::{self, Job, Making, Work};
use crate::aws::sts::Caller;
use crate::cli::Half;
use crate::config::{Link, Manager, Source, includes};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::Partition;
use crate::iam::plan::bootstrap::{Refusal, denied_by_file, plan_grant, plan_role};
use crate::iam::plan::teardown::{Lost, plan_grant_removal};
use crate::iam::plan::{Change, Plan};
use crate::iam::risks::{Risk, of_permission_set};
use crate::iam::state::{DesiredRole, FoundDocument, ObservedRole};
use crate::iam::templates::GRANT_POLICY;
use crate::operations::accounts::{Operator, SourceSide, TargetSide, source_as_told};
use crate::operations::keep::Kept;
use crate::operations::planning;
use crate::operations::run::Run;
use crate::operations::settle::{self, InlinePolicies};
use crate::operations::work::{Failed, GrantJob};
use crate::report::changes::{Mood, sentence};

/// Settles the links, and plans the changes. Pure except for a new external ID.
pub fn plan(settings: Settings, observed: Observed, args: &Bootstrap, run: &Run<'_>) -> Result<Work> {
    let Settings { source, links, files, search: _ } = settings;
    let targets: Vec<_> = links.into_iter().zip(observed.targets).collect();
    let source = match observed.source {
        Some(side) => side,
        None => told_source(&source, &targets)?,
    };
    let planner = Planner { source: &source, files: &files, args, run };
    let (mut jobs, mut failed) = (Vec::new(), Vec::new());
    for (mut link, target) in targets {
        match target.and_then(|target| planner.plan(&mut link, target)) {
            Ok((state, operator, plan)) => {
                jobs.push(Job { role: state.desired.arn.clone(), link, operator, plan, result: Ok(()), state });
            }
            Err(error) => failed.push(Failed { link, error }),
        }
    }
    let manager = work::manager(&jobs);
    let mut grant = Plan::default();
    for grantee in source.staying() {
        let links = source.links_of(grantee, work::in_grant(&jobs).map(|job| (&job.link, job.role.clone())));
        if let Some(observed) = grantee.observed.as_ref().filter(|_| !links.is_empty()) {
            let desired = settle::grant_beside(&run.file, &source, grantee, links.iter().cloned())?;
            let planned = allowed(args, manager, |adopt| plan_grant(&desired, observed, adopt), refused)?;
            grant = grant.and(only_compared(planned, manager, desired.policy_name.as_str()));
        }
        if let Some(set) = grantee.set.as_ref().filter(|_| !links.is_empty()) {
            let desired = settle::grant_beside(&run.file, &source, grantee, links.into_iter())?;
            grant.warnings.extend(of_permission_set(&desired, set));
        }
    }
    let is_unasked = args.changes.yes && !args.changes.only_shown();
    if is_unasked && !args.allow_weaker && grant.weaker().next().is_some() {
        return Err(grant_would_be_wider(&grant));
    }
    if source.leaving().next().is_some() && !grant.is_empty() {
        let whose: Vec<_> = source.staying().map(|grantee| grantee.arn.in_words()).collect();
        return Err(Error::new(Kind::Refused, format!("{} does not have its grant yet", whose.join(" or ")))
            .note("the old principal keeps its own until then")
            .hint("run the command without --finish first"));
    }
    let roles = jobs.iter().map(|job| job.role.clone()).collect();
    for grantee in source.leaving() {
        let name = GRANT_POLICY.parse()?;
        let named = settle::named_beside(run, [grantee])?;
        let gone = named.names_lost(&grantee.arn.reference(), &roles);
        let lost = Lost { roles: &roles, gone: &gone };
        grant = grant.and(plan_grant_removal(&grantee.arn, &name, lost, grantee.observed.as_ref()));
    }
    Ok(Work { source, grant: GrantJob { plan: grant, result: Ok(()), repairs: 0 }, jobs, failed })
}

/// Returns the plan, or refuses it. To `--check`, what was changed by hand is a difference that it shows with its remedy:
/// the changes that `--adopt` would make, if it repairs the difference. So it is to a run that only compares.
fn allowed(
    args: &Bootstrap,
    manager: Option<Manager>,
    plan: impl Fn(bool) -> std::result::Result<Plan, Box<Refusal>>,
    refused: impl Fn(&Refusal) -> Error,
) -> Result<Plan> {
    let refusal = match plan(args.adopt) {
        Ok(plan) => return Ok(plan),
        Err(refusal) if (!args.changes.check && manager.is_none()) || !refusal.is_difference() => {
            return Err(refused(&refusal));
        }
        Err(refusal) => refusal,
    };
    let problem = refusal.to_string();
    let (mut plan, difference) = match plan(true) {
        Ok(plan) => (plan, Risk::NeedsAdoption { problem }),
        Err(refusal) if !refusal.is_difference() => return Err(refused(&refusal)),
        Err(refusal) => (Plan::default(), Risk::NotRepairable { problem, remedy: refused(&refusal).hints.join(", ") }),
    };
    plan.warnings.push(difference);
    Ok(plan)
}

/// Returns the plan for what another tool manages: its changes become differences to report.
fn only_compared(mut plan: Plan, manager: Option<Manager>, name: &str) -> Plan {
    let Some(manager) = manager.map(|manager| manager.to_string()) else { return plan };
    plan.warnings.retain(|risk| !matches!(risk, Risk::Weaker(_)));
    // Tags that record the last run are no difference.
    let changes = std::mem::take(&mut plan.changes).into_iter().filter(Change::repairs_drift);
    plan.warnings.extend(changes.map(|change| {
        let difference = sentence(&change, name, Mood::Would);
        Risk::ManagedElsewhere { manager: manager.clone(), difference }
    }));
    plan
}

/// Returns the source account as configured, in the partition of the first target that could be read.
fn told_source(source: &Source, targets: &[(Link, Result<Option<TargetSide>>)]) -> Result<SourceSide> {
    let first = targets.iter().find_map(|(link, target)| Some((link, target.as_ref().ok()?)));
    let Some((link, target)) = first else {
        // No target could be read, so the source is not needed.
        let error = targets.iter().find_map(|(_, target)| target.as_ref().err());
        return Err(error.cloned().unwrap_or_else(|| Error::new(Kind::Internal, "nothing to plan")));
    };
    let partition = target.as_ref().and_then(|target| target.operator.caller.arn.partition());
    let links: Vec<_> = targets.iter().map(|(link, _)| link.clone()).collect();
    source_as_told(source, &links, partition.unwrap_or(Partition::Aws), link.restrict_to_user)
}

/// Plans the half in a target account.
struct Planner<'a> {
    source: &'a SourceSide,
    files: &'a BTreeMap<String, InlinePolicies>,
    args: &'a Bootstrap,
    run: &'a Run<'a>,
}

impl Planner<'_> {
    /// Settles the link from the observed state, and plans its role.
    fn plan(&self, link: &mut Link, target: Option<TargetSide>) -> Result<(Making, Option<Operator>, Plan)> {
        check_pair(self.source, link, target.as_ref())?;
        link.principals = self.source.references_of(link);
        let observed = target.as_ref().and_then(|target| target.observed.as_ref());
        let old = target.as_ref().and_then(|target| target.moved_from.as_ref());
        let identity = settle::identity(link, self.source)?;
        // Recorded only with the role, so that a role with an ID on record is known to be xacct's whatever its tags say.
        if includes(self.args.only, Half::Target) {
            link.id.clone_from(&identity.id);
        }
        let lost = settle::complete(link, self.source, observed.or(old), self.run.context)?;
        link.check_principals()?;
        let kept = match observed.filter(|_| self.args.keep_statements && link.managed_by.is_none()) {
            Some(role) => Kept::undeclared(role, link, &self.source.principals_of(link), self.run)?,
            None => None,
        };
        if let Some(kept) = &kept {
            kept.add_to(link);
        }
        let own = self.files.get(&link.name).cloned().unwrap_or_default();
        let lost_by_moving = match (link.before_move(), &target) {
            (Some(before), Some(target)) => {
                moving::check(&before, link, identity.clone(), self.source, target, &own, self.run)?
            }
            _ => Vec::new(),
        };
        let planned =
            planning::role(link, identity, self.source, target.as_ref(), &own, |desired, observed, quotas| {
                let plan = |adopt| plan_role(desired, observed, quotas, adopt);
                allowed(self.args, link.managed_by, plan, |it| refused_role(it, link))
            });
        let (desired, plan) = planned?;
        let mut plan = only_compared(plan, link.managed_by, desired.arn.name.as_str());
        plan.warnings.extend(lost_by_moving);
        let is_unasked = self.args.changes.yes && !self.args.changes.only_shown();
        if is_unasked && !self.args.allow_weaker && plan.weaker().next().is_some() {
            return Err(would_be_weaker(&desired.arn, &plan, link));
        }
        let quotas = target.as_ref().map(|target| target.quotas.clone()).unwrap_or_default();
        plan.warnings.extend(lost);
        let principals = self.source.principals_of(link);
        let denied = |principal| denied_by_file(&link.trust_statements, principal, &desired.arn);
        plan.warnings.extend(principals.iter().filter_map(denied));
        let shown = observed.cloned();
        let used_before = observed.and_then(|role| role.last_used.clone()).into();
        let trust = trust_after(&plan, &desired, observed);
        let making = Making {
            desired,
            trust,
            shown,
            used_before: Some(used_before),
            quotas,
            kept,
            versions: target.as_ref().map(|target| target.versions.clone()).unwrap_or_default(),
            is_open: false,
            no_bucket: None,
            is_read_beside: false,
            made: true,
            written: None,
            proof: None,
            diagnosis: None,
        };
        Ok((making, target.map(|target| target.operator), plan))
    }
}

/// Returns the trust policy of the role after the plan.
fn trust_after(plan: &Plan, desired: &DesiredRole, observed: Option<&ObservedRole>) -> FoundDocument {
    let written = plan.changes.iter().find_map(|change| match change {
        Change::CreateRole(role) => Some(role.trust.clone()),
        Change::ReplaceTrustPolicy { to, .. } => Some((**to).clone()),
        _ => None,
    });
    match (written, observed) {
        (None, Some(observed)) => observed.trust.clone(),
        (written, _) => FoundDocument::Policy(written.unwrap_or_else(|| desired.trust.clone())),
    }
}

/// Checks that the two accounts can be linked, as far as both were read.
fn check_pair(source: &SourceSide, link: &Link, target: Option<&TargetSide>) -> Result<()> {
    match (&source.operator, target) {
        (Some(source), Some(target)) => check_callers(&source.caller, &target.operator.caller),
        _ => refuse_same_account(link, &source.account),
    }
}

/// Refuses one account on both sides, and accounts in different partitions.
fn check_callers(source: &Caller, target: &Caller) -> Result<()> {
    if source.account == target.account {
        return Err(Error::new(Kind::Refused, format!("source and target are the same account, {}", source.account))
            .hint("use another target account, or other credentials for it: --target-profile NAME"));
    }
    if let (Some(from), Some(to)) = (source.arn.partition(), target.arn.partition())
        && from != to
    {
        return Err(Error::new(
            Kind::Refused,
            format!("the source account is in partition {from}, but the target account is in {to}"),
        )
        .note("roles cannot be assumed across partitions")
        .hint("create a user in the target's partition"));
    }
    Ok(())
}
