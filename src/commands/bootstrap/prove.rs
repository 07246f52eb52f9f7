//! Proves the links that were made.

use std::cell::Cell;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::work::{Job, Work};
use crate::aws::connections::Connections;
use crate::cli::Bootstrap;
use crate::config::Source;
use crate::diagnosis::diagnose;
use crate::iam::arn::UserRef;
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::proving;
use crate::operations::run::{Run, side_by_side};
use crate::proof::{Freshness, Outcome, Watch};

/// Proves all of them side by side, and looks for the cause where one does not work.
pub async fn prove(work: &mut Work, args: &Bootstrap, run: &Run<'_>, connections: &Connections, source: &Source) {
    let user = UserRef::Arn(work.source.user.clone());
    let operator = work.source.operator.as_ref();
    let access = match (&source.user_profile, operator) {
        (Some(profile), _) => connections.access(Some(profile)).await,
        (None, Some(operator)) => Ok(operator.access.clone()),
        (None, None) => return,
    };
    let prover = match access {
        Ok(access) => {
            let named = source.user_profile.is_some();
            proving::prover(connections, access, named, user.clone(), Some(work.source.account.clone()), run)
        }
        Err(error) => Err(error),
    };
    let prover = match prover {
        Ok(prover) => prover,
        Err(error) => {
            for job in &mut work.jobs {
                job.proof = Some(Err(error.clone()));
            }
            return;
        }
    };
    let mut writer = work.grant_writer.take();
    // When the grant was written; later, once it had to be repaired.
    let granted = Cell::new(writer.as_ref().and_then(|grant| grant.written));
    let claim = |job: &Job, written: Option<Instant>| {
        let freshness = match written {
            Some(at) => Freshness::JustWritten { at, patience: args.timeout },
            None => Freshness::Settled,
        };
        proving::claim(&job.link, job.role.clone(), job.link.external_id.known().cloned(), freshness, run)
    };
    let operator = operator.map(|operator| operator.access.clone());
    let known = Source { account: Some(work.source.account.clone()), ..source.clone() };
    let diagnostician = Diagnostician::new(run, connections, &known, &user, operator);
    let tally = run.console.tally("bootstrap", work.jobs.len(), "verified");
    let proofs = side_by_side(&work.jobs, args.report.concurrency, async |job| {
        if job.result.is_err() || work.grant_result.is_err() {
            return (None, None);
        }
        let progress = run.console.progress(&job.link.name);
        let mut written = job.written.max(granted.get());
        let (proof, claim) = loop {
            let claim = claim(job, written);
            let proof = prover.prove(&claim, &progress).await;
            let is_refused = matches!(&proof, Ok(proof) if proof.outcome == Outcome::Refused);
            if !is_refused || granted.get() <= written {
                break (proof, claim);
            }
            // The grant was repaired meanwhile, and what was repaired is waited for as long.
            written = granted.get();
        };
        tally.one_more();
        if matches!(&proof, Ok(proof) if proof.outcome == Outcome::Works) {
            return (Some(proof), None);
        }
        progress.now("reading both halves");
        let target = job.target.as_ref().map(|target| target.operator.access.clone());
        let case = Case { link: &job.link, role: &job.role, target, written };
        let facts = diagnostician.facts(&case, &prover, &claim, &proof).await;
        (Some(proof), facts.as_ref().map(diagnose))
    });
    let (proven, ended) = oneshot::channel();
    let prove = async {
        let proofs = proofs.await;
        drop(proven);
        proofs
    };
    let guard = async {
        match &mut writer {
            Some(grant) => grant.guard(ended, |at| granted.set(Some(at))).await,
            None => Ok(()),
        }
    };
    // What the grant lacks for good is not waited for.
    let proven = tokio::try_join!(async { Ok(prove.await) }, guard);
    work.grant_writer = writer;
    match proven {
        Ok((proofs, ())) => {
            for (job, (proof, diagnosis)) in work.jobs.iter_mut().zip(proofs) {
                (job.proof, job.diagnosis) = (proof, diagnosis);
            }
        }
        Err(error) => work.grant_result = Err(error),
    }
}
