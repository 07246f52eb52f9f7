//! Edits of TOML documents that keep comments and order.

use toml_edit::{Array, InlineTable, Item, RawString, Table, TableLike, Value, value};

use crate::config::link::Link;
use crate::error::{Error, Result};

pub(super) fn table<'a>(parent: &'a mut Table, key: &str, path: &str) -> Result<&'a mut Table> {
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
pub(super) fn set(section: &mut Table, key: &str, wanted: Option<Value>) {
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
pub(super) fn set_unless<T: Into<Value> + PartialEq<U>, U>(section: &mut Table, key: &str, wanted: T, default: U) {
    if section.contains_key(key) || wanted != default {
        set(section, key, Some(wanted.into()));
    }
}

/// Writes a setting if there is a value and the file has none.
pub(super) fn add(section: &mut Table, key: &str, wanted: Option<&str>) {
    if let Some(text) = wanted.filter(|_| !section.contains_key(key)) {
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
pub(super) fn external_id(link: &Link) -> Option<Value> {
    let id = link.external_id.known()?;
    if link.old_external_ids.is_empty() {
        return Some(id.to_string().into());
    }
    list([id].into_iter().chain(&link.old_external_ids).map(ToString::to_string))
}

pub(super) fn list(items: impl Iterator<Item = String>) -> Option<Value> {
    let array: Array = items.collect();
    (!array.is_empty()).then_some(Value::Array(array))
}
