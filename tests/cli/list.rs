//! `xacct list`: every target with its settings and its last test, offline or live.

use serde_json::json;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, ROLE, Scene, side_by_side};
use crate::snapshots::assert_output;

const TWO: &str = "bootstrap --yes --target-account 222222222222,333333333333 --user alice --user-profile alice \
                   --profile security-admin --enter-role OrganizationAccountAccessRole --external-id abc";

#[test]
fn shows_settings_and_the_last_test_without_a_request() {
    let scene = Scene::linked("--external-id abc --policy-arn PowerUserAccess --region eu-west-1 --no-verify");
    assert_output("list-not-tested", "list", &scene.xacct("list").exits_with(0));
    scene.xacct("verify").exits_with(0);
    scene.sandbox.clear_requests();
    let output = scene.xacct("list").exits_with(0);
    assert_eq!(output.stderr, "");
    assert_output("list-tested", "list", &output);
    let document = scene.xacct_json("status 222222222222", 0);
    assert!(scene.sandbox.requests().is_empty());
    let target = &document["targets"][ACCOUNT_B];
    assert_eq!(document["source"], json!({"account": ACCOUNT_A, "user": "alice", "principals": ["alice"]}));
    assert_eq!((&target["role_arn"], &target["external_id"]), (&json!(ROLE), &json!("abc")));
    assert_eq!(target["policy_arns"], json!(["arn:aws:iam::aws:policy/PowerUserAccess"]));
    assert_eq!((&target["last_test"]["outcome"], &target["region"]), (&json!("works"), &json!("eu-west-1")));
    assert_eq!(target["last_test"]["of_other_settings"], false);
    assert!(target.get("drift").is_none() && target.get("verification").is_none(), "{target}");
}

#[test]
fn says_once_what_all_targets_share() {
    let scene = Scene::new();
    scene.xacct(TWO).exits_with(0);
    assert_output("list-two", "list", &scene.xacct("list").exits_with(0));
    // What does not fit into a table is said in lines.
    let long = "an-external-id-of-thirty-two-letters-and-more-which-makes-the-table-too-wide";
    let text = scene.environment.read("xacct.toml");
    let (before, target) = text.split_once("[targets.333333333333]").expect("the target");
    let target = target.replacen("\"abc\"", &format!("\"{long}\""), 1);
    scene.environment.write("xacct.toml", &format!("{before}[targets.333333333333]{target}"));
    let output = scene.xacct("list").exits_with(0);
    assert!(output.stdout.contains(&format!("External ID  {long}\n")), "{output}");
}

#[test]
fn a_failed_test_and_other_settings_are_told() {
    let scene = Scene::linked("");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    scene.xacct("verify").exits_with(3);
    assert!(scene.xacct("list").exits_with(0).stdout.contains("does not work ("));
    scene.environment.append("xacct.toml", "require_mfa = true\n");
    assert!(scene.xacct("list").exits_with(0).stdout.contains(", with other settings)"));
    assert_eq!(scene.xacct_json("list", 0)["targets"][ACCOUNT_B]["last_test"]["of_other_settings"], true);
}

#[test]
fn every_setting_that_decides_whom_the_role_admits_tells_the_tests_apart() {
    let settings = [
        "accept = [{ who = \"account 999999999999\", reason = \"audit\" }]",
        "exclusive = true",
        "trust_statement_files = [\"more.json\"]",
        "allow_session_tags = true",
        "restrict_to_user = true",
    ];
    side_by_side(&settings, |setting| {
        let scene = Scene::linked("");
        let of_other_settings =
            || scene.xacct_json("list", 0)["targets"][ACCOUNT_B]["last_test"]["of_other_settings"].clone();
        assert_eq!(of_other_settings(), false, "{setting}");
        scene.environment.append("xacct.toml", &format!("{setting}\n"));
        assert_eq!(of_other_settings(), true, "{setting}");
    });
}

/// The record says who can work where, so only its owner may read it.
#[cfg(unix)]
#[test]
fn the_record_is_private_and_holds_no_external_id() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new();
    let state = scene.environment.path("state");
    scene.environment.set("XDG_STATE_HOME", &state.display().to_string());
    scene.link("--external-id not-for-everybody");
    let files: Vec<_> = std::fs::read_dir(state.join("xacct/tests")).expect("records").flatten().collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode(&file.path()), mode(&state.join("xacct"))), (0o600, 0o700));
    let text = std::fs::read_to_string(file.path()).expect("a record");
    assert!(text.contains(ROLE) && !text.contains("not-for-everybody"), "{text}");
}

#[test]
fn a_record_that_cannot_be_written_or_read_is_no_error() {
    let mut scene = Scene::new();
    scene.environment.write("state", "a file, not a directory");
    let state = scene.environment.path("state").display().to_string();
    scene.environment.set("XDG_STATE_HOME", &state);
    let output = scene.bootstrap("").exits_with(0);
    assert!(!output.stderr.contains("state"), "{output}");
    assert!(scene.xacct("list").exits_with(0).stdout.contains("none on this machine"));
    scene.environment.unset("XDG_STATE_HOME");
    scene.xacct("verify").exits_with(0);
    let folder = scene.environment.path(".local/state/xacct/tests");
    for file in std::fs::read_dir(folder).expect("records").flatten() {
        std::fs::write(file.path(), "{\"outcome\": 1}").expect("a record");
    }
    assert!(scene.xacct("list").exits_with(0).stdout.contains("none on this machine"));
}

#[test]
fn live_compares_and_tests() {
    let scene = Scene::linked("");
    let output = scene.xacct("list --live").exits_with(0);
    assert_output("list-live", "list --live", &output);
    assert!(scene.sandbox.requests().iter().all(|request| !request.operation.starts_with("Put")), "only reads IAM");
    let target = scene.xacct_json("list --live", 0)["targets"][ACCOUNT_B].clone();
    assert_eq!((&target["drift"]["differs"], &target["verification"]["outcome"]), (&json!(false), &json!("works")));
    // A role that requires too little, and a grant that is gone.
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").max_session_duration = 7200;
        world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
    });
    assert_output("list-live-drift", "list --live", &scene.xacct("list --live").exits_with(3));
    let target = scene.xacct_json("list --live", 3)["targets"][ACCOUNT_B].clone();
    assert_eq!((&target["drift"]["differs"], &target["verification"]["outcome"]), (&json!(true), &json!("refused")));
    assert_eq!(target["drift"]["changes"].as_array().map(Vec::len), Some(2), "{target}");
}

#[test]
fn live_tells_what_it_cannot_read_and_tests_the_rest() {
    let scene = Scene::linked("");
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    scene.sandbox.add_fault(Fault::new("GetRole", denied));
    let output = scene.xacct("list --live").exits_with(0);
    assert!(output.stdout.contains("Drift        unknown") && output.stdout.contains("works"), "{output}");
    let without_user = scene.xacct("list --live --user-profile nobody");
    assert_eq!(without_user.code, 1, "{without_user}");
    assert!(without_user.stdout.contains("not tested: error: "), "{without_user}");
}

/// `--live` tests as `verify` does, with the same options and variables.
#[test]
fn live_takes_the_options_of_verify() {
    let mut scene = Scene::linked("");
    let has_bucket = |scene: &Scene, words: &str| {
        scene.sandbox.clear_requests();
        scene.xacct(words).exits_with(0);
        !scene.requests("CreateBucket").is_empty()
    };
    assert!(has_bucket(&scene, "list --live"));
    assert!(!has_bucket(&scene, "list --live --probe identity"));
    let policies = Scene::linked("--policy-arn PowerUserAccess");
    let target = policies.xacct_json("list --live --probe bucket", 0)["targets"][ACCOUNT_B].clone();
    assert_eq!(target["drift"]["differs"], false, "an option of the test is no drift: {target}");
    scene.environment.set("XACCT_PROBE", "identity");
    assert!(!has_bucket(&scene, "list --live"));
    scene.environment.unset("XACCT_PROBE");
    scene.sandbox.clear_requests();
    scene.xacct("list --live --session-name deploy --region eu-west-1").exits_with(0);
    let assumed = &scene.requests("AssumeRole")[0];
    assert!(format!("{:?}", assumed.parameters).contains("deploy"), "{assumed:#?}");
    // The role cannot be read by either, and that fails the test if it is required.
    let (known, unknown) = ("profile = \"dev-admin\"\n", "profile = \"gone\"\n");
    scene.environment.edit("xacct.toml", known, unknown);
    scene.xacct("list --live").exits_with(0);
    let output = scene.xacct("list --live --target-profile dev-admin").exits_with(0);
    assert!(!output.stdout.contains("unknown"), "{output}");
    scene.environment.set("XACCT_REQUIRE_READ", "1");
    scene.xacct("list --live").exits_with(5);
}

#[test]
fn needs_a_file_with_targets() {
    let scene = Scene::new();
    scene.xacct("list").exits_with(2).says(&["there is no xacct.toml here"]);
    scene.xacct(BOOTSTRAP).exits_with(0);
    scene.xacct("list nobody").exits_with(2).says(&["has no target `nobody`"]);
}
