//! What the commands take that remove something.

use std::time::Duration;

use clap::Args;

use super::{ChangeOptions, Half, OperatorAccess, ReportOptions, TypedCode, UserOptions, timeout};

/// What `xacct teardown` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct teardown dev
  See what would go:
    xacct teardown --dry-run
  Remove every link on record, without a question:
    xacct teardown --yes
  Remove only the half in the source account:
    xacct teardown dev --only source

xacct verify and xacct bootstrap use the role, too: after them, --even-if-used is
needed for two days.")]
pub struct Teardown {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Remove one half only; xacct.toml keeps the target
    #[arg(long, value_name = "HALF")]
    pub only: Option<Half>,
    /// Remove a role that was used within the last two days
    #[arg(long)]
    pub even_if_used: bool,
    /// Remove a role with policies or a boundary that xacct.toml does not name
    #[arg(long)]
    pub even_if_extended: bool,
    /// What is to be done with the changes.
    #[command(flatten)]
    pub changes: ChangeOptions,
    /// How long to wait for AWS to show that all is gone
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "2m", env = "XACCT_TIMEOUT")]
    pub timeout: Duration,
    /// Where the credentials are.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// How an operator passes MFA.
    #[command(flatten)]
    pub code: CodeOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// What `xacct sweep` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct sweep
  xacct sweep dev --older-than 24h
  An account that is not on record (any more):
    xacct sweep 222222222222 --target-profile dev-admin")]
pub struct Sweep {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Leave buckets that are younger: they may be of a run under way
    #[arg(long, value_name = "DURATION", value_parser = age, default_value = "1h")]
    pub older_than: Duration,
    /// Show the buckets and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Delete without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Address buckets by path; done by itself for endpoints that are an IP address or localhost
    #[arg(long, env = "XACCT_S3_PATH_STYLE", value_parser = clap::builder::FalseyValueParser::new())]
    pub path_style: bool,
    /// Where the credentials are.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// How an operator passes MFA.
    #[command(flatten)]
    pub code: CodeOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// How an operator passes MFA, whose profile has an `mfa_serial`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Credentials")]
pub struct CodeOptions {
    /// The six digits that the operator's MFA device shows, where the profile has an mfa_serial
    #[arg(long, value_name = "CODE", env = "XACCT_MFA_CODE", hide_env_values = true)]
    pub mfa_code: Option<TypedCode>,
    /// Keep no session, and use none that is kept
    #[arg(long, env = "XACCT_NO_CACHE", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_cache: bool,
}

impl From<&CodeOptions> for UserOptions {
    fn from(options: &CodeOptions) -> Self {
        let CodeOptions { mfa_code, no_cache } = options.clone();
        Self { user_profile: None, region: None, mfa_code, mfa_session_duration: None, no_cache }
    }
}

fn age(text: &str) -> Result<Duration, String> {
    let seconds = crate::iam::names::parse_duration(text)
        .map_err(|rule| format!("{rule}\n  hint: write it with units, such as `30m` or `24h`"))?;
    Ok(Duration::from_secs(seconds.into()))
}
