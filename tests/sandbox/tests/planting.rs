//! What tests plant: sessions, regions that are off, organizations.

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

use std::time::Duration;

use support::*;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ALICE, Session};

impl From<&mut Session> for Keys {
    fn from(session: &mut Session) -> Self {
        let Session { key, token, .. } = session.clone();
        Keys { id: key.id, secret: key.secret, token: Some(token) }
    }
}

#[test]
fn sessions_of_users_and_roles() {
    let sandbox = linked(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#);
    let of_alice = |mfa| sandbox.world(|world| Keys::from(world.issue_user_session(A, "alice", mfa)));
    assume(&sandbox, of_alice(true), &[]).ok();
    assume(&sandbox, of_alice(false), &[]).fails(403, "AccessDenied", "");

    let planted = sandbox.world(|world| {
        let session = world.issue_role_session(B, "xacct", "planted");
        session.source_identity = Some("carol".to_owned());
        session.tags.insert("team".into(), "red".into());
        Keys::from(session)
    });
    let identity = call(&sandbox, planted, "GetCallerIdentity", &[]).ok();
    assert_eq!(identity.text("Arn").unwrap(), "arn:aws:sts::222222222222:assumed-role/xacct/planted");

    let expired = sandbox.world(|world| {
        let session = world.issue_user_session(A, "alice", true);
        session.expire();
        Keys::from(session)
    });
    call(&sandbox, expired, "GetCallerIdentity", &[]).fails(403, "ExpiredToken", "expired");

    // Whoever is missing comes into being.
    let new = sandbox.world(|world| {
        [Keys::from(world.issue_user_session(A, "new", false)), Keys::from(world.issue_role_session(B, "new", "first"))]
    });
    for keys in new {
        call(&sandbox, keys, "GetCallerIdentity", &[]).ok();
    }
}

#[test]
fn issuing_a_session_ends_no_propagation() {
    let sandbox = Sandbox::builder().propagation(Duration::from_secs(60)).start();
    link(&sandbox, "{}");
    // `link` attaches a policy by hand, which settles what came before.
    let document = trust("arn:aws:iam::111111111111:user/bob", "{}");
    let parameters = [("RoleName", "xacct"), ("PolicyDocument", &*document)];
    call(&sandbox, xacct_sandbox::world::ADMIN_B, "UpdateAssumeRolePolicy", &parameters).ok();
    sandbox.world(|world| world.issue_user_session(A, "alice", false).expires);
    assume(&sandbox, ALICE, &[]).ok();
    sandbox.advance(Duration::from_secs(61));
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", "");
}

fn assume_in(sandbox: &Sandbox, region: &str) -> Answer {
    let body = form("AssumeRole", &[("RoleArn", ROLE), ("RoleSessionName", "test")]);
    sign_and_send(sandbox, region, &body)
}

fn sign_and_send(sandbox: &Sandbox, region: &str, body: &str) -> Answer {
    let headers = signer(&ALICE.into(), "sts", region).headers("POST", "/", &[("host", "127.0.0.1")], body.as_bytes());
    send(sandbox, "POST", "/", &headers, body).unwrap()
}

#[test]
fn sts_is_off_where_the_owner_of_the_role_switched_it_off() {
    let sandbox = linked("{}");
    sandbox.world(|world| {
        world.disable_sts(B, "eu-west-1");
        world.disable_sts(A, "eu-central-1");
    });
    let message = "STS is not activated in this region for account:222222222222. Your account administrator can activate \
                   STS in this region using the IAM Console.";
    assume_in(&sandbox, "eu-west-1").fails(403, "RegionDisabledException", message);
    assume_in(&sandbox, "us-east-1").ok();
    // The caller's setting does not matter.
    assume_in(&sandbox, "eu-central-1").ok();
    sign_and_send(&sandbox, "eu-west-1", &form("GetSessionToken", &[])).ok();
    let message = "account:111111111111";
    let own = sign_and_send(&sandbox, "eu-central-1", &form("GetSessionToken", &[]));
    own.fails(403, "RegionDisabledException", message);
}

#[test]
fn regions_that_an_account_has_not_enabled() {
    let sandbox = linked("{}");
    sandbox.world(|world| {
        world.disable_region(A, "me-south-1");
        world.disable_region(B, "af-south-1");
    });
    let invalid = "The security token included in the request is invalid";
    assume_in(&sandbox, "me-south-1").fails(403, "InvalidClientTokenId", invalid);
    let whoami = form("GetCallerIdentity", &[]);
    sign_and_send(&sandbox, "me-south-1", &whoami).fails(403, "InvalidClientTokenId", invalid);
    s3(&sandbox, ALICE, "me-south-1", "GET", "/", &[], "").fails(403, "InvalidAccessKeyId", "");
    sign_and_send(&sandbox, "af-south-1", &whoami).ok();
    assume_in(&sandbox, "af-south-1").fails(403, "RegionDisabledException", "account:222222222222");
    assume_in(&sandbox, "us-east-1").ok();
}

#[test]
fn organizations() {
    let condition = r#"{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}"#;
    let sandbox = linked(condition);
    let organize = |account: &str, id: &str| sandbox.world(|world| world.set_organization(account, id));
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", "");
    organize(A, "o-otherother1");
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", "");
    organize(A, "o-exampleorgid");
    assume(&sandbox, ALICE, &[]).ok();

    let scp = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*",
        "Condition":{"StringNotEquals":{"aws:ResourceOrgID":"${aws:PrincipalOrgID}"}}}]}"#;
    let scp = serde_json::from_str(scp).unwrap();
    sandbox.world(|world| world.set_service_control_policy(A, "perimeter", scp));
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", "explicit deny in a service control policy");
    organize(B, "o-exampleorgid");
    assume(&sandbox, ALICE, &[]).ok();
}
