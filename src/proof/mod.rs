//! The proof of a link: what is tried, what each try showed, and what that makes of the link.
//!
//! [`Prover::prove`] runs the steps; the types here say how they came out. A link works only if what must be allowed is
//! allowed *and* what must be refused is refused.

mod bucket;
mod prover;
mod session;
mod wait;
mod watch;

use std::time::Duration;

use crate::error::{Error, ExitCode};
use crate::iam::arn::CallerArn;

pub use prover::{Claim, Extent, MfaMeans, Prover, RequestOptions, TestBucket};
pub use wait::{Freshness, Settled};
pub use watch::Watch;

/// What a proof found.
#[derive(Debug)]
pub struct Proof {
    /// The verdict.
    pub outcome: Outcome,
    /// The steps in the order in which they are told.
    pub steps: Vec<Step>,
    /// How long after the last write AWS honoured it.
    pub ready_after: Option<Duration>,
    /// How long the proof took.
    pub duration: Duration,
    /// The session that the user got, if it got one.
    pub session: Option<CallerArn>,
    /// The name of the test bucket, if it came so far.
    pub bucket: Option<String>,
}

/// The verdict on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It works, and refuses what it must.
    Works,
    /// It could not be shown either way: not the user's credentials, or no MFA code.
    NotProven,
    /// The role can be assumed, but S3 refuses the session.
    S3Blocked,
    /// The role cannot be assumed.
    Refused,
    /// It lets through what must be refused.
    TooOpen,
}

impl Outcome {
    /// The name in JSON.
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

    /// The exit code of a command whose worst link is this one.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        if self == Self::Works { ExitCode::Done } else { ExitCode::NotProven }
    }
}

/// One thing that was tried.
#[derive(Debug)]
pub struct Step {
    /// Which.
    pub id: StepId,
    /// What came of it.
    pub outcome: StepOutcome,
    /// How long it took, waiting included.
    pub duration: Duration,
    /// When the answer that counts began to hold, where AWS was waited for.
    since: Option<tokio::time::Instant>,
    /// What was seen, in a few words.
    pub evidence: String,
    /// What went wrong, with AWS's answer and what to do.
    pub error: Option<Error>,
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
    /// The name in JSON.
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

    /// What is being shown, in words.
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
    /// Not as it must be.
    Failed,
    /// Could not be tried, or showed nothing.
    NotProven,
    /// Left out on request.
    Skipped,
}

impl StepOutcome {
    /// The name in JSON and in tables.
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
