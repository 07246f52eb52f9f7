//! What is to be changed: a plan is shown or applied, the same value either way.

pub mod bootstrap;
mod change;
pub mod order;
pub mod teardown;

pub use change::{Change, Note, Plan};
