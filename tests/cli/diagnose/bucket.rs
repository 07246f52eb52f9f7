//! The role can be assumed, but S3 denies requests of its session.

use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind};

use crate::diagnose::source::{broken, first, repaired, statement, works};
use crate::scene::{ACCOUNT_B, Scene, has_stood_for_hours, side_by_side, text};
use crate::support::policies::document;
use crate::{cases, fixes};

const CHECK: &str = "xacct-verify";

fn deny(action: &str) -> Value {
    document(json!([{"Effect": "Deny", "Action": action, "Resource": "arn:aws:s3:::xacct-verify-*"}]))
}

#[test]
fn a_role_without_policies() {
    let scene = broken("", |world| world.role_mut(ACCOUNT_B, "xacct").unwrap().policies.inline.clear());
    cases::record(&scene, "s3_not_allowed", "");
    let finding = repaired(&scene, "s3_not_allowed", "target");
    assert!(finding["evidence"].to_string().contains("role xacct has no policies"), "{finding:#}");
}

#[test]
fn a_read_only_role() {
    let scene = Scene::new();
    scene.link("--external-id abc --policy-arn ReadOnlyAccess --no-verify");
    scene.environment.edit("xacct.toml", "probe = \"identity\"", "probe = \"bucket\"");
    cases::record(&scene, "s3_not_allowed_read_only", "");
    let finding = repaired(&scene, "s3_not_allowed", "target");
    let policy = "policy arn:aws:iam::aws:policy/ReadOnlyAccess attached to role xacct";
    assert_eq!(statement(&finding), (policy.to_owned(), 1, json!([["Action"]])));
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn a_role_without_delete_bucket() {
    let scene = broken("--policy-arn AmazonS3FullAccess", |world| {
        world.put_role_policy(ACCOUNT_B, "xacct", "keep", deny("s3:DeleteBucket"));
    });
    let finding = repaired(&scene, "s3_denied", "target");
    assert!(text(&finding["summary"]).ends_with("denies s3:DeleteBucket"), "{finding:#}");
    assert_eq!(statement(&finding), ("inline policy keep of role xacct".to_owned(), 1, json!([["Effect"]])));
}

/// Only CreateBucket has a location.
#[test]
fn a_denial_of_delete_bucket_without_a_location() {
    let condition = json!({"StringNotEquals": {"s3:LocationConstraint": "eu-central-1"}});
    let mut keep = deny("s3:DeleteBucket");
    keep["Statement"][0]["Condition"] = condition;
    let scene = broken("--region eu-central-1", |world| world.put_role_policy(ACCOUNT_B, "xacct", "keep", keep));
    let finding = first(&scene, "s3_denied", "target");
    assert_eq!(finding["certainty"], "certain", "{finding:#}");
    assert_eq!(statement(&finding).0, "inline policy keep of role xacct");
}

#[test]
fn denies_in_every_kind_of_policy() {
    let places =
        ["inline policy keep of role xacct", "policy arn:aws:iam::222222222222:policy/keep attached to role xacct"];
    side_by_side(&places, |place| {
        let scene = broken("", |world| {
            if place.starts_with("inline") {
                world.put_role_policy(ACCOUNT_B, "xacct", "keep", deny("s3:Create*"));
            } else {
                let arn = world.add_policy(ACCOUNT_B, "keep", deny("s3:Create*"));
                world.attach_role_policy(ACCOUNT_B, "xacct", &arn);
            }
        });
        if place.starts_with("inline") {
            cases::record(&scene, "s3_denied", "");
        }
        let finding = repaired(&scene, "s3_denied", "target");
        assert_eq!(statement(&finding), ((*place).to_owned(), 1, json!([["Effect"]])));
    });
}

#[test]
fn a_boundary_without_s3() {
    let scene = broken("", |world| {
        let read = json!([{"Effect": "Allow", "Action": ["s3:Get*", "ec2:*"], "Resource": "*"}]);
        let arn = world.add_policy(ACCOUNT_B, "limits", document(read));
        world.set_role_boundary(ACCOUNT_B, "xacct", Some(&arn));
    });
    cases::record(&scene, "s3_boundary", "");
    let finding = repaired(&scene, "s3_boundary", "target");
    let policy = "permissions boundary arn:aws:iam::222222222222:policy/limits of role xacct";
    assert_eq!(statement(&finding), (policy.to_owned(), 1, json!([["Action"]])));
}

#[test]
fn a_boundary_that_denies_buckets() {
    let scene = broken("", |world| {
        let mut statements = deny("s3:CreateBucket")["Statement"].clone();
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        statements.as_array_mut().unwrap().insert(0, all);
        let arn = world.add_policy(ACCOUNT_B, "limits", document(statements));
        world.set_role_boundary(ACCOUNT_B, "xacct", Some(&arn));
    });
    let finding = repaired(&scene, "s3_boundary", "target");
    let policy = "permissions boundary arn:aws:iam::222222222222:policy/limits of role xacct";
    assert_eq!(statement(&finding), (policy.to_owned(), 2, json!([["Effect"]])));
}

#[test]
fn a_boundary_whose_policy_was_deleted() {
    let gone = "arn:aws:iam::222222222222:policy/gone";
    let scene = broken("", |world| world.set_role_boundary(ACCOUNT_B, "xacct", Some(gone)));
    let finding = first(&scene, "s3_boundary", "target");
    assert!(finding["evidence"].to_string().contains(gone), "{finding:#}");
    let by_hand = fixes::apply(&scene, &finding["fixes"][0]);
    assert!(by_hand[0].contains(gone), "{by_hand:#?}");
    let all = document(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    scene.sandbox.world(|world| world.add_policy(ACCOUNT_B, "gone", all));
    works(&scene);
}

/// Both the role's policies and its boundary lack permissions.
#[test]
fn policies_and_boundary_together() {
    let scene = broken("", |world| {
        world.role_mut(ACCOUNT_B, "xacct").unwrap().policies.inline.remove(CHECK);
        let read = json!([{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]);
        let arn = world.add_policy(ACCOUNT_B, "limits", document(read));
        world.set_role_boundary(ACCOUNT_B, "xacct", Some(&arn));
    });
    let document = scene.xacct_json("verify", 3);
    let findings = document["targets"][ACCOUNT_B]["diagnosis"]["findings"].as_array().unwrap();
    let causes: Vec<_> = findings.iter().map(|finding| text(&finding["cause"])).collect();
    assert_eq!(causes, ["s3_not_allowed", "s3_boundary"], "{document:#}");
}

#[test]
fn an_scp_that_denies_s3() {
    let scene = broken("", |world| world.set_service_control_policy(ACCOUNT_B, "no-buckets", deny("s3:CreateBucket")));
    let finding = repaired(&scene, "s3_organization", "organization");
    assert!(finding["evidence"].to_string().contains("explicit deny in a service control policy"), "{finding:#}");
}

/// S3 gives no reason, and the role's policies allow the request.
#[test]
fn a_denial_that_no_policy_explains() {
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".into(), message: "Access Denied".into() };
    let scene = broken("", has_stood_for_hours);
    scene.sandbox.add_fault(Fault::new("CreateBucket", denied));
    let finding = first(&scene, "s3_organization", "organization");
    assert_eq!(finding["certainty"], "likely", "{finding:#}");
    assert!(finding["evidence"].to_string().contains("AWS response"), "{finding:#}");
    fixes::apply(&scene, &finding["fixes"][0]);
    works(&scene);
}

#[test]
fn another_region() {
    let cases = [
        (
            "IllegalLocationConstraintException",
            400,
            "The us-east-1 location constraint is incompatible for the region specific endpoint this request was sent to.",
        ),
        (
            "AuthorizationHeaderMalformed",
            400,
            "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
        ),
    ];
    side_by_side(&cases, |(code, status, message)| {
        let scene = broken("", |_| ());
        let error = FaultKind::Error { status: *status, code: (*code).to_owned(), message: (*message).to_owned() };
        scene.sandbox.add_fault(Fault::new("CreateBucket", error));
        let finding = first(&scene, "s3_region", "local_configuration");
        assert_eq!(finding["certainty"], "certain");
        scene.sandbox.clear_faults();
        let fix = finding["fixes"][0].to_string();
        if message.contains("expecting") {
            assert!(fix.contains("eu-west-1"), "{fix}");
            fixes::apply(&scene, &finding["fixes"][0]);
            works(&scene);
        }
    });
}

/// A guard that the test bucket can meet is met, and not removed.
#[test]
fn conditions_on_the_bucket_are_met() {
    let guards = [
        json!({"StringNotEquals": {"aws:RequestTag/team": "platform"}}),
        json!({"StringNotLike": {"aws:RequestTag/team": "*"}}),
        json!({"Null": {"aws:RequestTag/team": "true"}}),
        json!({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["team"]}}),
        json!({"StringNotEquals": {"s3:x-amz-bucket-namespace": "account-regional"}}),
    ];
    side_by_side(&guards, |guard| {
        let mut policy = deny("s3:CreateBucket");
        policy["Statement"][0]["Condition"] = guard.clone();
        let scene = broken("", |world| world.put_role_policy(ACCOUNT_B, "xacct", "guard", policy.clone()));
        let finding = first(&scene, "s3_denied", "target");
        fixes::apply(&scene, &finding["fixes"][0]);
        works(&scene);
        let stands = |world: &mut xacct_sandbox::World| {
            world.role_mut(ACCOUNT_B, "xacct").unwrap().policies.inline.contains_key("guard")
        };
        assert!(scene.sandbox.world(stands), "{guard}: {finding:#}");
    });
}

/// AWS says that a policy denies, and one that was read may: it is named.
#[test]
fn a_denial_under_an_unknown_condition() {
    let mut policy = deny("s3:CreateBucket");
    policy["Statement"][0]["Condition"] = json!({"StringLike": {"aws:userid": "*:xacct-verify"}});
    let scene = broken("", |world| world.put_role_policy(ACCOUNT_B, "xacct", "guard", policy));
    let finding = first(&scene, "s3_denied", "target");
    assert_eq!(finding["certainty"], "likely", "{finding:#}");
    let (policy, number, _) = statement(&finding);
    assert_eq!((policy.as_str(), number), ("inline policy guard of role xacct", 1));
}
