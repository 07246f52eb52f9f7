//! AWS was busy or broken.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::error::AwsAnswer;

/// An answer that says nothing about permissions.
pub fn unavailable(facts: &Facts, answer: &AwsAnswer) -> Finding {
    let code = answer.code.as_deref().unwrap_or("an error");
    let what =
        format!("AWS answered {}:{} with {code}, which says nothing about the link", answer.service, answer.operation);
    let fix = Fix::by(Side::Request, facts).step_do("wait a little").verify(facts, VerifyWith::Nothing);
    Finding::new(Cause::AwsUnavailable, what).fix(fix)
}
