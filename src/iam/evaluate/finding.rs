//! Decisions with their reasons.

use std::collections::BTreeSet;

use crate::iam::policy::Effect;

/// What policies decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// Nothing allows it.
    ImplicitlyDenied,
    /// A statement denies it.
    ExplicitlyDenied,
}

/// What one policy says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The decision of this policy alone.
    pub decision: Decision,
    /// Each statement, in order.
    pub statements: Vec<StatementFinding>,
}

/// What one statement says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFinding {
    /// `Sid`, when given.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Why it does not apply; empty when it does.
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
    /// It speaks of other principals.
    Principal,
    /// It speaks of other actions.
    Action,
    /// It speaks of other resources.
    Resource,
    /// A condition is not met.
    Condition {
        /// The operator as it was written.
        operator: String,
        /// The key as it was written.
        key: String,
        /// The values that the policy names.
        wanted: BTreeSet<String>,
        /// The values in the request; empty if the key is absent.
        found: Vec<String>,
    },
    /// The operator is none that is known, so the condition cannot be judged.
    UnknownOperator {
        /// The operator as it was written.
        operator: String,
    },
}
