//! Diagnoses every case of `tests/cases/diagnose`, and compares the list of causes in `src/diagnosis/README.md` with
//! them. A new case needs no code: it is a JSON file with `name`, optionally `source`, `facts` (a facts file) and
//! `expected`.
//!
//! `XACCT_WRITE_CASES=1 cargo test --test cli` writes the cases that the sandbox can reproduce; `XACCT_WRITE_README=1`
//! with this test writes the list.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use xacct::diagnosis::{Cause, Diagnosis, Facts, Fix, FixStep, Saved, diagnose, messages};
use xacct::report::diagnosis::cause_in_short;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The page that documents it.
    #[serde(default)]
    source: Option<String>,
    facts: Value,
    expected: Expected,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    causes: Vec<String>,
    #[serde(default)]
    possible: usize,
    /// Whether waiting may help with the first finding.
    #[serde(default)]
    waiting_helps: bool,
    #[serde(default)]
    says: Option<String>,
    /// What the first fix of the first finding contains.
    #[serde(default)]
    first_fix: Option<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Returns all cases by file name.
fn cases() -> BTreeMap<String, Case> {
    let files = std::fs::read_dir(root().join("tests/cases/diagnose")).expect("the cases");
    let cases = files.map(|file| {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a text");
        let case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), case)
    });
    cases.collect()
}

/// Returns the steps of a fix as they are printed.
fn lines(fix: &Fix) -> Vec<String> {
    let line = |step: &FixStep| match step {
        FixStep::Run(command) => command.to_string(),
        FixStep::Write { line, .. } => line.clone(),
        FixStep::Put { statement, .. } => statement.to_string(),
        FixStep::Do(words) => words.clone(),
    };
    fix.steps.iter().map(line).collect()
}

#[test]
fn every_case_has_the_expected_diagnosis() {
    let mut wrong = String::new();
    for (file, case) in cases() {
        let facts = Facts::parse(&case.facts.to_string(), &file).unwrap_or_else(|error| panic!("{}", error.message));
        let diagnosis = diagnose(&facts);
        let causes: Vec<_> = diagnosis.findings.iter().map(|finding| finding.cause.id().to_owned()).collect();
        let says = diagnosis.findings.first().map(|finding| finding.summary.clone());
        for finding in &diagnosis.findings {
            let is_mended = !finding.fixes.is_empty() && finding.fixes.iter().all(|fix| !fix.steps.is_empty());
            let is_fragment = !finding.summary.ends_with('.') && !finding.summary.contains('\n');
            assert!(is_mended && is_fragment, "{file}: {finding:#?}");
        }
        let fix = diagnosis.findings.first().and_then(|finding| finding.fixes.first()).map(|fix| lines(fix).join("\n"));
        let first_fix = match (&case.expected.first_fix, fix) {
            (Some(wanted), Some(fix)) if fix.contains(wanted) => Some(wanted.clone()),
            (Some(_), fix) => fix,
            (None, _) => None,
        };
        let waiting_helps = diagnosis.findings.first().is_some_and(|finding| finding.waiting_helps);
        let found = Expected { causes, possible: diagnosis.possible.len(), waiting_helps, says, first_fix };
        if found != case.expected {
            let source = case.source.unwrap_or_default();
            let _ = writeln!(wrong, "{file}: {} ({source})\n  {found:?}\n  not {:?}", case.name, case.expected);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Tables show only the part before a colon.
#[test]
fn the_short_form_of_a_cause_is_a_sentence() {
    const VERBS: [&str; 6] = ["accepts", "cannot", "denies", "has", "is", "does"];
    let mut shortened = 0;
    for (file, case) in cases() {
        let facts = Facts::parse(&case.facts.to_string(), &file).unwrap_or_else(|error| panic!("{}", error.message));
        let diagnosis = diagnose(&facts);
        for finding in diagnosis.findings.iter().filter(|finding| finding.summary.contains(": ")) {
            let alone = Diagnosis { findings: vec![finding.clone()], ..diagnosis.clone() };
            let short = cause_in_short(&alone).expect("a cause");
            let short = short.trim_start_matches("likely: ");
            assert!(finding.summary.starts_with(&format!("{short}: ")), "{file}: {short}");
            // Not the subject alone, and no verb without what it is about.
            let words: Vec<_> = short.split(' ').collect();
            let verb = words.iter().position(|word| VERBS.contains(word));
            assert!(verb.is_some_and(|verb| verb > 0 && verb + 1 < words.len()), "{file}: {short}");
            shortened += 1;
        }
    }
    assert!(shortened > 10, "only {shortened}");
}

#[test]
fn every_cause_has_a_case() {
    let cases = cases();
    let firsts: Vec<_> = cases.values().filter_map(|case| case.expected.causes.first()).collect();
    let lacking: Vec<_> =
        Cause::ALL.iter().map(|cause| cause.id()).filter(|id| !firsts.iter().any(|first| *first == id)).collect();
    assert_eq!(lacking, [""; 0]);
}

/// Returns one item for each cause, from its first case. `xacct help causes` shows the list in a terminal too.
fn list() -> String {
    let cases = cases();
    let mut list = String::new();
    for cause in Cause::ALL {
        let id = cause.id();
        let is_of = |case: &&Case| case.expected.causes.first().is_some_and(|first| first == id);
        let side = |case: &Case| {
            let facts =
                Facts::parse(&case.facts.to_string(), &case.name).unwrap_or_else(|error| panic!("{}", error.message));
            diagnose(&facts).findings.first().map(|finding| finding.side.words())
        };
        let sides: BTreeSet<_> = cases.values().filter(is_of).filter_map(side).collect();
        let sides = sides.into_iter().collect::<Vec<_>>().join(" or ");
        let case = cases.get(id).filter(|case| is_of(case)).or_else(|| cases.values().find(is_of));
        let says = case.and_then(|case| case.expected.says.clone()).unwrap_or_default();
        list.push_str(&wrapped(&format!("- `{id}` ({sides}): {says}")));
    }
    list
}

/// Wraps an item of a Markdown list at 79 characters.
fn wrapped(item: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in item.split(' ') {
        let length = word.chars().count();
        let gap = match width {
            0 => "",
            _ if width + 1 + length > 79 => "\n  ",
            _ => " ",
        };
        width = if gap.starts_with('\n') { 2 + length } else { width + gap.len() + length };
        text.push_str(gap);
        text.push_str(word);
    }
    text + "\n"
}

#[test]
fn the_readme_lists_every_cause() {
    const START: &str = "<!-- causes -->\n";
    const END: &str = "<!-- end of causes -->";
    let path = root().join("src/diagnosis/README.md");
    let readme = std::fs::read_to_string(&path).expect("README.md");
    let (before, rest) = readme.split_once(START).expect("the mark before the list");
    let (found, after) = rest.split_once(END).expect("the mark after the list");
    let wanted = format!("\n{}\n", list());
    if std::env::var_os("XACCT_WRITE_README").is_some() {
        std::fs::write(&path, format!("{before}{START}{wanted}{END}{after}")).expect("README.md");
    } else {
        assert_eq!(found, wanted, "XACCT_WRITE_README=1 cargo test --test diagnosis writes it");
    }
}

/// Names in an account are chosen by anyone with write access to it, and facts files are untrusted as a whole.
#[test]
fn names_in_accounts_cannot_inject_commands_into_fixes() {
    let hostile = "$(touch${IFS}pwned)`id`;id|id&'\"\\";
    let escaped = hostile.replace('\\', "\\\\").replace('"', "\\\"");
    let mut commands = 0;
    for (file, case) in cases() {
        let text = case.facts.to_string();
        let text =
            text.replace(":policy/", &format!(":policy/{escaped}/")).replace(":mfa/", &format!(":mfa/{escaped}"));
        let text = text.replace("\"profile\":\"", &format!("\"profile\":\"{escaped}"));
        let facts = Facts::parse(&text, &file).unwrap_or_else(|error| panic!("{}", error.message));
        let diagnosis = diagnose(&facts);
        let messages = messages(&facts, &diagnosis.findings, &[], &Saved::As(&format!("{hostile}-pwned.json")));
        let fixes = diagnosis.findings.into_iter().flat_map(|finding| finding.fixes);
        let of_fixes = fixes.flat_map(|fix| fix.steps).filter_map(|step| match step {
            FixStep::Run(command) => Some(command),
            _ => None,
        });
        for command in messages.into_iter().map(|message| message.command).chain(of_fixes) {
            let command = command.to_string();
            commands += 1;
            let words = shlex::split(&command).unwrap_or_else(|| panic!("{file}: {command}"));
            // Text outside quotes contains no special characters.
            let plain: String = command.replace("'\\''", "").split('\'').step_by(2).collect();
            assert!(!plain.contains(['$', '`', ';', '|', '&', '<', '>', '(', '"', '\\', '\n']), "{file}: {command}");
            for named in words.iter().filter(|word| word.contains("pwned")) {
                assert!(named.contains(hostile), "{file}: {named}");
            }
        }
    }
    assert!(commands > 50, "only {commands} commands");
}
