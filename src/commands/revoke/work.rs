//! The links whose sessions one run revokes.

use time::OffsetDateTime;

use crate::iam::plan::revoke::Revocation;
use crate::iam::state::ObservedRole;
use crate::operations::work;

/// One link with its revocation.
pub type Job = work::Job<Revoking>;

/// Everything about one run.
pub type Work = work::Work<Revoking>;

/// What a revocation rests on.
pub struct Revoking {
    pub revocation: Revocation,
    /// The role as it was shown.
    pub shown: Option<ObservedRole>,
    /// How many seconds AWS's clock is ahead of this machine's.
    pub ahead: i64,
    /// The time before which sessions are revoked, once they are.
    pub before: Option<OffsetDateTime>,
}
