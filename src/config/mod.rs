//! Settings from options, environment variables and `xacct.toml`.
//!
//! Options override `XACCT_…` variables (clap does that), which override the file. `xacct.local.toml` beside it has what one
//! person keeps out of it.

mod check_grant;
mod file;
mod grant;
mod link;
mod parse;
mod policy_files;
mod save;
mod select;
mod write;

pub use file::{ConfigFile, DEFAULT_ROLE_NAME, Manager, OtherRole, Recorded, RecordedSource, VARIABLE};
pub use grant::GrantSettings;
pub use link::{ExternalIdChoice, Keeps, Link, Source, WayIn, principal_names};
pub use policy_files::{read_policy_file, read_trust_statements, rebased};
pub use save::check_writable;
pub use select::{
    Wanted, all_links, check_chosen, includes, is_on_record, link_to_orphan, links_found, links_to_import,
    links_to_make, links_to_sweep, names_or_text, of_directory, recorded_links, recorded_source, source, target_with,
    usable, wanted, with_external_ids,
};
pub use write::{forget, other_profiles, preview, record, record_local};
