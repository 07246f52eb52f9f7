//! The arguments of `xacct rotate`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::{ChangeOptions, Half, OperatorAccess, ProofOptions, ReportOptions, timeout, valid};
use crate::iam::names::ExternalId;

/// What to replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The external ID of the role
    ExternalId,
}

/// Replace a link's external ID without interrupting anybody.
///
/// First the role accepts both the new ID and the old one, and xacct.toml records both. Change everything that sends the
/// old one; then --finish removes it, and proves that the role rejects it. An interrupted run continues where it stopped.
///
/// Like bootstrap, it also makes other changes that xacct.toml asks for, and shows them first.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct rotate external-id dev
  With an ID that somebody else chose:
    xacct rotate external-id dev --new-external-id 4kT9-x2
  When nothing sends the old one anymore:
    xacct rotate external-id dev --finish")]
pub struct Rotate {
    /// What to replace
    #[arg(value_name = "WHAT")]
    pub what: What,
    /// Targets, by name in xacct.toml or account ID (XACCT_TARGET has no effect)
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// The new external ID (default: generated)
    #[arg(long, value_name = "ID", value_parser = valid::<ExternalId>, conflicts_with = "finish")]
    pub new_external_id: Option<ExternalId>,
    /// Remove the old external ID, and prove that the role rejects it
    #[arg(long)]
    pub finish: bool,
    /// `target` uses no credentials of the source account, and tests nothing
    #[arg(long, value_name = "HALF")]
    pub only: Option<Half>,
    /// Preview and confirmation.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// With --yes, also apply what makes a role weaker, as in xacct bootstrap
    #[arg(long, requires = "yes")]
    pub allow_weaker: bool,
    /// Don't verify afterwards
    #[arg(long)]
    pub no_verify: bool,
    /// Maximum time to wait for IAM propagation
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m", env = "XACCT_TIMEOUT")]
    pub timeout: Duration,
    /// Credentials of the operators.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// Options of the proof.
    #[command(flatten)]
    pub proof: ProofOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}
