//! Whom a trust policy admits: every statement that allows, reduced to classes of callers.
//!
//! A proof tries only what its own session can try. Whoever else gets in is read from the trust policy.

mod admitted;
mod class;
mod declared;
mod keys;
mod parse;
mod reduce;
mod review;
mod subject;

pub use admitted::{Admitted, Needs, Who};
pub use declared::{Accepted, Declared, Standing, reason};
pub use keys::says_whose_token;
pub use reduce::of_trust;
pub use review::{Review, names};
pub use subject::Subject;

#[cfg(test)]
mod tests;
