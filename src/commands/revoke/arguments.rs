//! The arguments of `xacct revoke`.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, CodeOptions, OperatorAccess, ReportOptions, timeout};

/// End a role's current sessions, and keep the link.
///
/// Adds a policy to the role that denies everything to sessions issued before now, as "Revoke active sessions" in the
/// console does. Whoever may assume the role can open new sessions, which work as before.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct revoke dev
  See the policy first:
    xacct revoke dev --dry-run --show-policies
  Remove the policy after twelve hours, when all revoked sessions have expired:
    xacct revoke dev --lift

To lock a principal out, also remove the statement that admits it; to find it:
  xacct who dev

--check needs --lift, because a revocation always changes the role.")]
pub struct Revoke {
    /// Targets, by name in xacct.toml or account ID (XACCT_TARGET has no effect)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// All targets in xacct.toml
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// Remove the policy again, once all sessions that it revokes have expired
    #[arg(long)]
    pub lift: bool,
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
