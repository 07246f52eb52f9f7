//! What a link's declaration makes of everybody whom a trust policy admits.

use super::admitted::Admitted;
use super::declared::{Accepted, Declared, Standing};
use super::reduce::of_trust;
use super::subject::Subject;
use crate::iam::policy::PolicyDocument;

/// What a declaration makes of everybody whom a trust policy admits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Review {
    /// Classes that are admitted and that the link does not declare.
    pub undeclared: Vec<Admitted>,
    /// Classes that the link does not declare, and of which xacct cannot decide whether they are admitted.
    pub undecided: Vec<Admitted>,
    /// Entries of `accept` that accept somebody who is admitted.
    pub accepted: Vec<Accepted>,
    /// Entries of `accept` that accept nobody who is admitted.
    pub unmatched: Vec<Accepted>,
}

impl Declared {
    /// Returns what the declaration makes of everybody whom the trust policy of a role admits.
    #[must_use]
    pub fn review(&self, document: &PolicyDocument, subject: Subject<'_>) -> Review {
        let subject = Subject { source: Some(&self.source), ..subject };
        let (all, declared) = (of_trust(document, subject), self.of_statements(subject));
        let unmatched = self.unused_beside(&all, &declared).cloned().collect();
        let mut review = Review { unmatched, ..Review::default() };
        let is_used = |entry: &&Accepted| !review.unmatched.contains(entry);
        review.accepted = self.accepted.iter().filter(is_used).cloned().collect();
        for admitted in all {
            match self.standing_beside(&admitted, &declared) {
                Standing::Declared | Standing::Accepted(_) | Standing::Nobody => {}
                Standing::Undeclared if admitted.undecided.is_some() => review.undecided.push(admitted),
                Standing::Undeclared => review.undeclared.push(admitted),
            }
        }
        review
    }
}

impl Review {
    /// What to do if those who are not declared are admitted on purpose.
    pub const ACCEPT: &'static str = "if this is intended, add it to `accept` of the target in xacct.toml";

    /// Returns who else is admitted, or may be.
    #[must_use]
    pub fn in_words(&self) -> String {
        let undecided = names(&self.undecided);
        match (names(&self.undeclared), undecided.as_str()) {
            (undeclared, "") => format!("admits {undeclared}"),
            (undeclared, _) if undeclared.is_empty() => format!("may admit {undecided} (undecided)"),
            (undeclared, _) => format!("admits {undeclared}, and may admit {undecided} (undecided)"),
        }
    }

    /// Returns whether the link declares or accepts everybody who is admitted.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.undeclared.is_empty() && self.undecided.is_empty()
    }

    /// Returns warnings about entries of `accept` that name nobody.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.unmatched.iter().map(|entry| Accepted::unmatched(&entry.who))
    }

    /// Returns the accepted classes, with the reasons.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        self.accepted.iter().map(|entry| format!("accepted: {} ({})", entry.who, entry.reason))
    }
}

/// Returns the names of these classes, each once.
#[must_use]
pub fn names(classes: &[Admitted]) -> String {
    let mut names: Vec<_> = classes.iter().map(|admitted| admitted.who.to_string()).collect();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names.join(", ")
}
