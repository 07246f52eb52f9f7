//! What the commands take that print settings for other tools.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::valid;
use crate::iam::arn::{RoleArn, UserArn};
use crate::iam::names::{MfaSerial, Region, SessionDuration, SessionName, Tag, TagKey};

/// For which links settings are printed, and where to.
#[derive(Debug, Clone, Args)]
pub struct Printed {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Write to this file; one that this command did not write is left alone
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file, whoever wrote it
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// What `xacct print-provider-hcl` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-provider-hcl > provider.tf
  xacct print-provider-hcl dev prod --version-constraint '~> 5.67'
  xacct print-provider-hcl dev --session-tag project=x --source-identity alice
  xacct print-provider-hcl dev --through arn:aws:iam::111111111111:role/ci")]
pub struct PrintProviderHcl {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// Also print required_providers with this constraint, such as '~> 5.67'
    #[arg(long, value_name = "CONSTRAINT")]
    pub version_constraint: Option<String>,
    /// Region of the provider (default: the target's in xacct.toml, else AWS_REGION)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long Terraform's sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
    /// Set this source identity
    #[arg(long, value_name = "IDENTITY", value_parser = valid::<SessionName>)]
    pub source_identity: Option<SessionName>,
    /// Tag the sessions (can be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = valid::<Tag>)]
    pub session_tag: Vec<Tag>,
    /// Let sessions that follow keep this tag (can be repeated)
    #[arg(long, value_name = "KEY", value_parser = valid::<TagKey>)]
    pub transitive_tag_key: Vec<TagKey>,
    /// Assume this role first, and with it the link's: sessions then last an hour at most
    #[arg(long, value_name = "ROLE_ARN", value_parser = valid::<RoleArn>)]
    pub through: Option<RoleArn>,
}

/// What `xacct print-profile` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-profile >> ~/.aws/config
  xacct print-profile dev --profile-name work --duration 30m
  For tools that cannot ask for an MFA code:
    xacct print-profile dev --credential-process --program /usr/local/bin/xacct")]
pub struct PrintProfile {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// Name the profile so (default: as the target)
    #[arg(long, value_name = "NAME")]
    pub profile_name: Option<String>,
    /// The profile that has the user's own credentials (default: user_profile in xacct.toml)
    #[arg(long, value_name = "NAME", env = "XACCT_USER_PROFILE", conflicts_with = "credential_process")]
    pub source_profile: Option<String>,
    /// The user's MFA device (default: the device that is called as the user is)
    #[arg(long, value_name = "ARN", value_parser = valid::<MfaSerial>, conflicts_with = "credential_process")]
    pub mfa_serial: Option<MfaSerial>,
    /// Let xacct make the session
    #[arg(long)]
    pub credential_process: bool,
    /// Where xacct is, for --credential-process (default: xacct, wherever the PATH has it)
    #[arg(long, value_name = "FILE", requires = "credential_process")]
    pub program: Option<PathBuf>,
    /// Region of the profile (default: the target's in xacct.toml)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>, conflicts_with = "credential_process")]
    pub duration: Option<SessionDuration>,
}

/// What `xacct print-backend-hcl` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-backend-hcl dev --bucket my-state > backend.tf
  xacct print-backend-hcl dev --bucket my-state --key network/terraform.tfstate \\
      --terraform-version opentofu-1.8 --lock-table locks
  What the role must be allowed to do with the bucket:
    xacct print-backend-hcl dev --bucket my-state --policy --out state.json
    xacct bootstrap --policy-file state.json --probe identity")]
pub struct PrintBackendHcl {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// The bucket that holds the state
    #[arg(long, value_name = "BUCKET")]
    pub bucket: String,
    /// The key of the state
    #[arg(long, value_name = "KEY", default_value = "terraform.tfstate")]
    pub key: String,
    /// For this version of Terraform, such as 1.9, or of OpenTofu, such as opentofu-1.8 (default: 1.11)
    #[arg(long, value_name = "VERSION")]
    pub terraform_version: Option<String>,
    /// The DynamoDB table that keeps two runs apart, for versions before 1.10
    #[arg(long, value_name = "NAME")]
    pub lock_table: Option<String>,
    /// Region of the bucket (default: the target's in xacct.toml, else AWS_REGION)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
    /// Print the least that the role must be allowed to do with the state, as a JSON policy
    #[arg(long)]
    pub policy: bool,
    /// Workspaces other than the default one, too
    #[arg(long, requires = "policy")]
    pub workspaces: bool,
}

/// What `xacct print-terragrunt-hcl` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-terragrunt-hcl dev
  xacct print-terragrunt-hcl dev --bucket my-state --out root.hcl")]
pub struct PrintTerragruntHcl {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// Name the options and variables of this version only (default: of all)
    #[arg(long, value_name = "VERSION")]
    pub terragrunt_version: Option<String>,
    /// The bucket that holds the state, where the link demands an external ID or MFA
    #[arg(long, value_name = "BUCKET")]
    pub bucket: Option<String>,
    /// Region of the provider and of the bucket (default: the target's in xacct.toml, else AWS_REGION)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
    /// How long sessions last, 15m to 12h (default: the role's limit)
    #[arg(long, value_name = "DURATION", value_parser = valid::<SessionDuration>)]
    pub duration: Option<SessionDuration>,
}

/// What `xacct print-policies` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-policies --for source-operator > operator-a.json
  xacct print-policies dev --for target-operator
  xacct print-policies --for user")]
pub struct PrintPolicies {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// For whom
    #[arg(long = "for", value_name = "WHO")]
    pub party: Party,
    /// The user's ARN, where the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>)]
    pub user_arn: Option<UserArn>,
}

/// Who takes part in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Party {
    /// Makes the grant in the source account
    SourceOperator,
    /// Makes the role in the target account
    TargetOperator,
    /// Assumes the role; this is the grant itself
    User,
}

/// What `xacct print-role-hcl` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-role-hcl --out link.tf
  terraform init
  terraform plan")]
pub struct PrintRoleHcl {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// The user's ARN, where the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>)]
    pub user_arn: Option<UserArn>,
}

/// What `xacct print-cloudformation` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-cloudformation dev --out role.yaml
  xacct print-cloudformation dev --format json")]
pub struct PrintCloudformation {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// The form of the template
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    pub format: TemplateFormat,
    /// The user's ARN, where the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>)]
    pub user_arn: Option<UserArn>,
}

/// The form of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TemplateFormat {
    /// With comments on how to roll it out
    Yaml,
    /// Without
    Json,
}

/// What `xacct print-hcp` takes.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct print-hcp dev --organization acme --workspace network
  xacct print-hcp dev --organization acme --workspace network --trust-policy --out trust.json
  xacct print-hcp dev --organization acme --workspace network --auth static")]
pub struct PrintHcp {
    /// For which links, and where to.
    #[command(flatten)]
    pub printed: Printed,
    /// The organization
    #[arg(long, value_name = "NAME")]
    pub organization: String,
    /// The workspace's project
    #[arg(long, value_name = "NAME", default_value = "Default Project")]
    pub project: String,
    /// The workspace
    #[arg(long, value_name = "NAME")]
    pub workspace: String,
    /// Where Terraform Enterprise is
    #[arg(long, value_name = "HOST", default_value = "app.terraform.io")]
    pub hostname: String,
    /// How runs get credentials
    #[arg(long, value_name = "HOW", default_value = "dynamic")]
    pub auth: HcpAuth,
    /// Print the role's trust policy with the workspace in it, as JSON
    #[arg(long)]
    pub trust_policy: bool,
    /// The user's ARN, where the user has a path (default: the user in xacct.toml)
    #[arg(long, value_name = "ARN", value_parser = valid::<UserArn>, requires = "trust_policy")]
    pub user_arn: Option<UserArn>,
    /// Region of the runs (default: the target's in xacct.toml)
    #[arg(long, value_name = "REGION", value_parser = valid::<Region>, env = "XACCT_REGION")]
    pub region: Option<Region>,
}

/// How runs get credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HcpAuth {
    /// With a token of their own, which the role must trust
    Dynamic,
    /// With keys of the user, which the workspace keeps
    Static,
}
