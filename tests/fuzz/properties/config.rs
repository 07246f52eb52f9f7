//! `xacct.toml`: reading, recording and removing links.

use std::collections::BTreeMap;
use std::path::PathBuf;

use xacct::config::{ConfigFile, Link, Source, forget, record, recorded_links};

use super::{assert_bearable, text};

/// A recorded link reads back unchanged, recording it twice changes nothing, and an edit keeps all other content.
/// Returns whether the input is valid, and so was recorded.
pub fn config(data: &[u8]) -> bool {
    let text = text(data);
    let path = path();
    if let Err(error) = ConfigFile::parse(&path, text.clone()) {
        assert_bearable(&error);
        return false;
    }
    std::fs::write(&path, &text).unwrap();
    let file = load();
    let _ = ["account", "user", "profile"].map(|key| file.place_of_source(key));
    let links = links(&file);

    save(&file, &links);
    let recorded = load();
    assert_eq!(settings(&recorded), settings(&file), "{text}");
    assert_comments_stay(&text, &recorded);
    assert_eq!(record(&recorded, &Source::from(&recorded.source), &links.iter().collect::<Vec<_>>()), Ok(false));

    // Adds another link and removes it.
    if let Some(model) = links.first() {
        let new = Link { name: "xacct.fuzz # \"new\"".to_owned(), account: unused(&links), ..model.clone() };
        if links.iter().all(|link| link.name != new.name) {
            save(&recorded, std::slice::from_ref(&new));
            let both = load();
            assert_eq!(both.targets.len(), links.len() + 1);
            assert_eq!(forget(&both, &[&new.name]), Ok(true));
            assert_eq!(settings(&load()), settings(&file));
            assert_comments_stay(&text, &load());
        }
    }
    // Removes all links one by one, and keeps the others.
    let (source, mut rest) = settings(&file);
    for link in &links {
        assert_eq!(forget(&load(), &[&link.name]), Ok(true));
        rest.remove(&link.name);
        assert_eq!(settings(&load()), (source.clone(), rest.clone()), "{text}");
    }
    true
}

/// Returns a file of this thread.
fn path() -> PathBuf {
    thread_local!(static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap());
    FOLDER.with(|folder| folder.path().join("xacct.toml"))
}

fn load() -> ConfigFile {
    ConfigFile::load(&path()).unwrap_or_else(|error| {
        let text = std::fs::read_to_string(path()).unwrap_or_default();
        panic!("{error:?}\n{text}");
    })
}

fn links(file: &ConfigFile) -> Vec<Link> {
    if file.targets.is_empty() { Vec::new() } else { recorded_links(file, &[], None).unwrap() }
}

fn save(file: &ConfigFile, links: &[Link]) {
    let links: Vec<_> = links.iter().collect();
    record(file, &Source::from(&file.source), &links).unwrap();
}

/// Returns all settings of a file that a run uses.
fn settings(file: &ConfigFile) -> (String, BTreeMap<String, String>) {
    let source = format!("{:?}", Source::from(&file.source));
    (source, links(file).iter().map(|link| (link.name.clone(), format!("{link:?}"))).collect())
}

/// Asserts that all comment lines are kept. Their order may change: a `source = {…}` above other keys becomes a section,
/// which TOML wants below them, and its comments go along.
fn assert_comments_stay(before: &str, after: &ConfigFile) {
    let after = after.text.as_deref().unwrap_or_default();
    let comments = |text: &str| {
        let mut counts = BTreeMap::new();
        for comment in text.lines().map(str::trim).filter(|line| line.starts_with('#')) {
            *counts.entry(comment.to_owned()).or_insert(0) += 1;
        }
        counts
    };
    let kept = comments(after);
    for (comment, count) in comments(before) {
        let left = kept.get(&comment).copied().unwrap_or_default();
        assert!(left >= count, "{comment:?} went\n{before}\n---\n{after}");
    }
}

fn unused(links: &[Link]) -> xacct::iam::names::AccountId {
    let accounts = (0_u64..).map(|number| format!("{number:012}").parse().unwrap());
    accounts.into_iter().find(|account| links.iter().all(|link| link.account != *account)).unwrap()
}
