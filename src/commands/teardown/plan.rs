//! Reads both accounts concurrently, and plans the removal.

use std::collections::BTreeSet;

use super::arguments::Teardown;
use super::gone;
use super::objection::refused;
use super::orphan::Orphan;
use super::work::{Job, Removing, Work};
use crate::aws::connections::Connections;
use crate::cli::Half;
use crate::config::{Link, Source, includes};
use crate::error::Result;
use crate::iam::arn::{Partition, RoleArn, UserArn};
use crate::iam::plan::Plan;
use crate::iam::plan::teardown::{Removal, StandingRole, plan_grant_removal, plan_role_removal};
use crate::iam::state::ObservedUser;
use crate::iam::templates::GRANT_POLICY;
use crate::operations::accounts::{self, Operator, SourceSide};
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
            Some(access) => accounts::source_side_to_remove(access, source).await,
            None => accounts::source_as_told(source, Partition::Aws, false),
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
pub fn plan(
    links: Vec<Link>,
    observed: Observed,
    orphan: Option<&Orphan>,
    args: &Teardown,
    run: &Run<'_>,
) -> Result<Work> {
    let Observed { source, targets } = observed;
    let (mut jobs, mut failed) = (Vec::new(), Vec::new());
    for (link, target) in links.into_iter().zip(targets) {
        match target.and_then(|target| plan_role(&link, target, &source, orphan, args, run)) {
            Ok((state, operator, plan)) => {
                jobs.push(Job { link, role: state.removal.role.clone(), operator, plan, result: Ok(()), state });
            }
            Err(error) => failed.push(Failed { link, error }),
        }
    }
    let roles = jobs.iter().map(|job| job.role.clone()).collect();
    let plan = plan_grant(orphan, &source.user, &roles, source.observed.as_ref())?;
    Ok(Work { source, grant: GrantJob { plan, result: Ok(()), repairs: 0 }, jobs, failed })
}

/// Plans the changes to the grant of a user.
pub fn plan_grant(
    orphan: Option<&Orphan>,
    user: &UserArn,
    roles: &BTreeSet<RoleArn>,
    observed: Option<&ObservedUser>,
) -> Result<Plan> {
    let name = GRANT_POLICY.parse()?;
    Ok(match orphan {
        Some(orphan) => orphan.plan_grant(user, &name, roles, observed),
        None => plan_grant_removal(user, &name, roles, observed),
    })
}

fn plan_role(
    link: &Link,
    target: TargetSide,
    source: &SourceSide,
    orphan: Option<&Orphan>,
    args: &Teardown,
    run: &Run<'_>,
) -> Result<(Removing, Option<Operator>, Plan)> {
    let (operator, role, gone) = match target {
        TargetSide::Read(side) => (Some(side.0), side.1, None),
        TargetSide::Left => (None, None, None),
        TargetSide::Gone(why) => (None, None, Some(why)),
    };
    let partition = operator.as_ref().and_then(|operator| operator.caller.arn.partition());
    let partition = partition.unwrap_or(source.user.partition);
    let arn = link.role_arn(partition);
    let tests = run.file.source.user.as_ref().map_or_else(Vec::new, |user| {
        let source = run.file.source.account();
        Tested { link, role: &arn, user: user.name(), source }.uses(run.context)
    });
    let mut removal = Removal {
        role: arn,
        source: source.account.clone(),
        identity: settle::identity(link, &source.user)?,
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
    Ok((Removing { removal, shown, gone }, operator, plan))
}
