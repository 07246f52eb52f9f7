//! What `xacct.toml` says of those who get through.

use super::account::Holder;
use super::reach::Outside;
use crate::iam::admission::{Admitted, Declared, Needs, Standing, Who};
use crate::iam::arn::RoleArn;

/// Returns the standing of a user or role of the source account.
#[must_use]
pub fn of_holder(declared: &Declared, holder: &Holder, role: &RoleArn) -> Standing {
    declared.standing(&as_class(declared, holder), role)
}

/// Returns a user or role of the source account as the class of one.
#[must_use]
pub fn as_class(declared: &Declared, holder: &Holder) -> Admitted {
    let who = Who::Principal { account: declared.source.clone(), arn: holder.arn.clone() };
    Admitted { who, statement: 0, sid: None, needs: Needs::default(), undecided: None }
}

/// Returns the standing of a class from elsewhere. Services, and tokens of particular subjects, that become a role of the
/// source account are the usual way to use that role, so they stand as it does; other accounts do not.
#[must_use]
pub fn of_outside(declared: &Declared, outside: &Outside, via: &[&Holder], role: &RoleArn) -> Standing {
    let is_usual = match &outside.admitted.who {
        Who::Service(_) | Who::ServiceFor { .. } | Who::Saml { .. } => true,
        Who::Tokens { subjects, .. } => !subjects.is_empty(),
        _ => false,
    };
    let own = declared.standing(&outside.admitted, role);
    if own != Standing::Undeclared || via.is_empty() || !is_usual {
        return own;
    }
    let mut standings = via.iter().map(|holder| of_holder(declared, holder, role));
    standings.find(|standing| *standing == Standing::Undeclared).unwrap_or(Standing::Declared)
}
