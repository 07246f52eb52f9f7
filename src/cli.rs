//! Options of several commands, and parsers of their values. The doc comments are the help text. Options of one command
//! are in that command's file.

mod print;
mod refusals;
mod reports;
mod session;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub use print::*;
pub use refusals::*;
pub use reports::*;
pub use session::*;

use crate::iam::arn::{ManagedPolicy, PrincipalRef, UserRef};
use crate::iam::invalid::Invalid;
use crate::iam::names::{
    AccountId, ExternalId, IamPath, MaxSessionDuration, MfaCode, OrganizationId, Region, RoleName, SessionDuration,
    SessionName, Tag,
};

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The file that records the links
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "xacct.toml",
        env = "XACCT_CONFIG",
        // After all options of the command.
        display_order = 900
    )]
    pub config: PathBuf,
    /// Show every request to AWS, with its duration and request ID
    #[arg(long, short, global = true, display_order = 901)]
    pub verbose: bool,
    /// Show only results, warnings and errors, without progress and remarks
    #[arg(long, short, global = true, conflicts_with = "verbose", display_order = 902)]
    pub quiet: bool,
    /// Whether to use colors: `auto` uses them on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        display_order = 903
    )]
    pub color: Color,
}

impl Global {
    /// Returns how much to say on stderr.
    #[must_use]
    pub fn volume(&self) -> Volume {
        match (self.quiet, self.verbose) {
            (true, _) => Volume::Quiet,
            (_, true) => Volume::Verbose,
            _ => Volume::Usual,
        }
    }
}

/// How much xacct says on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// Only warnings and errors.
    Quiet,
    /// Also progress and remarks.
    Usual,
    /// Also every request to AWS.
    Verbose,
}

/// Whether output has colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Credentials that create the two halves.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Credentials")]
pub struct OperatorAccess {
    /// AWS profile of the operator in the source account, or `-` for the usual credential chain, which is the default
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE")]
    pub profile: Option<String>,
    /// AWS profile of the operator in the target account, or `-` for the usual credential chain
    #[arg(long, value_name = "NAME", env = "XACCT_TARGET_PROFILE", conflicts_with = "enter_role")]
    pub target_profile: Option<String>,
    /// Role in the target account that the source operator assumes to manage it
    #[arg(long, value_name = "NAME", value_parser = valid::<RoleName>, env = "XACCT_ENTER_ROLE")]
    pub enter_role: Option<RoleName>,
    /// ID of the source account, if you have no credentials for it
    #[arg(long, value_name = "ID", value_parser = account, env = "XACCT_SOURCE_ACCOUNT")]
    pub source_account: Option<AccountId>,
}

/// Parses a principal; a bare name is that of a user.
///
/// # Errors
/// With the rule and the fix.
pub fn principal_or_user(text: &str) -> std::result::Result<PrincipalRef, String> {
    match text.contains('/') {
        true => valid::<PrincipalRef>(text),
        false => valid::<UserRef>(text).map(PrincipalRef::User),
    }
}

/// Who gets a link.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = None)]
pub struct PrincipalOptions {
    /// User in the source account who may assume the role, by name or ARN (default: the source operator)
    #[arg(long, value_name = "USER", value_parser = valid::<UserRef>, env = "XACCT_USER")]
    pub user: Option<UserRef>,
    /// Principal in the source account that may assume the role: user/NAME, group/NAME, role/PATH/NAME, permission-set/NAME or an ARN (can be repeated)
    #[arg(long, value_name = "PRINCIPAL", value_parser = valid::<PrincipalRef>, conflicts_with = "user")]
    pub principal: Vec<PrincipalRef>,
}

impl PrincipalOptions {
    /// Returns the principals of both options, each once: of a name and the ARN of the same one, the ARN counts.
    #[must_use]
    pub fn all(&self) -> Vec<PrincipalRef> {
        let mut all: Vec<PrincipalRef> = Vec::new();
        for principal in self.user.clone().map(PrincipalRef::from).into_iter().chain(self.principal.iter().cloned()) {
            let is_it = |known: &&mut PrincipalRef| {
                let accounts = (known.account(), principal.account());
                known.label() == principal.label() && (accounts.0 == accounts.1 || accounts.0.xor(accounts.1).is_some())
            };
            match all.iter_mut().find(is_it) {
                Some(known) if principal.account().is_some() => *known = principal,
                Some(_) => {}
                None => all.push(principal),
            }
        }
        all
    }
}

/// How the principals get the grant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "The grant")]
pub struct GrantOptions {
    /// Roles that the grant covers (default: roles)
    #[arg(long, value_name = "SCOPE")]
    pub grant: Option<GrantScope>,
    /// Where the grant of a permission set is (default: inline)
    #[arg(long, value_name = "PLACE")]
    pub set_grant: Option<SetGrant>,
    /// ID of the organization of the target accounts, for --grant organization and --set-grant pattern
    #[arg(long, value_name = "ID", value_parser = valid::<OrganizationId>)]
    pub organization: Option<OrganizationId>,
}

/// Which roles a grant covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GrantScope {
    /// Exactly the roles of the links
    Roles,
    /// The roles of one name in every account of the organization
    Organization,
}

/// Where the grant of a permission set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SetGrant {
    /// In the set's inline policy, which changes with every target
    Inline,
    /// In a managed policy of xacct in the source account, to which the set refers
    ManagedPolicy,
    /// In the set's inline policy, as one statement for the organization
    Pattern,
}

impl SetGrant {
    /// All places.
    pub const ALL: [Self; 3] = [Self::Inline, Self::ManagedPolicy, Self::Pattern];

    /// Returns the value in `xacct.toml`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::ManagedPolicy => "managed-policy",
            Self::Pattern => "pattern",
        }
    }
}

impl GrantScope {
    /// All scopes.
    pub const ALL: [Self; 2] = [Self::Roles, Self::Organization];

    /// Returns the value in `xacct.toml`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::Organization => "organization",
        }
    }
}

/// Settings of the role in the target account.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "The role")]
pub struct RoleOptions {
    /// Name of the role (default: xacct)
    #[arg(long, value_name = "NAME", value_parser = valid::<RoleName>, env = "XACCT_ROLE_NAME")]
    pub role_name: Option<RoleName>,
    /// Path of the role, such as /engineering/ (default: /)
    #[arg(long, value_name = "PATH", value_parser = valid::<IamPath>, env = "XACCT_ROLE_PATH")]
    pub role_path: Option<IamPath>,
    /// Require this external ID
    #[arg(long, value_name = "ID", value_parser = valid::<ExternalId>, env = "XACCT_EXTERNAL_ID", conflicts_with = "generate_external_id")]
    pub external_id: Option<ExternalId>,
    /// Require an external ID, and generate one unless the link has one
    #[arg(long)]
    pub generate_external_id: bool,
    /// Require multi-factor authentication
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub require_mfa: Option<bool>,
    /// Trust only this user, not every principal that the source account allows
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub restrict_to_user: Option<bool>,
    /// Allow session tags and a source identity
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub allow_session_tags: Option<bool>,
    /// Attach a managed policy, by ARN or by the name of an AWS managed policy (can be repeated)
    #[arg(long, value_name = "POLICY", value_parser = valid::<ManagedPolicy>)]
    pub policy_arn: Vec<ManagedPolicy>,
    /// Remove every policy from the role that xacct.toml does not declare
    ///
    /// Shows each of them first. Also fails the test if anybody else may assume the role. The grant in the source account,
    /// which other files may share, is not affected.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub exclusive: Option<bool>,
    /// Add the policy in this JSON file as an inline policy (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub policy_file: Vec<PathBuf>,
    /// Add the statements in this JSON file to the trust policy (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub trust_statement_file: Vec<PathBuf>,
    /// Permissions boundary: a managed policy, by ARN or name
    #[arg(long, value_name = "POLICY", value_parser = valid::<ManagedPolicy>)]
    pub permissions_boundary: Option<ManagedPolicy>,
    /// Maximum session duration, 1h to 12h (default: 1h)
    #[arg(long, value_name = "DURATION", value_parser = valid::<MaxSessionDuration>)]
    pub max_session_duration: Option<MaxSessionDuration>,
    /// Tag the role (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub tag: Vec<Tag>,
}

/// What to do with changes: show them, ask, or apply them.
#[derive(Debug, Clone, Default, Args)]
pub struct ChangeOptions {
    /// Show the changes and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Show the changes and stop; exit with 4 if anything differs
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
    /// Returns whether to show every change of every target, however many say the same.
    #[must_use]
    pub fn show_everything(&self) -> bool {
        self.dry_run || self.show_policies
    }

    /// Returns whether xacct only shows the changes.
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

/// The user who tests a link, the Region, and the user's MFA session.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The user")]
pub struct UserOptions {
    /// AWS profile of the user who assumes the role, or `-` for the usual credential chain (default: the operator's, if the operator is that user)
    #[arg(long, value_name = "NAME", env = "XACCT_USER_PROFILE")]
    pub user_profile: Option<String>,
    /// Region of the session and of the test bucket (default: the profile's)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// MFA code of the user's device, six digits, if the role requires MFA
    #[arg(long, value_name = "CODE", env = "XACCT_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<TypedCode>,
    /// How long to cache the MFA session, 15m to 12h (default: 12h)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>, env = "XACCT_MFA_SESSION_DURATION")]
    pub mfa_session_duration: Option<SessionDuration>,
    /// Don't use the session cache
    #[arg(long, env = "XACCT_NO_CACHE", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_cache: bool,
}

/// MFA of an operator whose profile has an `mfa_serial`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Credentials")]
pub struct CodeOptions {
    /// MFA code of the operator's device, six digits, if the profile has an mfa_serial
    #[arg(long, value_name = "CODE", env = "XACCT_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<TypedCode>,
    /// Don't use the session cache
    #[arg(long, env = "XACCT_NO_CACHE", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_cache: bool,
}

impl From<&CodeOptions> for UserOptions {
    fn from(options: &CodeOptions) -> Self {
        let CodeOptions { mfa_code, no_cache } = options.clone();
        Self { user_profile: None, region: None, mfa_code, mfa_session_duration: None, no_cache }
    }
}

/// What a session is called and carries. xacct.toml records it for each target.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "The request")]
pub struct SessionAttributes {
    /// Role session name (default: session_name in xacct.toml, else the user's name, or xacct-verify for tests)
    #[arg(long, value_name = "NAME", value_parser = valid::<SessionName>)]
    pub session_name: Option<SessionName>,
    /// Tag the session (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub session_tag: Vec<Tag>,
    /// Source identity of the session
    #[arg(long, value_name = "IDENTITY", value_parser = valid::<SessionName>)]
    pub source_identity: Option<SessionName>,
}

/// How to test a link.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Verification")]
pub struct ProofOptions {
    /// What to test: `bucket` creates and deletes a bucket, `identity` only opens a session (default: auto)
    ///
    /// With `auto`, bootstrap decides: `bucket`, unless the role's policies can never allow it. With `bucket`, bootstrap
    /// gives the role the policy xacct-verify in addition to its other policies.
    #[arg(long, value_name = "PROBE", env = "XACCT_PROBE")]
    pub probe: Option<Probe>,
    /// Tag the test bucket, if the organization requires tags (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub bucket_tag: Vec<Tag>,
    /// Namespace of the test bucket (default: global)
    #[arg(long, value_name = "NAMESPACE")]
    pub bucket_namespace: Option<BucketNamespace>,
    /// Fail if the role's trust policy cannot be read
    #[arg(long, env = "XACCT_REQUIRE_READ", value_parser = clap::builder::FalseyValueParser::new())]
    pub require_read: bool,
    /// Use path-style S3 URLs (automatic if the endpoint is an IP address or localhost)
    #[arg(long, env = "XACCT_S3_PATH_STYLE", value_parser = clap::builder::FalseyValueParser::new())]
    pub path_style: bool,
    /// The session. It and the user come last, because their headings apply to all options that follow.
    #[command(flatten)]
    pub session: SessionAttributes,
    /// The user.
    #[command(flatten)]
    pub user: UserOptions,
}

/// Which outcomes of a test make xacct fail.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Verification")]
pub struct FailOptions {
    /// Outcomes that make the exit code nonzero, separated by commas (default: all three)
    ///
    /// The JSON output has every outcome, whatever the exit code is. Errors always make it nonzero.
    #[arg(
        long,
        value_name = "OUTCOMES",
        value_delimiter = ',',
        default_value = "broken,open,unproven",
        hide_default_value = true
    )]
    pub fail_on: Vec<FailOn>,
}

impl FailOptions {
    /// Returns the outcomes that count as failures, as in JSON; `None` if all do.
    #[must_use]
    pub fn ids(&self) -> Option<Vec<&'static str>> {
        let counts: Vec<_> = FailOn::ALL.into_iter().filter(|outcome| self.fail_on.contains(outcome)).collect();
        (counts.len() < FailOn::ALL.len()).then(|| counts.into_iter().map(FailOn::id).collect())
    }
}

impl FailOn {
    const ALL: [Self; 3] = [Self::Broken, Self::Open, Self::Unproven];

    fn id(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Open => "open",
            Self::Unproven => "unproven",
        }
    }
}

/// A group of outcomes of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Access does not work (exit code 3)
    Broken,
    /// The role accepts a request that it must reject, or admits others (exit code 3)
    Open,
    /// Access could not be tested (exit code 5)
    Unproven,
}

/// An MFA code from the command line. It is parsed later, because clap's errors would show the code.
#[derive(Clone)]
pub struct TypedCode(String);

impl TypedCode {
    /// Returns the code.
    ///
    /// # Errors
    /// When it is not six digits. The message does not contain the code.
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

/// What verification tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Probe {
    /// Let bootstrap decide; otherwise like `bucket`
    Auto,
    /// Create a bucket and delete it
    Bucket,
    /// Open a session, and check that it is in the target account
    Identity,
}

/// The namespace of the test bucket's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BucketNamespace {
    /// Names are unique across all AWS accounts
    Global,
    /// Names are reserved for this account and Region
    AccountRegional,
}

/// How to report results.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportOptions {
    /// Format of the report
    #[arg(long, value_name = "FORMAT", default_value = "table", env = "XACCT_OUTPUT")]
    pub output: OutputFormat,
    /// Maximum number of targets to process concurrently
    ///
    /// By default 8, and more, up to 32, as long as that is faster.
    #[arg(long, value_name = "N", env = "XACCT_CONCURRENCY", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: Option<u16>,
    /// Maximum STS requests per second, 20 to 600
    ///
    /// AWS allows an account 600 requests per second in each Region, for all its users and tools together. xacct delays
    /// requests above the limit, and retries those that AWS throttles.
    #[arg(long, value_name = "N", default_value = "200", env = "XACCT_STS_RATE", value_parser = clap::value_parser!(u16).range(20..=600))]
    pub sts_rate: u16,
}

/// The format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Human-readable text
    Table,
    /// One JSON document with a `schema_version`, on stdout
    Json,
}

/// Parses a value with AWS's rules. The message names the rule and the fix.
pub(crate) fn valid<T: FromStr<Err = Invalid>>(text: &str) -> Result<T, String> {
    text.parse().map_err(explained)
}

/// Parses an account ID, also in the form that the AWS console shows.
pub(crate) fn account(text: &str) -> Result<AccountId, String> {
    AccountId::typed(text).map_err(explained)
}

fn explained(invalid: Invalid) -> String {
    format!("{}\n  hint: {}", invalid.rule, invalid.fix)
}

/// Parses a name for a new target. It becomes part of commands, profile names and file names, so it is as narrow as they
/// need; names that people write into the file may be anything.
pub(crate) fn target_name(text: &str) -> Result<String, String> {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well && text.chars().all(is_fit) && text.len() <= 64 {
        return Ok(text.to_owned());
    }
    Err("is not 1 to 64 ASCII letters, digits, `-`, `_` and `.`, beginning with a letter or digit\n  hint: use a name such as `dev`"
        .to_owned())
}

/// Parses a waiting time of at most an hour.
pub(crate) fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = crate::iam::names::parse_duration(text)
        .map_err(|rule| format!("{rule}\n  hint: use a number with a unit, such as `90s` or `2m`"))?;
    if seconds > 3600 {
        return Err("is more than an hour\n  hint: use at most `1h`".to_owned());
    }
    Ok(Duration::from_secs(seconds.into()))
}
