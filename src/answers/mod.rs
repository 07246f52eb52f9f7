//! What AWS's error responses mean: one table, which every part of xacct uses.
//!
//! The error line and its hint, `diagnose`, the wait for IAM propagation and the repeated writes to IAM look an answer up
//! here, so that they cannot contradict each other. The SDK's own retries do not use the table. An answer that the table
//! lacks is shown as it is.

pub mod cause;
mod meaning;
mod table;

pub use meaning::{Meaning, Passes};
pub use table::{ALL, Row, Service, look_up};

#[cfg(test)]
mod tests;
