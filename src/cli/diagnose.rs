//! What `xacct diagnose` takes.

use std::path::PathBuf;

use clap::Args;

use super::{ReportOptions, UserOptions, valid};
use crate::iam::names::{SessionDuration, SessionName, Tag};

/// What `xacct diagnose` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct diagnose
  xacct diagnose dev --user-profile alice
  Why a tool that asks for more is refused:
    xacct diagnose dev --duration 4h --session-tag project=x
  A bug report that anybody can replay:
    xacct diagnose dev --save-facts facts.json --redact
    xacct diagnose --facts facts.json")]
pub struct Diagnose {
    /// The target, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET", conflicts_with = "facts")]
    pub target: Option<String>,
    /// Judge what was saved in this file; asks AWS nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["save_facts", "user_profile", "mfa_code", "profile", "target_profile"])]
    pub facts: Option<PathBuf>,
    /// Write all that was learned to this file; there is no secret in it
    #[arg(long, value_name = "FILE")]
    pub save_facts: Option<PathBuf>,
    /// Put other numbers in the place of account numbers in that file
    #[arg(long, requires = "save_facts")]
    pub redact: bool,
    /// AWS profile of the operator in the source account (default: the file's, else the usual credential chain)
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE", help_heading = "Credentials")]
    pub profile: Option<String>,
    /// AWS profile of the operator in the target account (default: the file's)
    #[arg(long, value_name = "NAME", env = "XACCT_TARGET_PROFILE", help_heading = "Credentials")]
    pub target_profile: Option<String>,
    /// As whom, where and with what.
    #[command(flatten)]
    pub user: UserOptions,
    /// What the request has besides.
    #[command(flatten)]
    pub request: RequestOptions,
    /// How to report.
    #[command(flatten)]
    pub report: ReportOptions,
}

/// What an AssumeRole request of another tool has besides what the link demands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The request")]
pub struct RequestOptions {
    /// Name the session so (default: after the user)
    #[arg(long, value_name = "NAME", value_parser = valid::<SessionName>)]
    pub session_name: Option<SessionName>,
    /// Ask for a session of this length, 15m to 12h (default: AWS's, 1h)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
    /// Tag the session (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub session_tag: Vec<Tag>,
    /// Set this source identity
    #[arg(long, value_name = "IDENTITY", value_parser = valid::<SessionName>)]
    pub source_identity: Option<SessionName>,
}
