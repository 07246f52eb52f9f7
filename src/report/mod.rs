//! Reports for people and for programs: two views of the same values.

pub mod changes;
pub mod console;
pub mod diagnosis;
pub mod formats;
pub mod json;
pub mod markdown;
pub mod orphans;
pub mod plans;
pub mod proof;
pub mod several;

pub use console::Console;

/// The schema of every JSON document that xacct prints. It changes with `schema_version`.
pub const JSON_SCHEMA: &str = include_str!("output.schema.json");
