//! Writes links to `xacct.toml` and removes them from it, keeping its comments and order.

use std::path::PathBuf;

use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value, value};

use super::file::{ConfigFile, OtherRole, Recorded};
use super::link::{Link, Source, WayIn};
use super::save::save;
use crate::cli::{BucketNamespace, Probe};
use crate::environment;
use crate::error::{Error, Result};
use crate::iam::names::Tag;

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
    let empty = ConfigFile { path: file.path.clone(), ..ConfigFile::default() };
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
    set(section, "user", source.user.as_ref().map(|user| user.to_string().into()));
    let named = |profile: &Option<String>| profile.clone().filter(|name| name != environment::PROFILE);
    set_if_given(section, "profile", named(&source.profile).as_deref());
    set_if_given(section, "user_profile", named(&source.user_profile).as_deref());

    let is_new = !document.contains_key("targets");
    let targets = table(document.as_table_mut(), "targets", &path)?;
    if is_new {
        targets.set_implicit(true);
    }
    for link in links {
        set_link(table(targets, &link.name, &path)?, link, file.target(&link.name));
    }
    Ok(written(file, &document))
}

/// Returns the text to write. The TOML library writes only LF, but a file with CRLF keeps CRLF.
fn written(file: &ConfigFile, document: &DocumentMut) -> String {
    let text = document.to_string();
    let has_crlf = file.text.as_ref().is_some_and(|text| text.contains("\r\n"));
    if has_crlf { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
}

fn set_link(section: &mut Table, link: &Link, known: Option<&Recorded>) {
    if known.is_none_or(|known| known.account != link.account) {
        set(section, "account", Some(link.account.to_string().into()));
    }
    match &link.way_in {
        // The environment of this run says nothing about the next one.
        WayIn::Profile(profile) if profile == environment::PROFILE => {}
        WayIn::Profile(profile) => {
            set(section, "profile", Some(profile.as_str().into()));
            section.remove("enter_role");
        }
        WayIn::EnterRole(role) => {
            set(section, "enter_role", Some(role.to_string().into()));
            section.remove("profile");
        }
        WayIn::Search => {}
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
    set(section, "external_id", external_id(link));
    set_unless(section, "require_mfa", link.require_mfa, false);
    set_unless(section, "restrict_to_user", link.restrict_to_user, false);
    set_unless(section, "allow_session_tags", link.allow_session_tags, false);
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

fn table<'a>(parent: &'a mut Table, key: &str, path: &str) -> Result<&'a mut Table> {
    let item = parent.entry(key).or_insert_with(|| Item::Table(Table::new()));
    if let Some(inline) = item.as_inline_table() {
        *item = Item::Table(section(inline));
    }
    item.as_table_mut().ok_or_else(|| Error::usage(format!("{path}: `{key}` must be a table")))
}

/// Converts an inline table to a section. A comment in the inline table moves above the next setting.
fn section(inline: &InlineTable) -> Table {
    let mut section = inline.clone().into_table();
    if let Some(suffix) = inline.decor().suffix() {
        section.decor_mut().set_suffix(suffix.clone());
    }
    let mut before = String::new();
    for (key, value) in inline {
        let around_key = inline.key(key).map(|key| [key.dotted_decor(), key.leaf_decor()]);
        let around_key = around_key.into_iter().flatten().flat_map(|decor| [decor.prefix(), decor.suffix()]);
        before.extend(around_key.chain([value.decor().prefix()]).flatten().map(comments));
        if let Some(mut key) = section.key_mut(key) {
            key.dotted_decor_mut().clear();
            key.leaf_decor_mut().clear();
            key.leaf_decor_mut().set_prefix(std::mem::take(&mut before));
        }
        before.extend(value.decor().suffix().map(comments));
    }
    before.push_str(&comments(inline.trailing()));
    if let Some(mut last) = inline.iter().last().and_then(|(key, _)| section.key_mut(key)) {
        let prefix = last.leaf_decor().prefix().and_then(RawString::as_str).unwrap_or_default().to_owned();
        last.leaf_decor_mut().set_prefix(prefix + &before);
    }
    section
}

/// Returns the comments between two settings, one per line.
fn comments(between: &RawString) -> String {
    let lines = between.as_str().unwrap_or_default().lines().map(str::trim);
    lines.filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

/// Sets or removes a value. A value that means the same stays unchanged, with its comment.
fn set(section: &mut Table, key: &str, wanted: Option<Value>) {
    let Some(wanted) = wanted else {
        // An empty list means the same as none, and may contain comments.
        if !section.get(key).is_some_and(is_empty) {
            section.remove(key);
        }
        return;
    };
    match section.get_mut(key) {
        Some(Item::Value(found)) => {
            if plain(found) != plain(&wanted) {
                let decor = found.decor().clone();
                *found = wanted;
                *found.decor_mut() = decor;
            }
        }
        Some(Item::Table(found))
            if wanted.as_inline_table().is_some_and(|wanted| {
                plain(&Value::InlineTable(found.clone().into_inline_table()))
                    == plain(&Value::InlineTable(wanted.clone()))
            }) => {}
        _ => {
            section.insert(key, value(wanted));
        }
    }
}

fn is_empty(item: &Item) -> bool {
    item.as_array().is_some_and(Array::is_empty) || item.as_table_like().is_some_and(TableLike::is_empty)
}

/// Writes a setting that has a default only if it differs from that, or if the file already has the setting.
fn set_unless<T: Into<Value> + PartialEq<U>, U>(section: &mut Table, key: &str, wanted: T, default: U) {
    if section.contains_key(key) || wanted != default {
        set(section, key, Some(wanted.into()));
    }
}

/// Writes a setting if there is a value; otherwise the file keeps its own.
fn set_if_given(section: &mut Table, key: &str, wanted: Option<&str>) {
    if let Some(text) = wanted {
        set(section, key, Some(text.into()));
    }
}

/// Returns the meaning of a value, without its formatting.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.value()),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::InlineTable(table) => {
            let mut pairs: Vec<_> = table.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
            pairs.sort();
            pairs.join(",")
        }
        other => other.to_string().trim().to_owned(),
    }
}

/// Returns the external ID; a list if the role still accepts older ones.
fn external_id(link: &Link) -> Option<Value> {
    let id = link.external_id.known()?;
    if link.old_external_ids.is_empty() {
        return Some(id.to_string().into());
    }
    list([id].into_iter().chain(&link.old_external_ids).map(ToString::to_string))
}

fn list(items: impl Iterator<Item = String>) -> Option<Value> {
    let array: Array = items.collect();
    (!array.is_empty()).then_some(Value::Array(array))
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

#[cfg(test)]
mod tests;
