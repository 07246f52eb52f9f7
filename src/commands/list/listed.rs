//! What the list knows of one target.

use super::live::Live;
use crate::config::Link;
use crate::iam::arn::RoleArn;
use crate::operations::last_test::LastTest;

/// A target, and what is known about it.
pub struct Listed<'a> {
    pub link: &'a Link,
    pub role: RoleArn,
    /// The last test before this run.
    pub last: Option<LastTest>,
    /// Set with `--live`.
    pub live: Option<Live>,
}
