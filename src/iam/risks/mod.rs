//! What may go wrong with the policies of a link: those that will be in force, and those that stand until then.
//!
//! A risk stops nothing. It is said before anything is written, so that whoever applies a plan knows what it opens.

mod permissions;
mod risk;
mod trust;

pub use permissions::{of_grant, of_size};
pub use risk::{Counted, Risk};
pub use trust::of_trust;

use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredRole, FoundDocument, ObservedRole, ObservedUser, RoleQuotas};
use permissions::of_permissions;
use trust::demands_mfa;

/// Returns the risks of a role as it will be, and of what stands in its place until then.
#[must_use]
pub fn of_role(desired: &DesiredRole, observed: Option<&ObservedRole>, quotas: &RoleQuotas) -> Vec<Risk> {
    let own = &desired.arn.account;
    let mut risks = of_trust(&desired.trust, own);
    risks.extend(of_size(Counted::TrustPolicy, desired.trust.size(), quotas.trust_policy));
    let size = desired.inline.values().map(PolicyDocument::size).sum();
    risks.extend(of_size(Counted::RolePolicies, size, quotas.inline_policies));
    risks.extend(of_permissions(desired, observed));

    let Some(observed) = observed else { return risks };
    if !observed.trust.matches(&desired.trust) {
        // Access keys without MFA stay let in where MFA is no longer demanded at all.
        let without_mfa = !desired.trust.statements.iter().any(demands_mfa);
        let stays = |risk: &Risk| without_mfa && matches!(risk, Risk::MfaIfExists { .. });
        let replaced = of_replaced(&observed.trust, "the trust policy", &risks, |found| of_trust(found, own), stays);
        risks.extend(replaced);
    }
    for (name, found) in &observed.inline {
        if let Some(FoundDocument::Unparsed { problem, .. }) = found {
            risks.push(Risk::NotEvaluated { what: format!("policy {name}"), problem: problem.to_string() });
        }
    }
    risks
}

/// Returns the risks of the grant as it will be, and of what stands in its place until then.
#[must_use]
pub fn of_user(grant: &PolicyDocument, observed: &ObservedUser) -> Vec<Risk> {
    let mut risks = of_grant(grant);
    let size = grant.size() + observed.other_policies_size.unwrap_or(0);
    risks.extend(of_size(Counted::UserPolicies, size, observed.quota));
    if let Some(found) = observed.grant.as_ref().filter(|found| !found.matches(grant)) {
        let replaced = of_replaced(found, "the user's grant", &risks, of_grant, |_| false);
        risks.extend(replaced);
    }
    risks
}

/// Returns the risks of a found document that are not among those of the one that takes its place.
fn of_replaced(
    found: &FoundDocument,
    what: &str,
    known: &[Risk],
    look: impl FnOnce(&PolicyDocument) -> Vec<Risk>,
    stays: impl Fn(&Risk) -> bool,
) -> Vec<Risk> {
    match found {
        FoundDocument::Policy(document) => {
            let new = look(document).into_iter().filter(|risk| !known.contains(risk));
            new.map(|risk| if stays(&risk) { risk } else { Risk::UntilApplied(Box::new(risk)) }).collect()
        }
        FoundDocument::Unparsed { problem, .. } => {
            vec![Risk::NotEvaluated { what: what.to_owned(), problem: problem.to_string() }]
        }
    }
}

#[cfg(test)]
mod tests;
