//! What may refuse a request where nothing that was read says why.

use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Possibility;
use crate::diagnosis::verdict::{self, Evaluations};
use crate::text::shell::ShellCommand;

/// STS refused AssumeRole. `is_propagating` where a change that is not honoured yet is a finding already.
pub fn of_assume_role(facts: &Facts, evaluations: &Evaluations<'_>, is_propagating: bool) -> Vec<Possibility> {
    let endpoints = ShellCommand::new("aws")
        .args(["ec2", "describe-vpc-endpoints"])
        .option("--query", "VpcEndpoints[].[ServiceName,PolicyDocument]");
    let propagation = Possibility {
        what: "a change of one half that AWS does not honour everywhere yet".to_owned(),
        decided_by: "xacct verify, again in a minute".to_owned(),
    };
    let mut possible = verdict::gaps(evaluations.all());
    possible.extend(Some(propagation).filter(|_| !is_propagating));
    possible.extend([
        organization("service", &facts.source_account(), "SERVICE_CONTROL_POLICY"),
        organization("resource", &facts.link.role.account.to_string(), "RESOURCE_CONTROL_POLICY"),
        Possibility {
            what: "the policy of a VPC endpoint for STS, if the calls go through one".to_owned(),
            decided_by: endpoints.to_string(),
        },
    ]);
    possible
}

/// S3 refused, and what could be read of the role's policies does not say why.
pub fn of_s3(facts: &Facts, evaluations: &Evaluations<'_>) -> Vec<Possibility> {
    let (Some((policies, boundary)), Some(_)) = (&evaluations.s3, &facts.s3) else { return Vec::new() };
    let mut possible = verdict::gaps([policies].into_iter().chain(boundary));
    let unknown = [policies].into_iter().chain(boundary).flat_map(|evaluation| &evaluation.may_apply);
    possible.extend(unknown.map(|(place, keys)| Possibility {
        what: format!("{} of the {}, depending on {}", place.numbered(), place.policy.words(), keys.join(", ")),
        decided_by: format!("the value of {} where the call was made", keys.join(", ")),
    }));
    possible.push(organization("service", &facts.link.role.account.to_string(), "SERVICE_CONTROL_POLICY"));
    possible
}

/// A policy of the organization on this account.
fn organization(kind: &str, account: &str, filter: &str) -> Possibility {
    let list = ShellCommand::new("aws")
        .args(["organizations", "list-policies-for-target"])
        .option("--target-id", account)
        .option("--filter", filter);
    Possibility {
        what: format!("a {kind} control policy on account {account}"),
        decided_by: format!("in the management account of its organization: {list}"),
    }
}
