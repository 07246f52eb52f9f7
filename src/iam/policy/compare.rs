//! Compares policy documents by meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Element, PolicyDocument, Principals, Statement, account_principal};

impl PolicyDocument {
    /// Returns whether two documents mean the same, even if written differently.
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        self.normalised() == other.normalised()
    }

    /// Returns the document with actions and condition keys in lower case, account principals in their short form, and
    /// sorted statements, so that two documents that IAM treats alike are equal.
    fn normalised(&self) -> Self {
        let mut statements: Vec<_> = self.statements.iter().map(Statement::normalised).collect();
        statements.sort();
        Self { version: self.version.clone(), id: None, statements }
    }
}

impl Statement {
    fn normalised(&self) -> Self {
        let lower = |set: &BTreeSet<String>| set.iter().map(|s| s.to_ascii_lowercase()).collect();
        let condition = lower_keys(&self.condition, lower_keys_of_values);
        Self {
            principal: self.principal.as_ref().map(|element| element.map(Principals::normalised)),
            action: self.action.map(lower),
            condition,
            ..self.clone()
        }
    }
}

impl<T> Element<T> {
    fn map<U>(&self, f: impl FnOnce(&T) -> U) -> Element<U> {
        match self {
            Self::Is(value) => Element::Is(f(value)),
            Self::Not(value) => Element::Not(f(value)),
        }
    }
}

impl Principals {
    fn normalised(&self) -> Self {
        let Self::Listed(kinds) = self else {
            return Self::Everyone;
        };
        let kinds = kinds.iter().map(|(kind, ids)| {
            let ids =
                ids.iter().map(|id| account_principal(id).map_or_else(|| id.clone(), |account| account.to_string()));
            (kind.clone(), ids.collect())
        });
        Self::Listed(kinds.collect())
    }
}

/// Returns the map with keys in lower case. Two keys that differ only in case stay as written, so that neither hides
/// the other.
fn lower_keys<T>(map: &BTreeMap<String, T>, value: impl Fn(&T) -> T) -> BTreeMap<String, T> {
    let twins = |key: &str| map.keys().filter(|other| other.eq_ignore_ascii_case(key)).count();
    let lowered = map.iter().map(|(key, found)| {
        let key = if twins(key) > 1 { key.clone() } else { key.to_ascii_lowercase() };
        (key, value(found))
    });
    lowered.collect()
}

fn lower_keys_of_values(keys: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    lower_keys(keys, Clone::clone)
}
