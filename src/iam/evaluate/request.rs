//! Requests to evaluate.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::names::AccountId;

/// A request to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who makes it.
    pub principal: Caller,
    /// The action, such as `sts:AssumeRole`.
    pub action: String,
    /// The ARN of the resource.
    pub resource: String,
    /// The condition keys.
    pub context: Context,
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A principal of an AWS account.
    Aws(Principal),
    /// An AWS service, by its service principal: `ec2.amazonaws.com`.
    Service(String),
    /// The bearer of a token or of a SAML assertion, by the provider as a `Principal` element names it: an ARN, or the
    /// host of an issuer that is built into AWS.
    Federated(String),
}

impl Caller {
    /// Returns the principal of an AWS account, if the caller is one.
    #[must_use]
    pub fn as_aws(&self) -> Option<&Principal> {
        match self {
            Self::Aws(principal) => Some(principal),
            Self::Service(_) | Self::Federated(_) => None,
        }
    }
}

impl From<Principal> for Caller {
    fn from(principal: Principal) -> Self {
        Self::Aws(principal)
    }
}

/// A principal of an AWS account: a user, the root user, a role session or a federated user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The principal's account.
    pub account: AccountId,
    /// All ARNs by which a `Principal` element may name it: that of the user, or those of the session and its role.
    pub arns: BTreeSet<String>,
    /// The unique ID, such as `AIDA…`, by which a policy names a deleted and recreated principal.
    pub unique_id: Option<String>,
}

/// The request context: condition keys and their values. Keys are case-insensitive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Sets a key. A key without values is absent.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        let values: Vec<_> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            self.0.remove(&key.to_ascii_lowercase());
        } else {
            self.0.insert(key.to_ascii_lowercase(), values);
        }
    }

    /// Returns the values of a key, empty if it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> &[String] {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }
}
