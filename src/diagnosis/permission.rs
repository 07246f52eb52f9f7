//! Whether sessions of a role may do something, by the policies that IAM shows.

use serde::Serialize;

use super::context;
use super::facts::Facts;
use super::finding::Possibility;
use super::verdict::{self, Evaluation, Layer, RoleEvaluation, Verdict};
use crate::iam::state::Reading;

/// What decides, too, and IAM does not show.
const NOT_SHOWN: &str = "not shown by IAM, and not evaluated: service and resource control policies of the organization, \
                         policies of the resource itself, session policies, VPC endpoint policies";

/// What the policies of a role decide on an action.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Permission {
    /// The action.
    pub action: String,
    /// The resource; absent if none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The Region of the request.
    pub region: String,
    /// The decision of the role's policies and its permissions boundary together.
    pub verdict: Verdict,
    /// The statements that decide, for people.
    #[serde(skip)]
    pub reasons: Vec<String>,
    /// The decision of each, with all reasons.
    pub layers: Vec<Layer>,
    /// What would decide it.
    pub possible: Vec<Possibility>,
    /// What the decision leaves out.
    pub notes: Vec<String>,
}

/// Returns what the policies of the role decide on this action, on this resource or on any. `None` if there is no such
/// role.
#[must_use]
pub fn permission(facts: &Facts, action: &str, resource: Option<&str>) -> Option<Permission> {
    if facts.target.role == Reading::Absent {
        return None;
    }
    let asked = context::of_action(facts, action, resource);
    let evaluation = verdict::of_role(facts, &asked);
    let verdict = evaluation.each().map(Evaluation::verdict).max().unwrap_or(Verdict::Unknown);
    let mut notes = vec![NOT_SHOWN.to_owned()];
    let account = resource.and_then(|arn| arn.split(':').nth(4)).filter(|account| !account.is_empty());
    if account.is_some_and(|account| account != facts.link.role.account.as_str() && account != "aws") {
        notes.push("the resource is in another account, so its own policy must allow the role, too".to_owned());
    }
    Some(Permission {
        action: action.to_owned(),
        resource: resource.map(str::to_owned),
        region: context::region_of_action(facts, resource).to_string(),
        verdict,
        reasons: reasons(&evaluation, verdict),
        layers: evaluation.each().map(Evaluation::report).collect(),
        possible: verdict::gaps(evaluation.each()),
        notes,
    })
}

/// Returns why: the layers with the verdict, or, if all allow, all of them.
fn reasons(evaluation: &RoleEvaluation<'_>, verdict: Verdict) -> Vec<String> {
    let deciding = evaluation.each().filter(|layer| layer.verdict() == verdict || verdict < Verdict::Unknown);
    let of = |layer: &Evaluation<'_>| {
        let applying = [layer.applying(), layer.unknown()].concat();
        if !applying.is_empty() {
            return applying;
        }
        let near = layer.near_miss().map_or_else(String::new, |near| format!("; {near}"));
        vec![format!("no statement of the {} allows {}{near}", layer.name, layer.action)]
    };
    deciding.flat_map(of).collect()
}
