//! The outcome of a proof.

use std::time::Duration;

use time::OffsetDateTime;

use super::step::{Step, StepId, StepOutcome};
use crate::answers::Meaning;
use crate::aws::iam::read::FoundRole;
use crate::error::{Error, ExitCode, Kind};
use crate::iam::arn::{CallerArn, PrincipalRef};
use crate::iam::last_use::Used;

/// The result of a proof.
#[derive(Debug)]
pub struct Proof {
    /// The worst of the steps.
    pub outcome: Outcome,
    /// The principal of the link whose credentials were used.
    pub tested_as: Option<PrincipalRef>,
    /// The steps, in the order of the report.
    pub steps: Vec<Step>,
    /// How long after the last write it had propagated.
    pub ready_after: Option<Duration>,
    /// When the proof started, by this machine's clock.
    pub started_at: OffsetDateTime,
    /// How long the proof took.
    pub duration: Duration,
    /// The user's session, if there is one.
    pub session: Option<CallerArn>,
    /// The name of the test bucket, if the proof got that far.
    pub bucket: Option<String>,
    /// The role, if it was read.
    pub role: Option<FoundRole>,
    /// The statements of its trust policy, by their numbers from 1, that admit those whom the link does not declare; if
    /// there are none, those that admit whom it declares.
    pub deciding: Vec<usize>,
    /// The last use of the role by the first read; `None` if it was not read.
    pub used_before: Option<Used>,
}

impl Proof {
    /// Adds facts about other principals of the link than the one whose credentials were used.
    pub fn add_notes_on_others(&mut self, notes: Vec<String>) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == StepId::WhoAmI) {
            step.notes.extend(notes);
        }
    }

    /// Returns whether nothing is proven because the sign-in expired during the proof.
    #[must_use]
    pub fn has_expired(&self) -> bool {
        let is_it = |step: &Step| step.error.as_ref().is_some_and(|it| it.meaning() == Some(Meaning::SessionExpired));
        self.outcome == Outcome::NotProven && self.steps.iter().any(is_it)
    }

    /// Returns why AWS could not be reached, or did not answer as AWS does, if that is why nothing is proven.
    #[must_use]
    pub fn unreached(&self) -> Option<&Error> {
        let mut errors = self.steps.iter().filter_map(|step| step.error.as_ref());
        errors.find(|error| self.outcome == Outcome::NotProven && error.kind == Kind::Network)
    }
}

/// The verdict on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The link works and rejects what it should.
    Works,
    /// Inconclusive: not the user's credentials, no MFA code, or no answer that says anything about the link.
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
        match self {
            Self::Works => ExitCode::Done,
            Self::NotProven => ExitCode::Unproven,
            Self::S3Blocked | Self::Refused | Self::TooOpen => ExitCode::BrokenOrOpen,
        }
    }
}
