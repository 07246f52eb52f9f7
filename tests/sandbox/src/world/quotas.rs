//! An account's quotas.

use serde::{Deserialize, Serialize};

/// Quotas of an account, which `GetAccountSummary` returns. A new account has IAM's defaults ("IAM User Guide, IAM and AWS
/// STS quotas"); AWS raises some of them on request, so tests may change them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quotas {
    /// Maximum number of roles.
    pub roles: usize,
    /// Maximum number of groups of a user.
    pub groups_per_user: usize,
    /// Maximum number of versions of a managed policy.
    pub versions_per_policy: usize,
    /// Maximum number of managed policies on a user.
    pub attached_per_user: usize,
    /// Maximum number of managed policies on a group.
    pub attached_per_group: usize,
    /// Maximum number of managed policies on a role.
    pub attached_per_role: usize,
    /// Maximum size of a trust policy, in characters without whitespace.
    pub trust_policy_size: usize,
    /// Maximum size of a managed policy.
    pub policy_size: usize,
    /// Maximum total size of a user's inline policies.
    pub user_policy_size: usize,
    /// Maximum total size of a group's inline policies.
    pub group_policy_size: usize,
    /// Maximum total size of a role's inline policies.
    pub role_policy_size: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            roles: 1000,
            groups_per_user: 10,
            versions_per_policy: 5,
            attached_per_user: 10,
            attached_per_group: 10,
            attached_per_role: 10,
            trust_policy_size: 2048,
            policy_size: 6144,
            user_policy_size: 2048,
            group_policy_size: 5120,
            role_policy_size: 10_240,
        }
    }
}
