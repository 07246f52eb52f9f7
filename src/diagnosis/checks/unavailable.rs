//! AWS was unavailable, the account is too new, or xacct does not know the answer.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::error::AwsAnswer;

/// Returns the finding for an answer that does not depend on permissions, and that passes.
pub fn unavailable(facts: &Facts, answer: &AwsAnswer) -> Finding {
    let code = answer.code.as_deref().unwrap_or("an error");
    let what =
        format!("AWS returned {code} for {}:{}, so xacct could not test the link", answer.service, answer.operation);
    let fix = Fix::by(Side::Request, facts).step_do("wait a moment").verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::AwsUnavailable, what).fix(fix)
}

/// Returns the finding for an answer that the table lacks, or that no test of a link should get. A failing server is probably AWS's problem; everything else may
/// be anything.
pub fn unknown(facts: &Facts, answer: &AwsAnswer, asked: &str) -> Finding {
    let code = answer.code.as_deref().unwrap_or("an error without a code");
    if answer.row().is_none() && answer.status.is_some_and(|status| status >= 500) {
        return unavailable(facts, answer).likely();
    }
    let why = match answer.row() {
        None => "an answer that is not known to xacct",
        Some(_) => "which says nothing about the link",
    };
    let what = format!("AWS returned {code} to {asked}, {why}");
    let fix = Fix::by(Side::Request, facts)
        .step_do(format!("look up {code} in the API reference of {}:{}", answer.service, answer.operation));
    Finding::new(Cause::UnknownAnswer, what).likely().fix(fix)
}

/// Returns the finding for an account that was just created. STS answers about the user's account, S3 about the role's.
pub fn account_not_ready(facts: &Facts, answer: &AwsAnswer) -> Finding {
    let (side, what, account) = match answer.service.as_ref() {
        "s3" => (Side::Target, "target", facts.link.role.account.to_string()),
        _ => (Side::Source, "source", facts.source_account()),
    };
    let service = answer.service.to_uppercase();
    let fix = Fix::by(side, facts)
        .step_do("wait: AWS activates the services of a new account within minutes to hours")
        .step_do("if it takes longer, check in the Billing console that the sign-up of the account is complete")
        .verify(facts, VerifyWith::Nothing);
    let finding = Finding::new(
        Cause::AccountNotReady,
        format!("the {what} account {account} is not ready: AWS has not activated {service} for it yet"),
    )
    .on(side)
    .fact("AWS returns this for new accounts, for minutes to hours")
    .fix(fix);
    match answer.code.as_deref() {
        Some("OptInRequired") => {
            finding.likely().fact("AWS also returns OptInRequired for suspended or unpaid accounts")
        }
        _ => finding,
    }
}
