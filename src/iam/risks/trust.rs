//! The risks of a trust policy.

use std::collections::BTreeSet;

use super::risk::Risk;
use crate::iam::evaluate::action_matches;
use crate::iam::names::AccountId;
use crate::iam::policy::{Effect, Element, PolicyDocument, Principals, Statement, account_principal, is_unique_id};

/// Returns the risks of a trust policy of a role in account `own`.
#[must_use]
pub fn of_trust(document: &PolicyDocument, own: &AccountId) -> Vec<Risk> {
    let mut risks = Vec::new();
    let mut add = |risk: Risk| {
        if !risks.contains(&risk) {
            risks.push(risk);
        }
    };
    for statement in &document.statements {
        for id in identifiers(statement).filter(|id| is_unique_id(id)) {
            add(Risk::DeletedPrincipal { id: id.clone(), effect: statement.effect });
        }
        if statement.effect == Effect::Deny || !may_assume(statement) {
            continue;
        }
        if is_for_everyone(statement) && !KEYS_OF_WHO.iter().any(|key| requires(document, statement, key, is_exact)) {
            add(Risk::Everyone);
        }
        for account in whole_accounts(document, statement).into_iter().filter(|account| account != own) {
            add(Risk::ConfusedDeputy { account });
        }
        if let Some(operator) = mfa_if_exists(document, statement) {
            add(Risk::MfaIfExists { operator });
        }
    }
    risks
}

/// Condition keys that identify the caller (IAM User Guide, "AWS global condition context keys").
const KEYS_OF_WHO: [&str; 4] =
    ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"];

/// Returns whether a statement covers assuming the role: one with only `sts:TagSession` does not.
fn may_assume(statement: &Statement) -> bool {
    let actions = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];
    actions.iter().any(|action| action_matches(&statement.action, action))
}

/// Returns whether a statement is about everyone: with `Principal: *`, or with `NotPrincipal`, which excludes only a
/// few.
fn is_for_everyone(statement: &Statement) -> bool {
    matches!(statement.principal, Some(Element::Is(Principals::Everyone) | Element::Not(Principals::Listed(_))))
}

/// Returns the identifiers that a statement lists under `AWS`.
fn identifiers(statement: &Statement) -> impl Iterator<Item = &String> {
    let listed = match &statement.principal {
        Some(Element::Is(Principals::Listed(kinds)) | Element::Not(Principals::Listed(kinds))) => kinds.get("AWS"),
        _ => None,
    };
    listed.into_iter().flatten()
}

/// Returns the accounts that a statement trusts as a whole without an external ID.
fn whole_accounts(document: &PolicyDocument, statement: &Statement) -> BTreeSet<AccountId> {
    let requires = |key, is_narrow: fn(&str) -> bool| requires(document, statement, key, is_narrow);
    if requires("sts:ExternalId", is_not_just_wildcards)
        || requires("aws:PrincipalArn", is_part_of_an_account)
        || requires("aws:PrincipalOrgID", is_exact)
    {
        return BTreeSet::new();
    }
    if is_for_everyone(statement) {
        let accounts = tests(statement).filter(|(_, key, _)| key.eq_ignore_ascii_case("aws:PrincipalAccount"));
        return accounts.flat_map(|(.., values)| values).filter_map(|account| account.parse().ok()).collect();
    }
    identifiers(statement).filter_map(|id| account_principal(id)).collect()
}

/// Returns whether a request is allowed only if this key has a narrow enough value: because the statement requires it,
/// or because another statement denies all other values.
fn requires(document: &PolicyDocument, statement: &Statement, key: &str, is_narrow: fn(&str) -> bool) -> bool {
    let is_narrowed_by = |operators: [&str; 5], (operator, tested, values): &Test<'_>| {
        operators.contains(&operator.name.as_str())
            && tested.eq_ignore_ascii_case(key)
            && !values.is_empty()
            && values.iter().all(|value| is_narrow(value))
    };
    let asks = ["stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"];
    let denies = ["stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike"];
    // An absent key meets a negated operator, with or without IfExists (IAM User Guide, "Condition operators").
    let denies_the_rest = |other: &Statement| {
        let is_met = |test: Test<'_>| !test.0.is_quantified && is_narrowed_by(denies, &test);
        is_denial_for(other, statement) && tests(other).all(is_met)
    };
    tests(statement).any(|test| !test.0.passes_absent && is_narrowed_by(asks, &test))
        || document.statements.iter().any(denies_the_rest)
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
    is_quantified: bool,
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
        Self { written, name: name.to_owned(), is_quantified: quantifier.is_some(), passes_absent }
    }
}

/// Operator, key and values of a condition.
type Test<'a> = (Operator<'a>, &'a String, &'a BTreeSet<String>);

fn tests(statement: &Statement) -> impl Iterator<Item = Test<'_>> {
    let conditions = statement.condition.iter();
    conditions.flat_map(|(operator, keys)| keys.iter().map(|(key, values)| (Operator::read(operator), key, values)))
}

/// Returns whether the owner in the value has no wildcard: the account of an ARN, or the organization of a path.
fn is_exact(value: &str) -> bool {
    let owner = if value.starts_with("arn:") { value.split(':').nth(4) } else { value.split('/').next() };
    owner.is_some_and(|owner| !owner.is_empty() && !owner.contains(['*', '?']))
}

fn is_not_just_wildcards(value: &str) -> bool {
    !value.chars().all(|c| matches!(c, '*' | '?'))
}

/// Returns whether an ARN covers only part of its account: `arn:aws:iam::111111111111:*` covers all of it.
fn is_part_of_an_account(arn: &str) -> bool {
    arn.splitn(6, ':').nth(5).is_some_and(is_not_just_wildcards)
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
