//! The arguments of `xacct list`.

use clap::Args;

use crate::cli::{FailOptions, OperatorAccess, ProofOptions, RedactOption, RefusalOptions, ReportFiles, ReportOptions};

/// List the targets, with their settings and last tests.
///
/// Works offline, from xacct.toml and from the records of tests on this machine. With --live, xacct also reads both
/// accounts, compares them with xacct.toml, looks for orphans, and tests the links.
#[derive(Debug, Args)]
#[command(
    visible_alias = "status",
    // A report on tests that are not new would pass for one on new tests.
    mut_arg("report", |report| report.requires("live")),
    after_long_help = "Examples:
  xacct list
  xacct list dev --output json
  xacct list --live

Options for credentials and tests have an effect only with --live. With --live,
the exit codes are those of xacct verify: 3 if a link does not work, 5 if it
could not be tested. To fail on differences, use xacct bootstrap --check."
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
    /// What counts as a failure.
    #[command(flatten)]
    pub fail: FailOptions,
    /// How often requests that must be denied are sent.
    #[command(flatten)]
    pub refusals: RefusalOptions,
    /// Options of the tests.
    #[command(flatten)]
    pub proof: ProofOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
    /// Reports in further formats.
    #[command(flatten)]
    pub files: ReportFiles,
    /// Whether to hide account IDs.
    #[command(flatten)]
    pub redact: RedactOption,
}
