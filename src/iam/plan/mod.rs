//! Plans of changes: xacct shows and applies the same value.

pub mod bootstrap;
mod change;
pub mod order;
pub mod teardown;

pub use change::{Change, Note, Plan};
