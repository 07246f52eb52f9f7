//! Requests, as policies see them.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::names::AccountId;

/// A request, as policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who makes it.
    pub principal: Principal,
    /// What is to be done, such as `sts:AssumeRole`.
    pub action: String,
    /// The ARN of what it is to be done to.
    pub resource: String,
    /// What else is known about the request.
    pub context: Context,
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account that the principal belongs to.
    pub account: AccountId,
    /// All ARNs by which a `Principal` element may name it: of the user, or of the session and of its role.
    pub arns: BTreeSet<String>,
    /// The unique ID, such as `AIDA…`, by which a policy names a principal that was deleted and made again.
    pub unique_id: Option<String>,
}

/// The request context: condition keys and their values. Keys are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Sets a key. A key with no values is absent.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        let values: Vec<_> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            self.0.remove(&key.to_ascii_lowercase());
        } else {
            self.0.insert(key.to_ascii_lowercase(), values);
        }
    }

    /// Returns the values of a key; empty if it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> &[String] {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }
}
