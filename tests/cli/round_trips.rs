//! Requests run concurrently, none is repeated, and few connections are opened. With a latency much longer than
//! everything else, overlapping requests count as one round trip.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::json;
use xacct_sandbox::world::World;
use xacct_sandbox::{RecordedRequest, Sandbox, most_at_once, steps};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, Scene};
use crate::support::Tls;
use crate::support::policies::document;
use crate::sweep::plant;

const LATENCY: Duration = Duration::from_millis(300);

fn slow() -> Scene {
    Scene::of(Sandbox::builder().latency(LATENCY))
}

#[track_caller]
fn assert_steps(scene: &Scene, most: usize) {
    let requests = scene.sandbox.requests();
    let names = |step: Vec<&RecordedRequest>| step.into_iter().map(|it| it.operation.clone()).collect::<Vec<_>>();
    let steps: Vec<_> = steps(&requests).into_iter().map(names).collect();
    assert!(steps.len() <= most, "{} steps, at most {most} are needed: {steps:#?}", steps.len());
}

#[test]
fn a_new_link_takes_five_round_trips() {
    let scene = slow();
    scene.bootstrap("--external-id abc --no-verify").exits_with(0);
    assert_steps(&scene, 5);
}

/// Whoever gets the link: the reads of a role, a group or a permission set are beside those of the target.
#[test]
fn a_new_link_takes_no_more_round_trips_for_other_principals() {
    for principal in ["role/ci/terraform", "group/deployers", "permission-set/Deployer"] {
        let scene = slow();
        scene.sandbox.world(World::add_principals);
        let words = BOOTSTRAP.replace("--user alice", &format!("--principal {principal}"));
        let code = if principal.starts_with("permission-set") { 5 } else { 0 };
        scene.xacct(&format!("{words} --external-id abc --no-verify")).exits_with(code);
        assert_steps(&scene, 5);
    }
}

#[test]
fn a_check_without_drift_takes_three_round_trips() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    scene.xacct("bootstrap --check").exits_with(0);
    assert_steps(&scene, 3);
    // It looks for orphans meanwhile, with one list in each account.
    assert_eq!(scene.requests("GetAccountAuthorizationDetails").len(), 2);
    assert_overlap(&scene, "GetAccountAuthorizationDetails", "GetUserPolicy");
    assert_overlap_of_last(&scene, "GetAccountAuthorizationDetails", "GetRole");
}

#[test]
fn verify_takes_four_round_trips() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    scene.xacct("verify").exits_with(0);
    assert_steps(&scene, 4);
}

/// All policy types are read on both sides: the grant is in a group policy, and the role's boundary is too narrow.
fn plant_policies(scene: &Scene) {
    scene.sandbox.world(|world| {
        let some = |action: &str| {
            let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
            document(json!([statement]))
        };
        world.user_mut(ACCOUNT_A, "alice").policies.inline.remove("xacct");
        for name in ["one", "two", "three"] {
            world.put_user_policy(ACCOUNT_A, "alice", name, some("s3:Get*"));
            world.put_role_policy(ACCOUNT_B, "xacct", name, some("s3:Get*"));
        }
        for action in ["ec2:*", "sqs:*"] {
            let arn = world.add_policy(ACCOUNT_A, &action[..3], some(action));
            world.attach_user_policy(ACCOUNT_A, "alice", &arn);
        }
        for group in ["team", "all"] {
            let arn = world.add_policy(ACCOUNT_A, group, some("ses:*"));
            let group = world.add_to_group(ACCOUNT_A, "alice", group);
            group.policies.attached.insert(arn);
            group.policies.attached.insert("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned());
            group.policies.inline.insert("more".to_owned(), some("sns:*"));
        }
        let arn = world.add_policy(ACCOUNT_A, "limits", some("s3:*"));
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&arn));
        let arn = world.add_policy(ACCOUNT_B, "limits", some("ec2:*"));
        world.set_role_boundary(ACCOUNT_B, "xacct", Some(&arn));
        world.attach_role_policy(ACCOUNT_B, "xacct", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    });
}

#[test]
fn diagnose_takes_three_round_trips() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    plant_policies(&scene);
    let document = scene.xacct_json("diagnose", 3);
    let findings = document["targets"][ACCOUNT_B]["diagnosis"]["findings"].to_string();
    assert!(findings.contains("grant_absent") && findings.contains("boundary_cuts"), "{document:#}");
    assert_steps(&scene, 3);
}

#[test]
fn diagnose_with_enter_role_takes_three_round_trips() {
    let scene = slow();
    let words = BOOTSTRAP.replace("--target-profile dev-admin", "--enter-role OrganizationAccountAccessRole");
    scene.xacct(&format!("{words} --external-id abc --no-verify")).exits_with(0);
    plant_policies(&scene);
    scene.sandbox.clear_requests();
    scene.xacct("diagnose").exits_with(3);
    assert_steps(&scene, 3);
}

/// Lists and looks into the bucket, then lists and looks into it once more, and deletes it.
#[test]
fn sweep_takes_six_round_trips() {
    let scene = slow();
    scene.link("--no-verify");
    plant(&scene, ACCOUNT_B, "xacct-verify-222222222222-abcdefghijkm", "us-east-1", 2);
    scene.xacct("sweep --all --yes").exits_with(0);
    assert_eq!(scene.buckets(), 0);
    assert_overlap(&scene, "GetCallerIdentity", "ListBuckets");
    assert_overlap_of_last(&scene, "ListBuckets", "GetBucketTagging");
    assert_steps(&scene, 6);
}

/// ListMFADevices runs concurrently with GetCallerIdentity.
#[test]
fn diagnose_with_mfa_takes_three_round_trips() {
    let scene = slow();
    scene.link("--require-mfa --external-id abc --no-verify");
    scene.environment.edit("aws/config", "mfa_serial = arn:aws:iam::111111111111:mfa/alice\n", "");
    let devices = json!({"Effect": "Allow", "Action": "iam:ListMFADevices", "Resource": "*"});
    let devices = document(devices);
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "devices", devices));
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("diagnose --mfa-code {code}")).exits_with(0);
    assert_eq!(scene.requests("GetSessionToken").len(), 1);
    assert_steps(&scene, 3);
}

/// Only the role is missing, so xacct searches for similar role names.
#[test]
fn diagnose_of_a_missing_role_takes_three_round_trips() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    scene.xacct("diagnose").exits_with(3);
    assert_steps(&scene, 3);
}

/// Creates links to two targets.
fn link_two(scene: &Scene) {
    let both = "bootstrap --yes --target-account 222222222222,333333333333 --user alice --user-profile alice --profile \
                security-admin --enter-role OrganizationAccountAccessRole --external-id abc --no-verify";
    scene.xacct(both).exits_with(0);
    scene.sandbox.clear_requests();
}

#[test]
fn two_targets_take_no_more_round_trips() {
    let scene = slow();
    link_two(&scene);
    scene.xacct("verify").exits_with(0);
    assert_steps(&scene, 4);
}

/// The operator enters each account, so the target accounts take one round trip more than the source account.
#[test]
fn live_reads_both_accounts_concurrently() {
    let scene = slow();
    link_two(&scene);
    scene.xacct("list --live").exits_with(0);
    assert_eq!(scene.requests("GetUser").len(), 1);
    assert_overlap(&scene, "GetUser", "AssumeRole");
    assert_steps(&scene, 6);
}

#[test]
fn several_links_share_what_was_read_of_the_source_account() {
    let scene = slow();
    link_two(&scene);
    let is_shared = |words: &str, exit_code| {
        scene.sandbox.clear_requests();
        scene.xacct(words).exits_with(exit_code);
        for operation in ["GetUser", "ListUserPolicies", "ListAttachedUserPolicies", "ListGroupsForUser"] {
            assert_eq!(scene.requests(operation).len(), 1, "{words}: {operation}");
        }
    };
    is_shared("diagnose", 0);
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    is_shared("diagnose", 3);
    is_shared("verify", 3);
}

#[test]
fn get_caller_identity_runs_concurrently_with_the_session() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    scene.xacct("verify").exits_with(0);
    assert_overlap(&scene, "GetCallerIdentity", "AssumeRole");
}

#[test]
fn grant_and_role_are_read_and_written_concurrently() {
    let scene = slow();
    scene.xacct(BOOTSTRAP).exits_with(0);
    let again = &scene.requests("GetUserPolicy")[1];
    assert!(overlap(again, &scene.requests("CreateRole")[0]), "{again:#?}");
    assert_overlap(&scene, "PutUserPolicy", "PutRolePolicy");
}

#[test]
fn rejections_are_tested_concurrently_with_the_bucket() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    scene.xacct("verify").exits_with(0);
    let bucket = &scene.requests("CreateBucket")[0];
    let refusals: Vec<_> = scene.requests("AssumeRole").into_iter().skip(1).collect();
    assert_eq!(refusals.len(), 2);
    for refusal in refusals {
        assert!(overlap(&refusal, bucket), "{refusal:#?} {bucket:#?}");
    }
}

/// Counts requests by operation, parameters and principal.
fn calls(requests: &[RecordedRequest]) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for RecordedRequest { operation, parameters, principal, .. } in requests {
        *calls.entry(format!("{operation} {parameters:?} by {principal:?}")).or_default() += 1;
    }
    calls
}

#[track_caller]
fn assert_none_twice(requests: &[RecordedRequest]) {
    let mut calls = calls(requests);
    calls.retain(|_, times| *times > 1);
    assert!(calls.is_empty(), "repeated requests: {calls:#?}");
}

#[test]
fn verify_repeats_no_request() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    scene.xacct("verify").exits_with(0);
    let requests = scene.sandbox.requests();
    assert_none_twice(&requests);
    // One session per test, the bucket, GetCallerIdentity, and the trust policy.
    assert_eq!(requests.len(), 8, "{:#?}", calls(&requests));
}

/// The trust policy is read while the role is assumed, or beside the bucket.
#[test]
fn reading_the_trust_policy_adds_no_round_trip() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    scene.xacct("verify --probe identity").exits_with(0);
    assert_overlap(&scene, "GetRole", "AssumeRole");
    assert_steps(&scene, 2);
    scene.sandbox.clear_requests();
    let read = json!([{"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}]);
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "read", document(read)));
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"\n", "profile = \"gone\"\n");
    scene.xacct("verify --probe identity").exits_with(0).says(&["ok  nobody else"]);
    assert_steps(&scene, 2);
}

#[test]
fn diagnose_repeats_no_request() {
    let scene = slow();
    scene.link("--external-id abc --no-verify");
    plant_policies(&scene);
    scene.xacct("diagnose").exits_with(3);
    assert_none_twice(&scene.sandbox.requests());
}

/// Everything read before the first write is read once more after the last one.
#[test]
fn bootstrap_repeats_only_reads_of_its_writes() {
    let scene = slow();
    scene.bootstrap("--external-id abc --no-verify").exits_with(0);
    let mut requests = scene.sandbox.requests();
    let is_write = |request: &RecordedRequest| ["Create", "Put"].iter().any(|verb| request.operation.starts_with(verb));
    let writes: Vec<_> = requests.iter().filter(|request| is_write(request)).cloned().collect();
    assert_eq!(writes.len(), 3, "{writes:#?}");
    // Other runs write the grant too, so it is read again right before the write.
    let written = requests.iter().position(|request| request.operation == "PutUserPolicy").expect("the grant, written");
    let read = requests[..written].iter().rposition(|request| request.operation == "GetUserPolicy");
    requests.remove(read.expect("the grant, read"));
    let first = writes.iter().map(|write| write.start).min().expect("a write");
    let (before, after): (Vec<_>, Vec<_>) = requests.into_iter().partition(|request| request.start < first);
    assert_none_twice(&before);
    assert_none_twice(&after);
}

/// Only new changes are tested twice: a single success may come from a server that is ahead of others.
#[test]
fn bootstrap_tests_each_session_twice_and_repeats_nothing_else() {
    let scene = slow();
    scene.bootstrap("--external-id abc --no-verify").exits_with(0);
    let made = calls(&scene.sandbox.requests());
    let scene = slow();
    scene.bootstrap("--external-id abc").exits_with(0);
    let mut proof = calls(&scene.sandbox.requests());
    proof.retain(|call, _| !made.contains_key(call));
    let (sessions, others): (Vec<_>, Vec<_>) = proof.iter().partition(|(call, _)| call.starts_with("AssumeRole "));
    assert_eq!(sessions.iter().map(|(_, times)| **times).collect::<Vec<_>>(), [2, 2, 2], "{proof:#?}");
    assert!(others.len() == 4 && others.iter().all(|(_, times)| **times == 1), "{proof:#?}");
    // Reads, CreateRole, attachments beside the grant, AssumeRole, and three for the bucket. The reads after the writes and the
    // second session run beside those.
    assert_steps(&scene, 7);
}

fn connections(requests: &[RecordedRequest]) -> usize {
    requests.iter().map(|request| request.connection).collect::<BTreeSet<_>>().len()
}

/// HTTP/1.1, which IAM, STS and S3 use, allows one request at a time per connection.
#[test]
fn opens_no_more_connections_than_concurrent_requests() {
    let scene = slow();
    scene.bootstrap("--external-id abc").exits_with(0);
    let requests = scene.sandbox.requests();
    let (opened, most) = (connections(&requests), most_at_once(&requests));
    assert!(opened <= most, "{opened} connections for {} requests, {most} at once", requests.len());
}

#[test]
fn all_clients_and_accounts_share_tls_connections() {
    let mut scene = slow();
    let tls = Tls::before(&scene.sandbox);
    scene.environment.write("ca.pem", &tls.authority);
    let bundle = scene.environment.path("ca.pem").display().to_string();
    scene.environment.set("AWS_ENDPOINT_URL", &tls.url);
    scene.environment.set("AWS_CA_BUNDLE", &bundle);
    scene.bootstrap("--external-id abc --no-verify").exits_with(0);
    let opened = tls.connections();
    let most = most_at_once(&scene.sandbox.requests());
    assert!(opened <= most, "{opened} connections, {most} requests at once");
    scene.sandbox.clear_requests();
    scene.xacct("verify").exits_with(0);
    let opened = tls.connections() - opened;
    // Four requests at once; one more where a busy machine returns a connection too late. The benchmark counts exactly.
    assert!(opened <= 5, "{opened} connections for {} requests", scene.sandbox.requests().len());
    assert_steps(&scene, 4);
}

/// For a client, two names of one server are two hosts.
#[test]
fn connects_to_s3_while_assuming_the_role() {
    let mut scene = slow();
    scene.link("--external-id abc --no-verify");
    let tls = Tls::before(&scene.sandbox);
    scene.environment.write("ca.pem", &tls.authority);
    let bundle = scene.environment.path("ca.pem").display().to_string();
    scene.environment.set("AWS_CA_BUNDLE", &bundle);
    scene.environment.set("AWS_ENDPOINT_URL", &tls.url);
    scene.environment.set("AWS_ENDPOINT_URL_S3", &tls.url.replace("127.0.0.1", "localhost"));
    tls.set_latency(LATENCY);
    scene.xacct("verify").exits_with(0);
    let heads = scene.requests("HeadBucket");
    let [ahead, gone] = heads.as_slice() else { panic!("{heads:#?}") };
    assert!(ahead.principal.is_none() && gone.principal.is_some(), "{heads:#?}");
    let (assumed, created) = (&scene.requests("AssumeRole")[0], &scene.requests("CreateBucket")[0]);
    assert!(overlap(ahead, assumed), "{ahead:#?} {assumed:#?}");
    assert_eq!((created.connection, gone.connection), (ahead.connection, ahead.connection));
}

/// Puts a TLS proxy before each of IAM, STS and S3, to which a connect, a handshake and a request take a round trip each.
fn on_three_hosts(scene: &mut Scene) -> Vec<Tls> {
    let tls: Vec<_> = ["IAM", "STS", "S3"].into_iter().map(|service| (service, Tls::before(&scene.sandbox))).collect();
    let authorities: String = tls.iter().map(|(_, tls)| tls.authority.as_str()).collect();
    scene.environment.write("ca.pem", &authorities);
    let bundle = scene.environment.path("ca.pem").display().to_string();
    scene.environment.set("AWS_CA_BUNDLE", &bundle);
    for (service, tls) in &tls {
        scene.environment.set(&format!("AWS_ENDPOINT_URL_{service}"), &tls.url);
        tls.set_latency(LATENCY * 2);
    }
    tls.into_iter().map(|(_, tls)| tls).collect()
}

/// Runs xacct and returns the round trips that it took, connections included.
fn round_trips(scene: &Scene, words: &str) -> f64 {
    let start = Instant::now();
    scene.xacct(words).exits_with(0);
    start.elapsed().as_secs_f64() / LATENCY.as_secs_f64()
}

/// The benchmark measures exactly. Other tests run beside this one, so it leaves room for less than two more, and one of three
/// attempts must be that fast.
#[test]
fn connections_are_opened_before_they_are_needed() {
    let attempts = (0..3).map(|_| {
        let mut scene = slow();
        let _hosts = on_three_hosts(&mut scene);
        let create = format!("{BOOTSTRAP} --external-id abc");
        // Two for connections, then reads, CreateRole, attachments, AssumeRole, and three for the bucket.
        is_fast(&scene, &create, 9.0)?;
        is_fast(&scene, "verify", 6.0)?;
        is_fast(&scene, "exec -- /bin/true", 3.0)?;
        // The look at the grant is beside nothing.
        scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
        is_fast(&scene, "bootstrap --yes", 9.0)
    });
    let slow: Vec<_> = attempts.map_while(Result::err).collect();
    assert!(slow.len() < 3, "{slow:#?}");
}

/// Whether it takes as many round trips as it needs, and the connection to S3 is open before the role is assumed.
fn is_fast(scene: &Scene, words: &str, least: f64) -> Result<(), String> {
    scene.sandbox.clear_requests();
    let taken = round_trips(scene, words);
    if !(least - 0.1..least + 1.9).contains(&taken) {
        return Err(format!("{words}: {taken:.2} round trips, {least} are needed"));
    }
    let Some(created) = scene.requests("CreateBucket").pop() else { return Ok(()) };
    let ahead = &scene.requests("HeadBucket")[0];
    assert!(ahead.principal.is_none() && ahead.connection == created.connection, "{words}: {ahead:#?}");
    assert!(ahead.start < scene.requests("AssumeRole")[0].end.expect("an answer"), "{words}: {ahead:#?}");
    Ok(())
}

#[track_caller]
fn assert_overlap(scene: &Scene, one: &str, other: &str) {
    let (one, other) = (&scene.requests(one)[0], &scene.requests(other)[0]);
    assert!(overlap(one, other), "{one:#?} {other:#?}");
}

#[track_caller]
fn assert_overlap_of_last(scene: &Scene, one: &str, other: &str) {
    let (one, other) = (scene.requests(one).pop(), scene.requests(other).pop());
    let (one, other) = (one.expect("a request"), other.expect("a request"));
    assert!(overlap(&one, &other), "{one:#?} {other:#?}");
}

fn overlap(one: &RecordedRequest, other: &RecordedRequest) -> bool {
    one.end.is_some_and(|end| other.start < end) && other.end.is_some_and(|end| one.start < end)
}

/// Reads, looks right before, removes the role's policies, the role, the grant, and reads twice: at once and after a pause.
#[test]
fn a_teardown_takes_eight_round_trips() {
    let scene = slow();
    scene.link("--external-id abc --no-verify --policy-arn ReadOnlyAccess --probe bucket");
    scene.xacct("teardown --all --yes").exits_with(0);
    assert_overlap(&scene, "DeleteRolePolicy", "DetachRolePolicy");
    // The role is read back beside the look at the grant.
    assert_steps(&scene, 8);
}
