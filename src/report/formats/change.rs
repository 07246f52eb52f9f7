//! What changed between two reports of the same command.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::document::Document;
use super::link::Link;
use super::view::View;
use crate::report::console::count;

/// What changed since an earlier report.
pub struct Changes {
    /// When its first test started, if it says so.
    pub since: Option<String>,
    pub changed: Vec<Changed>,
    /// How many links are as they were.
    pub unchanged: usize,
}

/// What changed about one link.
pub struct Changed {
    pub name: String,
    pub kind: Kind,
    pub words: String,
}

/// Whether a link was added, removed, or is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Better,
    Worse,
    Other,
    Added,
    Removed,
}

impl Kind {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Other => "changed",
            Self::Added => "new",
            Self::Removed => "gone",
        }
    }
}

impl Changes {
    /// Returns how many links changed.
    pub fn sentence(&self) -> String {
        let of = |kind: Kind| self.changed.iter().filter(|changed| changed.kind == kind).count();
        let kinds = [Kind::Worse, Kind::Better, Kind::Other, Kind::Added, Kind::Removed];
        let counts: Vec<_> =
            kinds.into_iter().filter(|kind| of(*kind) > 0).map(|it| format!("{} {}", of(it), it.word())).collect();
        match counts.is_empty() {
            true => format!("nothing changed; {} as before.", count(self.unchanged, "link")),
            false => format!("{}; {} as before.", counts.join(", "), count(self.unchanged, "link")),
        }
    }
}

/// Returns what changed from the earlier report to this one, the worst first.
pub fn between(before: &View<'_>, now: &View<'_>) -> Changes {
    let old: BTreeMap<_, _> = before.links.iter().map(|link| (link.name, link)).collect();
    let mut changed: Vec<_> = now.links.iter().filter_map(|link| compared(old.get(link.name).copied(), link)).collect();
    let names: BTreeSet<_> = now.links.iter().map(|link| link.name).collect();
    changed.extend(before.links.iter().filter(|link| !names.contains(link.name)).map(|link| Changed {
        name: link.name.to_owned(),
        kind: Kind::Removed,
        words: format!("no longer reported; was: {}", link.result),
    }));
    let unchanged = now.links.len() - changed.iter().filter(|it| it.kind != Kind::Removed).count();
    let order = [Kind::Worse, Kind::Removed, Kind::Added, Kind::Other, Kind::Better];
    changed.sort_by_key(|it| order.iter().position(|kind| *kind == it.kind));
    Changes { since: before.started_at().map(str::to_owned), changed, unchanged }
}

/// Records in a document since when each link has had its result: the time of its first test in the chain of documents of
/// which `before` is the last.
pub fn say_since_when(document: &mut Value, before: &Document) {
    let Ok(now) = Document::read(document.clone()) else { return };
    let before = View::of(before);
    let old: BTreeMap<_, _> = before.links.iter().map(|link| (link.name, link)).collect();
    for link in &View::of(&now).links {
        let place = if link.target.verification.is_some() { "verification" } else { "refusal" };
        let same = old
            .get(link.name)
            .filter(|old| (old.state, &old.role) == (link.state, &link.role) && has_same_principals(old, link));
        let since = same.and_then(|old| old.unchanged_since.or(old.started_at));
        let test =
            document.get_mut("targets").and_then(|targets| targets.get_mut(link.name)?.get_mut(place)?.as_object_mut());
        if let (Some(test), Some(since)) = (test, since) {
            test.insert("unchanged_since".to_owned(), json!(since));
        }
    }
}

/// Documents of older versions do not name the principals.
fn has_same_principals(old: &Link<'_>, link: &Link<'_>) -> bool {
    old.principals.is_empty() || old.principals == link.principals
}

fn compared(old: Option<&Link<'_>>, link: &Link<'_>) -> Option<Changed> {
    let changed = |kind, words| Some(Changed { name: link.name.to_owned(), kind, words });
    let Some(old) = old else { return changed(Kind::Added, format!("new: {}", link.result)) };
    let why = if link.cause.is_empty() { String::new() } else { format!(" ({})", link.cause) };
    if old.state != link.state {
        let kind = if old.state < link.state { Kind::Worse } else { Kind::Better };
        return changed(kind, format!("{} → {}{why}", old.result, link.result));
    }
    let mut differences = Vec::new();
    if old.role != link.role {
        differences.push(format!("role {} → {}", old.role, link.role));
    }
    if !has_same_principals(old, link) {
        differences.push(format!("principals {} → {}", old.principals.join(", "), link.principals.join(", ")));
    }
    if old.cause != link.cause {
        differences.push(format!("{} → {}", shown(&old.cause), shown(&link.cause)));
    }
    match differences.is_empty() {
        true => None,
        false => changed(Kind::Other, differences.join("; ")),
    }
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "no cause" } else { text }
}
