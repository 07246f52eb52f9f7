//! Requests that another tool sent with the user's own credentials instead of a session of the role.

use crate::answers::Meaning;
use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::denial::Denial;
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, config_file};
use crate::error::AwsAnswer;
use crate::text::shell::ShellCommand;

/// Terragrunt's `createCredentialsFromEnv` (`internal/awshelper/config.go`); it was run with 1.0.0.
const TERRAGRUNT: &str = "Terragrunt 0.86.3 to 1.1.0 sends its own requests to the bucket of remote_state without \
                          assume_role if AWS_ACCESS_KEY_ID is set";

/// Returns the finding for an answer of another service than STS that the principal itself got. Only the message of another
/// tool has one: xacct sends such requests with the session.
pub fn finding(facts: &Facts, answer: &AwsAnswer) -> Option<Finding> {
    if answer.service == "sts" || answer.row().is_some_and(|row| row.cause.is_some()) {
        return None;
    }
    let caller = facts.caller.identity.present();
    let (user, role) = (facts.link.whose(), &facts.link.role.name);
    if answer.is_denial() && caller.is_some_and(|caller| facts.link.principal.is(caller)) {
        let action = Denial::of(answer).action.map_or_else(|| "a request".to_owned(), str::to_owned);
        let what = format!("the tool sent {action} with the credentials of {user}, not with a session of role {role}");
        return Some(with_fixes(facts, answer, Finding::new(Cause::RoleNotAssumed, what)));
    }
    // Terragrunt swallows the denial, and reports that the bucket is missing.
    let is_absent = answer.service == "s3" && answer.row().is_some_and(|row| row.meaning == Meaning::Absent);
    let what = format!("the bucket does not exist: the tool may have tried to create it without assuming role {role}");
    (caller.is_none() && is_absent)
        .then(|| with_fixes(facts, answer, Finding::new(Cause::RoleNotAssumed, what).likely()))
}

fn with_fixes(facts: &Facts, answer: &AwsAnswer, finding: Finding) -> Finding {
    let print = |consumer| {
        let print = ShellCommand::new("xacct").args(["print", consumer, &facts.link.name]);
        print.option_if("--config", config_file(facts))
    };
    let by = || Fix::by(Side::LocalConfiguration, facts);
    let provider = by()
        .step_do("in Terraform, give the provider and the backend the role:")
        .run(print("provider-hcl"))
        .run(print("backend-hcl").option("--bucket", "BUCKET"));
    if answer.service != "s3" {
        return finding.fix(provider);
    }
    let terragrunt = by()
        .step_do("in Terragrunt, let xacct open the session, and let nothing else assume the role:")
        .run(print("terragrunt-hcl").option("--bucket", "BUCKET").flag("--auth-provider-cmd"));
    finding.fact(TERRAGRUNT).fix(terragrunt).fix(provider)
}
