//! Decisions with their reasons.

use std::collections::BTreeSet;

use crate::iam::policy::Effect;

/// What policies decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// A statement allows the request, and none denies it.
    Allowed,
    /// No statement allows the request.
    ImplicitlyDenied,
    /// A statement denies the request.
    ExplicitlyDenied,
}

/// How one policy decides a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The decision of this policy alone.
    pub decision: Decision,
    /// The findings of its statements, in order.
    pub statements: Vec<StatementFinding>,
}

/// How one statement applies to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFinding {
    /// `Sid`, when given.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Why it does not apply; empty if it applies.
    pub mismatches: Vec<Mismatch>,
}

impl StatementFinding {
    /// Returns whether the statement applies to the request.
    #[must_use]
    pub fn applies(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// Why a statement does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The principal does not match.
    Principal,
    /// The action does not match.
    Action,
    /// The resource does not match.
    Resource,
    /// The request does not meet a condition.
    Condition {
        /// The operator as written.
        operator: String,
        /// The key as written.
        key: String,
        /// The values in the policy.
        wanted: BTreeSet<String>,
        /// The values in the request; empty if the key is absent.
        found: Vec<String>,
    },
    /// xacct does not know the operator, so it cannot evaluate the condition.
    UnknownOperator {
        /// The operator as written.
        operator: String,
    },
}
