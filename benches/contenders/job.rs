//! What is to be done.

use std::fmt;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Role with external ID and managed policy, grant, session, who it is, a bucket made and deleted.
    Whole,
    /// The same without session and bucket.
    Link,
    /// Of a link that is there: session, who it is, a bucket made and deleted, two refusals.
    Verify,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole job",
            Self::Link => "link only",
            Self::Verify => "verify",
        })
    }
}
