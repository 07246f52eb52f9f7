//! Risks of the grant of a permission set.

use super::risk::Risk;
use crate::iam::permission_set::{ObservedPermissionSet, lacking_grant};
use crate::iam::state::DesiredGrant;

/// Returns the risks of the grant of a permission set: what it lacks, and what it covers in an organization.
#[must_use]
pub fn of_permission_set(desired: &DesiredGrant, observed: &ObservedPermissionSet) -> Vec<Risk> {
    let lacking = lacking_grant(desired, observed).map(Box::new).map(Risk::PermissionSetLacksGrant);
    let found = observed.in_organization();
    // That of a managed policy is planned with the policy.
    let wide = match &desired.organization {
        Some(_) if !desired.is_referenced => desired.in_organization(found.as_ref()),
        _ => found,
    };
    let patterns =
        wide.into_iter().flat_map(|wide| wide.roles.into_iter().map(move |it| (wide.organization.clone(), it)));
    let wide = patterns.map(|(organization, roles)| Risk::GrantForOrganization {
        principal: desired.principal.clone(),
        organization,
        is_declared: desired.own.union(&desired.roles).any(|role| roles.covers(role)),
        roles,
    });
    wide.chain(lacking).collect()
}
