//! Reads the roles concurrently, and plans the changes.

use time::OffsetDateTime;

use super::arguments::Revoke;
use super::work::{Job, Revoking, Work};
use crate::aws::connections::Connections;
use crate::config::{Link, Source};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{Partition, RoleArn};
use crate::iam::plan::Plan;
use crate::iam::plan::revoke::{Refusal, Revocation, plan_lift, plan_revocation};
use crate::iam::revocation::REVOKE_POLICY;
use crate::iam::state::ObservedRole;
use crate::operations::accounts::{self, Operator, SourceSide, source_as_told};
use crate::operations::objection::with_hints;
use crate::operations::run::{Run, side_by_side};
use crate::operations::settle;
use crate::operations::work::{Failed, GrantJob};
use crate::proof::Watch;
use crate::text::shell::ShellCommand;

/// A target account: its operator, the role if there is one, and how many seconds AWS's clock is ahead.
type TargetSide = (Operator, Option<ObservedRole>, i64);

/// Reads every role, and plans its change.
pub async fn plan(
    links: Vec<Link>,
    source: &Source,
    args: &Revoke,
    run: &Run<'_>,
    connections: &Connections,
) -> Result<Work> {
    let access = accounts::source_access_to_enter(connections, &links, source).await?;
    let progress = run.console.progress("revoke");
    progress.now("reading the roles");
    let found = side_by_side(&links, args.report.concurrency, async |link| {
        accounts::target_side_to_revoke(connections, link, access.as_ref(), run.context.now).await
    })
    .await;
    // A link does not cross partitions.
    let partition = found.iter().flatten().find_map(|(operator, ..)| operator.caller.arn.partition());
    let source = source_as_told(source, &links, partition.unwrap_or(Partition::Aws), false)?;
    let (mut jobs, mut failed) = (Vec::new(), Vec::new());
    for (link, found) in links.into_iter().zip(found) {
        // A move that was interrupted may not have created it yet.
        if link.is_other_role && matches!(found, Ok((_, None, _))) {
            continue;
        }
        match found.and_then(|found| plan_role(&link, found, &source, args, run)) {
            Ok((state, operator, plan)) => {
                let (role, operator) = (state.revocation.role.clone(), Some(operator));
                jobs.push(Job { link, role, operator, plan, result: Ok(()), state });
            }
            Err(error) => failed.push(Failed { link, error }),
        }
    }
    // The grant stays as it is.
    let grant = GrantJob { plan: Plan::default(), result: Ok(()), repairs: 0 };
    Ok(Work { source, grant, jobs, failed })
}

fn plan_role(
    link: &Link,
    (operator, shown, ahead): TargetSide,
    source: &SourceSide,
    args: &Revoke,
    run: &Run<'_>,
) -> Result<(Revoking, Operator, Plan)> {
    let role = link.role_arn(source.partition);
    let identity = settle::identity(link, source)?;
    let revocation = Revocation { role, source: source.account.clone(), identity };
    let plan = planned(&revocation, shown.as_ref(), now(ahead, run), args).map_err(|it| refused(&it, link))?;
    Ok((Revoking { revocation, shown, ahead, before: None }, operator, plan))
}

/// Plans the change of one role, by this time of AWS's clock.
pub fn planned(
    revocation: &Revocation,
    role: Option<&ObservedRole>,
    now: OffsetDateTime,
    args: &Revoke,
) -> std::result::Result<Plan, Refusal> {
    if args.lift { plan_lift(revocation, role, now) } else { plan_revocation(revocation, role, until(now)) }
}

/// Returns the time by AWS's clock.
pub fn now(ahead: i64, run: &Run<'_>) -> OffsetDateTime {
    OffsetDateTime::from((run.context.now)()) + time::Duration::seconds(ahead)
}

/// Returns the first second in which no session has been issued so far, and one more, because AWS's clock is only known
/// to the second.
///
/// Assumed: the time of a session's issue is in whole seconds. If it is finer, this time is still later than every session
/// so far.
pub fn until(now: OffsetDateTime) -> OffsetDateTime {
    now + time::Duration::seconds(2)
}

/// Returns the error for a refusal, with hints.
pub fn refused(refusal: &Refusal, link: &Link) -> Error {
    let error = Error::new(Kind::Refused, refusal.to_string());
    match refusal {
        Refusal::NoRole(_) => error.hint(format!("check `role` in [targets.{}]", link.name)),
        Refusal::Objection(objection) => with_hints(error, objection, link, None),
        Refusal::TooEarly { role, .. } => error
            .note("without the policy, these sessions could be used again; it denies nothing to later ones")
            .hint("run the command again after that time")
            .hint(format!("or let them be used again: {}", delete(role))),
        Refusal::Changed(role) => {
            let revoke = ShellCommand::new("xacct").arg("revoke").arg(&link.name);
            error
                .note("without the policy, revoked sessions could be used again")
                .hint(format!("revoke all current sessions: {revoke}"))
                .hint(format!("or let them be used again: {}", delete(role)))
        }
    }
}

/// Returns the command that deletes xacct's policy.
fn delete(role: &RoleArn) -> ShellCommand {
    ShellCommand::new("aws")
        .args(["iam", "delete-role-policy"])
        .option("--role-name", &role.name)
        .option("--policy-name", REVOKE_POLICY)
}
