//! The arguments of `xacct bootstrap`.

use std::time::Duration;

use clap::Args;

use crate::cli::{
    ChangeOptions, GrantOptions, Half, OperatorAccess, PrincipalOptions, ProofOptions, RedactOption, ReportFiles,
    ReportOptions, RoleOptions, account, target_name, timeout,
};
use crate::iam::names::AccountId;

/// Create or repair both halves of a link, then test it.
///
/// Reads both accounts, shows every change, asks for confirmation, applies the changes, waits for IAM propagation, tests
/// the link, and records it in xacct.toml. Without a target, does this for every target in xacct.toml. Options
/// and XACCT_… variables override values in xacct.toml.
///
/// Credentials for the source account come from --profile or the environment; credentials for the target account from
/// --target-profile, --enter-role, or the only profile in the AWS config file that names the account.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  Give yourself access to an account, and require an external ID:
    xacct bootstrap 222222222222 --name dev --generate-external-id
  Give alice access, with a profile for each account, and permissions:
    xacct bootstrap 222222222222 --name dev --user alice \\
      --policy-arn PowerUserAccess --profile security-admin \\
      --target-profile dev-admin --user-profile alice
  Manage the target account through the organization's role:
    xacct bootstrap 222222222222 --name dev \\
      --enter-role OrganizationAccountAccessRole
  Change one target of xacct.toml:
    xacct bootstrap dev --max-session-duration 4h
  Fail in CI if anything would change:
    xacct bootstrap --check
  Create only the role in the target account, for a user of another team:
    xacct bootstrap --only target --target-account 222222222222 \\
      --user arn:aws:iam::111111111111:user/alice --generate-external-id")]
pub struct Bootstrap {
    /// Targets, by name in xacct.toml or account ID (default: XACCT_TARGET, else all in xacct.toml)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Name of a new target in xacct.toml (default: its account ID)
    #[arg(long, value_name = "NAME", value_parser = target_name)]
    pub name: Option<String>,
    /// ID of the target account, new or in xacct.toml (can be repeated)
    #[arg(long, value_name = "ID", value_parser = account, env = "XACCT_TARGET_ACCOUNT", value_delimiter = ',')]
    pub target_account: Vec<AccountId>,
    /// Who may assume the role.
    #[command(flatten)]
    pub principals: PrincipalOptions,
    /// Create only one half, and print what the owner of the other account needs
    #[arg(long, value_name = "HALF")]
    pub only: Option<Half>,
    /// Manage a role or grant that xacct did not create, after showing the changes
    #[arg(long)]
    pub adopt: bool,
    /// Keep statements of the role's trust policy that xacct did not write, in policies/TARGET-trust.json
    ///
    /// Saves them to that file beside xacct.toml and adds it to trust_statement_files. Leaves out statements that admit
    /// only the source account or the user: xacct's own statement replaces them.
    #[arg(long)]
    pub keep_statements: bool,
    /// Preview and confirmation.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// With --yes, also apply what makes a role weaker or a grant wider
    ///
    /// Without it, --yes stops at a target whose role would lose or change its external ID, MFA, its restriction to the
    /// user or its boundary, get longer sessions, trust anyone new, or be allowed more, and at a grant that would newly
    /// cover an organization. Such changes have a line of their own in the plan: "! weaker: ...".
    #[arg(long, requires = "yes")]
    pub allow_weaker: bool,
    /// Don't verify afterwards
    #[arg(long)]
    pub no_verify: bool,
    /// Maximum time to wait for IAM propagation
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m", env = "XACCT_TIMEOUT")]
    pub timeout: Duration,
    /// Wait for the administrators of permission sets that lack the grant, then test [default: 1h]
    ///
    /// Goes on once the roles of the permission sets in the source account show the grant.
    #[arg(long, value_name = "DURATION", value_parser = timeout, num_args = 0..=1, default_missing_value = "1h", require_equals = true)]
    pub wait: Option<Duration>,
    /// Credentials of the operators.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// Settings of the role.
    #[command(flatten)]
    pub role: RoleOptions,
    /// How the principals get the grant.
    #[command(flatten)]
    pub grant: GrantOptions,
    /// Options of the proof.
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

impl Bootstrap {
    /// Returns the run on these targets without any other option: what the verbs have in common that change links as
    /// bootstrap does.
    pub fn of(
        targets: Vec<String>,
        timeout: Duration,
        access: OperatorAccess,
        proof: ProofOptions,
        report: ReportOptions,
    ) -> Self {
        Self {
            targets,
            name: None,
            target_account: Vec::new(),
            principals: PrincipalOptions::default(),
            only: None,
            adopt: false,
            keep_statements: false,
            changes: ChangeOptions::default(),
            allow_weaker: false,
            no_verify: false,
            timeout,
            wait: None,
            access,
            role: RoleOptions::default(),
            grant: GrantOptions::default(),
            proof,
            report,
            files: ReportFiles::default(),
            redact: RedactOption::default(),
        }
    }
}
