//! What was learned of a link that does not work: all that a diagnosis goes by, and what `--save-facts` writes. There is
//! no secret in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::AwsAnswer;
use crate::iam::arn::{CallerArn, RoleArn};
use crate::iam::names::{AccountId, ExternalId, Region, UserName};
use crate::iam::state::{FoundDocument, Reading};

/// The version of the form of a facts file. It grows when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When AWS was asked, in seconds since 1970 by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<i64>,
    /// What is wanted.
    pub link: LinkFacts,
    /// Whose credentials were used, and where they come from.
    pub caller: CallerFacts,
    /// The AssumeRole request as it was sent.
    pub request: RequestFacts,
    /// What AWS answered to it.
    pub answer: Answer,
    /// What the proof saw accepted that must be refused.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub let_through: BTreeSet<LetThrough>,
    /// The call to S3 that the session was refused, if it came so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Facts>,
    /// How long before it was asked xacct had written either half, in seconds, if this run did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_seconds_ago: Option<u64>,
    /// The source account.
    pub source: SourceFacts,
    /// The target account.
    pub target: TargetFacts,
}

/// What is wanted of the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFacts {
    /// Its name in `xacct.toml`.
    pub name: String,
    /// The path of that file.
    pub file: String,
    /// The role, as the file names it.
    pub role: RoleArn,
    /// The source account, where the file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_account: Option<AccountId>,
    /// The user who is granted.
    pub user: UserName,
    /// The external ID that the file names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// Whether the file says that MFA is demanded.
    #[serde(default)]
    pub require_mfa: bool,
    /// Whether the file says that the role admits this user only.
    #[serde(default)]
    pub restrict_to_user: bool,
    /// Whether the file names policies for the role: if not, bootstrap gives it one that passes the check.
    #[serde(default)]
    pub has_policies: bool,
    /// Whether the check goes as far as a bucket.
    #[serde(default)]
    pub checks_s3: bool,
}

/// The credentials that were used as the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerFacts {
    /// Where they come from, in words, such as `profile alice`.
    pub origin: String,
    /// The profile that they come from, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// A profile of the AWS config files that is called like the user, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_of_user: Option<String>,
    /// The profile that `AWS_PROFILE` names, where variables with keys win over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_profile: Option<String>,
    /// Whether they are temporary.
    pub is_session: bool,
    /// Whether they carry MFA.
    pub mfa: Mfa,
    /// Who AWS says they belong to.
    pub identity: Reading<CallerArn>,
    /// The same, asked in the partition's first region, where the region of the request must be switched on by each
    /// account; in that of partition `aws`, where it is of another partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Reading<CallerArn>>,
}

/// Whether credentials carry proof of multi-factor authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// They were made with it.
    Present,
    /// They were made without it.
    Absent,
    /// It cannot be told: they are of a session that another program made.
    Unknown,
}

/// An AssumeRole request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFacts {
    /// The region of the STS endpoint.
    pub region: Region,
    /// `RoleSessionName`.
    pub session_name: String,
    /// `ExternalId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// `DurationSeconds`; absent means AWS's default of 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<i32>,
    /// `Tags`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// `SourceIdentity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// AWS gave a session: its ARN.
    Accepted(CallerArn),
    /// AWS answered with an error.
    Refused(AwsAnswer),
    /// It was not sent.
    NotSent(NotSent),
}

/// Why a request was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// There are no credentials: why not.
    NoCredentials(String),
    /// The credentials are not the user's.
    NotTheUsers,
    /// MFA is demanded, and there was no code: why not. Files written before `no_mfa_device` existed say so, too, where no
    /// device was known.
    NoMfaCode(String),
    /// MFA is demanded, and no device is known that shows codes: why not.
    NoMfaDevice(String),
}

impl Answer {
    /// AWS's error code and message; empty where there are none.
    #[must_use]
    pub fn code_and_message(&self) -> (&str, &str) {
        match self {
            Self::Refused(answer) => {
                (answer.code.as_deref().unwrap_or_default(), answer.message.as_deref().unwrap_or_default())
            }
            _ => ("", ""),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(session) => write!(f, "sts:AssumeRole gave {session}"),
            Self::Refused(answer) => answer.fmt(f),
            Self::NotSent(NotSent::NotTheUsers) => {
                f.write_str("nothing was asked: these are not the user's credentials")
            }
            Self::NotSent(NotSent::NoCredentials(why) | NotSent::NoMfaCode(why) | NotSent::NoMfaDevice(why)) => {
                write!(f, "nothing was asked: {why}")
            }
        }
    }
}

/// A request that must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetThrough {
    /// One without the external ID.
    WithoutExternalId,
    /// One with a wrong external ID.
    WithWrongExternalId,
    /// One without MFA.
    WithoutMfa,
}

/// A call to S3 that the session of the role was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Facts {
    /// The bucket.
    pub bucket: String,
    /// The region.
    pub region: Region,
    /// AWS's answer.
    pub answer: AwsAnswer,
}

/// The operator with whose credentials an account was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorFacts {
    /// The profile, if the credentials come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Who AWS says they belong to.
    pub identity: Reading<CallerArn>,
}

/// The source account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFacts {
    /// Who read it.
    pub operator: OperatorFacts,
    /// The user who is granted.
    pub user: Reading<UserFacts>,
    /// The user's own policies.
    pub policies: PolicyFacts,
    /// Those of the groups that the user is in, by group.
    pub groups: Reading<BTreeMap<String, PolicyFacts>>,
    /// The policy that is the user's permissions boundary; absent where there is none.
    pub boundary: Reading<FoundDocument>,
    /// The serials of the user's MFA devices.
    pub mfa_devices: Reading<Vec<String>>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserFacts {
    /// ARN.
    pub arn: String,
    /// `AIDA…`
    pub unique_id: String,
    /// The ARN of the permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The policies of a user, group or role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFacts {
    /// Inline policies by name.
    pub inline: Reading<BTreeMap<String, Reading<FoundDocument>>>,
    /// Attached policies by ARN.
    pub attached: Reading<BTreeMap<String, Reading<FoundDocument>>>,
}

/// The target account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFacts {
    /// Who read it.
    pub operator: OperatorFacts,
    /// The role of that name.
    pub role: Reading<RoleFacts>,
    /// ARNs of roles that may be meant: of the same name in other capitals, or in the account that the operator's
    /// credentials are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub look_alikes: Vec<String>,
    /// The role's permissions policies.
    pub policies: PolicyFacts,
    /// The policy that is the role's permissions boundary; absent where there is none.
    pub boundary: Reading<FoundDocument>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleFacts {
    /// ARN.
    pub arn: String,
    /// Whether xacct made it.
    pub is_ours: bool,
    /// How long ago it was created, in seconds by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// `MaxSessionDuration`.
    pub max_session_seconds: i32,
    /// The ARN of the permissions boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Who may assume it.
    pub trust: FoundDocument,
}

impl Facts {
    /// The source account, as far as it is known.
    pub(super) fn source_account(&self) -> String {
        let told = self.link.source_account.as_ref();
        let asked = self.caller.identity.present().and_then(|arn| arn.account());
        told.or(asked).map_or_else(|| "of the user".to_owned(), ToString::to_string)
    }
}
