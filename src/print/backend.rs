//! The S3 backend of Terraform and OpenTofu.
//!
//! xacct prints only what a version supports: unknown arguments of the backend are errors, and unknown keys of its
//! `assume_role` are silently ignored.

use std::fmt;
use std::str::FromStr;

use super::Access;
use super::text::{aligned, quoted};
use crate::error::{Error, Result};
use crate::iam::arn::KmsKeyArn;
use crate::iam::names::Region;
use crate::print::provider::{comment, tags};
use crate::print::versions::{Argument, Tool, Versions};

/// A version of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The tool.
    pub tool: Tool,
    /// Major and minor number.
    number: (u32, u32),
}

impl Version {
    /// The default version: the first in which `use_lockfile` is not experimental.
    pub const USUAL: Self = Self { tool: Tool::Terraform, number: (1, 11) };

    /// Returns whether the backend has an argument. Those before Terraform 1.6 have the role's at the top level.
    fn has(self, argument: Argument) -> bool {
        let (major, minor) = self.number;
        Versions::only(self.tool, (major, minor, 0)).have(argument)
    }

    /// Returns whether the backend has `use_lockfile`.
    #[must_use]
    pub fn has_lockfile(self) -> bool {
        self.has(Argument::LockFile)
    }

    /// Returns the newest version that xacct supports, if this one is newer. xacct then prints the backend for that
    /// version.
    #[must_use]
    pub fn as_known(self) -> Option<Self> {
        let number = if self.tool == Tool::OpenTofu { NEWEST_OPENTOFU } else { NEWEST_TERRAFORM };
        (self.number > number).then_some(Self { number, ..self })
    }
}

/// The newest versions whose backend xacct supports.
const NEWEST_TERRAFORM: (u32, u32) = (1, 11);
const NEWEST_OPENTOFU: (u32, u32) = (1, 12);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.number;
        write!(formatter, "{} {major}.{minor}", self.tool)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (tool, number) = match text.split_once('-') {
            Some(("terraform", number)) => (Tool::Terraform, number),
            Some(("opentofu", number)) => (Tool::OpenTofu, number),
            _ => (Tool::Terraform, text),
        };
        let Some((major, minor, _)) = numbers(number) else {
            return Err(Error::usage(format!("`{}` is not a valid version", text.escape_debug()))
                .hint("use a Terraform version such as `1.11`, or an OpenTofu version such as `opentofu-1.8`"));
        };
        let version = Self { tool, number: (major, minor) };
        match tool {
            Tool::Terraform if version.number < (1, 0) => {
                Err(Error::usage(format!("{version} is too old; xacct supports Terraform 1.0 and later"))
                    .hint("use 1.0 or later"))
            }
            Tool::OpenTofu if version.number < (1, 6) => {
                Err(Error::usage(format!("{version} does not exist; the first version of OpenTofu is 1.6"))
                    .hint("use opentofu-1.6 or later"))
            }
            _ => Ok(version),
        }
    }
}

/// Returns the numbers of a version such as `1.11` or `1.11.4`.
pub(super) fn numbers(text: &str) -> Option<(u32, u32, u32)> {
    let is_number = |part: &&str| !part.is_empty() && part.len() <= 4 && part.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<_> = text.split('.').collect();
    if !parts.iter().all(is_number) {
        return None;
    }
    let parts: Vec<u32> = parts.into_iter().map(str::parse).collect::<std::result::Result<_, _>>().ok()?;
    match parts.as_slice() {
        [major, minor] => Some((*major, *minor, 0)),
        [major, minor, patch] => Some((*major, *minor, *patch)),
        _ => None,
    }
}

/// An `s3` backend that keeps its state in the target account.
#[derive(Debug, Clone)]
pub struct Backend {
    /// The version, which decides which arguments exist.
    pub version: Version,
    /// The link that the backend uses to reach the state.
    pub access: Access,
    /// The bucket's name. The bucket must exist.
    pub bucket: String,
    /// The path of the state in the bucket.
    pub key: String,
    /// The bucket's Region; the environment decides if absent.
    pub region: Option<Region>,
    /// The DynamoDB table for state locking, if the version has no lock file.
    pub lock_table: Option<String>,
    /// The key that encrypts the state; `None` for the bucket's default.
    pub kms_key: Option<KmsKeyArn>,
}

/// Checks a bucket name: 3 to 63 lower-case letters, digits, `.` and `-` (S3 User Guide, bucket naming rules).
///
/// # Errors
/// When the name is not valid.
pub fn check_bucket(name: &str) -> Result<()> {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_good = (3..=63).contains(&name.len())
        && name.chars().all(|c| is_end(c) || c == '.' || c == '-')
        && name.starts_with(is_end)
        && name.ends_with(is_end);
    if is_good {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is not a valid bucket name", name.escape_debug()))
        .hint("use 3 to 63 lower-case letters, digits, `.` and `-`"))
}

/// Checks a state key as the backend does: no `/` at either end, and no `//`.
///
/// # Errors
/// When the backend would reject the key.
pub fn check_key(key: &str) -> Result<()> {
    let is_bad = key.is_empty()
        || key.len() > 1000
        || key.starts_with('/')
        || key.ends_with('/')
        || key.contains("//")
        || key.chars().any(char::is_control);
    if !is_bad {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is not a valid state key", key.escape_debug()))
        .hint("use a path such as `network/terraform.tfstate`"))
}

/// Checks a DynamoDB table name: 3 to 255 letters, digits and `_-.` (DynamoDB Developer Guide, naming rules).
///
/// # Errors
/// When the name is not valid.
pub fn check_table(name: &str) -> Result<()> {
    if (3..=255).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is not a valid DynamoDB table name", name.escape_debug()))
        .hint("use 3 to 255 letters, digits, `_`, `-` and `.`"))
}

/// Returns the whole file.
#[must_use]
pub fn document(backend: &Backend) -> String {
    let mut text = comment(&backend.access, &backend.version.tool.to_string());
    if backend.region.is_none() {
        text.push_str("# The bucket's Region comes from AWS_REGION.\n");
    }
    if !backend.version.has_lockfile() && backend.lock_table.is_none() {
        text.push_str("# No state locking: concurrent runs can corrupt the state.\n");
    }
    let mut arguments = vec![("bucket", quoted(&backend.bucket)), ("key", quoted(&backend.key))];
    if let Some(region) = &backend.region {
        arguments.push(("region", quoted(region.as_str())));
    }
    if let Some(key) = &backend.kms_key {
        // Without `encrypt`, the backend ignores the key.
        arguments.extend([("encrypt", "true".to_owned()), ("kms_key_id", quoted(&key.to_string()))]);
    }
    if backend.version.has_lockfile() {
        arguments.push(("use_lockfile", "true".to_owned()));
    } else if let Some(table) = &backend.lock_table {
        arguments.push(("dynamodb_table", quoted(table)));
    }
    let access = &backend.access;
    let mut role = vec![("role_arn", quoted(&access.role.to_string()))];
    role.extend(access.external_id.as_ref().map(|id| ("external_id", quoted(id.as_str()))));
    role.extend(access.session_name.as_ref().map(|name| ("session_name", quoted(name.as_str()))));
    if let Some(identity) = &access.source_identity {
        if backend.version.has(Argument::SourceIdentity) {
            role.push(("source_identity", quoted(identity.as_str())));
        } else {
            text.push_str("# This version cannot set a source identity: use a role that does not require one.\n");
        }
    }
    let has_tags = !access.session_tags.is_empty();
    text.push_str("terraform {\n  backend \"s3\" {\n");
    if backend.version.has(Argument::NestedRole) {
        role.push(("duration", quoted(&access.duration.to_string())));
        role.extend(has_tags.then(|| ("tags", tags(access, "      "))));
        text.push_str(&aligned(&arguments, "    "));
        text.push_str(&format!("\n    assume_role = {{\n{}    }}\n", aligned(&role, "      ")));
    } else {
        arguments.extend(role);
        arguments.push(("assume_role_duration_seconds", access.duration.as_secs().to_string()));
        arguments.extend(has_tags.then(|| ("assume_role_tags", tags(access, "    "))));
        text.push_str(&aligned(&arguments, "    "));
    }
    text.push_str("  }\n}\n");
    text
}

#[cfg(test)]
mod tests;
