//! IAM: single reads, the observations of bootstrap and teardown, and all writes.

pub mod apply;
pub mod observe;
pub mod read;
