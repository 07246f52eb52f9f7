//! The order in which the changes to a role go out. Pure.
//!
//! Whichever of the writes have taken effect when one of them fails, nobody who was not let in before has permissions
//! that the finished role does not give, and nobody whom the new trust policy shuts out has gained any.

use std::collections::BTreeSet;

use super::change::Change;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{FoundDocument, ObservedRole};

/// Changes that may go out concurrently. A phase begins only after every change of the one before was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase<'a> {
    /// The changes.
    pub changes: Vec<&'a Change>,
    /// Whether the next phase waits until AWS shows these changes: it takes away what they replace.
    pub read_back: bool,
}

/// What a change does to who gets in, and to what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Create,
    Narrow,
    /// A boundary replaces another, and may allow more.
    Recap,
    Admit,
    Widen,
    Remove,
}

/// Returns the phases of these changes to a role; `inline_quota` counts the characters that its inline policies share.
///
/// Where somebody new gets in, what narrows the role goes first, then the trust policy, then what widens it. Where
/// nobody does, what is no longer wanted goes last, so that a working link keeps its permissions.
#[must_use]
pub fn phases<'a>(changes: &'a [Change], observed: Option<&ObservedRole>, inline_quota: usize) -> Vec<Phase<'a>> {
    let removes_first = narrows_first(changes) || !observed.is_none_or(|role| has_room(changes, role, inline_quota));
    let step = |change: &Change| match change {
        Change::CreateRole(_) => Step::Create,
        Change::SetBoundary { from: None, .. } => Step::Narrow,
        Change::SetBoundary { .. } => Step::Recap,
        Change::ReplaceTrustPolicy { from, to } if admits_somebody_new(from, to) => Step::Admit,
        Change::ReplaceTrustPolicy { .. } => Step::Narrow,
        Change::UpdateRole { from: (_, seconds), max_session, .. } if max_session.as_secs() <= *seconds => Step::Narrow,
        Change::DeleteRolePolicy { .. } if removes_first => Step::Narrow,
        Change::DeleteRolePolicy { .. } => Step::Remove,
        _ => Step::Widen,
    };
    let steps: BTreeSet<_> = changes.iter().map(step).collect();
    let phase = |now: &Step| Phase {
        changes: changes.iter().filter(|change| step(change) == *now).collect(),
        read_back: *now == Step::Widen && steps.contains(&Step::Remove),
    };
    steps.iter().map(phase).collect()
}

/// Returns whether everything that the role is to lose must go before anything else: because somebody new gets in, or
/// because another boundary may let through what the present one holds back.
#[must_use]
pub fn narrows_first(changes: &[Change]) -> bool {
    changes.iter().any(|change| match change {
        Change::ReplaceTrustPolicy { from, to } => admits_somebody_new(from, to),
        Change::SetBoundary { from, .. } => from.is_some(),
        _ => false,
    })
}

/// What cannot be compared is taken to admit somebody.
fn admits_somebody_new(from: &FoundDocument, to: &PolicyDocument) -> bool {
    !from.policy().is_some_and(|from| to.admits_only_whom(from))
}

/// Whether new inline policies fit beside those that go. Where others have some, nobody knows: those are not read.
fn has_room(changes: &[Change], role: &ObservedRole, quota: usize) -> bool {
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
    new == 0 || kept.is_some_and(|kept| kept + new <= quota)
}
