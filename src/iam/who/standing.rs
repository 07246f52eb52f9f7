//! What `xacct.toml` says of those who get through.

use super::account::Holder;
use super::reach::Outside;
use crate::iam::admission::{Admitted, Declared, Needs, Standing, Subject, Who};

/// Returns a user or role of the source account as the class of one, with what it needs to get through.
#[must_use]
pub fn as_class(declared: &Declared, holder: &Holder, needs: Needs) -> Admitted {
    let who = Who::Principal { account: declared.source.clone(), arn: holder.arn.clone() };
    Admitted { who, statement: 0, sid: None, needs, undecided: None }
}

/// Returns the standing of a class from elsewhere. Particular services, and tokens of particular subjects, that become
/// a role of the source account are the usual way to use that role, so they stand as it does; other accounts do not.
#[must_use]
pub fn of_outside(declared: &Declared, outside: &Outside, via: &[&Holder], role: Subject<'_>) -> Standing {
    let is_usual = match &outside.admitted.who {
        Who::Service(service) => service != "*",
        Who::ServiceFor { .. } => true,
        Who::Saml { provider } => provider != "*",
        Who::Tokens { subjects, .. } => !subjects.is_empty(),
        _ => false,
    };
    let own = declared.standing(&outside.admitted, role);
    if own != Standing::Undeclared || via.is_empty() || !is_usual {
        return own;
    }
    let of_holder = |holder: &&Holder| declared.standing(&as_class(declared, holder, outside.admitted.needs), role);
    let mut standings = via.iter().map(of_holder);
    standings.find(|standing| *standing == Standing::Undeclared).unwrap_or(Standing::Declared)
}
