use serde_json::{Value, json};

use super::*;
use crate::iam::templates::LINK_SID;

fn document(statements: Value) -> PolicyDocument {
    PolicyDocument::from_value(&json!({ "Version": VERSION, "Statement": statements })).unwrap()
}

fn alice() -> BTreeSet<PrincipalArn> {
    BTreeSet::from(["arn:aws:iam::111111111111:user/alice".parse().unwrap()])
}

fn admitting(principal: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" })
}

#[test]
fn statements_that_iam_or_xacct_rejects_are_refused() {
    let good = admitting("arn:aws:iam::999999999999:root");
    let with = |key: &str, value: Value| {
        let mut statement = good.clone();
        statement[key] = value;
        document(json!([good, statement]))
    };
    check(&document(json!([good, { "Effect": "Deny", "Principal": "*", "Action": "sts:*" }]))).unwrap();
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("Principal");
    for (bad, problem) in [
        (document(json!([good, without])), "statement 2 has no principal"),
        (
            document(
                json!([{ "Effect": "Allow", "NotPrincipal": { "AWS": "111111111111" }, "Action": "sts:AssumeRole" }]),
            ),
            "statement 1 allows with NotPrincipal, which IAM rejects",
        ),
        (with("Resource", json!("*")), "statement 2 has a resource"),
        (with("Action", json!(["sts:AssumeRole", "s3:GetObject"])), "statement 2 has the action `s3:GetObject`"),
        (with("Action", json!("*")), "statement 2 has the action `*`"),
        (with("Sid", json!(LINK_SID)), "statement 2 has the Sid `XacctAssumeRole`, which marks xacct's own"),
        (
            with("Principal", json!({ "AWS": ["AIDACKCEVSQ6C2EXAMPLE", "111111111111"] })),
            "statement 2 has the principal `AIDACKCEVSQ6C2EXAMPLE`, a unique ID, which IAM rejects",
        ),
    ] {
        assert_eq!(check(&bad).unwrap_err().problem, problem);
    }
    let named = json!({ "Sid": "A", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole" });
    let twice = document(json!([named, named]));
    assert_eq!(check(&twice).unwrap_err().problem, "statement 2 has the Sid `A` of another statement");
}

#[test]
fn a_variable_in_an_old_version_is_refused() {
    let statement = json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
        "Condition": { "StringNotEquals": { "sts:RoleSessionName": "${aws:username}" } },
    });
    let mut old = document(json!([statement]));
    check(&old).unwrap();
    old.version = None;
    assert!(check(&old).unwrap_err().problem.contains("has another meaning in version 2012-10-17"));
}

#[test]
fn undeclared_statements_are_those_that_would_be_lost() {
    let lost = [
        admitting("arn:aws:iam::999999999999:root"),
        admitting("arn:aws:iam::111111111111:role/ci"),
        json!({ "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" }),
        json!({ "Effect": "Deny", "Principal": { "AWS": "111111111111" }, "Action": "sts:AssumeRole" }),
        json!({
            "Effect": "Allow", "Principal": { "AWS": "111111111111" }, "Action": "sts:AssumeRole",
            "Condition": { "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/ci-*" } },
        }),
    ];
    let replaced = [
        admitting("arn:aws:iam::111111111111:root"),
        admitting("111111111111"),
        admitting("arn:aws:iam::111111111111:user/alice"),
        json!({
            "Effect": "Allow", "Principal": { "AWS": "111111111111" }, "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": "abc" }, "Bool": { "aws:MultiFactorAuthPresent": "true" } },
        }),
        json!({ "Sid": LINK_SID, "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole" }),
    ];
    let declared =
        json!({ "Sid": "Ci", "Effect": "Allow", "Principal": { "AWS": "333333333333" }, "Action": "sts:AssumeRole" });
    // IAM writes an account principal in its long form.
    let as_found = json!({
        "Sid": "Ci", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::333333333333:root" }, "Action": ["sts:AssumeRole"],
    });
    let all: Vec<_> = lost.iter().chain(&replaced).chain([&as_found]).cloned().collect();
    let found = undeclared(&document(all.into()), &document(json!([declared])), &alice());
    assert_eq!(found, document(lost.to_vec().into()));
}
