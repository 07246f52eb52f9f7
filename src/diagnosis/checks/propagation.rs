//! Changes that IAM is still propagating.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::{Facts, Mfa};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict};

/// How long IAM may take to propagate a change. AWS publishes no number; Terraform's provider waits two minutes.
const PROPAGATION_SECONDS: u64 = 300;

/// Returns the finding for a link whose policies allow the request and that was changed recently.
pub fn propagating(facts: &Facts, evaluations: &Evaluations<'_>) -> Option<Finding> {
    let is_allowed =
        |evaluation: &Evaluation<'_>| matches!(evaluation.verdict(), Verdict::Allowed | Verdict::AllowedAsFarAsRead);
    let of_role = facts.target.role.present().and_then(|role| role.age_seconds);
    let ago =
        [facts.written_seconds_ago, of_role].into_iter().flatten().min().filter(|ago| *ago <= PROPAGATION_SECONDS)?;
    if !evaluations.all().all(is_allowed) || facts.caller.mfa == Mfa::Unknown && facts.link.require_mfa {
        return None;
    }
    let what = format!(
        "the policies allow the request, but the link was changed {ago} s ago, and IAM may still be propagating the change"
    );
    let fix = Fix::by(Side::Request, facts).step_do("wait a minute").verify(facts, VerifyWith::Nothing);
    Some(
        Finding::new(Cause::Propagating, what)
            .likely()
            .fact("IAM changes take seconds, sometimes minutes, to propagate (IAM User Guide)")
            .fix(fix),
    )
}
