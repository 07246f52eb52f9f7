//! Selects the links that a command works on, and their source.

use std::collections::BTreeSet;

use super::file::{ConfigFile, DEFAULT_ROLE_NAME};
use super::link::{Link, Source};
use crate::cli::{Half, OperatorAccess, ProofOptions, RoleOptions};
use crate::error::{Error, Result};
use crate::iam::arn::UserRef;
use crate::iam::names::{AccountId, RoleName};

/// Returns the source for `bootstrap`.
///
/// # Errors
/// When options contradict each other.
pub fn source(
    file: &ConfigFile,
    user: Option<&UserRef>,
    access: &OperatorAccess,
    proof: &ProofOptions,
) -> Result<Source> {
    let user = user.or(file.source.user.as_ref()).cloned();
    let account = access.source_account.clone().or_else(|| file.source.account.clone());
    if let (Some(user), Some(recorded)) = (&user, &file.source.user)
        && user.name() != recorded.name()
        && !file.targets.is_empty()
    {
        let place = file.place_of_source("user").unwrap_or_default();
        return Err(Error::usage(format!(
            "{place}: the links in this file are for user `{}`, not `{}`",
            recorded.name(),
            user.name()
        ))
        .hint(format!("record the links of `{}` in another file: --config {}.toml", user.name(), user.name())));
    }
    let of_user = user.as_ref().and_then(|user| user.account().cloned());
    if let (Some(account), Some(of_user)) = (&account, &of_user)
        && account != of_user
    {
        return Err(Error::usage(format!("the user is in account {of_user}, but the source account is {account}"))
            .hint("specify a user of the source account, or change the source account"));
    }
    Ok(Source {
        account: account.or(of_user),
        user,
        profile: access.profile.clone().or_else(|| file.source.profile.clone()),
        user_profile: proof.user.user_profile.clone().or_else(|| file.source.user_profile.clone()),
        account_place: file.place_of_source("account"),
    })
}

/// Returns the links that `bootstrap` works on: those of these accounts, or all recorded ones.
///
/// # Errors
/// When there are none.
pub fn links_to_make(
    file: &ConfigFile,
    accounts: &[AccountId],
    access: &OperatorAccess,
    role: &RoleOptions,
    proof: &ProofOptions,
) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    if accounts.is_empty() {
        links = all_links(file)?;
        if let (Some(name), Some(other)) =
            (&role.role_name, links.iter().find(|link| Some(&link.role) != role.role_name.as_ref()))
        {
            return Err(Error::usage(format!(
                "target `{}` has role `{}`, and AWS cannot rename it to `{name}`",
                other.name, other.role
            ))
            .hint(format!("create a second role: --target-account {} --role-name {name}", other.account)));
        }
        if links.is_empty() {
            return Err(Error::usage(format!(
                "`{}` has no targets, and the command specifies none",
                file.path.display()
            ))
            .hint("specify the target account: xacct bootstrap --target-account ID"));
        }
    }
    for account in accounts {
        let mut known: Vec<_> = file.targets.iter().filter(|(_, record)| record.account == *account).collect();
        if let Some(name) = &role.role_name {
            known.retain(|(_, record)| {
                record.role.as_ref().map_or(DEFAULT_ROLE_NAME, RoleName::as_str) == name.as_str()
            });
        }
        match known.as_slice() {
            [] => links.push(unused_name(Link::new(account.clone())?, file)),
            known => {
                for (name, record) in known {
                    links.push(Link::from_record(name, record)?);
                }
            }
        }
    }
    let links = links.into_iter().map(|link| link.with_options(role, access).with_proof_options(proof));
    let mut seen = BTreeSet::new();
    Ok(links.filter(|link| seen.insert((link.account.clone(), link.role.clone()))).collect())
}

/// Gives a second role in one account a name that differs from the account ID.
fn unused_name(mut link: Link, file: &ConfigFile) -> Link {
    let taken = |name: &str| file.targets.iter().any(|(known, _)| known == name);
    let mut number = 2;
    while taken(&link.name) {
        link.name = format!("{}-{number}", link.account);
        number += 1;
    }
    link
}

/// Returns all recorded links; none if the file does not exist.
///
/// # Errors
/// Never in practice: the default name of a role is fixed.
pub fn all_links(file: &ConfigFile) -> Result<Vec<Link>> {
    file.targets.iter().map(|(name, record)| Link::from_record(name, record)).collect()
}

/// Returns the recorded links with these names or accounts; all of them if none is given. A name comes before an account:
/// a target may be named like the account of another.
///
/// # Errors
/// When the file has no targets, or not one with a given name.
pub fn recorded_links(file: &ConfigFile, wanted: &[String], proof: Option<&ProofOptions>) -> Result<Vec<Link>> {
    let path = file.path.display();
    if file.text.is_none() {
        return Err(Error::usage(format!("file `{path}` does not exist"))
            .hint("create a link first: xacct bootstrap --target-account ID")
            .hint("or specify the path of the file: --config FILE"));
    }
    if file.targets.is_empty() {
        return Err(Error::usage(format!("`{path}` has no targets"))
            .hint("create a link first: xacct bootstrap --target-account ID"));
    }
    let mut links = Vec::new();
    let names: BTreeSet<_> = wanted.iter().map(String::as_str).collect();
    let is_wanted = |text: &str| names.contains(text);
    for (name, record) in &file.targets {
        let account = record.account.as_str();
        if wanted.is_empty() || is_wanted(name) || (is_wanted(account) && file.target(account).is_none()) {
            let link = Link::from_record(name, record)?;
            links.push(match proof {
                Some(proof) => link.with_proof_options(proof),
                None => link,
            });
        }
    }
    let found: BTreeSet<_> = links.iter().flat_map(|link| [link.name.as_str(), link.account.as_str()]).collect();
    for text in wanted {
        if !found.contains(text.as_str()) {
            let names: Vec<_> = file.targets.iter().map(|(name, _)| format!("`{name}`")).collect();
            return Err(Error::usage(format!("`{path}` has no target `{text}`"))
                .note(format!("its targets are {}", names.join(", ")))
                .hint("use one of these targets"));
        }
    }
    Ok(links)
}

/// Returns the recorded links with these names, or all of them, and the names that are not recorded.
///
/// # Errors
/// When the file does not exist: more likely the directory is wrong than the links removed.
pub fn links_found(file: &ConfigFile, wanted: &[String], access: &OperatorAccess) -> Result<(Vec<Link>, Vec<String>)> {
    let (known, unknown): (Vec<_>, Vec<_>) = wanted.iter().cloned().partition(|text| is_on_record(file, text));
    if file.text.is_some() && (file.targets.is_empty() || (known.is_empty() && !unknown.is_empty())) {
        return Ok((Vec::new(), unknown));
    }
    let links = recorded_links(file, &known, None)?;
    Ok((links.into_iter().map(|link| link.with_access(access)).collect(), unknown))
}

fn is_on_record(file: &ConfigFile, text: &str) -> bool {
    file.targets.iter().any(|(name, record)| name == text || record.account.as_str() == text)
}

/// Returns the links in whose accounts `sweep` searches for test buckets. The accounts need not be recorded.
///
/// # Errors
/// When there are none.
pub fn links_to_sweep(file: &ConfigFile, wanted: &[String], access: &OperatorAccess) -> Result<Vec<Link>> {
    let mut accounts = Vec::new();
    let mut named = wanted.to_vec();
    named.retain(|text| match text.parse() {
        Ok(account) if !is_on_record(file, text) => {
            accounts.push(account);
            false
        }
        _ => true,
    });
    let known = if named.is_empty() && !accounts.is_empty() { Vec::new() } else { recorded_links(file, &named, None)? };
    let others = accounts.into_iter().map(Link::new).collect::<Result<Vec<_>>>()?;
    Ok(known.into_iter().chain(others).map(|link| link.with_access(access)).collect())
}

/// Returns the recorded source, with the options.
///
/// # Errors
/// When they give different accounts.
pub fn recorded_source(file: &ConfigFile, access: &OperatorAccess) -> Result<Source> {
    let recorded = Source::from(&file.source);
    if let (Some(typed), Some(known)) = (&access.source_account, &recorded.account)
        && typed != known
    {
        return Err(Error::usage(format!("the source account is {known}, not {typed}"))
            .hint("omit --source-account, or use the file for the other account: --config FILE"));
    }
    Ok(Source {
        account: recorded.account.or_else(|| access.source_account.clone()),
        profile: access.profile.clone().or(recorded.profile),
        account_place: file.place_of_source("account"),
        ..recorded
    })
}

/// Returns whether `--only` includes this half.
#[must_use]
pub fn includes(only: Option<Half>, half: Half) -> bool {
    only.is_none_or(|only| only == half)
}
