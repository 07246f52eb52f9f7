//! `xacct verify --must-refuse` proves that a caller does not get in.

use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, side_by_side, trust};
use crate::snapshots::assert_output;
use crate::support::policies::{allow, deny};

const AS_BOB: &str = "verify 222222222222 --must-refuse --user-profile bob";

fn scene() -> Scene {
    Scene::linked("--external-id abc --no-verify")
}

/// Grants bob what alice has.
fn admit(scene: &Scene) {
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "bob", "own", allow("sts:AssumeRole", ROLE)));
}

fn refusal(scene: &Scene, words: &str, exit_code: i32) -> Value {
    scene.xacct_json(words, exit_code)["targets"][ACCOUNT_B]["refusal"].clone()
}

#[test]
fn somebody_who_does_not_get_in_is_proven() {
    let scene = scene();
    assert_output("must-refuse-denied", AS_BOB, &scene.xacct(AS_BOB).exits_with(0));
    scene.sandbox.clear_requests();
    let refusal = refusal(&scene, AS_BOB, 0);
    assert_eq!(refusal["outcome"], "denied", "{refusal:#}");
    assert_eq!(refusal["caller"], "arn:aws:iam::111111111111:user/bob");
    assert!(refusal["request_ids"].as_array().is_some_and(|ids| !ids.is_empty()), "{refusal:#}");
    let requests = scene.requests("AssumeRole");
    // Under the name of tests, and under his own, which a policy may require.
    let names: Vec<_> = requests.iter().filter_map(|it| it.parameter("RoleSessionName")).collect();
    assert_eq!(names, ["xacct-verify", "bob"]);
    assert!(requests.iter().all(|it| it.parameter("ExternalId") == Some("abc")));
    assert_eq!((scene.writes(), scene.requests("CreateBucket").len()), (Vec::new(), 0));
}

#[test]
fn somebody_who_gets_in_is_said_loudly() {
    let scene = scene();
    admit(&scene);
    assert_output("must-refuse-accepted", AS_BOB, &scene.xacct(AS_BOB).exits_with(3));
    let refusal = refusal(&scene, AS_BOB, 3);
    assert_eq!(refusal["outcome"], "accepted", "{refusal:#}");
    assert!(scene.requests("AssumeRole").iter().all(|it| it.parameter("DurationSeconds") == Some("900")));
    scene.xacct(&format!("{AS_BOB} --fail-on unproven")).exits_with(0).says(&["GOT IN"]);
    // The way that the hint names.
    scene.xacct("who 222222222222").exits_with(0).says(&["user bob"]);
}

/// Bob may do everything, but the trust policy admits only alice.
#[test]
fn a_restricted_role_refuses_even_an_administrator() {
    let scene = Scene::linked("--restrict-to-user --no-verify");
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "bob", "own", allow("*", "*")));
    assert_eq!(refusal(&scene, AS_BOB, 0)["outcome"], "denied");
}

/// A condition on the session's name, which bob meets with his own.
#[test]
fn a_denial_of_the_session_name_alone_proves_nothing() {
    let scene = scene();
    admit(&scene);
    let named = json!({"StringEquals": {"sts:ExternalId": "abc", "sts:RoleSessionName": "bob"}});
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&named)));
    assert_eq!(refusal(&scene, AS_BOB, 3)["outcome"], "accepted");
}

#[test]
fn what_is_no_decision_is_not_proven() {
    let unknown = FaultKind::Error {
        status: 403,
        code: "InvalidClientTokenId".to_owned(),
        message: "The security token included in the request is invalid".to_owned(),
    };
    let kinds = [FaultKind::Throttle, FaultKind::ServerError(503), FaultKind::Reset, unknown];
    let cases: Vec<_> =
        kinds.iter().flat_map(|kind| ["AssumeRole", "GetCallerIdentity"].map(|operation| (operation, kind))).collect();
    side_by_side(&cases, |(operation, kind)| {
        let scene = scene();
        scene.sandbox.add_fault(Fault::new(*operation, (*kind).clone()));
        let refusal = refusal(&scene, AS_BOB, 5);
        assert_eq!(refusal["outcome"], "not_proven", "{operation}: {refusal:#}");
        assert!(refusal["error"]["message"].is_string(), "{operation}: {refusal:#}");
    });
}

#[test]
fn an_expired_sign_in_and_absent_credentials_are_errors() {
    let expired = FaultKind::Error {
        status: 403,
        code: "ExpiredToken".to_owned(),
        message: "The security token included in the request is expired".to_owned(),
    };
    side_by_side(&["AssumeRole", "GetCallerIdentity"], |operation| {
        let scene = scene();
        scene.sandbox.add_fault(Fault::new(*operation, expired.clone()));
        scene.xacct(AS_BOB).exits_with(1).says(&["ExpiredToken"]);
    });
    // The user and the operator of the file are nobody's credentials here.
    let scene = scene();
    scene.xacct("verify --must-refuse").exits_with(1).says(&["no AWS credentials"]);
    scene.xacct("verify --must-refuse --user-profile nobody").exits_with(1).says(&["nobody"]);
}

/// AWS denies it in the same words.
#[test]
fn a_role_that_does_not_exist_proves_nothing() {
    let scene = scene();
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    let refusal = refusal(&scene, AS_BOB, 5);
    assert_eq!(refusal["outcome"], "not_proven", "{refusal:#}");
    scene.xacct(AS_BOB).exits_with(5).says(&["does not exist"]);
}

#[test]
fn without_the_operator_the_role_is_not_looked_for_and_that_is_said() {
    let scene = scene();
    scene.environment.edit("xacct.toml", "profile = \"dev-admin\"\n", "");
    scene.environment.edit("aws/config", "aws_account_id = 222222222222\n", "");
    let refusal = refusal(&scene, AS_BOB, 0);
    assert!(refusal["notes"][0].as_str().unwrap().contains("not checked whether the role exists"), "{refusal:#}");
}

/// The role may admit bob with MFA, so a denial without it proves nothing.
#[test]
fn a_role_that_requires_mfa_is_tried_with_mfa() {
    let scene = Scene::linked("--require-mfa --no-verify");
    admit(&scene);
    let attempt = refusal(&scene, AS_BOB, 5);
    assert_eq!(attempt["outcome"], "not_proven", "{attempt:#}");
    // Without MFA in the trust policy, he gets in without.
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({}))));
    assert_eq!(refusal(&scene, AS_BOB, 3)["outcome"], "accepted");
}

#[test]
fn a_denial_by_the_organization_is_named_as_such() {
    let scene = scene();
    admit(&scene);
    let document = deny("sts:AssumeRole", "*");
    scene.sandbox.world(|world| world.set_service_control_policy(ACCOUNT_A, "none", document));
    let refusal = refusal(&scene, AS_BOB, 0);
    assert!(refusal["notes"].to_string().contains("the organization"), "{refusal:#}");
}

#[test]
fn several_targets_have_a_row_each() {
    let scene = scene();
    scene
        .xacct("bootstrap --yes --no-verify --target-account 333333333333 --name prod --target-profile third-admin")
        .exits_with(0);
    admit(&scene);
    let words = "verify --must-refuse --user-profile bob";
    assert_output("must-refuse-several", words, &scene.xacct(words).exits_with(3));
}
