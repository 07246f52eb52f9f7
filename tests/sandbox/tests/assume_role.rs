//! Who may assume which role, and what AWS says when they may not.

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

use serde_json::json;
use support::*;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE, BOB, ROOT_A};

const EXTERNAL_ID: &str = r#"{"StringEquals":{"sts:ExternalId":"the-id"}}"#;
const MFA: &str = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
const SERIAL: &str = "arn:aws:iam::111111111111:mfa/alice";

#[track_caller]
fn refused(answer: &Answer) {
    answer.fails(403, "AccessDenied", "");
    let expected = format!(
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    );
    // Across accounts there is no tail: the sides are not told apart.
    assert_eq!(answer.message(), expected);
}

#[test]
fn both_halves_and_the_external_id() {
    let sandbox = Sandbox::start();
    refused(&assume(&sandbox, ALICE, &[]));
    create_role(&sandbox, &trust(A, EXTERNAL_ID)).ok();
    refused(&assume(&sandbox, ALICE, &[("ExternalId", "the-id")]));
    grant(&sandbox).ok();
    let answer = assume(&sandbox, ALICE, &[("ExternalId", "the-id")]).ok();
    assert_eq!(answer.text("Arn").unwrap(), "arn:aws:sts::222222222222:assumed-role/xacct/test");
    assert!(answer.text("PackedPolicySize").is_none());
    refused(&assume(&sandbox, ALICE, &[]));
    refused(&assume(&sandbox, ALICE, &[("ExternalId", "The-Id")]));
    assume(&sandbox, ALICE, &[("ExternalId", "a b")]).fails(400, "ValidationError", "externalId");
    assume(&sandbox, BOB, &[("ExternalId", "the-id")]).fails(403, "AccessDenied", "user/bob");
    assume(&sandbox, ROOT_A, &[]).fails(403, "AccessDenied", "Roles may not be assumed by root accounts.");
}

#[test]
fn mfa() {
    let sandbox = linked(MFA);
    refused(&assume(&sandbox, ALICE, &[]));
    let code = sandbox.totp("alice");
    let with = |serial: &str, code: &str| assume(&sandbox, ALICE, &[("SerialNumber", serial), ("TokenCode", code)]);
    with(SERIAL, &code).ok();
    with(SERIAL, &code).fails(403, "AccessDenied", "invalid MFA one time pass code. ");
    let next = sandbox.totp("alice");
    assert_ne!(code, next);
    with("arn:aws:iam::111111111111:mfa/bob", &next).fails(403, "AccessDenied", "verify your MFA serial number");
    with(SERIAL, "12").fails(400, "ValidationError", "tokenCode");
    with(SERIAL, &next).ok();

    // A session made with MFA counts as well, and one made without does not.
    let code = sandbox.totp("alice");
    let session = call(&sandbox, ALICE, "GetSessionToken", &[("SerialNumber", SERIAL), ("TokenCode", &code)]);
    assume(&sandbox, session.ok().keys(), &[]).ok();
    let session = call(&sandbox, ALICE, "GetSessionToken", &[]).ok().keys();
    refused(&assume(&sandbox, session.clone(), &[]));
    call(&sandbox, session.clone(), "GetSessionToken", &[]).fails(403, "AccessDenied", "session credentials");
    call(&sandbox, session, "GetUser", &[]).fails(403, "InvalidClientTokenId", "");
}

/// `BoolIfExists` lets long-term keys without MFA through, because they lack the key.
#[test]
fn bool_if_exists_is_no_demand() {
    let sandbox = linked(r#"{"BoolIfExists":{"AWS:multifactorauthpresent":"true"}}"#);
    assume(&sandbox, ALICE, &[]).ok();
    let session = call(&sandbox, ALICE, "GetSessionToken", &[]).ok().keys();
    refused(&assume(&sandbox, session, &[]));
}

#[test]
fn denials_boundaries_and_control_policies() {
    let sandbox = linked("{}");
    assume(&sandbox, ALICE, &[]).ok();
    sandbox.world(|world| {
        let boundary = world.add_policy(A, "boundary", serde_json::from_str(&allow("s3:*", "*")).unwrap());
        world.set_user_boundary(A, "alice", Some(&boundary));
    });
    refused(&assume(&sandbox, ALICE, &[]));
    let deny = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}});
    sandbox.world(|world| {
        world.set_user_boundary(A, "alice", None);
        world.put_user_policy(A, "alice", "deny", deny.clone());
    });
    refused(&assume(&sandbox, ALICE, &[]));
    sandbox.world(|world| {
        world.user_mut(A, "alice").policies.inline.remove("deny");
        world.set_service_control_policy(A, "scp", deny.clone());
    });
    let tail = "with an explicit deny in a service control policy";
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", tail);
    sandbox.world(|world| {
        world.account_mut(A).service_control_policies.clear();
        // The target account's own control policy does not judge the call …
        world.set_service_control_policy(
            B,
            "scp",
            json!({"Version": "2012-10-17", "Statement":
            {"Effect": "Deny", "Action": ["sts:*", "s3:CreateBucket"], "Resource": "*"}}),
        );
    });
    let session = assume(&sandbox, ALICE, &[]).ok().keys();
    // … but the session.
    let answer = s3(&sandbox, session, "us-east-1", "PUT", "/bucket-1", &[], "");
    answer.fails(
        403,
        "AccessDenied",
        "s3:CreateBucket on resource: \"arn:aws:s3:::bucket-1\" with an explicit deny in",
    );
    sandbox.world(|world| world.set_resource_control_policy(B, "rcp", deny));
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", "with an explicit deny in a resource control policy");
}

#[test]
fn durations_and_chaining() {
    let sandbox = linked("{}");
    let long = "exceeds the MaxSessionDuration set for this role.";
    assume(&sandbox, ALICE, &[("DurationSeconds", "3601")]).fails(400, "ValidationError", long);
    assume(&sandbox, ALICE, &[("DurationSeconds", "43201")]).fails(
        400,
        "ValidationError",
        "less than or equal to 43200",
    );
    assume(&sandbox, ALICE, &[("DurationSeconds", "1h")]).fails(400, "MalformedInput", "");
    call(&sandbox, ADMIN_B, "UpdateRole", &[("RoleName", "xacct"), ("MaxSessionDuration", "7200")]).ok();
    assume(&sandbox, ALICE, &[("DurationSeconds", "7200")]).ok();

    let first = call(
        &sandbox,
        ADMIN_A,
        "AssumeRole",
        &[("RoleArn", "arn:aws:iam::333333333333:role/OrganizationAccountAccessRole"), ("RoleSessionName", "hop")],
    );
    let first = first.ok().keys();
    sandbox.world(|world| {
        world.set_trust_policy(B, "xacct", &serde_json::from_str(&trust("333333333333", "{}")).unwrap());
    });
    assume(&sandbox, first.clone(), &[]).ok();
    let chained = "exceeds the 1 hour session limit for roles assumed by role chaining.";
    assume(&sandbox, first, &[("DurationSeconds", "7200")]).fails(400, "ValidationError", chained);
}

#[test]
fn tags_and_source_identity_need_both_halves() {
    let sandbox = linked("{}");
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "x")];
    assume(&sandbox, ALICE, &tags).fails(403, "AccessDenied", "sts:TagSession");
    assume(&sandbox, ALICE, &[("SourceIdentity", "alice")]).fails(403, "AccessDenied", "sts:SetSourceIdentity");
    sandbox.world(|world| {
        let action = json!(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]);
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": A}, "Action": action});
        world.set_trust_policy(B, "xacct", &json!({"Version": "2012-10-17", "Statement": [statement]}));
    });
    assume(&sandbox, ALICE, &tags).fails(403, "AccessDenied", "sts:TagSession");
    sandbox.world(|world| {
        let document = allow("sts:*", ROLE);
        world.put_user_policy(A, "alice", "more", serde_json::from_str(&document).unwrap());
    });
    assert!(assume(&sandbox, ALICE, &tags).ok().text("PackedPolicySize").is_some());
    let answer = assume(&sandbox, ALICE, &[("SourceIdentity", "alice")]).ok();
    assert_eq!(answer.text("SourceIdentity").unwrap(), "alice");
}

#[test]
fn session_policies_narrow() {
    let sandbox = linked("{}");
    let only_list = allow("s3:ListAllMyBuckets", "*");
    let session = assume(&sandbox, ALICE, &[("Policy", &only_list)]).ok().keys();
    s3(&sandbox, session.clone(), "us-east-1", "GET", "/", &[], "").ok();
    let tail = "because no session policy allows the s3:CreateBucket action";
    s3(&sandbox, session, "us-east-1", "PUT", "/bucket-1", &[], "").fails(403, "AccessDenied", tail);
    let large = allow(&format!("s3:{}", "x".repeat(2048)), "*");
    assume(&sandbox, ALICE, &[("Policy", &large)]).fails(400, "PackedPolicyTooLarge", "%");
    assume(&sandbox, ALICE, &[("Policy", "{")]).fails(400, "MalformedPolicyDocument", "");
}

/// Within an account, naming the user in the trust policy is enough; naming the account is not.
#[test]
fn same_account() {
    let sandbox = Sandbox::start();
    let role = "arn:aws:iam::111111111111:role/local";
    let assume = || assume(&sandbox, ALICE, &[("RoleArn", role)]);
    let create = |principal: &str| {
        let document = serde_json::from_str(&trust(principal, "{}")).unwrap();
        sandbox.world(|world| world.add_role(A, "local", document).id.clone());
    };
    create(A);
    // STS names neither half, not even within an account.
    let refused = || {
        let answer = assume();
        answer.fails(403, "AccessDenied", "sts:AssumeRole on resource: ");
        assert!(answer.message().ends_with(role), "{}", answer.message());
    };
    refused();
    create("arn:aws:iam::111111111111:user/bob");
    refused();
    create("arn:aws:iam::111111111111:user/alice");
    assume().ok();
}

#[test]
fn arns_of_roles() {
    let sandbox = linked("{}");
    for wrong in ["arn:aws:iam::222222222222:role/XACCT", "arn:aws:iam::222222222222:role/path/xacct"] {
        assume(&sandbox, ADMIN_A, &[("RoleArn", wrong)]).fails(403, "AccessDenied", wrong);
    }
    assume(&sandbox, ALICE, &[("RoleArn", "not-an-arn-but-long-enough")]).fails(400, "ValidationError", "is invalid");
    assume(&sandbox, ALICE, &[("RoleSessionName", "a b")]).fails(400, "ValidationError", "roleSessionName");
    // The session's ARN leaves the path out.
    sandbox.world(|world| {
        let role = world.role_mut(B, "xacct").unwrap();
        role.path = "/team/".to_owned();
    });
    let answer = assume(&sandbox, ADMIN_A, &[("RoleArn", "arn:aws:iam::222222222222:role/team/xacct")]).ok();
    assert_eq!(answer.text("Arn").unwrap(), "arn:aws:sts::222222222222:assumed-role/xacct/test");
}
