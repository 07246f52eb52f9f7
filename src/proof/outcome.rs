//! The outcome of a proof.

use std::time::Duration;

use super::step::{Step, StepId, StepOutcome};
use crate::aws::iam::read::FoundRole;
use crate::error::ExitCode;
use crate::iam::arn::CallerArn;
use crate::iam::last_use::Used;

/// The result of a proof.
#[derive(Debug)]
pub struct Proof {
    /// The worst of the steps.
    pub outcome: Outcome,
    /// The steps, in the order of the report.
    pub steps: Vec<Step>,
    /// How long after the last write it had propagated.
    pub ready_after: Option<Duration>,
    /// How long the proof took.
    pub duration: Duration,
    /// The user's session, if there is one.
    pub session: Option<CallerArn>,
    /// The name of the test bucket, if the proof got that far.
    pub bucket: Option<String>,
    /// The role, if it was read.
    pub role: Option<FoundRole>,
    /// The last use of the role by the first read; `None` if it was not read.
    pub used_before: Option<Used>,
}

/// The verdict on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The link works and rejects what it should.
    Works,
    /// Inconclusive: not the user's credentials, no MFA code, or an answer that says nothing about the link.
    NotProven,
    /// The role can be assumed, but S3 denies the session.
    S3Blocked,
    /// The role cannot be assumed.
    Refused,
    /// The role accepts a request it must reject, or admits callers whom the link does not declare.
    TooOpen,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 5] = [Self::Works, Self::NotProven, Self::S3Blocked, Self::Refused, Self::TooOpen];

    /// Returns the worst outcome of the steps: too open is worse than refused, refused worse than blocked.
    pub(super) fn of(steps: &[Step]) -> Self {
        let of = |step: &Step| match (step.outcome, step.id) {
            (StepOutcome::Ok | StepOutcome::Skipped | StepOutcome::Warning, _) => Self::Works,
            (StepOutcome::NotProven, _) => Self::NotProven,
            (StepOutcome::Failed, StepId::WhoAmI | StepId::AssumeRole | StepId::WhoAmINow) => Self::Refused,
            (StepOutcome::Failed, StepId::CreateBucket | StepId::DeleteBucket | StepId::BucketGone) => Self::S3Blocked,
            (StepOutcome::Failed, _) => Self::TooOpen,
        };
        steps.iter().map(of).max().unwrap_or(Self::NotProven)
    }

    /// Returns the id in JSON, which never changes.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::NotProven => "not_proven",
            Self::S3Blocked => "s3_blocked",
            Self::Refused => "refused",
            Self::TooOpen => "too_open",
        }
    }

    /// Returns the exit code of a command whose worst link is this one.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        if self == Self::Works { ExitCode::Done } else { ExitCode::NotProven }
    }
}
