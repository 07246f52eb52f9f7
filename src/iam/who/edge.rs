//! One step: whether a user or role of the account may assume a role.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Account, Holder, HolderKind};
use super::key::request;
use super::verdict::{Place, Terms, Verdict};
use crate::iam::arn::RoleArn;
use crate::iam::evaluate::{identity_policy, resource_policy};
use crate::iam::names::AccountId;
use crate::iam::policy::{Effect, Element, PolicyDocument, Principals, Statement, account_principal};
use crate::iam::state::FoundDocument;

/// The role to be assumed.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// Its ARN.
    pub arn: RoleArn,
    /// Its trust policy; `None` if it could not be read.
    pub trust: Option<&'a FoundDocument>,
    /// Its tags.
    pub tags: &'a BTreeMap<String, String>,
}

/// What the policies say of one user or role.
pub(super) enum Step {
    /// Its own permissions do not allow it.
    No,
    /// Its own permissions allow it, by this statement, but the trust policy does not admit it.
    KeptOut(Option<Place>),
    /// It may assume the role on these terms, by this statement.
    Through(Option<Place>, Terms),
}

impl Target<'_> {
    fn document(&self) -> Option<&PolicyDocument> {
        self.trust?.policy()
    }

    /// Returns the identifiers of AWS principals in Allow statements of the trust policy.
    pub(super) fn identifiers(&self) -> BTreeSet<&str> {
        let statements = self.document().into_iter().flat_map(|document| &document.statements);
        statements.filter(|statement| statement.effect == Effect::Allow).flat_map(named).collect()
    }

    /// Returns whether the trust policy may admit users and roles of an account that it does not list. If not, only those
    /// that it lists need to be asked.
    pub(super) fn may_admit_others(&self, account: &AccountId) -> bool {
        let Some(document) = self.document() else { return true };
        let allows = document.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        let is_open = |statement: &Statement| match &statement.principal {
            Some(Element::Is(Principals::Listed(_))) => {
                named(statement).any(|identifier| account_principal(identifier).is_some_and(|found| found == *account))
            }
            _ => true,
        };
        allows.into_iter().any(is_open)
    }

    /// Returns whom Allow statements for everyone leave: identifiers of callers, and whether they leave anybody.
    pub(super) fn everyone(&self) -> (Vec<&str>, bool) {
        let statements = self.document().into_iter().flat_map(|document| &document.statements);
        let allows = statements.filter(|statement| statement.effect == Effect::Allow && is_for_everyone(statement));
        let (mut callers, mut is_anybody) = (Vec::new(), false);
        for statement in allows {
            match only_callers(statement) {
                Some(arns) => callers.extend(arns),
                None => is_anybody = true,
            }
        }
        (callers, is_anybody)
    }

    fn trust_name(&self) -> String {
        format!("trust policy of role {}", self.arn.name)
    }
}

/// Returns the AWS principals that a statement lists.
fn named(statement: &Statement) -> impl Iterator<Item = &str> {
    let listed = match &statement.principal {
        Some(Element::Is(Principals::Listed(kinds)) | Element::Not(Principals::Listed(kinds))) => kinds.get("AWS"),
        _ => None,
    };
    listed.into_iter().flatten().map(String::as_str)
}

/// Decides whether a user or role of the account may assume a role, of this account or another.
pub(super) fn step(account: &Account, holder: &Holder, target: &Target<'_>, now: i64) -> Step {
    let sessions_of_role = format!(":sts::{}:assumed-role/{}/", account.id, holder.name);
    let is_session = |arn: &str| holder.kind == HolderKind::Role && arn.contains(&sessions_of_role);
    let sessions = target.identifiers().into_iter().filter(|arn| is_session(arn)).map(str::to_owned);
    let request = request(holder, &account.id, &target.arn, target.tags, sessions, now);

    let mut own = Verdict::default();
    for held in account.held(holder) {
        match held.document {
            Ok(text) => own.add(&held.name, text, &request, holder, identity_policy, |_| true),
            Err(_) => own.add_gap(&held.name),
        }
    }
    let boundary = holder.boundary.as_ref().map(|arn| {
        let mut verdict = Verdict::default();
        match account.document(arn) {
            Ok(text) => verdict.add("permissions boundary", text, &request, holder, identity_policy, |_| true),
            Err(_) => verdict.add_gap(&format!("permissions boundary {arn}")),
        }
        verdict
    });
    if own.is_denied || boundary.as_ref().is_some_and(|boundary| boundary.is_denied) {
        return Step::No;
    }
    let mut trust = Verdict::default();
    match target.trust {
        Some(text) => trust.add(&target.trust_name(), text, &request, holder, resource_policy, |_| true),
        None => trust.add_gap(&target.trust_name()),
    }
    let within_boundary = match &boundary {
        None => Some(Terms::default()),
        Some(boundary) => boundary.terms().map(|(_, terms)| terms),
    };
    let permitted = own.terms().zip(within_boundary.clone());
    let permitted = permitted.map(|((place, terms), boundary)| (place, terms.and(&boundary)));

    // Within an account, a trust policy that names the user or role itself, or everyone, suffices. A boundary limits that
    // for a role, not for a user (IAM User Guide, "Policy evaluation logic").
    let mut direct = Verdict::default();
    if target.arn.account == account.id
        && let Some(text) = target.trust
    {
        let names = |statement: &Statement| is_for_everyone(statement) || names_itself(statement, holder, is_session);
        direct.add(&target.trust_name(), text, &request, holder, resource_policy, names);
    }
    if let Some((Some(place), terms)) = direct.terms() {
        let limit = if holder.kind == HolderKind::User { Some(Terms::default()) } else { within_boundary };
        if let Some(limit) = limit {
            return Step::Through(Some(place), terms.and(&limit).and(&own.unless));
        }
    }
    match (permitted, trust.terms()) {
        (None, _) => Step::No,
        (Some((place, _)), None) => Step::KeptOut(place),
        (Some((place, own)), Some((_, trust))) => Step::Through(place, own.and(&trust)),
    }
}

/// Returns whether the statement lists the user or role itself or one of its sessions, not only its account.
fn names_itself(statement: &Statement, holder: &Holder, is_session: impl Fn(&str) -> bool) -> bool {
    let is_itself = |identifier: &str| {
        account_principal(identifier).is_none()
            && (identifier == holder.arn || identifier == holder.unique_id || is_session(identifier))
    };
    matches!(statement.principal, Some(Element::Is(_))) && named(statement).any(is_itself)
}

/// Returns whether the statement is about everyone, though its conditions may choose.
fn is_for_everyone(statement: &Statement) -> bool {
    match &statement.principal {
        Some(Element::Is(Principals::Everyone) | Element::Not(_)) => true,
        Some(Element::Is(Principals::Listed(_))) => named(statement).any(|identifier| identifier == "*"),
        None => false,
    }
}

/// Returns the only callers, by ARN, whom the conditions of a statement leave; `None` if they do not list them.
fn only_callers(statement: &Statement) -> Option<impl Iterator<Item = &str>> {
    let compares = ["arnequals", "arnlike", "stringequals", "stringlike"];
    let conditions = statement.condition.iter();
    let mut keys = conditions
        .filter(|(operator, _)| compares.contains(&operator.to_ascii_lowercase().as_str()))
        .flat_map(|(_, keys)| keys);
    let (_, arns) = keys.find(|(key, arns)| {
        key.eq_ignore_ascii_case("aws:PrincipalArn") && !arns.iter().any(|arn| arn.contains(['*', '?', '$']))
    })?;
    Some(arns.iter().map(String::as_str))
}
