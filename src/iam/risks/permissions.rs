//! The risks of a role's permissions and of a grant.

use std::collections::{BTreeMap, BTreeSet};

use super::risk::{BoundaryChange, Counted, Risk, Undeclared, is_administrator_access};
use crate::iam::arn::PolicyOwner;
use crate::iam::evaluate::action_matches;
use crate::iam::identity::LINK_TAG;
use crate::iam::organization_grant::is_own_statement;
use crate::iam::policy::{Effect, Element, PolicyDocument, Statement};
use crate::iam::state::{
    BOUNDARY_TAG, DesiredRole, FoundDocument, OWN_POLICY_PREFIX, ObservedBoundary, ObservedRole, PolicyVersion, Quota,
    Reading,
};

/// Returns the risks of the role's permissions, including unmanaged policies.
pub(super) fn of_permissions(desired: &DesiredRole, observed: Option<&ObservedRole>) -> Vec<Risk> {
    let boundary = desired.boundary.as_ref().map(ToString::to_string);
    let boundary = boundary.or_else(|| observed?.boundary.clone());
    // A boundary that allows everything limits nothing.
    if boundary.is_some_and(|arn| !is_administrator_access(&arn)) {
        return Vec::new();
    }
    let attached = desired.attached_on(observed).into_iter().filter(|arn| is_administrator_access(arn));
    let inline = desired.inline.iter().filter(|(_, document)| allows_everything(document));
    let undeclared = observed.into_iter().flat_map(undeclared_inline);
    let undeclared =
        undeclared.filter(|(name, found)| !desired.removes_inline(name, found.as_ref())).filter(|(_, found)| {
            let document = found.as_ref().and_then(FoundDocument::policy);
            document.is_some_and(allows_everything)
        });
    let inline = inline.map(|(name, _)| name.to_string()).chain(undeclared.map(|(name, _)| name.clone()));
    attached.chain(inline).map(|policy| Risk::Administrator { policy }).collect()
}

/// Returns the policies of a role that `xacct.toml` does not declare. An inline policy with xacct's prefix is drift, and
/// what this run replaces was declared.
pub(super) fn of_undeclared(desired: &DesiredRole, observed: &ObservedRole) -> Vec<Risk> {
    let wanted: BTreeSet<_> = desired.attachments.union(&desired.replaced).map(ToString::to_string).collect();
    let attached = observed.attachments.difference(&wanted).cloned().map(Undeclared::Attached);
    let inline = undeclared_inline(observed).map(|(name, _)| Undeclared::Inline(name.clone()));
    let risk = |policy| Risk::UndeclaredPolicy { role: desired.arn.clone(), policy, exclusive: desired.exclusive };
    attached.chain(inline).map(risk).collect()
}

fn undeclared_inline(observed: &ObservedRole) -> impl Iterator<Item = (&String, &Option<FoundDocument>)> {
    // A revocation allows nothing, and is no setting of the link.
    let inline =
        observed.inline.iter().filter(|(_, found)| found.as_ref().is_none_or(|found| found.revoked_before().is_none()));
    inline.filter(|(name, _)| !name.starts_with(OWN_POLICY_PREFIX))
}

/// Returns the risks of the declared boundary: another text than at the last run, none that could be read, or one that
/// limits nothing.
#[must_use]
pub fn of_boundary(desired: &DesiredRole, observed: Option<&ObservedRole>, boundary: &ObservedBoundary) -> Vec<Risk> {
    let mut risks: Vec<_> = changed_boundary(desired, observed, boundary).into_iter().collect();
    let Some(policy) = desired.boundary.as_ref().map(ToString::to_string) else { return risks };
    let tags = observed.filter(|role| role.boundary.as_ref() == Some(&policy)).map(|role| &role.tags);
    // Without the link's tag, a version of xacct made the role that recorded neither.
    if tags.is_some_and(|tags| tags.contains_key(LINK_TAG) && recorded_version(tags).is_none()) {
        risks.push(Risk::BoundaryNotRecorded { policy: policy.clone() });
    }
    let is_said = |risk: &Risk| matches!(risk, Risk::BoundaryChanged { change: BoundaryChange::Everything, .. });
    let text = boundary.now.as_ref().and_then(Reading::present).and_then(FoundDocument::policy);
    if text.is_some_and(allows_everything) && !risks.iter().any(is_said) {
        risks.push(Risk::BoundaryLimitsNothing { policy });
    }
    risks
}

fn recorded_version(tags: &BTreeMap<String, String>) -> Option<PolicyVersion> {
    tags.get(BOUNDARY_TAG).and_then(|tag| PolicyVersion::from_tag(tag))
}

/// Returns how the text of the boundary differs from that of the last run.
fn changed_boundary(
    desired: &DesiredRole,
    observed: Option<&ObservedRole>,
    boundary: &ObservedBoundary,
) -> Option<Risk> {
    let declared = desired.boundary.as_ref()?;
    let policy = declared.to_string();
    let recorded = recorded_version(&observed?.tags);
    let current = match (&boundary.version, &recorded) {
        (Reading::Present(current), _) => current,
        (Reading::Unreadable { permission, .. }, Some(_)) => {
            return Some(Risk::BoundaryUnread { policy, permission: permission.clone() });
        }
        _ => return None,
    };
    let recorded = recorded.filter(|recorded| recorded != current)?;
    let now = boundary.now.as_ref().and_then(Reading::present).and_then(FoundDocument::policy);
    let before = boundary.before.as_ref().and_then(Reading::present).and_then(FoundDocument::policy);
    let change = if recorded.policy_id != current.policy_id {
        if observed?.boundary.as_ref() != Some(&policy) {
            // The declared boundary is another one than at the last run.
            return None;
        }
        BoundaryChange::Recreated
    } else if declared.owner == PolicyOwner::Aws {
        BoundaryChange::ByAws
    } else {
        match (before, now) {
            (Some(before), Some(now)) if now.means_the_same_as(before) => return None,
            (_, Some(now)) if allows_everything(now) => BoundaryChange::Everything,
            (Some(_), Some(_)) => BoundaryChange::Other,
            _ => BoundaryChange::NotCompared,
        }
    };
    Some(Risk::BoundaryChanged { policy, from: recorded.version, to: current.version.clone(), change })
}

/// Returns the risks of a grant.
#[must_use]
pub fn of_grant(document: &PolicyDocument) -> Vec<Risk> {
    // The plan shows what xacct itself grants in an organization.
    let allows = |statement: &&Statement| {
        statement.effect == Effect::Allow
            && action_matches(&statement.action, "sts:AssumeRole")
            && !is_own_statement(statement)
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

/// Returns the risk of reaching a quota, if more than nine tenths are used. Beyond a quota, the plan is refused, or names
/// the change that AWS would reject.
#[must_use]
pub fn of_size(what: Counted, size: usize, quota: Quota) -> Option<Risk> {
    let Quota { most, .. } = quota;
    (size * 10 > most * 9 && size <= most).then_some(Risk::NearQuota { what, size, quota: most })
}

/// Returns whether a statement allows `*` on `*`, whatever the request.
pub(in crate::iam) fn allows_everything(document: &PolicyDocument) -> bool {
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
