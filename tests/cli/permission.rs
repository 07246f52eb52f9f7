//! `xacct diagnose --action`: whether sessions of the role may do something.

use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use crate::snapshots::assert_output;
use crate::support::policies::{allow, deny, document};

const TOPIC: &str = "arn:aws:sns:eu-west-1:222222222222:alerts";

fn scene(policy: Value) -> Scene {
    let scene = Scene::linked("--no-verify");
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "own", policy));
    scene
}

fn permission(scene: &Scene, words: &str, exit_code: i32) -> Value {
    scene.xacct_json(&format!("diagnose {words}"), exit_code)["targets"][ACCOUNT_B]["permission"].clone()
}

#[test]
fn an_action_that_a_policy_allows_is_shown_with_its_statement() {
    let scene = scene(allow("sns:*", "*"));
    let words = "diagnose --action sns:CreateTopic";
    assert_output("permission-allowed", words, &scene.xacct(words).exits_with(0));
    let permission = permission(&scene, "--action sns:CreateTopic", 0);
    assert_eq!(permission["verdict"], "allowed", "{permission:#}");
    assert!(permission["notes"][0].as_str().unwrap().contains("service and resource control policies"));
    // Nothing is tried, and only the target account is read.
    assert!(scene.requests("AssumeRole").is_empty() && scene.requests("GetUser").is_empty());
}

#[test]
fn an_action_that_no_policy_allows_is_not_allowed() {
    let scene = scene(allow("sns:CreateTopic", "arn:aws:sns:eu-west-1:222222222222:other"));
    let words = format!("diagnose --action sns:CreateTopic --resource {TOPIC}");
    assert_output("permission-not-allowed", &words, &scene.xacct(&words).exits_with(3));
    let permission = permission(&scene, "--action sqs:SendMessage", 3);
    assert_eq!(permission["verdict"], "not_allowed", "{permission:#}");
    scene.xacct("diagnose --action sqs:SendMessage").exits_with(3).says(&["No statement", "--policy-file FILE"]);
}

#[test]
fn an_explicit_denial_wins() {
    let scene = scene(allow("*", "*"));
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "no", deny("sns:Delete*", TOPIC)));
    let of = |words: &str, code: i32, verdict: &str| {
        let permission = permission(&scene, words, code);
        assert_eq!(permission["verdict"], verdict, "{words}: {permission:#}");
    };
    of(&format!("--action sns:DeleteTopic --resource {TOPIC}"), 3, "denied");
    of(&format!("--action SNS:deletetopic --resource {TOPIC}"), 3, "denied");
    of(&format!("--action sns:CreateTopic --resource {TOPIC}"), 0, "allowed");
    // On some resources only.
    of("--action sns:DeleteTopic", 5, "allowed_as_far_as_read");
}

#[test]
fn the_boundary_counts() {
    let scene = scene(allow("*", "*"));
    scene.sandbox.world(|world| {
        world.set_role_boundary(ACCOUNT_B, "xacct", Some("arn:aws:iam::aws:policy/AmazonS3FullAccess"));
    });
    assert_eq!(permission(&scene, "--action s3:CreateBucket", 0)["verdict"], "allowed");
    let words = "diagnose --action sns:CreateTopic";
    assert_output("permission-boundary", words, &scene.xacct(words).exits_with(3));
}

/// A policy for some resources decides about none in particular.
#[test]
fn without_a_resource_a_policy_for_some_is_undecided() {
    let statements = json!([
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC},
        {"Effect": "Allow", "Action": "sns:Subscribe", "NotResource": TOPIC},
    ]);
    let scene = scene(document(statements));
    for action in ["sns:Publish", "sns:Subscribe"] {
        let output = scene.xacct(&format!("diagnose --action {action}")).exits_with(5);
        output.says(&["Undecided", "depending on the resource", "--resource ARN"]);
    }
    assert_eq!(permission(&scene, &format!("--action sns:Publish --resource {TOPIC}"), 0)["verdict"], "allowed");
    permission(&scene, &format!("--action sns:Subscribe --resource {TOPIC}"), 3);
}

#[test]
fn a_condition_counts_if_its_value_is_known() {
    let in_region = |region: &str| {
        json!({"Effect": "Allow", "Action": "sns:*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": region}}})
    };
    let scene = scene(document(json!([in_region("eu-west-1")])));
    permission(&scene, &format!("--action sns:Publish --resource {TOPIC}"), 0);
    permission(&scene, "--action sns:Publish", 3);
    permission(&scene, "--action sns:Publish --region eu-west-1", 0);
    // What the request will send is not known.
    let tagged = json!({"Effect": "Allow", "Action": "sns:TagResource", "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestTag/team": "x"}}});
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "own", document(json!([tagged]))));
    assert_eq!(permission(&scene, "--action sns:TagResource", 5)["verdict"], "unknown");
}

#[test]
fn what_cannot_be_read_is_never_a_decision() {
    let scene = scene(allow("sns:*", "*"));
    let denied = "User: arn:aws:iam::222222222222:user/admin is not authorized to perform: iam:GetRolePolicy";
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: denied.to_owned() };
    scene.sandbox.add_fault(Fault::new("GetRolePolicy", denied));
    let words = "diagnose --action sqs:SendMessage";
    scene.xacct(words).exits_with(5).says(&["Undecided", "could not read", "allow iam:GetRolePolicy"]);
    scene.sandbox.clear_faults();
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"\n", "");
    scene.environment.edit("aws/config", "aws_account_id = 222222222222\n", "");
    let permission = permission(&scene, "--action sns:CreateTopic", 5);
    assert_eq!(permission["verdict"], "unknown", "{permission:#}");
}

#[test]
fn a_role_that_does_not_exist_may_do_nothing() {
    let scene = scene(allow("sns:*", "*"));
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    let document = scene.xacct_json("diagnose --action sns:CreateTopic", 3);
    assert!(document["targets"][ACCOUNT_B]["error"]["message"].as_str().unwrap().contains("does not exist"));
}

#[test]
fn a_resource_in_another_account_needs_its_own_policy() {
    let scene = scene(allow("sns:*", "*"));
    let words = format!("--action sns:Publish --resource arn:aws:sns:eu-west-1:{ACCOUNT_A}:alerts");
    let permission = permission(&scene, &words, 0);
    assert!(permission["notes"].to_string().contains("another account"), "{permission:#}");
}

#[test]
fn a_malformed_action_or_resource_is_refused_before_anything_is_sent() {
    let scene = scene(allow("sns:*", "*"));
    scene.sandbox.clear_requests();
    let refused = |words: &str, says: &[&str]| {
        scene.xacct(&format!("diagnose {words}")).exits_with(2).says(says);
    };
    refused("--action CreateTopic", &["CreateTopic", "SERVICE:NAME", "sns:CreateTopic"]);
    refused("--action sns:*", &["sns:*", "without wildcards"]);
    refused("--action sns:Publish --resource alerts", &["alerts", "ARN of one resource"]);
    refused("--action sns:Publish --resource arn:aws:s3:::bucket/*", &["without wildcards"]);
    refused("--resource arn:aws:s3:::bucket", &["--action"]);
    refused("--action sns:Publish --facts facts.json", &["cannot be used with"]);
    assert_eq!(scene.sandbox.requests(), []);
}
