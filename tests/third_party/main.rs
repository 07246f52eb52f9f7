//! Tests with third-party programs: ministack as AWS, the AWS CLI as a witness, and the consumers of xacct's output:
//! Terraform, the AWS CLI, the AWS SDKs, CDK, cfn-lint, shells.
//!
//! `tests/run` installs those of PyPI, and the tests those of npm, Go and Maven. A test that lacks one reports its name
//! and is counted as skipped.

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
#[cfg(unix)]
mod aws_vault;
mod backend;
mod bootstrap;
mod cdk;
mod cloudformation;
mod config_files;
mod consumer;
mod diagnose;
mod halves;
mod import;
mod ministack;
mod r#move;
mod opentofu;
mod orphans;
mod policies;
mod principals;
mod profile;
mod replace;
mod role_hcl;
mod rotate;
mod sdk_profiles;
mod sdks;
mod served;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod terraform;
mod terragrunt;
mod using;
mod verify;
mod who;
mod witness;
