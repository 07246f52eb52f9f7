//! The two halves of a link: desired and observed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::iam::admission::{Accepted, Subject};
use crate::iam::arn::{PolicyArn, PrincipalArn, RoleArn, RolePattern};
use crate::iam::identity::{Identity, LINK_TAG};
use crate::iam::last_use::LastUse;
use crate::iam::names::{AccountId, ExternalId, MaxSessionDuration, OrganizationId, PolicyName, TagKey, TagValue};
use crate::iam::organization_grant::OrganizationGrant;
use crate::iam::policy::{Effect, PolicyDocument, PolicyError};
use crate::iam::record::{POLICIES_TAG, Record};
use crate::iam::revocation::{REVOKE_POLICY, revoked_before};
use crate::iam::templates;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

/// The tag by which xacct recognises a role that it created.
pub const MANAGED_BY: (&str, &str) = ("managed-by", "xacct");

/// Returns whether the tags of a role say that xacct created or adopted it.
#[must_use]
pub fn is_ours(tags: &BTreeMap<String, String>) -> bool {
    tags.get(MANAGED_BY.0).is_some_and(|value| value == MANAGED_BY.1)
}

/// The tag that names the source account of a role's link.
pub const SOURCE_TAG: &str = "xacct:source-account";

/// The tag with the version of the permissions boundary at the last run of bootstrap.
pub const BOUNDARY_TAG: &str = "xacct:boundary";

/// The name prefix of xacct's own inline policies; xacct does not change others.
pub const OWN_POLICY_PREFIX: &str = "xacct-";

/// The maximum characters of a trust policy, unless the account's quota was raised (IAM User Guide, quotas).
pub const DEFAULT_TRUST_POLICY_QUOTA: usize = 2048;
/// The maximum characters of all inline policies of a role together (IAM User Guide, quotas).
pub const DEFAULT_ROLE_POLICIES_QUOTA: usize = 10_240;
/// The maximum characters of all inline policies of a user together (IAM User Guide, quotas).
pub const DEFAULT_USER_POLICIES_QUOTA: usize = 2048;
/// The maximum characters of all inline policies of a group together (IAM User Guide, quotas).
pub const DEFAULT_GROUP_POLICIES_QUOTA: usize = 5120;
/// The maximum managed policies of a role or user, unless the account's quota was raised (IAM User Guide, quotas).
pub const DEFAULT_ATTACHED_POLICIES_QUOTA: usize = 10;
/// The maximum characters of a managed policy (IAM User Guide, quotas).
pub const DEFAULT_MANAGED_POLICY_QUOTA: usize = 6144;

/// The result of reading a resource in AWS. A denied read never counts as absence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// The resource exists.
    Present(T),
    /// The resource does not exist, according to AWS.
    Absent,
    /// AWS denied the read, or the read failed.
    Unreadable {
        /// The missing permission, such as `iam:ListRolePolicies`; empty if there is another reason.
        permission: String,
        /// AWS's message.
        answer: String,
    },
}

impl<T> Reading<T> {
    /// Returns the reading with its resource converted.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Present(found) => Reading::Present(change(found)),
            Self::Absent => Reading::Absent,
            Self::Unreadable { permission, answer } => Reading::Unreadable { permission, answer },
        }
    }

    /// Returns the resource, if it exists and was readable.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(found) => Some(found),
            Self::Absent | Self::Unreadable { .. } => None,
        }
    }

    /// Returns whether the resource does not exist, according to AWS.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A policy document from an account; it may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundDocument {
    /// A valid policy.
    Policy(PolicyDocument),
    /// A text that xacct cannot parse as a policy.
    Unparsed {
        /// The document as IAM returned it, decoded.
        text: String,
        /// The parser's error.
        problem: PolicyError,
    },
}

impl FoundDocument {
    /// Returns the time before which sessions are revoked, if that is all that this policy does.
    #[must_use]
    pub fn revoked_before(&self) -> Option<OffsetDateTime> {
        revoked_before(self.policy()?)
    }

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

    /// Returns the document, if it is valid.
    #[must_use]
    pub fn policy(&self) -> Option<&PolicyDocument> {
        match self {
            Self::Policy(document) => Some(document),
            Self::Unparsed { .. } => None,
        }
    }

    /// Returns the number of characters that count against quotas: all but whitespace.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Policy(document) => document.size(),
            Self::Unparsed { text, .. } => text.chars().filter(|c| !c.is_whitespace()).count(),
        }
    }
}

/// Serialises a policy as an object, and a text that is not a policy as a string.
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

/// The desired role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRole {
    /// Its ARN.
    pub arn: RoleArn,
    /// The source account, whose user will assume it.
    pub source: AccountId,
    /// The link that it belongs to.
    pub identity: Identity,
    /// `Description`.
    pub description: String,
    /// `MaxSessionDuration`.
    pub max_session: MaxSessionDuration,
    /// The permissions boundary; `None` keeps any existing boundary.
    pub boundary: Option<PolicyArn>,
    /// The boundary's default version, recorded as a tag; `None` if unknown, which keeps the recorded one.
    pub boundary_version: Option<PolicyVersion>,
    /// Tags, except those that mark ownership.
    pub tags: BTreeMap<TagKey, TagValue>,
    /// The trust policy.
    pub trust: PolicyDocument,
    /// Managed policies to attach.
    pub attachments: BTreeSet<PolicyArn>,
    /// Managed policies that `xacct.toml` declared until this run replaced them, or that the role's tag records: to detach.
    pub replaced: BTreeSet<PolicyArn>,
    /// Inline policies; all names begin with [`OWN_POLICY_PREFIX`].
    pub inline: BTreeMap<PolicyName, PolicyDocument>,
    /// Whether nothing undeclared may be on the role, so that bootstrap removes the rest.
    pub exclusive: bool,
    /// Callers whom statements of others in the trust policy may admit.
    pub accepted: Vec<Accepted>,
    /// The external ID that a rotation begins with in this run.
    pub rotates_to: Option<ExternalId>,
    /// The principal that this run gives the link to, beside those that have it.
    pub gives_to: Option<PrincipalArn>,
}

impl DesiredRole {
    /// Returns all tags: the configured ones and those that mark ownership.
    #[must_use]
    pub fn all_tags(&self) -> BTreeMap<String, String> {
        let mut tags: BTreeMap<_, _> = self.tags.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        tags.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
        tags.insert(SOURCE_TAG.to_owned(), self.source.to_string());
        if let Some(id) = &self.identity.id {
            tags.insert(LINK_TAG.to_owned(), id.to_string());
        }
        if let Some(version) = &self.boundary_version {
            tags.insert(BOUNDARY_TAG.to_owned(), version.to_string());
        }
        let record = Record::value(&self.attachments, &self.inline);
        if !record.is_empty() {
            tags.insert(POLICIES_TAG.to_owned(), record);
        }
        tags
    }

    /// Returns what the role's tag records; nothing if the role is not this link's, whose tag may be anybody's.
    #[must_use]
    pub fn record_on(&self, observed: &ObservedRole) -> Record {
        let is_of_source = observed.tags.get(SOURCE_TAG).is_some_and(|source| source == self.source.as_str());
        let is_ours = observed.is_ours() && is_of_source;
        match is_ours && self.identity.owns(&observed.tags, observed.trust.policy()) {
            true => Record::of_tags(&observed.tags),
            false => Record::default(),
        }
    }

    /// Adds the managed policies that xacct attached to the role, and that `xacct.toml` no longer declares, to those that
    /// this run replaces.
    #[must_use]
    pub fn replacing_recorded(mut self, observed: Option<&ObservedRole>) -> Self {
        let Some(observed) = observed else { return self };
        let record = self.record_on(observed);
        let recorded = observed.attachments.iter().filter(|arn| record.has_attached(arn));
        let left: Vec<PolicyArn> = recorded.filter_map(|arn| arn.parse().ok()).collect();
        self.replaced.extend(left.into_iter().filter(|arn| !self.attachments.contains(arn)));
        self
    }

    /// Returns the role as its trust policy is reduced.
    #[must_use]
    pub fn subject<'a>(&'a self, observed: Option<&'a ObservedRole>) -> Subject<'a> {
        let tags = observed.map(|role| &role.tags);
        Subject { source: Some(&self.source), tags, ..Subject::from(&self.arn) }
    }

    /// Returns the characters of all inline policies of the role after the plan. An undeclared policy that could not be
    /// read counts as empty: only AWS knows its size.
    #[must_use]
    pub fn inline_size_on(&self, observed: Option<&ObservedRole>) -> usize {
        let undeclared = observed.into_iter().flat_map(|role| &role.inline);
        let undeclared = undeclared.filter(|(name, found)| {
            !self.inline.keys().any(|wanted| wanted.as_str() == *name) && !self.removes_inline(name, found.as_ref())
        });
        let sizes = undeclared.filter_map(|(_, document)| document.as_ref().map(FoundDocument::size));
        self.inline.values().map(PolicyDocument::size).chain(sizes).sum()
    }

    /// Returns all managed policies that are attached to the role after the plan.
    #[must_use]
    pub fn attached_on(&self, observed: Option<&ObservedRole>) -> BTreeSet<String> {
        let found = observed.into_iter().flat_map(|role| role.attachments.iter().cloned());
        let kept = found.filter(|arn| !self.detaches(arn));
        self.attachments.iter().map(ToString::to_string).chain(kept).collect()
    }

    /// Returns whether a managed policy is to be detached: it was declared until now, or nothing undeclared may stay.
    #[must_use]
    pub fn detaches(&self, arn: &str) -> bool {
        let names = |policies: &BTreeSet<PolicyArn>| policies.iter().any(|policy| policy.to_string() == arn);
        !names(&self.attachments) && (self.exclusive || names(&self.replaced))
    }

    /// Returns whether an inline policy is to be deleted: it is xacct's own and no longer needed, or nothing undeclared
    /// may stay. A policy that only revokes sessions stays: without it, they could be used again. So does one with the
    /// name of xacct's revocation, if it only denies: somebody changed it, but it may still revoke sessions.
    #[must_use]
    pub fn removes_inline(&self, name: &str, found: Option<&FoundDocument>) -> bool {
        let is_wanted = self.inline.keys().any(|wanted| wanted.as_str() == name);
        let is_revocation = found.is_some_and(|found| {
            found.revoked_before().is_some() || name == REVOKE_POLICY && found.policy().is_some_and(only_denies)
        });
        !is_wanted && !is_revocation && (self.exclusive || name.starts_with(OWN_POLICY_PREFIX))
    }
}

fn only_denies(document: &PolicyDocument) -> bool {
    document.statements.iter().all(|statement| statement.effect == Effect::Deny)
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

/// A role as observed in an account.
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
    /// The trust policy.
    pub trust: FoundDocument,
    /// ARNs of attached managed policies.
    pub attachments: BTreeSet<String>,
    /// All inline policies by name; `None` if AWS denied reading an undeclared one.
    pub inline: BTreeMap<String, Option<FoundDocument>>,
    /// The last use of the role; `None` if AWS knows of none.
    pub last_used: Option<LastUse>,
}

impl ObservedRole {
    /// Returns what a plan for this role rests on. Its last use is not part of it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let Self { id, arn, description, max_session, boundary, tags, trust, attachments, inline, last_used: _ } = self;
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

    /// Returns whether xacct created or adopted this role.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        is_ours(&self.tags)
    }
}

/// The default version of a managed policy. IAM never changes the text of a version, and never reuses its number (IAM
/// User Guide, "Versioning IAM policies"), so that equal versions have equal texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// `v3`.
    pub version: String,
    /// `PolicyId`: a policy that was deleted and created again has another one.
    pub policy_id: String,
}

impl PolicyVersion {
    /// Reads a version as the tag [`BOUNDARY_TAG`] has it; `None` if the tag is malformed.
    #[must_use]
    pub fn from_tag(value: &str) -> Option<Self> {
        let (version, policy_id) = value.split_once('/')?;
        let is_version = version.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
        let version = version.to_owned();
        is_version.then(|| Self { version, policy_id: policy_id.to_owned() })
    }
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.version, self.policy_id)
    }
}

/// The declared permissions boundary as observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedBoundary {
    /// The default version.
    pub version: Reading<PolicyVersion>,
    /// The text at the last run; `None` if it was not read, because the version is the same or unknown.
    pub before: Option<Reading<FoundDocument>>,
    /// The text now; `None` as for `before`.
    pub now: Option<Reading<FoundDocument>>,
}

/// A quota of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The maximum.
    pub most: usize,
    /// Whether AWS gave this maximum. Otherwise it is IAM's default, and the account may have a higher one.
    pub is_read: bool,
}

impl Quota {
    /// Returns the quota that AWS gave, or else the default.
    #[must_use]
    pub fn or_default(read: Option<usize>, default: usize) -> Self {
        Self { most: read.unwrap_or(default), is_read: read.is_some() }
    }
}

/// The target account's quotas for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleQuotas {
    /// The characters of a trust policy.
    pub trust_policy: Quota,
    /// The characters of a role's inline policies together.
    pub inline_policies: Quota,
    /// The managed policies attached to a role.
    pub attached_policies: Quota,
}

impl Default for RoleQuotas {
    fn default() -> Self {
        Self {
            trust_policy: Quota::or_default(None, DEFAULT_TRUST_POLICY_QUOTA),
            inline_policies: Quota::or_default(None, DEFAULT_ROLE_POLICIES_QUOTA),
            attached_policies: Quota::or_default(None, DEFAULT_ATTACHED_POLICIES_QUOTA),
        }
    }
}

/// The desired grant: the roles that a principal of the source account may assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredGrant {
    /// The principal with the grant.
    pub principal: PrincipalArn,
    /// The name of the inline policy that holds the grant.
    pub policy_name: PolicyName,
    /// The roles that this run adds.
    pub roles: BTreeSet<RoleArn>,
    /// All roles that `xacct.toml` names, those of other runs included.
    pub declared: BTreeSet<RoleArn>,
    /// Those of them that allow session tags.
    pub with_session_tags: BTreeSet<RoleArn>,
    /// The roles of all links of this principal in `xacct.toml`, those of other runs included.
    pub own: BTreeSet<RoleArn>,
    /// Whether it is a managed policy, to which a permission set refers.
    pub is_referenced: bool,
    /// The organization in whose accounts the grant covers all roles of the same path and name; `None` if it lists the
    /// roles.
    pub organization: Option<OrganizationId>,
}

impl DesiredGrant {
    /// Returns the grant of these roles alone, as xacct writes it.
    #[must_use]
    pub fn document(&self) -> PolicyDocument {
        self.document_of(
            &self.listed(&BTreeSet::new(), None),
            &self.with_session_tags,
            self.in_organization(None).as_ref(),
        )
    }

    /// Returns the document that lists these roles, with the statements for an organization.
    #[must_use]
    pub fn document_of(
        &self,
        roles: &BTreeSet<RoleArn>,
        with_session_tags: &BTreeSet<RoleArn>,
        in_organization: Option<&OrganizationGrant>,
    ) -> PolicyDocument {
        let with_session_tags = with_session_tags.intersection(roles).cloned().collect();
        let mut document = templates::grant(roles, &with_session_tags);
        document.statements.extend(in_organization.into_iter().flat_map(OrganizationGrant::statements));
        document
    }

    /// Returns what the grant is to cover in every account of an organization; `found` is what it covers now. Other files
    /// may use what no link of this one does.
    #[must_use]
    pub fn in_organization(&self, found: Option<&OrganizationGrant>) -> Option<OrganizationGrant> {
        let is_of = |roles: &BTreeSet<RoleArn>, pattern: &RolePattern| roles.iter().any(|role| pattern.covers(role));
        let Some(organization) = &self.organization else {
            let mut kept = found?.clone();
            kept.roles.retain(|pattern| !is_of(&self.roles, pattern) && !is_of(&self.own, pattern));
            kept.with_session_tags.retain(|pattern| kept.roles.contains(pattern));
            return (!kept.roles.is_empty()).then_some(kept);
        };
        let mut roles = found.map(|found| found.roles.clone()).unwrap_or_default();
        roles.extend(self.roles.iter().map(RolePattern::from));
        let mut with_session_tags = found.map(|found| found.with_session_tags.clone()).unwrap_or_default();
        if self.own.is_subset(&self.roles) {
            with_session_tags.retain(|pattern| !is_of(&self.roles, pattern));
        }
        with_session_tags.extend(self.with_session_tags.iter().map(RolePattern::from));
        Some(OrganizationGrant { organization: organization.clone(), roles, with_session_tags })
    }

    /// Returns the roles that the grant is to list; `listed` are those that it lists now. A role is listed until a run has
    /// tested that it is covered otherwise.
    #[must_use]
    pub fn listed(&self, listed: &BTreeSet<RoleArn>, found: Option<&OrganizationGrant>) -> BTreeSet<RoleArn> {
        match self.organization {
            Some(_) => listed.difference(&self.roles).cloned().collect(),
            None => {
                let was_covered = |role: &&RoleArn| found.is_some_and(|found| found.covers(role));
                let own = self.own.iter().filter(was_covered);
                listed.iter().chain(&self.roles).chain(own).cloned().collect()
            }
        }
    }
}

/// A principal of the source account as observed, as far as the grant needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPrincipal {
    /// The principal's ARN, as IAM gives it.
    pub arn: PrincipalArn,
    /// The grant policy.
    pub grant: Option<FoundDocument>,
    /// The characters of its other inline policies; `None` if xacct cannot read them.
    pub other_policies_size: Option<usize>,
    /// The characters of all its inline policies together.
    pub quota: Quota,
    /// Its managed policies; `None` if xacct cannot read them.
    pub managed: Option<ManagedPolicies>,
}

impl ObservedPrincipal {
    /// Returns all policies of the grant, attached or not.
    pub fn grant_policies(&self) -> impl Iterator<Item = &FoundDocument> {
        let parts = self.managed.iter().flat_map(|managed| managed.parts.values());
        self.grant.iter().chain(parts.map(|part| &part.document))
    }

    /// Returns those of them that can be read.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyDocument> {
        self.grant_policies().filter_map(FoundDocument::policy)
    }
}

/// The managed policies of a principal, as far as the grant needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicies {
    /// The policies of xacct that hold what does not fit into the inline policy, by number.
    pub parts: BTreeMap<u32, GrantPart>,
    /// How many other policies are attached.
    pub others: usize,
    /// The characters of one policy.
    pub size: Quota,
    /// The policies that may be attached.
    pub attachments: Quota,
}

/// A managed policy that holds part of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantPart {
    /// The text of its default version.
    pub document: FoundDocument,
    /// Whether it is attached to the principal. A run that was interrupted may have left one that is not.
    pub is_attached: bool,
}
