//! The changes that bootstrap and teardown make, and what they leave in place.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::contents::covers;
use crate::iam::admission::{Accepted, Who};
use crate::iam::arn::{PolicyArn, PrincipalArn, RoleArn, RolePattern};
use crate::iam::identity::LINK_TAG;
use crate::iam::names::{MaxSessionDuration, PolicyName};
use crate::iam::permission_set::LackingGrant;
use crate::iam::policy::PolicyDocument;
use crate::iam::record::POLICIES_TAG;
use crate::iam::risks::{Risk, Weaker};
use crate::iam::state::{BOUNDARY_TAG, DesiredRole, FoundDocument};

/// One change, as small as AWS allows.
///
/// `from` is the current value, `None` if there is none, and `to` the new one. `name` is that of an inline policy,
/// `policy` the ARN of a managed one. `added` and `removed` are the roles by which the grant grows or shrinks.
#[expect(missing_docs, reason = "the comment above explains the fields")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Create the role with path, description, session limit, boundary, tags and its final trust policy, in one call.
    CreateRole(Box<DesiredRole>),
    /// Replace the trust policy.
    ReplaceTrustPolicy {
        from: Box<FoundDocument>,
        to: Box<PolicyDocument>,
        /// Who loses access.
        removes: Vec<Who>,
    },
    /// Set description and session limit. IAM resets a value that the call omits, so xacct sends both.
    UpdateRole {
        /// The current description and seconds.
        from: (String, i32),
        description: String,
        max_session: MaxSessionDuration,
    },
    /// Set the permissions boundary.
    SetBoundary {
        /// The ARN of the current boundary.
        from: Option<String>,
        to: PolicyArn,
    },
    /// Add these tags, or set their values.
    TagRole { tags: BTreeMap<String, String> },
    /// Attach a managed policy.
    AttachPolicy { policy: PolicyArn },
    /// Write an inline policy of the role.
    PutRolePolicy { name: PolicyName, from: Option<Box<FoundDocument>>, to: Box<PolicyDocument> },
    /// Delete an inline policy of xacct's that is no longer needed.
    DeleteRolePolicy { name: String },
    /// Write the grant on a principal in the source account.
    PutGrant {
        principal: PrincipalArn,
        name: PolicyName,
        /// Roles that the grant did not cover before.
        added: BTreeSet<RoleArn>,
        /// Roles and patterns that the grant will no longer cover.
        removes: BTreeSet<String>,
        from: Option<Box<FoundDocument>>,
        to: Box<PolicyDocument>,
    },
    /// Detach a managed policy from a role before deleting it.
    DetachPolicy { policy: String },
    /// Delete the role, once it has no policies.
    DeleteRole { role: RoleArn },
    /// Remove roles from the grant.
    ShrinkGrant {
        principal: PrincipalArn,
        name: PolicyName,
        /// Roles that the grant will no longer cover.
        removed: BTreeSet<RoleArn>,
        from: Box<FoundDocument>,
        to: Box<PolicyDocument>,
    },
    /// Delete the grant, which covers no other roles.
    DeleteGrant { principal: PrincipalArn, name: PolicyName, removed: BTreeSet<RoleArn>, from: Box<FoundDocument> },
    /// Create or change a managed policy that holds part of a grant, and attach it.
    PutGrantPart {
        principal: PrincipalArn,
        /// The name of the policy, under xacct's path.
        name: String,
        /// Roles that the grant did not cover before.
        added: BTreeSet<RoleArn>,
        /// Roles and patterns that the grant will no longer cover.
        removes: BTreeSet<String>,
        from: Option<Box<FoundDocument>>,
        to: Box<PolicyDocument>,
        /// Whether it is not attached yet.
        attaches: bool,
    },
    /// Detach and delete a managed policy that holds no part of the grant anymore.
    DeleteGrantPart {
        principal: PrincipalArn,
        name: String,
        /// Roles that the grant will no longer cover.
        removed: BTreeSet<RoleArn>,
        from: Box<FoundDocument>,
    },
}

impl Change {
    /// Returns whether the change affects access. Description and maximum session duration do not.
    #[must_use]
    pub fn bears_on_access(&self) -> bool {
        !matches!(self, Self::UpdateRole { .. })
    }

    /// Returns whether the role, user or grant is not what it should be without it. A role made by an earlier version of
    /// xacct only lacks the tags that record its link, the version of its boundary, and its policies.
    #[must_use]
    pub fn repairs_drift(&self) -> bool {
        let is_record = |key: &String| [LINK_TAG, BOUNDARY_TAG, POLICIES_TAG].contains(&key.as_str());
        !matches!(self, Self::TagRole { tags } if tags.keys().all(is_record))
    }

    /// Returns whether the change updates the record of the role's policies.
    #[must_use]
    pub fn updates_record(&self) -> bool {
        matches!(self, Self::TagRole { tags } if tags.contains_key(POLICIES_TAG))
    }

    /// Returns whether the change may let an existing role do more.
    #[must_use]
    pub fn adds_permissions(&self) -> bool {
        matches!(self, Self::AttachPolicy { .. } | Self::PutRolePolicy { .. } | Self::SetBoundary { .. })
    }

    /// Returns the document that this change writes.
    #[must_use]
    pub fn document(&self) -> Option<&PolicyDocument> {
        match self {
            Self::CreateRole(role) => Some(&role.trust),
            Self::ReplaceTrustPolicy { to, .. }
            | Self::PutRolePolicy { to, .. }
            | Self::PutGrant { to, .. }
            | Self::PutGrantPart { to, .. }
            | Self::ShrinkGrant { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Returns the document that this change replaces.
    #[must_use]
    pub fn replaced(&self) -> Option<&FoundDocument> {
        match self {
            Self::ReplaceTrustPolicy { from, .. }
            | Self::ShrinkGrant { from, .. }
            | Self::DeleteGrant { from, .. }
            | Self::DeleteGrantPart { from, .. } => Some(from),
            Self::PutRolePolicy { from, .. } | Self::PutGrant { from, .. } | Self::PutGrantPart { from, .. } => {
                from.as_deref()
            }
            _ => None,
        }
    }

    /// Returns the principal whose grant this changes.
    #[must_use]
    pub fn grantee(&self) -> Option<&PrincipalArn> {
        match self {
            Self::PutGrant { principal, .. }
            | Self::ShrinkGrant { principal, .. }
            | Self::DeleteGrant { principal, .. }
            | Self::PutGrantPart { principal, .. }
            | Self::DeleteGrantPart { principal, .. } => Some(principal),
            _ => None,
        }
    }

    /// Returns the name of the policy, if this changes a grant.
    #[must_use]
    pub fn grant_policy(&self) -> Option<&str> {
        match self {
            Self::PutGrant { name, .. } | Self::ShrinkGrant { name, .. } | Self::DeleteGrant { name, .. } => {
                Some(name.as_str())
            }
            Self::PutGrantPart { name, .. } | Self::DeleteGrantPart { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Returns whether a policy of the grant allows something that it did not allow before.
    #[must_use]
    pub fn grows_grant(&self) -> bool {
        match self {
            Self::PutGrantPart { attaches: true, .. } => true,
            Self::PutGrant { from, to, .. } | Self::PutGrantPart { from, to, .. } => {
                let before = from.as_ref().and_then(|from| from.policy()).map(covers);
                !covers(to).is_subset(&before.unwrap_or_default())
            }
            _ => false,
        }
    }

    /// Returns whether this changes a managed policy that holds part of a grant.
    #[must_use]
    pub fn is_of_grant_part(&self) -> bool {
        matches!(self, Self::PutGrantPart { .. } | Self::DeleteGrantPart { .. })
    }
}

/// The changes on one side of a link, with notes and warnings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The changes, in the order to apply them.
    pub changes: Vec<Change>,
    /// Unmanaged settings that stay, and other notes.
    pub notes: Vec<Note>,
    /// The risks of the planned policies, and of the current ones until the plan is applied.
    pub warnings: Vec<Risk>,
}

impl Plan {
    /// Returns the changes of one principal's grant.
    #[must_use]
    pub fn of_grant(&self, of: &PrincipalArn) -> Self {
        let is_its = |change: &&Change| change.grantee() == Some(of);
        Self { changes: self.changes.iter().filter(is_its).cloned().collect(), ..Self::default() }
    }

    /// Returns this plan with another one after it. Notes that are the same appear once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let Self { changes, notes, warnings } = other;
        self.changes.extend(changes);
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        self.warnings.extend(warnings);
        self
    }

    /// Returns whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns whether the accounts differ from `xacct.toml`.
    #[must_use]
    pub fn is_difference(&self) -> bool {
        self.changes.iter().any(Change::repairs_drift) || self.warnings.iter().any(Risk::is_difference)
    }

    /// Returns how the role will be weaker than it is now.
    pub fn weaker(&self) -> impl Iterator<Item = &Weaker> {
        self.warnings.iter().filter_map(|risk| match risk {
            Risk::Weaker(weaker) => Some(weaker),
            _ => None,
        })
    }

    /// Returns what permission sets lack.
    pub fn lacking_grants(&self) -> impl Iterator<Item = &LackingGrant> {
        self.warnings.iter().filter_map(|risk| match risk {
            Risk::PermissionSetLacksGrant(lacking) => Some(&**lacking),
            _ => None,
        })
    }

    /// Returns the policies of the role that `xacct.toml` does not declare.
    pub fn undeclared_policies(&self) -> impl Iterator<Item = &Risk> {
        self.warnings.iter().filter(|risk| matches!(risk, Risk::UndeclaredPolicy { .. }))
    }
}

/// Something that was seen and is not xacct's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Callers whom the trust policy admits and `accept` names.
    Accepted(Accepted),
    /// Unmanaged tags.
    OtherTags(BTreeSet<String>),
    /// An unmanaged permissions boundary.
    OtherBoundary(String),
    /// The grant needs managed policies, too: the roles in each place, and what fits.
    Spread {
        /// The principal with the grant.
        principal: PrincipalArn,
        /// The roles in the inline policy.
        inline: usize,
        /// Its characters.
        size: usize,
        /// The characters that everything else in the principal's inline policies leaves.
        quota: usize,
        /// The roles in managed policies.
        managed: usize,
        /// How many managed policies.
        policies: usize,
        /// The characters that fit into each.
        each: usize,
        /// How many managed policies xacct may attach.
        most: usize,
        /// About how many more roles fit.
        left: usize,
    },
    /// xacct could not read the user's other inline policies, so it could not check the quota.
    QuotaNotCounted,
    /// A policy revokes sessions.
    Revoked {
        /// The name of the inline policy.
        policy: String,
        /// Sessions that were issued before this time are revoked.
        before: OffsetDateTime,
        /// Whether xacct wrote it.
        is_own: bool,
    },
    /// The grant newly relies on [`ORGANIZATION_KEY`](crate::iam::organization_grant::ORGANIZATION_KEY).
    OrganizationKeyUntested,
    /// The grant still covers these roles in every account of an organization: other links use it.
    OrganizationGrantStays {
        /// The principal.
        principal: PrincipalArn,
        /// The roles.
        roles: RolePattern,
    },
    /// A permission set keeps the grant of these roles: only its administrator can take it away.
    PermissionSetKeeps {
        /// The permission set.
        set: PrincipalArn,
        /// The `Sid` of the statement in its inline policy.
        statement: &'static str,
        /// The roles.
        roles: BTreeSet<RoleArn>,
    },
    /// A permission set still refers to the managed policy with its grant, which therefore stays.
    PermissionSetRefers {
        /// The permission set.
        set: PrincipalArn,
        /// The name of the policy, under xacct's path.
        policy: String,
    },
    /// A policy with the grant's name that xacct did not write.
    OtherGrant(String),
    /// Statements of others in the grant, which deny something and stay.
    OtherStatements(BTreeSet<String>),
    /// Statements of others in the grant, which go because it is adopted.
    ReplacedStatements(BTreeSet<String>),
}
