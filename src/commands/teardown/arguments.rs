//! What `xacct teardown` takes.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, CodeOptions, Half, OperatorAccess, ReportOptions, timeout};

/// Remove both halves of a link.
///
/// Removes the role with its policies first, which ends its sessions, then takes the role out of the grant. Removes the
/// target from xacct.toml once both are gone. Never removes anything that xacct did not create.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct teardown dev
  See what would be removed:
    xacct teardown --dry-run
  Remove every link in xacct.toml without asking:
    xacct teardown --yes
  Remove only the half in the source account:
    xacct teardown dev --only source

xacct verify and xacct bootstrap use the role too: for two days after them,
teardown needs --even-if-used.")]
pub struct Teardown {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Remove one half only; xacct.toml keeps the target
    #[arg(long, value_name = "HALF")]
    pub only: Option<Half>,
    /// Remove a role that was used within the last two days
    #[arg(long)]
    pub even_if_used: bool,
    /// Remove a role with policies or a boundary that xacct.toml does not name
    #[arg(long)]
    pub even_if_extended: bool,
    /// What is to be done with the changes.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// How long to wait for the removal to propagate
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m", env = "XACCT_TIMEOUT")]
    pub timeout: Duration,
    /// Where the credentials are.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// How an operator passes MFA.
    #[command(flatten)]
    pub code: CodeOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}
