//! Managed policies with versions, their lists, groups and boundaries.

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

use support::*;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::{ADMIN_A, ALICE};

const POLICY: &str = "arn:aws:iam::111111111111:policy/team";

/// A sandbox with the policy `team` attached to alice: it allows nothing that is asked for here.
fn with_policy() -> Sandbox {
    let sandbox = Sandbox::start();
    let document = serde_json::from_str(&allow("s3:GetObject", "*")).unwrap();
    sandbox.world(|world| {
        let arn = world.add_policy(A, "team", document);
        world.attach_user_policy(A, "alice", &arn);
    });
    sandbox
}

fn as_admin(sandbox: &Sandbox, action: &str, more: &[(&str, &str)]) -> Answer {
    call(sandbox, ADMIN_A, action, more)
}

#[test]
fn the_default_version_is_in_force() {
    let sandbox = with_policy();
    let policy = ("PolicyArn", POLICY);
    let own_name = || call(&sandbox, ALICE, "GetUser", &[]);
    own_name().fails(403, "AccessDenied", "");

    let document = allow("iam:GetUser", "*");
    let version = [policy, ("PolicyDocument", &*document)];
    let answer = as_admin(&sandbox, "CreatePolicyVersion", &version).ok();
    assert_eq!(answer.text("VersionId").unwrap(), "v2");
    assert_eq!(answer.text("IsDefaultVersion").unwrap(), "false");
    own_name().fails(403, "AccessDenied", "");
    as_admin(&sandbox, "SetDefaultPolicyVersion", &[policy, ("VersionId", "v2")]).ok();
    own_name().ok();
    assert_eq!(as_admin(&sandbox, "GetPolicy", &[policy]).text("DefaultVersionId").unwrap(), "v2");
    let old = as_admin(&sandbox, "GetPolicyVersion", &[policy, ("VersionId", "v1")]).ok();
    assert_eq!(old.document("Document")["Statement"][0]["Action"], "s3:GetObject");
    assert_eq!(old.text("IsDefaultVersion").unwrap(), "false");

    as_admin(&sandbox, "DeletePolicyVersion", &[policy, ("VersionId", "v2")]).fails(409, "DeleteConflict", "default");
    as_admin(&sandbox, "DeletePolicyVersion", &[policy, ("VersionId", "v9")]).fails(404, "NoSuchEntity", "v9");
    let third = as_admin(&sandbox, "CreatePolicyVersion", &[&version[..], &[("SetAsDefault", "true")]].concat()).ok();
    assert_eq!(third.text("IsDefaultVersion").unwrap(), "true");
    // A number is not used again.
    as_admin(&sandbox, "SetDefaultPolicyVersion", &[policy, ("VersionId", "v1")]).ok();
    as_admin(&sandbox, "DeletePolicyVersion", &[policy, ("VersionId", "v3")]).ok();
    assert_eq!(as_admin(&sandbox, "CreatePolicyVersion", &version).text("VersionId").unwrap(), "v4");

    as_admin(&sandbox, "CreatePolicyVersion", &version).ok();
    as_admin(&sandbox, "CreatePolicyVersion", &version).ok();
    as_admin(&sandbox, "CreatePolicyVersion", &version).fails(409, "LimitExceeded", "up to 5 versions");
    let versions = as_admin(&sandbox, "ListPolicyVersions", &[policy]).ok();
    assert_eq!(versions.body.matches("<VersionId>").count(), 5);

    sandbox.world(|world| world.user_mut(A, "alice").policies.attached.clear());
    as_admin(&sandbox, "DeletePolicy", &[policy]).fails(409, "DeleteConflict", "more than one version");
    for version in ["v2", "v4", "v5", "v6"] {
        as_admin(&sandbox, "DeletePolicyVersion", &[policy, ("VersionId", version)]).ok();
    }
    as_admin(&sandbox, "DeletePolicy", &[policy]).ok();
}

#[test]
fn policies_of_aws_have_versions_of_their_own_and_cannot_be_changed() {
    let sandbox = Sandbox::start();
    let policy = ("PolicyArn", "arn:aws:iam::aws:policy/PowerUserAccess");
    let version = as_admin(&sandbox, "GetPolicy", &[policy]).ok().text("DefaultVersionId").unwrap();
    assert_ne!(version, "v1");
    as_admin(&sandbox, "GetPolicyVersion", &[policy, ("VersionId", &version)]).ok();
    as_admin(&sandbox, "GetPolicyVersion", &[policy, ("VersionId", "v1")]).fails(404, "NoSuchEntity", "v1");
    let document = allow("s3:*", "*");
    for (action, more) in [
        ("CreatePolicyVersion", vec![("PolicyDocument", &*document)]),
        ("SetDefaultPolicyVersion", vec![("VersionId", &*version)]),
        ("DeletePolicyVersion", vec![("VersionId", &*version)]),
        ("DeletePolicy", vec![]),
    ] {
        as_admin(&sandbox, action, &[&[policy], &more[..]].concat()).fails(403, "AccessDenied", "your own account");
    }
}

/// Names and default versions of the policies in a list that comes in pages of two.
fn listed(sandbox: &Sandbox, more: &[(&str, &str)]) -> BTreeSet<String> {
    let (mut all, mut marker) = (BTreeSet::new(), None);
    loop {
        let mut parameters = [&[("MaxItems", "2")], more].concat();
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = as_admin(sandbox, "ListPolicies", &parameters).ok();
        for member in page.body.split("<member>").skip(1) {
            let text = |name: &str| Answer { body: member.to_owned(), ..page.clone() }.text(name).unwrap();
            all.insert(format!("{} {}", text("PolicyName"), text("DefaultVersionId")));
        }
        match page.text("Marker") {
            None => return all,
            next => marker = next,
        }
    }
}

#[test]
fn lists_of_policies_are_filtered() {
    let sandbox = with_policy();
    sandbox.world(|world| {
        let document: serde_json::Value = serde_json::from_str(&allow("s3:*", "*")).unwrap();
        world.add_policy(A, "idle", document.clone());
        let boundary = world.add_policy(A, "boundary", document);
        world.set_user_boundary(A, "alice", Some(&boundary));
        world
            .add_to_group(A, "bob", "readers")
            .policies
            .attached
            .insert("arn:aws:iam::aws:policy/SecurityAudit".into());
    });
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let attached = ("OnlyAttached", "true");
    let in_use = listed(&sandbox, &[attached]);
    assert_eq!(in_use, set(&["AdministratorAccess v1", "SecurityAudit v93", "team v1"]));
    assert_eq!(listed(&sandbox, &[attached, ("PolicyUsageFilter", "PermissionsPolicy")]), in_use);
    assert_eq!(listed(&sandbox, &[attached, ("Scope", "Local")]), set(&["team v1"]));
    assert_eq!(listed(&sandbox, &[("PolicyUsageFilter", "PermissionsBoundary")]), set(&["boundary v1"]));
    assert_eq!(listed(&sandbox, &[("Scope", "Local")]), set(&["boundary v1", "idle v1", "team v1"]));
    assert!(listed(&sandbox, &[]).len() > 10);
    assert_eq!(listed(&sandbox, &[("PathPrefix", "/job-function/")]), set(&["ViewOnlyAccess v22"]));
    for (name, value) in [("Scope", "Mine"), ("PolicyUsageFilter", "x"), ("OnlyAttached", "yes"), ("MaxItems", "1001")]
    {
        as_admin(&sandbox, "ListPolicies", &[(name, value)]).fails(400, "ValidationError", "constraint");
    }
}

#[test]
fn groups_give_their_policies_to_their_members() {
    let sandbox = with_policy();
    let (group, user) = (("GroupName", "readers"), ("UserName", "alice"));
    let may = || call(&sandbox, ALICE, "GetUser", &[]).status == 200;
    as_admin(&sandbox, "AddUserToGroup", &[group, user]).fails(404, "NoSuchEntity", "group with name readers");
    as_admin(&sandbox, "CreateGroup", &[group]).ok();
    as_admin(&sandbox, "CreateGroup", &[("GroupName", "Readers")]).fails(409, "EntityAlreadyExists", "");
    let document = allow("iam:GetUser", "*");
    let inline = [group, ("PolicyName", "p")];
    as_admin(&sandbox, "PutGroupPolicy", &[inline[0], inline[1], ("PolicyDocument", &document)]).ok();
    as_admin(&sandbox, "AddUserToGroup", &[group, ("UserName", "nobody")]).fails(404, "NoSuchEntity", "nobody");
    assert!(!may());
    as_admin(&sandbox, "AddUserToGroup", &[group, user]).ok();
    assert!(may());
    assert_eq!(as_admin(&sandbox, "GetGroup", &[group]).ok().text("UserName").unwrap(), "alice");
    as_admin(&sandbox, "DeleteGroup", &[group]).fails(409, "DeleteConflict", "remove users");
    as_admin(&sandbox, "DeleteGroupPolicy", &inline).ok();
    assert!(!may());
    let attached = [group, ("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")];
    as_admin(&sandbox, "AttachGroupPolicy", &attached).ok();
    assert!(may());
    as_admin(&sandbox, "DetachGroupPolicy", &attached).ok();
    assert!(!may());
    as_admin(&sandbox, "RemoveUserFromGroup", &[group, user]).ok();
    as_admin(&sandbox, "RemoveUserFromGroup", &[group, user]).fails(404, "NoSuchEntity", "");
    as_admin(&sandbox, "DeleteGroup", &[group]).ok();

    // Whoever may change a group of that path may change who is in it.
    let document = allow("iam:AddUserToGroup", "arn:aws:iam::111111111111:group/readers");
    sandbox.world(|world| world.put_user_policy(A, "bob", "p", serde_json::from_str(&document).unwrap()));
    let add = |group: &str| {
        let parameters = [("GroupName", group), ("UserName", "bob")];
        call(&sandbox, xacct_sandbox::world::BOB, "AddUserToGroup", &parameters)
    };
    add("readers").fails(404, "NoSuchEntity", "");
    add("admins").fails(403, "AccessDenied", "iam:AddUserToGroup on resource: arn:aws:iam::111111111111:group/admins");
}

#[test]
fn boundaries_of_users() {
    let sandbox = with_policy();
    let user = ("UserName", "alice");
    let boundary = ("PermissionsBoundary", POLICY);
    let grant = allow("iam:GetUser", "*");
    sandbox.world(|world| {
        world.put_user_policy(A, "alice", "p", serde_json::from_str(&grant).unwrap());
        world.user_mut(A, "alice").tags.insert("team".into(), "red".into());
    });
    as_admin(&sandbox, "PutUserPermissionsBoundary", &[user, boundary]).ok();
    let told = as_admin(&sandbox, "GetUser", &[user]).ok();
    assert_eq!(told.text("PermissionsBoundaryArn").unwrap(), POLICY);
    assert_eq!((told.text("Key").unwrap(), told.text("Value").unwrap()), ("team".into(), "red".into()));
    assert!(told.text("UserId").unwrap().starts_with("AIDA"));
    let refusal = "because no permissions boundary allows the iam:GetUser action";
    call(&sandbox, ALICE, "GetUser", &[]).fails(403, "AccessDenied", refusal);
    as_admin(&sandbox, "DeleteUserPermissionsBoundary", &[user]).ok();
    call(&sandbox, ALICE, "GetUser", &[]).ok();

    let none = ("PermissionsBoundary", "arn:aws:iam::111111111111:policy/none");
    as_admin(&sandbox, "PutUserPermissionsBoundary", &[user, none]).fails(404, "NoSuchEntity", "not attachable");
    let wrong_case = ("UserName", "Alice");
    as_admin(&sandbox, "PutUserPermissionsBoundary", &[wrong_case, boundary]).fails(404, "NoSuchEntity", "Alice");
    as_admin(&sandbox, "GetUser", &[wrong_case]).fails(404, "NoSuchEntity", "Alice");

    // A condition may demand the boundary that is set, and tags of the user.
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:PutUserPermissionsBoundary", "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": POLICY, "aws:ResourceTag/team": "red"}},
    }]});
    sandbox.world(|world| world.put_user_policy(A, "bob", "p", document));
    let put = |parameters: &[(&str, &str)]| {
        call(&sandbox, xacct_sandbox::world::BOB, "PutUserPermissionsBoundary", parameters)
    };
    put(&[user, boundary]).ok();
    put(&[user, none]).fails(403, "AccessDenied", "");
    put(&[("UserName", "bob"), boundary]).fails(403, "AccessDenied", "");
}
