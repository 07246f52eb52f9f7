//! The arguments of `xacct teardown`.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, CodeOptions, Half, OperatorAccess, ReportOptions, timeout};

/// Remove both halves of a link.
///
/// Deletes the role with its policies, which ends its sessions, then removes the role from the grant, and then the target
/// from xacct.toml. Never removes anything that xacct did not create.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct teardown dev
  See what would be removed:
    xacct teardown dev --dry-run
  Remove every link in xacct.toml without asking:
    xacct teardown --all --yes
  Remove only the grant in the source account:
    xacct teardown dev --only source

If a role was used in the last two days, teardown warns before it asks; with --yes,
it requires --even-if-used. xacct's own tests on this machine usually do not count.")]
pub struct Teardown {
    /// Targets, by name in xacct.toml or account ID (XACCT_TARGET has no effect)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// All targets in xacct.toml
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// Remove only one half; xacct.toml keeps the target
    #[arg(long, value_name = "HALF")]
    pub only: Option<Half>,
    /// With --yes: remove the role even if others used it in the last two days
    #[arg(long)]
    pub even_if_used: bool,
    /// Remove the role even if it has policies or a boundary not listed in xacct.toml
    #[arg(long)]
    pub even_if_extended: bool,
    /// Preview and confirmation.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// Maximum time to wait for IAM propagation
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m", env = "XACCT_TIMEOUT")]
    pub timeout: Duration,
    /// Credentials of the operators.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// MFA of the operators.
    #[command(flatten)]
    pub code: CodeOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}
