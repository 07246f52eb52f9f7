//! The files with policies and trust policy statements of a link.

use std::path::{Path, PathBuf};

use super::file::ConfigFile;
use crate::cli::RoleOptions;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::iam::names::PolicyName;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::OWN_POLICY_PREFIX;
use crate::iam::trust_statements;

/// Reads a policy file and names the inline policy after it: `state-bucket.json` becomes `xacct-state-bucket`.
///
/// # Errors
/// When the file cannot be read, its name is not a valid policy name, or its content is not an identity policy.
pub fn read_policy_file(base: &Path, path: &Path) -> Result<(PolicyName, PolicyDocument)> {
    let shown = path.display();
    let text = files::read(&base.join(path), files::LONGEST_TEXT)
        .map_err(|error| Error::new(Kind::File, format!("cannot read policy file `{shown}`: {error}")))?;
    let document = PolicyDocument::parse(&text).and_then(|document| document.check_sids().map(|()| document));
    let document = document.map_err(|error| Error::from(error).context(format!("policy file `{shown}`")))?;
    if let Some(number) = document.statements.iter().position(|statement| statement.principal.is_some()) {
        return Err(Error::usage(format!("policy file `{shown}`: statement {} has a principal", number + 1))
            .note("xacct itself writes the trust policy, which says who may assume the role")
            .hint("remove \"Principal\" from the statement"));
    }
    if let Some(number) = document.statements.iter().position(|statement| statement.resource.is_none()) {
        return Err(Error::usage(format!("policy file `{shown}`: statement {} has no resource", number + 1))
            .hint("add \"Resource\", such as \"*\""));
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = format!("{OWN_POLICY_PREFIX}{}", stem.strip_prefix(OWN_POLICY_PREFIX).unwrap_or(&stem));
    let name = name
        .parse()
        .map_err(|invalid| Error::from(invalid).context(format!("policy file `{shown}`")).hint("rename the file"))?;
    Ok((name, document))
}

/// Reads a file with further statements of a trust policy.
///
/// # Errors
/// When the file cannot be read, or a statement cannot be part of a trust policy that xacct writes.
pub fn read_trust_statements(base: &Path, path: &Path) -> Result<PolicyDocument> {
    let shown = path.display();
    let text = files::read(&base.join(path), files::LONGEST_TEXT)
        .map_err(|error| Error::new(Kind::File, format!("cannot read trust statement file `{shown}`: {error}")))?;
    let document = PolicyDocument::parse(&text).and_then(|document| document.check_sids().map(|()| document));
    let document = document.map_err(|error| Error::from(error).context(format!("trust statement file `{shown}`")))?;
    trust_statements::check(&document)
        .map_err(|error| Error::usage(format!("trust statement file `{shown}`: {error}")).hint(error.fix))?;
    Ok(document)
}

/// Returns the options with policy files as `xacct.toml` will record them: relative to the directory of the file, not to
/// the working directory.
#[must_use]
pub fn rebased(options: &RoleOptions, file: &ConfigFile, context: &Context) -> RoleOptions {
    let mut options = options.clone();
    if file.folder(context) != context.directory {
        let folder = file.folder(context);
        for path in options.policy_file.iter_mut().chain(&mut options.trust_statement_file) {
            *path = relative(&context.directory.join(&path), &folder);
        }
    }
    options
}

/// Returns a path relative to a directory, with `..` if they have a common prefix; otherwise unchanged.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let common = path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    if common <= 1 {
        return path.to_owned();
    }
    let up = folder.components().skip(common).map(|_| std::path::Component::ParentDir);
    up.chain(path.components().skip(common)).collect()
}
