//! The links that one run removes.

use crate::iam::plan::teardown::Removal;
use crate::iam::state::Fingerprint;
use crate::operations::work;

/// One link with its removal.
pub type Job = work::Job<Removing>;

/// Everything about one run.
pub type Work = work::Work<Removing>;

/// What the removal of a role rests on.
pub struct Removing {
    pub removal: Removal,
    /// The role as it was shown; `None` if there was none, or it was not looked at.
    pub shown: Option<Fingerprint>,
    /// With `--gone`: why nothing answers for the account.
    pub gone: Option<String>,
}
