//! The arguments of `xacct move`.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, OperatorAccess, ProofOptions, ReportOptions, timeout, valid};
use crate::iam::names::{IamPath, RoleName};

/// Move a link to a role with another name or path, without interrupting anybody.
///
/// AWS cannot rename a role. So xacct first creates a new role with the same settings beside the old one, lets the user
/// assume both, and tests the new one; xacct.toml then names the new role, and records the old one. Change everything
/// that uses the old role; then --finish removes it, and proves that the user can no longer assume it. An interrupted run
/// continues where it stopped.
///
/// To move back before --finish, move to the old name.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct move dev --role-name deploy
  With another path; two roles of one account cannot have the same name:
    xacct move dev --role-name deploy --role-path /engineering/
  When nothing uses the old role anymore:
    xacct move dev --finish")]
pub struct Move {
    /// Targets, by name in xacct.toml or account ID (XACCT_TARGET has no effect)
    #[arg(value_name = "TARGET", required = true)]
    pub targets: Vec<String>,
    /// Name of the new role
    #[arg(long, value_name = "NAME", value_parser = valid::<RoleName>)]
    pub role_name: Option<RoleName>,
    /// Path of the new role, such as /engineering/ (default: that of the old role)
    #[arg(long, value_name = "PATH", value_parser = valid::<IamPath>)]
    pub role_path: Option<IamPath>,
    /// Remove the old role, and prove that the user can no longer assume it
    #[arg(long, conflicts_with_all = ["role_name", "role_path"])]
    pub finish: bool,
    /// With --finish and --yes: remove the old role even if others used it in the last two days
    #[arg(long, requires = "finish")]
    pub even_if_used: bool,
    /// With --finish: remove the old role even if it has policies or a boundary not listed in xacct.toml
    #[arg(long, requires = "finish")]
    pub even_if_extended: bool,
    /// Preview and confirmation.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// With --yes, also move if the new role lacks a restriction of the old one
    #[arg(long, requires = "yes", conflicts_with = "finish")]
    pub allow_weaker: bool,
    /// Test neither role
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
