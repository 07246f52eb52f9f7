//! Runs the cases in `tests/cases/admission`.
//!
//! A file is a list of trust policies on one topic, whose accounts are made up: 111111111111 is the source account,
//! 222222222222 that of the role, 999999999999 a stranger's. A case has
//!
//! - `name`: what it shows; `source`: where such a policy stands, and the reason of the decision;
//! - `policy`; `tags` of the role and `now`, where they matter;
//! - `admits`: who gets in, as xacct writes it, with what they need, decided by hand;
//! - `callers`: who does and does not get in, for the evaluators (see `tests/evaluator`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::iam::admission::{Admitted, Subject, of_trust};
use crate::iam::policy::PolicyDocument;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    source: String,
    policy: Value,
    tags: Option<BTreeMap<String, String>>,
    now: Option<String>,
    admits: Vec<String>,
    #[serde(rename = "callers")]
    _callers: Vec<Value>,
}

fn in_words(admitted: &Admitted) -> String {
    let mut text = admitted.who.to_string();
    let notes = [
        (admitted.needs.external_id, "external ID"),
        (admitted.needs.mfa, "MFA"),
        (admitted.undecided.is_some(), "undecided"),
    ];
    for (_, note) in notes.into_iter().filter(|(applies, _)| *applies) {
        text.push_str("; ");
        text.push_str(note);
    }
    text
}

#[test]
fn every_trust_policy_of_the_table_admits_whom_it_should() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/admission");
    let (role, source) = (super::role(), "111111111111".parse().unwrap());
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let cases: Vec<Case> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in cases {
            assert!(!case.source.is_empty(), "{} has no source", case.name);
            let now = case.now.as_deref().map(|now| OffsetDateTime::parse(now, &Rfc3339).unwrap());
            let subject = Subject { role: &role, source: Some(&source), tags: case.tags.as_ref(), now };
            let policy = PolicyDocument::from_value(&case.policy).unwrap();
            let found: Vec<_> = of_trust(&policy, subject).iter().map(in_words).collect();
            if found != case.admits {
                wrong.push(format!("{}: admits {found:#?}, not {:#?}", case.name, case.admits));
            }
            assert!(names.insert(case.name), "duplicate name");
        }
    }
    assert!(names.len() >= 60, "only {} cases", names.len());
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), names.len(), wrong.join("\n"));
}
