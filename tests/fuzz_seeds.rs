//! Checks the properties of the fuzz targets for every seed, whole and truncated. New inputs found by fuzzing go to
//! `tests/fuzz/corpus` and are checked here from then on.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

use std::collections::BTreeSet;
use std::path::Path;

#[path = "fuzz/properties/mod.rs"]
mod properties;

type Property = fn(&[u8]);

/// The targets, and additional directories with seeds.
const TARGETS: [(&str, Property, &[&str]); 5] = [
    ("names", properties::names, &[]),
    ("policy", properties::policy, &["policies"]),
    ("config", properties::config, &[]),
    ("facts", properties::facts, &["tests/cases/diagnose"]),
    ("answers", properties::answers, &[]),
];

fn check(target: &str) {
    let (_, property, folders) = TARGETS.into_iter().find(|(name, ..)| *name == target).unwrap();
    let own = format!("tests/fuzz/corpus/{target}");
    for folder in [own.as_str()].iter().chain(folders) {
        let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let mut count = 0;
        for file in files {
            let path = file.unwrap().path();
            let seed = std::fs::read(&path).unwrap();
            for length in [seed.len(), seed.len() / 2, seed.len().saturating_sub(2)] {
                // Shown on failure.
                println!("{length} bytes of {}", path.display());
                property(seed.get(..length).unwrap());
            }
            count += 1;
        }
        assert!(count > 0, "{folder} has no seeds");
    }
}

#[test]
fn names() {
    check("names");
}

#[test]
fn policies() {
    check("policy");
}

#[test]
fn config() {
    check("config");
}

#[test]
fn facts() {
    check("facts");
}

#[test]
fn answers() {
    check("answers");
}

#[test]
fn checks_every_fuzz_target() {
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/fuzz_targets")).unwrap();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let targets: BTreeSet<_> = files.map(|file| name(&file.unwrap().path())).collect();
    assert_eq!(targets, TARGETS.map(|(name, ..)| name.to_owned()).into());
}
