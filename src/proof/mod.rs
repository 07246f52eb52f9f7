//! The proof of a link: its steps, their evidence, and the verdict on the link.
//!
//! [`Prover::prove`] runs the steps; the types here hold the result. A link works only if AWS allows what it must allow
//! *and* denies what it must deny.

mod bucket;
mod claim;
mod foresight;
mod nobody_else;
mod outcome;
mod prover;
mod refusals;
mod session;
mod step;
mod wait;
mod watch;

pub use claim::{Claim, Declaration, Extent, RequestOptions, TestBucket, TestName};
pub use foresight::{Foreseen, Foresight};
pub use outcome::{Outcome, Proof};
pub use prover::{MfaMeans, Prover};
pub use step::{Step, StepId, StepOutcome};
pub use wait::{Denied, Freshness, Settled, minutes};
pub use watch::Watch;
