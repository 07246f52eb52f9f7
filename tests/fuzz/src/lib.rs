//! The properties that the targets check, which the tests of xacct check of every seed, and a mutator for JSON.

pub mod json;
#[path = "../properties/mod.rs"]
mod properties;

pub use properties::{answers, config, facts, names, policy};
