//! Compares policy documents by meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Effect, Element, PolicyDocument, Principals, Statement, account_principal};

impl PolicyDocument {
    /// Returns whether two documents mean the same, even if written differently.
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        self.normalised() == other.normalised()
    }

    /// Returns whether a statement of the document means the same as this one.
    #[must_use]
    pub fn contains(&self, statement: &Statement) -> bool {
        let wanted = statement.normalised();
        self.statements.iter().any(|statement| statement.normalised() == wanted)
    }

    /// Returns whether a statement of the document denies the same as this one, whatever its `Sid` is.
    #[must_use]
    pub fn denies_what(&self, denial: &Statement) -> bool {
        let denial = denial.normalised();
        self.statements.iter().any(|statement| statement.normalised().denies_as(&denial))
    }

    /// Returns whether every request that this trust policy allows is certainly allowed by `other` too. That is certain if
    /// each Allow statement is in `other`, there with the same or more principals and actions and the same or fewer
    /// conditions, and each Deny statement of `other` is in this policy.
    #[must_use]
    pub fn admits_only_whom(&self, other: &Self) -> bool {
        let (narrow, wide) = (self.normalised(), other.normalised());
        narrow.version == wide.version
            && narrow
                .statements
                .iter()
                .filter(|statement| statement.effect == Effect::Allow)
                .all(|statement| wide.statements.iter().any(|other| statement.is_within(other)))
            && wide
                .statements
                .iter()
                .filter(|denial| denial.effect == Effect::Deny)
                .all(|denial| narrow.statements.iter().any(|statement| statement.denies_as(denial)))
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

    /// Returns whether `other` allows every request that this statement allows. Both are normalised.
    fn is_within(&self, other: &Self) -> bool {
        let principals = match (&self.principal, &other.principal) {
            (Some(Element::Is(_)), Some(Element::Is(Principals::Everyone))) => true,
            (Some(Element::Is(Principals::Listed(these))), Some(Element::Is(Principals::Listed(those)))) => {
                these.iter().all(|(kind, ids)| those.get(kind).is_some_and(|known| ids.is_subset(known)))
            }
            (these, those) => these == those,
        };
        let actions = match (&self.action, &other.action) {
            (Element::Is(these), Element::Is(those)) => these.is_subset(those),
            (these, those) => these == those,
        };
        let conditions = other.condition.iter().all(|(operator, keys)| {
            keys.iter().all(|(key, values)| {
                self.condition.get(operator).and_then(|keys| keys.get(key)).is_some_and(|found| found == values)
            })
        });
        other.effect == Effect::Allow && principals && actions && conditions && self.resource == other.resource
    }

    /// Returns whether both normalised statements are equal except for their `Sid`.
    fn denies_as(&self, other: &Self) -> bool {
        *self == Self { sid: self.sid.clone(), ..other.clone() }
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
