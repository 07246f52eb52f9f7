//! Statements of policies: where they are, and which of their elements are at fault.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::iam::evaluate::{self, Mismatch};
use crate::iam::policy::{Element, PolicyDocument, Principals, Statement};

/// The owner of a policy.
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
    /// Returns `user`, `group` or `role`, as in the AWS CLI, and the name.
    pub fn kind_and_name(&self) -> (&'static str, &str) {
        match self {
            Self::User(name) => ("user", name),
            Self::Group(name) => ("group", name),
            Self::Role(name) => ("role", name),
        }
    }
}

/// How a policy is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// The trust policy of a role.
    Trust,
    /// An inline policy, by name.
    Inline(String),
    /// An attached managed policy, by ARN.
    Attached(String),
    /// A permissions boundary, by the ARN of its managed policy.
    Boundary(String),
}

/// A policy, by its owner and attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRef {
    /// The owner.
    pub identity: Identity,
    /// How the policy is attached.
    pub attachment: Attachment,
}

impl PolicyRef {
    /// Returns the ARN of a managed policy.
    pub fn arn(&self) -> Option<&str> {
        match &self.attachment {
            Attachment::Attached(arn) | Attachment::Boundary(arn) => Some(arn),
            Attachment::Trust | Attachment::Inline(_) => None,
        }
    }

    /// Returns the policy in words, such as `inline policy xacct of user alice`.
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

/// A statement of a policy.
#[derive(Debug, Clone)]
pub struct StatementRef<'a> {
    /// The policy.
    pub policy: PolicyRef,
    /// The policy's document.
    pub document: &'a PolicyDocument,
    /// The statement.
    pub statement: &'a Statement,
    /// Its number, starting at 1.
    pub number: usize,
}

impl StatementRef<'_> {
    /// Returns `statement 2 (Sid)`.
    pub fn numbered(&self) -> String {
        match &self.statement.sid {
            Some(sid) => format!("statement {} ({sid})", self.number),
            None => format!("statement {}", self.number),
        }
    }

    /// Returns the identifiers of AWS principals that the statement lists.
    pub fn listed_principals(&self) -> Vec<&str> {
        match &self.statement.principal {
            Some(Element::Is(Principals::Listed(kinds))) => {
                kinds.get("AWS").into_iter().flatten().map(String::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the paths of condition keys with this prefix.
    pub fn marks_of_key(&self, beginning: &str) -> Vec<Vec<String>> {
        let conditions = self.statement.condition.iter();
        let marks = conditions.flat_map(|(operator, keys)| {
            let keys = keys.keys().filter(|key| key.to_ascii_lowercase().starts_with(&beginning.to_ascii_lowercase()));
            keys.map(|key| vec!["Condition".to_owned(), operator.clone(), key.clone()])
        });
        marks.collect()
    }

    /// Returns the values of a condition key.
    pub fn values_of(&self, key: &str) -> impl Iterator<Item = &str> {
        let keys = self.statement.condition.values().flatten();
        keys.filter(move |(name, _)| name.eq_ignore_ascii_case(key))
            .flat_map(|(_, values)| values.iter().map(String::as_str))
    }

    /// Returns the path of the element that does not match.
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

    /// Returns the condition keys and policy variables of the statement that `is_it` accepts.
    pub fn names_key(&self, is_it: impl Fn(&str) -> bool) -> Vec<String> {
        let keys = self.statement.condition.values().flat_map(|keys| keys.keys().cloned());
        let variables = variables(&self.statement.to_value());
        let mut found: Vec<_> = keys.chain(variables).filter(|key| is_it(key)).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Returns the condition keys on which a match depends: the condition's own, and those of policy variables.
    pub fn keys_of(&self, mismatch: &Mismatch) -> Vec<String> {
        let of_texts = |texts: &BTreeSet<String>| {
            texts.iter().flat_map(|text| evaluate::variables(text)).map(str::to_owned).collect::<Vec<_>>()
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

    /// Returns the resources of this denial with one exempted, or `None` if its form does not allow that.
    fn sparing(&self, resource: &str) -> Option<Element<BTreeSet<String>>> {
        Some(match self.statement.resource.as_ref()? {
            Element::Is(all) if all.iter().all(|one| one == "*") => Element::Not([resource.to_owned()].into()),
            Element::Is(list) if list.contains(resource) && list.len() > 1 => {
                Element::Is(list.iter().filter(|one| *one != resource).cloned().collect())
            }
            Element::Not(list) => Element::Not(list.iter().cloned().chain([resource.to_owned()]).collect()),
            Element::Is(_) => return None,
        })
    }
}

/// Returns the document of these statements without them, or `None` if no statement would remain.
pub fn document_without(places: &[&StatementRef<'_>]) -> Option<PolicyDocument> {
    let mut document = places.first()?.document.clone();
    let mut numbers = 1..;
    document.statements.retain(|_| {
        let number = numbers.next();
        places.iter().all(|place| Some(place.number) != number)
    });
    (!document.statements.is_empty()).then_some(document)
}

/// Returns the document of these denials with one resource exempted from each, or `None` if the form of one does not
/// allow that.
pub fn document_sparing(places: &[&StatementRef<'_>], resource: &str) -> Option<PolicyDocument> {
    let mut document = places.first()?.document.clone();
    for place in places {
        document.statements.get_mut(place.number.checked_sub(1)?)?.resource = Some(place.sparing(resource)?);
    }
    Some(document)
}

/// Returns why a statement does not apply, in words.
pub fn mismatch_words(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Principal => "Principal does not match".to_owned(),
        Mismatch::Action => "Action does not match".to_owned(),
        Mismatch::Resource => "Resource does not match".to_owned(),
        Mismatch::Condition { operator, key, wanted, found } => {
            let wanted: Vec<_> = wanted.iter().map(|value| format!("`{value}`")).collect();
            let found = match found.as_slice() {
                [] => "has no such key".to_owned(),
                values => format!("has `{}`", values.join("`, `")),
            };
            format!("condition {operator} {key} {} does not match: the request {found}", wanted.join(" or "))
        }
        Mismatch::UnknownOperator { operator } => format!("xacct does not know condition operator {operator}"),
    }
}

/// Returns the keys of the policy variables in a statement.
fn variables(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => evaluate::variables(text).map(str::to_owned).collect(),
        Value::Array(list) => list.iter().flat_map(variables).collect(),
        Value::Object(object) => object.values().flat_map(variables).collect(),
        _ => Vec::new(),
    }
}
