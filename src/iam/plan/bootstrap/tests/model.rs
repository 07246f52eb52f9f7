//! A model of IAM that applies changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::plan::Change;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{FoundDocument, ObservedPrincipal, ObservedRole};

/// Returns the document as IAM may: in another order, with another form of accounts, and lists for single strings.
pub fn as_iam_returns(document: &PolicyDocument) -> FoundDocument {
    let mut turned = document.clone();
    turned.statements.reverse();
    let text = turned.to_string().replace("\"arn:aws:iam::111111111111:root\"", "[\"111111111111\"]");
    FoundDocument::parse(&text)
}

/// Returns the role after the change.
pub fn apply_to_role(role: Option<ObservedRole>, change: &Change) -> Option<ObservedRole> {
    if let Change::CreateRole(desired) = change {
        assert_eq!(role, None, "a role is created once");
        return Some(ObservedRole {
            id: "AROAEXAMPLE".to_owned(),
            arn: desired.arn.to_string(),
            description: desired.description.clone(),
            max_session: desired.max_session.as_secs(),
            boundary: desired.boundary.as_ref().map(ToString::to_string),
            tags: desired.all_tags(),
            trust: as_iam_returns(&desired.trust),
            attachments: BTreeSet::new(),
            inline: BTreeMap::new(),
            last_used: None,
        });
    }
    let mut role = role.unwrap();
    match change {
        Change::ReplaceTrustPolicy { from, to, .. } => {
            assert_eq!(**from, role.trust);
            role.trust = as_iam_returns(to);
        }
        Change::UpdateRole { from, description, max_session } => {
            assert_eq!(*from, (role.description.clone(), role.max_session));
            role.description.clone_from(description);
            role.max_session = max_session.as_secs();
        }
        Change::SetBoundary { from, to } => {
            assert_eq!(*from, role.boundary);
            role.boundary = Some(to.to_string());
        }
        Change::TagRole { tags } => role.tags.extend(tags.clone()),
        Change::AttachPolicy { policy } => assert!(role.attachments.insert(policy.to_string())),
        Change::PutRolePolicy { name, from, to } => {
            let before = role.inline.insert(name.to_string(), Some(as_iam_returns(to)));
            assert_eq!(from.as_deref(), before.flatten().as_ref());
        }
        Change::DeleteRolePolicy { name } => assert!(role.inline.remove(name).is_some()),
        Change::DetachPolicy { policy } => assert!(role.attachments.remove(policy)),
        _ => panic!("{change:?} is not a change of a role"),
    }
    Some(role)
}

/// Returns the user after the change.
pub fn apply_to_user(mut user: ObservedPrincipal, change: &Change) -> ObservedPrincipal {
    let Change::PutGrant { from, to, .. } = change else {
        panic!("{change:?} is not a change of a user");
    };
    assert_eq!(from.as_deref(), user.grant.as_ref());
    user.grant = Some(as_iam_returns(to));
    user
}
