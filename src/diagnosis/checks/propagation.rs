//! Changes that IAM is still propagating.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::{Facts, Mfa};
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::{Fix, VerifyWith};
use crate::diagnosis::verdict::{Evaluation, Evaluations, Verdict};
use crate::iam::policy::is_unique_id;

/// How long IAM may take to propagate a change. AWS publishes no number; Terraform's provider waits two minutes.
const PROPAGATION_SECONDS: u64 = 300;

/// Returns the finding for a link whose policies allow the request and that was changed recently.
pub fn propagating(facts: &Facts, evaluations: &Evaluations<'_>) -> Option<Finding> {
    let is_allowed =
        |evaluation: &Evaluation<'_>| matches!(evaluation.verdict(), Verdict::Allowed | Verdict::AllowedAsFarAsRead);
    let is_half_shown = facts.target.role.present().is_some_and(|role| is_unique_id(&role.arn));
    let ago = [facts.written_seconds_ago, facts.role_age()]
        .into_iter()
        .flatten()
        .min()
        .filter(|ago| *ago <= PROPAGATION_SECONDS);
    if ago.is_none() && !is_half_shown {
        return None;
    }
    if !evaluations.all().all(is_allowed) || facts.caller.mfa == Mfa::Unknown && facts.link.require_mfa {
        return None;
    }
    let why = match ago {
        Some(ago) => format!("the link was changed {ago} s before it"),
        None => "IAM shows the role's unique ID instead of its ARN".to_owned(),
    };
    let what = format!("the policies allow the request, but {why}, and IAM may still be propagating the change");
    let fix = Fix::by(Side::Request, facts).step_do("wait a minute").verify(facts, VerifyWith::Nothing);
    let finding = Finding::new(Cause::Propagating, what)
        .likely()
        .fact("IAM changes take seconds, sometimes minutes, to propagate (IAM User Guide)");
    let finding = match facts.target.role.present() {
        Some(role) if is_half_shown => {
            finding.fact(format!("the role's ARN reads {}, its unique ID, as it does right after CreateRole", role.arn))
        }
        _ => finding,
    };
    Some(finding.fix(fix))
}
