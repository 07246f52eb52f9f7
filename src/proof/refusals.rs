//! The steps with requests that AWS must deny.

use futures_util::future::join_all;

use super::claim::Claim;
use super::step::{Step, StepId, StepOutcome, answer_code, timed};
use super::wait::{Freshness, is_denied};
use super::watch::Watch;
use crate::aws::client::access::Access;
use crate::aws::sts::{self, AssumeRole};
use crate::error::{Error, Kind, Result};
use crate::iam::names::ExternalId;

/// Sends all requests that must be denied, concurrently. `again` follows those without the external ID: it then needs no
/// connection of its own, and still ends no later than the steps with the bucket.
pub(super) async fn steps<T>(
    (plain, with_mfa): (&Access, &Access),
    request: &AssumeRole,
    claim: &Claim,
    watch: &dyn Watch,
    again: impl Future<Output = T>,
) -> (Vec<Step>, T) {
    if let Some(why) = &claim.unsent_refusals {
        let steps = claim.refusals().map(|id| Step::new(id, StepOutcome::Skipped, why)).collect();
        return (steps, again.await);
    }
    let refusal =
        async |id, access: &Access, request: &AssumeRole| refusal(id, access, request, claim.freshness, watch).await;
    let external_id = claim.external_id.as_ref();
    let with_id = |external_id| AssumeRole { external_id, ..request.clone() };
    let without_id = async {
        let step = match external_id {
            Some(_) => Some(refusal(StepId::RefusedWithoutExternalId, with_mfa, &with_id(None)).await),
            None => None,
        };
        (step, again.await)
    };
    let wrong_id = async {
        let right = external_id?;
        let send =
            async |id: ExternalId| refusal(StepId::RefusedWithWrongExternalId, with_mfa, &with_id(Some(id))).await;
        if claim.former_external_ids.is_empty() {
            return Some(send(wrong_external_id(right)?).await);
        }
        let mut steps = join_all(claim.former_external_ids.iter().map(|id| send(id.clone()))).await;
        // One that is accepted counts.
        steps.sort_by_key(Step::is_ok);
        let mut step = steps.into_iter().next()?;
        step.evidence.push_str(if claim.former_external_ids.len() == 1 {
            " for the former ID"
        } else {
            " for former IDs"
        });
        Some(step)
    };
    let without_mfa = async {
        if !claim.require_mfa {
            return None;
        }
        if plain.is_session {
            let evidence = "session credentials may have MFA";
            return Some(
                Step::new(StepId::RefusedWithoutMfa, StepOutcome::NotProven, evidence).because(
                    Error::new(Kind::Credentials, "only the user's access key can show that the role requires MFA")
                        .hint("use a profile with the user's access key: --user-profile NAME"),
                ),
            );
        }
        Some(refusal(StepId::RefusedWithoutMfa, plain, request).await)
    };
    let ((without_id, again), wrong_id, without_mfa) = tokio::join!(without_id, wrong_id, without_mfa);
    ([without_id, wrong_id, without_mfa].into_iter().flatten().collect(), again)
}

/// Sends a request that must be denied. Right after a write the old, wider policy may still be in force.
async fn refusal(id: StepId, access: &Access, request: &AssumeRole, freshness: Freshness, watch: &dyn Watch) -> Step {
    let attempt = async || sts::assume(access, request).await;
    let waiting = |waited| watch.waiting(freshness.words(None, waited));
    let settled = timed(freshness.settle(2, attempt, is_denied, Result::is_ok, waiting)).await;
    let step = match settled.value.answer {
        Ok(_) => Step::new(id, StepOutcome::Failed, "ACCEPTED").because(
            Error::new(Kind::Refused, format!("role `{}` accepted a request it must reject", request.role.name))
                .hint("if the trust policy lacks the condition, repair it: xacct bootstrap")
                .hint("if the trust policy has just changed, wait a minute for IAM propagation, then run xacct verify"),
        ),
        Err(error) if error.is_denial() => Step::new(id, StepOutcome::Ok, answer_code(&error)),
        Err(error) => Step::new(id, StepOutcome::NotProven, answer_code(&error)).because(error),
    };
    step.with(settled.requests).since(settled.value.since)
}

/// Returns an external ID that differs in length and beginning.
fn wrong_external_id(right: &ExternalId) -> Option<ExternalId> {
    format!("wrong-{right}").parse().or_else(|_| "xacct-wrong-external-id".parse()).ok()
}
