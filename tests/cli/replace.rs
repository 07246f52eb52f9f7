//! `xacct replace` gives links to another principal, and nobody is refused meanwhile.

use serde_json::json;
use xacct_sandbox::world::ACCOUNT_A;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::Scene;
use crate::snapshots::assert_output;
use crate::support::Output;

const BEGIN: &str = "replace alice --with bob --yes --user-profile bob";
const FINISH: &str = "replace alice --with bob --yes --finish";

/// A restricted link of alice. bob has a profile, too.
fn scene() -> Scene {
    Scene::linked("--name dev --restrict-to-user")
}

/// Opens a session with this user's profile.
fn session(scene: &Scene, user: &str) -> Output {
    scene.xacct(&format!("credentials --no-cache --format process --user-profile {user}"))
}

fn grant(scene: &Scene, user: &str) -> bool {
    scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, user, "xacct").is_some())
}

#[test]
fn both_have_the_link_until_it_is_finished() {
    let scene = scene();
    assert_output("replace-begin", BEGIN, &scene.xacct(BEGIN).exits_with(0));
    assert!(grant(&scene, "alice") && grant(&scene, "bob"));
    session(&scene, "alice").exits_with(0);
    session(&scene, "bob").exits_with(0);
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains("principals = [\"user/bob\", \"user/alice\"]"));
    scene.xacct("bootstrap --check").exits_with(0);

    assert_output("replace-finish", FINISH, &scene.xacct(FINISH).exits_with(0));
    assert!(!grant(&scene, "alice") && grant(&scene, "bob"));
    let trusted = &scene.conditions()["ArnEquals"]["aws:PrincipalArn"];
    assert_eq!(*trusted, json!("arn:aws:iam::111111111111:user/bob"));
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains("user = \"bob\"") && !file.contains("alice"), "{file}");
    session(&scene, "bob").exits_with(0);
    scene.xacct("verify").exits_with(0);
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    assert!(!grant(&scene, "bob"));
}

#[test]
fn one_target_of_several_can_be_replaced() {
    let scene = scene();
    let second = "bootstrap 333333333333 --name qa --yes --profile security-admin --target-profile third-admin";
    scene.xacct(second).exits_with(0);
    scene.xacct("replace alice --with bob qa --yes --user-profile bob").exits_with(0);
    scene.xacct("replace alice --with bob qa --yes --finish").exits_with(0);
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains("user = \"alice\"") && file.contains("principals = [\"user/bob\"]"), "{file}");
    assert!(grant(&scene, "alice") && grant(&scene, "bob"));
    scene.xacct("verify dev --user-profile alice").exits_with(0);
    scene.xacct("verify qa --user-profile bob").exits_with(0);
    scene.xacct("verify qa --user-profile alice").exits_with(5);
}

#[test]
fn the_test_counts_only_as_the_new_one() {
    let scene = scene();
    let output = scene.xacct("replace alice --with bob --yes --user-profile alice").exits_with(5);
    output.says(&["do not belong to user `bob`"]);
}

#[test]
fn an_interrupted_run_continues_where_it_stopped() {
    for operation in ["PutUserPolicy", "UpdateAssumeRolePolicy", "CreateBucket"] {
        let scene = scene();
        let denied = FaultKind::Error { status: 403, code: "AccessDenied".into(), message: "no".into() };
        scene.sandbox.add_fault(Fault::new(operation, denied));
        assert_ne!(scene.xacct(BEGIN).code, 0, "{operation}");
        scene.sandbox.clear_faults();
        session(&scene, "alice").exits_with(0);
        scene.xacct(BEGIN).exits_with(0);
        session(&scene, "bob").exits_with(0);

        let denied = FaultKind::Error { status: 403, code: "AccessDenied".into(), message: "no".into() };
        scene.sandbox.add_fault(Fault::new("DeleteUserPolicy", denied));
        scene.xacct(FINISH).exits_with(1);
        assert!(scene.environment.read("xacct.toml").contains("user/alice"), "its grant is not gone");
        scene.sandbox.clear_faults();
        scene.xacct(FINISH).exits_with(0);
        assert!(!grant(&scene, "alice") && grant(&scene, "bob"), "{operation}");
    }
}

#[test]
fn bad_input_changes_nothing() {
    let scene = scene();
    let cases = [
        ("replace alice --with alice --yes", 2, "user `alice` cannot replace itself"),
        ("replace carol --with bob --yes", 2, "user `carol` does not have target `dev`, which is for alice"),
        ("replace alice --with nobody --yes", 1, "account 111111111111 has no user `nobody`"),
        ("replace alice --with bob --finish --yes", 2, "user `bob` does not have the links yet"),
        ("replace alice --with bob prod --yes", 2, "has no target `prod`"),
    ];
    let before = scene.environment.read("xacct.toml");
    for (words, code, text) in cases {
        scene.xacct(words).exits_with(code).says(&[text]);
    }
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert_eq!(scene.environment.read("xacct.toml"), before);
}

#[test]
fn the_old_one_may_be_gone() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.world(|world| drop(world.delete_user(ACCOUNT_A, "alice")));
    scene.xacct(FINISH).exits_with(0);
    assert!(scene.environment.read("xacct.toml").contains("user = \"bob\""));
}

#[test]
fn a_preview_and_a_check_change_nothing() {
    let scene = scene();
    scene.xacct("replace alice --with bob --dry-run").exits_with(0).says(&["add policy xacct to user bob"]);
    scene.xacct("replace alice --with bob --check").exits_with(4);
    assert_eq!(scene.writes(), Vec::<String>::new());
}

#[test]
fn a_target_that_fails_keeps_the_old_one_on_record() {
    let scene = scene();
    let second = "bootstrap 333333333333 --name qa --yes --profile security-admin --target-profile third-admin";
    scene.xacct(second).exits_with(0);
    scene.xacct(BEGIN).exits_with(0);
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".into(), message: "no".into() };
    scene.sandbox.add_fault(Fault::new("UpdateAssumeRolePolicy", denied));
    assert_ne!(scene.xacct(FINISH).code, 0);
    assert!(scene.environment.read("xacct.toml").contains("user/alice"));
    scene.sandbox.clear_faults();
    scene.xacct(FINISH).exits_with(0);
    assert!(!grant(&scene, "alice") && grant(&scene, "bob"));
    assert!(!scene.environment.read("xacct.toml").contains("alice"));
}

#[test]
fn nobody_leaves_before_the_new_one_works() {
    let scene = scene();
    scene.environment.edit("xacct.toml", "user = \"alice\"", "principals = [\"user/bob\", \"user/alice\"]");
    let output = scene.xacct(FINISH).exits_with(1);
    output.says(&["user `bob` does not have its grant yet", "run the command without --finish first"]);
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.clear_requests();
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Throttle));
    let output = scene.xacct(FINISH);
    assert_ne!(output.code, 0);
    output.says(&["cannot test the link as user `bob`", "nothing was changed"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
    session_by_alice(&scene);
}

fn session_by_alice(scene: &Scene) {
    scene.sandbox.clear_faults();
    session(scene, "alice").exits_with(0);
}

#[test]
fn sessions_are_named_after_whoever_opens_them() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.clear_requests();
    for user in ["alice", "bob"] {
        session(&scene, user).exits_with(0);
        let requests = scene.requests("AssumeRole");
        assert_eq!(requests.last().unwrap().parameter("RoleSessionName"), Some(user));
    }
}

#[test]
fn mfa_and_a_role_do_not_go_together() {
    let scene = Scene::linked("--name dev --require-mfa --mfa-code 123456 --no-verify");
    scene.sandbox.clear_requests();
    let output = scene.xacct("replace alice --with role/ci/terraform --yes").exits_with(2);
    output.says(&["sessions of role `ci/terraform` never have MFA"]);
    assert_eq!(scene.writes(), Vec::<String>::new());
}
