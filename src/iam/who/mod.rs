//! Who gets through a link: every user and role of the source account whose permissions and whose way to the role the
//! policies of both accounts leave open, and everybody who may become one of those roles.
//!
//! A pure evaluation of what was read. What was not read, and what the policies alone do not decide, makes an answer
//! undecided, never a no.

mod account;
mod edge;
mod index;
mod key;
mod reach;
pub mod standing;
mod verdict;
mod writers;

pub use account::{Account, Group, Holder, HolderKind, Policies, Text};
pub use index::Index;
pub use reach::{Outside, Reach, Reached, Target, reach};
pub use verdict::Place;

#[cfg(test)]
mod tests;
