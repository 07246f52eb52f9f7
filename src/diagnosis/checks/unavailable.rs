//! AWS throttled the request or was unavailable.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::error::AwsAnswer;

/// Returns the finding for an answer that does not depend on permissions.
pub fn unavailable(facts: &Facts, answer: &AwsAnswer) -> Finding {
    let code = answer.code.as_deref().unwrap_or("an error");
    let what =
        format!("AWS returned {code} for {}:{}, so xacct could not test the link", answer.service, answer.operation);
    let fix = Fix::by(Side::Request, facts).step_do("wait a moment").verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::AwsUnavailable, what).fix(fix)
}
