//! What a grant covers in every account of an organization, before and after a plan.

use std::collections::BTreeSet;

use super::change::{Note, Plan};
use super::contents::Contents;
use crate::iam::arn::{RoleArn, RolePattern};
use crate::iam::organization_grant::OrganizationGrant;
use crate::iam::risks::{Risk, Weaker};
use crate::iam::state::DesiredGrant;

/// What a grant covers in every account of an organization, before and after the plan.
pub struct Wide {
    pub before: Option<OrganizationGrant>,
    pub after: Option<OrganizationGrant>,
}

impl Wide {
    pub fn of<'a>(desired: &DesiredGrant, found: impl IntoIterator<Item = &'a Contents>) -> Self {
        let before = found.into_iter().find_map(|contents| contents.organization.clone());
        Self { after: desired.in_organization(before.as_ref()), before }
    }

    pub fn covers_now(&self, role: &RoleArn) -> bool {
        self.before.as_ref().is_some_and(|before| before.covers(role))
    }

    pub fn covers_later(&self, role: &RoleArn) -> bool {
        self.after.as_ref().is_some_and(|after| after.covers(role))
    }

    /// Returns whether it covers the role with this ARN later.
    pub fn covers_text_later(&self, arn: &str) -> bool {
        arn.parse().is_ok_and(|role| self.covers_later(&role))
    }

    /// Adds the risks of a grant for an organization to the plan. `exists` says whether there is a grant now.
    pub fn risks(&self, desired: &DesiredGrant, exists: bool, mut plan: Plan) -> Plan {
        let Some(after) = &self.after else { return plan };
        for pattern in &after.roles {
            let (principal, organization) = (desired.principal.clone(), after.organization.clone());
            let is_new = !self
                .before
                .as_ref()
                .is_some_and(|before| before.organization == after.organization && before.roles.contains(pattern));
            if is_new && exists {
                let (principal, organization, roles) = (principal.clone(), organization.clone(), pattern.clone());
                plan.warnings.push(Risk::Weaker(Weaker::GrantForOrganization { principal, organization, roles }));
            }
            let is_declared = desired.own.union(&desired.roles).any(|role| pattern.covers(role));
            plan.warnings.push(Risk::GrantForOrganization {
                principal,
                organization,
                roles: pattern.clone(),
                is_declared,
            });
            if is_new && !plan.notes.contains(&Note::OrganizationKeyUntested) {
                plan.notes.push(Note::OrganizationKeyUntested);
            }
        }
        plan
    }
}

/// What a principal loses.
#[derive(Debug, Clone, Copy)]
pub struct Lost<'a> {
    /// The roles of links.
    pub roles: &'a BTreeSet<RoleArn>,
    /// The names of roles of which no link has one anymore.
    pub gone: &'a BTreeSet<RolePattern>,
}

/// Returns what a grant still covers in every account of an organization without `gone`.
#[must_use]
pub fn wide_without(wide: Option<OrganizationGrant>, gone: &BTreeSet<RolePattern>) -> Option<OrganizationGrant> {
    let mut rest = wide?;
    rest.roles.retain(|pattern| !gone.contains(pattern));
    rest.with_session_tags.retain(|pattern| rest.roles.contains(pattern));
    (!rest.roles.is_empty()).then_some(rest)
}
