//! Compares the documentation with the sources: links have targets, and lists are complete.

#![expect(clippy::panic, reason = "a test may panic")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the files below a directory, without build output.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if !["target", ".git", "corpus", "artifacts", "node_modules"].contains(&name) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{folder} has no .{extension} file");
    found
}

/// Returns the lines of a Markdown text outside code blocks, with their numbers.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut in_code = false;
    let lines = text.lines().enumerate().filter(|(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    });
    lines.map(|(index, line)| (index + 1, line)).collect()
}

/// Returns the link targets in a line.
fn links(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link).collect()
}

/// Returns all texts between `before` and the next quote.
fn quoted_after(text: &str, before: &str) -> BTreeSet<String> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

fn assert_names(file: &str, names: &BTreeSet<String>) {
    let text = text(file);
    let lacking: Vec<_> = names.iter().filter(|name| !text.contains(name.as_str())).collect();
    assert!(!names.is_empty() && lacking.is_empty(), "{file} does not name {lacking:?} of {} names", names.len());
}

#[test]
fn links_point_to_files() {
    let mut broken = Vec::new();
    for path in files(".", "md") {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in prose(&text) {
            for link in links(line).into_iter().filter(|link| !link.contains("://")) {
                let file = link.split('#').next().unwrap();
                if !path.parent().unwrap().join(file).exists() {
                    broken.push(format!("{}:{number}: {link}", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn the_readme_stays_short() {
    let readme = text("README.md");
    assert!(readme.lines().count() <= 180, "{} lines", readme.lines().count());
    let long: Vec<_> = readme.lines().filter(|line| line.chars().count() > 120 && !line.starts_with('|')).collect();
    assert!(long.is_empty(), "longer than 120 characters:\n{}", long.join("\n"));
}

/// The session in the README is shortened; all its lines are real output of xacct.
#[test]
fn the_readme_shows_real_output() {
    let readme = text("README.md");
    let session = readme.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let snapshot = text("tests/cli/snapshots/bootstrap-new.snap");
    let shown = session.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with("Apply"));
    let shown: Vec<_> = shown.map(without_chance).collect();
    let wrong: Vec<_> = shown.iter().filter(|line| !snapshot.lines().any(|printed| printed == *line)).collect();
    assert!(shown.len() > 8 && wrong.is_empty(), "not in the snapshot: {wrong:#?}");
}

/// Returns the line with the names and times of the snapshots.
fn without_chance(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.strip_prefix("xacct-verify-222222222222-") {
        Some(_) => "xacct-verify-222222222222-RANDOM-CHARS",
        None => word,
    });
    let line = words.collect::<Vec<_>>().join(" ");
    let seconds = line.split(' ').filter(|word| word.parse::<f32>().is_ok_and(|_| word.contains('.')));
    seconds.fold(line.clone(), |line, seconds| line.replace(&format!("{seconds} s"), "TIME"))
}

/// The README links to each help topic by its name.
#[test]
fn every_topic_is_in_the_readme() {
    let topics = text("src/topics.rs");
    let names = quoted_after(&topics, "name: \"");
    let files = quoted_after(&topics, "include_str!(\"");
    assert_eq!(names.len(), files.len());
    let paths = files.into_iter().map(|file| match file.strip_prefix("../") {
        Some(outside) => format!("]({outside})"),
        None => format!("](src/{file})"),
    });
    assert_names("README.md", &names.iter().map(|name| format!("| [{name}](")).chain(paths).collect());
}

#[test]
fn every_variable_is_documented() {
    let sources: String = files("src", "rs").into_iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_names("src/config/README.md", &quoted_after(&sources, "env = \""));
}

#[test]
fn every_key_of_the_file_is_documented() {
    let parser = text("src/config/parse.rs");
    let lists = parser.split("_SETTINGS: [&str; ").skip(1).filter_map(|rest| rest.split("];").next());
    let words = lists.flat_map(|list| list.split('"').skip(1).step_by(2));
    let keys = words.map(|word| format!("- `{word}`: "));
    assert_names("src/config/README.md", &keys.collect());
}

#[test]
fn every_policy_and_statement_is_documented() {
    let mut names = BTreeSet::new();
    for path in files("policies", "json") {
        names.insert(format!("`{}`", path.file_name().unwrap().to_str().unwrap()));
        let sids = quoted_after(&fs::read_to_string(&path).unwrap(), "\"Sid\": \"");
        names.extend(sids.into_iter().map(|sid| format!("`{sid}`")));
    }
    assert_names("policies/README.md", &names);
}

/// Whoever installs a version finds it in the changelog, with a date.
#[test]
fn the_version_is_in_the_changelog() {
    let changelog = text("CHANGELOG.md");
    let heading = format!("## {} - 20", env!("CARGO_PKG_VERSION"));
    let versions: Vec<_> = changelog.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(versions.first(), Some(&"## Unreleased"));
    assert!(versions.get(1).is_some_and(|line| line.starts_with(&heading)), "{versions:?}");
}

#[test]
fn ignores_links_in_code() {
    let markdown = "[a](b) and [c](d#e)\n```sh\n[x](y)\n```\n[f](g)";
    let found: Vec<_> = prose(markdown).into_iter().flat_map(|(_, line)| links(line)).collect();
    assert_eq!(found, ["b", "d#e", "g"]);
}
