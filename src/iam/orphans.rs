//! Orphans: roles and grants that xacct made for a source account, and that no `xacct.toml` names any more. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::arn::{PrincipalArn, PrincipalRef, RoleArn, RolePattern};
use super::grant_names::grant_part_number;
use super::identity::LINK_TAG;
use super::names::{AccountId, RoleName};
use super::organization_grant::OrganizationGrant;
use super::plan::teardown::{granted_roles, has_own_statement};
use super::policy::PolicyDocument;
use super::state::{FoundDocument, Reading, SOURCE_TAG, is_ours};
use super::templates::GRANT_POLICY;
use super::who::{Holder, Policies, Text};

/// What the `xacct.toml` files of a source account name. IAM does not let two names differ only in case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// The roles of targets, and the principals of each; none if the file leaves them to the operator.
    roles: BTreeMap<(AccountId, String), BTreeSet<String>>,
    principals: BTreeSet<String>,
}

impl Named {
    /// Adds the role of a target, and the principals that it names.
    pub fn add_role(&mut self, account: &AccountId, role: &RoleName, principals: &[PrincipalRef]) {
        let of_role = self.roles.entry((account.clone(), role.as_str().to_ascii_lowercase())).or_default();
        of_role.extend(principals.iter().map(label));
        self.principals.extend(principals.iter().map(label));
    }

    /// Adds a principal of links.
    pub fn add_principal(&mut self, principal: &PrincipalRef) {
        self.principals.insert(label(principal));
    }

    /// Adds everything that another file names.
    pub fn extend(&mut self, other: Self) {
        for (role, principals) in other.roles {
            self.roles.entry(role).or_default().extend(principals);
        }
        self.principals.extend(other.principals);
    }

    /// Returns whether a target has this role, whatever its path is.
    #[must_use]
    pub fn has_role(&self, account: &AccountId, role: &RoleName) -> bool {
        self.principals_of(account, role).is_some()
    }

    /// Returns whether a link of this principal has a role of this name, other than `except`.
    #[must_use]
    pub fn has_name(&self, principal: &PrincipalRef, name: &RoleName, except: &BTreeSet<RoleArn>) -> bool {
        let is_excepted = |account: &AccountId, name: &str| {
            except.iter().any(|role| role.account == *account && role.name.as_str().eq_ignore_ascii_case(name))
        };
        self.roles.iter().any(|((account, role), principals)| {
            role.eq_ignore_ascii_case(name.as_str())
                && !is_excepted(account, role)
                && (principals.is_empty() || principals.contains(&label(principal)))
        })
    }

    /// Returns the names of these roles that no other link of the principal has.
    #[must_use]
    pub fn names_lost(&self, principal: &PrincipalRef, roles: &BTreeSet<RoleArn>) -> BTreeSet<RolePattern> {
        let is_used = |pattern: &RolePattern| self.has_name(principal, &pattern.name, roles);
        roles.iter().map(RolePattern::from).filter(|pattern| !is_used(pattern)).collect()
    }

    /// Returns the names of roles that this grant covers in an organization, and that no link of the principal has.
    #[must_use]
    pub fn orphaned_names(&self, principal: &PrincipalRef, grant: &PolicyDocument) -> BTreeSet<RolePattern> {
        let wide = OrganizationGrant::of(grant).map(|wide| wide.roles).unwrap_or_default();
        let is_its =
            |it: &RolePattern| self.has_principal(principal) && self.has_name(principal, &it.name, &BTreeSet::new());
        wide.into_iter().filter(|pattern| !is_its(pattern)).collect()
    }

    fn principals_of(&self, account: &AccountId, role: &RoleName) -> Option<&BTreeSet<String>> {
        self.roles.get(&(account.clone(), role.as_str().to_ascii_lowercase()))
    }

    /// Returns whether links are for this principal.
    #[must_use]
    pub fn has_principal(&self, principal: &PrincipalRef) -> bool {
        self.principals.contains(&label(principal))
    }

    /// Returns which of the roles in the grant of this principal are orphaned: all of them, unless links are for the
    /// principal.
    #[must_use]
    pub fn orphaned_of(&self, principal: &PrincipalRef, mut roles: BTreeSet<RoleArn>) -> BTreeSet<RoleArn> {
        if self.has_principal(principal) {
            let is_its = |role: &RoleArn| {
                let principals = self.principals_of(&role.account, &role.name);
                principals.is_some_and(|them| them.is_empty() || them.contains(&label(principal)))
            };
            roles.retain(|role| !is_its(role));
        }
        roles
    }
}

/// Names of IAM are unique whatever their path is.
fn label(principal: &PrincipalRef) -> String {
    format!("{}/{}", principal.kind(), principal.name().to_ascii_lowercase())
}

/// A role that xacct made for the source account, and that no target names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanedRole {
    /// Its ARN.
    pub role: RoleArn,
    /// The ID of its link.
    pub link: Option<String>,
}

impl OrphanedRole {
    /// Returns this role of a target account, if it is an orphan.
    #[must_use]
    pub fn of(holder: &Holder, source: &AccountId, named: &Named) -> Option<Self> {
        let is_of_source = is_ours(&holder.tags) && holder.tags.get(SOURCE_TAG).is_some_and(|it| it == source.as_str());
        let role: RoleArn = holder.arn.parse().ok().filter(|_| is_of_source)?;
        (!named.has_role(&role.account, &role.name)).then(|| Self { role, link: holder.tags.get(LINK_TAG).cloned() })
    }
}

/// A grant that xacct wrote: of a principal that no file names, or with roles that no target of the principal has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanedGrant {
    /// The principal.
    pub principal: PrincipalArn,
    /// Whether links are for the principal, so that only these roles are orphaned.
    pub is_named: bool,
    /// The roles that the grant still covers.
    pub roles: BTreeSet<RoleArn>,
    /// The roles that it still covers in every account of an organization.
    pub patterns: BTreeSet<RolePattern>,
}

impl OrphanedGrant {
    /// Returns what is orphaned in the grant of this principal, whose policies these are; `None` if nothing is, or if xacct
    /// did not write them.
    #[must_use]
    pub fn of<'a>(
        principal: &PrincipalArn,
        grant: impl IntoIterator<Item = &'a FoundDocument>,
        named: &Named,
    ) -> Option<Self> {
        let grant: Vec<_> = grant.into_iter().filter_map(FoundDocument::policy).collect();
        let reference = principal.reference();
        let roles = named.orphaned_of(&reference, grant.iter().copied().flat_map(granted_roles).collect());
        let patterns: BTreeSet<_> = grant.iter().flat_map(|policy| named.orphaned_names(&reference, policy)).collect();
        let is_named = named.has_principal(&reference);
        let is_lost = !roles.is_empty() || !patterns.is_empty();
        let is_orphan = if is_named { is_lost } else { grant.into_iter().any(has_own_statement) };
        is_orphan.then(|| Self { principal: principal.clone(), is_named, roles, patterns })
    }

    /// Returns what is orphaned in the grant among the policies of a principal of the source account. `managed` are the
    /// documents of managed policies, by ARN.
    #[must_use]
    pub fn among(
        arn: &str,
        policies: &Policies,
        managed: &BTreeMap<String, Reading<Text>>,
        named: &Named,
    ) -> Option<Self> {
        let principal: PrincipalArn = arn.parse().ok()?;
        let is_part = |arn: &&String| grant_part_number(principal.kind(), principal.name(), arn).is_some();
        let parts = policies.attached.iter().filter(is_part).filter_map(|arn| managed.get(arn)?.present());
        let grant = policies.inline.get(GRANT_POLICY).into_iter().chain(parts).map(AsRef::as_ref);
        Self::of(&principal, grant, named)
    }
}

/// An account in which xacct could not look for orphans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked {
    /// The account.
    pub account: AccountId,
    /// Why.
    pub why: String,
}

/// All orphans of one source account, as far as xacct could look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orphans {
    /// Roles in target accounts.
    pub roles: Vec<OrphanedRole>,
    /// Grants in the source account.
    pub grants: Vec<OrphanedGrant>,
    /// Accounts that could not be read.
    pub unchecked: Vec<Unchecked>,
}

impl Orphans {
    /// Returns whether there are any.
    #[must_use]
    pub fn are_any(&self) -> bool {
        !self.roles.is_empty() || !self.grants.is_empty()
    }
}

#[cfg(test)]
mod tests;
