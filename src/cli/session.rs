//! Options for the session that a command opens.

use clap::Args;

use super::{SessionAttributes, UserOptions, valid};
use crate::iam::names::SessionDuration;

/// The session to open.
#[derive(Debug, Clone, Args)]
pub struct SessionOptions {
    /// AWS profile used if no user profile is set
    #[arg(long, value_name = "NAME", env = "XACCT_PROFILE", help_heading = "Credentials")]
    pub profile: Option<String>,
    /// Cache the role's session too
    #[arg(long, help_heading = "Credentials")]
    pub cache: bool,
    /// The user.
    #[command(flatten)]
    pub user: UserOptions,
    /// The AssumeRole request.
    #[command(flatten)]
    pub request: RequestOptions,
}

/// Optional parameters of the AssumeRole request.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The request")]
pub struct RequestOptions {
    /// Name, tags and source identity.
    #[command(flatten)]
    pub session: SessionAttributes,
    /// Session duration, 15m to 12h (default: the role's limit; diagnose: 1h)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
}
