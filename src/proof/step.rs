//! One step of a proof, and its outcome.

use std::time::Duration;

use tokio::time::Instant;

use crate::aws::client::request_ids;
use crate::error::{Error, Kind, Result};

/// One step of a proof.
#[derive(Debug)]
pub struct Step {
    /// Identifies the step.
    pub id: StepId,
    /// The outcome.
    pub outcome: StepOutcome,
    /// How long it took, waiting included.
    pub duration: Duration,
    /// When the final answer was first seen, if AWS was waited for.
    pub(super) since: Option<Instant>,
    /// AWS's IDs of the requests to STS and S3, which CloudTrail records.
    pub request_ids: Vec<String>,
    /// The evidence, in a few words.
    pub evidence: String,
    /// The error, with AWS's answer and hints.
    pub error: Option<Error>,
    /// What does not fail the step and should be changed.
    pub warnings: Vec<String>,
    /// Further facts.
    pub notes: Vec<String>,
}

impl Step {
    pub(super) fn new(id: StepId, outcome: StepOutcome, evidence: impl Into<String>) -> Self {
        Self {
            id,
            outcome,
            duration: Duration::ZERO,
            since: None,
            request_ids: Vec::new(),
            evidence: evidence.into(),
            error: None,
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Returns the step of a request that failed: failed if the answer is about the link, or else not proven.
    ///
    /// # Errors
    /// When the credentials are not valid, or nothing was sent: that concerns the whole proof.
    pub(super) fn failed(id: StepId, error: Error) -> Result<Self> {
        if !matches!(error.kind, Kind::Aws | Kind::Network) {
            return Err(error);
        }
        let outcome = if error.is_inconclusive() { StepOutcome::NotProven } else { StepOutcome::Failed };
        Ok(Self::new(id, outcome, answer_code(&error)).because(error))
    }

    pub(super) fn took(self, duration: Duration) -> Self {
        Self { duration, ..self }
    }

    pub(super) fn with(self, Requests { duration, ids }: Requests) -> Self {
        Self { duration, request_ids: ids, ..self }
    }

    pub(super) fn since(self, since: Instant) -> Self {
        Self { since: Some(since), ..self }
    }

    pub(super) fn because(self, error: Error) -> Self {
        Self { error: Some(error), ..self }
    }

    pub(super) fn warning(mut self, words: impl Into<String>) -> Self {
        self.warnings.push(words.into());
        self
    }

    pub(super) fn note(mut self, words: impl Into<String>) -> Self {
        self.notes.push(words.into());
        self
    }

    /// Says why the step did not wait for propagation.
    pub(super) fn not_waited_for(self, why: String) -> Self {
        self.note(format!("did not wait for IAM propagation, which would not help: {why}"))
    }

    pub(super) fn is_ok(&self) -> bool {
        self.outcome == StepOutcome::Ok
    }
}

/// The steps of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepId {
    /// The credentials belong to the user.
    WhoAmI,
    /// The user assumes the role.
    AssumeRole,
    /// The session belongs to that role in the target account.
    WhoAmINow,
    /// The session creates a bucket.
    CreateBucket,
    /// The session deletes the bucket, on condition that the target account owns it.
    DeleteBucket,
    /// The bucket is gone.
    BucketGone,
    /// AWS denies the role without the external ID.
    RefusedWithoutExternalId,
    /// AWS denies the role with a wrong external ID.
    RefusedWithWrongExternalId,
    /// AWS denies the role without MFA.
    RefusedWithoutMfa,
    /// The trust policy admits nobody whom the link does not declare.
    NobodyElseAdmitted,
}

impl StepId {
    /// All steps, in the order of the report.
    pub const ALL: [Self; 10] = [
        Self::WhoAmI,
        Self::AssumeRole,
        Self::WhoAmINow,
        Self::CreateBucket,
        Self::DeleteBucket,
        Self::BucketGone,
        Self::RefusedWithoutExternalId,
        Self::RefusedWithWrongExternalId,
        Self::RefusedWithoutMfa,
        Self::NobodyElseAdmitted,
    ];

    /// Returns the id in JSON, which never changes.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::WhoAmI => "who_am_i",
            Self::AssumeRole => "assume_role",
            Self::WhoAmINow => "who_am_i_now",
            Self::CreateBucket => "create_bucket",
            Self::DeleteBucket => "delete_bucket",
            Self::BucketGone => "bucket_gone",
            Self::RefusedWithoutExternalId => "refused_without_external_id",
            Self::RefusedWithWrongExternalId => "refused_with_wrong_external_id",
            Self::RefusedWithoutMfa => "refused_without_mfa",
            Self::NobodyElseAdmitted => "nobody_else_admitted",
        }
    }

    /// Returns whether the step is a request that must be denied.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::RefusedWithoutExternalId | Self::RefusedWithWrongExternalId | Self::RefusedWithoutMfa)
    }

    /// Returns the title of the step.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::WhoAmI => "credentials belong to the user",
            Self::AssumeRole => "the user assumes the role",
            Self::WhoAmINow => "session belongs to the role",
            Self::CreateBucket => "creates a test bucket",
            Self::DeleteBucket => "deletes the bucket",
            Self::BucketGone => "bucket is gone",
            Self::RefusedWithoutExternalId => "denied without external ID",
            Self::RefusedWithWrongExternalId => "denied with wrong external ID",
            Self::RefusedWithoutMfa => "denied without MFA",
            Self::NobodyElseAdmitted => "nobody else is admitted",
        }
    }
}

/// The outcome of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// As required.
    Ok,
    /// The opposite of what is required.
    Failed,
    /// Could not be tried, or was inconclusive.
    NotProven,
    /// Skipped on request, or not checked.
    Skipped,
    /// Not as it should be, but not the link's to decide.
    Warning,
}

impl StepOutcome {
    /// Returns the id in JSON and in tables, which never changes.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::NotProven => "not_proven",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
        }
    }
}

/// The requests of a step: how long they took, and their IDs.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) duration: Duration,
    pub(super) ids: Vec<String>,
}

pub(super) struct Timed<T> {
    pub(super) value: T,
    pub(super) requests: Requests,
}

pub(super) async fn timed<T>(future: impl Future<Output = T>) -> Timed<T> {
    let start = Instant::now();
    let (value, ids) = request_ids::collected(future).await;
    Timed { value, requests: Requests { duration: start.elapsed(), ids } }
}

pub(super) fn answer_code(error: &Error) -> String {
    error.code().map_or_else(|| error.message.clone(), str::to_owned)
}
