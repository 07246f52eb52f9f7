//! Causes in the source account and in the organization: `verify` names them with evidence, and the first fix repairs
//! them.

use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind, World};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, side_by_side, text, trust};
use crate::support::policies::{allow, document};
use crate::{cases, fixes};

/// Creates a working link and breaks it with this change.
pub fn broken(options: &str, change: impl FnOnce(&mut World)) -> Scene {
    let scene = Scene::linked(&format!("--external-id abc {options}"));
    scene.sandbox.world(change);
    scene
}

/// Returns the diagnosis of a failed `verify`.
#[track_caller]
pub fn diagnosis(scene: &Scene, options: &str) -> Value {
    let document = scene.failed_verify(options);
    document["targets"][ACCOUNT_B]["diagnosis"].clone()
}

/// Returns the first finding of `verify`, which must have this cause and side.
#[track_caller]
pub fn first(scene: &Scene, cause: &str, side: &str) -> Value {
    let diagnosis = diagnosis(scene, "");
    let finding = diagnosis["findings"][0].clone();
    assert_eq!((finding["cause"].as_str(), finding["side"].as_str()), (Some(cause), Some(side)), "{diagnosis:#}");
    finding
}

/// Asserts that there is one certain finding and that its first fix, as printed, repairs the link.
#[track_caller]
pub fn repaired(scene: &Scene, cause: &str, side: &str) -> Value {
    let diagnosis = diagnosis(scene, "");
    let finding = first(scene, cause, side);
    assert_eq!(diagnosis["findings"].as_array().map(Vec::len), Some(1), "{diagnosis:#}");
    assert_eq!(finding["certainty"], "certain", "{finding:#}");
    assert_eq!(diagnosis["possible"], json!([]), "{diagnosis:#}");
    let by_hand = fixes::apply(scene, &finding["fixes"][0]);
    assert!(by_hand.iter().all(|words| words.ends_with(':')), "{by_hand:#?}");
    works(scene);
    finding
}

#[track_caller]
pub fn works(scene: &Scene) {
    scene.xacct_json("verify", 0);
}

/// Returns the statement in a finding's evidence: policy, number, marked elements.
#[track_caller]
pub fn statement(finding: &Value) -> (String, u64, Value) {
    let evidence = finding["evidence"].as_array().expect("evidence");
    let found = evidence.iter().find_map(|evidence| evidence.get("statement"));
    let found = found.unwrap_or_else(|| panic!("no statement: {finding:#}"));
    (text(&found["policy"]), found["number"].as_u64().expect("a number"), found["marked"].clone())
}

fn deny_roles() -> Value {
    document(json!([
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
        {"Sid": "NoRoles", "Effect": "Deny", "Action": "sts:*", "Resource": "*"},
    ]))
}

pub fn without_grant(world: &mut World) {
    world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
}

#[test]
fn no_policy_at_all() {
    let scene = broken("", without_grant);
    cases::record(&scene, "grant_absent", "");
    let finding = repaired(&scene, "grant_absent", "source");
    assert!(finding["evidence"].to_string().contains("no policies"), "{finding:#}");
}

#[test]
fn unrelated_policies() {
    let scene = broken("", |world| {
        without_grant(world);
        world.put_user_policy(ACCOUNT_A, "alice", "buckets", allow("s3:*", "*"));
        world.attach_user_policy(ACCOUNT_A, "alice", "arn:aws:iam::aws:policy/ReadOnlyAccess");
        world.add_to_group(ACCOUNT_A, "alice", "team").policies.inline.insert("mail".to_owned(), allow("ses:*", "*"));
    });
    cases::record(&scene, "grant_absent_others", "");
    let finding = repaired(&scene, "grant_absent", "source");
    assert!(finding["evidence"].to_string().contains("none of the 3 statements"), "{finding:#}");
}

#[test]
fn a_grant_for_another_arn() {
    let arns = [
        "arn:aws:iam::333333333333:role/xacct",
        "arn:aws:iam::222222222222:role/engineering/xacct",
        "arn:aws:iam::222222222222:role/Xacct",
        "arn:aws:iam::222222222222:role/xacct-*",
        "arn:aws-cn:iam::222222222222:role/xacct",
    ];
    side_by_side(&arns, |arn| {
        let scene = broken("", |world| world.grant_assume_role(ACCOUNT_A, "alice", "xacct", arn));
        if arn.contains("Xacct") {
            cases::record(&scene, "grant_other_arn", "");
        }
        let cause = if arn.contains("engineering") { "grant_other_path" } else { "grant_other_arn" };
        let finding = repaired(&scene, cause, "source");
        let (policy, number, marked) = statement(&finding);
        assert_eq!((policy.as_str(), number), ("inline policy xacct of user alice", 1), "{arn}");
        assert_eq!(marked, json!([["Resource"]]), "{arn}");
        assert!(finding["evidence"].to_string().contains(arn), "{finding:#}");
    });
}

#[test]
fn a_grant_for_another_arn_in_every_kind_of_policy() {
    let other = allow("sts:AssumeRole", "arn:aws:iam::222222222222:role/other");
    type Put = fn(&mut World, Value);
    let places: [(&str, Put); 4] = [
        ("inline policy may of user alice", |world, other| world.put_user_policy(ACCOUNT_A, "alice", "may", other)),
        ("policy arn:aws:iam::111111111111:policy/may attached to user alice", |world, other| {
            let arn = world.add_policy(ACCOUNT_A, "may", other);
            world.attach_user_policy(ACCOUNT_A, "alice", &arn);
        }),
        ("inline policy may of group team", |world, other| {
            world.add_to_group(ACCOUNT_A, "alice", "team").policies.inline.insert("may".to_owned(), other);
        }),
        ("policy arn:aws:iam::111111111111:policy/may attached to group team", |world, other| {
            let arn = world.add_policy(ACCOUNT_A, "may", other);
            world.add_to_group(ACCOUNT_A, "alice", "team").policies.attached.insert(arn);
        }),
    ];
    side_by_side(&places, |(policy, put)| {
        let scene = broken("", |world| {
            without_grant(world);
            put(world, other.clone());
        });
        let finding = repaired(&scene, "grant_other_arn", "source");
        assert_eq!(statement(&finding), ((*policy).to_owned(), 1, json!([["Resource"]])));
    });
}

#[test]
fn a_group_policy_counts_as_a_grant() {
    let scene = broken("", |world| {
        without_grant(world);
        let arn = world.add_policy(ACCOUNT_A, "may", allow("sts:AssumeRole", ROLE));
        world.add_to_group(ACCOUNT_A, "alice", "team").policies.attached.insert(arn);
    });
    works(&scene);
    scene.sandbox.world(|world| {
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({"StringEquals": {"sts:ExternalId": "other"}})));
    });
    let diagnosis = diagnosis(&scene, "");
    let causes: Vec<_> = diagnosis["findings"].as_array().unwrap().iter().map(|it| &it["cause"]).collect();
    assert_eq!(causes, ["external_id_wrong"], "{diagnosis:#}");
    let layers = diagnosis["layers"].as_array().unwrap();
    let grant = layers.iter().find(|layer| layer["name"].to_string().contains("policies of the user")).unwrap();
    assert_eq!(grant["verdict"], "allowed", "{diagnosis:#}");
    let reason =
        "statement 1 of the policy arn:aws:iam::111111111111:policy/may attached to group team allows sts:AssumeRole";
    assert!(grant["reasons"].to_string().contains(reason), "{grant:#}");
}

fn grant_if(condition: &Value) -> Value {
    let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE, "Condition": condition});
    document(json!([statement]))
}

#[test]
fn a_condition_in_the_grant() {
    let conditions = [
        ("StringEquals", "aws:RequestedRegion", "eu-west-1"),
        ("StringEquals", "aws:PrincipalTag/team", "blue"),
        ("StringNotLike", "aws:username", "a*"),
        ("Null", "sts:ExternalId", "true"),
    ];
    side_by_side(&conditions, |(operator, key, value)| {
        let condition = json!({*operator: {*key: value}});
        let scene = broken("", |world| world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant_if(&condition)));
        if key.contains("Region") {
            cases::record(&scene, "grant_condition", "");
        }
        let finding = repaired(&scene, "grant_condition", "source");
        let (policy, number, marked) = statement(&finding);
        assert_eq!((policy.as_str(), number), ("inline policy xacct of user alice", 1));
        assert_eq!(marked, json!([["Condition", operator, key]]));
    });
}

/// Only AWS knows the IP address, so the finding is not certain.
#[test]
fn a_condition_on_an_unknown_key() {
    let condition = json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}});
    let scene = broken("", |world| world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant_if(&condition)));
    cases::record(&scene, "grant_condition_unknown", "");
    let finding = first(&scene, "grant_condition", "source");
    assert_eq!(finding["certainty"], "likely", "{finding:#}");
    assert_eq!(statement(&finding).2, json!([["Condition", "IpAddress", "aws:SourceIp"]]));
    // The first fix leaves the condition: the request must come from that network.
    fixes::apply(&scene, &finding["fixes"][1]);
    works(&scene);
}

/// After the fix every request needs a code.
#[track_caller]
fn repairs_with_an_mfa_code(scene: &Scene, policy: &str, number: u64) {
    let finding = first(scene, "mfa_absent", "source");
    assert_eq!(finding["certainty"], "certain");
    let (found, at, marked) = statement(&finding);
    assert_eq!((found.as_str(), at), (policy, number), "{finding:#}");
    assert_eq!(marked[0][2], "aws:MultiFactorAuthPresent", "{finding:#}");
    let by_hand = fixes::apply(scene, &finding["fixes"][0]);
    assert!(by_hand.is_empty(), "{by_hand:#?}");
}

#[test]
fn mfa_required_by_the_grant() {
    let condition = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let scene = broken("", |world| world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant_if(&condition)));
    cases::record(&scene, "mfa_absent_grant", "");
    repairs_with_an_mfa_code(&scene, "inline policy xacct of user alice", 1);
}

#[test]
fn a_policy_that_denies_everything_without_mfa() {
    let scene = broken("", |world| {
        let deny = json!({
            "Sid": "DenyAllExceptListedIfNoMFA",
            "Effect": "Deny",
            "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "sts:GetSessionToken"],
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        });
        let arn = world.add_policy(ACCOUNT_A, "ForceMFA", document(json!([deny])));
        world.attach_user_policy(ACCOUNT_A, "alice", &arn);
    });
    cases::record(&scene, "mfa_absent_deny_all", "");
    repairs_with_an_mfa_code(&scene, "policy arn:aws:iam::111111111111:policy/ForceMFA attached to user alice", 1);
}

#[test]
fn denies_in_every_kind_of_policy() {
    type Put = fn(&mut World);
    let places: [(&str, u64, Put); 6] = [
        ("inline policy deny of user alice", 2, |world| {
            world.put_user_policy(ACCOUNT_A, "alice", "deny", deny_roles());
        }),
        ("policy arn:aws:iam::111111111111:policy/deny attached to user alice", 2, |world| {
            let arn = world.add_policy(ACCOUNT_A, "deny", deny_roles());
            world.attach_user_policy(ACCOUNT_A, "alice", &arn);
        }),
        ("policy arn:aws:iam::aws:policy/AWSDenyAll attached to user alice", 1, |world| {
            world.attach_user_policy(ACCOUNT_A, "alice", "arn:aws:iam::aws:policy/AWSDenyAll");
        }),
        ("inline policy deny of group team", 2, |world| {
            world.add_to_group(ACCOUNT_A, "alice", "team").policies.inline.insert("deny".to_owned(), deny_roles());
        }),
        ("policy arn:aws:iam::111111111111:policy/deny attached to group team", 2, |world| {
            let arn = world.add_policy(ACCOUNT_A, "deny", deny_roles());
            world.add_to_group(ACCOUNT_A, "alice", "team").policies.attached.insert(arn);
        }),
        ("inline policy deny of user alice", 1, |world| {
            let only = document(json!([{"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]));
            world.put_user_policy(ACCOUNT_A, "alice", "deny", only);
        }),
    ];
    side_by_side(&places, |(policy, number, put)| {
        let scene = broken("", put);
        if policy.starts_with("inline policy deny of group") {
            cases::record(&scene, "source_denies", "");
        }
        let finding = repaired(&scene, "source_denies", "source");
        assert_eq!(statement(&finding), ((*policy).to_owned(), *number, json!([["Effect"]])));
    });
}

#[test]
fn a_boundary_without_the_grant() {
    let scene = broken("", |world| {
        let arn = world.add_policy(ACCOUNT_A, "buckets-only", allow("s3:*", "*"));
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&arn));
    });
    cases::record(&scene, "boundary_cuts", "");
    let finding = repaired(&scene, "boundary_cuts", "source");
    let policy = "permissions boundary arn:aws:iam::111111111111:policy/buckets-only of user alice";
    assert_eq!(statement(&finding), (policy.to_owned(), 1, json!([["Action"]])));
}

#[test]
fn a_boundary_that_denies() {
    let scene = broken("", |world| {
        let everything_but = json!([
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::2*:role/*"},
        ]);
        let arn = world.add_policy(ACCOUNT_A, "no-roles", document(everything_but));
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&arn));
    });
    cases::record(&scene, "boundary_cuts_denies", "");
    let finding = repaired(&scene, "boundary_cuts", "source");
    let policy = "permissions boundary arn:aws:iam::111111111111:policy/no-roles of user alice";
    assert_eq!(statement(&finding), (policy.to_owned(), 2, json!([["Effect"]])));
}

#[test]
fn an_aws_managed_boundary() {
    let scene = broken("", |world| {
        world.set_user_boundary(ACCOUNT_A, "alice", Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    });
    let finding = first(&scene, "boundary_cuts", "source");
    let by_hand = fixes::apply(&scene, &finding["fixes"][0]);
    assert!(by_hand[0].contains("another permissions boundary"), "{by_hand:#?}");
    let other = "arn:aws:iam::aws:policy/PowerUserAccess";
    scene.sandbox.world(|world| world.set_user_boundary(ACCOUNT_A, "alice", Some(other)));
    works(&scene);
}

#[test]
fn a_boundary_whose_policy_was_deleted() {
    let gone = "arn:aws:iam::111111111111:policy/gone";
    let scene = broken("", |world| world.set_user_boundary(ACCOUNT_A, "alice", Some(gone)));
    cases::record(&scene, "boundary_cuts_deleted", "");
    let finding = first(&scene, "boundary_cuts", "source");
    assert_eq!(finding["certainty"], "certain");
    assert!(finding["evidence"].to_string().contains(gone), "{finding:#}");
    let by_hand = fixes::apply(&scene, &finding["fixes"][0]);
    assert!(by_hand[0].contains(gone), "{by_hand:#?}");
    scene.sandbox.world(|world| world.add_policy(ACCOUNT_A, "gone", allow("sts:AssumeRole", ROLE)));
    works(&scene);
}

#[test]
fn a_user_that_does_not_exist() {
    let scene = broken("", |_| ());
    scene.environment.edit("xacct.toml", "user = \"alice\"", "user = \"alcie\"");
    cases::record(&scene, "user_absent", "");
    let finding = first(&scene, "user_absent", "source");
    assert_eq!(finding["summary"], "account 111111111111 has no user alcie");
    let by_hand = fixes::apply(&scene, &finding["fixes"][0]);
    assert!(by_hand.is_empty(), "{by_hand:#?}");
    works(&scene);
}

#[test]
fn session_tags_not_allowed_by_the_grant() {
    let scene = broken("--allow-session-tags", |world| {
        world.grant_assume_role(ACCOUNT_A, "alice", "xacct", ROLE);
    });
    cases::record(&scene, "session_tags_not_allowed_source", "--session-tag a=b");
    works(&scene);
    let document = scene.xacct_json("diagnose --session-tag a=b", 3);
    let finding = document["targets"][ACCOUNT_B]["diagnosis"]["findings"][0].clone();
    assert_eq!((&finding["cause"], &finding["side"]), (&json!("session_tags_not_allowed"), &json!("source")));
    assert_eq!(statement(&finding).2, json!([["Action"]]));
    fixes::apply(&scene, &finding["fixes"][0]);
    scene.xacct_json("diagnose --session-tag a=b", 0);
}

/// An organization policy, which neither operator can read: AWS's message names its type.
#[test]
fn organization_policies() {
    type Put = fn(&mut World);
    let cases: [(&str, &str, Put); 3] = [
        ("service_control_policy", ACCOUNT_A, |world| {
            world.set_service_control_policy(ACCOUNT_A, "no-roles", deny_roles());
        }),
        ("service_control_policy", ACCOUNT_A, |world| {
            world.set_service_control_policy(ACCOUNT_A, "some", allow("s3:*", "*"));
        }),
        ("resource_control_policy", ACCOUNT_B, |world| {
            let strangers = json!([{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]);
            world.set_resource_control_policy(ACCOUNT_B, "no-strangers", document(strangers));
        }),
    ];
    side_by_side(&cases, |(cause, account, put)| {
        let scene = broken("", put);
        cases::record(&scene, cause, "");
        let finding = first(&scene, cause, "organization");
        assert_eq!(finding["certainty"], "certain");
        assert!(text(&finding["summary"]).contains(account), "{finding:#}");
        assert!(finding["evidence"].to_string().contains("AWS response"), "{finding:#}");
        let by_hand = fixes::apply(&scene, &finding["fixes"][0]);
        assert!(by_hand[0].contains(ROLE), "{by_hand:#?}");
        scene.sandbox.world(|world| {
            world.account_mut(account).service_control_policies.clear();
            world.account_mut(account).resource_control_policies.clear();
        });
        works(&scene);
    });
}

pub fn refusing(tail: &str) -> Fault {
    let message = format!(
        "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on resource: {ROLE} {tail}"
    );
    Fault::new("AssumeRole", FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message })
}

/// Policy types that the sandbox does not have.
#[test]
fn denials_by_unreadable_policies() {
    let cases = [
        ("vpc_endpoint_policy", "because no VPC endpoint policy allows the sts:AssumeRole action"),
        ("vpc_endpoint_policy", "with an explicit deny in a VPC endpoint policy"),
        ("session_policy_cuts", "because no session policy allows the sts:AssumeRole action"),
        ("session_policy_cuts", "with an explicit deny in a sessions policy"),
    ];
    side_by_side(&cases, |(cause, tail)| {
        let scene = broken("", |_| ());
        scene.sandbox.add_fault(refusing(tail));
        cases::record(&scene, cause, "");
        let finding = first(&scene, cause, "source");
        assert_eq!(finding["certainty"], "certain");
        assert!(finding["evidence"].to_string().contains(tail), "{finding:#}");
        scene.sandbox.clear_faults();
        // The fix cannot name other credentials.
        if !finding["fixes"][0].to_string().contains("NAME") {
            fixes::apply(&scene, &finding["fixes"][0]);
        }
        works(&scene);
    });
}

/// If no policy is readable, AWS's answer is the only evidence.
#[test]
fn denials_if_no_policy_is_readable() {
    let cases = [
        ("grant_absent", "source", "because no identity-based policy allows the sts:AssumeRole action"),
        ("source_denies", "source", "with an explicit deny in an identity-based policy"),
        ("boundary_cuts", "source", "because no permissions boundary allows the sts:AssumeRole action"),
        ("boundary_cuts", "source", "with an explicit deny in a permissions boundary"),
        ("trust_denies", "target", "with an explicit deny in the role trust policy"),
    ];
    side_by_side(&cases, |(cause, side, tail)| {
        let scene = broken("", |world| {
            for account in [ACCOUNT_A, ACCOUNT_B] {
                world.user_mut(account, "admin").policies.attached.clear();
            }
        });
        scene.sandbox.add_fault(refusing(tail));
        let finding = first(&scene, cause, side);
        assert_eq!(finding["certainty"], "certain");
        assert!(finding["evidence"].to_string().contains(tail), "{finding:#}");
    });
}

/// A malformed policy is reported, hides no other cause, and is not repaired.
#[test]
fn a_malformed_policy() {
    let no_policy = document(json!([
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Perhaps", "Action": "sts:AssumeRole", "Resource": "*"},
    ]));
    let scene = broken("", |world| world.put_user_policy(ACCOUNT_A, "alice", "odd", no_policy));
    scene.sandbox.world(|world| {
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({"StringEquals": {"sts:ExternalId": "other"}})));
    });
    let both = diagnosis(&scene, "");
    let findings = both["findings"].as_array().unwrap();
    assert_eq!(findings[0]["cause"], "external_id_wrong", "{both:#}");
    assert_eq!(findings[1]["cause"], "unreadable_policy", "{both:#}");

    scene.sandbox.world(|world| {
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}})));
        without_grant(world);
        let odd = document(json!([{"Effect": "Perhaps"}]));
        world.put_user_policy(ACCOUNT_A, "alice", "odd", odd);
    });
    cases::record(&scene, "unreadable_policy", "");
    let finding = first(&scene, "unreadable_policy", "source");
    assert_eq!(finding["certainty"], "likely");
    let says = text(&finding["summary"]);
    assert!(
        says.starts_with("xacct cannot evaluate") && says.contains("inline policy odd of user alice: statement 1"),
        "{says}"
    );
    assert_eq!(diagnosis(&scene, "")["layers"][1]["verdict"], "unknown");
    let by_hand = fixes::apply(&scene, &finding["fixes"][0]);
    assert!(by_hand[0].contains("inline policy odd of user alice"), "{by_hand:#?}");
    scene.sandbox.world(|world| {
        without_grant(world);
        world.grant_assume_role(ACCOUNT_A, "alice", "xacct", ROLE);
    });
    works(&scene);
}

/// Both halves are broken: both are reported, and both fixes are needed.
#[test]
fn several_causes_together() {
    let scene = broken("", |world| {
        without_grant(world);
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({"StringEquals": {"sts:ExternalId": "other"}})));
        let arn = world.add_policy(ACCOUNT_A, "buckets-only", allow("s3:*", "*"));
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&arn));
    });
    let diagnosis = diagnosis(&scene, "");
    let causes: Vec<_> = diagnosis["findings"].as_array().unwrap().iter().map(|it| text(&it["cause"])).collect();
    assert_eq!(causes, ["external_id_wrong", "grant_absent", "boundary_cuts"], "{diagnosis:#}");
}
