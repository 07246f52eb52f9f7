//! The terms on which a trust policy that xacct did not write admits the principals of a link.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::arn::PrincipalArn;
use super::evaluate::action_matches;
use super::names::ExternalId;
use super::policy::{Effect, Element, PolicyDocument, Principals, Statement, account_principal};
use super::templates::{self, LINK_SID, SESSION_TAGS_SID, TrustTerms};

/// What a link must say to admit its principals on the terms of a trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTerms {
    /// The external IDs of which one is required; none if none is.
    pub external_ids: Vec<ExternalId>,
    /// Whether MFA is required.
    pub require_mfa: bool,
    /// Whether only principals of the link are trusted, not the whole account.
    pub is_restricted: bool,
    /// Another principal of the account to which a condition restricts the role.
    pub only_other: Option<String>,
    /// Whether sessions may carry tags and a source identity.
    pub session_tags: bool,
    /// The parts of the statement that no link can express, as JSON.
    pub inexpressible: Vec<String>,
    /// The other statements. Together with one on these terms, they mean the same as the trust policy, if there is nothing
    /// inexpressible.
    pub others: PolicyDocument,
}

impl FoundTerms {
    /// Reads the statement that admits one of the principals or the source account; `None` if there is none. Of several, xacct's own
    /// counts, or else the first that a link can express.
    #[must_use]
    pub fn of(trust: &PolicyDocument, principals: &BTreeSet<PrincipalArn>) -> Option<Self> {
        let read: Vec<_> = trust.statements.iter().map(|statement| Admission::of(statement, principals)).collect();
        let number = |is_it: &dyn Fn(&Admission) -> bool| read.iter().position(|it| it.as_ref().is_some_and(is_it));
        let chosen = number(&|it| it.is_own)
            .or_else(|| number(&|it| it.terms.inexpressible.is_empty()))
            .or_else(|| number(&|_| true))?;
        let Admission { mut terms, rest, .. } = read.into_iter().nth(chosen)??;
        let before = trust.statements.iter().take(chosen).cloned();
        let after = trust.statements.iter().skip(chosen + 1).cloned();
        terms.others.version.clone_from(&trust.version);
        for statement in before.chain(rest).chain(after) {
            match is_of_session_tags(&statement, principals) {
                true => terms.session_tags = true,
                false => terms.others.statements.push(statement),
            }
        }
        Some(terms)
    }
}

/// A statement that admits a principal of the link.
struct Admission {
    /// Whether xacct wrote it.
    is_own: bool,
    terms: FoundTerms,
    /// What else the statement allows, and whom else it admits.
    rest: Vec<Statement>,
}

impl Admission {
    fn of(statement: &Statement, principals: &BTreeSet<PrincipalArn>) -> Option<Self> {
        let is_own = statement.sid.as_deref() == Some(LINK_SID);
        let is_about = statement.effect == Effect::Allow && action_matches(&statement.action, "sts:AssumeRole");
        if !is_about || statement.resource.is_some() {
            return None;
        }
        let arns: BTreeSet<_> = principals.iter().map(ToString::to_string).collect();
        let account = principals.first()?.account();
        let is_account = |id: &String| account_principal(id).as_ref() == Some(account);
        let mut terms = FoundTerms {
            external_ids: Vec::new(),
            require_mfa: false,
            is_restricted: false,
            only_other: None,
            session_tags: false,
            inexpressible: Vec::new(),
            others: PolicyDocument::of(Vec::new()),
        };
        let mut rest = Vec::new();
        let listed = match &statement.principal {
            Some(Element::Is(Principals::Listed(kinds))) => kinds.clone(),
            _ => BTreeMap::new(),
        };
        let (ours, others): (BTreeSet<_>, BTreeSet<_>) =
            listed.get("AWS").into_iter().flatten().cloned().partition(|id| arns.contains(id) || is_account(id));
        match ours.is_empty() {
            false => terms.is_restricted = !ours.iter().any(is_account),
            true if is_own => terms.inexpressible.push("Principal".to_owned()),
            true => return None,
        }
        let mut kinds = listed;
        kinds.remove("AWS");
        if !others.is_empty() {
            kinds.insert("AWS".to_owned(), others);
        }
        if !kinds.is_empty() && !ours.is_empty() {
            let principal = Some(Element::Is(Principals::Listed(kinds)));
            rest.push(Statement { principal, ..statement.clone() });
        }
        if let Some(actions) = terms.read_action(&statement.action) {
            let ours = BTreeMap::from([("AWS".to_owned(), ours)]);
            let principal = Some(Element::Is(Principals::Listed(ours)));
            let action = Element::Is(actions);
            rest.push(Statement { sid: None, principal, action, ..statement.clone() });
        }
        for (operator, keys) in &statement.condition {
            for (key, values) in keys {
                terms.read_condition(operator, key, values, &arns);
            }
        }
        Some(Self { is_own, terms, rest })
    }
}

impl FoundTerms {
    /// Returns the other actions that the statement allows, if any.
    fn read_action(&mut self, action: &Element<BTreeSet<String>>) -> Option<BTreeSet<String>> {
        let is_it = |action: &String| action.eq_ignore_ascii_case("sts:AssumeRole");
        match action {
            Element::Is(actions) if actions.iter().any(is_it) => {
                let others: BTreeSet<_> = actions.iter().filter(|action| !is_it(action)).cloned().collect();
                (!others.is_empty()).then_some(others)
            }
            Element::Is(actions) => {
                self.inexpressible.push(json!({ "Action": actions }).to_string());
                None
            }
            Element::Not(actions) => {
                self.inexpressible.push(json!({ "NotAction": actions }).to_string());
                None
            }
        }
    }

    /// Reads a condition. One that a link cannot express may still say something about its terms: `BoolIfExists` is
    /// about MFA, too.
    fn read_condition(&mut self, operator: &str, key: &str, values: &BTreeSet<String>, arns: &BTreeSet<String>) {
        let is_key = |name: &str| key.eq_ignore_ascii_case(name);
        let is = |names: &[&str]| names.iter().any(|name| operator.eq_ignore_ascii_case(name));
        let is_negative = operator.to_ascii_lowercase().contains("not");
        let only = values.first().filter(|_| values.len() == 1);
        let has_wildcard = values.iter().any(|value| value.contains(['*', '?', '$']));
        let is_plain = is(&["StringEquals"]) || is(&["StringLike"]) && !has_wildcard;
        let is_expressed = if is_negative {
            false
        } else if is_key("sts:ExternalId") {
            let ids = values.iter().map(|id| id.parse().ok()).collect::<Option<Vec<_>>>().unwrap_or_default();
            let is_known = !ids.is_empty() && (self.external_ids.is_empty() || self.external_ids == ids);
            if !ids.is_empty() {
                self.external_ids = ids;
            }
            is_plain && is_known
        } else if is_key("aws:MultiFactorAuthPresent") {
            let requires = values.iter().all(|value| value.eq_ignore_ascii_case("true"));
            self.require_mfa |= requires;
            requires && is(&["Bool"])
        } else if is_key("aws:PrincipalArn") {
            // The pattern of a permission set is among the ARNs.
            let is_arn = is(&["ArnEquals", "ArnLike"]) || is_plain;
            let includes_one = !values.is_disjoint(arns);
            self.is_restricted |= includes_one;
            if !includes_one {
                self.only_other = values.first().cloned();
            }
            includes_one && values.is_subset(arns) && is_arn
        } else {
            false
        };
        if !is_expressed {
            self.inexpressible
                .push(json!({ operator: { key: only.map_or_else(|| json!(values), |one| json!(one)) } }).to_string());
        }
    }
}

/// Returns whether this is the statement with which a link allows session tags.
fn is_of_session_tags(statement: &Statement, principals: &BTreeSet<PrincipalArn>) -> bool {
    let Some(one) = principals.first() else { return false };
    let terms = TrustTerms {
        partition: one.partition(),
        source: one.account().clone(),
        external_ids: Vec::new(),
        require_mfa: false,
        only: BTreeSet::new(),
        session_tags: true,
    };
    let wanted = templates::trust(&terms);
    let found = Statement { sid: Some(SESSION_TAGS_SID.to_owned()), ..statement.clone() };
    wanted.statement(SESSION_TAGS_SID).is_some_and(|wanted| PolicyDocument::of(vec![found]).contains(wanted))
}

#[cfg(test)]
mod tests;
