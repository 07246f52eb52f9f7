//! How a plan makes a role that exists weaker.

use std::collections::BTreeSet;
use std::fmt;

use crate::iam::admission::Who;
use crate::iam::arn::{PrincipalArn, RolePattern};
use crate::iam::names::{AccountId, MaxSessionDuration, OrganizationId};

/// One way in which a role will be weaker than it is now. As text it is a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weaker {
    /// These callers no longer need an external ID.
    ExternalIdDropped(Who),
    /// These callers need another external ID.
    ExternalIdChanged {
        /// The external IDs that are accepted now.
        from: BTreeSet<String>,
        /// Those to accept.
        to: BTreeSet<String>,
    },
    /// These external IDs are accepted beside the current ones.
    ExternalIdAdded(BTreeSet<String>),
    /// These callers no longer need MFA.
    MfaDropped(Who),
    /// The trust policy admits a whole account, where it admits only some of its principals now.
    RestrictionDropped {
        /// The callers of the account who are admitted now.
        from: Vec<Who>,
        /// The account.
        to: Who,
    },
    /// These callers are not admitted now.
    CallerAdded(Who),
    /// These callers are admitted under fewer or other conditions.
    ConditionDropped(Who),
    /// The trust policy no longer denies what a statement of it denies now.
    TrustDenialDropped {
        /// The place of the statement in the current trust policy, from 1.
        number: usize,
        /// Its `Sid`.
        sid: Option<String>,
    },
    /// Sessions of the source account may carry tags and a source identity, and none may now.
    SessionTagsAllowed(AccountId),
    /// xacct cannot parse the current trust policy.
    TrustNotCompared,
    /// Another permissions boundary.
    BoundaryReplaced {
        /// The ARN of the current boundary.
        from: String,
        /// The ARN of the new one.
        to: String,
    },
    /// Longer sessions.
    SessionLonger {
        /// The current seconds.
        from: i32,
        /// The new maximum.
        to: MaxSessionDuration,
    },
    /// A managed policy is attached. xacct compares no managed policies.
    PolicyAttached(String),
    /// An inline policy may allow what no inline policy allows now.
    PolicyWider(String),
    /// A policy denies something, and no longer will: an inline policy, or the ARN of a managed one.
    DenialDropped(String),
    /// The grant of a principal covers every account of an organization, and does not now.
    GrantForOrganization {
        /// The principal.
        principal: PrincipalArn,
        /// The organization.
        organization: OrganizationId,
        /// The roles.
        roles: RolePattern,
    },
    /// An inline policy that xacct cannot read or parse, and so may deny something, is deleted or replaced.
    PolicyNotCompared(String),
}

impl Weaker {
    /// Returns the ID in JSON.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::ExternalIdDropped(_) => "external_id_dropped",
            Self::ExternalIdChanged { .. } => "external_id_changed",
            Self::ExternalIdAdded(_) => "external_id_added",
            Self::MfaDropped(_) => "mfa_dropped",
            Self::RestrictionDropped { .. } => "restriction_dropped",
            Self::CallerAdded(_) => "caller_added",
            Self::ConditionDropped(_) => "condition_dropped",
            Self::TrustDenialDropped { .. } => "trust_denial_dropped",
            Self::SessionTagsAllowed(_) => "session_tags_allowed",
            Self::TrustNotCompared => "trust_policy_not_compared",
            Self::BoundaryReplaced { .. } => "boundary_replaced",
            Self::SessionLonger { .. } => "session_longer",
            Self::PolicyAttached(_) => "policy_attached",
            Self::PolicyWider(_) => "policy_wider",
            Self::DenialDropped(_) => "denial_dropped",
            Self::GrantForOrganization { .. } => "grant_for_organization",
            Self::PolicyNotCompared(_) => "policy_not_compared",
        }
    }
}

impl fmt::Display for Weaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = |ids: &BTreeSet<String>| ids.iter().cloned().collect::<Vec<_>>().join(" or ");
        match self {
            Self::ExternalIdDropped(who) => write!(f, "{who} no longer needs an external ID"),
            Self::ExternalIdChanged { from, to } => {
                write!(f, "the external ID changes from {} to {}", ids(from), ids(to))
            }
            Self::ExternalIdAdded(added) => write!(f, "the trust policy also accepts external ID {}", ids(added)),
            Self::MfaDropped(who) => write!(f, "{who} no longer needs MFA"),
            Self::RestrictionDropped { from, to } => {
                let from: Vec<_> = from.iter().map(ToString::to_string).collect();
                write!(f, "the trust policy admits all of {to}, not only {}", from.join(", "))
            }
            Self::CallerAdded(who) => write!(f, "the trust policy newly admits {who}"),
            Self::ConditionDropped(who) => {
                write!(f, "the trust policy admits {who} under fewer or other conditions")
            }
            Self::TrustDenialDropped { number, sid } => {
                let sid = sid.as_ref().map(|sid| format!(" ({sid})")).unwrap_or_default();
                write!(f, "the trust policy no longer denies what its statement {number}{sid} denies now")
            }
            Self::SessionTagsAllowed(account) => {
                write!(f, "account {account} may send session tags and a source identity")
            }
            Self::TrustNotCompared => f.write_str("xacct cannot compare the new trust policy with the current one"),
            Self::BoundaryReplaced { from, to } => write!(f, "boundary {to} replaces {from}"),
            Self::SessionLonger { from, to } => {
                let now = MaxSessionDuration::from_secs(*from);
                let now = now.map_or_else(|_| format!("{from} s"), |now| now.to_string());
                write!(f, "sessions may last {to} (now {now})")
            }
            Self::PolicyAttached(policy) => write!(f, "the role gets policy {policy}"),
            Self::PolicyWider(policy) => {
                write!(f, "policy {policy} may allow more than the role's current inline policies")
            }
            Self::DenialDropped(policy) => write!(f, "policy {policy} no longer denies what it denies now"),
            Self::GrantForOrganization { principal, organization, roles } => {
                let whose = principal.in_words().replace('`', "");
                write!(f, "the grant of {whose} covers {roles} in all accounts of organization {organization}")
            }
            Self::PolicyNotCompared(policy) => {
                write!(f, "xacct removes policy {policy}, and cannot read what it denies")
            }
        }
    }
}
