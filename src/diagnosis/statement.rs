//! Statements of policies that were read: where they stand, and which of their elements is at fault.

use serde_json::Value;

use crate::iam::evaluate::Mismatch;
use crate::iam::policy::{Element, PolicyDocument, Statement};

/// What holds a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A user, by name.
    User(String),
    /// A group, by name.
    Group(String),
    /// A role, by name.
    Role(String),
}

impl Identity {
    /// `user`, `group` or `role`, as the AWS CLI names it, and the name.
    pub fn kind_and_name(&self) -> (&'static str, &str) {
        match self {
            Self::User(name) => ("user", name),
            Self::Group(name) => ("group", name),
            Self::Role(name) => ("role", name),
        }
    }
}

/// How a policy is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// The trust policy of a role.
    Trust,
    /// An inline policy, by name.
    Inline(String),
    /// A managed policy that is attached, by ARN.
    Attached(String),
    /// A managed policy that is the permissions boundary, by ARN.
    Boundary(String),
}

/// A policy, by the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRef {
    /// What holds it.
    pub identity: Identity,
    /// How.
    pub attachment: Attachment,
}

impl PolicyRef {
    /// In words, such as `inline policy xacct of user alice`.
    pub fn words(&self) -> String {
        let (kind, name) = self.identity.kind_and_name();
        match &self.attachment {
            Attachment::Trust => format!("trust policy of {kind} {name}"),
            Attachment::Inline(policy) => format!("inline policy {policy} of {kind} {name}"),
            Attachment::Attached(arn) => format!("policy {arn} attached to {kind} {name}"),
            Attachment::Boundary(arn) => format!("permissions boundary {arn} of {kind} {name}"),
        }
    }
}

/// A statement of a policy that was read.
#[derive(Debug, Clone)]
pub struct StatementRef<'a> {
    /// The policy.
    pub policy: PolicyRef,
    /// Its document.
    pub document: &'a PolicyDocument,
    /// The statement.
    pub statement: &'a Statement,
    /// Its number, from 1.
    pub number: usize,
}

impl StatementRef<'_> {
    /// `statement 2 (Sid)`.
    pub fn numbered(&self) -> String {
        match &self.statement.sid {
            Some(sid) => format!("statement {} ({sid})", self.number),
            None => format!("statement {}", self.number),
        }
    }

    /// The places in the conditions of keys that begin so.
    pub fn marks_of_key(&self, beginning: &str) -> Vec<Vec<String>> {
        let conditions = self.statement.condition.iter();
        let marks = conditions.flat_map(|(operator, keys)| {
            let keys = keys.keys().filter(|key| key.to_ascii_lowercase().starts_with(&beginning.to_ascii_lowercase()));
            keys.map(|key| vec!["Condition".to_owned(), operator.clone(), key.clone()])
        });
        marks.collect()
    }

    /// The keys that lead to an element.
    pub fn mark(&self, mismatch: &Mismatch) -> Vec<String> {
        let named = |is: bool, name: &str| vec![if is { name.to_owned() } else { format!("Not{name}") }];
        match mismatch {
            Mismatch::Principal => named(!matches!(self.statement.principal, Some(Element::Not(_))), "Principal"),
            Mismatch::Action => named(matches!(self.statement.action, Element::Is(_)), "Action"),
            Mismatch::Resource => named(!matches!(self.statement.resource, Some(Element::Not(_))), "Resource"),
            Mismatch::Condition { operator, key, .. } => {
                vec!["Condition".to_owned(), operator.clone(), key.clone()]
            }
            Mismatch::UnknownOperator { operator } => vec!["Condition".to_owned(), operator.clone()],
        }
    }

    /// The document without this statement; `None` where nothing would be left.
    pub fn document_without(&self) -> Option<PolicyDocument> {
        let mut document = self.document.clone();
        document.statements.remove(self.number.checked_sub(1)?);
        (!document.statements.is_empty()).then_some(document)
    }

    /// Whether the statement speaks of anything by this text: a condition key, or a policy variable.
    pub fn names_key(&self, is_it: impl Fn(&str) -> bool) -> Vec<String> {
        let keys = self.statement.condition.values().flat_map(|keys| keys.keys().cloned());
        let variables = variables(&self.statement.to_value());
        let mut found: Vec<_> = keys.chain(variables).filter(|key| is_it(key)).collect();
        found.sort();
        found.dedup();
        found
    }

    /// The condition keys on which it depends whether an element matches: the condition's own, and those of policy
    /// variables.
    pub fn keys_of(&self, mismatch: &Mismatch) -> Vec<String> {
        let of_texts = |texts: &std::collections::BTreeSet<String>| {
            texts.iter().flat_map(|text| variables(&Value::String(text.clone()))).collect::<Vec<_>>()
        };
        match mismatch {
            Mismatch::Condition { key, wanted, .. } => [vec![key.clone()], of_texts(wanted)].concat(),
            Mismatch::Resource => match &self.statement.resource {
                Some(Element::Is(resources) | Element::Not(resources)) => of_texts(resources),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The document with this denial made to spare one resource; `None` where its form does not allow that.
    pub fn document_sparing(&self, resource: &str) -> Option<PolicyDocument> {
        let spared = match self.statement.resource.as_ref()? {
            Element::Is(all) if all.iter().all(|one| one == "*") => Element::Not([resource.to_owned()].into()),
            Element::Is(list) if list.contains(resource) && list.len() > 1 => {
                Element::Is(list.iter().filter(|one| *one != resource).cloned().collect())
            }
            Element::Not(list) => Element::Not(list.iter().cloned().chain([resource.to_owned()]).collect()),
            Element::Is(_) => return None,
        };
        let mut document = self.document.clone();
        document.statements.get_mut(self.number.checked_sub(1)?)?.resource = Some(spared);
        Some(document)
    }
}

/// Why a statement does not apply, in words.
pub fn mismatch_words(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Principal => "Principal names others".to_owned(),
        Mismatch::Action => "Action names others".to_owned(),
        Mismatch::Resource => "Resource names others".to_owned(),
        Mismatch::Condition { operator, key, wanted, found } => {
            let wanted: Vec<_> = wanted.iter().map(|value| format!("`{value}`")).collect();
            let found = match found.as_slice() {
                [] => "is absent".to_owned(),
                values => format!("is `{}`", values.join("`, `")),
            };
            format!("{operator} {key} {}, and it {found}", wanted.join(" or "))
        }
        Mismatch::UnknownOperator { operator } => format!("condition operator {operator} is not known"),
    }
}

/// The names of the policy variables in a statement.
fn variables(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let parts = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
            parts.map(|(name, _)| name.split(',').next().unwrap_or_default().trim().to_owned()).collect()
        }
        Value::Array(list) => list.iter().flat_map(variables).collect(),
        Value::Object(object) => object.values().flat_map(variables).collect(),
        _ => Vec::new(),
    }
}
