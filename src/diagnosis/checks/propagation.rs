//! A change that AWS does not honour everywhere yet.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::{Facts, Mfa};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict};

/// How long a change may take until AWS honours it everywhere. AWS publishes no number; Terraform's provider waits two
/// minutes, and this is more.
const PROPAGATION_SECONDS: u64 = 300;

/// Everything allows it, and something of it was made a moment ago.
pub fn propagating(facts: &Facts, evaluations: &Evaluations<'_>) -> Option<Finding> {
    let is_allowed =
        |evaluation: &Evaluation<'_>| matches!(evaluation.verdict(), Verdict::Allowed | Verdict::AllowedAsFarAsRead);
    let of_role = facts.target.role.present().and_then(|role| role.age_seconds);
    let ago =
        [facts.written_seconds_ago, of_role].into_iter().flatten().min().filter(|ago| *ago <= PROPAGATION_SECONDS)?;
    if !evaluations.all().all(is_allowed) || facts.caller.mfa == Mfa::Unknown && facts.link.require_mfa {
        return None;
    }
    let what =
        format!("both halves allow it, but the link was made {ago} s ago, and AWS may not honour it everywhere yet");
    let fix = Fix::by(Side::Request, facts).step_do("wait a minute").verify(facts, VerifyWith::Nothing);
    Some(
        Finding::new(Cause::Propagating, what)
            .likely()
            .fact("changes of IAM take seconds, at times minutes, to be honoured everywhere (IAM User Guide)")
            .fix(fix),
    )
}
