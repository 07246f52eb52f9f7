//! Everybody who gets through to a role: those who may assume it, those who may become one of them, and so on.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use time::OffsetDateTime;

use super::account::{Holder, HolderKind};
pub use super::edge::Target;
use super::edge::{Step, step};
use super::index::Index;
use super::verdict::{Place, Terms};
use crate::iam::admission::{Admitted, Needs, Subject, Who, of_trust};
use crate::iam::state::FoundDocument;

/// A user or role who gets through.
#[derive(Debug, Clone)]
pub struct Reached {
    /// The number of the user or role in the account.
    pub holder: usize,
    /// The statement that lets it: of its own policies, or of a trust policy that names it. `None` if only a policy that
    /// could not be read may.
    pub place: Option<Place>,
    /// The role that it becomes on the way, by its number; `None` if it assumes the role of the link itself.
    pub via: Option<usize>,
    /// What it needs.
    pub needs: Needs,
    /// What is undecided; empty if it certainly gets through.
    pub undecided: BTreeSet<String>,
}

/// A class of callers outside the account, whom a trust policy admits.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The class, and the statement that admits it: of the role of the link, or of the first role in `via`.
    pub admitted: Admitted,
    /// The roles of the account that the class may become, by number; empty if the role of the link admits it.
    pub via: Vec<usize>,
    /// What is undecided of the way; empty if nothing is.
    pub undecided: BTreeSet<String>,
}

/// Who gets through to a role.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Users and roles of the account, nearest first.
    pub reached: Vec<Reached>,
    /// Users and roles whose permissions allow it, with the statement, but whom the trust policy does not admit.
    pub kept_out: BTreeMap<usize, Option<Place>>,
    /// Classes of callers from elsewhere.
    pub outside: Vec<Outside>,
}

struct Search<'a, 'b> {
    index: &'b Index<'a>,
    /// As in the index, but without those who were reached.
    prefixes: HashMap<&'b str, Vec<usize>>,
    is_reached: Vec<bool>,
    /// Whether a way with something undecided was found already.
    is_noted: Vec<bool>,
    noted: VecDeque<Reached>,
    /// Whether every certain way was followed.
    certain_is_done: bool,
    found: Reach,
    /// The number of each class, with whether it becomes a role on the way.
    outside: BTreeMap<(Who, bool), usize>,
}

/// Returns everybody who gets through to this role. Certain ways are found before those with something undecided.
#[must_use]
pub fn reach(index: &Index<'_>, target: &Target<'_>) -> Reach {
    let holders = index.account.holders.len();
    let mut search = Search {
        index,
        prefixes: index.prefixes.iter().map(|(prefix, holders)| (prefix.as_str(), holders.clone())).collect(),
        is_reached: vec![false; holders],
        is_noted: vec![false; holders],
        noted: VecDeque::new(),
        certain_is_done: false,
        found: Reach::default(),
        outside: BTreeMap::new(),
    };
    search.expand(target, None);
    let mut next = 0;
    loop {
        while let Some(one) = search.found.reached.get(next).cloned() {
            search.follow(&one);
            next += 1;
        }
        search.certain_is_done = true;
        match search.noted.pop_front() {
            None => break,
            Some(one) => search.take(one),
        }
    }
    let Search { mut found, is_reached, .. } = search;
    found.kept_out.retain(|holder, _| !is_reached.get(*holder).copied().unwrap_or(false));
    found
}

impl Search<'_, '_> {
    /// Follows a role to those who may become it.
    fn follow(&mut self, one: &Reached) {
        let Some(holder) = self.index.account.holders.get(one.holder) else { return };
        let (HolderKind::Role, Some(trust), Ok(arn)) = (holder.kind, &holder.trust, holder.arn.parse()) else { return };
        let target = Target { arn, trust: Some(trust), tags: &holder.tags };
        self.expand(&target, Some(one));
    }

    /// Finds those who may assume a role, directly or on the way to another.
    fn expand(&mut self, target: &Target<'_>, via: Option<&Reached>) {
        let account = self.index.account;
        let inherited = via.map(|via| Terms { needs: via.needs, undecided: via.undecided.clone() }).unwrap_or_default();
        for number in self.candidates(target, via.is_some()) {
            let Some(holder) = account.holders.get(number) else { continue };
            match step(account, holder, target, self.index.now) {
                Step::No => {}
                Step::KeptOut(place) => {
                    if via.is_none() {
                        self.found.kept_out.insert(number, place);
                    }
                }
                Step::Through(place, terms) => {
                    let Terms { needs, undecided } = terms.and(&inherited);
                    self.take_or_note(Reached {
                        holder: number,
                        place,
                        via: via.map(|via| via.holder),
                        needs,
                        undecided,
                    });
                }
            }
        }
        if let Some(FoundDocument::Policy(document)) = target.trust {
            let of_permission_set = via.and_then(|via| account.holders.get(via.holder)?.permission_set()).is_some();
            let subject = Subject {
                role: &target.arn,
                source: Some(&account.id),
                tags: Some(target.tags),
                now: OffsetDateTime::from_unix_timestamp(self.index.now).ok(),
            };
            for admitted in of_trust(document, subject) {
                let is_listed = of_permission_set && matches!(admitted.who, Who::Saml { .. });
                if !is_listed {
                    self.add_outside(admitted, via);
                }
            }
        }
    }

    /// Returns those who may possibly assume the role, and were not reached yet; for the role of the link also those with
    /// a permission whom its trust policy does not admit.
    fn candidates(&mut self, target: &Target<'_>, is_on_the_way: bool) -> Vec<usize> {
        let mut candidates = Vec::new();
        if !is_on_the_way || target.may_admit_others(&self.index.account.id) {
            self.add_permitted(&target.arn.to_string(), &mut candidates);
        }
        candidates.extend(target.identifiers().into_iter().filter_map(|identifier| self.index.find(identifier)));
        // Within an account, they need no policy of their own.
        if target.arn.account == self.index.account.id {
            let (callers, is_anybody) = target.everyone();
            candidates.extend(callers.into_iter().filter_map(|identifier| self.index.find(identifier)));
            if is_anybody {
                candidates.extend(0..self.index.account.holders.len());
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        let is_open = |number: &usize| {
            let is = |of: &[bool]| of.get(*number).copied().unwrap_or(true);
            !(is(&self.is_reached) || self.certain_is_done && is(&self.is_noted))
        };
        candidates.retain(is_open);
        candidates
    }

    /// Adds those of whom a policy names the ARN, or a pattern that begins like it.
    fn add_permitted(&mut self, arn: &str, candidates: &mut Vec<usize>) {
        candidates.extend_from_slice(self.index.exact.get(arn).map(Vec::as_slice).unwrap_or_default());
        for end in (0..=arn.len()).filter(|end| arn.is_char_boundary(*end)) {
            let Some(open) = self.prefixes.get_mut(arn.get(..end).unwrap_or_default()) else { continue };
            // Whoever was reached is not asked again, so that many roles with one pattern stay cheap.
            open.retain(|number| !self.is_reached.get(*number).copied().unwrap_or(true));
            candidates.extend_from_slice(open);
        }
    }

    fn take_or_note(&mut self, one: Reached) {
        if one.undecided.is_empty() {
            self.take(one);
        } else if let Some(is_noted) = self.is_noted.get_mut(one.holder).filter(|is_noted| !**is_noted) {
            *is_noted = true;
            self.noted.push_back(one);
        }
    }

    fn take(&mut self, one: Reached) {
        if let Some(is_reached) = self.is_reached.get_mut(one.holder).filter(|is_reached| !**is_reached) {
            *is_reached = true;
            self.found.reached.push(one);
        }
    }

    fn is_of_account(&self, who: &Who) -> bool {
        match who {
            Who::Principal { account, .. } | Who::Matching { account, .. } | Who::Account(account) => {
                *account == self.index.account.id
            }
            _ => false,
        }
    }

    /// Adds a class. Those of the account are evaluated one by one instead, if the account could be read.
    fn add_outside(&mut self, mut admitted: Admitted, via: Option<&Reached>) {
        let account = self.index.account;
        let is_of_account = self.is_of_account(&admitted.who);
        if admitted.who.is_nobody() || is_of_account && account.is_read {
            return;
        }
        let mut undecided = via.map(|via| via.undecided.clone()).unwrap_or_default();
        undecided.extend(admitted.undecided.clone());
        // What the rest of the way needs.
        admitted.needs.external_id |= via.is_some_and(|via| via.needs.external_id);
        admitted.needs.mfa |= via.is_some_and(|via| via.needs.mfa);
        if is_of_account {
            undecided.insert(format!("the users and roles of account {} could not be read", account.id));
        }
        let key = (admitted.who.clone(), via.is_some());
        let is_direct_enough = |direct: &usize| {
            self.found.outside.get(*direct).is_some_and(|direct| !is_better(&admitted, &undecided, direct))
        };
        if via.is_some() && self.outside.get(&(admitted.who.clone(), false)).is_some_and(is_direct_enough) {
            return;
        }
        let via = via.map(|via| via.holder);
        let known = self.outside.get(&key).and_then(|number| self.found.outside.get_mut(*number));
        match known {
            Some(known) if is_better(&admitted, &undecided, known) => {
                // The first way is that of the statement.
                known.via.retain(|holder| Some(*holder) != via);
                let via = via.into_iter().chain(std::mem::take(&mut known.via)).collect();
                *known = Outside { admitted, via, undecided };
            }
            Some(known) => known.via.extend(via.filter(|via| !known.via.contains(via))),
            None => {
                self.outside.insert(key, self.found.outside.len());
                self.found.outside.push(Outside { admitted, via: via.into_iter().collect(), undecided });
            }
        }
    }
}

/// Returns whether a way says more of a class than the known one: it is certain, or asks for less. Of two that ask for
/// different things, neither does.
fn is_better(admitted: &Admitted, undecided: &BTreeSet<String>, known: &Outside) -> bool {
    let (new, old) = (admitted.needs, known.admitted.needs);
    match (undecided.is_empty(), known.undecided.is_empty()) {
        (true, false) => true,
        (false, true) => false,
        _ => new != old && new.are_within(old),
    }
}

impl Index<'_> {
    /// Returns a user or role by its number.
    #[must_use]
    pub fn holder(&self, number: usize) -> Option<&Holder> {
        self.account.holders.get(number)
    }
}
