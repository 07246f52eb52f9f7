//! The changes that bootstrap and teardown make, and what they leave alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::arn::{PolicyArn, RoleArn, UserArn};
use crate::iam::identity::LINK_TAG;
use crate::iam::names::{MaxSessionDuration, PolicyName};
use crate::iam::policy::PolicyDocument;
use crate::iam::risks::Risk;
use crate::iam::state::{DesiredRole, FoundDocument};

/// One change, as small as AWS allows it to be made.
///
/// `from` is what stands there now, `None` if nothing does, and `to` is what takes its place. `name` is that of an inline
/// policy, `policy` the ARN of a managed one. `added` and `removed` are the roles by which the grant grows or shrinks.
#[expect(missing_docs, reason = "the fields are named above")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Create the role with path, description, session limit, boundary, tags and its final trust policy, in one call.
    CreateRole(Box<DesiredRole>),
    /// Replace the trust policy.
    ReplaceTrustPolicy { from: Box<FoundDocument>, to: Box<PolicyDocument> },
    /// Set description and session limit. IAM resets what the call leaves out, so both are sent.
    UpdateRole {
        /// What stands there now: description, and seconds.
        from: (String, i32),
        description: String,
        max_session: MaxSessionDuration,
    },
    /// Set the permissions boundary.
    SetBoundary {
        /// The ARN of the present boundary.
        from: Option<String>,
        to: PolicyArn,
    },
    /// Add these tags, or give them these values.
    TagRole { tags: BTreeMap<String, String> },
    /// Attach a managed policy.
    AttachPolicy { policy: PolicyArn },
    /// Write an inline policy of the role.
    PutRolePolicy { name: PolicyName, from: Option<Box<FoundDocument>>, to: Box<PolicyDocument> },
    /// Remove an inline policy of ours that is no longer wanted.
    DeleteRolePolicy { name: String },
    /// Write the grant on the user in the source account.
    PutGrant {
        user: UserArn,
        name: PolicyName,
        /// Roles that the grant did not cover before.
        added: BTreeSet<RoleArn>,
        from: Option<Box<FoundDocument>>,
        to: Box<PolicyDocument>,
    },
    /// Detach a managed policy from a role that goes.
    DetachPolicy { policy: String },
    /// Delete the role, once it has no policies.
    DeleteRole { role: RoleArn },
    /// Take roles out of the grant.
    ShrinkGrant {
        user: UserArn,
        name: PolicyName,
        /// Roles that the grant will no longer cover.
        removed: BTreeSet<RoleArn>,
        from: Box<FoundDocument>,
        to: Box<PolicyDocument>,
    },
    /// Delete the grant, which covers no other roles.
    DeleteGrant { user: UserArn, name: PolicyName, removed: BTreeSet<RoleArn>, from: Box<FoundDocument> },
}

impl Change {
    /// Returns whether what a user or role may do can change by it. A description and the longest session decide
    /// nothing that a proof asks for.
    #[must_use]
    pub fn bears_on_access(&self) -> bool {
        !matches!(self, Self::UpdateRole { .. })
    }

    /// Returns whether the role, user or grant is not what it should be without it. A role made by xacct 0.1 only lacks
    /// the tag that names its link.
    #[must_use]
    pub fn mends_drift(&self) -> bool {
        !matches!(self, Self::TagRole { tags } if tags.keys().all(|key| key == LINK_TAG))
    }

    /// Returns the document that this change writes.
    #[must_use]
    pub fn document(&self) -> Option<&PolicyDocument> {
        match self {
            Self::CreateRole(role) => Some(&role.trust),
            Self::ReplaceTrustPolicy { to, .. }
            | Self::PutRolePolicy { to, .. }
            | Self::PutGrant { to, .. }
            | Self::ShrinkGrant { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Returns the document that this change replaces.
    #[must_use]
    pub fn replaced(&self) -> Option<&FoundDocument> {
        match self {
            Self::ReplaceTrustPolicy { from, .. } | Self::ShrinkGrant { from, .. } | Self::DeleteGrant { from, .. } => {
                Some(from)
            }
            Self::PutRolePolicy { from, .. } | Self::PutGrant { from, .. } => from.as_deref(),
            _ => None,
        }
    }
}

/// The changes on one side of a link, and what was seen and left alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In an order in which they may be applied.
    pub changes: Vec<Change>,
    /// What others put there, and other things worth knowing.
    pub notes: Vec<Note>,
    /// What may go wrong with what will be in force, and with what stands there until then.
    pub warnings: Vec<Risk>,
}

impl Plan {
    /// Returns whether nothing is left to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Something that was seen and is not xacct's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Managed policies that xacct was not asked for.
    OtherAttachments(BTreeSet<String>),
    /// Inline policies without xacct's prefix.
    OtherInlinePolicies(BTreeSet<String>),
    /// Tags that xacct was not asked for.
    OtherTags(BTreeSet<String>),
    /// A boundary that xacct was not asked for.
    OtherBoundary(String),
    /// The user's other inline policies could not be read, so the quota could not be counted.
    QuotaNotCounted,
    /// A policy of the grant's name that xacct did not write.
    OtherGrant(String),
    /// Statements of others in the grant, which stay.
    OtherStatements(BTreeSet<String>),
    /// Statements of others in the grant, which go because it is adopted.
    ReplacedStatements(BTreeSet<String>),
}
