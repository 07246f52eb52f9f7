//! Reliability: with every fault and every interruption, nothing is lost and nothing is left behind.
//!
//! | module | what it tests |
//! |---|---|
//! | `crash` | kills and interrupts xacct at every call |
//! | `faults` | answers every call with every kind of fault |
//! | `races` | concurrent runs and changes |
//! | `places` | limits the number of concurrent runs |
//! | `propagation` | delays the propagation of changes |
//! | `state` | the state of an account, for comparisons between runs |
//!
//! `tests/run` tests each point once; `XACCT_ROUNDS=N` tests each N times.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

#[cfg(unix)]
mod crash;
mod faults;
mod places;
mod propagation;
mod races;
mod state;
#[path = "../support/mod.rs"]
mod support;

use support::scene;

/// Returns the number of rounds.
fn rounds() -> usize {
    std::env::var("XACCT_ROUNDS").map_or(1, |text| text.parse().expect("XACCT_ROUNDS is a number from 1"))
}
