//! The properties of the fuzz targets, which xacct's tests check for every seed, and mutators that know the form of
//! their input.

mod generate;
pub mod http;
pub mod json;
pub mod name;
#[path = "../properties/mod.rs"]
mod properties;
mod tally;
mod text;
pub mod toml;

pub use properties::{answers, config, facts, names, policy};
pub use tally::count;
