//! The facts about a link: everything that a diagnosis uses, and what `--save-facts` writes. They contain no secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::answers::Meaning;
use crate::environment::Machine;
use crate::error::AwsAnswer;
use crate::iam::admission::Accepted;
use crate::iam::arn::{CallerArn, PrincipalArn, PrincipalRef, RoleArn};
use crate::iam::names::{AccountId, ExternalId, OrganizationId, Region};
use crate::iam::state::{FoundDocument, Reading};

/// The version of the facts file format. It grows when a field is removed or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that xacct read about a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Whether account IDs are placeholders. Redacted files of older versions lack it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// Whether several runs collected them, perhaps of several people.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
    /// The time of the request, in seconds since 1970 by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<i64>,
    /// By how many seconds AWS's clock was ahead of this machine's; absent if unknown or too little to measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead: Option<i64>,
    /// The link as `xacct.toml` describes it.
    pub link: LinkFacts,
    /// The credentials that were used, and their owner.
    pub caller: CallerFacts,
    /// The AssumeRole request as it was sent.
    pub request: RequestFacts,
    /// AWS's answer.
    pub answer: Answer,
    /// The requests that the role accepted and must reject.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub let_through: BTreeSet<LetThrough>,
    /// The requests that the role must reject and that were sent, whatever the answer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refusals_tried: BTreeSet<LetThrough>,
    /// The S3 call that was denied, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Facts>,
    /// How many seconds before the request xacct wrote either half, if this run did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_seconds_ago: Option<u64>,
    /// The source account.
    pub source: SourceFacts,
    /// The target account.
    pub target: TargetFacts,
}

/// The link as `xacct.toml` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkFacts {
    /// Its name in `xacct.toml`.
    pub name: String,
    /// The path of `xacct.toml`.
    pub file: String,
    /// The role in the file.
    pub role: RoleArn,
    /// The source account, if the file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_account: Option<AccountId>,
    /// The principal with the grant: the one whose credentials are used, of several.
    #[serde(rename = "user", with = "as_user")]
    pub principal: PrincipalRef,
    /// The group with the grant, if `principal` is a user who should be a member of it; or the permission set of the link,
    /// if `principal` is its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<PrincipalRef>,
    /// The ARN of the managed policy to which the permission set of the link is to refer, if its grant is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_policy: Option<String>,
    /// The organization whose accounts the grant is to cover; `None` if it lists the roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The external ID in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// Older external IDs that the role still accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_external_ids: Vec<ExternalId>,
    /// Whether the file requires MFA.
    #[serde(default)]
    pub require_mfa: bool,
    /// The other principals of the link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_principals: Vec<PrincipalRef>,
    /// Whether the file restricts the role to the link's principals.
    #[serde(default)]
    pub restrict_to_user: bool,
    /// Whether the file names policies for the role. If not, bootstrap adds one that allows the test bucket.
    #[serde(default)]
    pub has_policies: bool,
    /// Whether the test creates a bucket.
    #[serde(default)]
    pub checks_s3: bool,
    /// The tags of the test bucket.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bucket_tags: BTreeMap<String, String>,
    /// Whether the test bucket is in the account-regional namespace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_bucket_regional: bool,
    /// Other callers whom the file accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Accepted>,
    /// The statements that the file adds to the trust policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_statements: Option<FoundDocument>,
    /// Whether the file records that xacct created or adopted the role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_recorded: bool,
    /// Whether nobody else may be admitted even if xacct does not manage the role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
    /// Whether whoever gets the fixes has no `xacct.toml`; no facts file has it.
    #[serde(skip)]
    pub lacks_config: bool,
}

/// The credentials that were used as the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerFacts {
    /// Their origin in words, such as `profile alice`.
    pub origin: String,
    /// Their profile, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The profile in the AWS config files that has the user's name, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_of_user: Option<String>,
    /// Whether the access key in the environment is the user's, if other credentials were used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_user_in_environment: bool,
    /// The part of this machine that provided them, if nobody chose them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// The profile in `AWS_PROFILE`, if access keys in the environment override it, or it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_profile: Option<String>,
    /// Whether they are temporary.
    pub is_session: bool,
    /// Whether they carry MFA.
    pub mfa: Mfa,
    /// Their owner, according to AWS.
    pub identity: Reading<CallerArn>,
    /// Their owner as read in another Region: in the partition's default Region, if the Region of the request is
    /// opt-in, or in that of partition `aws`, if the Region of the request is in another partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<Reading<CallerArn>>,
}

/// Whether credentials carry multi-factor authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// They were created with MFA.
    Present,
    /// They were created without MFA.
    Absent,
    /// Unknown: another program created the session.
    Unknown,
}

/// An AssumeRole request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFacts {
    /// The Region of the STS endpoint.
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

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// AWS returned a session with this ARN.
    Accepted(CallerArn),
    /// AWS returned an error.
    Refused(AwsAnswer),
    /// xacct did not send the request.
    NotSent(NotSent),
}

/// Why a request was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSent {
    /// xacct found no credentials, for this reason.
    NoCredentials(String),
    /// The credentials do not belong to the user.
    NotTheUsers,
    /// The link is evaluated for the principal, and no credentials are used as its.
    Evaluated,
    /// The role requires MFA and xacct had no code, for this reason. Files older than `no_mfa_device` also use this if
    /// no device was known.
    NoMfaCode(String),
    /// The role requires MFA and xacct knows no device that generates codes, for this reason.
    NoMfaDevice(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(session) => write!(f, "sts:AssumeRole returned session {session}"),
            Self::Refused(answer) => answer.fmt(f),
            Self::NotSent(NotSent::NotTheUsers) => f.write_str("no request sent: these are not the user's credentials"),
            Self::NotSent(NotSent::Evaluated) => {
                f.write_str("no request sent: evaluated with the policies that were read")
            }
            Self::NotSent(NotSent::NoCredentials(why) | NotSent::NoMfaCode(why) | NotSent::NoMfaDevice(why)) => {
                write!(f, "no request sent: {why}")
            }
        }
    }
}

/// A request that the role must reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetThrough {
    /// A request without the external ID.
    WithoutExternalId,
    /// A request with a wrong external ID.
    WithWrongExternalId,
    /// A request without MFA.
    WithoutMfa,
}

/// An S3 call of the role session that was denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Facts {
    /// The bucket.
    pub bucket: String,
    /// The Region.
    pub region: Region,
    /// AWS's answer.
    pub answer: AwsAnswer,
}

/// The operator whose credentials read an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorFacts {
    /// The profile, if the credentials come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Their owner, according to AWS.
    pub identity: Reading<CallerArn>,
}

/// The source account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFacts {
    /// When it was read, in seconds since 1970 by that machine's clock: its oldest part, if several runs read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<i64>,
    /// The operator.
    pub operator: OperatorFacts,
    /// The user with the grant.
    pub user: Reading<UserFacts>,
    /// The user's own policies.
    pub policies: PolicyFacts,
    /// The policies of the user's groups, by group.
    pub groups: Reading<BTreeMap<String, PolicyFacts>>,
    /// The policy of the user's permissions boundary; absent if there is none.
    pub boundary: Reading<FoundDocument>,
    /// The serials of the user's MFA devices.
    pub mfa_devices: Reading<Vec<String>>,
    /// The status of the caller's access key among those of the user, if AWS does not know the key. Its ID, which reveals
    /// the account, is not saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callers_key: Option<Reading<KeyStatus>>,
    /// When the managed policies were changed last, by ARN, in seconds since 1970.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed_at: BTreeMap<String, i64>,
}

/// The status of an access key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// It works.
    Active,
    /// Somebody has deactivated it.
    Inactive,
}

/// A user, or a role with a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserFacts {
    /// ARN.
    pub arn: String,
    /// `AIDA…`, or `AROA…` of a role.
    pub unique_id: String,
    /// Its age in seconds when it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
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
    /// When it was read, as for the source account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<i64>,
    /// The operator.
    pub operator: OperatorFacts,
    /// The role with the name in the file.
    pub role: Reading<RoleFacts>,
    /// ARNs of roles that may be meant: with the same name in another case, or in the account of the operator's
    /// credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub look_alikes: Vec<String>,
    /// The role's permissions policies.
    pub policies: PolicyFacts,
    /// The policy of the role's permissions boundary; absent if there is none.
    pub boundary: Reading<FoundDocument>,
    /// When the managed policies were changed last, by ARN, in seconds since 1970.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed_at: BTreeMap<String, i64>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleFacts {
    /// ARN.
    pub arn: String,
    /// Whether xacct created or adopted it.
    pub is_ours: bool,
    /// Its age in seconds when it was read, by that machine's clock.
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
    /// The trust policy.
    pub trust: FoundDocument,
}

impl LinkFacts {
    /// Returns kind and name of the principal: user alice, role ci/terraform.
    #[must_use]
    pub fn whose(&self) -> String {
        let principal = match &self.through {
            Some(set @ PrincipalRef::PermissionSet(_)) => set,
            _ => &self.principal,
        };
        principal.in_words().replace('`', "")
    }

    /// Returns the principal as the link names it.
    #[must_use]
    pub fn of_link(&self) -> &PrincipalRef {
        self.through.as_ref().unwrap_or(&self.principal)
    }

    /// Returns the same with what else has policies for it: user alice and its groups.
    #[must_use]
    pub fn with_groups(&self) -> String {
        match self.principal {
            PrincipalRef::User(_) => format!("{} and its groups", self.whose()),
            PrincipalRef::Group(_) | PrincipalRef::Role(_) | PrincipalRef::PermissionSet(_) => self.whose(),
        }
    }

    /// Returns how a table names the principal.
    #[must_use]
    pub fn label(&self) -> String {
        self.principal.label()
    }

    /// Returns all principals of the link.
    pub fn principals(&self) -> impl Iterator<Item = &PrincipalRef> {
        [self.of_link()].into_iter().chain(&self.other_principals)
    }
}

/// A principal as `user` has it: a user's name, or another kind with its name.
mod as_user {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::iam::arn::{PrincipalRef, RoleRef, UserRef, set_of_role};
    use crate::iam::names::IamPath;

    pub fn serialize<S: Serializer>(principal: &PrincipalRef, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&principal.label())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PrincipalRef, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The role of a permission set, which nobody else may name.
        if let Some(name) = text.strip_prefix("role/").filter(|name| set_of_role(name).is_some()) {
            let name = name.parse().map_err(serde::de::Error::custom)?;
            return Ok(PrincipalRef::Role(RoleRef::Name { path: IamPath::root(), name }));
        }
        let principal = match text.contains('/') {
            true => text.parse(),
            false => text.parse().map(|name| PrincipalRef::User(UserRef::Name(name))),
        };
        principal.map_err(serde::de::Error::custom)
    }
}

impl Facts {
    /// Returns the caller, if the credentials belong to the principal.
    pub(super) fn caller_as_principal(&self) -> Option<&CallerArn> {
        self.caller.identity.present().filter(|caller| self.link.principal.is(caller))
    }

    /// Returns the principal's ARN according to the caller, if the credentials belong to it. A role's path is that of the
    /// link: the ARN of a session does not tell it.
    pub(super) fn arn_of_caller(&self) -> Option<PrincipalArn> {
        match self.caller_as_principal()? {
            CallerArn::User(user) => Some(user.clone().into()),
            // Only IAM knows the path of a permission set's role.
            CallerArn::AssumedRole { .. } if matches!(self.link.of_link(), PrincipalRef::PermissionSet(_)) => None,
            caller => Some(self.link.principal.at_root(caller.partition()?, caller.account()?)),
        }
    }

    /// Returns the source account that the facts name, if any.
    #[must_use]
    pub fn known_source_account(&self) -> Option<&AccountId> {
        self.link.source_account.as_ref().or_else(|| self.caller_as_principal()?.account())
    }

    /// Returns the source account, which is probably that of the credentials if the facts name none.
    pub(super) fn probable_source_account(&self) -> Option<&AccountId> {
        self.known_source_account().or_else(|| self.caller.identity.present()?.account())
    }

    /// Returns the probable source account in words.
    pub(super) fn source_account(&self) -> String {
        self.probable_source_account().map_or_else(|| "of the user".to_owned(), ToString::to_string)
    }

    /// Returns the ARN of a principal of the link with its path, if somebody has read it.
    pub(super) fn user_arn_of(&self, principal: &PrincipalRef) -> Option<PrincipalArn> {
        let is_it = principal.label() == self.link.label();
        let read = self.user_arn().filter(|_| is_it && principal.user().is_some());
        read.and_then(|arn| arn.parse().ok()).map(PrincipalArn::User)
    }

    /// Returns the principal's ARN, if somebody has read it.
    pub(super) fn user_arn(&self) -> Option<String> {
        let read = self.source.user.present().map(|user| user.arn.clone());
        read.or_else(|| self.arn_of_caller().map(|arn| arn.to_string()))
    }

    /// Returns the age of the role, in seconds, at the time of the request; `None` if it did not exist yet.
    pub(super) fn role_age(&self) -> Option<u64> {
        let age = i64::try_from(self.target.role.present()?.age_seconds?).ok()?;
        let later = self.asked_at.zip(self.target.read_at).map_or(0, |(asked, read)| read.saturating_sub(asked));
        u64::try_from(age.saturating_sub(later)).ok()
    }

    /// Returns the time of the request by AWS's clock, if known.
    pub(super) fn time(&self) -> Option<OffsetDateTime> {
        let ahead = self.clock_ahead.unwrap_or_default();
        OffsetDateTime::from_unix_timestamp(self.asked_at?.saturating_add(ahead)).ok()
    }

    /// Returns whether AWS does not know the caller's access key, which is no session's.
    pub(crate) fn is_key_unknown(&self) -> bool {
        let row = if let Answer::Refused(answer) = &self.answer { answer.row() } else { None };
        !self.caller.is_session && row.is_some_and(|row| row.meaning == Meaning::UnknownKey)
    }

    /// Returns whether the link is only evaluated for the principal.
    #[must_use]
    pub fn is_evaluated(&self) -> bool {
        self.answer == Answer::NotSent(NotSent::Evaluated)
    }

    /// Returns the Region of the request that was denied: that to S3, or else AssumeRole.
    pub(super) fn asked_region(&self) -> &Region {
        self.s3.as_ref().map_or(&self.request.region, |s3| &s3.region)
    }
}
