//! Possible causes of a denial that the facts do not explain.

use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Possibility;
use crate::diagnosis::verdict::{self, Evaluations};
use crate::text::shell::ShellCommand;

/// Returns what may make STS deny AssumeRole. `is_propagating` says that propagation is a finding already.
pub fn of_assume_role(facts: &Facts, evaluations: &Evaluations<'_>, is_propagating: bool) -> Vec<Possibility> {
    let endpoints = ShellCommand::new("aws")
        .args(["ec2", "describe-vpc-endpoints"])
        .option("--query", "VpcEndpoints[].[ServiceName,PolicyDocument]");
    let propagation = Possibility {
        what: "IAM propagation: a recent change to the role or the grant is not in effect everywhere yet".to_owned(),
        decided_by: "run xacct verify again in a minute".to_owned(),
    };
    let mut possible = verdict::gaps(evaluations.all());
    possible.extend(Some(propagation).filter(|_| !is_propagating));
    let whose = facts.link.whose();
    possible.extend(facts.link.principal.acts_as_role().then(|| Possibility {
        what: format!("the session policy with which the session of {whose} was opened, and which no role shows"),
        decided_by: format!(
            "look for Policy or PolicyArns (in CloudTrail: policy, policyArns) in the AssumeRole request that opened the session of {whose}"
        ),
    }));
    possible.extend([
        organization("service", &facts.source_account(), "SERVICE_CONTROL_POLICY"),
        organization("resource", &facts.link.role.account.to_string(), "RESOURCE_CONTROL_POLICY"),
        Possibility {
            what: "the policy of a VPC endpoint for STS, if requests go through one".to_owned(),
            decided_by: format!("run {endpoints}"),
        },
    ]);
    possible
}

/// Returns what may make S3 deny the request where the role's policies do not explain it.
pub fn of_s3(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Possibility> {
    let (Some(asked), Some(_)) = (evaluations.s3.first(), &facts.s3) else { return Vec::new() };
    let mut possible = verdict::gaps(asked.each());
    let unknown = asked.each().flat_map(|evaluation| &evaluation.may_apply);
    possible.extend(unknown.map(|(place, keys)| Possibility {
        what: format!("{} of the {}, which depends on {}", place.numbered(), place.policy.words(), keys.join(", ")),
        decided_by: format!("compare the value of {} in the request with the statement", keys.join(", ")),
    }));
    possible.push(organization("service", &facts.link.role.account.to_string(), "SERVICE_CONTROL_POLICY"));
    possible
}

/// Returns a policy of the organization as the possible cause.
fn organization(kind: &str, account: &str, filter: &str) -> Possibility {
    let list = ShellCommand::new("aws")
        .args(["organizations", "list-policies-for-target"])
        .option("--target-id", account)
        .option("--filter", filter);
    Possibility {
        what: format!("a {kind} control policy on account {account}"),
        decided_by: format!("run in the organization's management account: {list}"),
    }
}
