//! Settings for tools that use a link. Each tool has one file, with a pure function from settings to text.

pub mod audit_query;
pub mod backend;
pub mod cloudformation;
pub mod hcp;
pub mod permission_set_hcl;
pub mod profile;
pub mod provider;
pub mod role_hcl;
pub mod terragrunt;
mod text;
pub mod versions;

use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::iam::names::{ExternalId, Region, SessionDuration, SessionName, Tag};

/// The data about a link that every tool needs.
#[derive(Debug, Clone)]
pub struct Access {
    /// The target's name in `xacct.toml`.
    pub target: String,
    /// The role in the target account that the tool assumes.
    pub role: RoleArn,
    /// The Region; the tool's own settings decide if absent.
    pub region: Option<Region>,
    /// The external ID that the role requires.
    pub external_id: Option<ExternalId>,
    /// Whether the role requires MFA.
    pub needs_mfa: bool,
    /// The role session name; the tool chooses one if absent.
    pub session_name: Option<SessionName>,
    /// Session tags, which the trust policy must allow.
    pub session_tags: Vec<Tag>,
    /// The source identity, which chained sessions inherit, and which the trust policy must allow.
    pub source_identity: Option<SessionName>,
    /// How long sessions last. Always printed, because Terraform's default is 15 minutes.
    pub duration: SessionDuration,
    /// The AWS profile with the user's credentials.
    pub profile: Option<String>,
    /// The principals of the link whose credentials the tool may have; empty if nobody knows.
    pub principals: Vec<PrincipalRef>,
}

impl Access {
    /// Names the owner of the credentials, for a comment: user alice, role ci/terraform.
    #[must_use]
    pub fn owner(&self) -> String {
        let owners: Vec<_> = self.principals.iter().map(|it| it.owner_in_words().replace('`', "")).collect();
        if owners.is_empty() { "the user".to_owned() } else { owners.join(" or ") }
    }
}
