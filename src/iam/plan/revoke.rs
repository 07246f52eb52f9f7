//! Plans the change that revokes the sessions of a role, or the one that lifts the revocation. Pure.

use time::OffsetDateTime;

use super::change::{Change, Plan};
use super::teardown::{Objection, not_of_the_link};
use crate::iam::arn::RoleArn;
use crate::iam::identity::Identity;
use crate::iam::names::{AccountId, PolicyName};
use crate::iam::revocation::{LONGEST_SESSION, REVOKE_POLICY, in_words};
use crate::iam::state::{FoundDocument, ObservedRole};
use crate::iam::templates;

/// The link whose sessions are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The role in `xacct.toml`.
    pub role: RoleArn,
    /// The source account.
    pub source: AccountId,
    /// The link.
    pub identity: Identity,
}

/// Why xacct refuses to revoke sessions, or to lift a revocation.
#[expect(missing_docs, reason = "the messages explain the fields")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no role.
    #[error("account {} has no role `{}`, so it has no sessions", .0.account, .0.name)]
    NoRole(RoleArn),
    /// The role is not the link's.
    #[error(transparent)]
    Objection(Box<Objection>),
    /// Revoked sessions may still be valid.
    #[error("role `{}` in account {} may still have sessions issued before {}, which last until {}", .role.name, .role.account, in_words(*.before), in_words(*.before + LONGEST_SESSION))]
    TooEarly { role: RoleArn, before: OffsetDateTime },
    /// Somebody changed xacct's policy.
    #[error("policy `{REVOKE_POLICY}` of role `{}` in account {} was changed: xacct cannot tell until when it revokes sessions", .0.name, .0.account)]
    Changed(RoleArn),
}

/// Returns the change that denies everything to each session that was issued before this time.
///
/// # Errors
/// [`Refusal`] if there is no role, or it is not the link's.
pub fn plan_revocation(
    link: &Revocation,
    observed: Option<&ObservedRole>,
    before: OffsetDateTime,
) -> Result<Plan, Refusal> {
    let found = policy_of(link, observed)?;
    // A later time covers the sessions of an earlier one.
    let change = REVOKE_POLICY.parse::<PolicyName>().ok().map(|name| Change::PutRolePolicy {
        name,
        from: found.cloned().map(Box::new),
        to: Box::new(templates::revoke_sessions(before)),
    });
    Ok(Plan { changes: change.into_iter().collect(), ..Plan::default() })
}

/// Returns the change that removes the policy again; none if there is none.
///
/// # Errors
/// [`Refusal`] if there is no role, it is not the link's, the policy was changed, or revoked sessions may still be
/// valid.
pub fn plan_lift(link: &Revocation, observed: Option<&ObservedRole>, now: OffsetDateTime) -> Result<Plan, Refusal> {
    let Some(found) = policy_of(link, observed)? else { return Ok(Plan::default()) };
    match found.revoked_before() {
        None => Err(Refusal::Changed(link.role.clone())),
        Some(before) if now < before + LONGEST_SESSION => Err(Refusal::TooEarly { role: link.role.clone(), before }),
        Some(_) => {
            let change = Change::DeleteRolePolicy { name: REVOKE_POLICY.to_owned() };
            Ok(Plan { changes: vec![change], ..Plan::default() })
        }
    }
}

/// Returns xacct's policy on the link's role that revokes sessions, if there is one.
fn policy_of<'a>(link: &Revocation, observed: Option<&'a ObservedRole>) -> Result<Option<&'a FoundDocument>, Refusal> {
    let Some(role) = observed else { return Err(Refusal::NoRole(link.role.clone())) };
    let Revocation { role: wanted, source, identity } = link;
    match not_of_the_link(wanted, source, identity, (&role.arn, &role.tags, &role.trust)) {
        Some(objection) => Err(Refusal::Objection(Box::new(objection))),
        None => Ok(role.inline.get(REVOKE_POLICY).and_then(Option::as_ref)),
    }
}

#[cfg(test)]
mod tests;
