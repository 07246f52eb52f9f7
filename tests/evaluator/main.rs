//! Compares `xacct::iam::evaluate` with AWS's documentation and with two third-party implementations.
//!
//! - `cases` runs the cases in `tests/cases/evaluate`, each with the AWS page that documents it. Cases are data: adding
//!   one needs no Rust.
//! - `compare` generates random policies and requests (`generate`) and compares the decisions with those of
//!   [awsim-iam-policy](https://docs.rs/awsim-iam-policy) (`awsim`) and, if Node is installed, of
//!   [iam-simulate](https://www.npmjs.com/package/@cloud-copilot/iam-simulate) (`simulate`).
//! - `admission` tries the callers of `tests/cases/admission`, and random callers, on trust policies whose classes of
//!   callers `xacct::iam::admission` names.
//! - `growth` asserts that no policy or pattern makes a decision slow.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod admission;
mod awsim;
mod cases;
mod compare;
mod generate;
mod growth;
mod scene;
mod simulate;
#[path = "../support/mod.rs"]
mod support;

/// Common parts of the documentation's examples.
const ALICE: &str = "arn:aws:iam::111111111111:user/alice";
const ROLE: &str = "arn:aws:iam::222222222222:role/app";
