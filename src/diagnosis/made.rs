//! What a run has made of both halves of a link. Reads may not show it yet, but what AWS will use is known.

use std::collections::BTreeMap;

use super::facts::{Facts, RoleFacts};
use crate::iam::arn::PrincipalRef;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredRole, FoundDocument, Reading};
use crate::iam::templates::GRANT_POLICY;

/// Both halves as bootstrap has made them.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// The role.
    pub role: &'a DesiredRole,
    /// Its trust policy, with the statements of others that bootstrap keeps.
    pub trust: &'a FoundDocument,
    /// The policies of the grant that were written.
    pub grant: &'a [GrantPolicy],
}

/// A policy of a grant.
#[derive(Debug, Clone)]
pub enum GrantPolicy {
    /// The inline policy.
    Inline(PolicyDocument),
    /// A managed policy, with its ARN.
    Managed(String, PolicyDocument),
}

impl Made<'_> {
    /// Puts both halves into the facts, as they are once AWS has propagated them. Everything else stays as it was read.
    pub fn put_into(&self, facts: &mut Facts) {
        let role = self.role;
        let found = facts.target.role.present().cloned();
        let found_boundary = found.as_ref().and_then(|found| found.boundary.clone());
        let boundary = role.boundary.as_ref().map(ToString::to_string).or_else(|| found_boundary.clone());
        if boundary != found_boundary {
            facts.target.boundary = not_shown();
        }
        let mut tags = found.as_ref().map(|found| found.tags.clone()).unwrap_or_default();
        tags.extend(role.all_tags());
        facts.target.role = Reading::Present(RoleFacts {
            arn: role.arn.to_string(),
            is_ours: true,
            age_seconds: found.and_then(|found| found.age_seconds),
            max_session_seconds: role.max_session.as_secs(),
            boundary,
            tags,
            trust: self.trust.clone(),
        });
        let inline = role.inline.iter().map(|(name, document)| (name.to_string(), present(document.clone())));
        add(&mut facts.target.policies.inline, inline);
        if let Reading::Present(attached) = &mut facts.target.policies.attached {
            for arn in &role.attachments {
                attached.entry(arn.to_string()).or_insert_with(not_shown);
            }
        }
        let is_set = matches!(facts.link.of_link(), PrincipalRef::PermissionSet(_));
        let policies = match (&facts.link.through, &mut facts.source.groups) {
            (Some(group @ PrincipalRef::Group(_)), Reading::Present(groups)) => groups.get_mut(group.name()),
            (Some(PrincipalRef::Group(_)), _) => None,
            _ => Some(&mut facts.source.policies),
        };
        let Some(policies) = policies else { return };
        for policy in self.grant {
            match policy {
                GrantPolicy::Inline(document) => {
                    add(&mut policies.inline, [(GRANT_POLICY.to_owned(), present(document.clone()))]);
                }
                // Only its administrator can make a permission set refer to the policy.
                GrantPolicy::Managed(arn, _)
                    if is_set && !policies.attached.present().is_some_and(|attached| attached.contains_key(arn)) => {}
                GrantPolicy::Managed(arn, document) => {
                    add(&mut policies.attached, [(arn.clone(), present(document.clone()))]);
                }
            }
        }
    }
}

fn present(document: PolicyDocument) -> Reading<FoundDocument> {
    Reading::Present(FoundDocument::Policy(document))
}

fn not_shown<T>() -> Reading<T> {
    Reading::Unreadable { permission: String::new(), answer: "IAM does not show it yet".to_owned() }
}

/// Adds policies to a list that was read. One that could not be read stays so: it may have others.
fn add(
    list: &mut Reading<BTreeMap<String, Reading<FoundDocument>>>,
    policies: impl IntoIterator<Item = (String, Reading<FoundDocument>)>,
) {
    match list {
        Reading::Present(known) => known.extend(policies),
        Reading::Absent => *list = Reading::Present(policies.into_iter().collect()),
        Reading::Unreadable { .. } => {}
    }
}
