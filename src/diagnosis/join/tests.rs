use serde_json::{Value, json};

use super::*;

const CASE: &str = include_str!("../../../tests/cases/diagnose/grant_absent.json");

/// Returns the facts of a case with these changes, by JSON pointer.
fn facts(changes: &[(&str, Value)]) -> Facts {
    let mut facts = serde_json::from_str::<Value>(CASE).unwrap_or_default()["facts"].take();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
        if let Some(parent) = facts.pointer_mut(parent) {
            parent[key] = value.clone();
        }
    }
    Facts::parse(&facts.to_string(), "facts.json").unwrap_or_else(|error| panic!("{error:?}"))
}

fn no(permission: &str) -> Value {
    json!({"unreadable": {"permission": permission, "answer": "denied"}})
}

#[test]
fn a_part_lacks_what_nobody_could_read() {
    let whole = facts(&[]);
    let lacks = |facts: &Facts| [Part::Request, Part::Source, Part::Target].map(|part| facts.lacks(part));
    assert_eq!(lacks(&whole), [false; 3]);
    let document = json!({"present": {"odd": no("iam:GetUserPolicy")}});
    let cases = [
        ("/answer", json!({"not_sent": "not_the_users"}), [true, false, false]),
        ("/source/user", no("iam:GetUser"), [false, true, false]),
        ("/source/groups", no(""), [false, true, false]),
        (
            "/source/groups",
            json!({"present": {"team": {"inline": no(""), "attached": "absent"}}}),
            [false, true, false],
        ),
        ("/source/policies/inline", document.clone(), [false, true, false]),
        ("/source/mfa_devices", no(""), [false; 3]),
        ("/target/role", no("iam:GetRole"), [false, false, true]),
        ("/target/role", "absent".into(), [false; 3]),
        ("/target/policies/attached", document, [false, false, true]),
    ];
    for (pointer, value, expected) in cases {
        assert_eq!(lacks(&facts(&[(pointer, value.clone())])), expected, "{pointer}: {value}");
    }
}

#[test]
fn what_cannot_be_read_now_stays_with_its_time() {
    let old = facts(&[("/target/read_at", 100.into())]);
    let denied = facts(&[("/target/read_at", 200.into()), ("/target/role", no("iam:GetRole"))]);
    let joined = old.clone().with_target(denied.target);
    assert_eq!(joined.target.role, old.target.role);
    assert_eq!(joined.target.read_at, Some(100));

    let gone = facts(&[("/target/read_at", 200.into()), ("/target/role", "absent".into())]);
    let joined = old.clone().with_target(gone.target.clone());
    assert_eq!(joined.target, gone.target);

    let unknown = facts(&[]).with_target(facts(&[("/target/read_at", 200.into())]).target);
    assert_eq!(unknown.target.read_at, Some(200));
}

#[test]
fn policies_are_joined_one_by_one() {
    let inline =
        |value: Value| facts(&[("/source/policies/inline", json!({"present": value})), ("/source/read_at", 7.into())]);
    let read = json!({"present": {"Version": "2012-10-17", "Statement": []}});
    let joined = inline(json!({"a": read, "gone": read})).with_source(inline(json!({"a": no(""), "b": read})).source);
    let names: Vec<_> = joined.source.policies.inline.present().into_iter().flatten().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b"], "a policy that is gone is gone");
    assert!(!joined.lacks(Part::Source), "a was read before");
}

#[test]
fn a_request_that_was_not_sent_replaces_none_that_was() {
    let sent = facts(&[]);
    let not_sent = facts(&[("/answer", json!({"not_sent": "not_the_users"}))]);
    assert_eq!(sent.with_request(not_sent.clone()), None);
    assert_eq!(not_sent.with_request(sent.clone()).map(|joined| joined.answer), Some(sent.answer.clone()));
    assert_eq!(not_sent.with_request(not_sent.clone()), Some(Facts { joined: true, ..not_sent }));
}

#[test]
fn other_users_and_accounts_are_named() {
    let said = |user: &str, account: &str| {
        let own: Vec<_> = format!("user/{user}").parse().into_iter().collect();
        let account = account.parse().ok();
        facts(&[]).check_principal(&own, account.as_ref(), "x.toml").err().map(|error| error.message)
    };
    assert_eq!(said("alice", "111111111111"), None);
    assert_eq!(said("", ""), None, "a file without them");
    let user = "the facts are about user alice, but the link in `x.toml` is for user bob";
    assert_eq!(said("bob", "111111111111").as_deref(), Some(user));
    let account =
        "the facts are about source account 111111111111, but the link in `x.toml` is for source account 333333333333";
    assert_eq!(said("alice", "333333333333").as_deref(), Some(account));
}
