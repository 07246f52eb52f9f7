//! Options for the session that a command opens.

use clap::Args;

use super::{UserOptions, valid};
use crate::iam::names::{SessionDuration, SessionName, Tag};
use crate::text::shell::ShellCommand;

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

impl RequestOptions {
    /// Adds these options to a command that sends the same request.
    #[must_use]
    pub fn added_to(&self, command: ShellCommand) -> ShellCommand {
        let Self { session: SessionAttributes { session_name, session_tag, source_identity }, duration } = self;
        let command = command.option_if("--session-name", session_name.as_ref());
        let command = session_tag.iter().fold(command, |command, tag| command.option("--session-tag", tag));
        command.option_if("--source-identity", source_identity.as_ref()).option_if("--duration", duration.as_ref())
    }
}

/// What a session is called and carries. xacct.toml records it for each target.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "The request")]
pub struct SessionAttributes {
    /// Role session name (default: session_name in xacct.toml, else the user's name)
    #[arg(long, value_name = "NAME", value_parser = valid::<SessionName>)]
    pub session_name: Option<SessionName>,
    /// Tag the session (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub session_tag: Vec<Tag>,
    /// Source identity of the session
    #[arg(long, value_name = "IDENTITY", value_parser = valid::<SessionName>)]
    pub source_identity: Option<SessionName>,
}
