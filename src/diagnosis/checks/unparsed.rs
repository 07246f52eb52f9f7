//! Policies that were read and are in no form that can be evaluated.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::Fix;
use crate::diagnosis::policies;
use crate::diagnosis::statement::{Identity, PolicyRef};
use crate::iam::policy::PolicyError;
use crate::iam::state::FoundDocument;

/// Policies whose form cannot be evaluated: said, never passed over.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let all = [
        policies::trust(facts),
        Some(policies::of_user(facts)),
        policies::boundary_of_user(facts),
        Some(policies::of_role(facts)),
        policies::boundary_of_role(facts),
    ];
    let all = all.into_iter().flatten().flat_map(|policies| policies.documents);
    let unparsed = all.filter_map(|(policy, found)| match found {
        FoundDocument::Policy(_) => None,
        FoundDocument::Unparsed { problem, .. } => Some((policy, problem)),
    });
    let finding = |(policy, problem): (PolicyRef, &PolicyError)| {
        let side = if matches!(policy.identity, Identity::Role(_)) { Side::Target } else { Side::Source };
        let PolicyError { place, problem } = problem;
        let summary = format!("cannot evaluate {place} of the {}: {problem}", policy.words());
        Finding::new(Cause::UnreadablePolicy, summary)
            .on(side)
            .likely()
            .fact("xacct reads what the IAM policy grammar allows, and what it cannot read it does not guess")
            .fix(Fix::by(side, facts).step_do(format!("look at the {} by hand", policy.words())))
    };
    unparsed.map(finding).collect()
}
