//! The links that one run removes.

use std::collections::BTreeSet;

use crate::iam::plan::teardown::Removal;
use crate::iam::state::Fingerprint;
use crate::operations::work;

/// One link with its removal.
pub type Job = work::Job<Removing>;

/// Everything about one run.
pub type Work = work::Work<Removing>;

impl Work {
    /// Returns the names of the targets of which nothing is left. One that is being moved has two roles.
    pub fn gone(&self) -> Vec<&str> {
        let left: BTreeSet<_> = match self.grant.result.is_ok() {
            true => self.jobs.iter().filter(|job| job.result.is_err()).map(|job| job.link.name.as_str()).collect(),
            false => self.targets().into_iter().collect(),
        };
        let failed = |name: &str| self.failed.iter().any(|failed| failed.link.name == name);
        let mut gone = self.targets();
        gone.retain(|name| !left.contains(name) && !failed(name));
        gone
    }
}

/// What the removal of a role rests on.
pub struct Removing {
    pub removal: Removal,
    /// The role as it was shown; `None` if there was none, or it was not looked at.
    pub shown: Option<Fingerprint>,
    /// Whether a test has shown that the user can no longer assume it.
    pub is_denied: bool,
    /// With `--gone`: why nothing answers for the account.
    pub gone: Option<String>,
}
