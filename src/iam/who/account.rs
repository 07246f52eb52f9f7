//! The users, roles, groups and policies of an account, as read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::iam::names::AccountId;
use crate::iam::state::{FoundDocument, Reading};

/// A policy document. Equal documents share one copy.
pub type Text = Arc<FoundDocument>;

/// An account as read.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its ID.
    pub id: AccountId,
    /// Whether the account could be read; if not, everything below is empty.
    pub is_read: bool,
    /// Users and roles.
    pub holders: Vec<Holder>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// The documents of managed policies that are attached or a boundary, by ARN.
    pub managed: BTreeMap<String, Reading<Text>>,
}

/// A kind of principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HolderKind {
    /// An IAM user.
    User,
    /// A role, with its sessions.
    Role,
}

impl HolderKind {
    /// Returns the word for it: `user` or `role`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }
}

/// A user or a role.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Which of the two.
    pub kind: HolderKind,
    /// The name, without path.
    pub name: String,
    /// The ARN, with the path.
    pub arn: String,
    /// The unique ID, `AIDA…` or `AROA…`.
    pub unique_id: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Its own policies.
    pub policies: Policies,
    /// The names of a user's groups.
    pub groups: Vec<String>,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// The trust policy of a role.
    pub trust: Option<Text>,
}

/// A group, without its members.
#[derive(Debug, Clone)]
pub struct Group {
    /// The ARN, with the path.
    pub arn: String,
    /// Its policies.
    pub policies: Policies,
}

/// Inline and attached policies of a user, group or role.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// Inline policies by name.
    pub inline: BTreeMap<String, Text>,
    /// ARNs of attached policies.
    pub attached: BTreeSet<String>,
}

impl Holder {
    /// Returns the name of the permission set for which Identity Center created this role
    /// (`AWSReservedSSO_NAME_` and 16 hexadecimal digits).
    #[must_use]
    pub fn permission_set(&self) -> Option<&str> {
        let (name, suffix) = self.name.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?;
        let is_reserved = self.arn.contains(":role/aws-reserved/sso.amazonaws.com/");
        (is_reserved && !suffix.is_empty() && suffix.chars().all(|c| c.is_ascii_hexdigit())).then_some(name)
    }

    /// Returns the principal in words: `user alice`, `role ci`, `permission set Admin`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.permission_set() {
            Some(name) => format!("permission set {name}"),
            None => format!("{} {}", self.kind.word(), self.name),
        }
    }
}

/// A policy that grants to a holder: its name for people, and its document or why there is none.
pub(super) struct Held<'a> {
    pub name: String,
    pub document: Result<&'a Text, String>,
}

impl Account {
    /// Returns an account that could not be read.
    #[must_use]
    pub fn unreadable(id: AccountId) -> Self {
        Self { id, is_read: false, holders: Vec::new(), groups: BTreeMap::new(), managed: BTreeMap::new() }
    }

    /// Returns the permissions policies of a holder: its own, and those of its groups.
    pub(super) fn held<'a>(&'a self, holder: &'a Holder) -> Vec<Held<'a>> {
        let mut held = Vec::new();
        self.add(&mut held, &holder.policies, "");
        for group in &holder.groups {
            match self.groups.get(group) {
                Some(found) => self.add(&mut held, &found.policies, &format!("group {group}, ")),
                None => held.push(Held { name: format!("group {group}"), document: Err(String::new()) }),
            }
        }
        held
    }

    fn add<'a>(&'a self, held: &mut Vec<Held<'a>>, policies: &'a Policies, of: &str) {
        let inline = policies.inline.iter();
        held.extend(inline.map(|(name, text)| Held { name: format!("{of}policy {name}"), document: Ok(text) }));
        held.extend(policies.attached.iter().map(|arn| Held {
            name: format!("{of}policy {}", arn.rsplit('/').next().unwrap_or(arn)),
            document: self.document(arn),
        }));
    }

    /// Returns the document of a managed policy, or why there is none.
    pub(super) fn document(&self, arn: &str) -> Result<&Text, String> {
        match self.managed.get(arn) {
            Some(Reading::Present(text)) => Ok(text),
            Some(Reading::Unreadable { permission, .. }) => Err(permission.clone()),
            Some(Reading::Absent) | None => Err(String::new()),
        }
    }

    /// Names everything of this account that could not be read, one by one.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        let mut unread = Vec::new();
        let invalid = |name: String, text: &Text| match &**text {
            FoundDocument::Policy(_) => None,
            FoundDocument::Unparsed { problem, .. } => Some(format!("{name} is not a valid policy: {problem}")),
        };
        for (arn, reading) in &self.managed {
            match reading {
                Reading::Present(text) => unread.extend(invalid(format!("policy {arn}"), text)),
                Reading::Absent => unread.push(format!("policy {arn} does not exist")),
                Reading::Unreadable { permission, answer } if permission.is_empty() => {
                    unread.push(format!("policy {arn}: {answer}"));
                }
                Reading::Unreadable { permission, .. } => unread.push(format!("policy {arn}: needs {permission}")),
            }
        }
        let inline = |of: String, policies: &Policies| {
            let found = policies.inline.iter();
            found.filter_map(|(name, text)| invalid(format!("policy {name} of {of}"), text)).collect::<Vec<_>>()
        };
        for (name, group) in &self.groups {
            unread.extend(inline(format!("group {name}"), &group.policies));
        }
        for holder in &self.holders {
            unread.extend(inline(holder.in_words(), &holder.policies));
            let trust = holder.trust.iter();
            unread.extend(trust.filter_map(|text| invalid(format!("trust policy of {}", holder.in_words()), text)));
            for group in holder.groups.iter().filter(|group| !self.groups.contains_key(*group)) {
                unread.push(format!("group {group} of {}", holder.in_words()));
            }
        }
        unread
    }
}
