//! Reads both accounts concurrently, and plans the removal.

use std::collections::BTreeSet;

use super::arguments::Teardown;
use super::gone;
use super::objection::refused;
use super::orphan::Orphan;
use super::report::Report;
use super::work::{Job, Removing, Work};
use crate::aws::connections::Connections;
use crate::cli::Half;
use crate::config::{Link, Source, includes};
use crate::error::Result;
use crate::iam::arn::{Partition, PrincipalArn, RoleArn};
use crate::iam::orphans::Named;
use crate::iam::plan::teardown::{Lost, Removal, StandingRole, plan_grant_removal, plan_role_removal};
use crate::iam::plan::{Note, Plan};
use crate::iam::state::ObservedPrincipal;
use crate::iam::templates::{GRANT_POLICY, LINK_SID, ORGANIZATION_SID};
use crate::operations::accounts::{self, Grantee, Operator, SourceSide};
use crate::operations::last_test::Tested;
use crate::operations::run::{Run, side_by_side};
use crate::operations::settle;
use crate::operations::work::{Failed, GrantJob};
use crate::proof::Watch;

/// A target account.
enum TargetSide {
    /// Its operator, and the role if there is one.
    Read(Box<(Operator, Option<StandingRole>)>),
    /// Only the half in the source account is removed.
    Left,
    /// With `--gone`: why nothing answers.
    Gone(String),
}

/// The observed state of both accounts.
pub struct Observed {
    source: SourceSide,
    /// In the order of the links.
    targets: Vec<Result<TargetSide>>,
}

/// Observes the source account and every target.
pub async fn observe(
    source: &Source,
    links: &[Link],
    args: &Teardown,
    run: &Run<'_>,
    connections: &Connections,
) -> Result<Observed> {
    let progress = run.console.progress("teardown");
    progress.now("reading both accounts");
    let access = match includes(args.only, Half::Source) {
        true => Some(accounts::source_access(connections, source).await?),
        false => None,
    };
    let source = async {
        match &access {
            Some(access) => accounts::source_side_to_remove(access, source, links).await,
            None => accounts::source_as_told(source, links, Partition::Aws, false),
        }
    };
    let targets = side_by_side(links, args.report.concurrency, async |link| match includes(args.only, Half::Target) {
        _ if args.gone => gone::unanswered(connections, link, access.as_ref()).await.map(TargetSide::Gone),
        true => {
            let side = accounts::target_side_to_remove(connections, link, access.as_ref()).await;
            side.map(|side| TargetSide::Read(side.into()))
        }
        false => Ok(TargetSide::Left),
    });
    let (source, targets) = tokio::join!(source, targets);
    Ok(Observed { source: source?, targets })
}

/// Plans the removal of every role and its entry in the grant. Asks AWS nothing.
pub fn plan(links: Vec<Link>, observed: Observed, report: &Report<'_>) -> Result<Work> {
    let Observed { source, targets } = observed;
    let named = settle::named_beside(report.run, &source.grantees)?;
    let (mut jobs, mut failed) = (Vec::new(), Vec::new());
    for (link, target) in links.into_iter().zip(targets) {
        match target.and_then(|target| plan_role(&link, target, &source, report)) {
            Ok((state, operator, plan)) => {
                jobs.push(Job { link, role: state.removal.role.clone(), operator, plan, result: Ok(()), state });
            }
            Err(error) => failed.push(Failed { link, error }),
        }
    }
    let mut plan = Plan::default();
    for grantee in &source.grantees {
        let roles = roles_of(grantee, &source, &jobs);
        plan = plan.and(plan_grant(report.orphan, &named, &grantee.arn, &roles, grantee.observed.as_ref())?);
        plan.notes.extend(kept_by_set(grantee, &roles, &named));
    }
    Ok(Work { source, grant: GrantJob { plan, result: Ok(()), repairs: 0 }, jobs, failed })
}

/// Returns what a permission set keeps in its inline policy of the roles that it loses.
fn kept_by_set(grantee: &Grantee, roles: &BTreeSet<RoleArn>, named: &Named) -> Vec<Note> {
    let Some(set) = &grantee.set else { return Vec::new() };
    let gone = named.names_lost(&grantee.arn.reference(), roles);
    let wide = set.in_organization().map(|wide| wide.roles).unwrap_or_default();
    let is_left = |role: &&RoleArn| wide.iter().any(|pattern| gone.contains(pattern) && pattern.covers(role));
    let listed = set.granted().intersection(roles).cloned().collect();
    let covered = roles.iter().filter(is_left).cloned().collect();
    let keeps = [(LINK_SID, listed), (ORGANIZATION_SID, covered)].into_iter();
    keeps
        .filter(|(_, roles): &(_, BTreeSet<_>)| !roles.is_empty())
        .map(|(statement, roles)| Note::PermissionSetKeeps { set: grantee.arn.clone(), statement, roles })
        .collect()
}

/// Returns the roles that a principal is to lose.
pub fn roles_of<'a>(
    grantee: &Grantee,
    source: &SourceSide,
    jobs: impl IntoIterator<Item = &'a Job>,
) -> BTreeSet<RoleArn> {
    let links = jobs.into_iter().map(|job| (&job.link, job.role.clone()));
    source.links_of(grantee, links).into_iter().map(|(_, role)| role).collect()
}

/// Plans the changes to the grant of a principal.
pub fn plan_grant(
    orphan: Option<&Orphan>,
    named: &Named,
    principal: &PrincipalArn,
    roles: &BTreeSet<RoleArn>,
    observed: Option<&ObservedPrincipal>,
) -> Result<Plan> {
    let name = GRANT_POLICY.parse()?;
    Ok(match orphan {
        Some(orphan) => orphan.plan_grant(principal, &name, roles, observed),
        None => {
            let gone = named.names_lost(&principal.reference(), roles);
            plan_grant_removal(principal, &name, Lost { roles, gone: &gone }, observed)
        }
    })
}

fn plan_role(
    link: &Link,
    target: TargetSide,
    source: &SourceSide,
    report: &Report<'_>,
) -> Result<(Removing, Option<Operator>, Plan)> {
    let Report { args, run, orphan, .. } = *report;
    let (operator, role, gone) = match target {
        TargetSide::Read(side) => (Some(side.0), side.1, None),
        TargetSide::Left => (None, None, None),
        TargetSide::Gone(why) => (None, None, Some(why)),
    };
    let partition = operator.as_ref().and_then(|operator| operator.caller.arn.partition());
    let partition = partition.unwrap_or(source.partition);
    let arn = link.role_arn(partition);
    let principals = &link.principals_in_words();
    let tests = Tested { link, role: &arn, principals, source: run.file.source.account() }.uses(run.context);
    let mut removal = Removal {
        role: arn,
        source: source.account.clone(),
        identity: settle::identity(link, source)?,
        attachments: link.policy_arns.iter().map(|policy| policy.resolve(partition)).collect(),
        boundary: link.permissions_boundary.as_ref().map(|policy| policy.resolve(partition)),
        tests,
        now: (run.context.now)().into(),
        even_if_used: args.even_if_used,
        shown_use: None,
        even_if_extended: args.even_if_extended,
    };
    if let (Some(orphan), Some(role)) = (orphan, &role) {
        removal = orphan.removal(removal, role)?;
    }
    if !args.changes.yes {
        // The preview shows it, and the operator decides.
        removal.shown_use = role.as_ref().and_then(|role| removal.use_of_others(role)).map(|used| used.last);
    }
    let plan = plan_role_removal(&removal, role.as_ref()).map_err(|objections| refused(&objections, link, orphan))?;
    let shown = role.as_ref().map(StandingRole::fingerprint);
    Ok((Removing { removal, shown, gone, is_denied: false }, operator, plan))
}
