//! Policy documents and queries on them.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::names::AccountId;

/// The only policy language version that xacct writes.
pub const VERSION: &str = "2012-10-17";

/// The document of a trust policy, a permissions policy, a boundary or a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    /// `Version`, if present. Absent means `2008-10-17`, in which policy variables are plain text.
    pub version: Option<String>,
    /// `Id`, if present.
    pub id: Option<String>,
    /// The statements, in order.
    pub statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// `Sid`, if present.
    pub sid: Option<String>,
    /// Whether the statement allows or denies.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`: only in resource policies, such as a role's trust policy.
    pub principal: Option<Element<Principals>>,
    /// `Action` or `NotAction`.
    pub action: Element<BTreeSet<String>>,
    /// `Resource` or `NotResource`: absent from trust policies.
    pub resource: Option<Element<BTreeSet<String>>>,
    /// Condition keys and their values by operator, as written.
    pub condition: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// `"Effect": "Allow"`
    Allow,
    /// `"Effect": "Deny"`
    Deny,
}

/// An element that has a `Not…` twin, such as `Action` and `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element<T> {
    /// Matches what is listed.
    Is(T),
    /// Matches everything except what is listed.
    Not(T),
}

/// The principals in a resource policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principals {
    /// `"*"`, or `{"AWS": "*"}`: everyone, in every account.
    Everyone,
    /// Kind (`AWS`, `Service`, `Federated`, `CanonicalUser`) → identifiers.
    Listed(BTreeMap<String, BTreeSet<String>>),
}

impl PolicyDocument {
    /// Returns a document with these statements, in the version that xacct writes.
    #[must_use]
    pub fn of(statements: Vec<Statement>) -> Self {
        Self { version: Some(VERSION.to_owned()), id: None, statements }
    }

    /// Returns the statement with this `Sid`.
    #[must_use]
    pub fn statement(&self, sid: &str) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.sid.as_deref() == Some(sid))
    }

    /// Returns the statements with such a `Sid`.
    #[must_use]
    pub fn only(&self, is_wanted: fn(&str) -> bool) -> Self {
        let is_one = |statement: &&Statement| statement.sid.as_deref().is_some_and(is_wanted);
        Self { statements: self.statements.iter().filter(is_one).cloned().collect(), ..self.clone() }
    }

    /// Returns the external IDs that statements of this trust policy compare against, with any operator.
    #[must_use]
    pub fn external_ids(&self) -> BTreeSet<&str> {
        self.condition_values("sts:ExternalId")
    }

    /// Returns whether any statement compares this condition key with this value.
    #[must_use]
    pub fn compares(&self, key: &str, value: &str) -> bool {
        self.condition_values(key).contains(value)
    }

    /// Returns the values that any statement compares with this condition key.
    #[must_use]
    pub fn condition_values(&self, key: &str) -> BTreeSet<&str> {
        self.statements
            .iter()
            .flat_map(|statement| statement.condition.values())
            .flatten()
            .filter(|(name, _)| name.eq_ignore_ascii_case(key))
            .flat_map(|(_, values)| values.iter().map(String::as_str))
            .collect()
    }
}

/// Returns the account that a principal names as a whole: `111111111111` and `arn:aws:iam::111111111111:root` are the
/// same principal (IAM User Guide, AWS JSON policy elements: Principal).
#[must_use]
pub fn account_principal(principal: &str) -> Option<AccountId> {
    if let Ok(account) = principal.parse() {
        return Some(account);
    }
    let mut parts = principal.splitn(6, ':');
    let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    (arn == "arn" && service == "iam" && region.is_empty() && resource == "root").then(|| account.parse().ok())?
}

/// Returns whether this is a unique ID, which begins with four letters for its kind (IAM User Guide, "IAM identifiers",
/// unique IDs). Account IDs and ARNs have other forms.
#[must_use]
pub fn is_unique_id(identifier: &str) -> bool {
    identifier.len() >= 16
        && identifier.starts_with('A')
        && identifier.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}
