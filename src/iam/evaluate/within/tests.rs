use serde_json::{Value, json};

use super::*;

fn policy(statements: &Value) -> PolicyDocument {
    PolicyDocument::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

#[track_caller]
fn is_narrower(new: &Value, old: &Value) -> bool {
    allows_only_what(&policy(new), &[&policy(old)])
}

#[test]
fn a_policy_is_within_itself_and_within_what_covers_it() {
    let bucket = "arn:aws:s3:::bucket/*";
    for (new, old) in [
        (allow("s3:GetObject", bucket), allow("s3:GetObject", bucket)),
        (allow("s3:GetObject", bucket), allow("S3:Get*", "arn:aws:s3:::*")),
        (allow("s3:Get*", "*"), allow("*", "*")),
        (json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), allow("*", "*")),
        (
            json!({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
            json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        ),
    ] {
        assert!(is_narrower(&json!([new]), &json!([old])), "{new} is within {old}");
    }
}

#[test]
fn more_actions_resources_or_callers_are_not_within() {
    let bucket = "arn:aws:s3:::bucket/*";
    for (new, old) in [
        (allow("s3:*", bucket), allow("s3:Get*", bucket)),
        (allow("s3:GetObject", "*"), allow("s3:GetObject", bucket)),
        (allow("s3:GetObject", "arn:aws:s3:::${aws:username}/*"), allow("s3:GetObject", "arn:aws:s3:::a*/*")),
        (json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}), allow("s3:*", "*")),
        (
            json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            json!({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
        ),
    ] {
        assert!(!is_narrower(&json!([new]), &json!([old])), "{new} is not within {old}");
    }
}

#[test]
fn a_condition_may_be_added_but_neither_dropped_nor_changed() {
    let on = |region: &str| {
        let condition = json!({"StringEquals": {"aws:RequestedRegion": region}});
        json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": condition}])
    };
    let plain = json!([allow("s3:*", "*")]);
    assert!(is_narrower(&on("eu-central-1"), &plain));
    assert!(!is_narrower(&plain, &on("eu-central-1")));
    assert!(!is_narrower(&on("us-east-1"), &on("eu-central-1")));
}

#[test]
fn a_denial_allows_nothing() {
    let denial = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    assert!(is_narrower(&json!([denial]), &json!([allow("s3:GetObject", "*")])));
    assert!(!is_narrower(&json!([allow("s3:GetObject", "*")]), &json!([denial])));
}

#[test]
fn each_statement_may_be_within_another_policy() {
    let (one, two) = (policy(&json!([allow("s3:*", "*")])), policy(&json!([allow("ec2:*", "*")])));
    let both = policy(&json!([allow("ec2:Describe*", "*"), allow("s3:Get*", "*")]));
    assert!(allows_only_what(&both, &[&one, &two]));
    assert!(!allows_only_what(&both, &[&one]));
}
