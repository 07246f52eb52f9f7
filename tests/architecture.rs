//! Holds the directions between modules, by reading the sources: what `src/lib.rs` says of them is true.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 600;

/// A source file: its path from the root of the package, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_under(&self, folders: &[&str]) -> bool {
        let is_under = |folder: &&str| {
            let rest = self.path.strip_prefix(*folder);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs")
        };
        folders.iter().any(is_under)
    }

    /// The lines that are code outside tests, with their numbers; an import of several lines counts as one.
    fn code(&self) -> Vec<(usize, String)> {
        let mut code: Vec<(usize, String)> = Vec::new();
        let mut in_import = false;
        for (index, line) in self.text.lines().enumerate() {
            let line = line.split("//").next().unwrap().trim();
            if line == "mod tests {" {
                break;
            }
            match code.last_mut() {
                Some((_, import)) if in_import => import.push_str(line),
                _ => code.push((index + 1, line.to_owned())),
            }
            let starts = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
            in_import = (in_import || starts.iter().any(|start| line.starts_with(start))) && !line.ends_with(';');
        }
        code
    }

    /// Places of this file where `found` holds for a line of code.
    fn places(&self, found: impl Fn(&str) -> bool) -> Vec<String> {
        let code = self.code();
        let found = code.iter().filter(|(_, line)| found(line));
        found.map(|(number, line)| format!("{}:{number}: {line}", self.path)).collect()
    }
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| Source {
        text: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"),
    };
    let sources: Vec<_> = files(folder, "rs").into_iter().map(read).collect();
    assert!(!sources.is_empty(), "{folder} has no sources");
    sources
}

/// Sources of the program itself, without tests.
fn program() -> Vec<Source> {
    let mut sources = sources("src");
    sources.retain(|source| {
        let is_test = ["/tests.rs", "/tests/properties.rs"];
        !is_test.iter().any(|end| source.path.ends_with(end))
    });
    sources
}

/// The modules of the crate that a line of code names, as in `crate::iam::arn` or `use crate::{aws, iam}`.
fn modules(line: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for (start, prefix) in line.match_indices("crate::") {
        let rest = line.get(start + prefix.len()..).unwrap();
        let listed = rest.strip_prefix('{').and_then(|list| list.split('}').next());
        let names = listed.map_or_else(|| vec![rest], |list| list.split(',').collect());
        let end = |name: &str| name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        modules.extend(names.into_iter().map(str::trim).map(|name| name.get(..end(name)).unwrap()));
    }
    modules
}

/// Nothing under `folders` names a module of the crate but these.
fn assert_uses_only(folders: &[&str], allowed: &[&str]) {
    let mut wrong = Vec::new();
    let mut read = 0;
    for source in program().iter().filter(|source| source.is_under(folders)) {
        read += 1;
        let is_wrong = |line: &str| modules(line).iter().any(|module| !allowed.contains(module));
        wrong.extend(source.places(is_wrong));
    }
    assert!(read > 0, "{folders:?} has no sources");
    assert!(wrong.is_empty(), "only {allowed:?} may be used here:\n{}", wrong.join("\n"));
}

/// No code of the program holds `found`, except under `allowed`.
fn assert_only_under(allowed: &[&str], found: impl Fn(&str) -> bool) {
    let sources = program();
    let (inside, outside): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.is_under(allowed));
    let used = inside.iter().any(|source| !source.places(&found).is_empty());
    assert!(used || allowed.is_empty(), "{allowed:?} does not have it either");
    let wrong: Vec<_> = outside.iter().flat_map(|source| source.places(&found)).collect();
    assert!(wrong.is_empty(), "only {allowed:?} may have this:\n{}", wrong.join("\n"));
}

#[test]
fn the_pure_core_knows_nothing_of_the_rest() {
    assert_uses_only(&["src/iam"], &["iam"]);
    assert_uses_only(&["src/text"], &["text"]);
    assert_uses_only(&["src/files"], &["files"]);
}

#[test]
fn what_prints_and_reports_does_not_reach_aws() {
    assert_uses_only(&["src/print"], &["print", "iam", "error", "text"]);
    assert_uses_only(&["src/report"], &["report", "iam", "proof", "diagnosis", "error", "text", "cli", "context"]);
}

#[test]
fn aws_knows_only_the_pure_core() {
    assert_uses_only(&["src/aws"], &["aws", "iam", "error", "text"]);
}

#[test]
fn the_proof_knows_aws_and_the_pure_core() {
    assert_uses_only(&["src/proof"], &["proof", "aws", "iam", "error"]);
}

#[test]
fn only_collecting_facts_reaches_aws_the_judgement_does_not() {
    assert_uses_only(&["src/diagnosis"], &["diagnosis", "proof", "aws", "iam", "error", "text"]);
    let judging = program()
        .into_iter()
        .filter(|source| source.is_under(&["src/diagnosis"]) && !source.is_under(&["src/diagnosis/collect"]));
    let reaches = |line: &str| ["aws", "proof"].iter().any(|module| modules(line).contains(module));
    let wrong: Vec<_> = judging.flat_map(|source| source.places(reaches)).collect();
    assert!(wrong.is_empty(), "only src/diagnosis/collect may ask AWS:\n{}", wrong.join("\n"));
}

#[test]
fn settings_are_made_without_aws() {
    assert_uses_only(&["src/config", "src/cli"], &["config", "cli", "iam", "error", "context", "files", "text"]);
}

#[test]
fn only_the_top_knows_the_commands() {
    assert_only_under(&["src/commands", "src/lib", "src/main"], |line| {
        modules(line).contains(&"commands") || line.contains("commands::run")
    });
}

#[test]
fn only_aws_knows_the_sdk() {
    let crates = ["aws_sdk_", "aws_config", "aws_smithy", "aws_types", "aws_credential_types", "aws_runtime"];
    assert_only_under(&["src/aws"], |line| crates.iter().any(|name| line.contains(name)));
}

#[test]
fn credentials_are_exported_without_being_fetched() {
    assert_uses_only(&["src/export"], &["export", "aws", "iam"]);
    assert_only_under(&["src/export"], |line| line.contains("aws::sts::Keys"));
}

#[test]
fn secrets_are_revealed_only_to_who_asked_for_them() {
    let allowed = ["src/commands/exec", "src/commands/credentials", "src/aws/credentials/session_cache", "src/aws/sts"];
    assert_only_under(&allowed, |line| line.contains("reveal("));
}

#[test]
fn only_bootstrap_and_teardown_can_write_iam() {
    // Also as `use crate::aws::{apply, observe}`, or `super::apply` within the module.
    let names_apply = |line: &str| {
        let is_path = line.contains("aws::");
        is_path && line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "apply")
    };
    assert_only_under(&["src/commands/bootstrap", "src/commands/teardown", "src/operations/grant_writer"], names_apply);
    let names_grant = |line: &str| line.starts_with("use") && line.contains("grant_writer::") && line.contains("Grant");
    assert_only_under(&["src/commands/bootstrap", "src/commands/teardown"], names_grant);
}

#[test]
fn nothing_panics_or_prints_by_itself() {
    let forbidden = ["unwrap()", "println!", "print!(", "dbg!"];
    assert_only_under(&[], |line| forbidden.iter().any(|word| line.contains(word)));
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut long = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            long.push(format!("{} has {lines} lines", source.path));
        }
    }
    assert!(long.is_empty(), "at most {LONGEST_FILE} lines:\n{}", long.join("\n"));
}

#[test]
fn every_policy_document_is_embedded() {
    let program: String = program().into_iter().map(|source| source.text).collect();
    let policies = files("policies", "json");
    assert!(!policies.is_empty());
    for policy in policies {
        let name = policy.file_name().unwrap().to_str().unwrap();
        assert!(program.contains(&format!("\"{name}\"")), "{name} is not embedded");
    }
}

#[test]
fn modules_are_found_however_they_are_named() {
    assert_eq!(modules("use crate::iam::arn::RoleArn;"), ["iam"]);
    assert_eq!(modules("use crate::{aws, iam::names};"), ["aws", "iam"]);
    assert_eq!(modules("crate::a(crate::b_c::D, $crate::e::F)"), ["a", "b_c", "e"]);
    assert_eq!(modules("let x = 1;"), Vec::<&str>::new());

    let text = "a\nuse crate::{\n    aws, // one\n    iam::{arn, names},\n};\nb\nmod tests {\nc";
    let source = Source { path: String::new(), text: text.to_owned() };
    let code = source.code();
    let code: Vec<_> = code.iter().map(|(number, line)| (*number, line.as_str())).collect();
    assert_eq!(code, [(1, "a"), (2, "use crate::{aws,iam::{arn, names},};"), (6, "b")]);
}
