//! IAM: single reads, the details of an account, the observations of bootstrap and teardown, and all writes.

pub mod apply;
pub mod details;
pub mod observe;
pub mod read;
