//! How the principals of a file get their grant.

use std::collections::BTreeMap;

use super::file::ConfigFile;
use super::link::Link;
use super::select::all_links;
use crate::cli::{GrantOptions, GrantScope, SetGrant};
use crate::error::{Error, Result};
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

    fn is_for_organization(&self, principal: &PrincipalRef) -> bool {
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

    /// Checks the settings with the links of a run, which have their principals, and the other links of the file.
    ///
    /// # Errors
    /// When the organization is not set, `set_grant` applies to no principal, or as [`GrantSettings::check_roles`].
    pub fn check(&self, links: &[Link], file: &ConfigFile) -> Result<()> {
        if let Some((key, value)) = self.lacks_organization() {
            return Err(no_organization(key, value));
        }
        if self.set_grant.is_some() && !with_others(links, file)?.iter().flat_map(|link| &link.principals).any(is_set) {
            return Err(Error::usage("set_grant is for permission sets, but no link is for one")
                .hint("omit --set-grant (set_grant in xacct.toml)")
                .hint("or give a link to a permission set: --principal permission-set/NAME"));
        }
        self.check_roles(links, file)
    }

    /// Checks the names of the roles of the links of a run, and of the other links of the file.
    ///
    /// # Errors
    /// When one statement cannot cover the roles of a principal, because they have several names.
    pub fn check_roles(&self, links: &[Link], file: &ConfigFile) -> Result<()> {
        let all = with_others(links, file)?;
        let mut first = BTreeMap::new();
        for link in &all {
            let role = format!("{}{}", link.role_path, link.role);
            // The operator, if there is none.
            let operator = link.principals.is_empty().then_some("");
            let is_wide = |principal: &&PrincipalRef| self.is_for_organization(principal);
            let labels = link.principals.iter().filter(is_wide).map(PrincipalRef::label);
            let operator = operator.filter(|_| self.scope == Some(GrantScope::Organization)).map(str::to_owned);
            for label in labels.chain(operator) {
                let (other, of_other) = first.entry(label).or_insert((&link.name, role.clone()));
                if *of_other != role {
                    return Err(different_roles((other, of_other), (&link.name, &role)));
                }
            }
        }
        Ok(())
    }
}

/// Returns the links of a run, and the other links of the file.
fn with_others(links: &[Link], file: &ConfigFile) -> Result<Vec<Link>> {
    let is_of_run = |name: &str| links.iter().any(|link| link.name == name);
    let others = all_links(file)?.into_iter().filter(|link| !is_of_run(&link.name));
    Ok(links.iter().cloned().chain(others).collect())
}

fn is_set(principal: &PrincipalRef) -> bool {
    matches!(principal, PrincipalRef::PermissionSet(_))
}

/// Returns the error for a setting that needs the organization.
pub(super) fn no_organization(key: &str, value: &str) -> Error {
    Error::usage(format!("{key} = \"{value}\" needs the ID of the organization"))
        .hint("set it: --organization ID, or organization = \"o-…\" in [source] of xacct.toml")
        .hint("to see it: aws organizations describe-organization --query Organization.Id")
}

fn different_roles((one, role): (&str, &str), (other, of_other): (&str, &str)) -> Error {
    Error::usage(format!(
        "target `{one}` has role `{role}` and target `{other}` role `{of_other}`, but a grant for the organization covers one \
         path and name"
    ))
    .hint("give all targets of a principal the same `role` and `role_path`")
    .hint("or list the roles in the grant: grant = \"roles\", or for a permission set set_grant = \"inline\"")
}

#[cfg(test)]
mod tests;
