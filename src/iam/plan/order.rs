//! The order in which xacct applies the changes to a role. Pure.
//!
//! If a write fails, then whichever other writes took effect, no newly trusted principal has permissions beyond those of
//! the finished role, and no principal that the new trust policy excludes has gained any.

use std::collections::BTreeSet;

use super::change::Change;
use crate::iam::policy::PolicyDocument;
use crate::iam::risks::Counted;
use crate::iam::state::{FoundDocument, ObservedRole, RoleQuotas};

/// Changes that may be applied concurrently. A phase starts only after AWS accepted every change of the previous one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase<'a> {
    /// The changes.
    pub changes: Vec<&'a Change>,
    /// Whether the next phase waits until reads show these changes, because it removes what they replace.
    pub read_back: bool,
}

/// How a change affects whom the role trusts and what it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Create,
    Narrow,
    /// Replaces a boundary, and may allow more.
    Recap,
    Admit,
    Widen,
    Remove,
    /// Updates the record of the policies. Until they are detached, only the old record says that xacct attached them.
    Record,
}

/// Returns the phases of these changes to a role.
///
/// If the plan trusts a new principal, changes that narrow the role come first, then the trust policy, then changes that
/// widen it. Otherwise removals come last, so that a working link keeps its permissions, unless a quota has no room for
/// both.
#[must_use]
pub fn phases<'a>(changes: &'a [Change], observed: Option<&ObservedRole>, quotas: &RoleQuotas) -> Vec<Phase<'a>> {
    let narrows_first = narrows_first(changes);
    let crowded = observed.map(|role| without_room(changes, role, quotas)).unwrap_or_default();
    let goes_first = |change: &Change| narrows_first || crowded.iter().any(|what| shares_quota(change, *what));
    let detaches = changes.iter().any(|change| matches!(change, Change::DetachPolicy { .. }));
    let step = |change: &Change| match change {
        Change::CreateRole(_) => Step::Create,
        Change::SetBoundary { from: None, .. } => Step::Narrow,
        Change::SetBoundary { .. } => Step::Recap,
        Change::ReplaceTrustPolicy { from, to, .. } if may_admit_new_callers(from, to) => Step::Admit,
        Change::ReplaceTrustPolicy { .. } => Step::Narrow,
        Change::UpdateRole { from: (_, seconds), max_session, .. } if max_session.as_secs() <= *seconds => Step::Narrow,
        Change::DeleteRolePolicy { .. } | Change::DetachPolicy { .. } if goes_first(change) => Step::Narrow,
        Change::DeleteRolePolicy { .. } | Change::DetachPolicy { .. } => Step::Remove,
        change if detaches && change.updates_record() => Step::Record,
        _ => Step::Widen,
    };
    let steps: BTreeSet<_> = changes.iter().map(step).collect();
    let phase = |now: &Step| Phase {
        changes: changes.iter().filter(|change| step(change) == *now).collect(),
        read_back: *now == Step::Widen && steps.contains(&Step::Remove),
    };
    steps.iter().map(phase).collect()
}

/// Returns whether all removals must come first: because the plan trusts a new principal, or because the new boundary may
/// allow what the present one blocks.
#[must_use]
pub fn narrows_first(changes: &[Change]) -> bool {
    changes.iter().any(|change| match change {
        Change::ReplaceTrustPolicy { from, to, .. } => may_admit_new_callers(from, to),
        Change::SetBoundary { from, .. } => from.is_some(),
        _ => false,
    })
}

/// A trust policy that cannot be compared counts as trusting a new principal.
fn may_admit_new_callers(from: &FoundDocument, to: &PolicyDocument) -> bool {
    !from.policy().is_some_and(|from| to.admits_only_whom(from))
}

/// Returns the quotas that have no room for the new policies beside those to be removed, if nothing else has the removals
/// come first. The size of an inline policy that AWS denied reading is not known, so there may be none.
#[must_use]
pub(super) fn without_room(changes: &[Change], role: &ObservedRole, quotas: &RoleQuotas) -> Vec<Counted> {
    let removes = |what: Counted| changes.iter().any(|change| is_removal(change) && shares_quota(change, what));
    let is_crowded = |what: &Counted| match what {
        Counted::AttachedPolicies => !has_room_to_attach(changes, role, quotas),
        _ => !has_room_to_write(changes, role, quotas),
    };
    let quotas = [Counted::AttachedPolicies, Counted::RolePolicies];
    quotas.into_iter().filter(|what| !narrows_first(changes) && removes(*what)).filter(is_crowded).collect()
}

/// Returns whether the change removes a policy from the role.
#[must_use]
pub fn is_removal(change: &Change) -> bool {
    matches!(change, Change::DeleteRolePolicy { .. } | Change::DetachPolicy { .. })
}

fn shares_quota(change: &Change, what: Counted) -> bool {
    match change {
        Change::DetachPolicy { .. } => what == Counted::AttachedPolicies,
        Change::DeleteRolePolicy { .. } => what == Counted::RolePolicies,
        _ => false,
    }
}

fn has_room_to_attach(changes: &[Change], role: &ObservedRole, quotas: &RoleQuotas) -> bool {
    let attaches = changes.iter().filter(|change| matches!(change, Change::AttachPolicy { .. })).count();
    attaches == 0 || role.attachments.len() + attaches <= quotas.attached_policies.most
}

fn has_room_to_write(changes: &[Change], role: &ObservedRole, quotas: &RoleQuotas) -> bool {
    let put = |name: &str| {
        changes.iter().find_map(|change| match change {
            Change::PutRolePolicy { name: put, to, .. } if put.as_str() == name => Some(to),
            _ => None,
        })
    };
    let kept = role.inline.iter().filter(|(name, _)| put(name).is_none());
    let kept: Option<usize> = kept.map(|(_, document)| document.as_ref().map(FoundDocument::size)).sum();
    let new = changes.iter().filter(|change| matches!(change, Change::PutRolePolicy { .. }));
    let new: usize = new.filter_map(Change::document).map(PolicyDocument::size).sum();
    new == 0 || kept.is_some_and(|kept| kept + new <= quotas.inline_policies.most)
}
