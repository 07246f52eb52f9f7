//! An index of an account: who may possibly assume a role, without asking everybody.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::account::{Account, Held, Holder, Text};
use super::key::ASSUME_ROLE;
use super::writers::Writes;
use crate::iam::evaluate::action_matches;
use crate::iam::policy::{Effect, Element, PolicyDocument};
use crate::iam::state::FoundDocument;

/// An account with its index.
pub struct Index<'a> {
    /// The account.
    pub account: &'a Account,
    /// The time, in seconds since 1970.
    pub now: i64,
    /// Holders by the role ARN that a policy of theirs names.
    pub(super) exact: HashMap<String, Vec<usize>>,
    /// Holders by the text before the first wildcard of a resource that a policy of theirs names. Holders of a policy that
    /// could not be read have the empty text.
    pub(super) prefixes: HashMap<String, Vec<usize>>,
    /// Holders by the identifiers with which a trust policy names them.
    by_identifier: HashMap<String, usize>,
    /// Holders who may write IAM, with the actions.
    writers: Vec<(usize, u64)>,
}

/// What a document says, found out once however many hold it.
#[derive(Default)]
struct Facts {
    exact: BTreeSet<String>,
    prefixes: BTreeSet<String>,
    writes: Writes,
}

impl Facts {
    fn of(document: &PolicyDocument) -> Self {
        let mut facts = Self { writes: Writes::of(document), ..Self::default() };
        for statement in &document.statements {
            if statement.effect == Effect::Deny || !action_matches(&statement.action, ASSUME_ROLE) {
                continue;
            }
            let Some(Element::Is(resources)) = &statement.resource else {
                facts.prefixes.insert(String::new());
                continue;
            };
            for resource in resources {
                let wildcards = [resource.find(['*', '?']), resource.find("${")];
                match wildcards.into_iter().flatten().min() {
                    None => drop(facts.exact.insert(resource.clone())),
                    Some(end) => drop(facts.prefixes.insert(resource.get(..end).unwrap_or_default().to_owned())),
                }
            }
        }
        facts
    }
}

impl<'a> Index<'a> {
    /// Builds the index.
    #[must_use]
    pub fn new(account: &'a Account, now: i64) -> Self {
        let mut index = Self {
            account,
            now,
            exact: HashMap::new(),
            prefixes: HashMap::new(),
            by_identifier: HashMap::new(),
            writers: Vec::new(),
        };
        let mut known: HashMap<*const FoundDocument, Facts> = HashMap::new();
        for (number, holder) in account.holders.iter().enumerate() {
            index.by_identifier.insert(holder.arn.clone(), number);
            index.by_identifier.insert(holder.unique_id.clone(), number);
            index.by_identifier.insert(format!("{}/{}", holder.kind.word(), holder.name), number);
            index.add(number, holder, &mut known);
        }
        index
    }

    fn add(&mut self, number: usize, holder: &Holder, known: &mut HashMap<*const FoundDocument, Facts>) {
        let mut writes = Writes::default();
        let mut exact = BTreeSet::new();
        let mut prefixes = BTreeSet::new();
        for Held { document, .. } in self.account.held(holder) {
            match document.ok().and_then(|text| facts(text, known)) {
                None => drop(prefixes.insert(String::new())),
                Some(facts) => {
                    writes.allowed |= facts.writes.allowed;
                    writes.denied |= facts.writes.denied;
                    exact.extend(facts.exact.iter().cloned());
                    prefixes.extend(facts.prefixes.iter().cloned());
                }
            }
        }
        for text in exact {
            self.exact.entry(text).or_default().push(number);
        }
        for text in prefixes {
            self.prefixes.entry(text).or_default().push(number);
        }
        let limit = match holder.boundary.as_ref().map(|arn| self.account.document(arn)) {
            Some(Ok(text)) => facts(text, known).map_or(u64::MAX, |facts| facts.writes.allowed & !facts.writes.denied),
            // An unread boundary limits nothing that is certain.
            Some(Err(_)) | None => u64::MAX,
        };
        let may = writes.allowed & !writes.denied & limit;
        if may != 0 {
            self.writers.push((number, may));
        }
    }

    /// Returns the user or role with this ARN, unique ID, or `user/NAME` or `role/NAME`.
    #[must_use]
    pub fn find(&self, identifier: &str) -> Option<usize> {
        if let Some(found) = self.by_identifier.get(identifier) {
            return Some(*found);
        }
        // A trust policy may name a session of a role.
        let (account, session) = identifier.split_once(":sts::")?.1.split_once(":assumed-role/")?;
        let role = session.split('/').next()?;
        (account == self.account.id.as_str()).then(|| self.by_identifier.get(&format!("role/{role}")).copied())?
    }

    /// Returns the holders who may write IAM, with the actions.
    pub fn writers(&self) -> impl Iterator<Item = (&Holder, Vec<&'static str>)> {
        self.writers
            .iter()
            .filter_map(|(number, bits)| Some((self.account.holders.get(*number)?, Writes::names(*bits))))
    }

    /// Returns the roles, or patterns of them, that the policies of a holder allow it to assume, as written.
    #[must_use]
    pub fn named_roles(&self, holder: &Holder) -> BTreeSet<String> {
        let held = self.account.held(holder);
        let documents = held.iter().filter_map(|held| held.document.as_ref().ok()?.policy());
        let statements = documents.flat_map(|document| &document.statements);
        let allows = statements
            .filter(|statement| statement.effect == Effect::Allow && action_matches(&statement.action, ASSUME_ROLE));
        allows
            .flat_map(|statement| match &statement.resource {
                Some(Element::Is(resources)) => resources.iter().cloned().collect(),
                Some(Element::Not(resources)) => {
                    vec![format!("all but {}", resources.iter().cloned().collect::<Vec<_>>().join(", "))]
                }
                None => Vec::new(),
            })
            .collect()
    }
}

fn facts<'k>(text: &Text, known: &'k mut HashMap<*const FoundDocument, Facts>) -> Option<&'k Facts> {
    let document = text.policy()?;
    Some(known.entry(Arc::as_ptr(text)).or_insert_with(|| Facts::of(document)))
}
