//! The roles that IAM Identity Center reserves for a permission set.

use std::fmt;

use crate::iam::names::{AccountId, PermissionSetName};
use crate::iam::partition::Partition;

/// The path of the roles of all permission sets. That of the Region of IAM Identity Center follows, except for us-east-1
/// (IAM Identity Center User Guide, "Referencing permission sets in resource policies").
pub const RESERVED_PATH: &str = "/aws-reserved/sso.amazonaws.com/";

/// The name prefix of these roles.
const PREFIX: &str = "AWSReservedSSO_";

/// The length of the suffix, which changes when a permission set is assigned to an account again.
const SUFFIX: usize = 16;

/// All roles of a permission set in an account, by the pattern of their ARNs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionSetRoles {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The name of the permission set.
    pub name: PermissionSetName,
}

/// Writes the pattern for `ArnLike`, which fits the roles in every Region of IAM Identity Center and with every suffix: `*`
/// and `?` also stand for a slash.
impl fmt::Display for PermissionSetRoles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, account, name } = self;
        let path = RESERVED_PATH.trim_end_matches('/');
        write!(formatter, "arn:{partition}:iam::{account}:role{path}*/{PREFIX}{name}_{}", "?".repeat(SUFFIX))
    }
}

/// Returns the permission set whose role has this name. Its name may contain `_`, too.
#[must_use]
pub fn set_of_role(role: &str) -> Option<PermissionSetName> {
    let (set, suffix) = role.strip_prefix(PREFIX)?.rsplit_once('_')?;
    let is_suffix = suffix.len() == SUFFIX && suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
    set.parse().ok().filter(|_| is_suffix)
}
