//! Tests links with the user's credentials, for `verify` and `list --live`.

use std::time::Duration;

use tokio::time::Instant;

use crate::aws::connections::Connections;
use crate::cli::{HowOften, ProofOptions, ReportOptions};
use crate::config::{Link, Source};
use crate::diagnosis::Diagnosis;
use crate::error::{Error, ExitCode, Kind, Result};
use crate::iam::arn::{Partition, PrincipalRef, RoleArn};
use crate::iam::last_use::Used;
use crate::iam::names::AccountId;
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::last_test::{Begun, Tested};
use crate::operations::operators::Operators;
use crate::operations::proving;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::proof::{Claim, Extent, Freshness, Outcome, Proof, Prover, Watch};
use crate::report::proof::essence;

/// How to test links.
pub struct Verification<'a> {
    pub options: &'a ProofOptions,
    /// The profile to use if no user profile is set.
    pub profile: Option<&'a str>,
    /// The source account with its operator, who reads it for a diagnosis.
    pub source: Source,
    pub report: ReportOptions,
    /// How often to send requests that must be denied; `None` is always.
    pub refusals: Option<HowOften>,
    pub run: &'a Run<'a>,
}

/// A link and its test.
pub struct Proven<'a> {
    pub link: &'a Link,
    pub role: RoleArn,
    pub result: Result<Proof>,
    /// Set if the link does not work.
    pub diagnosis: Option<Diagnosis>,
}

impl Proven<'_> {
    /// Returns the proof, if the link works.
    pub fn works(&self) -> Option<&Proof> {
        self.result.as_ref().ok().filter(|proof| proof.outcome == Outcome::Works)
    }

    /// Returns what tells its problem from those of other links.
    pub fn essence(&self) -> Option<String> {
        essence(self.result.as_ref().ok(), self.diagnosis.as_ref(), self.link.account.as_str())
    }
}

impl<'a> Verification<'a> {
    /// Opens connections for the tests of these links; sends no request yet.
    ///
    /// # Errors
    /// As for [`Run::open_connections`].
    pub fn connect(&self, links: &[Link]) -> Result<Connections> {
        self.run.open_connections(Opening {
            user: &self.options.user,
            // All links of a user are in one partition. The file may have a Region of it even if the user's profile has
            // none.
            region: links.iter().find_map(|link| link.region.clone()),
            path_style: self.options.path_style,
            sts_rate: Some(self.report.sts_rate),
        })
    }

    /// Prepares the tests: gets the user's credentials.
    ///
    /// # Errors
    /// When there are none.
    pub async fn bench(&self, principals: &[PrincipalRef], connections: &'a Connections) -> Result<Bench<'a>> {
        let run = self.run;
        let source = &run.file.source;
        let own = self.options.user.user_profile.as_deref().or(source.user_profile.as_deref());
        let access = connections.access(own.or(self.profile).or(source.profile.as_deref())).await?;
        let partition = access.partition();
        let account = source.account().cloned();
        let prover = proving::prover(connections, access, own.is_some(), principals.to_vec(), account.clone(), run)?;
        let diagnostician = Diagnostician::new(run, connections, &self.source, principals, None);
        let silent = connections.that_ask_nobody();
        let prover = prover.with_operator(silent.clone(), self.source.profile.clone());
        let silent = Operators::new(&silent, self.source.profile.clone(), None);
        let refusals = self.refusals;
        Ok(Bench { run, account, partition, prover, diagnostician, silent, refusals })
    }

    /// Tests all links concurrently, and diagnoses those that do not work.
    ///
    /// # Errors
    /// When there are no credentials of the user.
    pub async fn prove<'l>(
        &self,
        links: &'l [Link],
        principals: &[PrincipalRef],
        connections: &'a Connections,
    ) -> Result<Vec<Proven<'l>>> {
        let bench = self.bench(principals, connections).await?;
        let tally = self.run.console.tally("verify", links.len(), "verified");
        let proofs = side_by_side(links, self.report.concurrency, async |link| {
            let proven = bench.prove(link, None).await;
            tally.one_more();
            proven
        });
        Ok(proofs.await)
    }
}

/// What the tests of all links share.
pub struct Bench<'a> {
    run: &'a Run<'a>,
    /// The principals' account, if known.
    account: Option<AccountId>,
    partition: Partition,
    prover: Prover,
    diagnostician: Diagnostician<'a>,
    /// The operators, as far as their credentials need no prompt.
    silent: Operators,
    refusals: Option<HowOften>,
}

impl Bench<'_> {
    /// Tests one link, and diagnoses it if it does not work. `used_before` is the last use of the role, if already read.
    pub async fn prove<'l>(&self, link: &'l Link, used_before: Option<Used>) -> Proven<'l> {
        let Self { run, prover, .. } = self;
        let role = link.role_arn(self.partition);
        let principals = &link.principals_in_words();
        let tested = Tested { link, role: &role, principals, source: self.account.as_ref() };
        let mut claim = proving::claim_to_test(link, &role, Freshness::Settled, run);
        claim.unsent_refusals = self.refusals.and_then(|often| tested.unsent_refusals(often, run.context));
        let progress = run.console.progress(&link.name);
        let at = (run.context.now)();
        let mut result = prover.prove(&claim, self.silent.target(link), async |_| None, &progress).await;
        if let Ok(proof) = &result {
            let (ahead, region) = (prover.clock_ahead(), prover.region(&claim).clone());
            tested.keep(proof, Begun { at, ahead, used_before, region }, run.context);
        }
        let case = Case { link, role: &role, target: None, written: None, made: None };
        let diagnosis = self.diagnostician.explain(&case, (prover, &claim), &result, &progress).await;
        if let Ok(proof) = &mut result {
            let notes = self.diagnostician.others(&case, proof, &[], &[]).await;
            proof.add_notes_on_others(notes);
        }
        Proven { link, role, result, diagnosis }
    }

    /// Tests whether the user is denied the role of this link, which was just removed. Waits for IAM propagation.
    ///
    /// # Errors
    /// When the user can still assume the role, or nothing tells: with the exit code for that.
    pub async fn prove_denied(&self, link: &Link, patience: Duration) -> std::result::Result<(), (ExitCode, Error)> {
        let role = link.role_arn(self.partition);
        let fresh = Freshness::JustWritten { at: Instant::now(), patience };
        let claim =
            Claim { extent: Extent::Session, ..proving::claim_to_test(link, &role, Freshness::Settled, self.run) };
        let progress = self.run.console.progress(&link.name);
        let attempt = async || {
            let no_operator = std::future::ready(Err(Error::new(Kind::Credentials, "the test reads no policies")));
            self.prover.prove(&claim, no_operator, async |_| None, &progress).await
        };
        let is_denied = |proof: &Result<Proof>| matches!(proof, Ok(proof) if proof.outcome == Outcome::Refused);
        let waiting = |waited| progress.waiting(fresh.words(None, waited));
        let proof = fresh.settle(2, attempt, is_denied, Result::is_ok, waiting).await.answer;
        let (who, exit_code) = (link.principals_in_words(), proving::exit_code(&proof));
        let cannot = |error: Error| error.context(format!("cannot test whether {who} may still assume {role}"));
        let proof = proof.map_err(|error| (exit_code, cannot(error)))?;
        let error = match proof.outcome {
            Outcome::Refused => return Ok(()),
            Outcome::NotProven => {
                let why = proof.steps.into_iter().find_map(|step| step.error);
                cannot(why.unwrap_or_else(|| Error::new(Kind::Aws, "AWS gave no clear answer")))
            }
            _ => Error::new(Kind::NoAccess, format!("{who} can still assume {role}"))
                .hint("run the command again: AWS may be slow, or another program may have created the role again"),
        };
        Err((if proof.outcome == Outcome::Works { ExitCode::BrokenOrOpen } else { exit_code }, error))
    }
}
