//! Settings for the tools that use a link: one file a tool, each a pure function from settings to text.

pub mod backend;
pub mod cloudformation;
pub mod hcp;
pub mod profile;
pub mod provider;
pub mod role_hcl;
pub mod terragrunt;
mod text;

use crate::iam::arn::RoleArn;
use crate::iam::names::{ExternalId, Region, SessionDuration, SessionName, UserName};

/// What every tool is told of a link.
#[derive(Debug, Clone)]
pub struct Access {
    /// The target's name in `xacct.toml`.
    pub target: String,
    /// The role in the target account that the tool assumes.
    pub role: RoleArn,
    /// The region; left to the tool's own settings if absent.
    pub region: Option<Region>,
    /// The external ID that the role demands.
    pub external_id: Option<ExternalId>,
    /// Whether the role demands MFA.
    pub needs_mfa: bool,
    /// The role session name; left to the tool if absent.
    pub session_name: Option<SessionName>,
    /// How long sessions last. Always written out: Terraform asks for 15 minutes otherwise.
    pub duration: SessionDuration,
    /// Where the user's credentials are.
    pub profile: Option<String>,
    /// Whose credentials are needed.
    pub user: Option<UserName>,
}
