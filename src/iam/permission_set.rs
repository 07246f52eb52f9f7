//! The grant of a permission set: IAM lets nobody change its roles, so xacct says what its administrator is to add.

use std::collections::BTreeSet;

use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::evaluate::{self, Context, Mismatch, Principal, Request};
use crate::iam::policy::{Effect, PolicyDocument};
use crate::iam::state::{DesiredGrant, FoundDocument};
use crate::iam::templates::{self, LINK_SID, SESSION_TAGS_SID, granted_roles, is_own_sid};

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
    /// The inline policy that it is to have: the one that its role shows, with the grant.
    pub document: PolicyDocument,
    /// Whether `document` lacks the set's own statements, because xacct cannot parse its inline policy.
    pub is_not_merged: bool,
}

/// Returns what a permission set lacks; `None` if its roles show the whole grant.
#[must_use]
pub fn lacking_grant(desired: &DesiredGrant, observed: &ObservedPermissionSet) -> Option<LackingGrant> {
    let lacks = |role: &RoleArn, action: &str| !observed.roles.iter().all(|of_set| of_set.allows(action, role));
    let plain = desired.roles.iter().filter(|role| lacks(role, "sts:AssumeRole"));
    let tagging = desired.with_session_tags.intersection(&desired.roles).filter(|role| lacks(role, "sts:TagSession"));
    let missing: BTreeSet<_> = plain.chain(tagging).cloned().collect();
    if missing.is_empty() {
        return None;
    }
    let inline = observed.roles.iter().find_map(|role| role.inline.as_ref());
    let found = inline.and_then(FoundDocument::policy);
    let granted = |sid, action| found.map_or_else(BTreeSet::new, |found| granted_roles(found, sid, action));
    let mut roles = granted(LINK_SID, "sts:AssumeRole");
    roles.extend(desired.roles.union(&desired.declared).cloned());
    let mut with_session_tags = granted(SESSION_TAGS_SID, "sts:TagSession");
    with_session_tags.retain(|role| !desired.roles.contains(role));
    with_session_tags.extend(desired.with_session_tags.iter().cloned());
    let mut document = templates::grant(&roles, &with_session_tags);
    let is_own = |sid: &Option<String>| sid.as_deref().is_some_and(is_own_sid);
    let others = found.into_iter().flat_map(|found| &found.statements).filter(|statement| !is_own(&statement.sid));
    document.statements.splice(0..0, others.cloned());
    Some(LackingGrant {
        set: desired.principal.clone(),
        desired: desired.clone(),
        missing,
        document,
        is_not_merged: inline.is_some() && found.is_none(),
    })
}

/// Returns the roles in xacct's statement that a permission set still has.
#[must_use]
pub fn granted_by(observed: &ObservedPermissionSet) -> BTreeSet<RoleArn> {
    let policies = observed.roles.iter().filter_map(|role| role.inline.as_ref()?.policy());
    policies.flat_map(|policy| granted_roles(policy, LINK_SID, "sts:AssumeRole")).collect()
}

impl ObservedSetRole {
    /// Returns whether a policy of the role allows this action on a role in its account, or in any account of the
    /// organization.
    fn allows(&self, action: &str, role: &RoleArn) -> bool {
        let principal =
            Principal { account: self.arn.account.clone(), arns: [self.arn.to_string()].into(), unique_id: None };
        let request = Request {
            principal: principal.into(),
            action: action.to_owned(),
            resource: role.to_string(),
            context: Context::default(),
        };
        // Only AWS knows the organization of the target account.
        let is_of_organization = |mismatch: &Mismatch| matches!(mismatch, Mismatch::Condition { key, .. } if key.eq_ignore_ascii_case("aws:ResourceOrgID"));
        let policies = self.inline.iter().chain(&self.attached).filter_map(FoundDocument::policy);
        policies
            .flat_map(|policy| evaluate::identity_policy(policy, &request).statements)
            .any(|finding| finding.effect == Effect::Allow && finding.mismatches.iter().all(is_of_organization))
    }
}

#[cfg(test)]
mod tests;
