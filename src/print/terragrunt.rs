//! Terragrunt's settings.
//!
//! With `iam_role`, Terragrunt itself assumes the role, for Terraform and for its own bucket. It supports neither an
//! external ID nor MFA (Terragrunt's `internal/iam/iam.go`), so a link that requires one needs a generated provider.

use std::fmt;
use std::str::FromStr;

use super::Access;
use super::backend::numbers;
use super::text::{aligned, quoted};
use crate::error::{Error, Result};
use crate::print::provider::{self, Provider};
use crate::print::versions::{Argument, Tool, Versions};

/// The names that Terragrunt has for its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The version is unknown: xacct prints both.
    Both,
    /// `--terragrunt-…`, up to 0.72.
    Old,
    /// Both, from 0.73 to 0.84.
    OldAndNew,
    /// `--iam-assume-role`, from 0.85 on; the old variables still work.
    New,
}

/// A version of Terragrunt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    numbers: (u32, u32, u32),
}

/// The newest minor version that xacct supports.
const NEWEST: (u32, u32) = (1, 1);

impl Version {
    /// Returns the version as the table of versions knows it.
    #[must_use]
    pub fn versions(self) -> Versions {
        Versions::only(Tool::Terragrunt, self.numbers)
    }

    /// Returns the names that the version has.
    #[must_use]
    pub fn names(self) -> Names {
        match (self.versions().have(Argument::OldNames), self.versions().have(Argument::NewNames)) {
            (true, false) => Names::Old,
            (true, true) => Names::OldAndNew,
            (false, _) => Names::New,
        }
    }

    /// Returns the newest version that xacct supports, if this one is newer. xacct then prints for that version.
    #[must_use]
    pub fn as_known(self) -> Option<Self> {
        let (major, minor, _) = self.numbers;
        ((major, minor) > NEWEST).then_some(Self { numbers: (NEWEST.0, NEWEST.1, 0) })
    }

    /// Returns whether the version has the bug that a role tries to assume itself (Terragrunt's changelog, 1.1.2).
    #[must_use]
    pub fn has_a_role_assume_itself(self) -> bool {
        self.numbers == (1, 1, 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, _) = self.numbers;
        write!(formatter, "Terragrunt {major}.{minor}")
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match numbers(text) {
            Some(numbers) if numbers >= (0, 50, 0) => Ok(Self { numbers }),
            Some(_) => Err(Error::usage(format!("Terragrunt {text} is too old; xacct supports 0.50 and later"))
                .hint("use 0.50 or later")),
            None => Err(Error::usage(format!("`{}` is not a valid version", text.escape_debug()))
                .hint("use a Terragrunt version such as `0.84` or `1.1.2`")),
        }
    }
}

const NEW_NAMES: [&str; 3] = [
    "--iam-assume-role, TG_IAM_ASSUME_ROLE",
    "--iam-assume-role-duration, TG_IAM_ASSUME_ROLE_DURATION",
    "--iam-assume-role-session-name, TG_IAM_ASSUME_ROLE_SESSION_NAME",
];

const OLD_NAMES: [&str; 3] = [
    "--terragrunt-iam-role, TERRAGRUNT_IAM_ROLE",
    "--terragrunt-iam-assume-role-duration, TERRAGRUNT_IAM_ASSUME_ROLE_DURATION",
    "--terragrunt-iam-assume-role-session-name,\n#     TERRAGRUNT_IAM_ASSUME_ROLE_SESSION_NAME",
];

/// Returns whether Terragrunt can assume the role itself, with `iam_role`.
#[must_use]
pub fn can_assume(access: &Access) -> bool {
    access.external_id.is_none()
        && !access.needs_mfa
        && access.session_tags.is_empty()
        && access.source_identity.is_none()
}

/// Returns the settings with which Terragrunt assumes the role itself.
#[must_use]
pub fn assuming(access: &Access, names: Names) -> String {
    let mut text = provider::comment(access, "Terragrunt");
    text.push_str(
        "# Don't use assume_role in providers or remote_state: a role cannot assume itself.\n\
         # These options and variables override the settings below:\n",
    );
    let told = [(names != Names::Old, NEW_NAMES), (names != Names::New, OLD_NAMES)];
    for name in told.into_iter().filter(|(wanted, _)| *wanted).flat_map(|(_, names)| names) {
        text.push_str(&format!("#   {name}\n"));
    }
    text.push_str(match names {
        Names::New => "# Variables that begin with TERRAGRUNT_ are deprecated, but still work.\n",
        Names::Both => {
            "# Terragrunt 0.73 added the new names, and 0.85 removed options that begin with --terragrunt-.\n"
        }
        Names::Old | Names::OldAndNew => "",
    });
    let mut arguments = vec![
        ("iam_role", quoted(&access.role.to_string())),
        ("iam_assume_role_duration", access.duration.as_secs().to_string()),
    ];
    if let Some(name) = &access.session_name {
        arguments.push(("iam_assume_role_session_name", quoted(name.as_str())));
    }
    text.push_str(&aligned(&arguments, ""));
    text
}

/// Returns settings with which Terraform assumes the role: a generated provider, and the state if a bucket is given.
///
/// # Errors
/// When the role's path contains a template in HCL.
pub fn generating(access: &Access, bucket: Option<&str>) -> Result<String> {
    let role = access.role.to_string();
    if role.contains("${") || role.contains("%{") {
        return Err(Error::usage(format!(
            "role `{role}` contains `${{` or `%{{`, which begin a template in Terragrunt"
        ))
        .hint("use a role path of letters, digits and `/`"));
    }
    let provider =
        provider::block(&Provider { alias: None, access: access.clone(), extras: provider::Extras::default() });
    // The comment on credentials goes above the heredoc, where people see it.
    let (comment, provider) = provider.split_at(provider.find("provider ").unwrap_or_default());
    let mut text = comment.replace("Terraform", "Terragrunt");
    text.push_str(&format!(
        "generate \"provider\" {{\n  path      = \"provider.tf\"\n  if_exists = \"overwrite_terragrunt\"\n  contents  = <<EOF\n\
         {provider}EOF\n}}\n"
    ));
    let Some(bucket) = bucket else { return Ok(text) };
    let mut config =
        vec![("bucket", quoted(bucket)), ("key", "\"${path_relative_to_include()}/terraform.tfstate\"".to_owned())];
    if let Some(region) = &access.region {
        config.push(("region", quoted(region.as_str())));
    }
    config.push(("encrypt", "true".to_owned()));
    config.push(("use_lockfile", "true".to_owned()));
    let mut role = vec![("role_arn", quoted(&role))];
    if let Some(id) = &access.external_id {
        role.push(("external_id", quoted(id.as_str())));
    }
    if let Some(name) = &access.session_name {
        role.push(("session_name", quoted(name.as_str())));
    }
    if let Some(identity) = &access.source_identity {
        role.push(("source_identity", quoted(identity.as_str())));
    }
    if !access.session_tags.is_empty() {
        role.push(("tags", provider::tags(access, "      ")));
    }
    role.push(("duration", quoted(&access.duration.to_string())));
    text.push_str(&format!(
        "\n# use_lockfile and assume_role need Terraform or OpenTofu 1.10 or later.\nremote_state {{\n  backend = \"s3\"\n\n  \
         generate = {{\n    path      = \"backend.tf\"\n    if_exists = \"overwrite_terragrunt\"\n  }}\n\n  config = {{\n{}\n    \
         assume_role = {{\n{}    }}\n  }}\n}}\n",
        aligned(&config, "    "),
        aligned(&role, "      "),
    ));
    Ok(text)
}

#[cfg(test)]
mod tests;
