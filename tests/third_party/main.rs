//! xacct against programs that others made: ministack in the place of AWS, the AWS CLI as a witness of what xacct did and
//! of what it should do, and the consumers of what xacct prints: Terraform, the AWS CLI, boto3, cfn-lint, shells.
//!
//! `tests/run` provides them. A test that lacks one says so by name and is counted as skipped.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod accounts;
mod adopt;
mod backend;
mod bootstrap;
mod cloudformation;
mod diagnose;
mod halves;
mod ministack;
mod policies;
mod profile;
mod role_hcl;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod terraform;
mod using;
mod verify;
mod witness;
