//! Answers as they were recorded from AWS, and the settings that bring them about.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use support::*;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE};

#[test]
fn sts_rejects_tags_that_contradict_each_other() {
    let sandbox = linked("{}");
    let twice = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
        ("Tags.member.2.Key", "TEAM"),
        ("Tags.member.2.Value", "b"),
    ];
    assume(&sandbox, ALICE, &twice).fails(400, "InvalidParameterValue", "Duplicate tag keys found");
    let transitive = [("TransitiveTagKeys.member.1", "team")];
    assume(&sandbox, ALICE, &transitive).fails(400, "InvalidParameterValue", "must be included");
}

#[test]
fn a_session_of_get_session_token_lasts_an_hour_in_a_role() {
    let sandbox = linked("{}");
    sandbox.world(|world| world.role_mut(B, "xacct").unwrap().max_session_duration = 43_200);
    let session = call(&sandbox, ALICE, "GetSessionToken", &[]).ok().keys();
    let hours = [("DurationSeconds", "7200")];
    assume(&sandbox, ALICE, &hours).ok();
    assume(&sandbox, session.clone(), &hours).fails(400, "ValidationError", "1 hour session limit");
    assume(&sandbox, session, &[]).ok();
}

#[test]
fn a_new_role_shows_its_unique_id_for_a_while() {
    let sandbox = Sandbox::builder().unique_ids(Duration::from_secs(10)).start();
    create_role(&sandbox, &trust(A, "{}")).ok();
    let arn = || call(&sandbox, ADMIN_B, "GetRole", &[("RoleName", "xacct")]).ok().text("Arn").unwrap();
    assert!(arn().starts_with("AROA"), "{}", arn());
    sandbox.advance(Duration::from_secs(11));
    assert_eq!(arn(), ROLE);
}

#[test]
fn tails_name_the_policy_that_denies() {
    let sandbox = linked("{}");
    let deny =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:CreateBucket", "Resource": "*"}});
    let session = assume(&sandbox, ALICE, &[]).ok().keys();
    let create = || s3(&sandbox, session.clone(), "us-east-1", "PUT", "/bucket-1", &[], "");
    let arn = sandbox.world(|world| {
        let arn = world.add_policy(B, "no-buckets", deny.clone());
        world.attach_role_policy(B, "xacct", &arn);
        arn
    });
    create().fails(403, "AccessDenied", &format!("with an explicit deny in an identity-based policy: {arn}"));
    sandbox.world(|world| world.set_service_control_policy(B, "guard", deny));
    let scp = "service control policy: arn:aws:organizations::999999999999:policy/o-sandbox1234/service_control_policy/p-guard";
    create().fails(403, "AccessDenied", scp);
}

#[test]
fn a_bucket_of_ones_own_again_in_us_east_1() {
    let sandbox = linked("{}");
    let session = assume(&sandbox, ALICE, &[]).ok().keys();
    let tags =
        "<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>";
    let create = |body: &str| s3(&sandbox, session.clone(), "us-east-1", "PUT", "/bucket-1", &[], body);
    create("").ok();
    create("").ok();
    create(tags).fails(409, "BucketAlreadyOwnedByYou", "");
}

#[test]
fn each_mistake_with_a_namespace_has_its_code() {
    let sandbox = linked("{}");
    let session = assume(&sandbox, ALICE, &[]).ok().keys();
    let create = |name: &str, namespace: Option<&str>| {
        let header: Vec<_> = namespace.map(|namespace| ("x-amz-bucket-namespace", namespace)).into_iter().collect();
        s3(&sandbox, session.clone(), "us-east-1", "PUT", &format!("/{name}"), &header, "")
    };
    let regional = "a-222222222222-us-east-1-an";
    create(regional, None).fails(400, "MissingNamespaceHeader", "");
    create(regional, Some("global")).fails(400, "InvalidNamespaceHeader", "");
    create(regional, Some("mine")).fails(400, "InvalidNamespaceHeader", "");
    create("a-111111111111-us-east-1-an", Some("account-regional")).fails(400, "InvalidBucketNamespace", "");
    create("bucket", Some("account-regional")).fails(400, "InvalidBucketNamespace", "");
    create(regional, Some("account-regional")).ok();
}

#[test]
fn a_new_account_has_no_s3_yet() {
    let sandbox = linked("{}");
    sandbox.world(|world| world.set_not_signed_up(B, true));
    let session = assume(&sandbox, ALICE, &[]).ok().keys();
    let create = || s3(&sandbox, session.clone(), "us-east-1", "PUT", "/bucket-1", &[], "");
    create().fails(403, "NotSignedUp", "not signed up for the S3 service");
    sandbox.world(|world| world.set_not_signed_up(B, false));
    create().ok();
}

#[test]
fn sessions_of_the_global_endpoint_are_unknown_in_opt_in_regions() {
    let sandbox = linked("{}");
    let create = |keys: &Keys, region: &str| s3(&sandbox, keys.clone(), region, "GET", "/", &[], "");
    sandbox.world(|world| world.be_global_endpoint(true));
    let old = assume(&sandbox, ALICE, &[]).ok().keys();
    create(&old, "eu-west-1").ok();
    create(&old, "ap-east-1").fails(400, "InvalidToken", "malformed or otherwise invalid");
    sandbox.world(|world| world.be_global_endpoint(false));
    let new = assume(&sandbox, ALICE, &[]).ok().keys();
    create(&new, "ap-east-1").ok();
}

#[test]
fn documents_come_back_as_sent_but_for_the_order_of_principals() {
    let sandbox = Sandbox::start();
    let (one, two) = ("arn:aws:iam::111111111111:root", "arn:aws:iam::333333333333:root");
    let sent = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": [one, two]},
        "Action": ["sts:AssumeRole"], "Condition": {"StringEquals": {"sts:ExternalId": ["abc"]}}}]});
    create_role(&sandbox, &sent.to_string()).ok();
    let mut orders = BTreeSet::new();
    for _ in 0..4 {
        let answer = call(&sandbox, ADMIN_B, "GetRole", &[("RoleName", "xacct")]).ok();
        let mut read = answer.document("AssumeRolePolicyDocument");
        let principals = read["Statement"][0]["Principal"]["AWS"].take();
        orders.insert(principals.to_string());
        let mut found: Vec<_> = principals.as_array().unwrap().clone();
        found.sort_by_key(ToString::to_string);
        read["Statement"][0]["Principal"]["AWS"] = found.into();
        assert_eq!(read, sent);
    }
    assert_eq!(orders.len(), 2, "{orders:?}");
    let policy =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}});
    let parameters = [("UserName", "alice"), ("PolicyName", "p"), ("PolicyDocument", &*policy.to_string())];
    call(&sandbox, ADMIN_A, "PutUserPolicy", &parameters).ok();
    let read = call(&sandbox, ADMIN_A, "GetUserPolicy", &[("UserName", "alice"), ("PolicyName", "p")]).ok();
    assert_eq!(read.document("PolicyDocument"), policy);
}
