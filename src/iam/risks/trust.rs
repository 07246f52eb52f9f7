//! The risks of a trust policy.

use std::collections::BTreeSet;

use super::risk::Risk;
use crate::iam::admission::{self, Admitted, Subject, Who};
use crate::iam::evaluate::action_matches;
use crate::iam::policy::{Effect, Element, PolicyDocument, Principals, Statement, is_unique_id};

/// Returns the risks of the trust policy of a role.
#[must_use]
pub fn of_trust(document: &PolicyDocument, subject: Subject<'_>) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut add = |risk: Risk| {
        if !risks.contains(&risk) {
            risks.push(risk);
        }
    };
    let admitted = admission::of_trust(document, subject);
    for (index, statement) in document.statements.iter().enumerate() {
        for id in identifiers(statement).filter(|id| is_unique_id(id)) {
            add(Risk::DeletedPrincipal { id: id.clone(), effect: statement.effect });
        }
        if statement.effect == Effect::Deny || !may_assume(statement) {
            continue;
        }
        for admitted in admitted.iter().filter(|admitted| admitted.statement == index) {
            match &admitted.who {
                Who::Everyone => add(Risk::Everyone),
                Who::Account(account) if *account != subject.role.account && is_open(admitted) => {
                    add(Risk::ConfusedDeputy { account: account.clone() });
                }
                _ => {}
            }
        }
        if let Some(operator) = mfa_if_exists(document, statement) {
            add(Risk::MfaIfExists { operator });
        }
    }
    risks
}

/// Returns whether a class needs no external ID. Of an account that must be in an organization, it is undecided whether
/// it gets in at all.
fn is_open(admitted: &Admitted) -> bool {
    !admitted.needs.external_id && admitted.undecided.is_none()
}

/// Returns whether a statement covers assuming the role: one with only `sts:TagSession` does not.
fn may_assume(statement: &Statement) -> bool {
    let actions = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];
    actions.iter().any(|action| action_matches(&statement.action, action))
}

/// Returns the identifiers that a statement lists under `AWS`.
fn identifiers(statement: &Statement) -> impl Iterator<Item = &String> {
    let listed = match &statement.principal {
        Some(Element::Is(Principals::Listed(kinds)) | Element::Not(Principals::Listed(kinds))) => kinds.get("AWS"),
        _ => None,
    };
    listed.into_iter().flatten()
}

/// Returns whether a statement denies all principals of the other one on exactly one condition. With a second
/// condition, requests that do not meet it would not be denied.
fn is_denial_for(denial: &Statement, statement: &Statement) -> bool {
    let is_everyone = denial.principal == Some(Element::Is(Principals::Everyone));
    denial.effect == Effect::Deny
        && (is_everyone || denial.principal == statement.principal)
        && action_matches(&denial.action, "sts:AssumeRole")
        && tests(denial).count() == 1
}

/// A parsed condition operator.
struct Operator<'a> {
    written: &'a str,
    /// The name in lower case, without prefix and suffix.
    name: String,
    /// Whether a request without the key meets the condition, unless the operator is negated: `ForAllValues` and
    /// `IfExists` are true without values (IAM User Guide, "Condition operators").
    passes_absent: bool,
}

impl<'a> Operator<'a> {
    fn read(written: &'a str) -> Self {
        let lower = written.to_ascii_lowercase();
        let (quantifier, rest) = lower.split_once(':').map_or((None, lower.as_str()), |(q, rest)| (Some(q), rest));
        let (name, if_exists) = rest.strip_suffix("ifexists").map_or((rest, false), |name| (name, true));
        let passes_absent = quantifier == Some("forallvalues") || if_exists && quantifier.is_none();
        Self { written, name: name.to_owned(), passes_absent }
    }
}

/// Operator, key and values of a condition.
type Test<'a> = (Operator<'a>, &'a String, &'a BTreeSet<String>);

fn tests(statement: &Statement) -> impl Iterator<Item = Test<'_>> {
    let conditions = statement.condition.iter();
    conditions.flat_map(|(operator, keys)| keys.iter().map(|(key, values)| (Operator::read(operator), key, values)))
}

/// Returns whether a statement allows no request without MFA.
pub(super) fn requires_mfa(statement: &Statement) -> bool {
    tests(statement).any(|(operator, key, values)| {
        let must_exist = operator.name == "null" && is_of_mfa(key) && all_are(values, "false");
        must_exist || !operator.passes_absent && is_about_mfa(&operator, key, values)
    })
}

/// Returns the operator with which a statement tries to require MFA and does not: requests with long-term access keys
/// lack the keys, and `IfExists` then accepts the request (IAM User Guide, "AWS global condition context keys",
/// aws:MultiFactorAuthPresent).
fn mfa_if_exists(document: &PolicyDocument, statement: &Statement) -> Option<String> {
    // `BoolIfExists` with `false` is right in a Deny, as the same page says.
    let denies_the_rest = |other: &Statement| {
        let is_met = |(operator, key, values): Test<'_>| {
            let is_absent = operator.name == "null" && is_of_mfa(key) && all_are(values, "true");
            let is_false = operator.name == "bool" && operator.passes_absent && is_present(key);
            is_absent || is_false && all_are(values, "false")
        };
        is_denial_for(other, statement) && tests(other).all(is_met)
    };
    if requires_mfa(statement) || document.statements.iter().any(denies_the_rest) {
        return None;
    }
    let mut asking = tests(statement).filter(|(operator, key, values)| is_about_mfa(operator, key, values));
    asking.next().map(|(operator, ..)| operator.written.to_owned())
}

fn is_present(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:MultiFactorAuthPresent")
}

fn is_age(key: &str) -> bool {
    key.eq_ignore_ascii_case("aws:MultiFactorAuthAge")
}

fn is_of_mfa(key: &str) -> bool {
    is_present(key) || is_age(key)
}

/// Returns whether a condition requires MFA, strictly or not.
fn is_about_mfa(operator: &Operator<'_>, key: &str, values: &BTreeSet<String>) -> bool {
    is_present(key) && operator.name == "bool" && all_are(values, "true")
        || is_age(key) && operator.name.starts_with("numericless")
}

fn all_are(values: &BTreeSet<String>, text: &str) -> bool {
    values.iter().all(|value| value.eq_ignore_ascii_case(text))
}
