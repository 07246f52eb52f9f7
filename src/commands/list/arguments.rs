//! The arguments of `xacct list`.

use clap::Args;

use crate::cli::{OperatorAccess, ReportOptions, UserOptions};

/// List the targets, with their settings and last tests.
///
/// Works offline, from xacct.toml and from the records of tests on this machine. With --live, xacct also reads both
/// accounts, compares them with xacct.toml, and tests the links.
#[derive(Debug, Args)]
#[command(
    visible_alias = "status",
    after_long_help = "Examples:
  xacct list
  xacct list dev --output json
  xacct list --live

Options for credentials matter only with --live. Then the exit code is that of
xacct verify without options: 3 if a link does not work. To fail on differences,
use xacct bootstrap --check."
)]
pub struct List {
    /// Targets, by name in xacct.toml or account ID (default: XACCT_TARGET, else all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Compare both accounts with xacct.toml, and test the links
    #[arg(long)]
    pub live: bool,
    /// Credentials of the operators.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// The user.
    #[command(flatten)]
    pub user: UserOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}
