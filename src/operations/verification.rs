//! Tests links with the user's credentials, for `verify` and `list --live`.

use crate::aws::connections::Connections;
use crate::cli::{ProofOptions, ReportOptions};
use crate::config::{Link, Source};
use crate::diagnosis::Diagnosis;
use crate::error::Result;
use crate::iam::arn::{RoleArn, UserRef};
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::last_test::{Begun, Tested};
use crate::operations::operators::Operators;
use crate::operations::proving;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::proof::{Freshness, Outcome, Proof};
use crate::report::proof::essence;

/// How to test links.
pub struct Verification<'a> {
    pub options: &'a ProofOptions,
    /// The profile to use if no user profile is set.
    pub profile: Option<&'a str>,
    pub report: ReportOptions,
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

impl Verification<'_> {
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

    /// Proves all links concurrently, and diagnoses those that do not work.
    ///
    /// # Errors
    /// When there are no credentials of the user.
    pub async fn prove<'a>(
        &self,
        links: &'a [Link],
        user: &UserRef,
        connections: &Connections,
    ) -> Result<Vec<Proven<'a>>> {
        let run = self.run;
        let source = &run.file.source;
        let own = self.options.user.user_profile.as_deref().or(source.user_profile.as_deref());
        let access = connections.access(own.or(self.profile).or(source.profile.as_deref())).await?;
        let partition = access.partition();
        let account = source.account().cloned();
        let prover = proving::prover(connections, access, own.is_some(), user.clone(), account.clone(), run)?;
        let mut operator = Source::from(source);
        operator.profile = operator.profile.or_else(|| self.profile.map(str::to_owned));
        let diagnostician = Diagnostician::new(run, connections, &operator, user, None);

        let silent = Operators::new(&connections.that_ask_nobody(), operator.profile, None);
        let tally = run.console.tally("verify", links.len(), "verified");
        let proofs = side_by_side(links, self.report.concurrency, async |link| {
            let role = link.role_arn(partition);
            let claim = proving::claim(link, &role, Freshness::Settled, run);
            let progress = run.console.progress(&link.name);
            let at = (run.context.now)();
            let result = prover.prove(&claim, silent.target(link), std::future::ready(None), &progress).await;
            if let Ok(proof) = &result {
                let tested = Tested { link, role: &role, user: user.name(), source: account.as_ref() };
                let (ahead, region) = (prover.clock_ahead(), prover.region(&claim).clone());
                tested.keep(proof, Begun { at, ahead, used_before: None, region }, run.context);
            }
            let case = Case { link, role: &role, target: None, written: None, made: None };
            let diagnosis = diagnostician.explain(&case, (&prover, &claim), &result, &progress).await;
            tally.one_more();
            Proven { link, role, result, diagnosis }
        });
        Ok(proofs.await)
    }
}
