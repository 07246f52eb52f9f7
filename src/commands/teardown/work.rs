//! The links that one run removes.

use crate::operations::work;

/// One link with its removal.
pub type Job = work::Job<()>;

/// Everything about one run.
pub type Work = work::Work<()>;
