//! The links of one run, on their way out.

use crate::operations::work;

/// One link with its removal.
pub type Job = work::Job<()>;

/// Everything about one run.
pub type Work = work::Work<()>;
