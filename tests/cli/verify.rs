//! The outcomes of verify: works, denied, too open, S3 blocked.

use serde_json::{Value, json};
use xacct_sandbox::Sandbox;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, ROLE, Scene, step, trust};
use crate::support::policies::document;

#[test]
fn rejects_a_wrong_external_id_in_the_file() {
    let scene = Scene::linked("--external-id right");
    scene.environment.edit("xacct.toml", "\"right\"", "\"wrong\"");
    let verification = scene.verdict("", 3);
    assert_eq!(verification["outcome"], "refused");
    assert_eq!(step(&verification, "assume_role")["outcome"], "failed");
    assert_eq!(step(&verification, "assume_role")["error"]["aws"]["code"], "AccessDenied");
    assert_eq!(scene.requests("CreateBucket").len(), 0);
}

#[test]
fn rejects_a_missing_external_id_in_the_file() {
    let scene = Scene::linked("--external-id right");
    scene.environment.edit("xacct.toml", "external_id = \"right\"\n", "");
    assert_eq!(scene.verdict("", 3)["outcome"], "refused");
}

#[test]
fn a_trust_policy_without_the_condition_is_too_open() {
    let scene = Scene::linked("--external-id right");
    let open = trust(&json!({}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &open));
    let verification = scene.verdict("", 3);
    assert_eq!(verification["outcome"], "too_open");
    for id in ["refused_without_external_id", "refused_with_wrong_external_id"] {
        assert_eq!(step(&verification, id)["outcome"], "failed", "{id}");
    }
    assert_eq!(step(&verification, "bucket_gone")["outcome"], "ok");
    scene.xacct("verify").exits_with(3).says(&["TOO OPEN", "xacct bootstrap"]);
}

#[test]
fn an_external_id_pattern_is_too_open() {
    let scene = Scene::linked("--external-id right");
    let open = trust(&json!({"StringLike": {"sts:ExternalId": "*right"}}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &open));
    let verification = scene.verdict("", 3);
    assert_eq!(verification["outcome"], "too_open");
    assert_eq!(step(&verification, "refused_without_external_id")["outcome"], "ok");
    assert_eq!(step(&verification, "refused_with_wrong_external_id")["outcome"], "failed");
}

#[test]
fn a_user_without_the_grant_is_denied() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
    });
    let verification = scene.verdict("", 3);
    assert_eq!(verification["outcome"], "refused");
    assert_eq!(step(&verification, "who_am_i")["outcome"], "ok");
}

#[test]
fn a_deleted_role_is_denied() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    assert_eq!(scene.verdict("", 3)["outcome"], "refused");
}

#[test]
fn an_rcp_against_other_organizations_is_denied() {
    let scene = Scene::linked("");
    let deny = document(json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT_B}},
    }));
    scene.sandbox.world(|world| world.set_resource_control_policy(ACCOUNT_B, "NoStrangers", deny));
    assert_eq!(scene.verdict("", 3)["outcome"], "refused");
}

#[test]
fn an_scp_that_denies_s3_blocks_only_the_bucket() {
    let scene = Scene::linked("");
    deny_buckets(&scene, &json!({}));
    let verification = scene.verdict("", 3);
    assert_eq!(verification["outcome"], "s3_blocked");
    scene.xacct("verify").exits_with(3).says(&["service control policy", "probe = \"identity\""]);

    let verification = scene.verdict("--probe identity", 0);
    assert_eq!(verification["outcome"], "works");
    assert_eq!(step(&verification, "create_bucket")["outcome"], "skipped");
}

#[test]
fn bootstrap_with_s3_blocked_exits_with_3_and_keeps_the_link() {
    let deny = document(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}));
    let scene = Scene::of(Sandbox::builder().scp(ACCOUNT_B, "NoS3", deny));
    let document = scene.bootstrap_json("--timeout 1s", 3);
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "s3_blocked");
    assert_eq!(scene.granted(), [ROLE]);
    scene.xacct("bootstrap --probe identity").exits_with(0);
    assert!(scene.environment.read("xacct.toml").contains("probe = \"identity\""));
}

#[test]
fn a_role_without_s3_permissions_blocks_the_bucket() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_B, "xacct").unwrap().policies.inline.clear();
    });
    let verification = scene.verdict("", 3);
    assert_eq!(verification["outcome"], "s3_blocked");
    scene.xacct("verify").exits_with(3).says(&["No policy of role xacct allows s3:CreateBucket"]);
}

#[test]
fn names_the_bucket_that_the_role_cannot_delete() {
    let scene = Scene::linked("");
    let create_only = document(json!({
        "Effect": "Allow", "Action": ["s3:CreateBucket", "s3:TagResource"], "Resource": "*",
    }));
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "xacct-verify", create_only));
    let output = scene.xacct("verify").exits_with(3);
    let left = scene.sandbox.world(|world| world.buckets().next().map(|bucket| bucket.name.clone()));
    let left = left.expect("the bucket that could not be deleted");
    output.says(&[&format!("test bucket `{left}` may be left behind"), "delete-bucket"]);
}

#[test]
fn sets_the_bucket_tags_that_an_organization_requires() {
    let scene = Scene::linked("");
    deny_buckets(&scene, &json!({"Null": {"aws:RequestTag/cost-center": "true"}}));
    assert_eq!(scene.verdict("", 3)["outcome"], "s3_blocked");
    assert_eq!(scene.verdict("--bucket-tag cost-center=4711", 0)["outcome"], "works");
    // Once recorded, the setting applies.
    scene.xacct("bootstrap --bucket-tag cost-center=4711").exits_with(0);
    assert_eq!(scene.verdict("", 0)["outcome"], "works");
}

#[test]
fn uses_the_bucket_namespace_that_an_organization_requires() {
    let scene = Scene::linked("--region eu-west-1");
    let elsewhere = json!({"StringNotEquals": {"s3:x-amz-bucket-namespace": "account-regional"}});
    deny_buckets(&scene, &elsewhere);
    assert_eq!(scene.verdict("", 3)["outcome"], "s3_blocked");
    let verification = scene.verdict("--bucket-namespace account-regional", 0);
    let name = step(&verification, "create_bucket")["evidence"].to_string();
    assert!(name.contains("xacct-verify-"), "{name}");
    assert!(name.contains("-222222222222-eu-west-1-an"), "{name}");
}

#[test]
fn creates_the_bucket_in_the_region_of_the_target() {
    let scene = Scene::linked("--region eu-west-1");
    scene.verdict("", 0);
    for operation in ["AssumeRole", "CreateBucket", "DeleteBucket", "HeadBucket"] {
        for request in scene.requests(operation) {
            assert_eq!(request.region.as_deref(), Some("eu-west-1"), "{request:#?}");
        }
    }
    scene.verdict("--region us-east-1", 0);
    assert_eq!(scene.requests("CreateBucket")[1].region.as_deref(), Some("us-east-1"));
}

#[test]
fn a_region_denied_by_an_scp_is_blocked() {
    let scene = Scene::linked("");
    deny_buckets(&scene, &json!({"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}));
    assert_eq!(scene.verdict("", 3)["outcome"], "s3_blocked");
    assert_eq!(scene.verdict("--region eu-central-1", 0)["outcome"], "works");
}

#[test]
fn deletes_the_bucket_only_with_the_expected_owner() {
    let scene = Scene::linked("");
    scene.verdict("", 0);
    for request in scene.requests("DeleteBucket") {
        assert_eq!(request.parameter("ExpectedBucketOwner"), Some(ACCOUNT_B));
    }
}

#[test]
fn the_worst_target_decides() {
    let scene = Scene::linked("");
    scene.configure("third-admin", "aws_account_id = 333333333333");
    scene.xacct("bootstrap --yes --target-account 333333333333").exits_with(0);
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_C, "xacct"));
    scene.sandbox.clear_requests();
    let document = scene.xacct_json("verify", 3);
    assert_eq!(document["targets"][ACCOUNT_B]["verification"]["outcome"], "works");
    assert_eq!(document["targets"][ACCOUNT_C]["verification"]["outcome"], "refused");
    let mut asked = scene.requests("GetCallerIdentity");
    asked.retain(|request| request.principal.as_deref() == Some("arn:aws:iam::111111111111:user/alice"));
    assert_eq!(asked.len(), 1, "GetCallerIdentity is called once");
}

#[test]
fn verify_never_writes_to_iam() {
    let scene = Scene::linked("--external-id abc");
    scene.verdict("", 0);
    let requests = scene.sandbox.requests();
    let of_iam: Vec<_> = requests.iter().filter(|request| request.service == "iam").collect();
    assert!(of_iam.iter().all(|request| request.operation == "GetRole"), "{of_iam:#?}");
}

/// Adds a service control policy to account B that denies CreateBucket under this condition.
fn deny_buckets(scene: &Scene, condition: &Value) {
    let mut statement = json!({"Effect": "Deny", "Action": "s3:CreateBucket", "Resource": "*"});
    if condition != &json!({}) {
        statement["Condition"] = condition.clone();
    }
    let document = document(statement);
    scene.sandbox.world(|world| world.set_service_control_policy(ACCOUNT_B, "NoBuckets", document));
}

#[test]
fn does_not_test_with_an_administrators_credentials() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.xacct("verify").exits_with(5);
    assert_eq!(scene.requests("AssumeRole").len(), 0);
}

#[test]
fn bucket_tags_may_have_any_key() {
    let scene = Scene::linked("");
    for tag in ["managed-by=platform", "xacct:purpose=mine"] {
        scene.xacct(&format!("verify --bucket-tag {tag}")).exits_with(0);
    }
    scene.bootstrap("--tag Managed-By=me").exits_with(2).says(&["Managed-By"]);
}
