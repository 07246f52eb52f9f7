//! Checks the rules of `src/README.md` for imports between modules, from the sources.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod graph;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;

/// The modules of the program from the bottom up, each with exactly its imports.
const LAYERS: [(&str, &[&str]); 17] = [
    ("topics", &[]),
    ("text", &[]),
    ("files", &[]),
    ("iam", &[]),
    ("answers", &[]),
    ("error", &["answers", "iam", "text"]),
    ("environment", &["error"]),
    ("context", &[]),
    ("cli", &["iam"]),
    ("aws", &["answers", "environment", "error", "files", "iam", "text"]),
    ("export", &["aws"]),
    ("print", &["error", "iam", "text"]),
    ("config", &["cli", "context", "environment", "error", "files", "iam", "text"]),
    ("proof", &["answers", "aws", "error", "iam"]),
    ("diagnosis", &["answers", "aws", "environment", "error", "iam", "proof", "text"]),
    ("report", &["cli", "context", "diagnosis", "error", "iam", "proof", "text"]),
    (
        "operations",
        &[
            "answers",
            "aws",
            "cli",
            "config",
            "context",
            "diagnosis",
            "environment",
            "error",
            "files",
            "iam",
            "proof",
            "report",
            "text",
        ],
    ),
];

/// The root file of every crate of the repository, except the fuzz targets, which only reuse test properties.
const CRATES: [&str; 10] = [
    "src/lib.rs",
    "benches/contenders/main.rs",
    "tests/architecture/main.rs",
    "tests/behaviour/main.rs",
    "tests/browser/main.rs",
    "tests/cli/main.rs",
    "tests/evaluator/main.rs",
    "tests/reliability/main.rs",
    "tests/sandbox/src/lib.rs",
    "tests/third_party/main.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the imports of the program as pairs: importing file, imported file.
fn imports() -> Vec<(String, String)> {
    let graph = Graph::read(root(), "src/lib.rs");
    let name = |file: &Path| file.to_str().unwrap().replace('\\', "/");
    let pairs = graph.imports().into_iter().flat_map(|(from, targets)| {
        let from = name(from);
        targets.into_iter().map(move |to| (from.clone(), name(to)))
    });
    pairs.filter(|(from, _)| !is_test(from)).collect()
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// Returns the top-level module of a file.
fn module(file: &str) -> &str {
    let file = file.strip_prefix("src/").unwrap();
    file.split(['/', '.']).next().unwrap()
}

/// Fails with all imports for which `is_wrong` holds.
#[track_caller]
fn assert_none(rule: &str, is_wrong: impl Fn(&str, &str) -> bool) {
    let wrong: Vec<_> = imports().into_iter().filter(|(from, to)| is_wrong(from, to)).collect();
    let wrong: Vec<_> = wrong.into_iter().map(|(from, to)| format!("{from} imports {to}")).collect();
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

/// Asserts that only these files import that one, and that at least one of them does.
#[track_caller]
fn assert_imported_only_by(target: &str, allowed: &[&str]) {
    let is_allowed = |from: &str| allowed.iter().any(|allowed| from.starts_with(allowed));
    assert!(imports().iter().any(|(from, to)| to == target && is_allowed(from)), "no file imports {target}");
    assert_none(&format!("only {allowed:?} may import {target}"), |from, to| to == target && !is_allowed(from));
}

#[test]
fn no_files_import_each_other() {
    let mut circles = Vec::new();
    for crate_root in CRATES {
        circles.extend(graph::circles(&Graph::read(root(), crate_root).imports()));
    }
    assert!(circles.is_empty(), "these files import each other:\n{}", circles.join("\n"));
}

#[test]
fn modules_import_only_lower_modules() {
    for (number, (module, below)) in LAYERS.iter().enumerate() {
        let lower: BTreeSet<_> = LAYERS[..number].iter().map(|(lower, _)| *lower).collect();
        let higher: Vec<_> = below.iter().filter(|below| !lower.contains(**below)).collect();
        assert!(higher.is_empty(), "{module} is below {higher:?}");
    }
    let allowed: BTreeMap<_, _> = LAYERS.into_iter().collect();
    let is_inside = |from: &str, to: &str| module(from) == module(to);
    // Above these are `commands`, `lib` and `main`, which may import everything and which no module imports.
    assert_none("a module imports a module that is not below it", |from, to| match allowed.get(module(from)) {
        Some(below) => !is_inside(from, to) && !below.contains(&module(to)),
        None => !is_inside(from, to) && module(from) == "commands" && !allowed.contains_key(module(to)),
    });
    let found: BTreeSet<_> =
        imports().iter().map(|(from, to)| (module(from).to_owned(), module(to).to_owned())).collect();
    for (module, below) in LAYERS {
        for below in below {
            let pair = (module.to_owned(), (*below).to_owned());
            assert!(found.contains(&pair), "{module} does not import {below}: remove it from the table");
        }
    }
}

#[test]
fn in_diagnosis_only_collect_calls_aws() {
    assert_none("only src/diagnosis/collect may ask AWS", |from, to| {
        module(from) == "diagnosis"
            && !from.starts_with("src/diagnosis/collect")
            && ["aws", "proof"].contains(&module(to))
    });
}

#[test]
fn only_commands_that_show_a_plan_can_write_iam() {
    let of_grants = ["src/commands/bootstrap/", "src/commands/teardown/"];
    let all = [&of_grants[..], &["src/commands/revoke/", "src/operations/grant_writer"]].concat();
    assert_imported_only_by("src/aws/iam/apply.rs", &all);
    assert_imported_only_by("src/operations/grant_writer.rs", &of_grants);
}

/// A source file: its path in the package, and its lines of code outside tests.
struct Source {
    path: String,
    code: Vec<(usize, String)>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let mut code = Vec::new();
        for (index, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
            let line = line.split("//").next().unwrap().trim();
            if line == "mod tests {" {
                break;
            }
            code.push((index + 1, line.to_owned()));
        }
        Self { path: path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"), code }
    }

    /// Returns the positions of the lines for which `found` holds.
    fn places(&self, found: impl Fn(&str) -> bool) -> Vec<String> {
        let found = self.code.iter().filter(|(_, line)| found(line));
        found.map(|(number, line)| format!("{}:{number}: {line}", self.path)).collect()
    }
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
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

/// Returns the sources of the program, without tests.
fn program() -> Vec<Source> {
    let mut sources: Vec<_> = files("src", "rs").iter().map(|path| Source::read(path)).collect();
    sources.retain(|source| !is_test(&source.path));
    assert!(!sources.is_empty());
    sources
}

/// Asserts that no code satisfies `found`, except in `allowed`, where some does.
#[track_caller]
fn assert_only_under(allowed: &[&str], found: impl Fn(&str) -> bool) {
    let is_allowed = |source: &&Source| allowed.iter().any(|allowed| source.path.starts_with(allowed));
    let sources = program();
    let (inside, outside): (Vec<_>, Vec<_>) = sources.iter().partition(is_allowed);
    let used = inside.iter().any(|source| !source.places(&found).is_empty());
    assert!(used || allowed.is_empty(), "no file in {allowed:?} has it: remove the exception");
    let wrong: Vec<_> = outside.iter().flat_map(|source| source.places(&found)).collect();
    assert!(wrong.is_empty(), "allowed only in {allowed:?}:\n{}", wrong.join("\n"));
}

#[test]
fn only_aws_uses_the_sdk() {
    let crates = ["aws_sdk_", "aws_config", "aws_smithy", "aws_types", "aws_credential_types", "aws_runtime"];
    assert_only_under(&["src/aws/"], |line| crates.iter().any(|name| line.contains(name)));
}

#[test]
fn only_credential_commands_reveal_secrets() {
    let allowed =
        ["src/commands/exec/", "src/commands/credentials", "src/aws/credentials/session_cache", "src/aws/keys"];
    assert_only_under(&allowed, |line| line.contains("reveal("));
    assert_only_under(&["src/export/"], |line| line.contains("aws::keys::Keys"));
}

#[test]
fn nothing_panics_or_prints_directly() {
    let forbidden = ["unwrap()", "println!", "print!(", "dbg!"];
    assert_only_under(&[], |line| forbidden.iter().any(|word| line.contains(word)));
}

/// rustls panics where two providers are compiled in and none is named. The lock file has what any target and feature uses.
#[test]
fn tls_has_exactly_one_provider() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the lock file");
    let has = |name: &str| lock.contains(&format!("\nname = \"{name}\"\n"));
    let found: Vec<_> =
        ["ring", "aws-lc-rs", "aws-lc-sys", "openssl-sys", "s2n-tls"].into_iter().filter(|it| has(it)).collect();
    assert_eq!(found, ["ring"], "src/aws/DECISION-tls-provider.md");
    for file in ["Cargo.toml", "tests/fuzz/Cargo.toml", "tests/sandbox/Cargo.toml"] {
        let manifest = fs::read_to_string(root().join(file)).expect("a manifest");
        assert!(!manifest.contains("default-https-client"), "{file} brings a second provider");
    }
}

#[test]
fn embeds_every_policy_document() {
    let program = program();
    let policies = files("policies", "json");
    assert!(!policies.is_empty());
    for policy in policies {
        let name = format!("\"{}\"", policy.file_name().unwrap().to_str().unwrap());
        let is_embedded = program.iter().any(|source| !source.places(|line| line.contains(&name)).is_empty());
        assert!(is_embedded, "{name} is not embedded");
    }
}

#[test]
fn finds_import_cycles_in_every_notation() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "pub mod a;\nmod facade;\n#[path = \"elsewhere.rs\"]\nmod d;\n");
    write(
        "a.rs",
        "use crate::facade::{self, B};\npub struct A(B);\nfn of() { facade::c() }\n#[cfg(test)]\nmod tests { use super::A; }\n",
    );
    write("facade/mod.rs", "mod b;\nmod c;\npub use b::*;\npub use c::c;\n");
    write("facade/b.rs", "pub struct B;\nfn of() { println!(\"{:?}\", crate::d::D::new()) }\n");
    write("facade/c.rs", "pub fn c() { use super::super::a as renamed; let _ = renamed::A; }\n");
    write("elsewhere.rs", "pub struct D;\nimpl From<super::a::A> for D {}\n");
    let graph = Graph::read(folder.path(), "lib.rs");
    let circles = graph::circles(&graph.imports());
    assert_eq!(circles, ["a.rs -> facade/b.rs -> elsewhere.rs -> a.rs", "a.rs -> facade/c.rs -> a.rs"]);
}
