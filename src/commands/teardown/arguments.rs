//! What `xacct teardown` takes.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, CodeOptions, Half, OperatorAccess, ReportOptions, timeout};

/// Remove both halves of a link.
///
/// The role with its policies first, which ends its sessions, then its place in the grant. Takes the target out of
/// xacct.toml when both are gone, and removes nothing that xacct did not make.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct teardown dev
  See what would go:
    xacct teardown --dry-run
  Remove every link on record, without a question:
    xacct teardown --yes
  Remove only the half in the source account:
    xacct teardown dev --only source

xacct verify and xacct bootstrap use the role, too: after them, --even-if-used is
needed for two days.")]
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
    /// How long to wait for AWS to show that all is gone
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
