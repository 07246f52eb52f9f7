//! IAM's rules for what it keeps.

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
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ALICE};

#[test]
fn principals_must_exist_and_dangle_when_deleted() {
    let sandbox = Sandbox::start();
    let ghost = "arn:aws:iam::111111111111:user/ghost";
    let message = format!("Invalid principal in policy: \"AWS\":\"{ghost}\"");
    create_role(&sandbox, &trust(ghost, "{}")).fails(400, "MalformedPolicyDocument", &message);
    create_role(&sandbox, &trust("arn:aws:iam::111111111111:user/alice", "{}")).ok();
    grant(&sandbox).ok();
    assume(&sandbox, ALICE, &[]).ok();
    sandbox.world(|world| world.recreate_user(A, "alice").name.clone());
    assume(&sandbox, ALICE, &[]).fails(403, "AccessDenied", "");
    let answer = call(&sandbox, ADMIN_B, "GetRole", &[("RoleName", "xacct")]).ok();
    let shown = answer.document("AssumeRolePolicyDocument");
    let principal = shown["Statement"][0]["Principal"]["AWS"].as_str().unwrap();
    assert!(principal.starts_with("AIDA"), "{principal}");
    let parameters = [("RoleName", "xacct"), ("PolicyDocument", &shown.to_string())];
    let answer = call(&sandbox, ADMIN_B, "UpdateAssumeRolePolicy", &parameters);
    answer.fails(400, "MalformedPolicyDocument", "Invalid principal in policy");
}

#[test]
fn accounts_are_shown_as_their_root_and_lists_of_one_stay_lists() {
    let sandbox = Sandbox::start();
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["111111111111"]},"Action":["sts:AssumeRole"]}]}"#;
    let answer = create_role(&sandbox, document).ok();
    assert!(answer.text("AssumeRolePolicyDocument").unwrap().starts_with("%7B%22Version%22%3A"));
    let statement = &answer.document("AssumeRolePolicyDocument")["Statement"][0];
    assert_eq!(statement["Principal"]["AWS"][0], "arn:aws:iam::111111111111:root");
    assert_eq!(statement["Action"][0], "sts:AssumeRole");
}

#[test]
fn quotas() {
    let sandbox = Sandbox::start();
    let put = |name: &str, length: usize| {
        let document = allow("sts:AssumeRole", &format!("arn:aws:iam::222222222222:role/{}", "x".repeat(length)));
        call(
            &sandbox,
            ADMIN_A,
            "PutUserPolicy",
            &[("UserName", "alice"), ("PolicyName", name), ("PolicyDocument", &document.replace(',', ",\n    "))],
        )
    };
    put("one", 1000).ok();
    put("two", 1000).fails(409, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user alice");
    put("one", 1800).ok();
    let long = trust(A, &format!(r#"{{"StringEquals":{{"sts:ExternalId":"{}"}}}}"#, "x".repeat(2048)));
    create_role(&sandbox, &long).fails(409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048");
    let parameters = [("RoleName", &*"x".repeat(65)), ("AssumeRolePolicyDocument", "{}")];
    call(&sandbox, ADMIN_B, "CreateRole", &parameters).fails(400, "ValidationError", "less than or equal to 64");
}

#[test]
fn names_conflicts_and_order_of_deletion() {
    let sandbox = linked("{}");
    let document = trust(A, "{}");
    call(&sandbox, ADMIN_B, "CreateRole", &[("RoleName", "XACCT"), ("AssumeRolePolicyDocument", &document)]).fails(
        409,
        "EntityAlreadyExists",
        "Role with name XACCT already exists.",
    );
    let role = ("RoleName", "xacct");
    let missing = ("PolicyArn", "arn:aws:iam::aws:policy/NoSuchPolicy");
    let attach = call(&sandbox, ADMIN_B, "AttachRolePolicy", &[role, missing]);
    attach.fails(
        404,
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/NoSuchPolicy does not exist or is not attachable.",
    );
    call(&sandbox, ADMIN_B, "DeleteRole", &[role]).fails(409, "DeleteConflict", "must detach all policies first");
    let attached = ("PolicyArn", "arn:aws:iam::aws:policy/AmazonS3FullAccess");
    call(&sandbox, ADMIN_B, "DetachRolePolicy", &[role, attached]).ok();
    call(&sandbox, ADMIN_B, "DeleteRole", &[role]).ok();
    let gone = "The role with name xacct cannot be found.";
    call(&sandbox, ADMIN_B, "GetRole", &[role]).fails(404, "NoSuchEntity", gone);
    let parameters = [("UserName", "alice"), ("PolicyName", "none")];
    let answer = call(&sandbox, ADMIN_A, "GetUserPolicy", &parameters);
    answer.fails(404, "NoSuchEntity", "The user policy with name none cannot be found.");
}

#[test]
fn operators_need_permission_for_the_very_resource() {
    let sandbox = Sandbox::start();
    let get = |name: &str| call(&sandbox, ALICE, "GetRole", &[("RoleName", name)]);
    let tail = "because no identity-based policy allows the iam:GetRole action";
    get("x").fails(403, "AccessDenied", tail);
    sandbox.world(|world| {
        let document = allow("iam:*", "arn:aws:iam::111111111111:role/team/*");
        world.put_user_policy(A, "alice", "iam", serde_json::from_str(&document).unwrap());
    });
    // A role that does not exist has no path to be allowed by.
    get("x").fails(403, "AccessDenied", "on resource: arn:aws:iam::111111111111:role/x because");
    let document = trust(A, "{}");
    let create = |path: &str| {
        let parameters = [("RoleName", "x"), ("Path", path), ("AssumeRolePolicyDocument", &*document)];
        call(&sandbox, ALICE, "CreateRole", &parameters)
    };
    create("/").fails(403, "AccessDenied", "iam:CreateRole");
    create("/team/").ok();
    get("x").ok();
}

#[test]
fn lists_come_in_pages() {
    let sandbox = Sandbox::start();
    sandbox.world(|world| {
        for number in 0..5 {
            let document = serde_json::from_str(&allow("s3:*", "*")).unwrap();
            world.put_role_policy(B, "many", &format!("policy-{number}"), document);
        }
    });
    let page = |marker: Option<&str>| {
        let mut parameters = vec![("RoleName", "many"), ("MaxItems", "3")];
        parameters.extend(marker.map(|marker| ("Marker", marker)));
        call(&sandbox, ADMIN_B, "ListRolePolicies", &parameters).ok()
    };
    let first = page(None);
    assert_eq!((first.body.matches("<member>").count(), first.text("IsTruncated").unwrap().as_str()), (3, "true"));
    let second = page(first.text("Marker").as_deref());
    assert_eq!((second.body.matches("<member>").count(), second.text("IsTruncated").unwrap().as_str()), (2, "false"));
}

#[test]
fn tags() {
    let sandbox = linked("{}");
    let role = ("RoleName", "xacct");
    let tag = |key: &str, value: &str| {
        call(&sandbox, ADMIN_B, "TagRole", &[role, ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)])
    };
    tag("managed-by", "xacct").ok();
    tag("Managed-By", "other").ok();
    tag("aws:x", "y").fails(400, "InvalidInput", "");
    tag("a*b", "y").fails(400, "ValidationError", "tags.1.member.key");
    let list = call(&sandbox, ADMIN_B, "ListRoleTags", &[role]).ok();
    assert_eq!((list.text("Key").unwrap(), list.text("Value").unwrap()), ("Managed-By".into(), "other".into()));
    call(&sandbox, ADMIN_B, "UntagRole", &[role, ("TagKeys.member.1", "managed-by")]).ok();
    assert_eq!(call(&sandbox, ADMIN_B, "ListRoleTags", &[role]).ok().text("Key"), None);
}

/// What UpdateRole is not told it keeps, but the longest session becomes an hour again.
#[test]
fn update_role_resets_the_duration() {
    let sandbox = linked("{}");
    let role = ("RoleName", "xacct");
    let update = |name: &str, value: &str| call(&sandbox, ADMIN_B, "UpdateRole", &[role, (name, value)]).ok();
    let get = || {
        let answer = call(&sandbox, ADMIN_B, "GetRole", &[role]).ok();
        (answer.text("Description").unwrap_or_default(), answer.text("MaxSessionDuration").unwrap_or_default())
    };
    update("Description", "words");
    update("MaxSessionDuration", "7200");
    assert_eq!(get(), ("words".to_owned(), "7200".to_owned()));
    update("Description", "new words");
    assert_eq!(get(), ("new words".to_owned(), "3600".to_owned()));
}
