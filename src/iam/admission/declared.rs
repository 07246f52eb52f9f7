//! Whom a link declares, and what that makes of those who are admitted.

use super::admitted::{Admitted, Who};
use super::reduce::of_trust;
use super::subject::Subject;
use crate::iam::arn::{RoleArn, UserArn};
use crate::iam::names::AccountId;
use crate::iam::policy::PolicyDocument;

/// Whom a link declares in `xacct.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The source account: declared as a whole if the link is not restricted to a user.
    pub source: AccountId,
    /// The only user of the source account.
    pub only_user: Option<UserArn>,
    /// Statements that `xacct.toml` adds to the trust policy; whom they admit is declared.
    pub statements: PolicyDocument,
    /// Entries of `accept`.
    pub accepted: Vec<Accepted>,
}

/// An entry of `accept`: somebody who is admitted by the will of the role's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The class, as [`Who`] is written.
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

impl Declared {
    /// Returns what the declaration makes of a class that the trust policy of `role` admits.
    #[must_use]
    pub fn standing(&self, admitted: &Admitted, role: &RoleArn) -> Standing {
        if let Some(accepted) = self.accepted.iter().find(|accepted| accepted.who == admitted.who.to_string()) {
            return Standing::Accepted(accepted.reason.clone());
        }
        let subject = Subject { source: Some(&self.source), ..Subject::from(role) };
        let by_statement = || of_trust(&self.statements, subject).iter().any(|known| known.who.covers(&admitted.who));
        match (&admitted.who, &self.only_user) {
            (Who::Deleted { .. }, _) => Standing::Nobody,
            (Who::Principal { arn, .. }, Some(user)) if *arn == user.to_string() => Standing::Declared,
            (Who::Account(account) | Who::Principal { account, .. } | Who::Matching { account, .. }, None)
                if *account == self.source =>
            {
                Standing::Declared
            }
            _ if by_statement() => Standing::Declared,
            _ => Standing::Undeclared,
        }
    }
}
