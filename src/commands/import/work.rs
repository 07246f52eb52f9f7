//! The roles that one run imports.

use crate::operations::keep::Kept;
use crate::operations::work;
use crate::proof::Foresight;

/// One role, with the link that expresses it.
pub type Job = work::Job<Importing>;

/// Everything about one run.
pub type Work = work::Work<Importing>;

/// What one role becomes.
pub struct Importing {
    /// The documents of the role that `xacct.toml` declares as files.
    pub kept: Vec<Kept>,
    /// The role as `bootstrap` would leave it, which decides whether it can have a test bucket.
    pub foresight: Foresight,
    /// What `xacct.toml` cannot express, and what `bootstrap` would change.
    pub notes: Vec<String>,
    /// Whether `bootstrap` changes the role only with `--adopt`.
    pub needs_adoption: bool,
}
