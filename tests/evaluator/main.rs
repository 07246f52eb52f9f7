//! Holds `xacct::iam::evaluate` against AWS's documentation and against two implementations of others.
//!
//! - `cases` runs the cases in `tests/cases/evaluate`, each with the page of AWS that settles it. A case is data: to add
//!   one takes no Rust.
//! - `compare` makes policies and requests at random (`generate`) and compares the decisions with those of
//!   [awsim-iam-policy](https://docs.rs/awsim-iam-policy) (`awsim`) and, where Node is there, of
//!   [iam-simulate](https://www.npmjs.com/package/@cloud-copilot/iam-simulate) (`simulate`).
//! - `growth` asserts that no policy and no pattern makes a decision slow.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod awsim;
mod cases;
mod compare;
mod generate;
mod growth;
mod scene;
mod simulate;
#[path = "../support/mod.rs"]
mod support;

/// What the documentation's examples have in common.
const ALICE: &str = "arn:aws:iam::111111111111:user/alice";
const ROLE: &str = "arn:aws:iam::222222222222:role/app";
