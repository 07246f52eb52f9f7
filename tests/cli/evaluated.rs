//! `--as` and `--message`: links are evaluated without credentials of the principal, and nothing is proven.

use serde_json::json;
use xacct_sandbox::world::{ACCOUNT_A, ACCOUNT_B, PermissionSet, World};

use crate::scene::{ROLE, Scene};
use crate::support::Output;
use crate::support::policies::{allow, deny};

/// A link of user alice, role ci/terraform and permission set Deployer, proven as alice.
fn scene() -> Scene {
    let scene = Scene::new();
    let principals = scene.sandbox.world(World::add_principals);
    let set = PermissionSet::new("Deployer", "eu-west-1").inline(allow("sts:AssumeRole", ROLE));
    scene.sandbox.world(|world| world.provision(ACCOUNT_A, &set)).unwrap();
    scene.session_profile("terraform", &principals.terraform);
    let output = scene.xacct(
        "bootstrap --yes --target-account 222222222222 --name dev --principal user/alice --principal role/ci/terraform \
         --principal permission-set/Deployer --profile security-admin --target-profile dev-admin --user-profile alice",
    );
    output.exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

/// Takes the grant of the role away.
fn without_grant(scene: &Scene) {
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_A, "terraform").unwrap().policies.inline.remove("xacct"));
}

#[test]
fn an_evaluation_that_allows_is_no_proof() {
    let scene = scene();
    for principal in ["user/alice", "role/ci/terraform", "permission-set/Deployer"] {
        let document = scene.xacct_json(&format!("verify --as {principal}"), 5);
        let target = &document["targets"]["dev"];
        assert!(target.get("verification").is_none(), "{document:#}");
        assert_eq!(target["diagnosis"]["evaluated"]["verdict"], "allowed", "{document:#}");
        assert_eq!(target["diagnosis"]["findings"], json!([]), "{document:#}");
        let document = scene.xacct_json(&format!("diagnose --as {principal}"), 0);
        assert_eq!(document["targets"]["dev"]["diagnosis"]["evaluated"]["verdict"], "allowed", "{document:#}");
    }
    let output = scene.xacct("verify --as role/ci/terraform").exits_with(5);
    let output = output.says(&[
        "role/ci/terraform → arn:aws:iam::222222222222:role/xacct",
        "Allowed by evaluation",
        "Nothing is",
    ]);
    assert!(!output.stdout.contains("Verified") && !output.stdout.contains("No problems"), "{}", output.stdout);
    scene.xacct("verify --as role/ci/terraform --fail-on broken,open").exits_with(0);
    // Nothing was sent as the principal, and nothing was written.
    assert!(scene.requests("AssumeRole").is_empty());
    assert_eq!(scene.iam_writes(), [""; 0]);
}

#[test]
fn an_evaluation_names_what_refuses_the_principal() {
    let scene = scene();
    without_grant(&scene);
    let document = scene.xacct_json("verify --as role/ci/terraform", 3);
    let diagnosis = &document["targets"]["dev"]["diagnosis"];
    assert_eq!(diagnosis["evaluated"], json!({"as": "role/ci/terraform", "verdict": "not_allowed"}));
    assert_eq!(diagnosis["findings"][0]["cause"], "grant_absent");
    scene.xacct("diagnose --as role/ci/terraform").exits_with(3).says(&["Not allowed by evaluation", "has no grant"]);
    // Another principal is not concerned.
    scene.xacct("diagnose --as permission-set/Deployer").exits_with(0);
    let output = scene.xacct("verify --as user/carol").exits_with(3);
    output.says(&["Account 111111111111 has no user carol", "User carol is not a principal of target dev"]);
}

#[test]
fn what_cannot_be_read_is_not_decided() {
    let scene = scene();
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_B, "admin", "no", deny("iam:GetRole", "*")));
    scene.xacct("diagnose --as role/ci/terraform").exits_with(5).says(&["Not decided by evaluation", "Could not read"]);
}

#[test]
fn the_principal_of_another_account_is_refused() {
    let scene = scene();
    let output = scene.xacct("diagnose --as arn:aws:iam::333333333333:role/app").exits_with(2);
    output.says(&["is in account 333333333333, but the source account is 111111111111", "--as KIND/NAME"]);
    scene.xacct("verify --as role/ci/terraform --must-refuse").exits_with(2);
    scene.xacct("diagnose --as AWSReservedSSO_x").exits_with(2);
    assert!(scene.requests("GetRole").is_empty());
}

/// Diagnoses this message.
fn diagnose(scene: &Scene, message: &str, more: &[&str]) -> Output {
    scene.environment.xacct(&[&["diagnose", "--message", message], more].concat())
}

#[test]
fn the_message_of_another_tool_is_diagnosed_with_the_policies() {
    let scene = scene();
    let caller = "arn:aws:sts::111111111111:assumed-role/terraform/build-7";
    let denied = |action: &str| {
        format!(
            "An error occurred (AccessDenied) when calling the AssumeRole operation: User: {caller} is not authorized to \
             perform: {action} on resource: {ROLE}"
        )
    };
    let document = diagnose(&scene, &denied("sts:TagSession"), &["--output", "json"]).exits_with(3).json();
    let diagnosis = &document["targets"]["dev"]["diagnosis"];
    assert_eq!(diagnosis["attempt"]["caller"], caller);
    assert_eq!(diagnosis["findings"][0]["cause"], "inherited_session_tags", "{diagnosis:#}");
    assert_eq!(diagnosis["findings"][0]["side"], "target");
    without_grant(&scene);
    let output = diagnose(&scene, &denied("sts:AssumeRole"), &[]).exits_with(3);
    output.says(&["Role ci/terraform has no grant", "(as the\nmessage says)"]);
    assert!(scene.requests("AssumeRole").is_empty());
    diagnose(&scene, "no route to host", &[]).exits_with(2).says(&["has no answer of AWS"]);
}

/// Other tools send their requests with the user's own credentials if they do not assume the role.
#[test]
fn the_answer_to_a_tool_that_did_not_assume_the_role_is_recognized() {
    let scene = Scene::linked("--external-id abc");
    let denied = |who: &str| {
        format!(
            "operation error S3: CreateBucket, https response error StatusCode: 403, RequestID: 0, HostID: 0, api error \
             AccessDenied: User: {who} is not authorized to perform: s3:CreateBucket on resource: \"arn:aws:s3:::my-state\" \
             because no identity-based policy allows the s3:CreateBucket action"
        )
    };
    let alice = "arn:aws:iam::111111111111:user/alice";
    // What Terragrunt 1.0.0 says.
    let absent = "error checking access to S3 bucket my-state: operation error S3: GetObject, https response error StatusCode: \
                  404, RequestID: 0, HostID: 0, api error NoSuchBucket: The specified bucket does not exist";
    for (message, certainty) in [(&*denied(alice), "certain"), (absent, "likely")] {
        let document = diagnose(&scene, message, &["--output", "json"]).json();
        let findings = &document["targets"][ACCOUNT_B]["diagnosis"]["findings"];
        assert_eq!(findings[0]["cause"], "role_not_assumed", "{findings:#}");
        assert_eq!(
            (&findings[0]["side"], &findings[0]["certainty"]),
            (&json!("local_configuration"), &json!(certainty))
        );
        diagnose(&scene, message, &[]).says(&["--auth-provider-cmd", "Terragrunt 0.86.3 to 1.1.0"]);
    }
    // The session of the role was denied: its policies are at fault.
    let session = diagnose(
        &scene,
        &denied(&format!("{}/alice", ROLE.replace(":iam:", ":sts:").replace(":role", ":assumed-role"))),
        &[],
    );
    assert!(!session.stdout.contains("role_not_assumed"), "{session}");
    let ec2 = format!("User: {alice} is not authorized to perform: ec2:RunInstances on resource: *");
    let ec2 = diagnose(&scene, &ec2, &[]).exits_with(3).says(&["role_not_assumed", "print provider-hcl"]);
    assert!(!ec2.stdout.contains("Terragrunt"), "{ec2}");
}

#[test]
fn the_answer_to_an_operator_is_diagnosed_without_the_link() {
    let scene = scene();
    for (message, cause, side, waiting_helps) in [
        (
            "Cannot perform the operation on the protected role 'AWSReservedSSO_Deployer_0123456789abcdef' - this role is \
             only modifiable by AWS",
            "reserved_role",
            "identity_center",
            false,
        ),
        (
            "operation error SSO Admin: ProvisionPermissionSet, https response error StatusCode: 400, RequestID: 0, \
             ConflictException: There is a conflicting operation in process.",
            "permission_set_busy",
            "identity_center",
            true,
        ),
        (
            "An error occurred (LimitExceeded) when calling the PutGroupPolicy operation: Maximum policy size of 5120 bytes \
             exceeded for group deployers",
            "inline_policies_too_long",
            "source",
            false,
        ),
    ] {
        let document = diagnose(&scene, message, &["--output", "json"]).exits_with(3).json();
        let findings = &document["targets"]["dev"]["diagnosis"]["findings"];
        assert_eq!(findings.as_array().unwrap().len(), 1, "{findings:#}");
        assert_eq!((&findings[0]["cause"], &findings[0]["side"]), (&json!(cause), &json!(side)));
        assert_eq!(findings[0].get("waiting_helps").is_some(), waiting_helps, "{cause}");
    }
}
