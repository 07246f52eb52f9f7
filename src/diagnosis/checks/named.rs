//! Policies that AWS's message names by ARN.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::denial::{Denial, is_quarantine};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith, aws, is_of_aws};
use crate::text::shell::ShellCommand;

impl Finding {
    /// Adds the policy that AWS names.
    pub fn named(self, denial: &Denial<'_>) -> Self {
        match denial.policy {
            Some(policy) => self.fact(format!("AWS names the policy: {}", policy.0)),
            None => self,
        }
    }
}

/// Returns the policy with its ID, or with an article if AWS names none.
pub fn in_words(denial: &Denial<'_>, kind: &str) -> String {
    match denial.policy.filter(|policy| policy.is_of_organization()) {
        Some(policy) => format!("{kind} {}", policy.name()),
        None => format!("a {kind}"),
    }
}

/// Changes a policy of the organization. If AWS names it, says where it is and how to read it.
pub fn in_organization(facts: &Facts, denial: &Denial<'_>, change: String) -> Fix {
    let fix = Fix::by(Side::Organization, facts);
    let Some(policy) = denial.policy.filter(|policy| policy.is_of_organization()) else { return fix.step_do(change) };
    let organization = policy.organization().map(|id| format!(" of organization {id}")).unwrap_or_default();
    let account = policy.account().map(|id| format!(" (management account {id})")).unwrap_or_default();
    let read = ShellCommand::new("aws")
        .args(["organizations", "describe-policy"])
        .option("--policy-id", policy.name())
        .option("--query", "Policy.Content");
    fix.step_do(format!("policy {}{organization}{account}: {change}; to see the policy there:", policy.name()))
        .run(read)
}

/// Changes a managed policy that AWS names and xacct could not read, or did not find to deny.
pub fn in_account(facts: &Facts, side: Side, denial: &Denial<'_>, change: String) -> Fix {
    let fix = Fix::by(side, facts);
    let Some(policy) = denial.policy else { return fix.step_do(change) };
    let operator = if side == Side::Target { &facts.target.operator } else { &facts.source.operator };
    if is_of_aws(policy.0) {
        return fix.step_do(format!(
            "find out why {}, an AWS managed policy, is attached, and detach it if it is not meant for this link",
            policy.0
        ));
    }
    fix.step_do(format!("in policy {}: {change}; to see its default version:", policy.0))
        .run(aws(operator, "iam", "get-policy").option("--policy-arn", policy.0))
}

/// Returns the finding for a user whom AWS has restricted because its access key was published.
pub fn quarantined(facts: &Facts, arn: &str) -> Finding {
    let (user, account) = (facts.link.whose(), facts.source_account());
    let iam = |operation: &str| {
        aws(&facts.source.operator, "iam", operation).option("--user-name", facts.link.principal.name())
    };
    let fix = Fix::by(Side::Source, facts)
        .step_do("create a new access key, and use it in place of the exposed one:")
        .run(iam("create-access-key"))
        .step_do("deactivate the exposed key, and delete it once nothing uses it:")
        .run(iam("update-access-key").option("--status", "Inactive").option("--access-key-id", "KEY_ID"))
        .step_do(format!(
            "open the support case that AWS created in account {account}, check CloudTrail for what the key was used for, \
             and answer the case"
        ))
        .step_do("only then detach the policy:")
        .run(iam("detach-user-policy").option("--policy-arn", arn))
        .verify(facts, VerifyWith::Nothing);
    let what = format!("AWS has quarantined {user}: an access key of the user was exposed");
    Finding::new(Cause::KeyQuarantined, what)
        .fact(format!("AWS attaches {arn} to users whose access key was found in public, and it denies the request"))
        .fix(fix)
}

/// Warns of the quarantine policy if it is attached to the user and the request did not fail because of it.
pub fn warning(facts: &Facts, findings: &[Finding]) -> Option<String> {
    let attached = facts.source.policies.attached.present()?;
    let arn = attached.keys().find(|arn| is_quarantine(arn))?;
    if findings.iter().any(|finding| finding.cause == Cause::KeyQuarantined) {
        return None;
    }
    let user = facts.link.whose();
    Some(format!(
        "AWS has attached {arn} to {user}, whose access key was exposed: replace the key, and open the support case"
    ))
}
