//! Links on record that are to go, and taking them out of `xacct.toml`.

use toml_edit::{DocumentMut, Item, Table};

use super::{ConfigFile, Link, Source, recorded_links};
use crate::cli::OperatorAccess;
use crate::config::write::{save, written};
use crate::error::{Error, Result};

/// The links on record that were named, or all of them, and the names that are not on record (any more).
///
/// # Errors
/// When there is no file: that is more likely the wrong folder than a link that is gone.
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

/// The links in whose accounts test buckets are looked for: an account need not be on record any more.
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

/// The source on record, with what was typed.
///
/// # Errors
/// When two of them are of different accounts.
pub fn recorded_source(file: &ConfigFile, access: &OperatorAccess) -> Result<Source> {
    let recorded = Source::from(&file.source);
    if let (Some(typed), Some(known)) = (&access.source_account, &recorded.account)
        && typed != known
    {
        return Err(Error::usage(format!("the source account is {known}, not {typed}"))
            .hint("leave out --source-account, or name the file of the other links: --config FILE"));
    }
    Ok(Source {
        account: recorded.account.or_else(|| access.source_account.clone()),
        profile: access.profile.clone().or(recorded.profile),
        account_place: file.place_of_source("account"),
        ..recorded
    })
}

/// Takes these targets out of the file, and leaves the rest of it as it is; returns whether it had to change.
///
/// # Errors
/// When the file cannot be written, or someone else changed what it says of these targets.
pub fn forget(file: &ConfigFile, names: &[&str]) -> Result<bool> {
    save(file, names, |file| {
        let text = file.text.as_deref().unwrap_or_default();
        let mut document: DocumentMut =
            text.parse().map_err(|error| Error::usage(format!("{}: {error}", file.path.display())))?;
        for name in names {
            take_out(&mut document, name);
        }
        Ok(written(file, &document))
    })
}

fn take_out(document: &mut DocumentMut, name: &str) {
    let Some(targets) = document.get_mut("targets").and_then(Item::as_table_like_mut) else { return };
    let removed = targets.remove(name);
    let Some(Item::Table(removed)) = removed else { return };
    let comments = removed.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    // A comment that a blank line parts from the section is about the file.
    let Some((kept, _)) = comments.rsplit_once("\n\n").filter(|(kept, _)| kept.contains('#')) else { return };
    let position = removed.position();
    let mut next = None;
    positions(document.as_table(), &mut |found| {
        if Some(found) > position && next.is_none_or(|next| found < next) {
            next = Some(found);
        }
    });
    match next.and_then(|next| at(document.as_table_mut(), next)) {
        Some(next) => {
            let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
            let prefix = format!("{kept}\n\n{}", own.trim_start_matches('\n'));
            next.decor_mut().set_prefix(prefix);
        }
        None => {
            let trailing = format!("{kept}\n{}", document.trailing().as_str().unwrap_or_default());
            document.set_trailing(trailing);
        }
    }
}

fn positions(table: &Table, see: &mut impl FnMut(isize)) {
    for (_, item) in table {
        if let Item::Table(table) = item {
            // One without a header of its own shows no comments.
            if let Some(position) = table.position().filter(|_| !table.is_implicit() && !table.is_dotted()) {
                see(position);
            }
            positions(table, see);
        }
    }
}

fn at(table: &mut Table, position: isize) -> Option<&mut Table> {
    for (_, item) in table.iter_mut() {
        if let Item::Table(table) = item {
            if table.position() == Some(position) && !table.is_implicit() {
                return Some(table);
            }
            if let Some(found) = at(table, position) {
                return Some(found);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
