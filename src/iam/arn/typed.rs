//! The shorter forms of an ARN that a user may type.

use std::fmt;
use std::str::FromStr;

use super::iam::{PolicyArn, PolicyOwner, UserArn, part};
use crate::iam::invalid::{Invalid, nearest, serde_as_text, shown};
use crate::iam::names::{AccountId, IamPath, PolicyName, UserName};
use crate::iam::partition::Partition;

/// A managed policy as typed: an ARN, or the bare name of an AWS managed policy (`PowerUserAccess`), which works in
/// every partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManagedPolicy {
    /// An ARN in one partition, of AWS or of an account.
    Arn(PolicyArn),
    /// An AWS managed policy, in any partition.
    AwsManaged {
        /// The path: `/`, `/job-function/`, …
        path: IamPath,
        /// The name after the path.
        name: PolicyName,
    },
}

/// The AWS managed policies with path `/job-function/`, which users may type without it (zoph-io/MAMIP, 2026-03-07).
pub const JOB_FUNCTIONS: [&str; 7] = [
    "Billing",
    "DatabaseAdministrator",
    "DataScientist",
    "NetworkAdministrator",
    "SupportUser",
    "SystemAdministrator",
    "ViewOnlyAccess",
];

/// The AWS managed policies that people give most, for suggestions. All of them exist (zoph-io/MAMIP, 2026-03-07).
const WELL_KNOWN: [&str; 36] = [
    "AdministratorAccess",
    "AmazonAPIGatewayAdministrator",
    "AmazonDynamoDBFullAccess",
    "AmazonDynamoDBReadOnlyAccess",
    "AmazonEC2ContainerRegistryFullAccess",
    "AmazonEC2ContainerRegistryPowerUser",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonECS_FullAccess",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonRDSFullAccess",
    "AmazonRDSReadOnlyAccess",
    "AmazonRoute53FullAccess",
    "AmazonRoute53ReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSNSFullAccess",
    "AmazonSQSFullAccess",
    "AmazonSSMFullAccess",
    "AmazonSSMReadOnlyAccess",
    "AmazonVPCFullAccess",
    "AmazonVPCReadOnlyAccess",
    "AWSCloudFormationFullAccess",
    "AWSCloudFormationReadOnlyAccess",
    "AWSLambda_FullAccess",
    "AWSLambda_ReadOnlyAccess",
    "CloudWatchFullAccess",
    "CloudWatchReadOnlyAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecretsManagerReadWrite",
    "SecurityAudit",
];

impl PolicyArn {
    /// Returns the well-known AWS managed policy whose name this one almost has.
    pub fn nearest(&self) -> Option<&'static str> {
        let known: Vec<_> = WELL_KNOWN.into_iter().chain(JOB_FUNCTIONS).collect();
        nearest(self.name.as_str(), &known).filter(|_| self.owner == PolicyOwner::Aws)
    }
}

impl From<PolicyArn> for ManagedPolicy {
    /// Returns the shortest form: a policy of AWS has the same name in every partition.
    fn from(arn: PolicyArn) -> Self {
        match arn.owner {
            PolicyOwner::Aws => Self::AwsManaged { path: arn.path, name: arn.name },
            PolicyOwner::Account(_) => Self::Arn(arn),
        }
    }
}

impl ManagedPolicy {
    /// Returns the ARN of the policy; `partition` matters only for a bare name.
    pub fn resolve(&self, partition: Partition) -> PolicyArn {
        match self {
            Self::Arn(arn) => arn.clone(),
            Self::AwsManaged { path, name } => PolicyArn::new(partition, PolicyOwner::Aws, path.clone(), name.clone()),
        }
    }
}

impl fmt::Display for ManagedPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arn(arn) => arn.fmt(formatter),
            Self::AwsManaged { path, name } => {
                write!(formatter, "{}{name}", path.as_str().strip_prefix('/').unwrap_or_default())
            }
        }
    }
}

impl FromStr for ManagedPolicy {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        if value.starts_with("arn:") {
            return value.parse().map(Self::Arn);
        }
        let (path, name) = match value.rsplit_once('/') {
            Some((path, name)) => (format!("/{path}/"), name),
            None if JOB_FUNCTIONS.contains(&value) => ("/job-function/".to_owned(), value),
            None => ("/".to_owned(), value),
        };
        let fix = "use the policy's ARN, or the name of an AWS managed policy such as `PowerUserAccess`";
        let with_fix = |error: Invalid| error.with_fix(Some(fix.to_owned()));
        let path = part("managed policy", value, &path).map_err(with_fix)?;
        let name = part("managed policy", value, name).map_err(with_fix)?;
        Ok(Self::AwsManaged { path, name })
    }
}

serde_as_text!(ManagedPolicy);

/// A user as typed: a name or an ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserRef {
    /// A name in the source account.
    Name(UserName),
    /// An ARN, which includes account and path.
    Arn(UserArn),
}

impl UserRef {
    /// Returns the name without account and path.
    pub fn name(&self) -> &UserName {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => &arn.name,
        }
    }

    /// Returns the user's account, if an ARN was typed.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Name(_) => None,
            Self::Arn(arn) => Some(&arn.account),
        }
    }
}

impl fmt::Display for UserRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(formatter),
            Self::Arn(arn) => arn.fmt(formatter),
        }
    }
}

impl FromStr for UserRef {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        let resource = value.splitn(6, ':').nth(5).unwrap_or(value);
        if let Some((kind @ ("role" | "group" | "permission-set"), _)) = resource.split_once('/') {
            return Err(Invalid::new(
                "user",
                value,
                format!("is a {}, not a user", kind.replace('-', " ")),
                format!("use `--principal {0}` (in xacct.toml: `principals = [\"{0}\"]`)", shown(value.trim())),
            ));
        }
        if value.starts_with("arn:") { value.parse().map(Self::Arn) } else { value.parse().map(Self::Name) }
    }
}

serde_as_text!(UserRef);
