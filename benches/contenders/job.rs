//! The jobs.

use std::fmt;

/// The jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Create a role with external ID and managed policy, the grant, and a session; get the identity; create and delete
    /// a bucket.
    Whole,
    /// The same without session and bucket.
    Link,
    /// For an existing link: a session, its identity, a bucket created and deleted, two rejections.
    Verify,
    /// For an existing link: a program with a session of the role.
    Exec,
    /// The same, with a CA bundle that has all certificates of the system.
    ExecManyRoots,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole job",
            Self::Link => "link only",
            Self::Verify => "verify",
            Self::Exec => "exec",
            Self::ExecManyRoots => "exec, all certificates of the system",
        })
    }
}
