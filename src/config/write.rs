//! Writes links to `xacct.toml` and removes them from it, keeping its comments and order.

use std::path::PathBuf;

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use super::file::{ConfigFile, EXTERNAL_ID_ELSEWHERE, OtherRole, RecordedSource};
use super::grant::GrantSettings;
use super::link::{Link, Source, WayIn};
use super::save::save;
use crate::cli::{BucketNamespace, Probe};
use crate::error::{Error, Result};
use crate::iam::arn::PrincipalRef;
use crate::iam::names::Tag;
use edit::{add, external_id, list, set, set_unless, table};
pub use local::{other_profiles, record_local};

/// Records the source and these links. Returns whether the file changed.
///
/// The file is replaced atomically: readers see either the old or the new text.
///
/// # Errors
/// When the file cannot be written, or another program changed the source or these links.
pub fn record(file: &ConfigFile, source: &Source, links: &[&Link]) -> Result<bool> {
    let names: Vec<_> = links.iter().map(|link| link.name.as_str()).collect();
    save(file, &names, |file| text_with(file, source, links))
}

/// Returns what [`record`] adds for links that are new to the file: their sections, after those of the source in a new
/// file.
///
/// # Errors
/// Never in practice: the text is xacct's own.
pub fn preview(file: &ConfigFile, source: &Source, links: &[&Link]) -> Result<String> {
    let empty = ConfigFile { path: file.path.clone(), local: file.local.clone(), ..ConfigFile::default() };
    let text = text_with(&empty, source, links)?;
    match &file.text {
        None => Ok(text),
        Some(_) => Ok(text.find("[targets").and_then(|start| text.get(start..)).unwrap_or_default().to_owned()),
    }
}

/// Removes these targets from the file, and keeps the rest unchanged. Returns whether the file changed.
///
/// # Errors
/// When the file cannot be written, or another program changed these targets.
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

fn text_with(file: &ConfigFile, source: &Source, links: &[&Link]) -> Result<String> {
    let mut document: DocumentMut = match &file.text {
        Some(text) => text.parse().map_err(|error| Error::usage(format!("{}: {error}", file.path.display())))?,
        None => DocumentMut::new(),
    };
    if file.text.is_none() {
        document
            .decor_mut()
            .set_prefix("# Links between AWS accounts, recorded by xacct. Contains no secrets; commit it.\n\n");
    }
    let path = file.path.display().to_string();
    let section = table(document.as_table_mut(), "source", &path)?;
    // `1111-1111-1111` means the same, and stays.
    if file.source.account != source.account {
        set(section, "account", source.account.as_ref().map(|account| account.to_string().into()));
    }
    set_principals(section, source, &file.source);
    set_grant(section, &source.grant);
    if let Some(profile) = local::named(source.user_profile.as_ref()).filter(|_| has_left(source, &file.source))
        && section.contains_key("user_profile")
    {
        // It may have been that of the principal that has left.
        set(section, "user_profile", Some(profile.into()));
    }
    // Profiles are one person's: those in the files stay, and others go to `xacct.local.toml` if there is one.
    if file.local.text.is_none() {
        add(section, "profile", local::named(source.profile.as_ref()));
        add(section, "user_profile", local::named(source.user_profile.as_ref()));
    }

    let is_new = !document.contains_key("targets");
    let targets = table(document.as_table_mut(), "targets", &path)?;
    if is_new {
        targets.set_implicit(true);
    }
    // In the order of their names, so that two branches seldom add a target in the same place.
    let mut links = links.to_vec();
    links.sort_by(|a, b| a.name.cmp(&b.name));
    for link in links {
        let position = (!targets.contains_key(&link.name)).then(|| position_of_new(targets, &link.name)).flatten();
        let section = table(targets, &link.name, &path)?;
        if position.is_some() {
            section.set_position(position);
        }
        set_link(section, link, file);
    }
    Ok(written(file, &document))
}

/// Returns the text to write. The TOML library writes only LF, but a file with CRLF keeps CRLF.
fn written(file: &ConfigFile, document: &DocumentMut) -> String {
    let text = document.to_string();
    let has_crlf = file.text.as_ref().is_some_and(|text| text.contains("\r\n"));
    if has_crlf { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
}

/// Returns whether a principal of the source has lost its links to another one.
fn has_left(source: &Source, before: &RecordedSource) -> bool {
    let is_it = |principal: &PrincipalRef| source.leaving.as_ref().is_some_and(|left| left.is_same(principal));
    before.principals.iter().any(is_it) && !source.principals.iter().any(is_it)
}

/// Records one user as `user`, unless the file has a list.
fn set_principals(section: &mut Table, source: &Source, known: &RecordedSource) {
    match source.principals.as_slice() {
        principals if known.lists_principals && *principals == known.principals => {}
        [PrincipalRef::User(user)] => {
            section.remove("principals");
            set(section, "user", Some(user.to_string().into()));
        }
        principals => {
            section.remove("user");
            set(section, "principals", list(principals.iter().map(ToString::to_string)));
        }
    }
}

/// Records the settings of the grants; a default only if it was set.
fn set_grant(section: &mut Table, grant: &GrantSettings) {
    let GrantSettings { scope, set_grant, organization } = grant;
    set(section, "grant", scope.map(|scope| scope.id().into()));
    set(section, "set_grant", set_grant.map(|place| place.id().into()));
    set(section, "organization", organization.as_ref().map(|organization| organization.to_string().into()));
}

/// Returns the position of a new target: before the first one whose name comes after it, or behind all; `None` if no
/// table has a position. A new table comes after others that have its position.
fn position_of_new(targets: &Table, name: &str) -> Option<isize> {
    let later = targets.iter().filter(|(other, _)| *other > name);
    let next = later.filter_map(|(_, item)| item.as_table()?.position()).min();
    // The first heading has the comment about the file.
    next.filter(|next| *next > 0).map(|next| next - 1).or_else(|| last_position(targets))
}

fn last_position(table: &Table) -> Option<isize> {
    let nested = table.iter().flat_map(|(_, item)| match item {
        Item::Table(table) => vec![last_position(table)],
        Item::ArrayOfTables(tables) => tables.iter().map(last_position).collect(),
        _ => Vec::new(),
    });
    nested.flatten().chain(table.position()).max()
}

fn set_link(section: &mut Table, link: &Link, file: &ConfigFile) {
    let known = file.target(&link.name);
    if known.is_none_or(|known| known.account != link.account) {
        set(section, "account", Some(link.account.to_string().into()));
    }
    if !section.contains_key("profile") && !section.contains_key("enter_role") {
        match &link.way_in {
            WayIn::Profile(profile) if file.local.text.is_none() => {
                add(section, "profile", local::named(Some(profile)));
            }
            WayIn::EnterRole(role) => add(section, "enter_role", Some(role.as_str())),
            WayIn::Profile(_) | WayIn::Search => {}
        }
    }
    // Always recorded, because the file is how the next run finds the role.
    set(section, "role", Some(link.role.to_string().into()));
    set_unless(section, "role_path", link.role_path.to_string(), "/");
    let (new, old) = match &link.other_role {
        Some(OtherRole::New(new)) => (Some(new), None),
        Some(OtherRole::Old(old)) => (None, Some(old)),
        None => (None, None),
    };
    set(section, "moving_to", new.map(|role| role.to_string().into()));
    set(section, "moved_from", old.map(|role| role.to_string().into()));
    set(section, "link", link.id.as_ref().map(|id| id.to_string().into()));
    match local::keeps_external_id(section.get("external_id"), link, file) {
        true => set(section, "external_id", Some(EXTERNAL_ID_ELSEWHERE.into())),
        false => set(section, "external_id", external_id(link)),
    }
    set_unless(section, "require_mfa", link.require_mfa, false);
    set_unless(section, "restrict_to_user", link.restrict_to_user, false);
    set_unless(section, "allow_session_tags", link.allow_session_tags, false);
    let own = if link.has_own_principals { link.principals.as_slice() } else { &[] };
    if known.is_none_or(|known| known.principals != own) {
        set(section, "principals", list(own.iter().map(ToString::to_string)));
    }
    // One value has several forms, such as `60m` and `1h`: a value that means the same stays unchanged.
    if known.is_none_or(|known| known.policy_arns != link.policy_arns) {
        set(section, "policy_arns", list(link.policy_arns.iter().map(ToString::to_string)));
    }
    set(section, "policy_files", paths(&link.policy_files));
    set(section, "trust_statement_files", paths(&link.trust_statement_files));
    if known.is_none_or(|known| known.permissions_boundary != link.permissions_boundary) {
        set(
            section,
            "permissions_boundary",
            link.permissions_boundary.as_ref().map(|policy| policy.to_string().into()),
        );
    }
    if known.and_then(|known| known.max_session_duration) != Some(link.max_session_duration) {
        set_unless(section, "max_session_duration", link.max_session_duration.to_string(), "1h");
    }
    set(section, "description", link.description.as_ref().map(|text| text.to_string().into()));
    set(section, "tags", tags(&link.tags));
    set(section, "session_name", link.session_name.as_ref().map(|name| name.to_string().into()));
    set(section, "session_tags", tags(&link.session_tags));
    set(section, "source_identity", link.source_identity.as_ref().map(|identity| identity.to_string().into()));
    set(section, "region", link.region.as_ref().map(|region| region.to_string().into()));
    let probe = match link.probe {
        Probe::Auto => "auto",
        Probe::Bucket => "bucket",
        Probe::Identity => "identity",
    };
    set_unless(section, "probe", probe, "auto");
    set(section, "bucket_tags", tags(&link.bucket_tags));
    set_unless(section, "exclusive", link.exclusive, false);
    let regional = link.bucket_namespace == BucketNamespace::AccountRegional;
    set_unless(section, "bucket_namespace", if regional { "account-regional" } else { "global" }, "global");
}

fn paths(paths: &[PathBuf]) -> Option<Value> {
    list(paths.iter().map(|path| path.display().to_string()))
}

fn tags(tags: &[Tag]) -> Option<Value> {
    let table: InlineTable = tags.iter().map(|tag| (tag.key.to_string(), tag.value.to_string())).collect();
    (!table.is_empty()).then_some(Value::InlineTable(table))
}

/// Removes the section of a target. Comments above it that are about the file move to the next section.
fn take_out(document: &mut DocumentMut, name: &str) {
    let Some(targets) = document.get_mut("targets").and_then(Item::as_table_like_mut) else { return };
    let removed = targets.remove(name);
    let Some(Item::Table(removed)) = removed else { return };
    let comments = removed.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    // A comment that a blank line separates from the section is about the file.
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
            // A table without a header has no place for comments.
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

mod edit;
mod local;
#[cfg(test)]
mod tests;
