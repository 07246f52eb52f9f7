use serde_json::{Value, json};

use super::*;
use crate::diagnosis::diagnose;

/// Returns the recipients for the facts of a case with this half unread, by this operator.
fn recipients(half: &str, operator: &Value, saved: &Saved<'_>) -> Vec<String> {
    let case = include_str!("../../../tests/cases/diagnose/nothing_read.json");
    let mut facts = serde_json::from_str::<Value>(case).unwrap_or_default()["facts"].take();
    facts[half]["operator"] = operator.clone();
    let facts = Facts::parse(&facts.to_string(), "facts.json").unwrap_or_else(|error| panic!("{error:?}"));
    messages(&facts, &diagnose(&facts).findings, &operated(&facts), saved)
        .into_iter()
        .map(|message| message.to)
        .collect()
}

#[test]
fn only_who_is_missing_gets_a_message() {
    let saved = Saved::As("facts.json");
    let of = |arn: &str| json!({"identity": {"present": arn}});
    let nobody = json!({"identity": {"unreadable": {"permission": "", "answer": "no credentials"}}});
    let target = "operator of target account 222222222222";
    let source = "operator of source account 111111111111";
    assert_eq!(recipients("target", &nobody, &saved), [target]);
    assert_eq!(recipients("target", &of("arn:aws:iam::222222222222:user/ops"), &saved), [""; 0]);
    assert_eq!(recipients("target", &of("arn:aws:iam::333333333333:user/ops"), &saved), [target]);
    assert_eq!(recipients("source", &nobody, &saved), [source]);
    assert_eq!(recipients("source", &of("arn:aws:iam::111111111111:user/ops"), &saved), [""; 0]);
    let user = of("arn:aws:iam::111111111111:user/alice");
    assert_eq!(recipients("source", &user, &saved), [source], "the user is no operator");
}

#[test]
fn a_known_cause_is_for_the_operator_of_its_account() {
    let case = include_str!("../../../tests/cases/diagnose/grant_absent.json");
    let of = |arn: &str| {
        let mut facts = serde_json::from_str::<Value>(case).unwrap_or_default()["facts"].take();
        facts["source"]["operator"] = json!({"identity": {"present": arn}});
        Facts::parse(&facts.to_string(), "facts.json").unwrap_or_else(|error| panic!("{error:?}"))
    };
    let notes = |facts: &Facts| note(facts, &diagnose(facts).findings);
    let others = of("arn:aws:iam::333333333333:user/ops");
    let words = "xacct diagnose writes a message for the operator of source account 111111111111";
    assert_eq!(notes(&others).as_deref(), Some(words));
    let messages = messages(&others, &diagnose(&others).findings, &operated(&others), &Saved::As("f.json"));
    let [message] = messages.as_slice() else { panic!("{messages:#?}") };
    assert_eq!(message.to, "operator of source account 111111111111");
    assert!(message.report.ends_with(" The cause is in your account: grant_absent."), "{message:#?}");
    assert_eq!(message.command.to_string(), "xacct diagnose --facts f.json");
    for own in ["arn:aws:iam::111111111111:user/ops", "arn:aws:iam::111111111111:user/alice"] {
        assert_eq!(notes(&of(own)), None, "{own}");
    }
}
