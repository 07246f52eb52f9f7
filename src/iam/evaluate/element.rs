//! Matches the elements of a statement: `Principal`, `Action`, `Resource`.

use std::collections::{BTreeMap, BTreeSet};

use super::language::Language;
use super::pattern::Pattern;
use super::request::{Caller, Principal};
use crate::iam::policy::{Element, Principals, account_principal};

/// Returns whether a `Principal` element matches. `*` is everyone: principals of accounts, services and the federated
/// (IAM User Guide, Principal, "All principals").
pub(super) fn principal_matches(element: Option<&Element<Principals>>, caller: &Caller) -> bool {
    match element {
        None => false,
        Some(Element::Is(Principals::Everyone)) => true,
        Some(Element::Is(Principals::Listed(kinds))) => listed(kinds, caller, names),
        Some(Element::Not(Principals::Everyone)) => false,
        Some(Element::Not(Principals::Listed(kinds))) => !listed(kinds, caller, excepts),
    }
}

/// Returns whether the identifiers of the caller's kind name it.
fn listed(
    kinds: &BTreeMap<String, BTreeSet<String>>,
    caller: &Caller,
    aws: fn(&BTreeSet<String>, &Principal) -> bool,
) -> bool {
    let of = |kind| kinds.get(kind);
    match caller {
        Caller::Aws(principal) => of("AWS").is_some_and(|identifiers| aws(identifiers, principal)),
        Caller::Service(name) => of("Service").is_some_and(|names| names.contains(name)),
        Caller::Federated(provider) => of("Federated").is_some_and(|providers| providers.contains(provider)),
    }
}

/// Returns whether one of these identifiers names the principal: its ARN, that of its role, its unique ID, or its
/// account (IAM User Guide, Principal). Identifiers have no wildcards and are case-sensitive.
fn names(identifiers: &BTreeSet<String>, principal: &Principal) -> bool {
    identifiers.iter().any(|identifier| {
        principal.arns.contains(identifier)
            || principal.unique_id.as_ref() == Some(identifier)
            || account_principal(identifier).is_some_and(|account| account == principal.account)
    })
}

/// Returns whether `NotPrincipal` excepts the principal.
///
/// Listing the account is not enough: in AWS's own example `NotPrincipal` lists Bob and Bob's account, and "all
/// principals except the user named Bob" are denied. For a session, both the session and its role must be listed (IAM
/// User Guide, NotPrincipal; AWS Security Blog, "How to restrict Amazon S3 bucket access to a specific IAM role").
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

/// Returns whether an action matches: "the prefix and the action name are case insensitive" (IAM User Guide, Action).
pub(in crate::iam) fn action_matches(element: &Element<BTreeSet<String>>, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let listed = |actions: &BTreeSet<String>| {
        actions.iter().any(|listed| Pattern::with_wildcards(&listed.to_ascii_lowercase()).matches(&action))
    };
    match element {
        Element::Is(actions) => listed(actions),
        Element::Not(actions) => !listed(actions),
    }
}

/// Returns whether a resource matches. A trust policy has no `Resource`: it is about its own role. A resource with a
/// variable without value "will not match any resource" (IAM User Guide, "Policy variables with no value"), so
/// `NotResource` with such a variable matches all.
pub(in crate::iam) fn resource_matches(
    element: Option<&Element<BTreeSet<String>>>,
    resource: &str,
    language: &Language<'_>,
) -> bool {
    let listed = |resources: &BTreeSet<String>| {
        resources.iter().any(|listed| language.resource(listed).is_some_and(|pattern| pattern.matches(resource)))
    };
    match element {
        None => true,
        Some(Element::Is(resources)) => listed(resources),
        Some(Element::Not(resources)) => !listed(resources),
    }
}
