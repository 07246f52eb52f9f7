//! Evaluation time grows at most linearly with the size of policies and patterns.

use std::time::Duration;

use serde_json::{Value, json};
use xacct::iam::admission::of_trust;
use xacct::iam::arn::RoleArn;
use xacct::iam::evaluate::identity_policy;

use crate::scene::{Asked, document, request};
use crate::support::growth::{assert_linear, fastest};

/// Returns the time of one decision: the fastest of several runs.
fn duration(policy: &Value, resource: &str) -> Duration {
    let policy = document(policy);
    let request = request(&Asked { resource: resource.to_owned(), ..Asked::default() });
    fastest(20, || {
        std::hint::black_box(identity_policy(std::hint::black_box(&policy), &request));
    })
}

fn policy(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[test]
fn time_is_linear_in_statements() {
    let statement = json!({
        "Effect": "Allow",
        "Action": ["sts:Assume*", "s3:*Object"],
        "Resource": "arn:aws:iam::222222222222:role/*${aws:PrincipalTag/team, 'x'}",
        "Condition": {"StringLike": {"aws:username": ["a*", "*b"]}},
    });
    assert_linear("statements", 250, |size| duration(&policy(vec![statement.clone(); size]), crate::ROLE));
}

#[test]
fn time_is_linear_in_values() {
    assert_linear("values", 250, |size| {
        let values: Vec<_> = (0..size).map(|number| format!("arn:aws:iam::222222222222:role/{number}*")).collect();
        duration(&policy(vec![json!({"Effect": "Allow", "Action": "*", "Resource": values})]), crate::ROLE)
    });
}

#[test]
fn time_is_bounded_for_pathological_patterns() {
    let resource = format!("arn:aws:iam::222222222222:role/{}", "a".repeat(500));
    assert_linear("a*a*a*…b", 250, |size| {
        let pattern = format!("arn:aws:iam::222222222222:role/{}b", "a*".repeat(size / 2));
        duration(&policy(vec![json!({"Effect": "Allow", "Action": "*", "Resource": pattern})]), &resource)
    });
}

/// Trust policies several times as long as the highest quota, 4,096 characters.
#[test]
fn the_largest_trust_policies_are_reduced_in_time() {
    let (role, names): (RoleArn, Vec<_>) =
        (crate::ROLE.parse().unwrap(), (0..30).map(|name| format!("arn:aws:iam::999999999999:role/{name}")).collect());
    let condition = |operator: &str| json!({operator: {"aws:PrincipalArn": names}});
    let allow = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Condition": condition("ArnLike")});
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": condition("ArnNotLike")});
    let several = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:*"});
    let policies = [vec![allow; 12], [vec![several.clone(); 6], vec![deny; 6]].concat(), vec![several; 200]];
    for statements in policies {
        let policy = document(&policy(statements));
        let duration = fastest(1, || {
            std::hint::black_box(of_trust(std::hint::black_box(&policy), &role));
        });
        assert!(duration < Duration::from_secs(10), "{duration:?}");
    }
}

#[test]
fn time_is_linear_in_text_length() {
    let pattern = format!("arn:aws:iam::222222222222:role/{}b", "a*".repeat(100));
    let policy = policy(vec![json!({"Effect": "Allow", "Action": "*", "Resource": pattern})]);
    assert_linear("text", 250, |size| {
        duration(&policy, &format!("arn:aws:iam::222222222222:role/{}", "a".repeat(size)))
    });
}
