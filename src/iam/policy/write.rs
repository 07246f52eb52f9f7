//! Writes and measures policy documents in their shortest form.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::document::{Effect, Element, PolicyDocument, Principals, Statement};

impl PolicyDocument {
    /// Returns the document as a JSON value, strings and lists in their shortest form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        if let Some(version) = &self.version {
            object.insert("Version".into(), version.clone().into());
        }
        if let Some(id) = &self.id {
            object.insert("Id".into(), id.clone().into());
        }
        object.insert("Statement".into(), self.statements.iter().map(Statement::to_value).collect());
        Value::Object(object)
    }

    /// Returns the document for IAM: JSON without insignificant whitespace.
    #[must_use]
    pub fn minified(&self) -> String {
        self.to_value().to_string()
    }

    /// Returns the number of characters that count against IAM's size quotas, which ignore whitespace (IAM User Guide,
    /// quotas).
    #[must_use]
    pub fn size(&self) -> usize {
        self.minified().chars().filter(|c| !c.is_ascii_whitespace()).count()
    }
}

impl fmt::Display for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value has only strings, lists and objects, so writing it cannot fail.
        f.write_str(&serde_json::to_string_pretty(&self.to_value()).unwrap_or_default())
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl Statement {
    /// Returns the statement as a JSON value, strings and lists in their shortest form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        if let Some(sid) = &self.sid {
            object.insert("Sid".into(), sid.clone().into());
        }
        object.insert("Effect".into(), if self.effect == Effect::Allow { "Allow" } else { "Deny" }.into());
        if let Some(principal) = &self.principal {
            let (name, principals) = principal.named("Principal", "NotPrincipal");
            object.insert(name.into(), principals_value(principals));
        }
        let (name, actions) = self.action.named("Action", "NotAction");
        object.insert(name.into(), shortest(actions));
        if let Some(resource) = &self.resource {
            let (name, resources) = resource.named("Resource", "NotResource");
            object.insert(name.into(), shortest(resources));
        }
        if !self.condition.is_empty() {
            let operators = self.condition.iter().map(|(operator, keys)| {
                let keys = keys.iter().map(|(key, values)| (key.clone(), shortest(values))).collect();
                (operator.clone(), Value::Object(keys))
            });
            object.insert("Condition".into(), Value::Object(operators.collect()));
        }
        Value::Object(object)
    }
}

impl<T> Element<T> {
    fn named<'a>(&'a self, is: &'a str, not: &'a str) -> (&'a str, &'a T) {
        match self {
            Self::Is(value) => (is, value),
            Self::Not(value) => (not, value),
        }
    }
}

fn shortest(set: &BTreeSet<String>) -> Value {
    match (set.len(), set.first()) {
        (1, Some(one)) => one.clone().into(),
        _ => set.iter().cloned().collect(),
    }
}

fn principals_value(principals: &Principals) -> Value {
    match principals {
        Principals::Everyone => "*".into(),
        Principals::Listed(kinds) => {
            Value::Object(kinds.iter().map(|(kind, ids)| (kind.clone(), shortest(ids))).collect())
        }
    }
}
