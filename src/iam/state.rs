//! The two halves of a link: as they should be, and as they were found.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::arn::{PolicyArn, RoleArn, UserArn};
use crate::iam::identity::{Identity, LINK_TAG};
use crate::iam::names::{AccountId, MaxSessionDuration, PolicyName, TagKey, TagValue};
use crate::iam::policy::{PolicyDocument, PolicyError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The tag by which xacct knows a role that it made.
pub const MANAGED_BY: (&str, &str) = ("managed-by", "xacct");

/// The tag that names the source account whose link a role belongs to.
pub const SOURCE_TAG: &str = "xacct:source-account";

/// Inline policies of a role whose names begin so are xacct's own; others are left alone.
pub const OWN_POLICY_PREFIX: &str = "xacct-";

/// Characters a trust policy may have, unless the account's quota was raised (IAM User Guide, quotas).
pub const DEFAULT_TRUST_POLICY_QUOTA: usize = 2048;
/// Characters that all inline policies of a role share (IAM User Guide, quotas).
pub const DEFAULT_ROLE_POLICIES_QUOTA: usize = 10_240;
/// Characters that all inline policies of a user share (IAM User Guide, quotas).
pub const DEFAULT_USER_POLICIES_QUOTA: usize = 2048;

/// What was learned of one thing in AWS. A refused read is never taken for absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// It exists, and this is what was read of it.
    Present(T),
    /// AWS says that it is not there.
    Absent,
    /// AWS did not let us look: the permission that would allow it, and AWS's answer.
    Unreadable {
        /// Such as `iam:ListRolePolicies`.
        permission: String,
        /// AWS's message, as it came.
        answer: String,
    },
}

impl<T> Reading<T> {
    /// Returns the same with what is there made into something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Present(found) => Reading::Present(change(found)),
            Self::Absent => Reading::Absent,
            Self::Unreadable { permission, answer } => Reading::Unreadable { permission, answer },
        }
    }

    /// Returns what is there, if it is there and could be read.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(found) => Some(found),
            Self::Absent | Self::Unreadable { .. } => None,
        }
    }

    /// Returns whether AWS says that it is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A policy document as found in an account, where anything may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundDocument {
    /// It reads as a policy.
    Policy(PolicyDocument),
    /// It does not: the text, and why.
    Unparsed {
        /// The document as IAM returned it, decoded.
        text: String,
        /// What the parser said.
        problem: PolicyError,
    },
}

impl FoundDocument {
    /// Reads the text of a document.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match PolicyDocument::parse(text) {
            Ok(document) => Self::Policy(document),
            Err(error) => Self::Unparsed { text: text.to_owned(), problem: error },
        }
    }

    /// Returns whether this means the same as the wanted document.
    #[must_use]
    pub fn matches(&self, wanted: &PolicyDocument) -> bool {
        self.policy().is_some_and(|found| found.means_the_same_as(wanted))
    }

    /// Returns the document, if it reads as one.
    #[must_use]
    pub fn policy(&self) -> Option<&PolicyDocument> {
        match self {
            Self::Policy(document) => Some(document),
            Self::Unparsed { .. } => None,
        }
    }

    /// Returns characters that count against quotas: without whitespace.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Policy(document) => document.size(),
            Self::Unparsed { text, .. } => text.chars().filter(|c| !c.is_whitespace()).count(),
        }
    }
}

/// As it stands in an account: an object, or the text of one that is no policy.
impl Serialize for FoundDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Policy(document) => document.serialize(serializer),
            Self::Unparsed { text, .. } => text.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for FoundDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Self::parse(&text),
            value => Self::parse(&value.to_string()),
        })
    }
}

/// The role as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRole {
    /// Where it stands and what it is called.
    pub arn: RoleArn,
    /// The account whose user will assume it.
    pub source: AccountId,
    /// The link that it belongs to.
    pub identity: Identity,
    /// `Description`.
    pub description: String,
    /// `MaxSessionDuration`.
    pub max_session: MaxSessionDuration,
    /// The permissions boundary; `None` leaves alone whatever boundary there is.
    pub boundary: Option<PolicyArn>,
    /// Tags, without those that mark ownership.
    pub tags: BTreeMap<TagKey, TagValue>,
    /// Who may assume it.
    pub trust: PolicyDocument,
    /// Managed policies to attach.
    pub attachments: BTreeSet<PolicyArn>,
    /// Inline policies; all names begin with [`OWN_POLICY_PREFIX`].
    pub inline: BTreeMap<PolicyName, PolicyDocument>,
}

impl DesiredRole {
    /// Returns all tags: those asked for and those that mark ownership.
    #[must_use]
    pub fn all_tags(&self) -> BTreeMap<String, String> {
        let mut tags: BTreeMap<_, _> = self.tags.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        tags.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
        tags.insert(SOURCE_TAG.to_owned(), self.source.to_string());
        if let Some(id) = &self.identity.id {
            tags.insert(LINK_TAG.to_owned(), id.to_string());
        }
        tags
    }
}

/// What a plan rests on: each part of a thing as it was shown, by the name of the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<&'static str, String>);

impl Fingerprint {
    /// Takes the parts. What they look like does not matter, only whether they stay the same.
    #[must_use]
    pub fn of(parts: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self(parts.into_iter().collect())
    }

    /// Returns the names of the parts that are not as they were.
    #[must_use]
    pub fn changed_since(&self, shown: &Self) -> Vec<&'static str> {
        self.0.iter().filter(|(name, part)| shown.0.get(*name) != Some(part)).map(|(name, _)| *name).collect()
    }
}

/// A role as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRole {
    /// `RoleId`: another role of the same name has another one.
    pub id: String,
    /// Its ARN, as IAM gives it.
    pub arn: String,
    /// `Description`; empty if there is none.
    pub description: String,
    /// `MaxSessionDuration`, in seconds.
    pub max_session: i32,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Who may assume it.
    pub trust: FoundDocument,
    /// ARNs of attached managed policies.
    pub attachments: BTreeSet<String>,
    /// Names of all inline policies; with the document where the name is one of ours.
    pub inline: BTreeMap<String, Option<FoundDocument>>,
}

impl ObservedRole {
    /// Returns what a plan for this role rests on.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let Self { id, arn, description, max_session, boundary, tags, trust, attachments, inline } = self;
        Fingerprint::of([
            ("role ID", id.clone()),
            ("path", arn.clone()),
            ("description or session limit", format!("{description:?} {max_session}")),
            ("boundary", format!("{boundary:?}")),
            ("tags", format!("{tags:?}")),
            ("trust policy", format!("{trust:?}")),
            ("managed policies", format!("{attachments:?}")),
            ("inline policies", format!("{inline:?}")),
        ])
    }

    /// Returns whether xacct made or adopted this role.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.tags.get(MANAGED_BY.0).is_some_and(|value| value == MANAGED_BY.1)
    }

    /// Returns whether the trust policy demands MFA.
    #[must_use]
    pub fn demands_mfa(&self) -> bool {
        self.trust.policy().is_some_and(|policy| policy.compares("aws:MultiFactorAuthPresent", "true"))
    }

    /// Returns whether the trust policy names this user in a condition.
    #[must_use]
    pub fn admits_only(&self, user: &UserArn) -> bool {
        self.trust.policy().is_some_and(|policy| policy.compares("aws:PrincipalArn", &user.to_string()))
    }

    /// Returns a principal that the trust policy restricts the role to by a condition.
    #[must_use]
    pub fn only_principal(&self) -> Option<&str> {
        self.trust.policy()?.condition_values("aws:PrincipalArn").into_iter().next()
    }

    /// Returns the external ID that the trust policy compares with, if it is one.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        let ids = self.trust.policy()?.external_ids();
        if ids.len() == 1 { ids.into_iter().next() } else { None }
    }
}

/// What the target account allows and has, beside the role itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleQuotas {
    /// Characters a trust policy may have.
    pub trust_policy: usize,
    /// Characters that the inline policies of a role share.
    pub inline_policies: usize,
}

impl Default for RoleQuotas {
    fn default() -> Self {
        Self { trust_policy: DEFAULT_TRUST_POLICY_QUOTA, inline_policies: DEFAULT_ROLE_POLICIES_QUOTA }
    }
}

/// The grant as it should be: what the user of the source account may assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredGrant {
    /// The user who is granted.
    pub user: UserArn,
    /// The name of the inline policy that holds the grant.
    pub policy_name: PolicyName,
    /// The roles that this run links.
    pub roles: BTreeSet<RoleArn>,
    /// Those of them that take session tags.
    pub with_session_tags: BTreeSet<RoleArn>,
}

/// The user of the source account, as far as the grant is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedUser {
    /// The user's ARN, as IAM gives it.
    pub arn: UserArn,
    /// The grant policy.
    pub grant: Option<FoundDocument>,
    /// Characters that the user's other inline policies take; `None` where they cannot be read.
    pub other_policies_size: Option<usize>,
    /// Characters that all inline policies of a user share.
    pub quota: usize,
}
