//! An account and its resources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::managed::{ManagedPolicy, aws_managed};
use super::quotas::Quotas;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// All accounts by ID. Copies are cheap, so that the sandbox can keep old states while changes propagate.
pub(crate) type Accounts = BTreeMap<String, Arc<Account>>;

/// An AWS account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    /// The 12-digit account ID.
    pub id: String,
    /// The account's alias, if it has one.
    pub alias: Option<String>,
    /// The account's organization, `o-…`.
    pub organization: Option<String>,
    /// Users by name.
    pub users: BTreeMap<String, User>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Roles by name.
    pub roles: BTreeMap<String, Role>,
    /// Customer-managed policies by ARN.
    pub policies: BTreeMap<String, ManagedPolicy>,
    /// Quotas.
    #[serde(default)]
    pub quotas: Quotas,
    /// Keys of the root user.
    pub root_keys: Vec<AccessKey>,
    /// Service control policies by name. If none of them allows anything, `FullAWSAccess` is attached, too.
    pub service_control_policies: BTreeMap<String, Value>,
    /// Resource control policies by name. They only deny; `RCPFullAWSAccess` is always attached.
    pub resource_control_policies: BTreeMap<String, Value>,
}

/// An access key.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    /// The secret.
    pub secret: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

/// Inline and attached policies of a user, group or role.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Policies {
    /// Inline policies by name.
    pub inline: BTreeMap<String, Value>,
    /// ARNs of attached policies.
    pub attached: BTreeSet<String>,
}

/// An IAM user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// Name.
    pub name: String,
    /// IAM path, `/` or `/…/`.
    pub path: String,
    /// Unique ID, `AIDA…`.
    pub id: String,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// Access keys.
    pub keys: Vec<AccessKey>,
    /// The IDs of those that are inactive.
    #[serde(default)]
    pub inactive_keys: BTreeSet<String>,
    /// Inline and attached policies.
    pub policies: Policies,
    /// Names of its groups.
    pub groups: BTreeSet<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// MFA devices.
    pub mfa_devices: Vec<MfaDevice>,
}

/// A virtual MFA device.
#[derive(Clone, Serialize, Deserialize)]
pub struct MfaDevice {
    /// Its ARN, which is its serial number.
    pub serial: String,
    /// The secret of its codes.
    pub seed: Vec<u8>,
    /// When it was enabled.
    #[serde(with = "time::serde::rfc3339")]
    pub enabled: OffsetDateTime,
}

impl std::fmt::Debug for MfaDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MfaDevice({})", self.serial)
    }
}

/// An IAM group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Group {
    /// Name.
    pub name: String,
    /// IAM path.
    pub path: String,
    /// Unique ID, `AGPA…`.
    pub id: String,
    /// Inline and attached policies.
    pub policies: Policies,
}

/// An IAM role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// Name.
    pub name: String,
    /// IAM path, `/` or `/…/`.
    pub path: String,
    /// Unique ID, `AROA…`.
    pub id: String,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// Description.
    pub description: Option<String>,
    /// Maximum session duration, in seconds.
    pub max_session_duration: i64,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// The trust policy as IAM stores it: users and roles among the principals are unique IDs.
    pub trust: Value,
    /// Inline and attached policies.
    pub policies: Policies,
    /// When and in which Regions it was assumed.
    #[serde(default)]
    pub uses: Vec<RoleUse>,
    /// Names of its instance profiles. The sandbox has no other data about them.
    #[serde(default)]
    pub instance_profiles: BTreeSet<String>,
}

/// A use of a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleUse {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Region of that call.
    pub region: String,
}

/// An S3 bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    /// Name.
    pub name: String,
    /// Owner's account ID.
    pub account: String,
    /// Region.
    pub region: String,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// Tags.
    pub tags: Tags,
    /// Objects by key.
    pub objects: BTreeMap<String, Vec<u8>>,
}

impl Account {
    /// Returns the ARN of a user in this account.
    pub fn user_arn(&self, user: &User) -> String {
        format!("arn:aws:iam::{}:user{}{}", self.id, user.path, user.name)
    }

    /// Returns the ARN of a role in this account.
    pub fn role_arn(&self, role: &Role) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.id, role.path, role.name)
    }

    /// Returns the ARN of a group in this account.
    pub fn group_arn(&self, group: &Group) -> String {
        format!("arn:aws:iam::{}:group{}{}", self.id, group.path, group.name)
    }

    /// Returns the user with that unique ID.
    pub fn user_by_id(&self, id: &str) -> Option<&User> {
        self.users.values().find(|user| user.id == id)
    }

    /// Returns the role with that unique ID.
    pub fn role_by_id(&self, id: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.id == id)
    }

    /// Returns a policy that can be attached in this account: customer managed or AWS managed.
    pub fn policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        self.policies.get(arn).or_else(|| aws_managed(arn))
    }

    /// Returns the number of users, groups and roles that a policy is attached to.
    pub(crate) fn attachments(&self, arn: &str) -> usize {
        let users = self.users.values().map(|user| &user.policies);
        let groups = self.groups.values().map(|group| &group.policies);
        let roles = self.roles.values().map(|role| &role.policies);
        users.chain(groups).chain(roles).filter(|policies| policies.attached.contains(arn)).count()
    }

    /// Returns the number of users and roles that have a policy as their boundary.
    pub(crate) fn boundaries(&self, arn: &str) -> usize {
        let users = self.users.values().map(|user| &user.boundary);
        let roles = self.roles.values().map(|role| &role.boundary);
        users.chain(roles).filter(|boundary| boundary.as_deref() == Some(arn)).count()
    }
}
