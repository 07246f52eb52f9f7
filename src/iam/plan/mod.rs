//! Plans of changes: xacct shows and applies the same value.

pub mod bootstrap;
mod callers;
mod change;
mod contents;
pub mod order;
mod organization;
mod parts;
mod places;
mod quotas;
mod refusal;
pub mod revoke;
mod set_policy;
pub mod teardown;
mod weaker;

pub use change::{Change, Note, Plan};
