//! Whom a link declares, and what that makes of those who are admitted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::admitted::{Admitted, Who};
use super::reduce::of_trust;
use super::subject::Subject;
use crate::iam::arn::PrincipalRef;
use crate::iam::invalid::Invalid;
use crate::iam::names::AccountId;
use crate::iam::policy::PolicyDocument;

/// Whom a link declares in `xacct.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The source account: declared as a whole if the link is not restricted.
    pub source: AccountId,
    /// The only principals of the source account; empty if the link is not restricted.
    pub only: Vec<PrincipalRef>,
    /// Statements that `xacct.toml` adds to the trust policy; whom they admit is declared.
    pub statements: PolicyDocument,
    /// Entries of `accept`.
    pub accepted: Vec<Accepted>,
}

/// An entry of `accept`: somebody who is admitted by the will of the role's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The class, as [`Who`] is written, or in a shorter form that [`Who`] parses.
    pub who: String,
    /// Why.
    pub reason: String,
}

/// What a declaration makes of an admitted class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The link declares it.
    Declared,
    /// An entry of `accept` names it, for this reason.
    Accepted(String),
    /// Nobody is admitted now.
    Nobody,
    /// The link does not declare it.
    Undeclared,
}

impl Accepted {
    /// Returns the warning about an entry that names these callers, if none of them is admitted.
    #[must_use]
    pub fn unmatched(who: &str) -> String {
        format!("`accept` names `{who}`, but the trust policy does not admit such callers; remove the entry")
    }

    /// Returns the class.
    ///
    /// # Errors
    /// When the text names no class; with the rule and the fix.
    pub fn parsed(&self) -> Result<Who, Invalid> {
        self.who.parse()
    }

    /// Returns whether this entry accepts a class: it names it, or a class that includes it.
    #[must_use]
    pub fn includes(&self, who: &Who) -> bool {
        self.who == who.to_string() || self.parsed().is_ok_and(|accepted| accepted.covers(who))
    }
}

/// Returns why these entries of `accept` accept a class; `None` if they do not. One entry accepts all of it, or one
/// each of its subjects.
#[must_use]
pub fn reason(accepted: &[Accepted], who: &Who) -> Option<String> {
    let of_one = |who: &Who| Some(accepted.iter().find(|entry| entry.includes(who))?.reason.clone());
    let of_each = || who.parts().iter().map(of_one).collect::<Option<BTreeSet<_>>>();
    of_one(who).or_else(|| Some(of_each()?.into_iter().collect::<Vec<_>>().join("; ")))
}

impl Declared {
    /// Returns what the declaration makes of a class that the trust policy of a role admits.
    #[must_use]
    pub fn standing<'a>(&self, admitted: &Admitted, role: impl Into<Subject<'a>>) -> Standing {
        let is_of_link = self.is_of_link(&admitted.who);
        let declared = if is_of_link { Vec::new() } else { self.of_statements(role.into()) };
        self.standing_beside(admitted, &declared)
    }

    /// Returns the same, if the statements of `xacct.toml` admit these classes.
    pub(super) fn standing_beside(&self, admitted: &Admitted, declared: &[Admitted]) -> Standing {
        if admitted.who.is_nobody() {
            return Standing::Nobody;
        }
        if self.declares(admitted, declared) {
            return Standing::Declared;
        }
        reason(&self.accepted, &admitted.who).map_or(Standing::Undeclared, Standing::Accepted)
    }

    /// Returns the entries of `accept` that accept nobody whom the trust policy admits beside those whom the link declares.
    pub fn unused<'a>(
        &'a self,
        admitted: &[Admitted],
        role: Subject<'_>,
    ) -> impl Iterator<Item = &'a Accepted> + use<'a> {
        let declared = if self.accepted.is_empty() { Vec::new() } else { self.of_statements(role) };
        self.unused_beside(admitted, &declared)
    }

    /// Returns the same, if the statements of `xacct.toml` admit these classes.
    pub(super) fn unused_beside<'a>(
        &'a self,
        admitted: &[Admitted],
        declared: &[Admitted],
    ) -> impl Iterator<Item = &'a Accepted> + use<'a> {
        let is_other = |admitted: &&Admitted| !admitted.who.is_nobody() && !self.declares(admitted, declared);
        let others: Vec<_> = match self.accepted.as_slice() {
            [] => Vec::new(),
            _ => admitted.iter().filter(is_other).flat_map(|admitted| admitted.who.parts()).collect(),
        };
        let accepts = move |accepted: &Accepted| others.iter().any(|who| accepted.includes(who));
        self.accepted.iter().filter(move |accepted| !accepts(accepted))
    }

    /// Returns whether the link declares a class, or statements that admit these classes do and ask no more of it than the
    /// role does.
    fn declares(&self, admitted: &Admitted, declared: &[Admitted]) -> bool {
        self.is_of_link(&admitted.who) || declared.iter().any(|declared| declared.covers(admitted))
    }

    /// Returns whether the link itself declares a class: its principals, or the source account and every part of it.
    fn is_of_link(&self, who: &Who) -> bool {
        let is_named = |arn: &String| self.only.iter().any(|principal| principal.is_named_by(arn, &self.source));
        match self.only.is_empty() {
            false => match who {
                Who::Principal { arn, .. } => is_named(arn),
                // The roles of a permission set.
                Who::Matching { account, narrowed } if *account == self.source => {
                    narrowed.strip_prefix("aws:PrincipalArn ").is_some_and(|pattern| is_named(&pattern.to_owned()))
                }
                _ => false,
            },
            true => Who::Account(self.source.clone()).covers(who),
        }
    }

    /// Returns whom the statements of `xacct.toml` admit.
    pub(super) fn of_statements(&self, role: Subject<'_>) -> Vec<Admitted> {
        of_trust(&self.statements, Subject { source: Some(&self.source), ..role })
    }
}
