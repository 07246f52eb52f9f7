//! The policies that affect a link, and those of them that xacct could not read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::facts::{Facts, PolicyFacts};
use super::statement::{Attachment, Identity, PolicyRef};
use crate::iam::arn::PrincipalRef;
use crate::iam::state::{FoundDocument, Reading};

/// Something that xacct could not read, for the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// What xacct could not read, such as `the groups of user alice`.
    pub what: String,
    /// The missing permission; empty if there is another reason.
    pub permission: String,
    /// Why xacct could not read it.
    pub answer: String,
}

/// Something that affects a request and that xacct could not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What xacct could not read, without an article, such as `trust policy of role xacct`.
    pub what: String,
    /// The missing permission; empty if there is another reason.
    pub permission: String,
    /// Why xacct could not read it.
    pub answer: String,
}

/// The policies of one kind.
#[derive(Debug, Default)]
pub struct Policies<'a> {
    /// The documents, each with its owner and attachment.
    pub documents: Vec<(PolicyRef, &'a FoundDocument)>,
    /// What xacct could not read.
    pub missing: Vec<Missing>,
}

/// Returns the trust policy of the role, or `None` if the role does not exist.
pub fn trust(facts: &Facts) -> Option<Policies<'_>> {
    let policy_ref = trust_of_role(facts);
    Some(match &facts.target.role {
        Reading::Present(role) => Policies { documents: vec![(policy_ref, &role.trust)], missing: Vec::new() },
        Reading::Absent => return None,
        unread => {
            Policies { documents: Vec::new(), missing: missing(unread, policy_ref.words()).into_iter().collect() }
        }
    })
}

/// Returns a reference to the trust policy of the role.
pub fn trust_of_role(facts: &Facts) -> PolicyRef {
    PolicyRef { identity: role(facts), attachment: Attachment::Trust }
}

fn user(facts: &Facts) -> Identity {
    match &facts.link.principal {
        PrincipalRef::User(user) => Identity::User(user.name().to_string()),
        PrincipalRef::Group(_) => Identity::Group(facts.link.principal.name().to_owned()),
        PrincipalRef::Role(_) | PrincipalRef::PermissionSet(_) => {
            Identity::Role(facts.link.principal.name().to_owned())
        }
    }
}

fn role(facts: &Facts) -> Identity {
    Identity::Role(facts.link.role.name.to_string())
}

/// Returns the permissions policies of the role.
pub fn of_role(facts: &Facts) -> Policies<'_> {
    of_identity(&facts.target.policies, &role(facts))
}

/// Returns the user's permissions boundary, or `None` if it has none.
pub fn boundary_of_user(facts: &Facts) -> Option<Policies<'_>> {
    let arn = facts.source.user.present().and_then(|user| user.boundary.clone());
    boundary(&facts.source.user, &facts.source.boundary, (arn, user(facts)))
}

/// Returns the role's permissions boundary, or `None` if it has none.
pub fn boundary_of_role(facts: &Facts) -> Option<Policies<'_>> {
    let arn = facts.target.role.present().and_then(|role| role.boundary.clone());
    boundary(&facts.target.role, &facts.target.boundary, (arn, role(facts)))
}

/// Returns the user's own policies and those of its groups.
pub fn of_user(facts: &Facts) -> Policies<'_> {
    let mut read = of_identity(&facts.source.policies, &user(facts));
    match &facts.source.groups {
        Reading::Present(groups) => {
            for (group, policies) in groups {
                let of_group = of_identity(policies, &Identity::Group(group.clone()));
                read.documents.extend(of_group.documents);
                read.missing.extend(of_group.missing);
            }
        }
        groups if facts.link.principal.user().is_some() => {
            read.missing.extend(missing(groups, format!("groups of {}", facts.link.whose())));
        }
        // Only users have groups.
        _ => {}
    }
    read
}

/// Returns a permissions boundary, or `None` if there is none. Only the user or role `of` says whether there is one.
fn boundary<'a, T>(
    of: &Reading<T>,
    document: &'a Reading<FoundDocument>,
    (arn, identity): (Option<String>, Identity),
) -> Option<Policies<'a>> {
    let Some(arn) = arn else {
        let (kind, name) = identity.kind_and_name();
        let missing = missing(of, format!("permissions boundary of {kind} {name}"))?;
        return Some(Policies { documents: Vec::new(), missing: vec![missing] });
    };
    let policy_ref = PolicyRef { identity, attachment: Attachment::Boundary(arn) };
    Some(match document {
        Reading::Present(document) => Policies { documents: vec![(policy_ref, document)], missing: Vec::new() },
        // Assumed: a boundary whose policy does not exist allows nothing.
        Reading::Absent => Policies::default(),
        unread => {
            Policies { missing: missing(unread, policy_ref.words()).into_iter().collect(), documents: Vec::new() }
        }
    })
}

fn of_identity<'a>(policies: &'a PolicyFacts, identity: &Identity) -> Policies<'a> {
    let mut read = Policies::default();
    let (kind, name) = identity.kind_and_name();
    let mut add = |list: &'a Reading<BTreeMap<String, Reading<FoundDocument>>>,
                   attachment: fn(String) -> Attachment,
                   what: &str| match list {
        Reading::Present(documents) => {
            for (policy, document) in documents {
                let policy_ref = PolicyRef { identity: identity.clone(), attachment: attachment(policy.clone()) };
                match document {
                    Reading::Present(document) => read.documents.push((policy_ref, document)),
                    Reading::Absent => {}
                    unread => read.missing.extend(missing(unread, policy_ref.words())),
                }
            }
        }
        unread => read.missing.extend(missing(unread, format!("{what} policies of {kind} {name}"))),
    };
    add(&policies.inline, Attachment::Inline, "inline");
    add(&policies.attached, Attachment::Attached, "attached");
    read
}

/// Returns what a failed reading leaves unknown.
fn missing<T>(reading: &Reading<T>, what: String) -> Option<Missing> {
    match reading {
        Reading::Unreadable { permission, answer } => {
            Some(Missing { what, permission: permission.clone(), answer: answer.clone() })
        }
        _ => None,
    }
}

/// Returns everything that xacct could not read.
pub(super) fn unread(facts: &Facts) -> Vec<Unread> {
    let mut unread = Unreadables::default();
    let user = facts.link.whose();
    unread.note(&facts.caller.identity, "the owner of the credentials");
    unread.note(&facts.source.operator.identity, "the source account");
    unread.note(&facts.source.user, &user);
    unread.note_policies(&facts.source.policies, &user);
    let is_user = facts.link.principal.user().is_some();
    if is_user {
        unread.note(&facts.source.groups, &format!("the groups of {user}"));
    }
    for (group, policies) in facts.source.groups.present().into_iter().flatten() {
        unread.note_policies(policies, &format!("group {group}"));
    }
    unread.note(&facts.source.boundary, &format!("the permissions boundary of {user}"));
    if is_user {
        unread.note(&facts.source.mfa_devices, &format!("the MFA devices of {user}"));
    }
    if let Some(key) = &facts.source.callers_key {
        unread.note(key, &format!("the access keys of {user}"));
    }
    unread.note(&facts.target.operator.identity, "the target account");
    unread.note(&facts.target.role, &format!("role {}", facts.link.role.name));
    unread.note_policies(&facts.target.policies, &format!("role {}", facts.link.role.name));
    unread.note(&facts.target.boundary, &format!("the permissions boundary of role {}", facts.link.role.name));
    unread.all
}

/// Collects what xacct could not read.
#[derive(Debug, Default)]
struct Unreadables {
    all: Vec<Unread>,
}

impl Unreadables {
    /// Adds a reading that failed.
    fn note<T>(&mut self, reading: &Reading<T>, what: &str) {
        let Reading::Unreadable { permission, answer } = reading else { return };
        // One missing permission may explain several failed readings.
        if self.all.iter().any(|known| known.answer == *answer && known.permission == *permission) {
            return;
        }
        self.all.push(Unread { what: what.to_owned(), permission: permission.clone(), answer: answer.clone() });
    }

    /// Adds the failed readings of a set of policies.
    fn note_policies(&mut self, policies: &PolicyFacts, whose: &str) {
        for (list, kind) in [(&policies.inline, "inline"), (&policies.attached, "attached")] {
            self.note(list, &format!("the {kind} policies of {whose}"));
            for (policy, document) in list.present().into_iter().flatten() {
                self.note(document, &format!("the {kind} policy {policy} of {whose}"));
            }
        }
    }
}
