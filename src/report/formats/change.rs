//! What changed between two reports of the same command.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::document::{Document, Target};
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

/// Says in a document since when each link has had the same result. An earlier document may say it, too, and so on: the time
/// is that of the first test of this chain.
pub fn say_since_when(document: &mut Value, before: &Document) {
    let Ok(now) = Document::read(document.clone()) else { return };
    for (name, target) in &now.targets {
        let place = if target.verification.is_some() { "verification" } else { "refusal" };
        let test =
            document.get_mut("targets").and_then(|targets| targets.get_mut(name)?.get_mut(place)?.as_object_mut());
        let since = before.targets.get(name).and_then(|before| same_since(before, target));
        if let (Some(test), Some(since)) = (test, since) {
            test.insert("unchanged_since".to_owned(), json!(since));
        }
    }
}

/// Returns since when a link has had this result, if it had it before. Another role or other principals make it another link.
fn same_since<'a>(before: &'a Target, now: &Target) -> Option<&'a str> {
    let (old, new) = (before.test()?, now.test()?);
    // Documents of older versions do not name the principals.
    let same_principals = before.principals.is_empty() || before.principals == now.principals;
    let is_same = old.outcome == new.outcome && before.role_arn == now.role_arn && same_principals;
    is_same.then_some(old.unchanged_since.as_deref().unwrap_or(&old.started_at))
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
    // Documents of older versions do not name them.
    if old.principals != link.principals && !old.principals.is_empty() {
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
