//! Writes `xacct.local.toml`: one person's profiles, and external IDs that `xacct.toml` does not have.

use std::fmt::Write;

use toml_edit::{DocumentMut, Item, Key, Value};

use super::edit::{add, external_id, set, table};
use crate::config::file::{ConfigFile, EXTERNAL_ID_ELSEWHERE};
use crate::config::link::{Link, Source, WayIn};
use crate::config::save::lock_beside;
use crate::environment;
use crate::error::{Error, Kind, Result};
use crate::files::{self, LONGEST_TEXT, Readers};

const COMMENT: &str = "# What one person keeps out of xacct.toml: profiles and external IDs. Do not commit it.\n\n";

/// Records what belongs into `xacct.local.toml`: external IDs that `xacct.toml` keeps elsewhere and, if the file exists,
/// profiles that neither file has. Returns whether the file changed.
///
/// # Errors
/// When the file cannot be read or written.
pub fn record_local(file: &ConfigFile, source: &Source, links: &[&Link]) -> Result<bool> {
    let path = &file.local.path;
    let cannot = |error: std::io::Error| {
        Error::new(Kind::File, format!("cannot write `{}`: {error}", path.display()))
            .hint("make the file and its directory writable")
    };
    let _lock = lock_beside(path);
    let now = match files::read(path, LONGEST_TEXT) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(cannot(error)),
    };
    let text = text_with(now.as_deref(), file, source, links)?;
    match now {
        Some(now) if now == text => return Ok(false),
        None if text.is_empty() => return Ok(false),
        Some(now) => files::replace_unchanged(path, now.as_bytes(), &text, Readers::Owner),
        None => files::create(path, format!("{COMMENT}{}", text.trim_start()), Readers::Owner),
    }
    .map_err(cannot)?;
    Ok(true)
}

fn text_with(now: Option<&str>, file: &ConfigFile, source: &Source, links: &[&Link]) -> Result<String> {
    let name = file.local.path.display().to_string();
    let parsed = now.unwrap_or_default().parse();
    let mut document: DocumentMut = parsed.map_err(|error| Error::usage(format!("{name}: {error}")))?;
    // Comments of a file that has nothing else come first.
    let comments =
        if document.is_empty() { document.trailing().as_str().unwrap_or_default().to_owned() } else { String::new() };
    if document.is_empty() {
        document.set_trailing("");
    }
    let root = document.as_table_mut();
    let has_file = file.local.text.is_some();
    let profiles = [
        ("profile", named(source.profile.as_ref()).filter(|_| file.source.profile.is_none())),
        ("user_profile", named(source.user_profile.as_ref()).filter(|_| file.source.user_profile.is_none())),
    ];
    for (key, profile) in profiles.into_iter().filter(|(_, profile)| has_file && profile.is_some()) {
        add(table(root, "source", &name)?, key, profile);
    }
    for link in links {
        let known = file.target(&link.name);
        let has_way_in = known.is_some_and(|known| known.profile.is_some() || known.enter_role.is_some());
        let profile = match &link.way_in {
            WayIn::Profile(profile) if has_file && !has_way_in => named(Some(profile)),
            _ => None,
        };
        let id = external_id(link).filter(|_| belongs_here(link, file));
        if profile.is_none() && id.is_none() {
            continue;
        }
        let is_new = !root.contains_key("targets");
        let targets = table(root, "targets", &name)?;
        if is_new {
            targets.set_implicit(true);
        }
        let section = table(targets, &link.name, &name)?;
        add(section, "profile", profile);
        if let Some(id) = id {
            set(section, "external_id", Some(id));
        }
    }
    let text = document.to_string();
    Ok(match (comments.trim_end(), text.as_str()) {
        ("", _) => text,
        (_, "") => comments,
        (above, _) => format!("{above}\n\n{}", text.trim_start()),
    })
}

/// Returns whether the link's external ID is to be in `xacct.local.toml`: not if the variable has it.
fn belongs_here(link: &Link, file: &ConfigFile) -> bool {
    let is_elsewhere = file.target(&link.name).is_some_and(|known| known.is_external_id_elsewhere)
        || file.local.targets.get(&link.name).is_some_and(|own| !own.external_ids.is_empty());
    is_elsewhere && !is_in_variable(link, file)
}

fn is_in_variable(link: &Link, file: &ConfigFile) -> bool {
    let variable = file.local.variable.as_deref();
    variable.is_some_and(|variable| link.external_id.known().is_some_and(|id| id.as_str() == variable))
}

/// Returns whether `xacct.toml` names only the place of the link's external ID. An ID that it `has` already stays.
pub(super) fn keeps_external_id(has: Option<&Item>, link: &Link, file: &ConfigFile) -> bool {
    let is_marked = has.and_then(Item::as_str) == Some(EXTERNAL_ID_ELSEWHERE);
    let ids = has.and_then(Item::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut recorded = has.and_then(Item::as_str).into_iter().chain(ids);
    let is_recorded = recorded.any(|id| link.external_id.known().is_some_and(|own| own.as_str() == id));
    is_marked || belongs_here(link, file) || (is_in_variable(link, file) && !is_recorded)
}

/// Returns the name of a profile. `-` is none: the environment of this run says nothing about the next one.
pub(super) fn named(profile: Option<&String>) -> Option<&str> {
    profile.map(String::as_str).filter(|name| *name != environment::PROFILE)
}

/// Returns the profiles of this run that the files do not record, because they have others, as sections of
/// `xacct.local.toml`; `None` if there are none.
#[must_use]
pub fn other_profiles(file: &ConfigFile, source: &Source, links: &[&Link]) -> Option<String> {
    let mut text = String::new();
    let is_other =
        |used: Option<&str>, known: Option<&String>| known.is_some_and(|known| used.is_some_and(|it| it != known));
    let of_source = [
        ("profile", &source.profile, &file.source.profile),
        ("user_profile", &source.user_profile, &file.source.user_profile),
    ];
    let of_source = of_source.map(|(key, used, known)| (key, named(used.as_ref()), known.as_ref()));
    let others: Vec<_> = of_source.into_iter().filter(|(_, used, known)| is_other(*used, *known)).collect();
    if !others.is_empty() {
        text.push_str("[source]\n");
    }
    for (key, used, _) in others {
        let _ = writeln!(text, "{key} = {}", Value::from(used.unwrap_or_default()));
    }
    for link in links {
        let (WayIn::Profile(used), Some(known)) = (&link.way_in, file.target(&link.name)) else { continue };
        let used = named(Some(used));
        if is_other(used, known.profile.as_ref()) || (used.is_some() && known.enter_role.is_some()) {
            let (name, used) = (Key::new(&link.name), Value::from(used.unwrap_or_default()));
            let _ = writeln!(text, "[targets.{name}]\nprofile = {used}");
        }
    }
    (!text.is_empty()).then_some(text)
}
