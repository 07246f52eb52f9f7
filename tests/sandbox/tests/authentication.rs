//! Who may speak at all.

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
use xacct_sandbox::world::{ADMIN_B, ALICE};

#[test]
fn unknown_key_wrong_secret_and_stray_token() {
    let sandbox = Sandbox::start();
    let with = |id: &str, secret: &str, token: Option<&str>| Keys {
        id: id.to_owned(),
        secret: secret.to_owned(),
        token: token.map(str::to_owned),
    };
    let unknown = with("AKIANOSUCHKEYATALLAA", "x", None);
    let wrong = with(ALICE.id, "wrong", None);
    let stray = with(ALICE.id, ALICE.secret, Some("token"));
    let invalid = "The security token included in the request is invalid.";
    for (keys, status, code, message) in [
        (&unknown, 403, "InvalidClientTokenId", invalid),
        (&wrong, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match"),
        (&stray, 403, "InvalidClientTokenId", invalid),
    ] {
        call(&sandbox, keys.clone(), "GetCallerIdentity", &[]).fails(status, code, message);
        call(&sandbox, keys.clone(), "GetUser", &[]).fails(status, code, message);
    }
    let list = |keys: &Keys| s3(&sandbox, keys.clone(), "us-east-1", "GET", "/", &[], "");
    list(&unknown).fails(403, "InvalidAccessKeyId", "does not exist in our records");
    list(&wrong).fails(403, "SignatureDoesNotMatch", "Check your key and signing method");
    list(&stray).fails(400, "InvalidToken", "malformed or otherwise invalid");
}

#[test]
fn missing_or_broken_authorization() {
    let sandbox = Sandbox::start();
    let host = ("host".to_owned(), "127.0.0.1".to_owned());
    let query = send(&sandbox, "POST", "/", std::slice::from_ref(&host), &form("GetCallerIdentity", &[])).unwrap();
    query.fails(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    send(&sandbox, "GET", "/bucket", std::slice::from_ref(&host), "").unwrap().fails(
        403,
        "AccessDenied",
        "Access Denied",
    );
    let broken = ("authorization".to_owned(), "AWS4-HMAC-SHA256 Credential=x".to_owned());
    let query = send(&sandbox, "POST", "/", &[host, broken], &form("GetUser", &[])).unwrap();
    query.fails(400, "IncompleteSignature", "Authorization header requires 'Signature' parameter.");
    assert!(query.head.contains("x-amzn-requestid"));
}

#[test]
fn signatures_have_a_time_a_region_and_a_payload() {
    let sandbox = Sandbox::start();
    let keys = Keys::from(ALICE);
    let body = form("GetCallerIdentity", &[]);
    let at = |minutes: i64, region: &str| {
        let mut signer = signer(&keys, "sts", region);
        signer.time += time::Duration::minutes(minutes);
        let headers = signer.headers("POST", "/", &[("host", "127.0.0.1")], body.as_bytes());
        send(&sandbox, "POST", "/", &headers, &body).unwrap()
    };
    at(-4, "eu-west-1").ok();
    at(-6, "eu-west-1").fails(403, "SignatureDoesNotMatch", "Signature expired: ");
    at(6, "eu-west-1").fails(403, "SignatureDoesNotMatch", "Signature not yet current: ");
    at(0, "nowhere").fails(403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. ");

    let mut late = signer(&keys, "s3", "us-east-1");
    late.time -= time::Duration::minutes(16);
    let headers = late.headers("GET", "/", &[("host", "127.0.0.1")], b"");
    send(&sandbox, "GET", "/", &headers, "").unwrap().fails(403, "RequestTimeTooSkewed", "too large");

    let headers = signer(&keys, "sts", "us-east-1").headers("POST", "/", &[("host", "127.0.0.1")], body.as_bytes());
    let other = body.replace("Caller", "Killer");
    send(&sandbox, "POST", "/", &headers, &other).unwrap().fails(403, "SignatureDoesNotMatch", "");

    let wrong_hash = ("x-amz-content-sha256", "00");
    s3(&sandbox, ADMIN_B, "us-east-1", "PUT", "/bucket-1", &[wrong_hash], "x").fails(
        400,
        "XAmzContentSHA256Mismatch",
        "",
    );
}

#[test]
fn skewed_server_says_its_time() {
    let sandbox = Sandbox::builder().clock_skew(3600).start();
    let answer = call(&sandbox, ALICE, "GetCallerIdentity", &[]);
    answer.fails(403, "SignatureDoesNotMatch", "Signature expired");
    assert_eq!(answer.head.matches("date: ").count(), 1, "{}", answer.head);
}

#[test]
fn sessions_expire_and_die_with_their_role() {
    let sandbox = linked("{}");
    let session = assume(&sandbox, ALICE, &[("DurationSeconds", "900")]).keys();
    call(&sandbox, session.clone(), "GetCallerIdentity", &[]).ok();
    let tokenless = Keys { token: None, ..session.clone() };
    call(&sandbox, tokenless.clone(), "GetCallerIdentity", &[]).fails(403, "InvalidClientTokenId", "");
    s3(&sandbox, tokenless, "us-east-1", "GET", "/", &[], "").fails(403, "InvalidAccessKeyId", "");

    sandbox.advance(Duration::from_secs(901));
    let expired = "The security token included in the request is expired";
    call(&sandbox, session.clone(), "GetCallerIdentity", &[]).fails(403, "ExpiredToken", expired);
    let answer = s3(&sandbox, session, "us-east-1", "GET", "/", &[], "");
    answer.fails(400, "ExpiredToken", "The provided token has expired.");

    let session = assume(&sandbox, ALICE, &[]).keys();
    sandbox.world(|world| world.delete_role(B, "xacct"));
    create_role(&sandbox, &trust(A, "{}")).ok();
    call(&sandbox, session, "GetCallerIdentity", &[]).fails(403, "InvalidClientTokenId", "");
}

#[test]
fn requests_that_make_no_sense_get_an_answer() {
    let sandbox = Sandbox::start();
    call(&sandbox, ALICE, "NoSuchOperation", &[]).fails(400, "InvalidAction", "Could not find operation");
    call(&sandbox, ADMIN_B, "GetRole", &[]).fails(400, "ValidationError", "Value null at 'roleName'");
    call(&sandbox, ADMIN_B, "ListRoles", &[("MaxItems", "many")]).fails(400, "MalformedInput", "");
    call(&sandbox, ADMIN_B, "ListRoles", &[("Marker", "x")]).fails(400, "ValidationError", "");
    for garbage in
        ["GET / HTTP/1.1\r\nhost: x\r\nauthorization: \u{7f}\r\nconnection: close\r\n\r\n", "nonsense\r\n\r\n"]
    {
        raw(&sandbox, garbage.as_bytes()).unwrap();
    }
    call(&sandbox, ALICE, "GetCallerIdentity", &[]).ok();
}
