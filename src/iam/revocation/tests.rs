use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::iam::templates::revoke_sessions;

/// What the console writes (IAM User Guide, "Revoke IAM role temporary security credentials").
fn console() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Deny",
            "Action": ["*"],
            "Resource": ["*"],
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-29T18:00:00.123Z"}}
        }]
    })
}

fn before(policy: &Value) -> Option<OffsetDateTime> {
    revoked_before(&PolicyDocument::from_value(policy).unwrap())
}

#[test]
fn recognizes_its_own_and_the_consoles_policy() {
    let time = datetime!(2026-11-29 18:00 UTC);
    assert_eq!(revoked_before(&revoke_sessions(time)), Some(time));
    assert_eq!(before(&console()).map(in_words).as_deref(), Some("2026-11-29T18:00:00Z"));
}

/// A policy that does anything else besides is not taken for a revocation, whatever it is called.
#[test]
fn recognizes_nothing_else() {
    let changes: [(&str, Value); 6] = [
        ("/Statement/0/Effect", json!("Allow")),
        ("/Statement/0/Action", json!("s3:*")),
        ("/Statement/0/Resource", json!("arn:aws:s3:::bucket")),
        ("/Statement/0/Condition", json!({"DateGreaterThan": {"aws:TokenIssueTime": "2026-11-29T18:00:00Z"}})),
        ("/Statement/0/Condition", json!({"DateLessThan": {"aws:CurrentTime": "2026-11-29T18:00:00Z"}})),
        (
            "/Statement/0/Condition",
            json!({
                "DateLessThan": {"aws:TokenIssueTime": "2026-11-29T18:00:00Z"},
                "StringEquals": {"aws:userid": "x"},
            }),
        ),
    ];
    for (place, value) in changes {
        let mut policy = console();
        *policy.pointer_mut(place).unwrap() = value.clone();
        assert_eq!(before(&policy), None, "{place}: {value}");
    }
    let mut policy = console();
    let more = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    policy["Statement"].as_array_mut().unwrap().push(more);
    assert_eq!(before(&policy), None);
}
