//! Why a plan is refused.

use std::collections::BTreeSet;

use super::change::Plan;
use super::places::Room;
use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::names::PolicyName;

/// Why xacct refuses to plan. It then writes nothing.
///
/// Sizes and quotas are in characters without whitespace, except the count of policies. `owner` is the source account
/// in the role's tag, and `differences` what adopting the role would change.
#[expect(missing_docs, reason = "the messages explain the fields")]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The role exists and xacct did not create it.
    #[error("role `{}` in account {} exists, but xacct did not create it", .role.name, .role.account)]
    ForeignRole { role: RoleArn, differences: Plan },
    /// xacct created the role for another source account.
    #[error("role `{}` in account {} belongs to the link from source account {owner}", .role.name, .role.account)]
    OtherSource { role: RoleArn, owner: String },
    /// The role was made by xacct for another link of the same source account. `found` and `wanted` say for which.
    #[error("role `{}` in account {} belongs to another link", .role.name, .role.account)]
    OtherLink { role: RoleArn, found: String, wanted: String },
    /// The role exists with another path or spelling, and IAM can change neither.
    #[error("the role exists as `{found}`, but IAM cannot rename or move it to `{wanted}`")]
    OtherPath { found: String, wanted: RoleArn },
    /// The grant policy exists and xacct did not write it.
    #[error("{} has an inline policy `{name}` that xacct did not write", .principal.in_words())]
    ForeignGrant { principal: PrincipalArn, name: PolicyName, statements: BTreeSet<String> },
    /// The grant policy has to be written, and others wrote something into it.
    #[error("inline policy `{name}` of {} needs a change, but contains statements that xacct did not write", .principal.in_words())]
    ForeignStatements { principal: PrincipalArn, name: PolicyName, statements: BTreeSet<String> },
    /// The trust policy is too large.
    #[error("the trust policy of role `{}` would have {size} characters, but account {} allows {quota}", .role.name, .role.account)]
    TrustPolicyTooLarge { role: RoleArn, size: usize, quota: usize },
    /// The role's inline policies are too large together.
    #[error("the inline policies of role `{}` would have {size} characters in total, but account {} allows {quota}", .role.name, .role.account)]
    RolePoliciesTooLarge { role: RoleArn, size: usize, quota: usize },
    /// The role would have too many managed policies.
    #[error("role `{}` would have {count} attached managed policies, but account {} allows {quota}", .role.name, .role.account)]
    TooManyPolicies { role: RoleArn, count: usize, quota: usize },
    /// The grant and the principal's other inline policies exceed the quota.
    #[error("the grant for {} needs {size} characters, but the {}'s other inline policies use {others} of the {quota} allowed", .principal.in_words(), .principal.kind())]
    GrantTooLarge { principal: PrincipalArn, size: usize, others: usize, quota: usize },
    /// The grant exceeds all quotas together.
    #[error("the grant for {} lists {roles} {} ({size} characters), but its inline policies have room for {} characters, and {} managed policies of {} characters can be attached", .principal.in_words(), if *.roles == 1 { "role" } else { "roles" }, .room.inline, .room.policies, .room.managed)]
    TooManyRoles { principal: PrincipalArn, roles: usize, size: usize, room: Room },
    /// A managed policy of the grant has to be written, and others wrote something into it.
    #[error("managed policy `{name}` of {} needs a change, but contains statements that xacct did not write", .principal.in_words())]
    ForeignPart { principal: PrincipalArn, name: String, statements: BTreeSet<String> },
}

impl Refusal {
    /// Returns whether somebody changed the accounts by hand, which is a difference from `xacct.toml`. Otherwise AWS would
    /// reject what `xacct.toml` says.
    #[must_use]
    pub fn is_difference(&self) -> bool {
        match self {
            Self::ForeignRole { .. }
            | Self::OtherSource { .. }
            | Self::OtherLink { .. }
            | Self::OtherPath { .. }
            | Self::ForeignGrant { .. }
            | Self::ForeignPart { .. }
            | Self::ForeignStatements { .. } => true,
            Self::TrustPolicyTooLarge { .. }
            | Self::RolePoliciesTooLarge { .. }
            | Self::TooManyPolicies { .. }
            | Self::GrantTooLarge { .. }
            | Self::TooManyRoles { .. } => false,
        }
    }
}
