//! The arguments of `xacct teardown`.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, CodeOptions, Half, OperatorAccess, ReportOptions, timeout, valid};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::iam::names::RoleName;

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
  Remove what bootstrap --check reports as orphans:
    xacct teardown --orphan arn:aws:iam::222222222222:role/old
    xacct teardown --orphan user/leaver
  Remove the link to an account that is closed:
    xacct teardown dev --gone

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
    /// Remove a role, by ARN, or the grant of a principal, such as user/NAME, that xacct made and no xacct.toml names
    ///
    /// A name is enough for a role if all targets are in one account. xacct enters the account as it enters the targets
    /// there. The grant of a group is group/NAME, and permission-set/NAME is the managed policy with the grant of a
    /// permission set; that of a role is named by the role's ARN in the source account. For the principals of this file,
    /// only the roles that no target names leave the grant.
    #[arg(long, value_name = "ORPHAN", value_parser = orphan, conflicts_with_all = ["targets", "all", "only"])]
    pub orphan: Option<OrphanName>,
    /// The target accounts are closed: remove only the grants, and the targets from xacct.toml
    ///
    /// Refused if an account answers. In a closed account, xacct reads and changes nothing.
    #[arg(long, requires = "targets", conflicts_with_all = ["all", "only"])]
    pub gone: bool,
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

/// An orphan on the command line.
#[derive(Debug, Clone)]
pub enum OrphanName {
    /// A role, by ARN.
    Role(RoleArn),
    /// A role in the only target account.
    RoleName(RoleName),
    /// A user, group or permission set with a grant.
    Principal(PrincipalRef),
}

fn orphan(text: &str) -> Result<OrphanName, String> {
    if text.starts_with("arn:") {
        return match [":user/", ":group/"].iter().any(|kind| text.contains(kind)) {
            true => valid::<PrincipalRef>(text).map(OrphanName::Principal),
            false => valid::<RoleArn>(text).map(OrphanName::Role),
        };
    }
    match text.split_once('/') {
        Some(("user" | "group" | "permission-set", _)) => valid::<PrincipalRef>(text).map(OrphanName::Principal),
        Some(("role", name)) if name.contains('/') => {
            Err(format!("lacks the account of the role\n  hint: use its ARN: arn:aws:iam::ACCOUNT:role/{name}"))
        }
        Some(("role", name)) => valid::<RoleName>(name).map(OrphanName::RoleName),
        Some(_) => {
            Err("is no orphan's name\n  hint: use the ARN of a role, user/NAME, group/NAME or permission-set/NAME"
                .to_owned())
        }
        None => valid::<RoleName>(text).map(OrphanName::RoleName),
    }
}
