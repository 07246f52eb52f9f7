//! Measures the time of a policy decision.

#![allow(missing_docs, reason = "criterion's macros make items without")]
#![allow(clippy::expect_used, reason = "the measured policies are valid")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use xacct::iam::evaluate::{Context, Principal, Request, identity_policy};
use xacct::iam::policy::PolicyDocument;

fn request(resource: &str) -> Request {
    let mut context = Context::default();
    context.set("aws:username", ["alice"]);
    context.set("aws:SourceIp", ["203.0.113.5"]);
    Request {
        principal: Principal {
            account: "111111111111".parse().expect("an account ID"),
            arns: ["arn:aws:iam::111111111111:user/alice".to_owned()].into(),
            unique_id: None,
        }
        .into(),
        action: "sts:AssumeRole".to_owned(),
        resource: resource.to_owned(),
        context,
    }
}

/// Returns a policy of 6 KiB, the maximum size of a managed policy.
fn large() -> PolicyDocument {
    let statement = |number: u32| {
        json!({
            "Sid": format!("Statement{number}"),
            "Effect": if number.is_multiple_of(3) { "Deny" } else { "Allow" },
            "Action": ["sts:Assume*", "s3:Get*", "iam:Get*"],
            "Resource": [format!("arn:aws:iam::222222222222:role/team-{number}/*"), "arn:aws:s3:::bucket-${aws:username}/*"],
            "Condition": {"StringLike": {"aws:username": ["a*", "b*"]}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        })
    };
    let of = |count| json!({"Version": "2012-10-17", "Statement": (0..count).map(statement).collect::<Vec<_>>()});
    let sizes = (1..).map(|count| PolicyDocument::from_value(&of(count)).expect("a policy"));
    sizes.take_while(|policy| policy.size() <= 6144).last().expect("a policy of one statement")
}

fn decisions(criterion: &mut Criterion) {
    let (policy, asked) = (large(), request("arn:aws:iam::222222222222:role/app"));
    criterion.bench_function("a policy of 6 KiB", |bencher| {
        bencher.iter(|| identity_policy(black_box(&policy), black_box(&asked)));
    });
    let pattern = format!("arn:aws:iam::222222222222:role/{}b", "a*".repeat(1000));
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": pattern}});
    let policy = PolicyDocument::from_value(&policy).expect("a policy");
    let asked = request(&format!("arn:aws:iam::222222222222:role/{}", "a".repeat(1000)));
    criterion.bench_function("a thousand stars and a thousand characters", |bencher| {
        bencher.iter(|| identity_policy(black_box(&policy), black_box(&asked)));
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);
