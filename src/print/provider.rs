//! Terraform provider blocks, formatted like the output of `terraform fmt`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::iam::arn::RoleArn;
use crate::iam::names::TagKey;
use crate::print::Access;
use crate::print::text::{aligned, expression, quoted};
use crate::print::versions::{Argument, Number, Tool, Versions, after};
use crate::text::shell::ShellCommand;

/// One `provider "aws"` block.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The alias, if there are several providers.
    pub alias: Option<String>,
    /// The link that it uses.
    pub access: Access,
    /// Settings that the link does not have.
    pub extras: Extras,
}

/// Settings of the provider that a link does not have.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// Keys of the session tags that chained sessions inherit.
    pub transitive_tag_keys: Vec<TagKey>,
    /// A role to assume before the link's role. Requires version 5.67 of the provider or later.
    pub through: Option<RoleArn>,
    /// Whether the duration is in `duration_seconds`, as before version 4 of the provider.
    pub duration_in_seconds: bool,
}

impl Provider {
    /// Returns the block as these versions of the AWS provider read it.
    ///
    /// # Errors
    /// When one of them lacks an argument that the link needs.
    pub fn for_versions(mut self, versions: Versions) -> Result<Self> {
        if self.extras.through.is_some() {
            versions.require(Argument::SeveralRoles, ", or omit --through")?;
        }
        if !self.access.session_tags.is_empty() || !self.extras.transitive_tag_keys.is_empty() {
            versions.require(Argument::Tags, "")?;
        }
        if self.access.source_identity.is_some() {
            versions.require(Argument::SourceIdentity, "")?;
        }
        if !versions.have(Argument::Duration) {
            versions.require(Argument::DurationSeconds, ", or 4.0 and later, which have `duration`")?;
            self.extras.duration_in_seconds = true;
        }
        Ok(self)
    }
}

/// A version constraint that is safe to print, such as `~> 5.67`.
#[derive(Debug, Clone, Copy)]
pub struct VersionConstraint<'a> {
    text: &'a str,
    /// The versions of the AWS provider that it admits.
    pub versions: Versions,
}

/// Checks a Terraform version constraint.
///
/// # Errors
/// When it is not a list of operators and versions, or admits no version.
pub fn check_version_constraint(text: &str) -> Result<VersionConstraint<'_>> {
    let mut lowest = (0, 0, 0);
    let mut bound: Option<Number> = None;
    for part in text.split(',') {
        let Some((low, high)) = admitted(part.trim_matches(' ')) else {
            return Err(Error::usage(format!("`{text}` is not a Terraform version constraint"))
                .hint("use operators and versions, such as `~> 5.67` or `>= 5.67, < 7`"));
        };
        lowest = lowest.max(low);
        bound = [bound, high].into_iter().flatten().min();
    }
    match Versions::between(Tool::AwsProvider, lowest, bound) {
        Some(versions) => Ok(VersionConstraint { text, versions }),
        None => Err(Error::usage(format!("no version meets the constraint `{text}`"))
            .hint("use a constraint that versions meet, such as `>= 5.67, < 7`")),
    }
}

/// Returns the lowest version that a part of a constraint admits, and the first one above all of them.
fn admitted(part: &str) -> Option<(Number, Option<Number>)> {
    let operators = ["~>", ">=", "<=", "!=", "=", ">", "<"];
    let operator = operators.into_iter().find(|operator| part.starts_with(operator)).unwrap_or_default();
    let version = part.strip_prefix(operator)?.trim_matches(' ');
    let (numbers, suffix) = version.split_once('-').unwrap_or((version, "x"));
    let is_suffix = !suffix.is_empty() && suffix.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    let is_number = |number: &&str| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<_> = numbers.split('.').collect();
    if !is_suffix || !parts.iter().all(is_number) {
        return None;
    }
    // Digits can fail to parse only by their size.
    let parts: Vec<u32> = parts.into_iter().map(|part| part.parse().unwrap_or(u32::MAX)).collect();
    let (number, next) = match parts.as_slice() {
        // Of `~> 3`, Terraform keeps the major number, as of `~> 3.0` (go-versions, `MeetingConstraintsExact`).
        [major] => ((*major, 0, 0), Some((major.saturating_add(1), 0, 0))),
        [major, minor] => ((*major, *minor, 0), Some((major.saturating_add(1), 0, 0))),
        [major, minor, patch] => ((*major, *minor, *patch), Some((*major, minor.saturating_add(1), 0))),
        _ => return None,
    };
    Some(match operator {
        "~>" => (number, next),
        ">=" => (number, None),
        ">" => (after(number), None),
        "<=" => ((0, 0, 0), Some(after(number))),
        "<" => ((0, 0, 0), Some(number)),
        // One version less changes nothing about the others.
        "!=" => ((0, 0, 0), None),
        _ => (number, Some(after(number))),
    })
}

/// Returns a unique HCL identifier for the `alias` of each name.
pub fn aliases<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut used, mut numbers) = (BTreeSet::new(), BTreeMap::new());
    names
        .map(|name| {
            let mut alias: String =
                name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect();
            if !alias.starts_with(|c: char| c.is_ascii_alphabetic()) {
                alias.insert_str(0, "account_");
            }
            let base = alias.clone();
            // Goes on where the last name that became this one ended: all of them may become the same.
            let number = numbers.entry(base.clone()).or_insert(2);
            while !used.insert(alias.clone()) {
                alias = format!("{base}_{number}");
                *number += 1;
            }
            alias
        })
        .collect()
}

/// Returns the whole file.
#[must_use]
pub fn document(providers: &[Provider], constraint: Option<VersionConstraint<'_>>) -> String {
    let mut blocks = Vec::new();
    if let Some(VersionConstraint { text: constraint, .. }) = constraint {
        blocks.push(format!(
            "terraform {{\n  required_providers {{\n    aws = {{\n      source  = \"hashicorp/aws\"\n      version = {}\n    }}\n  }}\n}}\n",
            quoted(constraint)
        ));
    }
    blocks.extend(providers.iter().map(block));
    blocks.join("\n")
}

/// Returns the block, after a comment on credentials.
pub(super) fn block(provider: &Provider) -> String {
    let access = &provider.access;
    let mut text = comment(access, "Terraform");
    text.push_str("provider \"aws\" {\n");
    let alias = provider.alias.as_ref().map(|alias| ("alias", quoted(alias)));
    let arguments: Vec<_> = alias.into_iter().chain(place(access)).collect();
    text.push_str(&aligned(&arguments, "  "));
    let name = access.session_name.as_ref().map(|name| ("session_name", quoted(name.as_str())));
    let extras = &provider.extras;
    let duration = if extras.duration_in_seconds {
        ("duration_seconds", access.duration.as_secs().to_string())
    } else {
        ("duration", quoted(&access.duration.to_string()))
    };
    if let Some(first) = &extras.through {
        let mut arguments = vec![("role_arn", quoted(&first.to_string()))];
        arguments.extend(name.clone());
        arguments.push(duration.clone());
        text.push_str(&format!(
            "\n  # The provider assumes these roles in order, which needs provider version 5.67 or later.\n  assume_role {{\n{}  }}\n",
            aligned(&arguments, "    ")
        ));
    }
    let mut arguments = vec![("role_arn", quoted(&access.role.to_string()))];
    if let Some(id) = &access.external_id {
        arguments.push(("external_id", quoted(id.as_str())));
    }
    arguments.extend(name);
    arguments.push(duration);
    if let Some(identity) = &access.source_identity {
        arguments.push(("source_identity", quoted(identity.as_str())));
    }
    if !access.session_tags.is_empty() {
        arguments.push(("tags", tags(access, "    ")));
    }
    if !extras.transitive_tag_keys.is_empty() {
        let keys = extras.transitive_tag_keys.iter().map(TagKey::as_str).collect();
        arguments.push(("transitive_tag_keys", expression(&keys, "    ")));
    }
    text.push_str(&format!("\n  assume_role {{\n{}", aligned(&arguments, "    ")));
    text.push_str("  }\n}\n");
    text
}

/// Returns the block for a tool that has a session of the role already.
pub(super) fn plain(access: &Access) -> String {
    format!("provider \"aws\" {{\n{}}}\n", aligned(&place(access), "  "))
}

/// Returns the arguments that say where the provider works.
fn place(access: &Access) -> Vec<(&'static str, String)> {
    let region = access.region.as_ref().map(|region| ("region", quoted(region.as_str())));
    // As a safeguard, Terraform stops if the session is in another account.
    let accounts = ("allowed_account_ids", format!("[{}]", quoted(access.role.account.as_str())));
    region.into_iter().chain([accounts]).collect()
}

/// Returns the session tags as a map.
pub(super) fn tags(access: &Access, indent: &str) -> String {
    let tags = access.session_tags.iter().map(|tag| (tag.key.to_string(), Value::from(tag.value.as_str())));
    expression(&Value::Object(tags.collect()), indent)
}

/// Returns a comment that says where the tool finds the credentials.
pub(super) fn comment(access: &Access, tool: &str) -> String {
    let whose = access.owner();
    if access.needs_mfa {
        return format!(
            "# Contains no credentials. The role requires MFA: {tool} needs an MFA session of {whose} in\n\
             #   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN\n"
        );
    }
    let how = match &access.profile {
        Some(profile) => ShellCommand::new("export").arg(format!("AWS_PROFILE={profile}")).to_string(),
        None => "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
    };
    format!("# Contains no credentials. {tool} gets the credentials of {whose} from the environment:\n#   {how}\n")
}

#[cfg(test)]
mod tests;
