//! Policies that xacct read but cannot evaluate.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::Fix;
use crate::diagnosis::policies;
use crate::diagnosis::statement::{Identity, PolicyRef};
use crate::iam::policy::PolicyError;
use crate::iam::state::FoundDocument;

/// Returns a finding for each policy that xacct cannot evaluate: none is skipped silently.
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
        let summary = format!("xacct cannot evaluate the {}: {place}: {problem}", policy.words());
        Finding::new(Cause::UnreadablePolicy, summary)
            .on(side)
            .likely()
            .fact("xacct evaluates only policies that follow the IAM policy grammar")
            .fix(Fix::by(side, facts).step_do(format!("check the {} manually", policy.words())))
    };
    unparsed.map(finding).collect()
}
