//! The proof of a link: what is tried, what each try showed, and what that makes of the link.
//!
//! [`Prover::prove`] runs the steps; the types here say how they came out. A link works only if what must be allowed is
//! allowed *and* what must be refused is refused.

mod bucket;
mod claim;
mod outcome;
mod prover;
mod refusals;
mod session;
mod step;
mod wait;
mod watch;

pub use claim::{Claim, Extent, RequestOptions, TestBucket};
pub use outcome::{Outcome, Proof};
pub use prover::{MfaMeans, Prover};
pub use step::{Step, StepId, StepOutcome};
pub use wait::{Freshness, Settled};
pub use watch::Watch;
