use serde_json::Value;

use super::*;

fn case() -> Value {
    let case = include_str!("../../../tests/cases/diagnose/grant_absent.json");
    let mut facts = serde_json::from_str::<Value>(case).unwrap_or_default()["facts"].take();
    facts["asked_at"] = 1_000_000.into();
    facts
}

fn warned(facts: &Value) -> Vec<String> {
    warnings(&Facts::parse(&facts.to_string(), "facts.json").unwrap_or_else(|error| panic!("{error:?}")))
}

/// Returns the warnings if the halves were read this many seconds after the request, and the role had this age then.
fn said(source: i64, target: i64, role_age: u64) -> Vec<String> {
    let mut facts = case();
    facts["source"]["read_at"] = (1_000_000 + source).into();
    facts["target"]["read_at"] = (1_000_000 + target).into();
    facts["target"]["role"]["present"]["age_seconds"] = role_age.into();
    warned(&facts)
}

#[test]
fn a_minute_apart_is_as_good_as_none() {
    assert_eq!(said(0, 0, 9_000_000), [""; 0]);
    assert_eq!(said(-59, 59, 9_000_000), [""; 0]);
    assert_eq!(said(0, 50, 0), [""; 0], "clocks differ");
}

#[test]
fn hours_apart_are_said() {
    let both = said(-3600, 7200, 9_000_000);
    let before = "the source account was read 60 minutes before the request, and may have changed in between; to be sure, \
                  read it again: xacct diagnose --facts FILE --profile PROFILE";
    let after = "the target account was read 2 hours after the request, and may have changed in between; to be sure, test \
                 the link again: xacct diagnose --facts FILE --user-profile PROFILE";
    assert_eq!(both, [before, after]);
}

#[test]
fn a_role_younger_than_the_request_is_another_role() {
    let younger = "role xacct was created 10 minutes after the request: AWS saw an earlier role of that name, or none; test the \
                   link again: xacct diagnose --facts FILE --user-profile PROFILE";
    assert_eq!(said(0, 700, 100), [younger]);
    assert!(said(0, 700, 400)[0].contains("was read 12 minutes after the request"), "clocks differ");
}

#[test]
fn a_policy_that_was_changed_after_the_request_has_another_text() {
    let mut facts = case();
    facts["source"]["read_at"] = 1_090_000.into();
    let policy = "arn:aws:iam::111111111111:policy/limits";
    for (changed, words) in [
        (1_080_000, "policy arn:aws:iam::111111111111:policy/limits was changed 22 hours after"),
        (1, "was read 25 hours"),
    ] {
        facts["source"]["changed_at"] = serde_json::json!({policy: changed});
        let said = warned(&facts);
        assert!(said.len() == 1 && said[0].contains(words), "{said:?}");
    }
}

#[test]
fn facts_of_last_week_are_old() {
    let facts = Facts::parse(&case().to_string(), "facts.json").unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(outdated(&facts, 1_000_000 + 86_400), None);
    let said = "these facts are 7 days old; both accounts and the answer may be different now";
    assert_eq!(outdated(&facts, 1_000_000 + 7 * 86_400).as_deref(), Some(said));
    assert_eq!(outdated(&facts, i64::MIN), None);
}

#[test]
fn no_time_is_too_far_away() {
    for read in [i64::MIN / 2, i64::MAX / 2] {
        assert_eq!(said(read, read, u64::MAX).len(), 2);
    }
    assert_eq!(written(i64::MAX), None);
}
