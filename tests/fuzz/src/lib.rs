//! The properties of the fuzz targets, which xacct's tests check for every seed, and a mutator for JSON.

pub mod json;
#[path = "../properties/mod.rs"]
mod properties;

pub use properties::{answers, config, facts, names, policy};
