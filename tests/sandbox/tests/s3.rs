//! Buckets: owners, regions, names.

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

use support::*;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ADMIN_C};

const US: &str = "us-east-1";
const EU: &str = "eu-west-1";

fn create(sandbox: &Sandbox, keys: impl Into<Keys>, region: &str, bucket: &str, constraint: &str) -> Answer {
    let body = match constraint {
        "" => String::new(),
        _ => format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{constraint}\
             </LocationConstraint></CreateBucketConfiguration>"
        ),
    };
    s3(sandbox, keys, region, "PUT", &format!("/{bucket}"), &[], &body)
}

#[test]
fn the_region_must_fit_the_endpoint() {
    let sandbox = Sandbox::start();
    create(&sandbox, ADMIN_B, EU, "bucket-1", EU).ok();
    let illegal = "IllegalLocationConstraintException";
    create(&sandbox, ADMIN_B, EU, "bucket-2", "").fails(400, illegal, "The unspecified location constraint");
    create(&sandbox, ADMIN_B, EU, "bucket-2", "eu-west-2").fails(400, illegal, "The eu-west-2 location constraint");
    create(&sandbox, ADMIN_B, US, "bucket-2", US).fails(400, "InvalidLocationConstraint", "");
    create(&sandbox, ADMIN_B, US, "bucket-2", "").ok();
    create(&sandbox, ADMIN_B, US, "bucket-3", EU).ok();
    assert_eq!(sandbox.world(|world| world.bucket("bucket-3").unwrap().region.clone()), EU);

    let head = |region: &str| s3(&sandbox, ADMIN_B, region, "HEAD", "/bucket-1", &[], "");
    assert!(head(EU).ok().head.contains("x-amz-bucket-region: eu-west-1"));
    let astray = head(US);
    assert_eq!(astray.status, 301);
    assert!(astray.head.contains("x-amz-bucket-region: eu-west-1") && astray.body.is_empty());
    let list = |host: &str, target: &str| s3(&sandbox, ADMIN_B, US, "GET", target, &[("host", host)], "");
    list("127.0.0.1", "/bucket-1").fails(301, "PermanentRedirect", "must be addressed using the specified endpoint");
    let answer = list("bucket-1.localhost", "/");
    answer.fails(400, "AuthorizationHeaderMalformed", "expecting 'eu-west-1'");
    assert_eq!(answer.text("Region").unwrap(), EU);
    list("bucket-2.localhost", "/").ok();
}

#[test]
fn names_are_shared_and_owners_checked() {
    let sandbox = Sandbox::start();
    create(&sandbox, ADMIN_B, US, "bucket-1", "").ok();
    create(&sandbox, ADMIN_C, US, "bucket-1", "").fails(409, "BucketAlreadyExists", "");
    create(&sandbox, ADMIN_B, US, "bucket-1", "").ok();
    create(&sandbox, ADMIN_B, EU, "bucket-1", EU).fails(409, "BucketAlreadyOwnedByYou", "");
    create(&sandbox, ADMIN_B, US, "No", "").fails(400, "InvalidBucketName", "");
    let delete =
        |keys, owner| s3(&sandbox, keys, US, "DELETE", "/bucket-1", &[("x-amz-expected-bucket-owner", owner)], "");
    delete(ADMIN_B, A).fails(403, "AccessDenied", "Access Denied");
    delete(ADMIN_A, B).fails(403, "AccessDenied", "Access Denied");
    sandbox.world(|world| assert_eq!(world.bucket("bucket-1").unwrap().account, B));
    assert_eq!(s3(&sandbox, ADMIN_A, US, "HEAD", "/bucket-1", &[], "").status, 403);
    assert_eq!(s3(&sandbox, ADMIN_A, US, "HEAD", "/bucket-9", &[], "").status, 404);
    s3(&sandbox, ADMIN_B, US, "PUT", "/bucket-1/key", &[], "text").ok();
    delete(ADMIN_B, B).fails(409, "BucketNotEmpty", "");
    assert_eq!(s3(&sandbox, ADMIN_B, US, "GET", "/bucket-1/key", &[], "").ok().body, "text");
    s3(&sandbox, ADMIN_B, US, "DELETE", "/bucket-1/key", &[], "").ok();
    delete(ADMIN_B, B).ok();
    delete(ADMIN_B, B).fails(404, "NoSuchBucket", "");
}

#[test]
fn tags_at_creation_need_their_own_permission() {
    let sandbox = linked("{}");
    sandbox.world(|world| {
        world.role_mut(B, "xacct").unwrap().policies.attached.clear();
        let document = allow("s3:CreateBucket", "arn:aws:s3:::bucket-*");
        world.put_role_policy(B, "xacct", "s3", serde_json::from_str(&document).unwrap());
    });
    let session = assume(&sandbox, xacct_sandbox::world::ALICE, &[]).ok().keys();
    let body =
        "<CreateBucketConfiguration><Tags><Tag><Key>k</Key><Value>v</Value></Tag></Tags></CreateBucketConfiguration>";
    let create = |target: &str, body: &str| s3(&sandbox, session.clone(), US, "PUT", target, &[], body);
    create("/bucket-1", body).fails(
        403,
        "AccessDenied",
        "s3:TagResource on resource: \"arn:aws:s3:::bucket-1\" because",
    );
    create("/other-1", "").fails(
        403,
        "AccessDenied",
        "User: arn:aws:sts::222222222222:assumed-role/xacct/test is not authorized to perform: s3:CreateBucket on resource: \
         \"arn:aws:s3:::other-1\" because no identity-based policy allows the s3:CreateBucket action",
    );
    create("/bucket-1", "").ok();
    create("/bucket-2", "<oops>").fails(400, "MalformedXML", "");

    let tagged = s3(&sandbox, ADMIN_B, US, "PUT", "/bucket-3", &[], body);
    tagged.ok();
    assert_eq!(s3(&sandbox, ADMIN_B, US, "GET", "/bucket-3?tagging", &[], "").ok().text("Value").unwrap(), "v");
}

#[test]
fn account_regional_names() {
    let sandbox = Sandbox::start();
    let regional = [("x-amz-bucket-namespace", "account-regional")];
    let create =
        |name: &str, headers: &[(&str, &str)]| s3(&sandbox, ADMIN_B, US, "PUT", &format!("/{name}"), headers, "");
    create("x-222222222222-us-east-1-an", &regional).ok();
    create("x-333333333333-us-east-1-an", &regional).fails(400, "InvalidBucketNamespace", "");
    create("y-222222222222-us-east-1-an", &[]).fails(400, "MissingNamespaceHeader", "");
}
