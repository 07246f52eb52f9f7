//! `GetAccountAuthorizationDetails`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and what it prints is shown when it fails"
)]

mod support;

use serde_json::json;
use support::*;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ALICE};

const OPERATION: &str = "GetAccountAuthorizationDetails";

#[test]
fn has_everything_in_one_answer() {
    let sandbox = Sandbox::start();
    sandbox.world(|world| {
        world.add_to_group(A, "alice", "dev").policies.inline.insert("in".to_owned(), json!({"Statement": []}));
        let arn = world.add_policy(A, "own", json!({"Version": "2012-10-17", "Statement": []}));
        world.set_user_boundary(A, "alice", Some(&arn));
        world.add_role(
            A,
            "ci",
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111111111111:user/alice"}, "Action": "sts:AssumeRole"}]}),
        );
        world.attach_role_policy(A, "ci", "arn:aws:iam::aws:policy/PowerUserAccess");
        world.user_mut(A, "alice").tags.insert("team".to_owned(), "red".to_owned());
    });
    let answer = call(&sandbox, ADMIN_A, OPERATION, &[]).ok();
    for list in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
        assert!(answer.text(list).is_some_and(|text| !text.is_empty()), "{list}: {}", answer.body);
    }
    let users = answer.text("UserDetailList").unwrap();
    assert_eq!(texts(&users, "UserName"), ["admin", "alice", "bob"]);
    assert_eq!(texts(&users, "GroupList"), ["", "<member>dev</member>", ""]);
    assert_eq!(texts(&users, "PermissionsBoundaryArn"), ["arn:aws:iam::111111111111:policy/own"]);
    assert_eq!(texts(&users, "Value"), ["red"]);
    let role = answer.text("RoleDetailList").unwrap();
    assert!(role.contains("arn%3Aaws%3Aiam%3A%3A111111111111%3Auser%2Falice"), "{role}");
    let policies = answer.text("Policies").unwrap();
    let arns = texts(&policies, "Arn");
    assert!(arns.contains(&"arn:aws:iam::aws:policy/PowerUserAccess".to_owned()), "{arns:?}");
    assert!(!arns.contains(&"arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()), "only attached ones: {arns:?}");
    assert_eq!(texts(&policies, "PolicyVersionList").len(), arns.len());
}

#[test]
fn filters_and_pages() {
    let sandbox = Sandbox::start();
    sandbox.world(|world| (0..250).for_each(|number| drop(world.add_user(A, &format!("u{number:03}")).name.clone())));
    let only_users = ("Filter.member.1", "User");
    let first = call(&sandbox, ADMIN_A, OPERATION, &[only_users]).ok();
    assert_eq!(texts(&first.body, "UserName").len(), 100, "the default is 100 items");
    assert_eq!(first.text("IsTruncated").as_deref(), Some("true"));
    assert_eq!(first.text("RoleDetailList").as_deref(), Some(""));
    let marker = first.text("Marker").unwrap();
    let rest = call(&sandbox, ADMIN_A, OPERATION, &[only_users, ("Marker", &marker), ("MaxItems", "1000")]).ok();
    assert_eq!(texts(&rest.body, "UserName").len(), 153);
    assert_eq!((rest.text("IsTruncated").as_deref(), rest.text("Marker")), (Some("false"), None));
    call(&sandbox, ADMIN_A, OPERATION, &[("MaxItems", "1001")]).fails(400, "ValidationError", "");
    call(&sandbox, ADMIN_A, OPERATION, &[("Filter.member.1", "Users")]).fails(400, "ValidationError", "enum value set");
    call(&sandbox, ALICE, OPERATION, &[]).fails(403, "AccessDenied", "on resource: *");
}
