//! What must hold whatever networks and people do: nothing lost, nothing left behind, counted.
//!
//! | module | what it does to xacct |
//! |---|---|
//! | `crash` | kills and interrupts it at every call |
//! | `faults` | answers every call with everything that AWS and networks answer at times |
//! | `races` | lets others change the same things at the same time |
//! | `places` | how many runs are under way at once |
//! | `propagation` | lets AWS take its time to honour changes |
//! | `state` | what an account holds, so that runs can be compared |
//!
//! Each point is tried once by `tests/run`; `XACCT_ROUNDS=N` tries each N times.

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

/// How often everything is tried.
fn rounds() -> usize {
    std::env::var("XACCT_ROUNDS").map_or(1, |text| text.parse().expect("XACCT_ROUNDS is a number from 1"))
}
