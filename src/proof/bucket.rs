//! The steps with a test bucket: create it, delete it on condition of its owner, check that it is gone.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::Instant;

use super::claim::{Claim, Extent, bucket_spec};
use super::foresight::Foreseen;
use super::step::{Step, StepId, StepOutcome, Timed, answer_code, timed};
use super::wait::{Denied, Freshness, Settled, is_denied, may_pass};
use super::watch::Watch;
use crate::aws::client::access::Access;
use crate::aws::s3::test_bucket::{self, BucketSpec, Leftovers, Removed};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::CallerArn;
use crate::iam::names::AccountId;

/// Runs the steps with a bucket, and returns its name with them. Without a `spec`, skips them.
pub(super) async fn steps(
    access: &Access,
    spec: Option<BucketSpec>,
    (claim, session): (&Claim, &CallerArn),
    obstacle: &impl AsyncFn(Denied<'_>) -> Option<String>,
    leftovers: &Leftovers,
    watch: &dyn Watch,
) -> Result<(Option<String>, Vec<Step>)> {
    let Some(spec) = spec else {
        watch.now("sending requests that must be denied");
        let why = if let Extent::Refusals(why) = &claim.extent { why.as_str() } else { "not asked for" };
        let step = Step::new(StepId::CreateBucket, StepOutcome::Skipped, why);
        return Ok((None, vec![step]));
    };
    let Tested { name, steps, is_unconfirmed } =
        one_bucket(access, spec, (claim, session), obstacle, leftovers, watch).await?;
    // S3's response to the deletion was lost, and with it the proof of the owner: try another bucket.
    if is_unconfirmed && let Some(other) = bucket_spec(claim, &access.region)? {
        let mut tested = one_bucket(access, other, (claim, session), obstacle, leftovers, watch).await?;
        // The first one existed, too, and nothing but its absence shows what became of it.
        if let (Some(name), Some(created)) = (&name, tested.steps.first_mut()) {
            created.evidence = format!("{}; before it {name}, deleted, owner not confirmed", created.evidence);
        }
        return Ok((tested.name, tested.steps));
    }
    Ok((name, steps))
}

/// The test of one bucket.
struct Tested {
    /// `None` if it was not created because no policy can allow it.
    name: Option<String>,
    steps: Vec<Step>,
    /// Whether the bucket is gone, but the answer that confirms its owner was lost.
    is_unconfirmed: bool,
}

async fn one_bucket(
    access: &Access,
    spec: BucketSpec,
    (claim, session): (&Claim, &CallerArn),
    obstacle: &impl AsyncFn(Denied<'_>) -> Option<String>,
    leftovers: &Leftovers,
    watch: &dyn Watch,
) -> Result<Tested> {
    let owner = &claim.role.account;
    let waiting = |action: &'static str| move |waited| watch.waiting(claim.freshness.words(Some(action), waited));

    watch.now("creating a test bucket");
    let test = if let Extent::Bucket(test) = &claim.extent { Some(test) } else { None };
    let foresight = test.and_then(|test| test.foresight.as_deref());
    let reader = test.and_then(|test| test.reader.as_deref()).unwrap_or(access);
    let foreseen = RefCell::new(Foreseen::Unread);
    let create = async || {
        let answer = test_bucket::create(access, &spec, leftovers).await;
        // What could be read does not change; what could not may become readable while IAM propagates.
        let is_open = *foreseen.borrow() == Foreseen::Unread;
        if let Some(foresight) = foresight.filter(|_| is_open && is_denied(&answer)) {
            foreseen.replace(foresight.look(reader, &spec.name).await);
        }
        answer
    };
    // Waiting cannot change what no policy allows.
    let may_change = |answer: &Result<()>| may_pass(answer) && !matches!(*foreseen.borrow(), Foreseen::Impossible(_));
    let in_the_way = |operation: &'static str| {
        obstacle(Denied::S3 { session, bucket: &spec.name, region: &access.region, operation })
    };
    let (obstacle, waits) = (in_the_way("CreateBucket"), waiting("s3:CreateBucket"));
    // On the heap: futures nested more deeply are too much for the compiler.
    let creating = Box::pin(claim.freshness.settle_unless(obstacle, create, may_change, waits));
    let mut created = timed(creating).await;
    let in_vain = created.value.in_vain.take();
    let impossible = if let Foreseen::Impossible(why) = foreseen.into_inner() { Some(why) } else { None };
    let is_required = test.is_some_and(|test| test.is_required);
    if let Some(why) = impossible.as_ref().filter(|_| !is_required) {
        let step = Step::new(StepId::CreateBucket, StepOutcome::Skipped, why).with(created.requests);
        return Ok(Tested { name: None, steps: vec![step], is_unconfirmed: false });
    }
    let step = s3_step(StepId::CreateBucket, created, spec.name.clone())?;
    let mut steps = vec![impossible.or(in_vain).into_iter().fold(step, Step::not_waited_for)];
    let mut is_unconfirmed = false;
    if steps.iter().all(Step::is_ok) {
        watch.now("deleting the test bucket");
        let remove = async || test_bucket::remove(access, &spec.name, owner, leftovers).await;
        let (obstacle, waits) = (in_the_way("DeleteBucket"), waiting("s3:DeleteBucket"));
        let removing = Box::pin(claim.freshness.settle_unless(obstacle, remove, may_pass, waits));
        let mut removed = timed(removing).await;
        let in_vain = removed.value.in_vain.take();
        is_unconfirmed = matches!(removed.value.answer, Ok(Removed::Unconfirmed));
        let step = s3_step(StepId::DeleteBucket, removed, format!("owner {owner}"))?;
        let mut step = in_vain.into_iter().fold(step, Step::not_waited_for);
        if is_unconfirmed {
            let lost =
                Error::new(Kind::Network, "S3's response to the deletion was lost").hint("run the command again");
            let evidence = "deleted, owner not confirmed".to_owned();
            step = Step { outcome: StepOutcome::NotProven, evidence, since: None, ..step }.because(lost);
        }
        steps.push(step);
    }
    if steps.iter().all(Step::is_ok) {
        watch.now("checking that the test bucket is gone");
        steps.push(bucket_gone(access, &spec.name, owner).await);
    }
    Ok(Tested { name: Some(spec.name), steps, is_unconfirmed })
}

/// Checks until the bucket is gone. It may stay visible for some seconds after its deletion (S3 User Guide, Amazon S3
/// data consistency model).
async fn bucket_gone(access: &Access, name: &str, owner: &AccountId) -> Step {
    let patience = Freshness::JustWritten { at: Instant::now(), patience: Duration::from_secs(10) };
    let head = async || test_bucket::head(access, name, owner).await;
    let is_gone = |answer: &Result<()>| answer.as_ref().is_err_and(test_bucket::is_absent);
    let settled = timed(patience.settle(1, head, is_gone, Result::is_ok, |_| {})).await;
    let (outcome, evidence) = match &settled.value.answer {
        Err(error) if test_bucket::is_absent(error) => (StepOutcome::Ok, "404".to_owned()),
        // A role without s3:ListBucket cannot look.
        Err(error) if !error.is_inconclusive() => {
            (StepOutcome::Skipped, format!("not checked: {}", answer_code(error)))
        }
        Err(error) => (StepOutcome::NotProven, answer_code(error)),
        Ok(()) => (StepOutcome::Failed, "still exists".to_owned()),
    };
    let step = Step::new(StepId::BucketGone, outcome, evidence).with(settled.requests);
    match settled.value.answer {
        Err(error) if outcome == StepOutcome::NotProven => step.because(error),
        _ => step,
    }
}

fn s3_step<T>(id: StepId, settled: Timed<Settled<T>>, evidence: String) -> Result<Step> {
    let step = match settled.value.answer {
        Ok(_) => Step::new(id, StepOutcome::Ok, evidence),
        Err(error) => Step::failed(id, error)?,
    };
    Ok(step.with(settled.requests).since(settled.value.since))
}
