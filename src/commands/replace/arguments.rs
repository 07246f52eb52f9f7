//! The arguments of `xacct replace`.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, OperatorAccess, ProofOptions, ReportOptions, principal_or_user, timeout};
use crate::iam::arn::PrincipalRef;

/// Give links to another principal without interrupting anybody.
///
/// First both the new principal and the old one have the links: the new one gets the grant, and a role that is restricted
/// trusts both; then the link is tested as the new one, and xacct.toml records both. When the old one is not needed anymore,
/// --finish takes its grant away and records only the new one. An interrupted run continues where it stopped.
///
/// Like bootstrap, it also makes other changes that xacct.toml asks for, and shows them first.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct replace alice --with bob --user-profile bob
  When alice does not need the links anymore:
    xacct replace alice --with bob --finish
  Give one target to a role instead of a user:
    xacct replace alice --with role/ci/terraform dev")]
pub struct Replace {
    /// The old principal: the name of a user, group/NAME, role/PATH/NAME, permission-set/NAME or an ARN
    #[arg(value_name = "OLD", value_parser = principal_or_user)]
    pub old: PrincipalRef,
    /// The new principal, in the same forms
    #[arg(long = "with", value_name = "NEW", value_parser = principal_or_user)]
    pub new: PrincipalRef,
    /// Targets, by name in xacct.toml or account ID (default: all that the old principal has; XACCT_TARGET has no effect)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Take the grant of the old principal away
    #[arg(long)]
    pub finish: bool,
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
