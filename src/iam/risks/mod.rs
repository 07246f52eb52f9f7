//! The risks of a link's policies: the planned ones, and the current ones until the plan is applied.
//!
//! A risk is a warning and stops nothing. xacct shows it before it writes, so that the operator knows what the plan
//! opens.

mod permission_set;
mod permissions;
mod risk;
mod trust;
mod weaker;

pub use permission_set::of_permission_set;
pub use permissions::{of_boundary, of_grant, of_size};
pub use risk::{BoundaryChange, Counted, Risk, Undeclared};
pub use trust::of_trust;
pub use weaker::Weaker;

use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredRole, FoundDocument, ObservedPrincipal, ObservedRole, RoleQuotas};
pub(super) use permissions::allows_everything;
use permissions::{of_permissions, of_undeclared};
pub(super) use risk::is_administrator_access;
use trust::requires_mfa;

/// Returns the risks of the desired role, and those of the current role until the plan is applied.
#[must_use]
pub fn of_role(desired: &DesiredRole, observed: Option<&ObservedRole>, quotas: &RoleQuotas) -> Vec<Risk> {
    let subject = desired.subject(observed);
    let mut risks = of_trust(&desired.trust, subject);
    let sizes = [
        (Counted::TrustPolicy, desired.trust.size(), quotas.trust_policy),
        (Counted::RolePolicies, desired.inline_size_on(observed), quotas.inline_policies),
        (Counted::AttachedPolicies, desired.attached_on(observed).len(), quotas.attached_policies),
    ];
    risks.extend(sizes.into_iter().filter_map(|(what, size, quota)| of_size(what, size, quota)));
    risks.extend(of_permissions(desired, observed));

    let Some(observed) = observed else { return risks };
    risks.extend(of_undeclared(desired, observed));
    if !observed.trust.matches(&desired.trust) {
        // If the desired trust policy does not require MFA at all, access keys without MFA stay accepted.
        let without_mfa = !desired.trust.statements.iter().any(requires_mfa);
        let stays = |risk: &Risk| without_mfa && matches!(risk, Risk::MfaIfExists { .. });
        let replaced =
            of_replaced(&observed.trust, "the trust policy", &risks, |found| of_trust(found, subject), stays);
        risks.extend(replaced);
    }
    for (name, found) in &observed.inline {
        if let Some(FoundDocument::Unparsed { problem, .. }) = found {
            risks.push(Risk::NotEvaluated { what: format!("policy {name}"), problem: problem.to_string() });
        }
    }
    risks
}

/// Returns the risks of the desired grant, and those of the current grant until the plan is applied.
#[must_use]
pub fn of_principal(grant: &PolicyDocument, observed: &ObservedPrincipal) -> Vec<Risk> {
    let mut risks = of_grant(grant);
    let size = grant.size() + observed.other_policies_size.unwrap_or(0);
    risks.extend(of_size(Counted::UserPolicies, size, observed.quota));
    if let Some(found) = observed.grant.as_ref().filter(|found| !found.matches(grant)) {
        let replaced = of_replaced(found, "the grant", &risks, of_grant, |_| false);
        risks.extend(replaced);
    }
    risks
}

/// Returns the risks of a current document that its replacement does not have.
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
