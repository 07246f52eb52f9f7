//! Which version of a tool has which argument.
//!
//! xacct prints an argument only for versions that have it: some tools stop at unknown arguments, and others ignore them.

use std::fmt;

use crate::error::{Error, Result};

/// A tool whose settings xacct prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The AWS provider of Terraform and OpenTofu.
    AwsProvider,
    /// HashiCorp's Terraform, with its S3 backend.
    Terraform,
    /// The fork of Terraform, whose first version is 1.6.
    OpenTofu,
    /// Terragrunt.
    Terragrunt,
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::AwsProvider => "the AWS provider",
            Self::Terraform => "Terraform",
            Self::OpenTofu => "OpenTofu",
            Self::Terragrunt => "Terragrunt",
        })
    }
}

/// Major, minor and patch number of a version.
pub type Number = (u32, u32, u32);

/// An argument, or a form of one, that not every version has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// `assume_role.duration`, with a unit.
    Duration,
    /// `assume_role.duration_seconds`.
    DurationSeconds,
    /// `assume_role.tags` and `assume_role.transitive_tag_keys`.
    Tags,
    /// `assume_role.source_identity`.
    SourceIdentity,
    /// Several `assume_role` blocks, which are assumed in order.
    SeveralRoles,
    /// `assume_role = {…}` of a backend.
    NestedRole,
    /// The role's arguments at the top level of a backend.
    RoleAtTop,
    /// `use_lockfile` of a backend.
    LockFile,
    /// `assume_role` in the `config` of `remote_state`.
    RemoteStateRole,
    /// Session tags of that role.
    RemoteStateTags,
    /// The tool's own requests assume that role even if the environment has an access key.
    RemoteStateRoleWithKeys,
    /// `--auth-provider-cmd`.
    AuthProviderCmd,
    /// `--iam-assume-role…` and `TG_IAM_ASSUME_ROLE…`.
    NewNames,
    /// `--terragrunt-iam-…`.
    OldNames,
}

impl fmt::Display for Argument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Duration => "`duration`",
            Self::DurationSeconds => "`duration_seconds`",
            Self::Tags => "session tags",
            Self::SourceIdentity => "`source_identity`",
            Self::SeveralRoles => "several `assume_role` blocks",
            Self::NestedRole => "`assume_role = {…}`",
            Self::RoleAtTop => "`role_arn` at the top level",
            Self::LockFile => "`use_lockfile`",
            Self::RemoteStateRole => "`assume_role` in `remote_state`",
            Self::RemoteStateTags => "session tags in `remote_state`",
            Self::RemoteStateRoleWithKeys => "`assume_role` in `remote_state` beside AWS_ACCESS_KEY_ID",
            Self::AuthProviderCmd => "`--auth-provider-cmd`",
            Self::NewNames => "`--iam-assume-role`",
            Self::OldNames => "`--terragrunt-iam-role`",
        })
    }
}

/// The versions that have an argument.
struct Row {
    tool: Tool,
    argument: Argument,
    /// The first version that has it.
    since: Number,
    /// The first version that no longer has it.
    until: Option<Number>,
    /// Where that is written.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers, and for the test that every row has one"))]
    source: &'static str,
}

const fn row(tool: Tool, argument: Argument, since: Number, until: Option<Number>, source: &'static str) -> Row {
    Row { tool, argument, since, until, source }
}

use Argument as A;
use Tool::{AwsProvider, OpenTofu, Terraform, Terragrunt};

const PROVIDER_3: &str = "terraform-provider-aws, CHANGELOG of 3.0.0 (#14077)";
const PROVIDER_4: &str = "terraform-provider-aws, CHANGELOG of 4.0.0 (#23077); 5.0 upgrade guide";
const TERRAFORM_1_6: &str = "terraform, CHANGELOG of 1.6 (#33625) and of 1.10 (#35721)";
const KEYS_FIRST: &str =
    "terragrunt, createCredentialsFromEnv in awshelper/config.go; run with 1.0.0; CHANGELOG of 1.1.1";

/// The table.
const ROWS: &[Row] = &[
    row(AwsProvider, A::Duration, (4, 0, 0), None, PROVIDER_4),
    row(AwsProvider, A::DurationSeconds, (3, 0, 0), Some((5, 0, 0)), PROVIDER_4),
    row(AwsProvider, A::Tags, (3, 0, 0), None, PROVIDER_3),
    row(AwsProvider, A::SourceIdentity, (4, 29, 0), None, "terraform-provider-aws, CHANGELOG of 4.29.0 (#25368)"),
    row(AwsProvider, A::SeveralRoles, (5, 67, 0), None, "terraform-provider-aws, CHANGELOG of 5.67.0 (#39255)"),
    row(Terraform, A::NestedRole, (1, 6, 0), None, TERRAFORM_1_6),
    row(Terraform, A::RoleAtTop, (0, 0, 0), Some((1, 10, 0)), TERRAFORM_1_6),
    row(Terraform, A::SourceIdentity, (1, 6, 0), None, "terraform, assumeRoleSchema of the S3 backend"),
    row(Terraform, A::LockFile, (1, 10, 0), None, "terraform, CHANGELOG of 1.10"),
    row(OpenTofu, A::NestedRole, (1, 6, 0), None, "opentofu, CHANGELOG of 1.6"),
    row(OpenTofu, A::LockFile, (1, 10, 0), None, "opentofu, CHANGELOG of 1.10"),
    row(Terragrunt, A::RemoteStateRole, (0, 53, 6), Some((0, 53, 7)), "terragrunt#2798, pull request #2800"),
    // Versions in between wrote the role as text, which Terraform rejects.
    row(Terragrunt, A::RemoteStateRole, (0, 54, 6), None, "terragrunt#2813, pull request #2853"),
    row(Terragrunt, A::RemoteStateTags, (0, 75, 3), None, "terragrunt#3975, RemoteStateConfigToTerraformCode"),
    row(Terragrunt, A::RemoteStateRoleWithKeys, (0, 54, 6), Some((0, 86, 3)), KEYS_FIRST),
    row(Terragrunt, A::RemoteStateRoleWithKeys, (1, 1, 1), None, KEYS_FIRST),
    row(Terragrunt, A::AuthProviderCmd, (0, 59, 0), None, "terragrunt, cli/commands/flags.go of 0.59.0"),
    row(Terragrunt, A::NewNames, (0, 73, 0), None, "terragrunt, release notes of 0.73.0"),
    row(Terragrunt, A::OldNames, (0, 0, 0), Some((0, 85, 0)), "terragrunt, release notes of 0.85.0"),
];

fn rows(tool: Tool, argument: Argument) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.tool == tool && row.argument == argument)
}

/// Some versions of a tool, from the lowest to the one before the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    tool: Tool,
    lowest: Number,
    /// The first number above all of them; `None` if there is none.
    bound: Option<Number>,
}

impl Versions {
    /// Returns these versions; `None` if there are none.
    #[must_use]
    pub fn between(tool: Tool, lowest: Number, bound: Option<Number>) -> Option<Self> {
        bound.is_none_or(|bound| lowest < bound).then_some(Self { tool, lowest, bound })
    }

    /// Returns one version.
    #[must_use]
    pub fn only(tool: Tool, number: Number) -> Self {
        Self { tool, lowest: number, bound: Some(after(number)) }
    }

    /// Returns whether all of these versions have an argument.
    #[must_use]
    pub fn have(self, argument: Argument) -> bool {
        rows(self.tool, argument).any(|row| {
            let is_kept = row.until.is_none_or(|until| self.bound.is_some_and(|bound| bound <= until));
            row.since <= self.lowest && is_kept
        })
    }

    /// Checks that all of these versions have an argument that the settings need.
    ///
    /// # Errors
    /// When one of them lacks it. The hint names the versions that have it, and continues with `otherwise`.
    pub fn require(self, argument: Argument, otherwise: &str) -> Result<()> {
        if self.have(argument) {
            return Ok(());
        }
        let tool = self.tool;
        Err(match rows(tool, argument).last() {
            Some(row) if self.lowest < row.since => {
                let since = shown(row.since);
                Error::usage(format!("{tool} lacks {argument} before {since}"))
                    .hint(format!("use {since} or later{otherwise}"))
            }
            Some(Row { until: Some(until), .. }) => {
                let until = shown(*until);
                Error::usage(format!("{tool} {until} and later lack {argument}"))
                    .hint(format!("use versions before {until}{otherwise}"))
            }
            _ => Error::usage(format!("{tool} has no {argument}")),
        })
    }
}

/// Returns the next patch version.
#[must_use]
pub fn after((major, minor, patch): Number) -> Number {
    (major, minor, patch.saturating_add(1))
}

/// Writes a version, without a patch number of zero.
#[must_use]
pub fn shown(number: Number) -> String {
    match number {
        (major, minor, 0) => format!("{major}.{minor}"),
        (major, minor, patch) => format!("{major}.{minor}.{patch}"),
    }
}

#[cfg(test)]
mod tests;
