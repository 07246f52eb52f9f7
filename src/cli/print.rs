//! What every command takes that prints settings for another tool.

use std::path::PathBuf;

use clap::Args;

/// For which links settings are printed, and where to.
#[derive(Debug, Clone, Args)]
pub struct Printed {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Write to this file; never overwrites a file that this command did not generate
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Overwrite any existing file
    #[arg(long, requires = "out")]
    pub force: bool,
}
