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
    let (name, steps) = one_bucket(access, spec, (claim, session), obstacle, leftovers, watch).await?;
    // S3's response to the deletion was lost, and with it the proof of the owner: try another bucket.
    let is_lost = |step: &Step| step.error.as_ref().is_some_and(|error| error.kind == Kind::Network);
    if steps.last().is_some_and(|step| step.outcome == StepOutcome::NotProven && is_lost(step))
        && let Some(other) = bucket_spec(claim, &access.region)?
    {
        let (other, mut others) = one_bucket(access, other, (claim, session), obstacle, leftovers, watch).await?;
        // The first one existed, too, and nothing but its absence shows what became of it.
        if let (Some(name), Some(created)) = (&name, others.first_mut()) {
            created.evidence = format!("{}; before it {name}, deleted, owner not confirmed", created.evidence);
        }
        return Ok((other, others));
    }
    Ok((name, steps))
}

async fn one_bucket(
    access: &Access,
    spec: BucketSpec,
    (claim, session): (&Claim, &CallerArn),
    obstacle: &impl AsyncFn(Denied<'_>) -> Option<String>,
    leftovers: &Leftovers,
    watch: &dyn Watch,
) -> Result<(Option<String>, Vec<Step>)> {
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
    let creating = Box::pin(claim.freshness.settle_unless(obstacle, 1, create, may_change, waits));
    let mut created = timed(creating).await;
    let in_vain = created.value.in_vain.take();
    let impossible = if let Foreseen::Impossible(why) = foreseen.into_inner() { Some(why) } else { None };
    let is_required = test.is_some_and(|test| test.is_required);
    if let Some(why) = impossible.as_ref().filter(|_| !is_required) {
        let step = Step::new(StepId::CreateBucket, StepOutcome::Skipped, why).took(created.duration);
        return Ok((None, vec![step]));
    }
    let step = s3_step(StepId::CreateBucket, created, spec.name.clone())?;
    let mut steps = vec![impossible.or(in_vain).into_iter().fold(step, Step::not_waited_for)];
    if steps.iter().all(Step::is_ok) {
        watch.now("deleting the test bucket");
        let remove = async || test_bucket::remove(access, &spec.name, owner, leftovers).await;
        let (obstacle, waits) = (in_the_way("DeleteBucket"), waiting("s3:DeleteBucket"));
        let removing = Box::pin(claim.freshness.settle_unless(obstacle, 1, remove, may_pass, waits));
        let mut removed = timed(removing).await;
        let in_vain = removed.value.in_vain.take();
        let unconfirmed = matches!(removed.value.answer, Ok(Removed::Unconfirmed));
        let step = s3_step(StepId::DeleteBucket, removed, format!("owner {owner}"))?;
        let mut step = in_vain.into_iter().fold(step, Step::not_waited_for);
        if unconfirmed {
            step =
                Step::new(step.id, StepOutcome::NotProven, "deleted, owner not confirmed").took(step.duration).because(
                    Error::new(Kind::Network, "S3's response to the deletion was lost").hint("run the command again"),
                );
        }
        steps.push(step);
    }
    if steps.iter().all(Step::is_ok) {
        watch.now("checking that the test bucket is gone");
        steps.push(bucket_gone(access, &spec.name, owner).await);
    }
    Ok((Some(spec.name), steps))
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
        Err(error) => (StepOutcome::Skipped, format!("not checked: {}", answer_code(error))),
        Ok(()) => (StepOutcome::Failed, "still exists".to_owned()),
    };
    Step::new(StepId::BucketGone, outcome, evidence).took(settled.duration)
}

fn s3_step<T>(id: StepId, settled: Timed<Settled<T>>, evidence: String) -> Result<Step> {
    let step = match settled.value.answer {
        Ok(_) => Step::new(id, StepOutcome::Ok, evidence),
        Err(error) if error.aws.is_none() || error.kind == Kind::Credentials => return Err(error),
        Err(error) => {
            let outcome = if error.is_inconclusive() { StepOutcome::NotProven } else { StepOutcome::Failed };
            Step::new(id, outcome, answer_code(&error)).because(error)
        }
    };
    Ok(step.took(settled.duration).since(settled.value.since))
}
