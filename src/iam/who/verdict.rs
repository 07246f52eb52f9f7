//! What policies of one kind say of a request, when not every condition is known.

use std::collections::BTreeSet;

use super::account::{Holder, HolderKind};
use super::key::{Known, depends_on_session, known};
use crate::iam::admission::Needs;
use crate::iam::evaluate::{Finding, Mismatch, Request, StatementFinding, variables};
use crate::iam::policy::{Effect, Element, PolicyDocument, Statement};
use crate::iam::state::FoundDocument;

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The policy, for people: `policy xacct`, `group dev, policy deploy`.
    pub policy: String,
    /// The number of the statement in it, from 1.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
}

/// The terms on which a request is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Terms {
    /// What the caller needs.
    pub needs: Needs,
    /// What is undecided; empty if it is certain.
    pub undecided: BTreeSet<String>,
}

impl Terms {
    /// Returns the terms of both.
    pub fn and(mut self, other: &Self) -> Self {
        self.needs.external_id |= other.needs.external_id;
        self.needs.mfa |= other.needs.mfa;
        self.undecided.extend(other.undecided.iter().cloned());
        self
    }

    fn weight(&self) -> (usize, usize) {
        (self.undecided.len(), usize::from(self.needs.external_id) + usize::from(self.needs.mfa))
    }
}

/// What policies of one kind say together.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    /// Whether a statement certainly denies.
    pub is_denied: bool,
    /// The statement that allows on the best terms, and those terms.
    pub allowed: Option<(Place, Terms)>,
    /// The terms on which no statement denies, and the policies that were not read.
    pub unless: Terms,
    /// Whether a policy was not read, so that it may allow.
    pub has_gaps: bool,
}

impl Verdict {
    /// Adds a policy that was not read.
    pub fn add_gap(&mut self, name: &str) {
        self.has_gaps = true;
        self.unless.undecided.insert(format!("{name} could not be read"));
    }

    /// Adds a policy. `evaluate` evaluates policies of this kind; an Allow counts only if `counts`.
    pub fn add(
        &mut self,
        name: &str,
        text: &FoundDocument,
        request: &Request,
        holder: &Holder,
        evaluate: fn(&PolicyDocument, &Request) -> Finding,
        counts: impl Fn(&Statement) -> bool,
    ) {
        let Some(document) = text.policy() else { return self.add_gap(name) };
        let finding = evaluate(document, request);
        for (number, (statement, found)) in document.statements.iter().zip(&finding.statements).enumerate() {
            match statement.effect {
                Effect::Allow if !counts(statement) => {}
                Effect::Allow => {
                    let Some(terms) = allows(statement, found, request, holder) else { continue };
                    if self.allowed.as_ref().is_none_or(|(_, best)| terms.weight() < best.weight()) {
                        let place =
                            Place { policy: name.to_owned(), statement: number + 1, sid: statement.sid.clone() };
                        self.allowed = Some((place, terms));
                    }
                }
                Effect::Deny => match denies(statement, found, request, holder) {
                    None => self.is_denied = true,
                    Some(terms) => self.unless = std::mem::take(&mut self.unless).and(&terms),
                },
            }
        }
    }

    /// Returns the terms on which the request is allowed, and the statement; `None` if it is not.
    pub fn terms(&self) -> Option<(Option<Place>, Terms)> {
        if self.is_denied {
            return None;
        }
        match &self.allowed {
            Some((place, terms)) => Some((Some(place.clone()), terms.clone().and(&self.unless))),
            None => self.has_gaps.then(|| (None, self.unless.clone())),
        }
    }
}

/// How one condition stands.
enum Stands {
    Met,
    Unmet,
    /// As the caller chooses.
    Free,
    /// Met only with this.
    MetWith(Needs),
    /// Met only without this.
    MetWithout(Needs),
    Unknown(String),
}

const EXTERNAL_ID: Needs = Needs { external_id: true, mfa: false };
const MFA: Needs = Needs { external_id: false, mfa: true };

/// Returns how every condition of a statement stands; `None` if another element of it does not match.
fn conditions(
    statement: &Statement,
    found: &StatementFinding,
    request: &Request,
    holder: &Holder,
) -> Option<Vec<Stands>> {
    let mut stands = Vec::new();
    let mut not_understood = BTreeSet::new();
    let mut unmet = BTreeSet::new();
    for mismatch in &found.mismatches {
        match mismatch {
            Mismatch::Resource => stands.push(Stands::Unknown(unknown_variable(statement, request, holder)?)),
            Mismatch::UnknownOperator { operator } => {
                not_understood.insert(operator.as_str());
                stands.push(Stands::Unknown(format!("condition operator {operator}")));
            }
            Mismatch::Condition { operator, key, .. } => drop(unmet.insert((operator.as_str(), key.as_str()))),
            _ => return None,
        }
    }
    if !found.mismatches.iter().any(|mismatch| matches!(mismatch, Mismatch::Resource)) {
        stands.extend(deciding_variable(statement, request, holder).map(Stands::Unknown));
    }
    for (operator, keys) in &statement.condition {
        if not_understood.contains(operator.as_str()) {
            continue;
        }
        for (key, wanted) in keys {
            let is_unmet = unmet.contains(&(operator.as_str(), key.as_str()));
            stands.push(stands_as(key, wanted, is_unmet, request, holder));
        }
    }
    Some(stands)
}

/// Returns how one condition stands. `is_unmet` is of the request as evaluated, which has neither an external ID nor MFA.
fn stands_as(key: &str, wanted: &BTreeSet<String>, is_unmet: bool, request: &Request, holder: &Holder) -> Stands {
    let unknown = || Stands::Unknown(format!("condition on {key}"));
    let mut variables = wanted.iter().flat_map(|text| variables(text));
    match known(key, holder) {
        // A variable with a default has the value that nobody knows, not the default.
        Known::Value if variables.any(|key| !is_known(key, request, holder)) => unknown(),
        Known::Value
            if is_userid_of_role(key, holder) && wanted.iter().any(|text| depends_on_session(text, holder)) =>
        {
            unknown()
        }
        Known::Value => {
            if is_unmet {
                Stands::Unmet
            } else {
                Stands::Met
            }
        }
        Known::Chosen => Stands::Free,
        Known::ExternalId if is_unmet => Stands::MetWith(EXTERNAL_ID),
        Known::ExternalId => Stands::MetWithout(EXTERNAL_ID),
        // Whether a session of a role has MFA depends on how it came about.
        Known::Mfa if holder.kind == HolderKind::Role => unknown(),
        // Only a session without MFA has the value `false`; access keys have none.
        Known::Mfa if is_unmet && wanted.iter().all(|value| value.eq_ignore_ascii_case("false")) => Stands::Free,
        Known::Mfa if is_unmet => Stands::MetWith(MFA),
        Known::Mfa => Stands::MetWithout(MFA),
        Known::Nothing => unknown(),
    }
}

fn is_known(key: &str, request: &Request, holder: &Holder) -> bool {
    let has_value = !request.context.get(key).is_empty() || known(key, holder) == Known::Value;
    has_value && !is_userid_of_role(key, holder)
}

/// The name of the session is a part of it.
fn is_userid_of_role(key: &str, holder: &Holder) -> bool {
    holder.kind == HolderKind::Role && key.eq_ignore_ascii_case("aws:userid")
}

/// Returns the variable on which it depends whether the resource matches, though it matches with the variable's default,
/// or `NotResource` does without it.
fn deciding_variable(statement: &Statement, request: &Request, holder: &Holder) -> Option<String> {
    let (resources, is_not) = match statement.resource.as_ref()? {
        Element::Is(resources) => (resources, false),
        Element::Not(resources) => (resources, true),
    };
    if resources.contains("*") {
        return None;
    }
    let mut deciding =
        resources.iter().filter(|resource| is_not || resource.contains(',')).flat_map(|it| variables(it));
    deciding.find(|key| !is_known(key, request, holder)).map(|key| format!("variable {key}"))
}

/// Returns the variable that keeps a resource from being compared.
fn unknown_variable(statement: &Statement, request: &Request, holder: &Holder) -> Option<String> {
    let Some(Element::Is(resources) | Element::Not(resources)) = &statement.resource else { return None };
    let mut keys = resources.iter().flat_map(|resource| variables(resource));
    keys.find(|key| !is_known(key, request, holder)).map(|key| format!("variable {key}"))
}

/// Returns the terms on which an Allow applies; `None` if it does not.
fn allows(statement: &Statement, found: &StatementFinding, request: &Request, holder: &Holder) -> Option<Terms> {
    let mut terms = Terms::default();
    for condition in conditions(statement, found, request, holder)? {
        match condition {
            Stands::Met | Stands::Free | Stands::MetWithout(_) => {}
            Stands::Unmet => return None,
            Stands::MetWith(needs) => terms = terms.and(&Terms { needs, ..Terms::default() }),
            Stands::Unknown(what) => drop(terms.undecided.insert(what)),
        }
    }
    Some(terms)
}

/// Returns the terms on which a Deny does not apply; `None` if it certainly does. One condition that is not met suffices.
fn denies(statement: &Statement, found: &StatementFinding, request: &Request, holder: &Holder) -> Option<Terms> {
    let Some(conditions) = conditions(statement, found, request, holder) else { return Some(Terms::default()) };
    let mut undecided = BTreeSet::new();
    let mut avoided = None;
    for condition in conditions {
        match condition {
            Stands::Unmet | Stands::Free | Stands::MetWith(_) => return Some(Terms::default()),
            Stands::MetWithout(needs) => avoided = Some(needs),
            Stands::Met => {}
            Stands::Unknown(what) => drop(undecided.insert(what)),
        }
    }
    match avoided {
        Some(needs) => Some(Terms { needs, undecided: BTreeSet::new() }),
        None if undecided.is_empty() => None,
        None => Some(Terms { needs: Needs::default(), undecided }),
    }
}
