//! What was typed, what the environment says and what `xacct.toml` records, made into settings.
//!
//! Options win over `XACCT_…` variables (clap sees to that), which win over the file.

mod file;
mod link;
mod parse;
mod policy_files;
mod save;
mod select;
mod write;

pub use file::{ConfigFile, DEFAULT_ROLE_NAME, Recorded, RecordedSource};
pub use link::{ExternalIdChoice, Keeps, Link, Source, WayIn};
pub use policy_files::{read_policy_file, rebased};
pub use save::check_writable;
pub use select::{includes, links_found, links_to_make, links_to_sweep, recorded_links, recorded_source, source};
pub use write::{forget, record};
