//! The grant of a permission set: IAM lets nobody change its roles, so xacct says what its administrator is to add.

use std::collections::BTreeSet;

use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::evaluate::{self, Context, Mismatch, Principal, Request};
use crate::iam::grant_names::{SET_PART, grant_part_name, set_policy_arn};
use crate::iam::organization_grant::{ORGANIZATION_KEY, OrganizationGrant};
use crate::iam::policy::{Effect, PolicyDocument};
use crate::iam::state::{DesiredGrant, FoundDocument};
use crate::iam::templates::{LINK_SID, SESSION_TAGS_SID, granted_roles, is_own_sid};

/// The name of the inline policy by which a role shows that of its permission set.
pub const INLINE_POLICY: &str = "AwsSSOInlinePolicy";

/// A permission set as an account shows it: one role, or several for a while after it was assigned again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPermissionSet {
    /// Its roles.
    pub roles: Vec<ObservedSetRole>,
}

/// A role of a permission set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedSetRole {
    /// Its ARN.
    pub arn: RoleArn,
    /// The set's inline policy, as the role has it.
    pub inline: Option<FoundDocument>,
    /// The ARNs of its managed policies.
    pub policies: BTreeSet<String>,
    /// The texts of its managed policies, as far as they were read.
    pub attached: Vec<FoundDocument>,
}

/// What a permission set lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LackingGrant {
    /// The permission set.
    pub set: PrincipalArn,
    /// The whole grant.
    pub desired: DesiredGrant,
    /// The roles that it may not assume yet.
    pub missing: BTreeSet<RoleArn>,
    /// What its administrator is to add.
    pub addition: Addition,
}

/// What the administrator of a permission set is to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addition {
    /// The grant, to the inline policy.
    Inline {
        /// The inline policy that the set is to have: the one that its role shows, with the grant.
        document: PolicyDocument,
        /// Whether `document` lacks the set's own statements, because xacct cannot parse its inline policy.
        is_not_merged: bool,
    },
    /// A reference to the managed policy with the grant, by its name under xacct's path.
    Reference(String),
}

/// Returns what a permission set lacks; `None` if its roles show the whole grant.
#[must_use]
pub fn lacking_grant(desired: &DesiredGrant, observed: &ObservedPermissionSet) -> Option<LackingGrant> {
    let of = |missing, addition| {
        let (set, desired) = (desired.principal.clone(), desired.clone());
        LackingGrant { set, desired, missing, addition }
    };
    if desired.is_referenced {
        let name = grant_part_name(&desired.principal, SET_PART);
        let refers = observed.refers_to(&set_policy_arn(&desired.principal));
        return (!refers).then(|| of(desired.roles.clone(), Addition::Reference(name)));
    }
    let lacks =
        |role: &RoleArn, action: &str| !observed.roles.iter().all(|of_set| of_set.allows(action, role, desired));
    let plain = desired.roles.iter().filter(|role| lacks(role, "sts:AssumeRole"));
    let tagging = desired.with_session_tags.intersection(&desired.roles).filter(|role| lacks(role, "sts:TagSession"));
    let missing: BTreeSet<_> = plain.chain(tagging).cloned().collect();
    if missing.is_empty() {
        return None;
    }
    let inline = observed.roles.iter().find_map(|role| role.inline.as_ref());
    let found = inline.and_then(FoundDocument::policy);
    let granted = |sid, action| found.map_or_else(BTreeSet::new, |found| granted_roles(found, sid, action));
    let wide = found.and_then(OrganizationGrant::of);
    let mut roles = desired.listed(&granted(LINK_SID, "sts:AssumeRole"), wide.as_ref());
    if desired.organization.is_none() {
        roles.extend(desired.declared.iter().cloned());
    }
    let mut with_session_tags = granted(SESSION_TAGS_SID, "sts:TagSession");
    with_session_tags.retain(|role| !desired.roles.contains(role));
    with_session_tags.extend(desired.with_session_tags.iter().cloned());
    let mut document = desired.document_of(&roles, &with_session_tags, desired.in_organization(wide.as_ref()).as_ref());
    let is_own = |sid: &Option<String>| sid.as_deref().is_some_and(is_own_sid);
    let others = found.into_iter().flat_map(|found| &found.statements).filter(|statement| !is_own(&statement.sid));
    document.statements.splice(0..0, others.cloned());
    Some(of(missing, Addition::Inline { document, is_not_merged: inline.is_some() && found.is_none() }))
}

impl ObservedPermissionSet {
    /// Returns the set's inline policy, as each of its roles has it.
    pub fn inline_policies(&self) -> impl Iterator<Item = &PolicyDocument> {
        self.roles.iter().filter_map(|role| role.inline.as_ref()?.policy())
    }

    /// Returns the texts of the managed policies of its roles, as far as they were read.
    pub fn attached_policies(&self) -> impl Iterator<Item = &PolicyDocument> {
        self.roles.iter().flat_map(|role| &role.attached).filter_map(FoundDocument::policy)
    }

    /// Returns whether all its roles have the managed policy with this ARN.
    #[must_use]
    pub fn refers_to(&self, arn: &str) -> bool {
        self.roles.iter().all(|role| role.policies.contains(arn))
    }

    /// Returns the roles in xacct's statement that the set still has.
    #[must_use]
    pub fn granted(&self) -> BTreeSet<RoleArn> {
        self.inline_policies().flat_map(|policy| granted_roles(policy, LINK_SID, "sts:AssumeRole")).collect()
    }

    /// Returns what the inline policy grants in every account of an organization.
    #[must_use]
    pub fn in_organization(&self) -> Option<OrganizationGrant> {
        self.inline_policies().find_map(OrganizationGrant::of)
    }
}

impl ObservedSetRole {
    /// Returns whether a policy of the role allows this action on a role. Where the grant is to cover an organization, it
    /// must allow it in every account of that.
    fn allows(&self, action: &str, role: &RoleArn, desired: &DesiredGrant) -> bool {
        let principal =
            Principal { account: self.arn.account.clone(), arns: [self.arn.to_string()].into(), unique_id: None };
        let mut context = Context::default();
        let mut resource = role.to_string();
        if let Some(organization) = &desired.organization {
            context.set(ORGANIZATION_KEY, [organization.to_string()]);
            // No policy names this account.
            resource = resource.replacen(role.account.as_str(), "000000000000", 1);
        }
        let request = Request { principal: principal.into(), action: action.to_owned(), resource, context };
        // Only AWS knows the organization of the target account.
        let is_unknown = |mismatch: &Mismatch| {
            desired.organization.is_none()
                && matches!(mismatch, Mismatch::Condition { key, .. } if key.eq_ignore_ascii_case(ORGANIZATION_KEY))
        };
        let policies = self.inline.iter().chain(&self.attached).filter_map(FoundDocument::policy);
        policies
            .flat_map(|policy| evaluate::identity_policy(policy, &request).statements)
            .any(|finding| finding.effect == Effect::Allow && finding.mismatches.iter().all(is_unknown))
    }
}

#[cfg(test)]
mod tests;
