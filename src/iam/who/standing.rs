//! What `xacct.toml` says of those who get through.

use super::account::Holder;
use super::reach::Outside;
use crate::iam::admission::{Admitted, Declared, Needs, Standing, Who};
use crate::iam::arn::RoleArn;

/// Returns the standing of a user or role of the source account. Whoever accepts the whole account accepts each of them.
#[must_use]
pub fn of_holder(declared: &Declared, holder: &Holder, role: &RoleArn) -> Standing {
    let account = &declared.source;
    let standing = |who| declared.standing(&admitted(who), role);
    match standing(Who::Principal { account: account.clone(), arn: holder.arn.clone() }) {
        Standing::Undeclared => match standing(Who::Account(account.clone())) {
            accepted @ Standing::Accepted(_) => accepted,
            _ => Standing::Undeclared,
        },
        decided => decided,
    }
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

fn admitted(who: Who) -> Admitted {
    Admitted { who, statement: 0, sid: None, needs: Needs::default(), undecided: None }
}
