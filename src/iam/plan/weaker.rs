//! How changes make a role that exists weaker than it is now. Pure.
//!
//! What xacct cannot compare counts as weaker. What the role's tags say that xacct set up before is no more than was agreed
//! to, so that a run which was interrupted, or which repairs the link, can go on.

use std::collections::{BTreeMap, BTreeSet};

use super::change::Change;
use crate::iam::admission::{Admitted, Who, of_trust, says_whose_token};
use crate::iam::evaluate::{action_matches, allows_only_what};
use crate::iam::names::{AccountId, PolicyName};
use crate::iam::policy::{Effect, Element, PolicyDocument, Principals, Statement, account_principal};
use crate::iam::risks::{Weaker, allows_everything, is_administrator_access};
use crate::iam::state::{DesiredRole, FoundDocument, ObservedRole, SOURCE_TAG};
use crate::iam::templates::{self, SESSION_TAGS_SID, VERIFY_POLICY, is_own_sid};

/// Returns each way in which the changes make the role weaker.
pub(super) fn of_changes(changes: &[Change], desired: &DesiredRole, observed: &ObservedRole) -> Vec<Weaker> {
    let mut found = Vec::new();
    for change in changes {
        match change {
            Change::ReplaceTrustPolicy { from, to, .. } => match from.policy() {
                Some(from) => found.extend(of_trust_policy(from, to, desired, observed)),
                None => found.push(Weaker::TrustNotCompared),
            },
            Change::UpdateRole { from: (_, seconds), max_session, .. } if max_session.as_secs() > *seconds => {
                found.push(Weaker::SessionLonger { from: *seconds, to: *max_session });
            }
            // A boundary that allows everything limits nothing.
            Change::SetBoundary { from: Some(from), to } if !is_administrator_access(from) => {
                found.push(Weaker::BoundaryReplaced { from: from.clone(), to: to.to_string() });
            }
            _ => {}
        }
    }
    found.extend(of_policies(changes, desired, observed));
    found
}

fn of_trust_policy(
    from: &PolicyDocument,
    to: &PolicyDocument,
    desired: &DesiredRole,
    observed: &ObservedRole,
) -> Vec<Weaker> {
    if to.admits_only_whom(from) {
        return Vec::new();
    }
    let mut found = of_denials(from, to);
    found.extend(of_session_tags(from, to, &desired.source));
    let subject = desired.subject(Some(observed));
    let before: Vec<_> = of_trust(from, subject).into_iter().filter(|admitted| !admitted.who.is_nobody()).collect();
    for after in of_trust(to, subject).iter().filter(|admitted| !admitted.who.is_nobody()) {
        let includes = |now: &&Admitted| now.who.covers(&after.who);
        let is_certain = |now: &&Admitted| now.undecided.is_none() || now.undecided == after.undecided;
        let known: Vec<_> = before.iter().filter(includes).filter(is_certain).collect();
        let is_own = |now: &&Admitted| now.sid == after.sid && now.sid.as_deref().is_some_and(is_own_sid);
        let (new, alike) = match known.is_empty() {
            true => {
                let new = newly_admitted(&after.who, &before, observed).filter(|_| !is_given(&after.who, desired));
                (new, before.iter().filter(is_own).collect())
            }
            false => (None, known),
        };
        for weaker in new.into_iter().chain(of_conditions(after, &alike, (from, to), desired)) {
            if !found.contains(&weaker) {
                found.push(weaker);
            }
        }
    }
    found
}

/// Returns each Deny statement that the new trust policy does not have. The classes of callers do not tell: only some
/// callers may meet a Deny.
fn of_denials(from: &PolicyDocument, to: &PolicyDocument) -> Vec<Weaker> {
    let statements = from.statements.iter().zip(1..);
    let lost = statements.filter(|(it, _)| it.effect == Effect::Deny && !to.denies_what(it));
    lost.map(|(it, number)| Weaker::TrustDenialDropped { number, sid: it.sid.clone() }).collect()
}

/// Returns whether principals of the source account may send session tags, of whom none may now.
fn of_session_tags(from: &PolicyDocument, to: &PolicyDocument, source: &AccountId) -> Option<Weaker> {
    let is_of_source = |id: &String| {
        id == "*" || account_principal(id).as_ref() == Some(source) || id.split(':').nth(4) == Some(source.as_str())
    };
    let names_source = |principal: &Element<Principals>| match principal {
        Element::Is(Principals::Everyone) => true,
        Element::Is(Principals::Listed(kinds)) => kinds.get("AWS").into_iter().flatten().any(is_of_source),
        Element::Not(_) => false,
    };
    let allows = |it: &Statement| {
        it.effect == Effect::Allow
            && action_matches(&it.action, "sts:TagSession")
            && it.principal.as_ref().is_some_and(names_source)
    };
    let is_new = to.statement(SESSION_TAGS_SID).is_some() && !from.statements.iter().any(allows);
    is_new.then(|| Weaker::SessionTagsAllowed(source.clone()))
}

/// Returns how callers come to be admitted who are not admitted now. The source account that the role's tag names was
/// admitted before.
fn newly_admitted(who: &Who, before: &[Admitted], observed: &ObservedRole) -> Option<Weaker> {
    let account = account(who);
    let of_account = before.iter().map(|now| &now.who).filter(|now| account.is_some() && self::account(now) == account);
    let of_account: Vec<_> = of_account.cloned().collect();
    let is_source =
        account.is_some_and(|account| observed.tags.get(SOURCE_TAG).is_some_and(|tag| tag == account.as_str()));
    match who {
        _ if of_account.contains(who) => Some(Weaker::ConditionDropped(who.clone())),
        Who::Account(_) if !of_account.is_empty() => {
            Some(Weaker::RestrictionDropped { from: of_account, to: who.clone() })
        }
        _ if of_account.is_empty() && is_source && observed.is_ours() => None,
        _ => Some(Weaker::CallerAdded(who.clone())),
    }
}

/// Returns whether these callers are the principal that a command has named to get the link.
fn is_given(who: &Who, desired: &DesiredRole) -> bool {
    let given = desired.gives_to.as_ref().map(ToString::to_string);
    matches!(who, Who::Principal { arn, .. } if given.as_ref() == Some(arn))
}

fn account(who: &Who) -> Option<&AccountId> {
    match who {
        Who::Principal { account, .. } | Who::Matching { account, .. } | Who::Account(account) => Some(account),
        _ => None,
    }
}

/// Returns what callers no longer need that all who are admitted `alike` need now.
fn of_conditions(
    after: &Admitted,
    alike: &[&Admitted],
    (from, to): (&PolicyDocument, &PolicyDocument),
    desired: &DesiredRole,
) -> Vec<Weaker> {
    if alike.is_empty() {
        return Vec::new();
    }
    let who = || after.who.clone();
    let mut within = alike.iter().filter(|now| now.needs.are_within(after.needs)).peekable();
    if within.peek().is_none() {
        let external_id = !after.needs.external_id && alike.iter().any(|now| now.needs.external_id);
        let mfa = !after.needs.mfa && alike.iter().any(|now| now.needs.mfa);
        let dropped = [external_id.then(|| Weaker::ExternalIdDropped(who())), mfa.then(|| Weaker::MfaDropped(who()))];
        return dropped.into_iter().flatten().collect();
    }
    let of = |document: &PolicyDocument, admitted: &Admitted| document.statements.get(admitted.statement).cloned();
    let Some(wanted) = of(to, after) else { return Vec::new() };
    let found: Vec<_> = within.filter_map(|now| of(from, now)).collect();
    let (ids, known) = (external_ids(&wanted), found.iter().flat_map(external_ids).collect::<BTreeSet<_>>());
    if after.needs.external_id && found.iter().all(|now| !external_ids(now).is_empty()) && !ids.is_subset(&known) {
        if !known.is_subset(&ids) {
            return vec![Weaker::ExternalIdChanged { from: known, to: ids }];
        }
        // `rotate` begins with one ID beside those that are required now.
        let begins = |id: &String| desired.rotates_to.as_ref().is_some_and(|new| new.as_str() == id);
        let added: BTreeSet<_> = ids.difference(&known).filter(|id| !begins(id)).cloned().collect();
        if !added.is_empty() {
            return vec![Weaker::ExternalIdAdded(added)];
        }
    }
    let conditions = others(&wanted);
    let is_kept = found.iter().any(|now| others(now).is_subset(&conditions));
    if is_kept { Vec::new() } else { vec![Weaker::ConditionDropped(who())] }
}

fn external_ids(statement: &Statement) -> BTreeSet<String> {
    PolicyDocument::of(vec![statement.clone()]).external_ids().into_iter().map(str::to_owned).collect()
}

/// Returns the conditions that say neither who calls nor that the caller needs an external ID or MFA: the classes of
/// callers and their needs tell of these.
fn others(statement: &Statement) -> BTreeSet<(&String, String, &BTreeSet<String>)> {
    let conditions = statement.condition.iter();
    let conditions = conditions.flat_map(|(operator, keys)| {
        keys.iter().map(move |(key, values)| (operator, key.to_ascii_lowercase(), values))
    });
    conditions.filter(|(_, key, _)| !is_told_by_class(key)).collect()
}

/// Returns whether a class of callers tells of a condition key in lower case.
fn is_told_by_class(key: &str) -> bool {
    const KEYS: [&str; 12] = [
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalorgmasteraccountid",
        "aws:principalservicename",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "sts:externalid",
        "aws:multifactorauthpresent",
    ];
    KEYS.contains(&key) || says_whose_token(key)
}

fn of_policies(changes: &[Change], desired: &DesiredRole, observed: &ObservedRole) -> Vec<Weaker> {
    let record = desired.record_on(observed);
    let texts = |document: &'_ Option<FoundDocument>| document.as_ref().and_then(FoundDocument::policy).cloned();
    let before: BTreeMap<_, _> =
        observed.inline.iter().filter_map(|(name, found)| Some((name.as_str(), texts(found)?))).collect();
    let all: Vec<_> = before.values().collect();
    let is_administrator = observed.attachments.iter().any(|arn| is_administrator_access(arn))
        || all.iter().any(|document| allows_everything(document));
    let is_agreed =
        |name: &PolicyName, to: &PolicyDocument| record.has_inline(name, to) || is_for_the_test(name, to, desired);
    let mut found = Vec::new();
    for change in changes {
        match change {
            Change::AttachPolicy { policy } if !is_administrator && !record.has_attached(&policy.to_string()) => {
                found.push(Weaker::PolicyAttached(policy.to_string()));
            }
            Change::PutRolePolicy { name, to, .. }
                if !is_administrator && !is_agreed(name, to) && !allows_only_what(to, &all) =>
            {
                found.push(Weaker::PolicyWider(name.to_string()));
            }
            Change::DetachPolicy { policy } if is_denial_by_aws(policy) => {
                found.push(Weaker::DenialDropped(policy.clone()));
            }
            _ => {}
        }
    }
    let puts: BTreeMap<_, _> = changes
        .iter()
        .filter_map(|change| match change {
            Change::PutRolePolicy { name, to, .. } => Some((name.as_str(), (name, &**to))),
            _ => None,
        })
        .collect();
    let is_deleted =
        |name: &str| changes.iter().any(|it| matches!(it, Change::DeleteRolePolicy { name: it } if it == name));
    let is_changed = |name: &str| is_deleted(name) || puts.contains_key(name);
    let kept = before.iter().filter(|(name, _)| !is_changed(name)).map(|(_, document)| document);
    let after: Vec<_> = kept.chain(puts.values().map(|(_, to)| *to)).collect();
    let denials = |document: &PolicyDocument| {
        let denies = |statement: &&Statement| statement.effect == Effect::Deny;
        document.statements.iter().filter(denies).cloned().collect::<Vec<_>>()
    };
    for (name, document) in before.iter().filter(|(name, _)| is_changed(name)) {
        let is_agreed = puts.get(name).is_some_and(|(name, to)| is_agreed(name, to));
        let is_kept = |denial: &Statement| after.iter().any(|document| document.denies_what(denial));
        if !is_agreed && !denials(document).iter().all(is_kept) {
            found.push(Weaker::DenialDropped((*name).to_owned()));
        }
    }
    let unknown = observed.inline.keys().filter(|name| !before.contains_key(name.as_str()) && is_changed(name));
    let unknown = unknown.filter(|name| !puts.get(name.as_str()).is_some_and(|(name, to)| is_agreed(name, to)));
    found.extend(unknown.cloned().map(Weaker::PolicyNotCompared));
    found
}

/// Returns whether this is one of the managed policies with which AWS only denies.
fn is_denial_by_aws(arn: &str) -> bool {
    arn.split_once(":iam::aws:policy/")
        .is_some_and(|(_, name)| name == "AWSDenyAll" || name.starts_with("AWSCompromisedKeyQuarantine"))
}

/// Returns whether this is xacct's own policy for the test bucket, which allows nothing but buckets of that name.
fn is_for_the_test(name: &PolicyName, document: &PolicyDocument, desired: &DesiredRole) -> bool {
    name.as_str() == VERIFY_POLICY && document.means_the_same_as(&templates::verify_bucket(desired.arn.partition))
}

#[cfg(test)]
mod tests;
