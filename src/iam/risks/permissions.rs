//! The risks of a role's permissions and of a grant.

use std::collections::BTreeSet;

use super::risk::{Counted, Risk, is_administrator_access};
use crate::iam::evaluate::action_matches;
use crate::iam::policy::{Effect, Element, PolicyDocument, Statement};
use crate::iam::state::{DesiredRole, ObservedRole};

/// Returns the risks of the role's permissions, including unmanaged policies.
pub(super) fn of_permissions(desired: &DesiredRole, observed: Option<&ObservedRole>) -> Vec<Risk> {
    let boundary = desired.boundary.as_ref().map(ToString::to_string);
    let boundary = boundary.or_else(|| observed?.boundary.clone());
    // A boundary that allows everything limits nothing.
    if boundary.is_some_and(|arn| !is_administrator_access(&arn)) {
        return Vec::new();
    }
    let wanted = desired.attachments.iter().map(ToString::to_string);
    let found = observed.into_iter().flat_map(|role| role.attachments.iter().cloned());
    let attached: BTreeSet<_> = wanted.chain(found).filter(|arn| is_administrator_access(arn)).collect();
    let inline = desired.inline.iter().filter(|(_, document)| allows_everything(document));
    let all = attached.into_iter().chain(inline.map(|(name, _)| name.to_string()));
    all.map(|policy| Risk::Administrator { policy }).collect()
}

/// Returns the risks of a grant.
#[must_use]
pub fn of_grant(document: &PolicyDocument) -> Vec<Risk> {
    let allows = |statement: &&Statement| {
        statement.effect == Effect::Allow && action_matches(&statement.action, "sts:AssumeRole")
    };
    let wide = document.statements.iter().filter(allows).flat_map(|statement| match &statement.resource {
        Some(Element::Is(resources)) => {
            resources.iter().filter(|arn| arn.contains(['*', '?'])).map(|arn| Some(arn.clone())).collect()
        }
        Some(Element::Not(_)) => vec![None],
        None => Vec::new(),
    });
    wide.map(|resource| Risk::WideGrant { resource }).collect()
}

/// Returns the risk of reaching a quota, if more than nine tenths are used.
#[must_use]
pub fn of_size(what: Counted, size: usize, quota: usize) -> Option<Risk> {
    (size * 10 > quota * 9).then_some(Risk::NearQuota { what, size, quota })
}

/// Returns whether a statement allows `*` on `*`, whatever the request.
pub(super) fn allows_everything(document: &PolicyDocument) -> bool {
    let has = |element: &Element<BTreeSet<String>>, all: &[&str]| {
        let Element::Is(listed) = element else { return false };
        listed.iter().any(|one| all.contains(&one.as_str()))
    };
    document.statements.iter().any(|statement| {
        statement.effect == Effect::Allow
            && statement.condition.is_empty()
            && has(&statement.action, &["*", "*:*"])
            && statement.resource.as_ref().is_some_and(|resource| has(resource, &["*"]))
    })
}
