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

#[path = "fuzz/src/generate.rs"]
mod generate;
#[path = "fuzz/properties/mod.rs"]
mod properties;

type Property = fn(&[u8]) -> bool;

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
    let mut past_the_parser = 0;
    for folder in [own.as_str()].iter().chain(folders) {
        let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let mut count = 0;
        for file in files {
            let path = file.unwrap().path();
            let seed = std::fs::read(&path).unwrap();
            for length in [seed.len(), seed.len() / 2, seed.len().saturating_sub(2)] {
                // Shown on failure.
                println!("{length} bytes of {}", path.display());
                let passed = property(seed.get(..length).unwrap());
                past_the_parser += usize::from(passed && length == seed.len());
            }
            count += 1;
        }
        assert!(count > 0, "{folder} has no seeds");
    }
    assert!(past_the_parser > 0, "no seed of {target} gets past the parser");
}

/// Mutations replace parts of facts by generated ones: were these invalid, fuzzing would end in the parser.
#[test]
fn generated_facts_reach_the_evaluator() {
    const COUNT: u64 = 500;
    let reached = (0..COUNT).filter(|seed| {
        let facts = generate::member(&[], &mut fastrand::Rng::with_seed(*seed)).unwrap().to_string();
        // Shown on failure.
        println!("{facts}");
        properties::facts(facts.as_bytes())
    });
    let reached = reached.count();
    assert!(reached > 400, "{reached} of {COUNT}");
}

#[test]
fn generated_policies_are_valid() {
    for seed in 0..500 {
        let policy = generate::policy(&mut fastrand::Rng::with_seed(seed)).to_string();
        assert!(properties::policy(policy.as_bytes()), "{policy}");
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
