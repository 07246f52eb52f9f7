//! A role that exists is narrowed before it is opened, and opened before it may do more: a write that fails or hangs
//! leaves it as shut as it was.

use std::time::Duration;

use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind, Sandbox, World};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, side_by_side, trust};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const BOUNDARY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// What takes over the administrators' role, capped.
const ADOPT: &str = "--adopt --allow-weaker --no-verify --external-id abc --permissions-boundary ReadOnlyAccess --policy-arn PowerUserAccess";

fn shut() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole",
    }]})
}

/// A role of administrators that nobody in the source account may assume.
fn plant_administrators(world: &mut World) {
    world.add_role(ACCOUNT_B, "xacct", shut());
    world.attach_role_policy(ACCOUNT_B, "xacct", ADMINISTRATOR);
    world.put_role_policy(
        ACCOUNT_B,
        "xacct",
        "xacct-old",
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
        ]}),
    );
}

fn is_open(scene: &Scene) -> bool {
    scene.trust_policy() != shut()
}

/// The record of the policies is written beside them.
fn writes_but_tags(scene: &Scene) -> Vec<String> {
    let mut writes = scene.iam_writes();
    writes.retain(|operation| operation != "TagRole");
    writes
}

fn refused() -> FaultKind {
    FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() }
}

/// The flaw that this is about: the cap is refused while the trust policy goes through beside it.
#[test]
fn where_what_narrows_is_refused_nobody_gets_in() {
    side_by_side(&["PutRolePermissionsBoundary", "DeleteRolePolicy"], |operation| {
        let scene = Scene::of(Sandbox::builder().plant(plant_administrators).fault(Fault::new(*operation, refused())));
        scene.bootstrap(ADOPT).exits_with(1).says(&["not tried: replace the trust policy of role xacct"]);
        assert!(!is_open(&scene), "{operation}");
        assert_eq!(scene.requests("PutUserPolicy").len(), 0, "{operation}");
        assert!(scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_none()));
    });
}

#[test]
fn while_what_narrows_is_slow_nobody_gets_in() {
    let slow = Fault::new("PutRolePermissionsBoundary", FaultKind::Delay(Duration::from_millis(800)));
    let scene = Scene::of(Sandbox::builder().plant(plant_administrators).fault(slow));
    scene.bootstrap(ADOPT).exits_with(0);
    let end = |operation: &str| scene.requests(operation).last().and_then(|request| request.end).expect(operation);
    let start = |operation: &str| scene.requests(operation).first().expect(operation).start;
    for narrowing in ["PutRolePermissionsBoundary", "DeleteRolePolicy"] {
        assert!(end(narrowing) <= start("UpdateAssumeRolePolicy"), "{narrowing}");
    }
    assert!(end("UpdateAssumeRolePolicy") <= start("AttachRolePolicy"));
    assert!(end("AttachRolePolicy") <= start("PutUserPolicy"), "the grant comes last");
    let role = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned()).expect("the role");
    assert_eq!(role.boundary.as_deref(), Some(BOUNDARY));
}

/// Strangers of the old trust policy are out before the role may do more.
#[test]
fn where_the_trust_policy_is_refused_the_role_gains_nothing() {
    let scene = Scene::of(
        Sandbox::builder().plant(plant_administrators).fault(Fault::new("UpdateAssumeRolePolicy", refused())),
    );
    scene.bootstrap(ADOPT).exits_with(1).says(&["not tried: attach", "done: set boundary"]);
    for widening in ["AttachRolePolicy", "PutRolePolicy", "TagRole", "PutUserPolicy"] {
        assert_eq!(scene.requests(widening).len(), 0, "{widening}");
    }
}

/// A working link keeps what it may do: what is no longer wanted goes after what takes its place is seen.
#[test]
fn where_nobody_new_gets_in_policies_are_put_and_read_back_before_others_go() {
    let scene = Scene::linked("--no-verify --external-id abc");
    let words = "bootstrap --yes --allow-weaker --no-verify --policy-arn PowerUserAccess";
    scene.xacct(words).exits_with(0);
    assert_eq!(writes_but_tags(&scene), ["AttachRolePolicy", "DeleteRolePolicy"]);
    let requests = scene.sandbox.requests();
    let at = |operation: &str| requests.iter().position(|request| request.operation == operation).expect(operation);
    let between = &requests[at("AttachRolePolicy")..at("DeleteRolePolicy")];
    assert!(between.iter().any(|request| request.operation == "ListAttachedRolePolicies"), "{between:#?}");
}

/// One target that fails keeps its place out of the grant, and no other.
#[test]
fn a_role_that_could_not_be_narrowed_is_not_granted_beside_others() {
    let denied = Fault::new("PutRolePermissionsBoundary", refused());
    let scene = Scene::of(Sandbox::builder().plant(plant_administrators).fault(denied));
    let words = "bootstrap --yes --allow-weaker --adopt --no-verify --target-account 222222222222,333333333333 --user alice \
                 --user-profile alice --profile security-admin --enter-role OrganizationAccountAccessRole \
                 --permissions-boundary ReadOnlyAccess";
    scene.xacct(words).exits_with(1);
    assert!(!is_open(&scene));
    assert_eq!(scene.granted(), ["arn:aws:iam::333333333333:role/xacct"]);
}

#[test]
fn the_trust_policy_of_a_working_link_is_narrowed_before_the_role_may_do_more() {
    let scene = Scene::linked("--no-verify --external-id abc");
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({}))));
    scene.xacct("bootstrap --yes --allow-weaker --no-verify --policy-arn PowerUserAccess").exits_with(0);
    assert_eq!(writes_but_tags(&scene), ["UpdateAssumeRolePolicy", "AttachRolePolicy", "DeleteRolePolicy"]);
}
