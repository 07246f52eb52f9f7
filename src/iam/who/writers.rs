//! Permissions to write IAM, by which a principal could let itself in.

use crate::iam::evaluate::action_matches;
use crate::iam::policy::{Effect, Element, PolicyDocument};

/// Actions that give the caller, or somebody whose credentials the caller then has, more permissions (AWS Prescriptive
/// Guidance and Rhino Security Labs list them as ways of privilege escalation), or that take away what denies: a policy, a
/// boundary, a membership, a tag, the lack of MFA.
pub(super) const ACTIONS: [&str; 34] = [
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateServiceSpecificCredential",
    "iam:DeactivateMFADevice",
    "iam:DeleteGroupPolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachGroupPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:EnableMFADevice",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:RemoveUserFromGroup",
    "iam:ResetServiceSpecificCredential",
    "iam:ResyncMFADevice",
    "iam:SetDefaultPolicyVersion",
    "iam:TagRole",
    "iam:TagUser",
    "iam:UntagRole",
    "iam:UntagUser",
    "iam:UpdateAccessKey",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
];

/// The actions that a policy allows on some resource, and those that it denies on every resource, as bits of
/// [`ACTIONS`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Writes {
    pub allowed: u64,
    pub denied: u64,
}

impl Writes {
    /// Returns those of a policy. A condition of an Allow counts as met, a Deny with one does not count.
    pub fn of(document: &PolicyDocument) -> Self {
        let mut writes = Self::default();
        for statement in &document.statements {
            let mut bits = 0;
            for (number, action) in ACTIONS.iter().enumerate() {
                if action_matches(&statement.action, action) {
                    bits |= 1 << number;
                }
            }
            let is_everything = matches!(&statement.resource, Some(Element::Is(resources)) if resources.contains("*"));
            match statement.effect {
                Effect::Allow => writes.allowed |= bits,
                Effect::Deny if is_everything && statement.condition.is_empty() => writes.denied |= bits,
                Effect::Deny => {}
            }
        }
        writes
    }

    /// Returns the names of these actions.
    pub fn names(bits: u64) -> Vec<&'static str> {
        let actions = ACTIONS.iter().enumerate();
        actions.filter(|(number, _)| bits & (1 << number) != 0).map(|(_, action)| *action).collect()
    }
}
