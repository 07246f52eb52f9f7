//! The links of one run, on their way.

use tokio::time::Instant;

use crate::config::Link;
use crate::diagnosis::Diagnosis;
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::RoleArn;
use crate::iam::plan::bootstrap::Plan;
use crate::iam::state::{DesiredGrant, DesiredRole};
use crate::operations::accounts::{SourceSide, TargetSide};
use crate::operations::grant_writer::Grant;
use crate::proof::Proof;

/// One link on its way: what was found, what is to be done, and what came of it.
pub struct Job {
    pub link: Link,
    pub role: RoleArn,
    /// `None` when only the half in the source account is made.
    pub target: Option<TargetSide>,
    pub desired: DesiredRole,
    pub plan: Plan,
    pub result: Result<()>,
    /// Whether every write was taken, though AWS may not show it yet.
    pub made: bool,
    /// When AWS had answered the last write, if one can change what is allowed.
    pub written: Option<Instant>,
    pub proof: Option<Result<Proof>>,
    /// Why the link does not work, if it does not.
    pub diagnosis: Option<Diagnosis>,
}

/// A link that could not even be planned.
pub struct Failed {
    pub link: Link,
    pub error: Error,
}

/// Everything about one run.
pub struct Work {
    pub source: SourceSide,
    pub grant: DesiredGrant,
    pub grant_plan: Plan,
    pub grant_result: Result<()>,
    /// What writes the grant, where it had to be written.
    pub grant_writer: Option<Grant>,
    pub jobs: Vec<Job>,
    pub failed: Vec<Failed>,
}

impl Work {
    /// How many changes are to be made.
    pub fn pending(&self) -> usize {
        self.grant_plan.changes.len() + self.jobs.iter().map(|job| job.plan.changes.len()).sum::<usize>()
    }

    /// The exit code of a preview.
    pub fn previewed(&self, pending: bool) -> ExitCode {
        match self.failed.first() {
            Some(failed) => failed.error.kind.exit_code(),
            None if pending => ExitCode::ChangesPending,
            None => ExitCode::Done,
        }
    }

    /// The exit code of the whole run: an error is worse than a link that is not proven.
    pub fn exit_code(&self) -> ExitCode {
        let errors = self
            .failed
            .iter()
            .map(|failed| &failed.error)
            .chain(self.grant_result.as_ref().err())
            .chain(self.jobs.iter().filter_map(|job| job.result.as_ref().err()))
            .chain(self.jobs.iter().filter_map(|job| job.proof.as_ref()?.as_ref().err()));
        if let Some(error) = errors.into_iter().next() {
            return error.kind.exit_code();
        }
        let proofs = self.jobs.iter().filter_map(|job| job.proof.as_ref()?.as_ref().ok());
        match proofs.map(|proof| proof.outcome).max() {
            Some(outcome) => outcome.exit_code(),
            None => ExitCode::Done,
        }
    }
}
