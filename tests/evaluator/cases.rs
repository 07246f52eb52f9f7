//! Runs the cases in `tests/cases/evaluate`.
//!
//! A file is a list of cases on one topic. A case has
//!
//! - `name`: what it shows;
//! - `source`: the page that documents it;
//! - `policies`: some of `identity` (a list), `boundary`, `session` and `trust`;
//! - `request`: by default alice of account 111111111111 assumes a role of account 222222222222, with no context;
//! - `expected`: the decision of each given policy type;
//! - `mismatches`, if instructive: for each statement of a policy type, why it does not apply;
//! - `disagrees`: the third-party implementations that must decide differently; all others must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::scene::{Asked, Decisions, Findings, Policies, Scene};
use crate::support::third_party;
use crate::{awsim, simulate};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    source: String,
    policies: Policies,
    #[serde(default)]
    request: Asked,
    expected: Decisions,
    #[serde(default)]
    mismatches: BTreeMap<String, Vec<Vec<String>>>,
    #[serde(default)]
    disagrees: BTreeSet<Other>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Other {
    #[serde(rename = "awsim-iam-policy")]
    Awsim,
    #[serde(rename = "iam-simulate")]
    Simulate,
}

impl Case {
    fn scene(&self) -> Scene {
        Scene { policies: self.policies.clone(), request: self.request.clone() }
    }

    /// Returns what is wrong with the decision of another implementation.
    fn judge(&self, other: Other, theirs: &Result<Decisions, String>) -> Option<String> {
        let agrees = theirs.as_ref().is_ok_and(|theirs| *theirs == self.expected);
        let declared = if self.disagrees.contains(&other) { "a disagreement" } else { "no disagreement" };
        let is_as_declared = agrees != self.disagrees.contains(&other);
        (!is_as_declared).then(|| format!("{}: {other:?} decides {theirs:?}, which is declared {declared}", self.name))
    }
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/evaluate");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: PathBuf| -> Vec<Case> {
        let text = fs::read_to_string(&path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    files.into_iter().flat_map(read).collect()
}

fn assert_none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn agrees_with_the_aws_documentation() {
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "duplicate name");
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(!case.source.is_empty(), "{} has no source", case.name);
        let findings = Findings::of(&case.scene());
        let decided = findings.decisions();
        if decided != case.expected {
            wrong.push(format!("{}: decides {decided:?}, not {:?}", case.name, case.expected));
        }
        let found = findings.mismatches();
        for (kind, expected) in &case.mismatches {
            if found.get(kind.as_str()) != Some(expected) {
                wrong.push(format!("{}: the {kind} mismatches are {:?}", case.name, found.get(kind.as_str())));
            }
        }
    }
    assert_none(wrong);
    let count = |other| cases.iter().filter(|case| case.disagrees.contains(&other)).count();
    let _ = writeln!(
        std::io::stderr(),
        "{} cases; awsim-iam-policy decides {} of them differently, iam-simulate {}",
        cases.len(),
        count(Other::Awsim),
        count(Other::Simulate)
    );
}

#[test]
fn awsim_disagrees_only_where_a_case_says_so() {
    let judge = |case: &Case| case.judge(Other::Awsim, &awsim::decisions(&case.scene()));
    assert_none(cases().iter().filter_map(judge).collect());
}

#[test]
fn iam_simulate_disagrees_only_where_a_case_says_so() {
    let cases = cases();
    let scenes: Vec<_> = cases.iter().map(Case::scene).collect();
    match simulate::decisions(&scenes) {
        Ok(theirs) => {
            let judged = cases.iter().zip(&theirs).filter_map(|(case, theirs)| case.judge(Other::Simulate, theirs));
            assert_none(judged.collect());
        }
        Err(reason) => third_party::skip(third_party::test_name!(), &reason),
    }
}
