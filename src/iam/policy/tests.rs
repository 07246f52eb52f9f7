use std::collections::BTreeSet;
use std::fmt;

use proptest::collection::{btree_map, btree_set, hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;

/// Two statements that together have every kind of element.
const BASE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Trust", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
     "Action": ["sts:AssumeRole", "sts:TagSession"],
     "Condition": {"StringEquals": {"sts:ExternalId": "x1"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}},
    {"Sid": "Rest", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:a", "arn:b"]}
  ]
}"#;

fn parse(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Returns `BASE` with one part replaced.
fn edited(from: &str, to: &str) -> PolicyDocument {
    assert!(BASE.contains(from), "`{from}` is not in the base document");
    parse(&BASE.replacen(from, to, 1))
}

/// Returns a document of one statement with these members.
fn of_statement(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#)
}

#[test]
fn documents_that_iam_treats_alike_are_equal() {
    let cases = [
        (r#""Action": "s3:*""#, r#""Action": ["s3:*"]"#),
        (r#"["sts:AssumeRole", "sts:TagSession"]"#, r#"["sts:TagSession", "sts:AssumeRole"]"#),
        (r#"["arn:a", "arn:b"]"#, r#"["arn:b", "arn:a", "arn:b"]"#),
        (r#""arn:aws:iam::111111111111:root""#, r#""111111111111""#),
        (r#""arn:aws:iam::111111111111:root""#, r#"["111111111111"]"#),
        ("sts:AssumeRole", "STS:assumerole"),
        ("aws:MultiFactorAuthPresent", "AWS:multifactorauthpresent"),
        ("sts:ExternalId", "sts:externalid"),
        (r#""true""#, "true"),
        (r#""true""#, "[true]"),
        (r#""x1""#, r#"["x1"]"#),
        (r#""Principal": "*""#, r#""Principal": {"AWS": "*"}"#),
        (r#""Principal": "*""#, r#""Principal": {"AWS": ["*"]}"#),
        (r#""Sid": "Rest", "Effect": "Deny","#, r#""Effect": "Deny", "Sid": "Rest","#),
        (r#""Version""#, r#""Id": "other", "Version""#),
        ("\n", "\t \r\n\n"),
    ];
    let base = parse(BASE);
    for (from, to) in cases {
        let other = edited(from, to);
        assert!(base.means_the_same_as(&other), "{from} → {to}");
        assert!(other.means_the_same_as(&base), "{to} → {from}");
    }
}

#[test]
fn statements_mean_the_same_in_any_order_and_one_needs_no_list() {
    let base = parse(BASE);
    let mut turned = base.clone();
    turned.statements.reverse();
    assert_ne!(turned, base);
    assert!(turned.means_the_same_as(&base));

    let inner = r#"{"Effect":"Allow","Action":"a:B","Resource":"*"}"#;
    let bare = parse(&format!(r#"{{"Statement":{inner}}}"#));
    assert_eq!(bare, parse(&format!(r#"{{"Statement":[{inner}]}}"#)));
}

#[test]
fn numbers_equal_their_text() {
    let age = |value: &str| {
        let condition = format!(r#""Condition":{{"NumericLessThan":{{"aws:MultiFactorAuthAge":{value}}}}}"#);
        parse(&of_statement(&format!(r#""Effect":"Allow","Action":"a:B","Resource":"*",{condition}"#)))
    };
    assert!(age("3600").means_the_same_as(&age("\"3600\"")));
    assert!(!age("3600").means_the_same_as(&age("\"3601\"")));
}

#[test]
fn documents_that_differ_are_not_equal() {
    let cases = [
        (r#""Effect": "Allow""#, r#""Effect": "Deny""#),
        (r#""Action": "s3:*""#, r#""NotAction": "s3:*""#),
        (r#""Action": "s3:*""#, r#""Action": "s3:Get*""#),
        (r#""Principal": "*""#, r#""NotPrincipal": "*""#),
        (r#""Principal": "*""#, r#""Principal": {"Service": "*"}"#),
        (r#""Principal": "*","#, ""),
        ("111111111111:root", "111111111112:root"),
        ("111111111111:root", "111111111111:user/root"),
        (r#""Resource": ["#, r#""NotResource": ["#),
        (r#"["arn:a", "arn:b"]"#, r#""arn:a""#),
        (r#"["arn:a", "arn:b"]"#, r#"["arn:a", "arn:b", "arn:c"]"#),
        (r#""arn:a""#, r#""arn:A""#),
        (r#""x1""#, r#""x2""#),
        (r#""x1""#, r#""X1""#),
        (r#""x1""#, r#"["x1", "x2"]"#),
        ("StringEquals", "StringLike"),
        (r#""Bool""#, r#""BoolIfExists""#),
        (r#""true""#, r#""false""#),
        (r#", "Bool": {"aws:MultiFactorAuthPresent": "true"}"#, ""),
        (r#""Version": "2012-10-17""#, r#""Version": "2008-10-17""#),
        (r#""Version": "2012-10-17","#, ""),
        (r#""Sid": "Trust""#, r#""Sid": "Other""#),
        (r#""Statement": ["#, r#""Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},"#),
    ];
    let base = parse(BASE);
    for (from, to) in cases {
        let other = edited(from, to);
        assert!(!base.means_the_same_as(&other), "{from} → {to}");
        assert!(!other.means_the_same_as(&base), "{to} → {from}");
    }
}

#[test]
fn no_condition_is_lost_when_keys_differ_in_case_alone() {
    let base = parse(BASE);
    for (from, to) in [
        (r#""sts:ExternalId": "x1""#, r#""sts:ExternalId": "x2", "sts:externalid": "x1""#),
        (r#""StringEquals": {"#, r#""STRINGEQUALS": {"aws:PrincipalTag/a": "b"}, "StringEquals": {"#),
    ] {
        assert!(!base.means_the_same_as(&edited(from, to)), "{to}");
    }
}

#[test]
fn account_principals_have_a_short_and_a_long_form() {
    for same in ["111111111111", "arn:aws:iam::111111111111:root", "arn:aws-eusc:iam::111111111111:root"] {
        assert_eq!(account_principal(same), "111111111111".parse().ok(), "{same}");
    }
    for other in [
        "",
        "*",
        "11111111111",
        "arn:aws:iam::111111111111:user/root",
        "arn:aws:iam::111111111111:root/x",
        "arn:aws:iam:eu-west-1:111111111111:root",
        "arn:aws:sts::111111111111:root",
        "AIDAEXAMPLEEXAMPLE",
    ] {
        assert_eq!(account_principal(other), None, "{other}");
    }
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let statement = |members: &str| of_statement(members);
    let cases = [
        ("[]".to_owned(), "document: must be a JSON object"),
        (r#"{"Version":"2012-10-17"}"#.to_owned(), "document: has no `Statement`"),
        (r#"{"Statement":[]}"#.to_owned(), "Statement: is empty"),
        (r#"{"Statement":"*"}"#.to_owned(), "Statement: must be an object or a list of objects"),
        (
            r#"{"Statements":[]}"#.to_owned(),
            "document: unknown element `Statements`; known elements are Version, Id, Statement",
        ),
        (
            r#"{"Version":"2012-10-18","Statement":[]}"#.to_owned(),
            "Version: is `2012-10-18`, but must be `2012-10-17` or `2008-10-17`",
        ),
        (r#"{"Version":2012,"Statement":[]}"#.to_owned(), "document, Version: must be a string"),
        (
            r#"{"Statement":[{"Effect":"Allow","Action":"a:B"},{"Action":"a:B"}]}"#.to_owned(),
            "statement 2: has no `Effect` (`Allow` or `Deny`)",
        ),
        (
            statement(r#""Effect":"allow","Action":"a:B""#),
            "statement 1, Effect: is `allow`, but must be `Allow` or `Deny`",
        ),
        (
            statement(r#""Effect":"Allow","Actions":"a:B""#),
            "statement 1: unknown element `Actions`; known elements are Sid, Effect, Principal, NotPrincipal, \
             Action, NotAction, Resource, NotResource, Condition",
        ),
        (statement(r#""Effect":"Allow""#), "statement 1: has neither `Action` nor `NotAction`"),
        (
            statement(r#""Effect":"Allow","Action":"a:B","NotAction":"a:C""#),
            "statement 1: has both `Action` and `NotAction`",
        ),
        (
            statement(r#""Effect":"Allow","Action":"a:B","Resource":"*","NotResource":"*""#),
            "statement 1: has both `Resource` and `NotResource`",
        ),
        (
            statement(r#""Effect":"Allow","Action":["a:B",1]"#),
            "statement 1, Action: must be a string or a list of strings",
        ),
        (
            statement(r#""Effect":"Allow","Action":"a:B","Principal":"111111111111""#),
            "statement 1, Principal: must be `\"*\"` or an object such as {\"AWS\": …}",
        ),
        (
            statement(r#""Effect":"Allow","Action":"a:B","Principal":{"aws":"*"}"#),
            "statement 1, Principal: unknown element `aws`; known elements are AWS, Service, Federated, CanonicalUser",
        ),
        (
            statement(r#""Effect":"Allow","Action":"a:B","NotPrincipal":{"AWS":1}"#),
            "statement 1, NotPrincipal, AWS: must be a string or a list of strings",
        ),
        (
            statement(r#""Effect":"Allow","Action":"a:B","Condition":{"Bool":{"aws:SecureTransport":{}}}"#),
            "statement 1, Condition, Bool, aws:SecureTransport: must be a string, number or boolean, or a list of them",
        ),
        (
            statement(r#""Effect":"Allow","Action":"a:B","Condition":{"Bool":"true"}"#),
            "statement 1, Condition, Bool: must be a JSON object",
        ),
        (
            "{\n\"Statement\": \"☃\"}".to_owned(),
            "line 2: contains `\\u{2603}`, but IAM accepts only tab, line breaks and U+0020 to U+00FF",
        ),
        (
            "{}\r\n\u{b}".to_owned(),
            "line 2: contains `\\u{b}`, but IAM accepts only tab, line breaks and U+0020 to U+00FF",
        ),
        (" ".repeat(MAX_DOCUMENT_CHARS + 1), "document: has 131073 characters, IAM accepts at most 131072"),
    ];
    for (text, message) in cases {
        assert_eq!(PolicyDocument::parse(&text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn invalid_json_is_rejected_with_the_position_of_the_parser() {
    let error = PolicyDocument::parse("{\n  \"Version\": }").unwrap_err();
    assert_eq!(error.place, "document");
    assert!(error.problem.starts_with("is not JSON: ") && error.problem.contains("line 2"), "{error}");
}

#[test]
fn latin_1_letters_are_accepted_at_the_length_limit() {
    let members = r#""Sid":"é","Effect":"Allow","Action":"a:B","Resource":"*""#;
    let text = of_statement(members);
    let padding = " ".repeat(MAX_DOCUMENT_CHARS - text.chars().count());
    assert_eq!(parse(&format!("{text}{padding}")).statements.len(), 1);
}

#[test]
fn characters_that_iam_rejects_are_rejected_even_if_escaped() {
    let text = of_statement(r#""Sid":"\u20ac","Effect":"Allow","Action":"a:B","Resource":"*""#);
    let error = PolicyDocument::parse(&text).unwrap_err();
    assert!(error.problem.contains("U+0020 to U+00FF"), "{error}");
}

#[test]
fn size_counts_every_character_but_whitespace() {
    let minified = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:B","Resource":"*"}]}"#;
    let document = parse(minified);
    assert_eq!(document.minified(), minified);
    assert_eq!(document.size(), minified.len());
    assert_eq!(parse(&document.to_string()).size(), minified.len());
    let sized = |sid: &str| {
        let text = format!(r#""Sid":"{sid}","Effect":"Allow","Action":"a:B","Resource":"*""#);
        parse(&of_statement(&text)).size() - minified.len() - r#""Sid":"","#.len()
    };
    for (sid, size) in [("abc", 3), ("a b  c", 3), ("é", 1), (r#"\""#, 2), (r"\n", 2)] {
        assert_eq!(sized(sid), size, "{sid}");
    }
}

#[test]
fn external_ids_are_found_with_any_operator_in_any_case() {
    let text = BASE
        .replace(r#"{"StringEquals": {"sts:ExternalId": "x1"}"#, r#"{"StringLike": {"STS:externalID": ["x1", "x2"]}"#);
    assert_eq!(parse(&text).external_ids(), BTreeSet::from(["x1", "x2"]));
    assert_eq!(parse(BASE).external_ids(), BTreeSet::from(["x1"]));
}

/// Words of the policy language and other words.
fn word() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 23] = [
        "Version",
        "2012-10-17",
        "2008-10-17",
        "Id",
        "Statement",
        "Sid",
        "Effect",
        "Allow",
        "Deny",
        "Principal",
        "NotPrincipal",
        "AWS",
        "Service",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "StringEquals",
        "sts:ExternalId",
        "111111111111",
        "arn:aws:iam::111111111111:root",
        "*",
    ];
    prop_oneof![4 => select(&KNOWN[..]).prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            hash_map(word(), inner, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// JSON with the shape of a policy and anything in its statements.
fn near_policy() -> impl Strategy<Value = Value> {
    let conditions = prop_oneof![any_json(), Just(json!({"Bool": {"aws:MultiFactorAuthPresent": true}}))];
    (option::of(word()), any_json(), any_json(), conditions).prop_map(|(sid, action, resource, condition)| {
        let mut statement = json!({"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition});
        if let (Some(sid), Some(members)) = (sid, statement.as_object_mut()) {
            members.insert("Sid".to_owned(), sid.into());
        }
        json!({"Version": VERSION, "Statement": statement})
    })
}

fn element<T: fmt::Debug + Clone>(inner: impl Strategy<Value = T>) -> impl Strategy<Value = Element<T>> {
    (inner, any::<bool>()).prop_map(|(value, not)| if not { Element::Not(value) } else { Element::Is(value) })
}

fn any_document() -> impl Strategy<Value = PolicyDocument> {
    let text = || "[ -~é]{0,8}";
    let strings = || btree_set(text(), 1..4);
    let kinds = btree_map(
        select(&["AWS", "Service", "Federated"][..]).prop_map(str::to_owned),
        btree_set("[!-)+-~]{1,6}|111111111111", 1..3),
        1..3,
    );
    let principals = prop_oneof![Just(Principals::Everyone), kinds.prop_map(Principals::Listed)];
    let condition = btree_map(text(), btree_map(text(), strings(), 0..3), 0..3);
    let statement = (
        option::of(text()),
        select(&[Effect::Allow, Effect::Deny][..]),
        option::of(element(principals)),
        element(strings()),
        option::of(element(strings())),
        condition,
    )
        .prop_map(|(sid, effect, principal, action, resource, condition)| Statement {
            sid,
            effect,
            principal,
            action,
            resource,
            condition,
        });
    (option::of(select(&[VERSION, "2008-10-17"][..]).prop_map(str::to_owned)), option::of(text()), vec(statement, 1..4))
        .prop_map(|(version, id, statements)| PolicyDocument { version, id, statements })
}

proptest! {
    #[test]
    fn a_document_written_and_read_is_the_same(document in any_document()) {
        prop_assert_eq!(&PolicyDocument::from_value(&document.to_value()), &Ok(document.clone()));
        prop_assert_eq!(&PolicyDocument::parse(&document.minified()), &Ok(document.clone()));
        let pretty = parse(&document.to_string());
        prop_assert!(pretty.means_the_same_as(&document));
        prop_assert_eq!(pretty.size(), document.size());
    }

    #[test]
    fn only_the_order_of_statements_may_change(document in any_document(), added in any_document()) {
        let mut turned = document.clone();
        turned.statements.reverse();
        prop_assert!(turned.means_the_same_as(&document));
        turned.statements.extend(added.statements);
        prop_assert!(!turned.means_the_same_as(&document));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in prop_oneof![any::<String>(), r#"[\[\]{}":,a-zA-Z0-9* \n]{0,60}"#]) {
        let _ = PolicyDocument::parse(&text);
    }

    #[test]
    fn any_json_is_rejected_or_round_trips(value in prop_oneof![any_json(), near_policy()]) {
        if let Ok(document) = PolicyDocument::from_value(&value) {
            prop_assert_eq!(&PolicyDocument::from_value(&document.to_value()), &Ok(document.clone()));
            prop_assert!(document.means_the_same_as(&document));
        }
    }
}

#[test]
fn errors_are_one_short_line() {
    let long = "x\\u001b\\n".repeat(10_000);
    let cases = [
        format!(r#"{{"{long}": 1}}"#),
        format!(r#"{{"Version": "{long}"}}"#),
        of_statement(&format!(r#""Effect": "{long}""#)),
        of_statement(&format!(r#""Effect": "Allow", "Action": "*", "Condition": {{"{long}": {{"{long}": {{}}}}}}"#)),
    ];
    for text in cases {
        let error = PolicyDocument::parse(&text).unwrap_err().to_string();
        assert!(error.chars().count() < 2000 && !error.contains(char::is_control), "{error:.500}");
    }
}
