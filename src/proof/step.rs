//! One step of a proof, and how it came out.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;

/// One thing that was tried.
#[derive(Debug)]
pub struct Step {
    /// Which of the steps of a proof.
    pub id: StepId,
    /// What came of it.
    pub outcome: StepOutcome,
    /// How long it took, waiting included.
    pub duration: Duration,
    /// When the answer that counts began to hold, where AWS was waited for.
    pub(super) since: Option<Instant>,
    /// What was seen, in a few words.
    pub evidence: String,
    /// What went wrong, with AWS's answer and what to do.
    pub error: Option<Error>,
}

impl Step {
    pub(super) fn new(id: StepId, outcome: StepOutcome, evidence: impl Into<String>) -> Self {
        Self { id, outcome, duration: Duration::ZERO, since: None, evidence: evidence.into(), error: None }
    }

    pub(super) fn took(self, duration: Duration) -> Self {
        Self { duration, ..self }
    }

    pub(super) fn since(self, since: Instant) -> Self {
        Self { since: Some(since), ..self }
    }

    pub(super) fn because(self, error: Error) -> Self {
        Self { error: Some(error), ..self }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.outcome == StepOutcome::Ok
    }
}

/// The steps of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepId {
    /// The credentials at hand are the user's.
    WhoAmI,
    /// The user assumes the role.
    AssumeRole,
    /// The session is of that role in the target account.
    WhoAmINow,
    /// The session makes a bucket.
    CreateBucket,
    /// The session deletes the bucket, on condition that the target account owns it.
    DeleteBucket,
    /// The bucket is gone.
    BucketGone,
    /// Without the external ID the role is refused.
    RefusedWithoutExternalId,
    /// With a wrong external ID the role is refused.
    RefusedWithWrongExternalId,
    /// Without MFA the role is refused.
    RefusedWithoutMfa,
}

impl StepId {
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
        }
    }

    /// Returns what is being shown, in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::WhoAmI => "the credentials are the user's",
            Self::AssumeRole => "the user assumes the role",
            Self::WhoAmINow => "the session is the role's",
            Self::CreateBucket => "a bucket is made",
            Self::DeleteBucket => "it is deleted by its owner",
            Self::BucketGone => "the bucket is gone",
            Self::RefusedWithoutExternalId => "refused without external ID",
            Self::RefusedWithWrongExternalId => "refused with wrong external ID",
            Self::RefusedWithoutMfa => "refused without MFA",
        }
    }
}

/// What came of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// As it must be.
    Ok,
    /// The opposite of what must be.
    Failed,
    /// Could not be tried, or showed nothing.
    NotProven,
    /// Left out on request.
    Skipped,
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
        }
    }
}

pub(super) struct Timed<T> {
    pub(super) value: T,
    pub(super) duration: Duration,
}

pub(super) async fn timed<T>(future: impl Future<Output = T>) -> Timed<T> {
    let start = Instant::now();
    let value = future.await;
    Timed { value, duration: start.elapsed() }
}

pub(super) fn answer_code(error: &Error) -> String {
    error.code().map_or_else(|| error.message.clone(), str::to_owned)
}
