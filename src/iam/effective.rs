//! What a role can never do, whatever the request: the policies that it has, or will have.

use std::collections::BTreeSet;

use super::evaluate::{self, Context, Mismatch, Principal, Request};
use super::names::AccountId;
use super::policy::{Effect, Element, PolicyDocument, Statement};
use super::state::{FoundDocument, Reading};

/// The policies of a role that decide what its sessions may do in its own account. Policies of the organization, and of the
/// resource, may deny more.
#[derive(Debug, Clone)]
pub struct EffectivePolicies {
    /// Its managed and inline policies.
    pub policies: Vec<Reading<FoundDocument>>,
    /// Its permissions boundary; `None` if it has none.
    pub boundary: Option<Reading<FoundDocument>>,
}

impl EffectivePolicies {
    /// Returns why no request of the role for this action on this resource can be allowed; `None` if some may be. What
    /// could not be read may allow everything, and a condition may be met. So may what IAM does not show: the role has it,
    /// or is about to.
    #[must_use]
    pub fn never_allowed(&self, account: &AccountId, action: &str, resource: &str) -> Option<String> {
        let request = Request {
            principal: Principal { account: account.clone(), arns: BTreeSet::new(), unique_id: None }.into(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: Context::default(),
        };
        let documents = || self.policies.iter().filter_map(|it| it.present()?.policy());
        if documents().any(|document| surely_denies(document, &request)) {
            return Some(format!("a policy of the role denies {action}"));
        }
        if !self.policies.iter().any(|it| may_allow(it, &request)) {
            return Some(format!("no policy of the role allows {action}"));
        }
        let boundary = self.boundary.as_ref()?;
        let denies = boundary.present().and_then(FoundDocument::policy).is_some_and(|it| surely_denies(it, &request));
        (denies || !may_allow(boundary, &request)).then(|| format!("the permissions boundary does not allow {action}"))
    }

    /// Returns whether xacct read all of them.
    #[must_use]
    pub fn are_read(&self) -> bool {
        self.policies.iter().chain(&self.boundary).all(|it| it.present().is_some())
    }
}

fn may_allow(policy: &Reading<FoundDocument>, request: &Request) -> bool {
    match policy {
        Reading::Absent | Reading::Unreadable { .. } | Reading::Present(FoundDocument::Unparsed { .. }) => true,
        Reading::Present(FoundDocument::Policy(document)) => {
            let findings = evaluate::identity_policy(document, request).statements;
            document.statements.iter().zip(findings).any(|(statement, finding)| {
                let is_open = |mismatch: &Mismatch| match mismatch {
                    Mismatch::Condition { .. } | Mismatch::UnknownOperator { .. } => true,
                    Mismatch::Resource => has_variable(statement),
                    Mismatch::Action | Mismatch::Principal => false,
                };
                finding.effect == Effect::Allow && finding.mismatches.iter().all(is_open)
            })
        }
    }
}

/// Returns whether a policy denies a request, whatever its context. A denial on a condition may leave some requests
/// alone.
pub(super) fn surely_denies(document: &PolicyDocument, request: &Request) -> bool {
    let findings = evaluate::identity_policy(document, request).statements;
    document.statements.iter().zip(findings).any(|(statement, finding)| {
        let is_plain = statement.condition.is_empty() && !has_variable(statement);
        finding.effect == Effect::Deny && finding.applies() && is_plain
    })
}

/// Whether the resources of a statement depend on who asks.
fn has_variable(statement: &Statement) -> bool {
    match &statement.resource {
        Some(Element::Is(resources) | Element::Not(resources)) => {
            resources.iter().any(|arn| evaluate::variables(arn).next().is_some())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests;
