//! Delays, faults, the record, and the speed of it all.

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

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::*;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE};
use xacct_sandbox::{Fault, FaultKind, Sandbox, World};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn changes_are_honoured_late() {
    let sandbox = Sandbox::builder().propagation(10 * SECOND).start();
    let refused = |answer: Answer| answer.fails(403, "AccessDenied", "not authorized");
    create_role(&sandbox, &trust(A, "{}")).ok();
    grant(&sandbox).ok();
    // Reads see the change, decisions do not.
    call(&sandbox, ADMIN_B, "GetRole", &[("RoleName", "xacct")]).ok();
    refused(assume(&sandbox, ALICE, &[]));
    sandbox.advance(11 * SECOND);
    let session = assume(&sandbox, ALICE, &[]).ok().keys();

    // A changed trust policy: the old one still decides. A new role policy: its absence still decides.
    let narrower = trust(A, r#"{"StringEquals":{"sts:ExternalId":"the-id"}}"#);
    let parameters = [("RoleName", "xacct"), ("PolicyDocument", &*narrower)];
    call(&sandbox, ADMIN_B, "UpdateAssumeRolePolicy", &parameters).ok();
    let document = allow("s3:*", "*");
    let parameters = [("RoleName", "xacct"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    call(&sandbox, ADMIN_B, "PutRolePolicy", &parameters).ok();
    assume(&sandbox, ALICE, &[]).ok();
    let create = |keys: &Keys| s3(&sandbox, keys.clone(), "us-east-1", "PUT", "/bucket-1", &[], "");
    refused(create(&session));
    sandbox.advance(11 * SECOND);
    refused(assume(&sandbox, ALICE, &[]));
    assume(&sandbox, ALICE, &[("ExternalId", "the-id")]).ok();
    create(&session).ok();

    // What is planted by hand is honoured at once.
    call(&sandbox, ADMIN_A, "DeleteUserPolicy", &[("UserName", "alice"), ("PolicyName", "xacct")]).ok();
    assume(&sandbox, ALICE, &[("ExternalId", "the-id")]).ok();
    sandbox.world(|world| world.user_mut(A, "alice").name.len());
    refused(assume(&sandbox, ALICE, &[("ExternalId", "the-id")]));
}

#[test]
fn decisions_flap_for_a_while() {
    let sandbox = Sandbox::builder().propagation(10 * SECOND).flap(10 * SECOND).start();
    link(&sandbox, "{}");
    sandbox.world(|world| world.set_trust_policy(B, "xacct", &serde_json::json!({"Statement": []})));
    let parameters = [("RoleName", "xacct"), ("PolicyDocument", &*trust(A, "{}"))];
    call(&sandbox, ADMIN_B, "UpdateAssumeRolePolicy", &parameters).ok();
    let outcomes = || [(); 4].map(|()| assume(&sandbox, ALICE, &[]).status);
    assert_eq!(outcomes(), [403; 4]);
    sandbox.advance(11 * SECOND);
    assert_eq!(outcomes(), [200, 403, 200, 403]);
    sandbox.advance(10 * SECOND);
    assert_eq!(outcomes(), [200; 4]);
}

#[test]
fn each_half_is_honoured_in_its_own_time() {
    let builder = Sandbox::builder().propagation(10 * SECOND).propagation_of_grants(20 * SECOND);
    let sandbox = builder.propagation_of_permissions(30 * SECOND).start();
    create_role(&sandbox, &trust(A, "{}")).ok();
    grant(&sandbox).ok();
    let document = allow("s3:*", "*");
    let parameters = [("RoleName", "xacct"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
    call(&sandbox, ADMIN_B, "PutRolePolicy", &parameters).ok();
    sandbox.advance(11 * SECOND);
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", "not authorized");
    sandbox.advance(10 * SECOND);
    let session = assume(&sandbox, ALICE, &[]).ok().keys();
    let create = || s3(&sandbox, session.clone(), "us-east-1", "PUT", "/bucket-1", &[], "");
    create().fails(403, "AccessDenied", "not authorized");
    sandbox.advance(10 * SECOND);
    create().ok();
}

#[test]
fn the_old_state_has_its_turn_as_often_as_is_said() {
    let sandbox = Sandbox::builder().flap(10 * SECOND).old_every(3).start();
    create_role(&sandbox, &trust(A, "{}")).ok();
    sandbox.world(|world| world.grant_assume_role(A, "alice", "grant", "arn:aws:iam::222222222222:role/xacct"));
    let narrower = trust(A, r#"{"StringEquals":{"sts:ExternalId":"the-id"}}"#);
    let parameters = [("RoleName", "xacct"), ("PolicyDocument", &*narrower)];
    call(&sandbox, ADMIN_B, "UpdateAssumeRolePolicy", &parameters).ok();
    let outcomes = [(); 6].map(|()| assume(&sandbox, ALICE, &[]).status);
    assert_eq!(outcomes, [403, 403, 200, 403, 403, 200]);
}

#[test]
fn stale_reads() {
    let sandbox = Sandbox::builder().propagation(10 * SECOND).stale_reads(true).start();
    create_role(&sandbox, &trust(A, "{}")).ok();
    let get = || call(&sandbox, ADMIN_B, "GetRole", &[("RoleName", "xacct")]);
    get().fails(404, "NoSuchEntity", "");
    create_role(&sandbox, &trust(A, "{}")).fails(409, "EntityAlreadyExists", "");
    sandbox.advance(11 * SECOND);
    get().ok();
}

#[test]
fn faults_strike_by_operation_and_number() {
    let sandbox = Sandbox::builder()
        .fault(Fault::new("GetRole", FaultKind::Throttle).on_call(1))
        .fault(Fault::new("GetRole", FaultKind::ServerError(500)).on_call(2))
        .fault(Fault::new("GetRole", FaultKind::Reset).on_call(3))
        .fault(Fault::new("GetRole", FaultKind::TruncatedBody).on_call(4))
        .fault(Fault::new("GetRole", FaultKind::NotXml).on_call(5))
        .fault(Fault::new("CreateRole", FaultKind::Reset).on_call(1).after_processing())
        .fault(Fault::new("CreateBucket", FaultKind::Throttle))
        .fault("DeleteRole=error:409:ConcurrentModification:wait".parse().unwrap())
        .start();
    let name = ("RoleName", "OrganizationAccountAccessRole");
    let get = || try_call(&sandbox, ADMIN_B, "GetRole", &[name]);
    get().unwrap().fails(400, "Throttling", "Rate exceeded");
    get().unwrap().fails(500, "ServiceFailure", "");
    assert!(get().is_none(), "the connection is reset");
    let half = get().unwrap();
    assert!(half.body.starts_with("<?xml") && !half.body.contains("</GetRoleResponse>"));
    assert!(get().unwrap().body.starts_with("<html>"));
    get().unwrap().ok();
    let document = trust(A, "{}");
    let parameters = [("RoleName", "xacct"), ("AssumeRolePolicyDocument", &*document)];
    assert!(try_call(&sandbox, ADMIN_B, "CreateRole", &parameters).is_none());
    create_role(&sandbox, &document).fails(409, "EntityAlreadyExists", "");
    let answer = s3(&sandbox, ADMIN_B, "us-east-1", "PUT", "/bucket-1", &[], "");
    answer.fails(503, "SlowDown", "");
    call(&sandbox, ADMIN_B, "DeleteRole", &[name]).fails(409, "ConcurrentModification", "wait");
    sandbox.clear_faults();
    s3(&sandbox, ADMIN_B, "us-east-1", "PUT", "/bucket-1", &[], "").ok();
}

#[test]
fn the_end_does_not_wait_for_what_hangs() {
    let sandbox = Sandbox::builder().fault(Fault::new("*", FaultKind::Hang)).start();
    let port = sandbox.port();
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    while sandbox.requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(sandbox.requests()[0].end, None);
    sandbox.clear_faults();
    call(&sandbox, ALICE, "GetCallerIdentity", &[]).ok();
    let start = Instant::now();
    drop(sandbox);
    assert!(start.elapsed() < SECOND);
    let mut rest = Vec::new();
    // The connection is closed without an answer, politely or not.
    let _ = client.read_to_end(&mut rest);
    assert!(rest.is_empty());
}

#[test]
fn many_clients_at_a_time() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(100)).start();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| call(&sandbox, ALICE, "GetCallerIdentity", &[]).ok());
        }
    });
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(100) && took < SECOND, "{took:?}");
    assert_eq!(sandbox.requests().len(), 20);
}

#[test]
fn starts_fast() {
    let start = || {
        let start = Instant::now();
        let sandbox = Sandbox::start();
        (start.elapsed(), sandbox)
    };
    // A machine that is busy with other things adds to what is measured, so the best of several counts.
    let starts = (0..20).map(|_| start()).min_by_key(|(took, _)| *took);
    let (took, sandbox) = starts.expect("a start");
    assert!(took < Duration::from_millis(50), "{took:?}");
    call(&sandbox, ALICE, "GetCallerIdentity", &[]).ok();
}

#[test]
fn the_record_keeps_what_was_asked_but_no_secret() {
    let sandbox = linked("{}");
    sandbox.clear_requests();
    let code = sandbox.totp("alice");
    let mfa = [("SerialNumber", "arn:aws:iam::111111111111:mfa/alice"), ("TokenCode", &*code)];
    assume(&sandbox, ALICE, &mfa).ok();
    assume(&sandbox, Keys { secret: "wrong".to_owned(), ..ALICE.into() }, &[]);
    let [good, bad] = &sandbox.requests()[..] else { panic!("two requests") };
    assert_eq!((good.service.as_str(), good.operation.as_str(), good.status), ("sts", "AssumeRole", Some(200)));
    assert_eq!(good.principal.as_deref(), Some("arn:aws:iam::111111111111:user/alice"));
    assert_eq!(good.parameter("RoleArn"), Some(ROLE));
    assert_eq!(good.parameter("TokenCode"), Some("(hidden)"));
    assert!(good.end.unwrap() >= good.start && good.sequence < bad.sequence && good.connection < bad.connection);
    assert_eq!((bad.principal.as_deref(), bad.error_code.as_deref()), (None, Some("SignatureDoesNotMatch")));
    assert!(!format!("{:?}", sandbox.world(|world| world.clone())).contains(ALICE.secret));
}

/// A world that was kept is the same world: keys, links, sessions.
#[test]
fn worlds_survive_as_json() {
    let sandbox = linked("{}");
    let session = assume(&sandbox, ALICE, &[]).ok().keys();
    let json = sandbox.world(|world| serde_json::to_string(world).unwrap());
    let again = Sandbox::builder().world(serde_json::from_str::<World>(&json).unwrap()).start();
    call(&again, session, "GetCallerIdentity", &[]).ok();
    assume(&again, ALICE, &[]).ok();
}

#[test]
fn files_and_variables_for_clients() {
    let sandbox = Sandbox::start();
    let directory = tempfile::tempdir().unwrap();
    let files = sandbox.write_aws_files(directory.path()).unwrap();
    let config = std::fs::read_to_string(&files.config).unwrap();
    assert!(config.contains("[profile dev-admin]\nregion = us-east-1\naws_account_id = 222222222222\n"));
    assert!(config.contains("mfa_serial = ") && !config.contains("secret"));
    let environment = sandbox.environment(directory.path());
    assert!(environment.contains(&("AWS_ENDPOINT_URL".to_owned(), sandbox.url().to_owned())));
    assert!(environment.contains(&("AWS_CONFIG_FILE".to_owned(), files.config.display().to_string())));
}
