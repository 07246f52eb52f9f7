//! What the cases in `tests/cases/evaluate` cannot show: the contents of findings, and that nothing panics.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::pattern::Pattern;
use super::*;

const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

fn policy(value: Value) -> PolicyDocument {
    PolicyDocument::from_value(&value).unwrap()
}

fn request(context: &[(&str, &[&str])]) -> Request {
    let mut values = Context::default();
    for (key, found) in context {
        values.set(key, found.iter().copied());
    }
    Request {
        principal: Principal {
            account: "111111111111".parse().unwrap(),
            arns: BTreeSet::from(["arn:aws:iam::111111111111:user/alice".to_owned()]),
            unique_id: None,
        }
        .into(),
        action: "sts:AssumeRole".to_owned(),
        resource: "arn:aws:iam::222222222222:role/app".to_owned(),
        context: values,
    }
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn a_failed_condition_is_reported_as_written() {
    let policy = policy(json!({"Version": "2012-10-17", "Statement": {
        "Sid": "Trust", "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
        "Condition": {
            "stringEquals": {"STS:ExternalID": ["${aws:username}", "b"]},
            "Bool": {"aws:MultiFactorAuthPresent": true},
        },
    }}));
    let finding = resource_policy(&policy, &request(&[("sts:ExternalId", &["c"])]));
    let condition = |operator: &str, key: &str, wanted: &[&str], found: &[&str]| Mismatch::Condition {
        operator: operator.to_owned(),
        key: key.to_owned(),
        wanted: set(wanted),
        found: found.iter().map(|value| (*value).to_owned()).collect(),
    };
    let expected = StatementFinding {
        sid: Some("Trust".to_owned()),
        effect: Effect::Allow,
        mismatches: vec![
            condition("Bool", "aws:MultiFactorAuthPresent", &["true"], &[]),
            condition("stringEquals", "STS:ExternalID", &["${aws:username}", "b"], &["c"]),
        ],
    };
    assert_eq!(finding, Finding { decision: Decision::ImplicitlyDenied, statements: vec![expected] });
}

#[test]
fn every_statement_is_reported_in_order() {
    let policy = policy(json!({"Statement": [
        {"Sid": "Z", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*"},
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "A", "Effect": "Deny", "NotAction": "iam:*", "Resource": "*"},
    ]}));
    let finding = identity_policy(&policy, &request(&[]));
    let reported: Vec<_> = finding.statements.iter().map(|found| (found.sid.as_deref(), found.applies())).collect();
    assert_eq!(reported, [(Some("Z"), false), (None, true), (Some("A"), true)]);
    assert_eq!(finding.statements[0].mismatches, [Mismatch::Action, Mismatch::Resource]);
    assert_eq!(finding.decision, Decision::ExplicitlyDenied);
}

/// `Principal` is an element of resource policies, which must have it.
#[test]
fn only_resource_policies_match_principals() {
    let with = policy(json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Action": "*"}}));
    let without = policy(json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}));
    let request = request(&[]);
    assert_eq!(identity_policy(&with, &request).decision, Decision::Allowed);
    assert_eq!(identity_policy(&without, &request).decision, Decision::Allowed);
    for policy in [with, without] {
        let finding = resource_policy(&policy, &request);
        assert_eq!(finding.decision, Decision::ImplicitlyDenied);
        assert_eq!(finding.statements[0].mismatches, [Mismatch::Principal]);
    }
}

#[test]
fn any_deny_denies_and_any_allow_allows() {
    use Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
    let together = |decisions: &[Decision]| {
        let of = |decision: &Decision| Finding { decision: *decision, statements: Vec::new() };
        super::together(&decisions.iter().map(of).collect::<Vec<_>>())
    };
    assert_eq!(together(&[]), ImplicitlyDenied);
    assert_eq!(together(&[ImplicitlyDenied]), ImplicitlyDenied);
    assert_eq!(together(&[ImplicitlyDenied, Allowed, ImplicitlyDenied]), Allowed);
    assert_eq!(together(&[Allowed, ExplicitlyDenied, Allowed]), ExplicitlyDenied);
    assert_eq!(together(&[ExplicitlyDenied]), ExplicitlyDenied);
}

#[test]
fn a_key_without_values_is_absent() {
    let mut context = Context::default();
    context.set("aws:TagKeys", ["a", "b"]);
    assert_eq!(context.get("AWS:tagkeys"), ["a", "b"]);
    context.set("AWS:TAGKEYS", [""; 0]);
    assert!(context.get("aws:TagKeys").is_empty());
    assert_eq!(context, Context::default());
}

#[test]
fn every_operator_is_known_with_every_prefix_and_suffix() {
    for name in OPERATORS {
        for prefix in ["", "ForAllValues:", "ForAnyValue:", "forallvalues:"] {
            for suffix in ["", "IfExists", "IFEXISTS"] {
                let operator = format!("{prefix}{name}{suffix}");
                let is_plain = prefix.is_empty() && suffix.is_empty();
                assert_eq!(Test::parse(&operator).is_some(), name != "Null" || is_plain, "{operator}");
            }
        }
        assert_eq!(Test::parse(&name.to_lowercase()), Test::parse(name));
        for wrong in [format!("{name}s"), format!("ForSomeValues:{name}"), format!("ForAnyValue::{name}")] {
            assert_eq!(Test::parse(&wrong), None, "{wrong}");
        }
    }
    for wrong in ["", ":", "IfExists", "ForAnyValue:", "ForAnyValue:IfExists", "StringEqualsIfExistsIfExists"] {
        assert_eq!(Test::parse(wrong), None, "{wrong}");
    }
}

/// A reference matcher for patterns: slow and easy to verify.
fn means(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        (['*', rest @ ..], text) => (0..=text.len()).any(|taken| means(rest, &text[taken..])),
        (['?', rest @ ..], [_, after @ ..]) => means(rest, after),
        ([c, rest @ ..], [found, after @ ..]) => c == found && means(rest, after),
        ([_, ..], []) => false,
    }
}

/// A reference matcher for a resource ARN: a `*` before a colon or the end also matches colons, other wildcards do not.
fn means_resource(pattern: &[char], text: &[char], colons: usize) -> bool {
    let (Some((c, rest)), true) = (pattern.split_first(), colons < 5) else { return means(pattern, text) };
    match (c, text.split_first()) {
        ('*', _) => {
            let is_last = matches!(rest.first(), None | Some(':'));
            let may_take = |taken: &usize| is_last || !text[..*taken].contains(&':');
            (0..=text.len()).filter(may_take).any(|taken| means_resource(rest, &text[taken..], colons))
        }
        (c, Some((found, after))) => {
            let is_same = if *c == '?' { *found != ':' } else { c == found };
            is_same && means_resource(rest, after, colons + usize::from(*c == ':'))
        }
        (_, None) => false,
    }
}

fn close_text(alphabet: &'static [char]) -> impl Strategy<Value = String> {
    vec(select(alphabet), 0..14).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_pattern_matches_what_it_means(pattern in close_text(&['a', 'b', ':', '*', '?']), text in close_text(&['a', 'b', ':'])) {
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        let (wanted, found) = (characters(&pattern), characters(&text));
        prop_assert_eq!(Pattern::with_wildcards(&pattern).matches(&text), means(&wanted, &found));
        let resource = Pattern::of_resource(&pattern, None).unwrap();
        prop_assert_eq!(resource.matches(&text), means_resource(&wanted, &found, 0));
        prop_assert_eq!(Pattern::with_wildcards(&pattern).as_text(), pattern);
    }

    #[test]
    fn patterns_cover_and_overlap_as_the_texts_that_they_match(
        one in close_text(&['a', 'b', '*', '?']), other in close_text(&['a', 'b', '*', '?']), text in close_text(&['a', 'b']),
    ) {
        let (one, other) = (Pattern::with_wildcards(&one), Pattern::with_wildcards(&other));
        let (by_one, by_other) = (one.matches(&text), other.matches(&text));
        prop_assert!(!by_one || !by_other || one.overlaps(&other));
        prop_assert!(!one.covers(&other) || !by_other || by_one);
        prop_assert_eq!(one.overlaps(&other), other.overlaps(&one));
        // A text without wildcards is covered, and overlapped, exactly if it matches.
        let plain = Pattern::with_wildcards(&text);
        prop_assert_eq!(one.overlaps(&plain), by_one);
        prop_assert!(!one.covers(&plain) || by_one);
    }

    #[test]
    fn no_operator_and_no_value_panics(
        operator in prop_oneof![any::<String>(), select(&OPERATORS[..]).prop_map(str::to_owned)],
        prefix in select(&["", "ForAllValues:", "ForAnyValue:"][..]),
        suffix in select(&["", "IfExists"][..]),
        wanted in vec(prop_oneof![any::<String>(), "[0-9T:.+Z/-]{0,12}", "[${}a:,' *?]{0,12}"], 0..3),
        found in vec(prop_oneof![any::<String>(), "[0-9T:.+Z/-]{0,12}"], 0..3),
    ) {
        let mut context = Context::default();
        context.set("a", found.clone());
        if let Some(test) = Test::parse(&format!("{prefix}{operator}{suffix}")) {
            for variables in [false, true] {
                test.is_met(&wanted.iter().cloned().collect(), &found, &Language { variables, context: &context });
            }
        }
    }

    #[test]
    fn no_pattern_panics(pattern in prop_oneof![any::<String>(), "[${}a:,' *?]{0,20}"], text in any::<String>()) {
        let mut context = Context::default();
        context.set("a", [text.clone()]);
        for context in [None, Some(&context)] {
            for pattern in [Pattern::with_variables(&pattern, context), Pattern::of_resource(&pattern, context)] {
                let _ = pattern.map(|pattern| pattern.matches(&text) | pattern.matches_arn(&text));
            }
        }
    }
}
