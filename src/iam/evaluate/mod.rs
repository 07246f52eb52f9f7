//! Decides requests as AWS does, and says why.
//!
//! A decision comes with its reasons: for every statement of every policy whether it matched, and if not, on which
//! element or condition key. The words for them are made elsewhere.
//!
//! The rules are those of the IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic" and the
//! reference of policy elements. `tests/cases/evaluate` has a case for each, with its source.

mod condition;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use super::names::AccountId;
use super::policy::{Effect, Element, PolicyDocument, Principals, Statement, account_principal};
use condition::Test;
use pattern::Pattern;

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

    /// The values of a key; empty if it is absent.
    #[must_use]
    pub fn get(&self, key: &str) -> &[String] {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }
}

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
    /// Whether the statement applies to the request.
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

/// What an identity policy, a boundary or a session policy says: its statements have no principal.
#[must_use]
pub fn identity_policy(policy: &PolicyDocument, request: &Request) -> Finding {
    evaluate(policy, request, false)
}

/// What a resource policy says, such as the trust policy of a role.
#[must_use]
pub fn resource_policy(policy: &PolicyDocument, request: &Request) -> Finding {
    evaluate(policy, request, true)
}

/// The decision of several policies of one kind: one denial denies, else one permission allows.
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
        variables: policy.version.as_deref() == Some(super::policy::VERSION),
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

/// How text in a policy is to be read.
struct Language<'a> {
    variables: bool,
    context: &'a Context,
}

impl Language<'_> {
    /// A pattern with its policy variables filled in; `None` when the request has no value for one of them.
    fn pattern(&self, text: &str) -> Option<Pattern> {
        Pattern::with_variables(text, self.variables.then_some(self.context))
    }

    /// The same for an ARN of a `Resource` element.
    fn resource(&self, text: &str) -> Option<Pattern> {
        Pattern::of_resource(text, self.variables.then_some(self.context))
    }
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

fn principal_matches(element: Option<&Element<Principals>>, principal: &Principal) -> bool {
    match element {
        None => false,
        Some(Element::Is(Principals::Everyone)) => true,
        Some(Element::Is(Principals::Listed(kinds))) => kinds.get("AWS").is_some_and(|listed| names(listed, principal)),
        Some(Element::Not(Principals::Everyone)) => false,
        Some(Element::Not(Principals::Listed(kinds))) => {
            !kinds.get("AWS").is_some_and(|listed| excepts(listed, principal))
        }
    }
}

/// Whether one of these identifiers names the principal: its ARN, that of its role, its unique ID, or its account (IAM
/// User Guide, Principal). There are no wildcards in them, and case matters.
fn names(identifiers: &BTreeSet<String>, principal: &Principal) -> bool {
    identifiers.iter().any(|identifier| {
        principal.arns.contains(identifier)
            || principal.unique_id.as_ref() == Some(identifier)
            || account_principal(identifier).is_some_and(|account| account == principal.account)
    })
}

/// Whether `NotPrincipal` leaves the principal alone.
///
/// An account that is listed is not enough, for in AWS's own example `NotPrincipal` lists Bob and Bob's account, and
/// "all principals except the user named Bob" are denied. Of a session both the session and its role must be listed
/// (IAM User Guide, NotPrincipal; AWS Security Blog, "How to restrict Amazon S3 bucket access to a specific IAM role").
fn excepts(identifiers: &BTreeSet<String>, principal: &Principal) -> bool {
    let by_id = principal.unique_id.as_ref().is_some_and(|id| identifiers.contains(id));
    let is_listed = |arn: &String| {
        let is_session = arn.contains(":assumed-role/");
        let account = account_principal(arn);
        identifiers.contains(arn)
            || by_id && !is_session
            || account.is_some() && identifiers.iter().any(|identifier| account_principal(identifier) == account)
    };
    !principal.arns.is_empty() && principal.arns.iter().all(is_listed)
}

/// "The prefix and the action name are case insensitive" (IAM User Guide, Action).
pub(super) fn action_matches(element: &Element<BTreeSet<String>>, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let listed = |actions: &BTreeSet<String>| {
        actions.iter().any(|listed| Pattern::with_wildcards(&listed.to_ascii_lowercase()).matches(&action))
    };
    match element {
        Element::Is(actions) => listed(actions),
        Element::Not(actions) => !listed(actions),
    }
}

/// A trust policy has no `Resource`: it speaks of the role that it is attached to. A resource with a variable that has
/// no value "will not match any resource" (IAM User Guide, "Policy variables with no value"), so `NotResource` with one
/// matches all.
fn resource_matches(element: Option<&Element<BTreeSet<String>>>, resource: &str, language: &Language<'_>) -> bool {
    let listed = |resources: &BTreeSet<String>| {
        resources.iter().any(|listed| language.resource(listed).is_some_and(|pattern| pattern.matches(resource)))
    };
    match element {
        None => true,
        Some(Element::Is(resources)) => listed(resources),
        Some(Element::Not(resources)) => !listed(resources),
    }
}

#[cfg(test)]
mod tests;
