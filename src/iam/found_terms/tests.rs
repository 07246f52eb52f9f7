use serde_json::{Value, json};

use super::*;
use crate::iam::policy::VERSION;

const ROOT: &str = "arn:aws:iam::111111111111:root";
const ALICE: &str = "arn:aws:iam::111111111111:user/alice";
const BOB: &str = "arn:aws:iam::111111111111:user/bob";
const VENDOR: &str = "arn:aws:iam::999999999999:root";

fn document(statements: &Value) -> PolicyDocument {
    PolicyDocument::from_value(&json!({ "Version": VERSION, "Statement": statements })).unwrap()
}

fn alice() -> BTreeSet<PrincipalArn> {
    BTreeSet::from([ALICE.parse().unwrap()])
}

fn admitting(principal: impl Into<Value>, conditions: &Value) -> Value {
    let principal: Value = principal.into();
    let mut statement = json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" });
    if *conditions != json!({}) {
        statement["Condition"] = conditions.clone();
    }
    statement
}

fn terms(statements: &Value) -> FoundTerms {
    FoundTerms::of(&document(statements), &alice()).unwrap()
}

/// Returns the external ID, MFA, whether only the user is trusted, and what cannot be expressed.
fn in_short(terms: &FoundTerms) -> (Option<&str>, bool, bool, Vec<&str>) {
    let inexpressible = terms.inexpressible.iter().map(String::as_str).collect();
    (terms.external_ids.first().map(ExternalId::as_str), terms.require_mfa, terms.is_restricted, inexpressible)
}

#[test]
fn what_a_link_can_express_is_read_however_it_is_written() {
    let none = || Vec::new();
    for (principal, conditions, expected) in [
        (json!(ROOT), json!({}), (None, false, false, none())),
        (json!("111111111111"), json!({}), (None, false, false, none())),
        (json!(ALICE), json!({}), (None, false, true, none())),
        (json!([ALICE, ROOT]), json!({}), (None, false, false, none())),
        (json!(ROOT), json!({ "StringEquals": { "STS:externalid": ["abc"] } }), (Some("abc"), false, false, none())),
        (
            json!(ROOT),
            json!({ "StringEquals": { "sts:ExternalId": ["a1", "b2"] } }),
            (Some("a1"), false, false, none()),
        ),
        (json!(ROOT), json!({ "StringLike": { "sts:ExternalId": "abc" } }), (Some("abc"), false, false, none())),
        (json!(ROOT), json!({ "Bool": { "aws:MultiFactorAuthPresent": true } }), (None, true, false, none())),
        (json!(ROOT), json!({ "ArnLike": { "aws:PrincipalArn": ALICE } }), (None, false, true, none())),
        (
            json!(ROOT),
            json!({
                "StringEquals": { "sts:ExternalId": "abc", "aws:PrincipalArn": ALICE },
                "Bool": { "aws:MultiFactorAuthPresent": "true" },
            }),
            (Some("abc"), true, true, none()),
        ),
    ] {
        let found = terms(&json!([admitting(principal, &conditions)]));
        assert_eq!(in_short(&found), expected, "{conditions}");
        assert_eq!(found.others.statements, []);
    }
}

#[test]
fn what_no_link_can_express_is_named_and_still_says_what_the_terms_are() {
    for (conditions, expected) in [
        (
            json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }),
            (None, false, false, vec![r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#]),
        ),
        (
            json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "true" } }),
            (None, true, false, vec![r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#]),
        ),
        (
            json!({ "StringNotEquals": { "sts:ExternalId": "abc" } }),
            (None, false, false, vec![r#"{"StringNotEquals":{"sts:ExternalId":"abc"}}"#]),
        ),
        (
            json!({ "ArnEquals": { "aws:PrincipalArn": [ALICE, BOB] } }),
            (
                None,
                false,
                true,
                vec![
                    r#"{"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::111111111111:user/alice","arn:aws:iam::111111111111:user/bob"]}}"#,
                ],
            ),
        ),
    ] {
        assert_eq!(in_short(&terms(&json!([admitting(ROOT, &conditions)]))), expected, "{conditions}");
    }
    let other = terms(&json!([admitting(ROOT, &json!({ "ArnEquals": { "aws:PrincipalArn": BOB } }))]));
    assert_eq!((other.only_other.as_deref(), other.is_restricted), (Some(BOB), false));
    let mut every_action = admitting(ROOT, &json!({}));
    every_action["Action"] = json!("sts:*");
    assert_eq!(terms(&json!([every_action])).inexpressible, [r#"{"Action":["sts:*"]}"#]);
}

#[test]
fn a_policy_that_does_not_admit_the_user_has_no_terms() {
    let denying = json!({ "Effect": "Deny", "Principal": { "AWS": ROOT }, "Action": "sts:AssumeRole" });
    let tagging = json!({ "Effect": "Allow", "Principal": { "AWS": ROOT }, "Action": "sts:TagSession" });
    let everyone = json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" });
    let service = json!({
        "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole",
    });
    let statements =
        json!([denying, tagging, everyone, service, admitting(BOB, &json!({})), admitting(VENDOR, &json!({}))]);
    assert_eq!(FoundTerms::of(&document(&statements), &alice()), None);
}

/// Another statement than the link's may have an external ID of its own, or require MFA.
#[test]
fn the_statements_of_others_say_nothing_about_the_link_and_are_all_kept() {
    let vendor = admitting(VENDOR, &json!({ "StringEquals": { "sts:ExternalId": "of-the-vendor" } }));
    let limited = admitting(ROOT, &json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }));
    let own = admitting(ROOT, &json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }));
    let found = terms(&json!([vendor, limited, own]));
    assert_eq!(in_short(&found), (None, true, false, Vec::new()), "one that a link can express is preferred");
    assert_eq!(found.others, document(&json!([vendor, limited])));

    let mut marked = limited.clone();
    marked["Sid"] = json!("XacctAssumeRole");
    let found = terms(&json!([own, marked]));
    assert!(!found.require_mfa, "xacct's own is preferred");
    assert_eq!((found.inexpressible.len(), found.others), (1, document(&json!([own]))));
}

#[test]
fn a_statement_that_allows_more_is_split() {
    let mut both = admitting(json!([ROOT, VENDOR]), &json!({ "StringEquals": { "sts:ExternalId": "abc" } }));
    both["Sid"] = json!("Both");
    both["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
    let found = terms(&json!([both]));
    assert_eq!(in_short(&found), (Some("abc"), false, false, Vec::new()));
    let (mut theirs, mut tags) = (both.clone(), both);
    theirs["Principal"] = json!({ "AWS": VENDOR });
    tags["Principal"] = json!({ "AWS": ROOT });
    tags["Action"] = json!("sts:TagSession");
    tags.as_object_mut().unwrap().remove("Sid");
    assert_eq!(found.others, document(&json!([theirs, tags])));
}

#[test]
fn session_tags_are_read_where_a_link_would_write_the_same() {
    let tags = json!({
        "Effect": "Allow", "Principal": { "AWS": ROOT }, "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
    });
    let found = terms(&json!([admitting(ROOT, &json!({})), tags]));
    assert_eq!((found.session_tags, found.others.statements.len()), (true, 0));
    let mut in_one = tags.clone();
    in_one["Action"] = json!(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]);
    let found = terms(&json!([in_one]));
    assert_eq!((found.session_tags, found.others.statements.len()), (true, 0));
    let mut only_tags = tags;
    only_tags["Action"] = json!("sts:TagSession");
    let found = terms(&json!([admitting(ROOT, &json!({})), only_tags]));
    assert_eq!((found.session_tags, found.others), (false, document(&json!([only_tags]))));
}
