//! Orphans: roles and grants that xacct made for a source account, and that no `xacct.toml` names any more. Pure.

use std::collections::BTreeSet;

use super::arn::{RoleArn, UserArn};
use super::identity::LINK_TAG;
use super::names::{AccountId, RoleName, UserName};
use super::plan::teardown::{granted_roles, has_own_statement};
use super::policy::PolicyDocument;
use super::state::{SOURCE_TAG, is_ours};
use super::templates::GRANT_POLICY;
use super::who::Holder;

/// What the `xacct.toml` files of a source account name. IAM does not let two names differ only in case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    roles: BTreeSet<(AccountId, String)>,
    users: BTreeSet<String>,
}

impl Named {
    /// Adds the role of a target.
    pub fn add_role(&mut self, account: &AccountId, role: &RoleName) {
        self.roles.insert((account.clone(), role.as_str().to_ascii_lowercase()));
    }

    /// Adds a user of links.
    pub fn add_user(&mut self, user: &UserName) {
        self.users.insert(user.as_str().to_ascii_lowercase());
    }

    /// Adds everything that another file names.
    pub fn extend(&mut self, other: Self) {
        self.roles.extend(other.roles);
        self.users.extend(other.users);
    }

    /// Returns whether a target has this role, whatever its path is.
    #[must_use]
    pub fn has_role(&self, account: &AccountId, role: &RoleName) -> bool {
        self.roles.contains(&(account.clone(), role.as_str().to_ascii_lowercase()))
    }

    /// Returns whether links are for this user.
    #[must_use]
    pub fn has_user(&self, user: &UserName) -> bool {
        self.users.contains(&user.as_str().to_ascii_lowercase())
    }

    /// Returns the roles in the grant of this user that are orphaned: all of them, unless links are for the user.
    #[must_use]
    pub fn orphaned_of(&self, user: &UserName, grant: &PolicyDocument) -> BTreeSet<RoleArn> {
        let mut roles = granted_roles(grant);
        if self.has_user(user) {
            roles.retain(|role| !self.has_role(&role.account, &role.name));
        }
        roles
    }
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

/// A grant that xacct wrote: of a user whom no file names, or with roles that no target names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanedGrant {
    /// The user.
    pub user: UserArn,
    /// Whether links are for the user, so that only these roles are orphaned.
    pub is_of_named_user: bool,
    /// The roles that the grant still covers.
    pub roles: BTreeSet<RoleArn>,
}

impl OrphanedGrant {
    /// Returns what is orphaned in the grant of this user; `None` if nothing is, or if xacct did not write it.
    #[must_use]
    pub fn of(user: &UserArn, grant: &PolicyDocument, named: &Named) -> Option<Self> {
        let (is_of_named_user, roles) = (named.has_user(&user.name), named.orphaned_of(&user.name, grant));
        let is_orphan = if is_of_named_user { !roles.is_empty() } else { has_own_statement(grant) };
        is_orphan.then(|| Self { user: user.clone(), is_of_named_user, roles })
    }

    /// Returns what is orphaned in the grant of a user of the source account.
    #[must_use]
    pub fn of_holder(holder: &Holder, named: &Named) -> Option<Self> {
        let grant = holder.policies.inline.get(GRANT_POLICY)?.policy()?;
        Self::of(&holder.arn.parse().ok()?, grant, named)
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
