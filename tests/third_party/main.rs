//! xacct against programs that others made: ministack in the place of AWS, the AWS CLI as a witness of what xacct did,
//! and Terraform as the consumer of what xacct prints.
//!
//! `tests/run` provides them. A test that lacks one says so by name and is counted as skipped.

mod accounts;
mod adopt;
mod bootstrap;
mod diagnose;
mod halves;
mod ministack;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod terraform;
mod verify;
