//! Causes on this machine: credentials, variables, clock.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;
use xacct_sandbox::world::{ALICE, BOB, Session, World};
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use super::{Broken, add_profile, fails, try_as, verify};
use crate::aws_cli;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};

/// Creates a link and configures this profile as the user's.
fn linked_with_user_profile(profile: &str) -> Scene {
    let scene = Scene::linked("");
    try_as(&scene, profile);
    scene
}

#[test]
fn caller_is_root() {
    verify(linked_with_user_profile("root"), "").only("caller_is_root", "local_configuration").repairs();
}

#[test]
fn caller_is_another_user() {
    let broken = verify(linked_with_user_profile("bob"), "").only("caller_is_another_user", "local_configuration");
    broken.says(&["profile bob", "user/bob"]).repairs();
}

#[test]
fn caller_is_role_session() {
    let scene = linked_with_user_profile("session");
    let session = scene.sandbox.world(|world| world.issue_role_session(ACCOUNT_A, "deployer", "s").clone());
    add_profile(&scene, "session", &session.key.id, &session.key.secret, Some(&session.token));
    let broken = verify(scene, "").only("caller_is_role_session", "local_configuration");
    broken.says(&["assumed-role/deployer/s"]).repairs();
}

/// The file names the operator's profile, which wins over the environment.
#[test]
fn caller_is_another_user_though_the_environment_has_the_users_key() {
    let mut scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.set("AWS_ACCESS_KEY_ID", ALICE.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ALICE.secret);
    let broken = verify(scene, "").only("caller_is_another_user", "local_configuration");
    let step = broken.diagnosis["findings"][0]["fixes"][0]["steps"][0]["run"].as_str().expect("a command");
    assert_eq!(step, "xacct verify 222222222222 --user-profile=-");
    broken.scene.xacct(step.trim_start_matches("xacct ")).exits_with(0);
}

#[test]
fn a_key_of_a_third_in_the_environment_is_no_fix() {
    let mut scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.set("AWS_ACCESS_KEY_ID", BOB.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", BOB.secret);
    let broken = verify(scene, "").only("caller_is_another_user", "local_configuration");
    assert!(!broken.diagnosis.to_string().contains("--user-profile=-"), "{}", broken.diagnosis);
}

/// As in a shell that `xacct exec` started.
#[test]
fn caller_is_the_role() {
    let mut scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    let session = scene.sandbox.world(|world| world.issue_role_session(ACCOUNT_B, "xacct", "alice").clone());
    scene.environment.set("AWS_ACCESS_KEY_ID", &session.key.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", &session.key.secret);
    scene.environment.set("AWS_SESSION_TOKEN", &session.token);
    scene.environment.edit("xacct.toml", "\nprofile = \"security-admin\"", "");
    let broken = verify(scene, "").only("caller_is_the_role", "local_configuration");
    broken.says(&["assumed-role/xacct/alice", "use either xacct exec or"]).repairs();
}

#[test]
fn expired_token() {
    let scene = linked_with_user_profile("session");
    let session = scene.sandbox.world(|world| {
        let session = world.issue_user_session(ACCOUNT_A, "alice", false).clone();
        world.expire_sessions();
        session
    });
    add_profile(&scene, "session", &session.key.id, &session.key.secret, Some(&session.token));
    let broken = fails(scene).only("expired_token", "local_configuration").says(&["profile session"]);
    broken.repairs_by_hand(|scene, step| {
        assert!(step.starts_with("sign in again"), "{step}");
        let new = scene.sandbox.world(|world| world.issue_user_session(ACCOUNT_A, "alice", false).clone());
        scene.environment.edit("aws/credentials", &session.key.id, &new.key.id);
        scene.environment.edit("aws/credentials", &session.key.secret, &new.key.secret);
        scene.environment.edit("aws/credentials", &session.token, &new.token);
    });
}

/// Performs the manual step of a fix with this text.
#[track_caller]
fn repairs_by(broken: Broken, words: &str, does: impl Fn(&Scene)) {
    let mut is_done = false;
    broken.repairs_by_hand(|scene, step| {
        if step == words {
            does(scene);
            is_done = true;
        }
    });
    assert!(is_done, "no step contains: {words}");
}

#[test]
fn unknown_credentials_of_a_key() {
    let scene = Scene::linked("");
    scene.environment.edit("aws/credentials", ALICE.id, "AKIASANDBOXNOBODYAAA");
    let broken = fails(scene).only("unknown_credentials", "local_configuration").says(&["profile alice"]);
    repairs_by(broken, "aws configure --profile alice", |scene| {
        scene.environment.edit("aws/credentials", "AKIASANDBOXNOBODYAAA", ALICE.id);
    });
}

/// AWS answers as if it did not know the key.
#[test]
fn access_key_inactive() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").inactive_keys.insert(ALICE.id.to_owned()));
    let broken = fails(scene).only("access_key_inactive", "source").says(&["profile alice", "is inactive"]);
    let facts = broken.scene.xacct("diagnose --save-facts facts.json").everything();
    assert!(!facts.contains(ALICE.id) && !broken.scene.environment.read("facts.json").contains(ALICE.id));
    let mut is_active = false;
    broken.repairs_by_hand(|scene, step| {
        if let Some((_, command)) = step.split_once("activate it: ") {
            aws_cli::run(scene, "none", &command.replace("KEY_ID", ALICE.id));
            is_active = true;
        }
    });
    assert!(is_active);
}

#[test]
fn user_deleted() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.delete_user(ACCOUNT_A, "alice"));
    let broken = fails(scene).only("user_deleted", "source").says(&["no user alice", "profile alice"]);
    broken.repairs_by_hand(|scene, step| {
        // After its creation, the new key is stored in place of the old one.
        if step.starts_with("then write the grant") {
            scene.sandbox.world(|world| {
                let keys = &mut world.user_mut(ACCOUNT_A, "alice").keys;
                assert_eq!(keys.len(), 1);
                *keys = vec![ALICE.into()];
                world.add_mfa_device(ACCOUNT_A, "alice", vec![7; 20]);
            });
        }
    });
}

/// The operator sees that it is none of the user's keys, and without the permission says so.
#[test]
fn an_unknown_key_is_looked_for_among_those_of_the_user() {
    let scene = Scene::linked("");
    scene.environment.edit("aws/credentials", ALICE.id, "AKIASANDBOXNOBODYAAA");
    scene.xacct("diagnose").exits_with(3).says(&["it is none of the access keys that user alice has now"]);
    let message = "User: arn:aws:iam::111111111111:user/admin is not authorized to perform: iam:ListAccessKeys";
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: message.to_owned() };
    scene.sandbox.add_fault(Fault::new("ListAccessKeys", denied));
    scene.xacct("diagnose").exits_with(3).says(&["the access keys of user alice: allow iam:ListAccessKeys"]);
}

#[test]
fn unknown_credentials_of_a_session() {
    let scene = linked_with_user_profile("session");
    let session = scene.sandbox.world(|world| world.issue_user_session(ACCOUNT_A, "alice", false).clone());
    add_profile(&scene, "session", &session.key.id, &session.key.secret, Some("malformed"));
    let broken = fails(scene).only("unknown_credentials", "local_configuration").says(&["token", "profile session"]);
    repairs_by(broken, "renew the session of profile session", |scene| {
        scene.environment.edit("aws/credentials", "malformed", &session.token);
    });
}

#[test]
fn wrong_secret() {
    let scene = Scene::linked("");
    scene.environment.edit("aws/credentials", ALICE.secret, "another/secret");
    let broken = fails(scene).only("wrong_secret", "local_configuration").says(&["profile alice"]);
    repairs_by(broken, "aws configure --profile alice", |scene| {
        scene.environment.edit("aws/credentials", "another/secret", ALICE.secret);
    });
}

#[test]
fn a_profile_named_after_the_user_with_another_users_key() {
    let scene = Scene::linked("");
    scene.environment.edit("aws/credentials", ALICE.id, BOB.id);
    scene.environment.edit("aws/credentials", ALICE.secret, BOB.secret);
    let broken = verify(scene, "").only("caller_is_another_user", "local_configuration");
    repairs_by(broken, "aws configure --profile alice", |scene| {
        let bobs = format!("[alice]\naws_access_key_id = {}\naws_secret_access_key = {}\n", BOB.id, BOB.secret);
        let own = format!("[alice]\naws_access_key_id = {}\naws_secret_access_key = {}\n", ALICE.id, ALICE.secret);
        scene.environment.edit("aws/credentials", &bobs, &own);
    });
}

#[test]
fn clock_skew() {
    // The SDK corrects clock skew from AWS's answer. Here AWS rejects the request anyway.
    for message in [
        "Signature expired: 20260101T000000Z is now earlier than 20260101T005500Z (20260101T010000Z - 5 min.)",
        "Signature not yet current: 20260101T010000Z is still later than 20260101T000500Z (20260101T000000Z + 5 min.)",
    ] {
        let scene = Scene::linked("");
        for operation in ["GetCallerIdentity", "AssumeRole"] {
            let kind = FaultKind::Error { status: 403, code: "SignatureDoesNotMatch".into(), message: message.into() };
            scene.sandbox.add_fault(Fault::new(operation, kind));
        }
        fails(scene).only("clock_skew", "local_configuration").repairs();
    }
}

#[test]
fn a_clock_skew_that_the_sdk_corrects_is_not_a_cause() {
    for seconds in [3600, -3600] {
        let scene = Scene::of(Sandbox::builder().clock_skew(seconds));
        scene.link("");
        scene.xacct("diagnose").exits_with(0);
    }
}

#[test]
fn environment_hides_profile() {
    let mut scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    scene.environment.set("AWS_PROFILE", "alice");
    scene.environment.set("AWS_ACCESS_KEY_ID", BOB.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", BOB.secret);
    let broken = verify(scene, "").only("environment_hides_profile", "local_configuration");
    broken.says(&["AWS_ACCESS_KEY_ID", "profile alice", "user/bob"]).repairs();
}

/// Serves these credentials as the endpoint of a container does, for as long as the test runs.
fn container(session: &Session) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let uri = format!("http://{}/credentials", listener.local_addr().expect("an address"));
    let Session { key, token, .. } = session;
    let body = json!({
        "AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": token, "Expiration": "2099-01-01T00:00:00Z",
    })
    .to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    uri
}

#[test]
fn machine_role_hides_profile() {
    let mut scene = Scene::linked("");
    let principals = scene.sandbox.world(World::add_principals);
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    scene.environment.append("aws/config", "\n[profile empty]\nregion = us-east-1\n");
    scene.environment.set("AWS_PROFILE", "empty");
    scene.environment.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container(&principals.terraform));
    let broken = verify(scene, "").only("machine_role_hides_profile", "local_configuration");
    broken.says(&["the role of this container, because profile empty has none", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
}

#[test]
fn no_credentials() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "user_profile = \"empty\"\n");
    scene.environment.append("aws/config", "\n[profile empty]\nregion = us-east-1\n");
    let broken = super::try_with(scene, "diagnose", 1).only("no_credentials", "local_configuration");
    broken.repairs();
}

/// The trust policy is judged without the user's credentials, and without a Region that anything names.
#[test]
fn no_credentials_and_no_region() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "user_profile = \"empty\"\n");
    scene.environment.append("aws/config", "\n[profile empty]\noutput = json\n");
    scene.environment.edit("xacct.toml", "region = \"us-east-1\"\n", "");
    super::try_with(scene, "diagnose", 1).only("no_credentials", "local_configuration");
}
