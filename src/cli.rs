//! What can be typed. The doc comments are the help text.

mod diagnose;
mod print;
mod remove;
mod session;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use diagnose::*;
pub use print::*;
pub use remove::*;
pub use session::*;

use crate::iam::arn::{ManagedPolicy, UserRef};
use crate::iam::invalid::Invalid;
use crate::iam::names::{
    AccountId, ExternalId, IamPath, MaxSessionDuration, MfaCode, Region, RoleName, SessionDuration, Tag,
};

/// Make and prove a role that lets a user of one AWS account work in another.
///
/// A link has two halves: a role in the target account whose trust policy admits the source account, and a grant on the
/// user in the source account that allows sts:AssumeRole on exactly that role. xacct makes both, proves with a real
/// session and a real bucket that the link works, and proves that it refuses what it must refuse.
#[derive(Debug, Parser)]
#[command(
    name = "xacct",
    version,
    arg_required_else_help = true,
    after_long_help = "Examples:
  xacct bootstrap --target-account 222222222222 --generate-external-id
  xacct verify
  xacct print-provider-hcl > provider.tf

Exit codes:
  0  done; access works
  1  something went wrong
  2  wrong usage, or a wrong value in xacct.toml
  3  access does not work, or works where it must not, or could not be proven
  4  changes are pending (bootstrap --check, teardown --check)
  129, 130, 143  ended by SIGHUP, Ctrl-C, SIGTERM; the test bucket was deleted,
     or is named on stderr
  exec ends with the code of its command, 128 and the signal that ended it, 127
  if there is no such command, 126 if it cannot be run; before that, as above"
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
}

/// What applies to every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The file that records the links
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "xacct.toml",
        env = "XACCT_CONFIG",
        // After the options of the command, however many commands there are.
        display_order = 900
    )]
    pub config: PathBuf,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make or mend both halves of a link, then prove it.
    ///
    /// Reads both accounts, shows every change, asks, applies, reads again, verifies, and records the link in xacct.toml.
    /// Without --target-account it does so for every target in xacct.toml. Values in xacct.toml are used where no option
    /// or XACCT_… variable says otherwise.
    ///
    /// Credentials of the source account come from --profile or the environment; those of the target account from
    /// --target-profile, from --enter-role, or from the one profile of the AWS config file that names that account.
    Bootstrap(Box<Bootstrap>),
    /// Prove that the link works, and that it refuses what it must.
    ///
    /// As the user, never as an administrator: assumes the role, makes a bucket in the target account, proves whose it
    /// is, deletes it, and tries what must be refused: no external ID, a wrong one, no MFA.
    Verify(Verify),
    /// Say which side of a link is wrong, why, and what to change.
    ///
    /// Tries to assume the role as the user, reads both halves with the operators' credentials, and evaluates them as AWS
    /// does: AWS itself words every refusal the same. Writes nothing. The same analysis stands below every verify and
    /// bootstrap whose link does not work.
    Diagnose(Box<Diagnose>),
    /// Remove both halves of a link.
    ///
    /// The role with its policies first, which ends its sessions, then its place in the grant. Takes the target out of
    /// xacct.toml when both are gone, and removes nothing that xacct did not make.
    Teardown(Box<Teardown>),
    /// Delete test buckets that a run left which was killed.
    ///
    /// Looks in the target account for buckets with names and the tag of xacct's own, and deletes those that are empty.
    Sweep(Box<Sweep>),
    /// Run a command with a session of the role.
    ///
    /// The command finds the session's credentials in its environment, and nothing there that would win over them. It gets
    /// stdin, stdout, stderr and signals as if xacct were not there, and its exit code is passed on.
    Exec(Box<Exec>),
    /// Print the credentials of a session, for tools and shells.
    ///
    /// What is printed is secret until the session ends. The default form is that of credential_process in the AWS config
    /// file, so that every AWS tool can use the link, with its external ID and MFA.
    Credentials(Box<Credentials>),
    /// Print the Terraform provider block that uses the link.
    ///
    /// Needs neither network nor credentials: everything stands in xacct.toml. Several targets get an alias each.
    PrintProviderHcl(PrintProviderHcl),
    /// Print the S3 backend of Terraform or OpenTofu that uses the link.
    ///
    /// Versions differ in how they name the role, and drop in silence what they do not know: name yours. With --policy,
    /// prints what the role must be allowed to do with the bucket.
    PrintBackendHcl(PrintBackendHcl),
    /// Print Terragrunt's settings that use the link.
    ///
    /// Terragrunt assumes the role by itself, with iam_role. That has no external ID and no MFA: a link that demands one
    /// is named in a generated provider instead and, given --bucket, in remote_state.
    PrintTerragruntHcl(PrintTerragruntHcl),
    /// Print profiles for ~/.aws/config that use the link.
    ///
    /// For the AWS CLI, the SDKs, and whatever reads AWS profiles. With --credential-process the profile asks xacct for
    /// the session: then tools that cannot prompt for an MFA code can use it, too.
    PrintProfile(PrintProfile),
    /// Print the variables of a workspace of HCP Terraform or Terraform Enterprise.
    ///
    /// Runs get in with tokens of their own, for which the role must trust the workspace; or with keys of the user. No
    /// secret is printed.
    PrintHcp(PrintHcp),
    /// Print the least that an operator or the user must be allowed to do.
    ///
    /// As an IAM policy in JSON, filled in for the links on record: bootstrap works with exactly these.
    PrintPolicies(PrintPolicies),
    /// Print the role and the grant as Terraform resources.
    ///
    /// With import blocks, so that Terraform 1.5 or later takes over what bootstrap made: nothing is made again, and
    /// nothing is changed.
    PrintRoleHcl(PrintRoleHcl),
    /// Print the role as a CloudFormation template.
    ///
    /// With parameters for what differs from account to account, and in comments the commands that deploy it: to one
    /// account, or with a stack set to an organizational unit.
    PrintCloudformation(PrintCloudformation),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Print the manual page, in roff.
    Man,
}

/// What `xacct bootstrap` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  Link yourself, with an external ID:
    xacct bootstrap --target-account 222222222222 --generate-external-id
  Link alice with profiles for both accounts, and give the role more to do:
    xacct bootstrap --target-account 222222222222 --user alice \\
      --policy-arn PowerUserAccess --profile security-admin \\
      --target-profile dev-admin --user-profile alice
  Reach the target through the organization's role:
    xacct bootstrap --target-account 222222222222 \\
      --enter-role OrganizationAccountAccessRole
  See what would change, and fail in CI if anything would:
    xacct bootstrap --check
  Make only the half in the target account, for a user of somebody else's:
    xacct bootstrap --only target --target-account 222222222222 \\
      --user arn:aws:iam::111111111111:user/alice --generate-external-id")]
pub struct Bootstrap {
    /// The target account, 12 digits (can be repeated; default: every target in xacct.toml)
    #[arg(long, value_name = "ID", value_parser = valid::<AccountId>, env = "XACCT_TARGET_ACCOUNT", value_delimiter = ',')]
    pub target_account: Vec<AccountId>,
    /// Who may assume the role: a user of the source account, by name or ARN (default: the source operator)
    #[arg(long, value_name = "USER", value_parser = valid::<UserRef>, env = "XACCT_USER")]
    pub user: Option<UserRef>,
    /// Make one half only, and print what the other account's owner needs
    #[arg(long, value_name = "HALF")]
    pub only: Option<Half>,
    /// Take over a role or grant that xacct did not make, after showing the difference
    #[arg(long)]
    pub adopt: bool,
    /// What is to be done with the changes.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// Do not verify afterwards
    #[arg(long)]
    pub no_verify: bool,
    /// How long to wait for AWS to honour what was just written
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m", env = "XACCT_TIMEOUT")]
    pub timeout: Duration,
    /// Where the links and the credentials are.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// What the role is like.
    #[command(flatten)]
    pub role: RoleOptions,
    /// How to verify.
    #[command(flatten)]
    pub proof: ProofOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// Credentials with which the two halves are made.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Credentials")]
pub struct OperatorAccess {
    /// AWS profile of the operator in the source account (default: the usual credential chain)
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE")]
    pub profile: Option<String>,
    /// AWS profile of the operator in the target account
    #[arg(long, value_name = "NAME", env = "XACCT_TARGET_PROFILE", conflicts_with = "enter_role")]
    pub target_profile: Option<String>,
    /// Reach the target account through this role there, assumed by the source operator
    #[arg(long, value_name = "NAME", value_parser = valid::<RoleName>, env = "XACCT_ENTER_ROLE")]
    pub enter_role: Option<RoleName>,
    /// The source account, 12 digits, where no credentials of it are at hand (--only target)
    #[arg(long, value_name = "ID", value_parser = valid::<AccountId>, env = "XACCT_SOURCE_ACCOUNT")]
    pub source_account: Option<AccountId>,
}

/// What the role in the target account is like.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The role")]
pub struct RoleOptions {
    /// The role's name (default: xacct)
    #[arg(long, value_name = "NAME", value_parser = valid::<RoleName>, env = "XACCT_ROLE_NAME")]
    pub role_name: Option<RoleName>,
    /// The role's path, such as /engineering/ (default: /)
    #[arg(long, value_name = "PATH", value_parser = valid::<IamPath>, env = "XACCT_ROLE_PATH")]
    pub role_path: Option<IamPath>,
    /// Demand this external ID
    #[arg(long, value_name = "ID", value_parser = valid::<ExternalId>, env = "XACCT_EXTERNAL_ID", conflicts_with = "generate_external_id")]
    pub external_id: Option<ExternalId>,
    /// Demand an external ID; make a random one unless the link has one
    #[arg(long)]
    pub generate_external_id: bool,
    /// Demand multi-factor authentication
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub require_mfa: Option<bool>,
    /// Admit this user only, not whoever the source account grants it to
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub restrict_to_user: Option<bool>,
    /// Let sessions carry tags and a source identity
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub allow_session_tags: Option<bool>,
    /// Attach this managed policy: an ARN, or the name of one of AWS's (can be repeated)
    #[arg(long, value_name = "POLICY", value_parser = valid::<ManagedPolicy>)]
    pub policy_arn: Vec<ManagedPolicy>,
    /// Put the policy in this JSON file on the role (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub policy_file: Vec<PathBuf>,
    /// Cap the role with this managed policy
    #[arg(long, value_name = "POLICY", value_parser = valid::<ManagedPolicy>)]
    pub permissions_boundary: Option<ManagedPolicy>,
    /// The longest session, 1h to 12h (default: 1h)
    #[arg(long, value_name = "DURATION", value_parser = valid::<MaxSessionDuration>)]
    pub max_session_duration: Option<MaxSessionDuration>,
    /// Tag the role (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub tag: Vec<Tag>,
}

/// What is to be done with changes: shown, asked about, made.
#[derive(Debug, Clone, Args)]
pub struct ChangeOptions {
    /// Show the changes and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Show the changes and stop; exit with 4 if there are any
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Show the policy documents with the changes
    #[arg(long)]
    pub show_policies: bool,
    /// Apply without asking
    #[arg(long, short)]
    pub yes: bool,
}

impl ChangeOptions {
    /// Whether they are only shown.
    #[must_use]
    pub fn only_shown(&self) -> bool {
        self.dry_run || self.check
    }
}

/// One half of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Half {
    /// The grant in the source account
    Source,
    /// The role in the target account
    Target,
}

/// What `xacct verify` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct verify
  xacct verify dev --user-profile alice
  xacct verify 222222222222 --mfa-code 123456
  xacct verify --probe identity --output json")]
pub struct Verify {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// AWS profile to fall back on where no user profile is known
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE")]
    pub profile: Option<String>,
    /// How to verify.
    #[command(flatten)]
    pub proof: ProofOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// As whom, where and with what a link is tried.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The user")]
pub struct UserOptions {
    /// AWS profile of the user who assumes the role (default: the operator, if the operator is that user)
    #[arg(long, value_name = "NAME", env = "XACCT_USER_PROFILE")]
    pub user_profile: Option<String>,
    /// Region of the session and of the test bucket (default: the profile's)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// The six digits that the user's MFA device shows, where the role demands MFA
    #[arg(long, value_name = "CODE", env = "XACCT_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<TypedCode>,
    /// How long a session with MFA is kept, so that no other code is asked for, 15m to 12h (default: 12h)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>, env = "XACCT_MFA_SESSION_DURATION")]
    pub mfa_session_duration: Option<SessionDuration>,
    /// Keep no session, and use none that is kept
    #[arg(long, env = "XACCT_NO_CACHE", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_cache: bool,
}

/// How a link is proven.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Verification")]
pub struct ProofOptions {
    /// As whom, where and with what.
    #[command(flatten)]
    pub user: UserOptions,
    /// How far to go: `bucket` makes a bucket and deletes it, `identity` stops at the session (default: bucket)
    #[arg(long, value_name = "PROBE", env = "XACCT_PROBE")]
    pub probe: Option<Probe>,
    /// Tag the test bucket, where the organization demands it (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub bucket_tag: Vec<Tag>,
    /// Whose names the test bucket's name stands among (default: global)
    #[arg(long, value_name = "NAMESPACE")]
    pub bucket_namespace: Option<BucketNamespace>,
    /// Address buckets by path; done by itself for endpoints that are an IP address or localhost
    #[arg(long, env = "XACCT_S3_PATH_STYLE", value_parser = clap::builder::FalseyValueParser::new())]
    pub path_style: bool,
}

/// An MFA code as it was typed. It is parsed later, because clap repeats what it refuses, and this is not to be printed.
#[derive(Clone)]
pub struct TypedCode(String);

impl TypedCode {
    /// The code.
    ///
    /// # Errors
    /// When it is not six digits; the message does not repeat it.
    pub fn parse(&self) -> Result<MfaCode, Invalid> {
        self.0.trim().parse()
    }
}

impl From<String> for TypedCode {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedCode(…)")
    }
}

/// How far verification goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Probe {
    /// Make a bucket and delete it
    Bucket,
    /// Stop once the session is proven to be in the target account
    Identity,
}

/// The namespace of the test bucket's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BucketNamespace {
    /// Names shared with everyone
    Global,
    /// Names that only this account can use in this region
    AccountRegional,
}

/// How results are reported.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportOptions {
    /// A table for people, or one JSON document on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table", env = "XACCT_OUTPUT")]
    pub output: OutputFormat,
    /// How many targets to work on side by side
    #[arg(long, value_name = "N", default_value = "8", env = "XACCT_CONCURRENCY", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,
    /// How many requests STS gets at most within a second, 20 to 600
    ///
    /// AWS takes 600 from an account in each region, from all of its users and tools together. A request that would be too
    /// many waits, and so does one that AWS throttles all the same.
    #[arg(long, value_name = "N", default_value = "200", env = "XACCT_STS_RATE", value_parser = clap::value_parser!(u16).range(20..=600))]
    pub sts_rate: u16,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Tables and sentences
    Table,
    /// One JSON document with a `schema_version`
    Json,
}

/// What `xacct completions` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Example:
  xacct completions bash > ~/.local/share/bash-completion/completions/xacct")]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Parses a value that has rules of AWS's; the message says the rule and the fix.
fn valid<T: FromStr<Err = Invalid>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|invalid: Invalid| format!("{}\n  hint: {}", invalid.rule, invalid.fix))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = crate::iam::names::parse_duration(text)
        .map_err(|rule| format!("{rule}\n  hint: write it with units, such as `90s` or `2m`"))?;
    if seconds > 3600 {
        return Err("is more than an hour\n  hint: give at most `1h`".to_owned());
    }
    Ok(Duration::from_secs(seconds.into()))
}

/// The command that was asked for a JSON document, where the arguments as a whole cannot be understood.
pub(crate) fn asked_for_json(arguments: &[std::ffi::OsString]) -> Option<&'static str> {
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let by_option = words.windows(2).any(|pair| pair == ["--output", "json"]) || words.contains(&"--output=json");
    let by_variable = std::env::var("XACCT_OUTPUT").is_ok_and(|format| format == "json");
    let command =
        ["bootstrap", "verify", "diagnose", "teardown", "sweep"].into_iter().find(|command| words.contains(command))?;
    (by_option || by_variable).then_some(command)
}
