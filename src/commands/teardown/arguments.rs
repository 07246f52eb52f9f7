//! The arguments of `xacct teardown`.

use std::time::Duration;

use clap::Args;

use crate::cli::{ChangeOptions, CodeOptions, Half, OperatorAccess, ReportOptions, timeout, valid};
use crate::iam::arn::{RoleArn, UserArn, UserRef};
use crate::iam::names::{PermissionSetName, RoleName, UserName};

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
    /// Remove a role, by ARN, or the grant of a user, as user/NAME, that xacct made and no xacct.toml names
    ///
    /// A name is enough for a role if all targets are in one account. xacct enters the account as it enters the targets
    /// there. For the user of this file, only the roles that no target names leave the grant. permission-set/NAME stands for
    /// the managed policy with the grant of a permission set.
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
    /// A user with a grant.
    User(UserRef),
    /// A permission set with a managed policy.
    PermissionSet(PermissionSetName),
}

fn orphan(text: &str) -> Result<OrphanName, String> {
    if text.starts_with("arn:") {
        return match text.contains(":user/") {
            true => valid::<UserArn>(text).map(UserRef::Arn).map(OrphanName::User),
            false => valid::<RoleArn>(text).map(OrphanName::Role),
        };
    }
    match text.split_once('/') {
        Some(("user", name)) => valid::<UserName>(name).map(UserRef::Name).map(OrphanName::User),
        Some(("role", name)) => valid::<RoleName>(name).map(OrphanName::RoleName),
        Some(("permission-set", name)) => valid::<PermissionSetName>(name).map(OrphanName::PermissionSet),
        Some(_) => {
            Err("is no orphan's name\n  hint: use the ARN of a role, user/NAME or permission-set/NAME".to_owned())
        }
        None => valid::<RoleName>(text).map(OrphanName::RoleName),
    }
}
