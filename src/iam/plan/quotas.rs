//! Which changes to a role exceed a quota.

use super::change::Change;
use crate::iam::policy::PolicyDocument;
use crate::iam::risks::{Counted, Risk};
use crate::iam::state::{DesiredRole, ObservedRole, Quota, RoleQuotas};

/// A quota that a plan exceeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excess {
    /// What shares the quota.
    pub what: Counted,
    /// The needed characters, or the number of policies.
    pub size: usize,
    pub quota: Quota,
    /// The first changes that AWS would reject.
    changes: Vec<String>,
}

impl Excess {
    /// Returns the warning about a quota that is assumed.
    pub fn into_risk(self) -> Risk {
        let Self { what, size, quota, changes } = self;
        Risk::OverQuota { what, size, quota: quota.most, change: changes.join(", ") }
    }
}

/// Returns the quotas that the changes exceed. What already is on a role is within its quota, whatever that is.
pub(super) fn exceeded(
    changes: &[Change],
    desired: &DesiredRole,
    observed: Option<&ObservedRole>,
    quotas: &RoleQuotas,
) -> Vec<Excess> {
    let trust = changes.iter().filter_map(|change| match change {
        Change::CreateRole(_) => Some(format!("creating role {}", desired.arn.name)),
        Change::ReplaceTrustPolicy { .. } => Some("the new trust policy".to_owned()),
        _ => None,
    });
    let size = desired.trust.size();
    let trust = excess(Counted::TrustPolicy, trust.map(|name| (name, size)), 0, quotas.trust_policy);

    let puts: Vec<_> = changes.iter().filter(|change| matches!(change, Change::PutRolePolicy { .. })).collect();
    let written: usize = puts.iter().filter_map(|change| change.document()).map(PolicyDocument::size).sum();
    let kept = desired.inline_size_on(observed).saturating_sub(written);
    let puts = puts.into_iter().filter_map(|change| match change {
        Change::PutRolePolicy { name, to, .. } => Some((format!("writing policy {name}"), to.size())),
        _ => None,
    });
    let inline = excess(Counted::RolePolicies, puts, kept, quotas.inline_policies);

    let detaches = changes.iter().filter(|change| matches!(change, Change::DetachPolicy { .. })).count();
    let attached = observed.map_or(0, |role| role.attachments.len()) - detaches;
    let attaches = changes.iter().filter_map(|change| match change {
        Change::AttachPolicy { policy } => Some((format!("attaching {policy}"), 1)),
        _ => None,
    });
    let attached = excess(Counted::AttachedPolicies, attaches, attached, quotas.attached_policies);
    [trust, inline, attached].into_iter().flatten().collect()
}

/// Adds up the sizes, and returns the excess if they exceed the quota.
fn excess(
    what: Counted,
    changes: impl Iterator<Item = (String, usize)>,
    before: usize,
    quota: Quota,
) -> Option<Excess> {
    let (mut size, mut rejected) = (before, Vec::new());
    for (change, more) in changes {
        size += more;
        if size > quota.most {
            rejected.push(change);
        }
    }
    (!rejected.is_empty()).then_some(Excess { what, size, quota, changes: rejected })
}
