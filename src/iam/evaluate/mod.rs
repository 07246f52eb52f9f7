//! Evaluates requests as AWS does, with reasons.
//!
//! A decision has reasons: for every statement of every policy whether it matched, and if not, which element or
//! condition key did not. Other modules put them into words.
//!
//! The rules are from the IAM User Guide: "Policy evaluation logic", "Cross-account policy evaluation logic" and the
//! policy elements reference. `tests/cases/evaluate` has a case for each rule, with its source.

mod condition;
mod element;
mod finding;
mod language;
mod partial;
mod pattern;
mod request;
mod within;

pub use finding::{Decision, Finding, Mismatch, StatementFinding};
pub use pattern::variables;
pub use request::{Caller, Context, Principal, Request};
pub use within::allows_only_what;

pub(super) use condition::Test;
pub(super) use element::{action_matches, resource_matches};
pub(super) use language::Language;
pub(super) use partial::{Known, Met, Value};
pub(super) use pattern::Pattern;

use super::policy::{Effect, PolicyDocument, Statement, VERSION};
use element::principal_matches;

/// Evaluates an identity policy, a boundary or a session policy, whose statements have no principal.
#[must_use]
pub fn identity_policy(policy: &PolicyDocument, request: &Request) -> Finding {
    evaluate(policy, request, false)
}

/// Evaluates a resource policy, such as the trust policy of a role.
#[must_use]
pub fn resource_policy(policy: &PolicyDocument, request: &Request) -> Finding {
    evaluate(policy, request, true)
}

/// Returns the decision of several policies of one kind: any explicit deny denies, otherwise any allow allows.
#[must_use]
pub fn together<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Decision {
    let mut decision = Decision::ImplicitlyDenied;
    for finding in findings {
        match finding.decision {
            Decision::ExplicitlyDenied => return Decision::ExplicitlyDenied,
            Decision::Allowed => decision = Decision::Allowed,
            Decision::ImplicitlyDenied => {}
        }
    }
    decision
}

fn evaluate(policy: &PolicyDocument, request: &Request, is_resource_policy: bool) -> Finding {
    let language = Language {
        // In the older version of the language, `${…}` is plain text (IAM User Guide, Version).
        variables: policy.version.as_deref() == Some(VERSION),
        context: &request.context,
    };
    let statements: Vec<_> = policy
        .statements
        .iter()
        .map(|statement| StatementFinding {
            sid: statement.sid.clone(),
            effect: statement.effect,
            mismatches: mismatches(statement, request, &language, is_resource_policy),
        })
        .collect();
    let applies = |effect| statements.iter().any(|finding| finding.effect == effect && finding.applies());
    let decision = if applies(Effect::Deny) {
        Decision::ExplicitlyDenied
    } else if applies(Effect::Allow) {
        Decision::Allowed
    } else {
        Decision::ImplicitlyDenied
    };
    Finding { decision, statements }
}

fn mismatches(
    statement: &Statement,
    request: &Request,
    language: &Language<'_>,
    is_resource_policy: bool,
) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    if is_resource_policy && !principal_matches(statement.principal.as_ref(), &request.principal) {
        mismatches.push(Mismatch::Principal);
    }
    if !action_matches(&statement.action, &request.action) {
        mismatches.push(Mismatch::Action);
    }
    if !resource_matches(statement.resource.as_ref(), &request.resource, language) {
        mismatches.push(Mismatch::Resource);
    }
    for (operator, keys) in &statement.condition {
        let Some(test) = Test::parse(operator) else {
            mismatches.push(Mismatch::UnknownOperator { operator: operator.clone() });
            continue;
        };
        for (key, wanted) in keys {
            let found = request.context.get(key);
            if !test.is_met(wanted, found, language) {
                let (operator, key, found) = (operator.clone(), key.clone(), found.to_vec());
                mismatches.push(Mismatch::Condition { operator, key, wanted: wanted.clone(), found });
            }
        }
    }
    mismatches
}

#[cfg(test)]
mod tests;
