//! How the principals of a file get their grant.

use crate::cli::{GrantOptions, GrantScope, SetGrant};
use crate::error::Error;
use crate::iam::arn::PrincipalRef;
use crate::iam::names::OrganizationId;

/// The settings of the grants, each as it was set; `None` for its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantSettings {
    /// Which roles the grant of each principal covers.
    pub scope: Option<GrantScope>,
    /// Where the grant of a permission set is.
    pub set_grant: Option<SetGrant>,
    /// The organization of the target accounts.
    pub organization: Option<OrganizationId>,
}

impl GrantSettings {
    /// Returns these settings with the options, which override them.
    #[must_use]
    pub fn with(&self, options: &GrantOptions) -> Self {
        Self {
            scope: options.grant.or(self.scope),
            set_grant: options.set_grant.or(self.set_grant),
            organization: options.organization.clone().or_else(|| self.organization.clone()),
        }
    }

    /// Returns the organization in whose accounts a principal may assume all roles of one name; `None` if its grant lists
    /// the roles.
    #[must_use]
    pub fn organization_of(&self, principal: &PrincipalRef) -> Option<&OrganizationId> {
        self.organization.as_ref().filter(|_| self.is_for_organization(principal))
    }

    pub(super) fn is_for_organization(&self, principal: &PrincipalRef) -> bool {
        let is_pattern = self.set_grant == Some(SetGrant::Pattern) && is_set(principal);
        is_pattern || self.scope == Some(GrantScope::Organization)
    }

    /// Returns whether the grant of this principal is a managed policy to which a permission set refers.
    #[must_use]
    pub fn is_referenced(&self, principal: &PrincipalRef) -> bool {
        self.set_grant == Some(SetGrant::ManagedPolicy) && is_set(principal)
    }

    /// Returns the setting that needs `organization`, if that is not set: its key in `xacct.toml`, and its value.
    #[must_use]
    pub fn lacks_organization(&self) -> Option<(&'static str, &'static str)> {
        let is_pattern = (self.set_grant == Some(SetGrant::Pattern)).then_some(("set_grant", "pattern"));
        let is_wide = (self.scope == Some(GrantScope::Organization)).then_some(("grant", "organization"));
        is_pattern.or(is_wide).filter(|_| self.organization.is_none())
    }
}

pub(super) fn is_set(principal: &PrincipalRef) -> bool {
    matches!(principal, PrincipalRef::PermissionSet(_))
}

/// Returns the error for a setting that needs the organization.
pub(super) fn no_organization(key: &str, value: &str) -> Error {
    Error::usage(format!("{key} = \"{value}\" needs the ID of the organization"))
        .hint("set it: --organization ID, or organization = \"o-…\" in [source] of xacct.toml")
        .hint("to see it: aws organizations describe-organization --query Organization.Id")
}
