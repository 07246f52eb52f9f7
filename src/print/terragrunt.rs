//! Terragrunt's settings.
//!
//! With `iam_role`, Terragrunt itself assumes the role, for Terraform and for its own bucket. It supports neither an
//! external ID nor MFA (Terragrunt's `internal/iam/iam.go`), so a link that requires one needs a generated provider, or
//! a session that xacct opens.

use std::fmt;
use std::str::FromStr;

use super::Access;
use super::backend::numbers;
use super::text::{aligned, quoted};
use crate::error::{Error, Result};
use crate::iam::names::Region;
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

/// The state that Terragrunt keeps in the target account.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The bucket, which Terragrunt creates if it does not exist.
    pub bucket: &'a str,
    /// The bucket's Region, which Terragrunt requires.
    pub region: &'a Region,
}

/// Returns the settings with which Terragrunt assumes the role itself, also to access the state.
#[must_use]
pub fn assuming(access: &Access, names: Names, state: Option<State<'_>>) -> String {
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
    text.push_str(&state.map_or_else(String::new, |state| format!("\n{NEEDS_LOCKFILE}{}", remote_state(state, None))));
    text
}

/// Returns settings with which Terraform assumes the role: a generated provider, and the state. `warns` is whether the
/// version may send its own requests without the role.
///
/// # Errors
/// When the role's path contains a template in HCL.
pub fn generating(access: &Access, state: Option<State<'_>>, warns: bool) -> Result<String> {
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
    text.push_str(&generate(provider));
    let Some(state) = state else { return Ok(text) };
    text.push_str("\n# use_lockfile and assume_role need Terraform or OpenTofu 1.10 or later.\n");
    if warns {
        text.push_str(WITHOUT_ROLE);
    }
    text.push_str(&remote_state(state, Some(access)));
    Ok(text)
}

/// Returns settings for Terragrunt with a session of the role, which xacct opens: nothing in them assumes a role.
#[must_use]
pub fn handed_over(access: &Access, state: Option<State<'_>>) -> String {
    let mut text = format!(
        "# Contains no credentials, and assumes no role. Terragrunt gets a session of role {} from xacct:\n\
         #   TG_AUTH_PROVIDER_CMD, or xacct exec\n{}",
        access.role.name,
        generate(&provider::plain(access)),
    );
    text.push_str(&state.map_or_else(String::new, |state| format!("\n{NEEDS_LOCKFILE}{}", remote_state(state, None))));
    text
}

const NEEDS_LOCKFILE: &str = "# use_lockfile needs Terraform or OpenTofu 1.10 or later.\n";

const WITHOUT_ROLE: &str = "\
# Terragrunt 0.86.3 to 1.1.0 sends its own requests, such as those that create the bucket, without assume_role if
# AWS_ACCESS_KEY_ID is set: use AWS_PROFILE, or the settings for --auth-provider-cmd.
";

fn generate(provider: &str) -> String {
    format!(
        "generate \"provider\" {{\n  path      = \"provider.tf\"\n  if_exists = \"overwrite_terragrunt\"\n  contents  = <<EOF\n\
         {provider}EOF\n}}\n"
    )
}

/// Returns the block, with the role if Terraform is to assume it.
fn remote_state(state: State<'_>, assumed: Option<&Access>) -> String {
    let config = [
        ("bucket", quoted(state.bucket)),
        ("key", "\"${path_relative_to_include()}/terraform.tfstate\"".to_owned()),
        ("region", quoted(state.region.as_str())),
        ("encrypt", "true".to_owned()),
        ("use_lockfile", "true".to_owned()),
    ];
    let role = assumed.map_or_else(String::new, |access| {
        format!("\n    assume_role = {{\n{}    }}\n", aligned(&role(access), "      "))
    });
    format!(
        "remote_state {{\n  backend = \"s3\"\n\n  generate = {{\n    path      = \"backend.tf\"\n    \
         if_exists = \"overwrite_terragrunt\"\n  }}\n\n  config = {{\n{}{role}  }}\n}}\n",
        aligned(&config, "    "),
    )
}

/// Returns the arguments of `assume_role`.
fn role(access: &Access) -> Vec<(&'static str, String)> {
    let mut role = vec![("role_arn", quoted(&access.role.to_string()))];
    role.extend(access.external_id.as_ref().map(|id| ("external_id", quoted(id.as_str()))));
    role.extend(access.session_name.as_ref().map(|name| ("session_name", quoted(name.as_str()))));
    role.extend(access.source_identity.as_ref().map(|identity| ("source_identity", quoted(identity.as_str()))));
    if !access.session_tags.is_empty() {
        role.push(("tags", provider::tags(access, "      ")));
    }
    role.push(("duration", quoted(&access.duration.to_string())));
    role
}

#[cfg(test)]
mod tests;
