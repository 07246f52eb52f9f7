//! IAM: single reads, what bootstrap and teardown observe, and every write.

pub mod apply;
pub mod observe;
pub mod read;
