//! The arguments of `xacct import`.

use clap::Args;

use crate::cli::{CodeOptions, OperatorAccess, PrincipalOptions, ReportOptions, target_name, valid};
use crate::iam::names::RoleName;

/// Record existing roles in xacct.toml without changing AWS.
///
/// Reads the role and records as a target what it is: trust with external ID and MFA, session limit, path, boundary,
/// policies and tags. Lists what xacct.toml cannot express. Without a role, imports all roles that the policies of the
/// user name. Then `bootstrap --adopt` manages the role on the same terms.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  Import a role that was created by hand, as target `dev`:
    xacct import arn:aws:iam::222222222222:role/deploy --name dev \\
      --user alice --profile security-admin --target-profile dev-admin
  See what would be written:
    xacct import arn:aws:iam::222222222222:role/deploy --dry-run
  Rebuild a lost file from all roles that alice may assume:
    xacct import --user alice --enter-role OrganizationAccountAccessRole
  Afterwards, compare, and let xacct manage the roles:
    xacct bootstrap --adopt --dry-run

xacct never overwrites a target: to import it again, remove it first with
xacct forget. Inline policies with names that begin with xacct-, and
statements of the trust policy that admit others, are saved in policies/.")]
pub struct Import {
    /// Roles, by ARN or by account ID with --role-name (default: all that the policies of the user name)
    #[arg(value_name = "ROLE")]
    pub roles: Vec<String>,
    /// Name of the new target in xacct.toml (default: its account ID)
    #[arg(long, value_name = "NAME", value_parser = target_name)]
    pub name: Option<String>,
    /// Name of the role in accounts that are specified by ID (default: xacct)
    #[arg(long, value_name = "NAME", value_parser = valid::<RoleName>)]
    pub role_name: Option<RoleName>,
    /// Who may assume the role.
    #[command(flatten)]
    pub principals: PrincipalOptions,
    /// Show what would be written and stop
    #[arg(long)]
    pub dry_run: bool,
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
