//! Facts files: parsing, diagnosis, output, redaction.

use std::collections::BTreeMap;

use serde_json::Value;
use xacct::diagnosis::{Facts, Part, Saved, diagnose, messages, provenance};
use xacct::iam::state::Reading;
use xacct::report::diagnosis;

use super::{assert_bearable, assert_printable, text};

/// Facts round-trip, can be diagnosed and shown whatever they contain, and have no account ID left after redaction.
///
/// A case of `tests/cases/diagnose` contains them in its member `facts`. Returns whether a policy was evaluated.
pub fn facts(data: &[u8]) -> bool {
    let text = text(data);
    let of_case = serde_json::from_str::<Value>(&text).ok().and_then(|case| Some(case.get("facts")?.to_string()));
    let facts = match Facts::parse(&of_case.unwrap_or(text), "facts.json") {
        Ok(facts) => facts,
        Err(error) => {
            assert_bearable(&error);
            return false;
        }
    };
    let written = facts.to_text(false).unwrap();
    assert_eq!(read(&written), facts, "{written}");

    let diagnosis = diagnose(&facts);
    serde_json::to_string(&diagnosis).unwrap();
    for width in [40, 80, 120] {
        let shown = diagnosis::text(&diagnosis, width);
        assert!(!shown.trim().is_empty());
        assert_printable(&shown);
    }
    let messages = messages(&facts, &diagnosis.findings, &[], &Saved::As("facts.json"));
    let shown = diagnosis::messages_text(&messages, 80) + &provenance(&facts);
    assert_printable(&shown);

    // What was read again is joined to itself.
    let joined = Facts { joined: true, ..facts.clone() };
    assert_eq!(facts.clone().with_source(facts.source.clone()), joined);
    assert_eq!(facts.clone().with_target(facts.target.clone()), joined);
    assert_eq!(facts.with_request(facts.clone()).as_ref(), Some(&joined));
    let _ = [Part::Request, Part::Source, Part::Target].map(|part| facts.lacks(part));

    for finding in &diagnosis.findings {
        assert!(!finding.fixes.is_empty() && finding.fixes.iter().all(|fix| !fix.steps.is_empty()), "{finding:?}");
    }

    let redacted = facts.to_text(true).unwrap();
    let _ = diagnose(&read(&redacted));
    let mut texts = Vec::new();
    texts_of(&serde_json::from_str(&redacted).unwrap(), &mut texts);
    for account in texts.iter().flat_map(|text| account_numbers(text)) {
        assert!(is_mask(account), "{account} is in\n{redacted}");
    }
    has_policy(&facts)
}

/// Whether the trust policy, or one that the user has directly, is valid: these are always evaluated.
fn has_policy(facts: &Facts) -> bool {
    let own = [&facts.source.policies.inline, &facts.source.policies.attached];
    let own = own.into_iter().filter_map(Reading::present).flat_map(BTreeMap::values).filter_map(Reading::present);
    let trust = facts.target.role.present().map(|role| &role.trust);
    own.chain(trust).any(|document| document.policy().is_some())
}

/// Returns every string of a document, including keys.
fn texts_of(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|item| texts_of(item, texts)),
        Value::Object(members) => {
            texts.extend(members.keys().cloned());
            members.values().for_each(|member| texts_of(member, texts));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn read(text: &str) -> Facts {
    Facts::parse(text, "facts.json").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Returns every sequence of exactly twelve digits that is not the end of a request ID.
fn account_numbers(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 12);
    runs.filter(|run| {
        let start = run.as_ptr() as usize - text.as_ptr() as usize;
        let groups: Vec<_> = text.get(..start).unwrap_or_default().rsplit('-').take(2).collect();
        !matches!(groups.as_slice(), ["", group] if group.len() == 4)
    })
}

/// `111111111111`, …, `999999999999`, `000000000010`, …
fn is_mask(account: &str) -> bool {
    let first = account.chars().next();
    account.starts_with("00000") || (first != Some('0') && account.chars().all(|digit| Some(digit) == first))
}
