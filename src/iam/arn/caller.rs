//! The ARN of a caller.

use std::fmt;

use super::iam::{RoleArn, UserArn, assumed_role, fields};
use super::permission_set::set_of_role;
use crate::iam::names::{AccountId, PermissionSetName, RoleName};
use crate::iam::partition::Partition;

/// The caller's ARN from `GetCallerIdentity` (AWS STS API reference). `Display` writes the original ARN.
#[expect(missing_docs, reason = "the fields are the parts of the ARN")]
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerArn {
    /// The root user of an account, who cannot assume roles.
    Root { partition: Partition, account: AccountId },
    /// An IAM user, whose ARN includes the path.
    User(UserArn),
    /// A role session. Its ARN does not include the role's path.
    AssumedRole { partition: Partition, account: AccountId, role: RoleName, session: String },
    /// A session from `GetFederationToken`, which cannot assume roles.
    FederatedUser { partition: Partition, account: AccountId, name: String },
    /// Any other text.
    Other(String),
}

impl CallerArn {
    /// Parses any text; an unknown form becomes [`CallerArn::Other`].
    pub fn parse(arn: &str) -> Self {
        Self::recognise(arn).unwrap_or_else(|| Self::Other(arn.to_owned()))
    }

    fn recognise(arn: &str) -> Option<Self> {
        if let Ok(user) = arn.parse() {
            return Some(Self::User(user));
        }
        if let Some((partition, account, role, session)) = assumed_role(arn) {
            return Some(Self::AssumedRole { partition, account, role, session: session.to_owned() });
        }
        let [partition, service, "", account, resource] = fields(arn)? else {
            return None;
        };
        let (partition, account) = (partition.parse().ok()?, account.parse().ok()?);
        match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => Some(Self::Root { partition, account }),
            ("sts", Some(("federated-user", name))) if !name.is_empty() => {
                Some(Self::FederatedUser { partition, account, name: name.to_owned() })
            }
            _ => None,
        }
    }

    fn account_and_partition(&self) -> Option<(&AccountId, Partition)> {
        match self {
            Self::User(user) => Some((&user.account, user.partition)),
            Self::Root { account, partition }
            | Self::AssumedRole { account, partition, .. }
            | Self::FederatedUser { account, partition, .. } => Some((account, *partition)),
            Self::Other(_) => None,
        }
    }

    /// Returns the caller's account.
    pub fn account(&self) -> Option<&AccountId> {
        self.account_and_partition().map(|(account, _)| account)
    }

    /// Returns the caller's partition.
    pub fn partition(&self) -> Option<Partition> {
        self.account_and_partition().map(|(_, partition)| partition)
    }

    /// Whether this is a session of the role.
    pub fn is_of(&self, role: &RoleArn) -> bool {
        matches!(self, Self::AssumedRole { account, role: name, .. } if *account == role.account && *name == role.name)
    }

    /// Returns the permission set of IAM Identity Center, if the caller is a session of one.
    pub fn permission_set(&self) -> Option<PermissionSetName> {
        match self {
            Self::AssumedRole { role, .. } => set_of_role(role.as_str()),
            _ => None,
        }
    }

    /// Returns the session's name, if the caller is a session of a role.
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::AssumedRole { session, .. } => Some(session),
            _ => None,
        }
    }

    /// Returns the user, if the caller is one.
    pub fn user(&self) -> Option<&UserArn> {
        match self {
            Self::User(user) => Some(user),
            _ => None,
        }
    }
}

impl fmt::Display for CallerArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { partition, account } => write!(formatter, "arn:{partition}:iam::{account}:root"),
            Self::User(user) => user.fmt(formatter),
            Self::AssumedRole { partition, account, role, session } => {
                write!(formatter, "arn:{partition}:sts::{account}:assumed-role/{role}/{session}")
            }
            Self::FederatedUser { partition, account, name } => {
                write!(formatter, "arn:{partition}:sts::{account}:federated-user/{name}")
            }
            Self::Other(arn) => formatter.write_str(arn),
        }
    }
}

impl serde::Serialize for CallerArn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for CallerArn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|arn| Self::parse(&arn))
    }
}
