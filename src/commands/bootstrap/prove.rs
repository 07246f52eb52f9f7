//! Proves the links after the changes.

use std::cell::Cell;
use std::collections::BTreeMap;

use tokio::time::Instant;

use super::apply::read_back;
use super::arguments::Bootstrap;
use super::work::{Job, Work};
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::cli::Probe;
use crate::config::Source;
use crate::diagnosis::Diagnosis;
use crate::diagnosis::made::{GrantPolicy, Made};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{PrincipalArn, PrincipalRef};
use crate::iam::grant_names::grant_part_arn;
use crate::iam::names::AccountId;
use crate::iam::plan::{Change, Plan};
use crate::iam::state::FoundDocument;
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::grant_writer::GrantWriters;
use crate::operations::last_test::{Begun, Tested};
use crate::operations::proving;
use crate::operations::run::{Run, side_by_side};
use crate::proof::{Claim, Denied, Extent, Freshness, Outcome, Proof, Prover, Watch};

/// The most links for which connections are opened ahead.
const MOST_AHEAD: usize = 8;

/// What proofs need: arguments, connections and the source.
pub struct Proving<'a> {
    pub args: &'a Bootstrap,
    pub run: &'a Run<'a>,
    pub connections: &'a Connections,
    pub source: &'a Source,
}

impl Proving<'_> {
    /// Proves all links concurrently, and diagnoses those that do not work. Meanwhile `writers` guard the grants, and what
    /// was not read back is.
    pub async fn prove(&self, work: &mut Work, writers: &mut GrantWriters, prover: Option<Result<Prover>>) {
        let (prover, unusable) = match prover {
            Some(Ok(prover)) => (Some(prover), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let bench = prover.map(|prover| self.bench(prover, work, writers.written()));
        let tally = self.run.console.tally("bootstrap", work.jobs.len(), "verified");
        let concurrency = self.args.report.concurrency;
        let reads =
            side_by_side(&work.jobs, concurrency, async |job| match job.result.is_ok() && job.state.is_read_beside {
                true => read_back(job, self.args, &self.run.console.progress(&job.link.name)).await,
                false => Ok(()),
            });
        let proofs = side_by_side(&work.jobs, concurrency, async |job| {
            if job.result.is_err() || work.grant.result.is_err() {
                return (None, None);
            }
            let Some(bench) = &bench else { return (unusable.clone().map(Err), None) };
            let (proof, diagnosis) = bench.prove(job, || tally.one_more()).await;
            (Some(proof), diagnosis)
        });
        let repaired = |at| bench.iter().for_each(|bench| bench.granted.set(Some(at)));
        let progress = self.run.console.progress("bootstrap");
        let (reads, proofs) = tokio::join!(reads, writers.guard_while(proofs, repaired, &progress));
        match proofs {
            Ok(proofs) => {
                for (job, proven) in work.jobs.iter_mut().zip(proofs) {
                    (job.state.proof, job.state.diagnosis) = proven;
                }
            }
            // What failed before is the cause.
            Err(error) if work.grant.result.is_ok() => work.grant.result = Err(error),
            Err(_) => {}
        }
        for (job, read) in work.jobs.iter_mut().zip(reads) {
            if let Err(error) = read {
                (job.state.proof, job.state.diagnosis, job.result) = (None, None, Err(error));
            }
        }
    }

    fn bench(&self, prover: Prover, work: &Work, granted: Option<Instant>) -> Bench<'_> {
        let principals = self.principals(work);
        let operator = work.source.operator.as_ref().map(|operator| operator.access.clone());
        Bench {
            args: self.args,
            run: self.run,
            prover,
            account: work.source.account.clone(),
            tested_as: self.source.tested_as.clone(),
            diagnostician: Diagnostician::new(self.run, self.connections, self.source, &principals, operator),
            grants: grants(&work.grant.plan),
            inline: inline(work),
            lacking: work.grant.plan.lacking_grants().map(|lacking| lacking.set.reference()).collect(),
            granted: Cell::new(granted),
        }
    }

    /// Tests that the links work as the principal that stays, before the other one loses them.
    ///
    /// # Errors
    /// When one does not, or nobody can tell.
    pub async fn check_before_anybody_leaves(&self, work: &Work) -> Result<()> {
        let Some(prover) = self.prover(work).await else { return Ok(()) };
        let (prover, principals) = (prover?, self.principals(work));
        for job in &work.jobs {
            let claim = proving::claim_to_test(&job.link, &job.role, Freshness::Settled, self.run);
            let claim = Claim { extent: Extent::Session, principals: principals.clone(), ..claim };
            prover.session(&claim).await.map_err(|error| {
                let whose: Vec<_> = principals.iter().map(PrincipalRef::in_words).collect();
                error
                    .context(format!("target {}: cannot test the link as {}", job.link.name, whose.join(" or ")))
                    .note("nothing was changed")
                    .hint("or finish without the test: --no-verify")
            })?;
        }
        Ok(())
    }

    /// Returns a prover with the user's credentials; `None` if there are none. Opens the connections to S3 beside the writes,
    /// if there are few links: the proof would wait for them.
    pub async fn prover_ahead(&self, work: &Work) -> Option<Result<Prover>> {
        let prover = self.prover(work).await;
        let with_bucket = work.jobs.iter().filter(|job| job.result.is_ok() && job.state.no_bucket.is_none());
        let with_bucket: Vec<_> = with_bucket.collect();
        if let Some(Ok(prover)) = &prover
            && with_bucket.len() <= MOST_AHEAD
        {
            for job in with_bucket {
                prover.connect_ahead(&proving::claim_to_test(&job.link, &job.role, Freshness::Settled, self.run));
            }
        }
        prover
    }

    /// Returns a prover with the user's credentials; `None` if there are none.
    pub async fn prover(&self, work: &Work) -> Option<Result<Prover>> {
        let access = match (&self.source.user_profile, &work.source.operator) {
            (Some(profile), _) => self.connections.access(Some(profile)).await,
            (None, Some(operator)) => Ok(operator.access.clone()),
            (None, None) => return None,
        };
        let named = self.source.user_profile.is_some();
        let (principals, account) = (self.principals(work), Some(work.source.account.clone()));
        let prover = |access| proving::prover(self.connections, access, named, principals, account, self.run);
        let groups = work.source.grantees.iter().filter(|grantee| matches!(grantee.arn, PrincipalArn::Group(_)));
        let groups = groups.filter(|group| group.observed.is_some());
        let members = groups.map(|group| (group.arn.name().to_owned(), group.members.clone())).collect();
        Some(access.and_then(prover).map(|prover| prover.with_members(members)))
    }

    /// Returns the principals of all links, or the one whose test counts.
    fn principals(&self, work: &Work) -> Vec<PrincipalRef> {
        match &self.source.tested_as {
            Some(one) => vec![one.clone()],
            None => work.source.staying().map(|grantee| grantee.arn.reference()).collect(),
        }
    }
}

/// Returns the grants that a plan writes.
fn grants(plan: &Plan) -> BTreeMap<PrincipalArn, Vec<GrantPolicy>> {
    let mut written = BTreeMap::<_, Vec<_>>::new();
    for change in &plan.changes {
        let (principal, policy) = match change {
            Change::PutGrant { principal, to, .. } => (principal, GrantPolicy::Inline((**to).clone())),
            Change::PutGrantPart { principal, name, to, .. } => {
                (principal, GrantPolicy::Managed(grant_part_arn(principal, name), (**to).clone()))
            }
            _ => continue,
        };
        written.entry(principal.clone()).or_default().push(policy);
    }
    written
}

/// Returns the inline policy with the grant of each principal: as it is written, or else as it was found.
fn inline(work: &Work) -> Vec<(PrincipalArn, FoundDocument)> {
    let written = grants(&work.grant.plan);
    let of = |principal: &PrincipalArn| {
        written.get(principal)?.iter().find_map(|policy| match policy {
            GrantPolicy::Inline(document) => Some(FoundDocument::Policy(document.clone())),
            GrantPolicy::Managed(..) => None,
        })
    };
    let all = work.source.staying().filter_map(|grantee| {
        let found = || grantee.observed.as_ref()?.grant.clone();
        Some((grantee.arn.clone(), of(&grantee.arn).or_else(found)?))
    });
    all.collect()
}

/// Returns the access of the target operator, who has just read the role.
fn operator(job: &Job) -> Result<Access> {
    let operator = job.operator.as_ref().map(|operator| operator.access.clone());
    operator.ok_or_else(|| Error::new(Kind::Credentials, "this run used no credentials for the target account"))
}

/// Returns the link to diagnose.
fn case(job: &Job, written: Option<Instant>) -> Case<'_> {
    let target = job.operator.as_ref().map(|operator| operator.access.clone());
    Case { link: &job.link, role: &job.role, target, written, made: None }
}

/// What the proofs of all links share.
struct Bench<'a> {
    args: &'a Bootstrap,
    run: &'a Run<'a>,
    prover: Prover,
    account: AccountId,
    tested_as: Option<PrincipalRef>,
    diagnostician: Diagnostician<'a>,
    /// The grants as planned, as far as they had to be written.
    grants: BTreeMap<PrincipalArn, Vec<GrantPolicy>>,
    /// The inline policies with the grants, written or found.
    inline: Vec<(PrincipalArn, FoundDocument)>,
    /// The permission sets that lack the grant.
    lacking: Vec<PrincipalRef>,
    /// When the grant was last written, repairs included.
    granted: Cell<Option<Instant>>,
}

impl Bench<'_> {
    /// Returns both halves as this run has made them, or found them.
    fn made<'a>(&'a self, job: &'a Job) -> Made<'a> {
        let caller = self.prover.known_caller();
        let is_callers = |principal: &PrincipalArn| caller.is_some_and(|caller| principal.is(caller));
        let grant = match (caller, self.grants.len()) {
            (None, 1) => self.grants.first_key_value(),
            _ => self.grants.iter().find(|(principal, _)| is_callers(principal)),
        };
        Made { role: &job.state.desired, trust: &job.state.trust, grant: grant.map_or(&[], |(_, policies)| policies) }
    }

    /// Proves one link, and diagnoses it if it does not work. Calls `proven` in between.
    async fn prove(&self, job: &Job, proven: impl Fn()) -> (Result<Proof>, Option<Diagnosis>) {
        let progress = self.run.console.progress(&job.link.name);
        let at = (self.run.context.now)();
        let in_vain = Cell::new(false);
        let (mut proof, claim, written) = self.prove_past_repairs(job, &in_vain, &progress).await;
        proven();
        if let Ok(proof) = &proof {
            let (principals, source) = (&job.link.principals_in_words(), Some(&self.account));
            let (ahead, region) = (self.prover.clock_ahead(), self.prover.region(&claim).clone());
            let start = Begun { at, ahead, used_before: job.state.used_before.clone(), region };
            Tested { link: &job.link, role: &job.role, principals, source }.keep(proof, start, self.run.context);
        }
        // What was not waited for is not shown yet, either.
        let made = in_vain.get().then(|| self.made(job));
        let case = Case { made, ..case(job, written) };
        let diagnosis = self.diagnostician.explain(&case, (&self.prover, &claim), &proof, &progress).await;
        if let Ok(proof) = &mut proof {
            let notes = self.diagnostician.others(&case, proof, &self.inline, &self.lacking).await;
            proof.add_notes_on_others(notes);
        }
        (proof, diagnosis)
    }

    /// Proves one link, and again if the grant was repaired meanwhile: a repair gets the full wait for propagation.
    /// Sets `in_vain` if waiting cannot help.
    async fn prove_past_repairs(
        &self,
        job: &Job,
        in_vain: &Cell<bool>,
        watch: &dyn Watch,
    ) -> (Result<Proof>, Claim, Option<Instant>) {
        let mut written = job.state.written.max(self.granted.get());
        loop {
            let freshness = match written {
                Some(at) => Freshness::JustWritten { at, patience: self.args.timeout },
                None => Freshness::Settled,
            };
            let mut claim = proving::claim_to_test(&job.link, &job.role, freshness, self.run);
            claim.principals = self.tested_as.clone().map_or(claim.principals, |one| vec![one]);
            if let Some(why) = &job.state.no_bucket {
                claim.extent = Extent::Refusals(why.clone());
            }
            if let Extent::Bucket(test) = &mut claim.extent {
                test.is_required = job.link.probe == Probe::Bucket;
                test.reader = job.operator.as_ref().filter(|_| test.is_required).map(|it| Box::new(it.access.clone()));
                let is_open = job.state.is_open || test.is_required;
                test.foresight = is_open.then(|| Box::new(job.state.foresight()));
            }
            in_vain.set(false);
            let obstacle = async |denied: Denied<'_>| {
                // The caller's grant counts, and AWS may not have told the caller yet.
                let _ = self.prover.caller().await;
                let (case, made) = (case(job, written), self.made(job));
                // On the heap: the steps of the proof pass it on by value.
                let why = Box::pin(self.diagnostician.obstacle(&case, (&self.prover, &claim), &made, denied)).await;
                in_vain.set(why.is_some());
                why
            };
            let proof = self.prover.prove(&claim, std::future::ready(operator(job)), obstacle, watch).await;
            let is_refused = matches!(&proof, Ok(proof) if proof.outcome == Outcome::Refused);
            if !is_refused || self.granted.get() <= written {
                return (proof, claim, written);
            }
            written = self.granted.get();
        }
    }
}
