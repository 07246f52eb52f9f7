//! `xacct rotate external-id` replaces an external ID, and nobody is refused meanwhile.

use std::collections::BTreeSet;

use serde_json::json;

use xacct_sandbox::{Fault, FaultKind};

use crate::scene::Scene;
use crate::snapshots::assert_output;
use crate::support::Output;

const BEGIN: &str = "rotate external-id dev --new-external-id new-id --yes";
const FINISH: &str = "rotate external-id dev --finish --yes";

/// A link with external ID `old-id`, and a consumer that sends it: another copy of the file.
fn scene() -> Scene {
    let scene = Scene::linked("--name dev --external-id old-id");
    scene.environment.write("consumer.toml", &scene.environment.read("xacct.toml"));
    scene
}

fn consumer(scene: &Scene) -> Output {
    scene.xacct("--config consumer.toml credentials --no-cache --format process")
}

fn accepted(scene: &Scene) -> BTreeSet<String> {
    let ids = &scene.conditions()["StringEquals"]["sts:ExternalId"];
    let list = ids.as_array().cloned().unwrap_or_else(|| vec![ids.clone()]);
    list.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn recorded(scene: &Scene) -> String {
    let file = scene.environment.read("xacct.toml");
    file.lines().find_map(|line| line.strip_prefix("external_id = ")).unwrap().to_owned()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn nobody_is_refused_until_it_is_finished() {
    let scene = scene();
    consumer(&scene).exits_with(0);
    assert_output("rotate-begin", BEGIN, &scene.xacct(BEGIN).exits_with(0));
    assert_eq!(accepted(&scene), set(&["new-id", "old-id"]));
    assert_eq!(recorded(&scene), "[\"new-id\", \"old-id\"]");
    consumer(&scene).exits_with(0);
    let output = scene.xacct("verify").exits_with(0);
    output.says(&["dev still accepts the old external ID old-id", "xacct rotate external-id dev --finish"]);
    let document = scene.xacct_json("verify", 0);
    assert_eq!(document["targets"]["dev"]["old_external_ids"], json!(["old-id"]));
    scene.xacct("bootstrap --check").exits_with(0);
    scene.xacct("print-provider-hcl").exits_with(0).says(&["external_id  = \"new-id\""]);

    scene.environment.edit("consumer.toml", "old-id", "new-id");
    consumer(&scene).exits_with(0);
    assert_output("rotate-finish", FINISH, &scene.xacct(FINISH).exits_with(0));
    assert_eq!(accepted(&scene), set(&["new-id"]));
    assert_eq!(recorded(&scene), "\"new-id\"");
    consumer(&scene).exits_with(0);
    scene.environment.edit("consumer.toml", "new-id", "old-id");
    consumer(&scene).exits_with(3);
    scene.xacct("bootstrap --check").exits_with(0);
    let document = scene.xacct_json("verify", 0);
    assert!(document["targets"]["dev"].get("old_external_ids").is_none());
    scene.xacct("teardown --all --yes --even-if-used").exits_with(0);
}

/// The proof sends the old ID itself.
#[test]
fn the_end_of_the_old_id_is_proven() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.clear_requests();
    let document = scene.xacct_json(FINISH, 0);
    assert_eq!(document["command"], "rotate");
    let steps = document["targets"]["dev"]["verification"]["steps"].as_array().unwrap().clone();
    let step = steps.iter().find(|step| step["id"] == "refused_with_wrong_external_id").unwrap();
    assert_eq!((&step["outcome"], &step["evidence"]), (&json!("ok"), &json!("AccessDenied for the former ID")));
    let sent: BTreeSet<_> =
        scene.requests("AssumeRole").iter().filter_map(|it| it.parameter("ExternalId").map(str::to_owned)).collect();
    assert_eq!(sent, set(&["new-id", "old-id"]));
}

#[test]
fn places_with_the_old_id_are_listed() {
    let scene = scene();
    scene.environment.write("live/main.tf", "provider \"aws\" {\n  external_id = \"old-id\"\n}\n");
    scene.environment.write("live/other.tf", "external_id = \"very-old-id\"\n");
    scene.environment.write(".terraform/main.tf", "external_id = \"old-id\"\n");
    let config = scene.environment.read("aws/config");
    scene.environment.write("aws/config", &format!("{config}\n[profile deploy]\nexternal_id = old-id\n"));
    let places = ["profile deploy in the AWS config file", "  live/main.tf:2"];
    let output = scene.xacct(BEGIN).exits_with(0).says(&places);
    assert!(!output.stderr.contains("other.tf") && !output.stderr.contains(".terraform"), "{output}");
    assert!(!output.stderr.contains("xacct.toml:"), "{output}");
    scene
        .xacct("rotate external-id dev --finish --dry-run")
        .exits_with(0)
        .says(&places)
        .says(&["print audit-query dev"]);
    assert_eq!(accepted(&scene), set(&["new-id", "old-id"]));
}

/// Without its record, the role itself tells what the new ID is.
#[test]
fn an_interrupted_rotation_goes_on_with_the_same_id() {
    let scene = scene();
    let before = scene.environment.read("xacct.toml");
    scene.xacct("rotate external-id dev --yes").exits_with(0);
    let ids = accepted(&scene);
    let record = recorded(&scene);
    scene.environment.write("xacct.toml", &before);
    scene.xacct("rotate external-id dev --yes").exits_with(0);
    assert_eq!((accepted(&scene), recorded(&scene)), (ids, record.clone()));
    // Run again, it has nothing to do.
    let document = scene.xacct_json("rotate external-id dev --yes", 0);
    assert_eq!(document["pending_changes"], 0);
    assert_eq!(recorded(&scene), record);
    let between = scene.environment.read("xacct.toml");
    scene.xacct(FINISH).exits_with(0);
    scene.environment.write("xacct.toml", &between);
    scene.xacct(FINISH).exits_with(0);
    assert_eq!(accepted(&scene).len(), 1);
    assert!(!recorded(&scene).contains("old-id"));
}

#[test]
fn previews_change_nothing() {
    let scene = scene();
    let file = scene.environment.read("xacct.toml");
    for (words, code) in [("--dry-run", 0), ("--check", 4)] {
        scene.xacct(&format!("rotate external-id dev {words}")).exits_with(code);
    }
    assert_eq!(scene.environment.read("xacct.toml"), file);
    assert_eq!(accepted(&scene), set(&["old-id"]));
    scene.xacct("rotate external-id dev").exits_with(2).says(&["no terminal"]);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let scene = scene();
    let refused = |words: &str, says: &[&str]| {
        scene.sandbox.clear_requests();
        scene.xacct(&format!("rotate external-id {words}")).exits_with(2).says(says);
        assert_eq!(scene.sandbox.requests(), []);
    };
    refused("prod", &["has no target `prod`"]);
    refused("333333333333 --yes", &["has no target `333333333333`"]);
    refused("dev --finish", &["accepts no old external ID", "xacct rotate external-id dev"]);
    refused("dev --new-external-id old-id", &["has the external ID `old-id` already"]);
    refused("dev --new-external-id x", &["at least 2 are required"]);
    refused("dev --finish --new-external-id other", &["cannot be used with"]);
    scene.xacct(BEGIN).exits_with(0);
    refused("dev --new-external-id third", &["still accepts an old external ID", "--finish"]);
    scene.xacct("bootstrap --yes --target-account 333333333333 --name prod --target-profile third-admin").exits_with(0);
    refused("prod", &["has no external ID to replace", "xacct bootstrap prod --generate-external-id"]);
    refused("dev prod --new-external-id third", &["several targets cannot have the one external ID `third`"]);
}

/// A variable for `bootstrap` says nothing about a rotation.
#[test]
fn the_variable_of_bootstrap_has_no_effect() {
    let mut scene = scene();
    scene.environment.set("XACCT_EXTERNAL_ID", "of-the-variable");
    scene.xacct(BEGIN).exits_with(0);
    assert_eq!(accepted(&scene), set(&["new-id", "old-id"]));
}

/// A file that is lost between the two steps: a trust policy has no order.
#[test]
fn a_lost_file_keeps_both_ids_and_does_not_know_which_is_new() {
    for (new, file) in [("new-id", "[\"new-id\", \"old-id\"]"), ("zz", "[\"old-id\", \"zz\"]")] {
        let scene = scene();
        scene.xacct(&format!("rotate external-id dev --new-external-id {new} --yes")).exits_with(0);
        std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
        let document = scene.bootstrap_json("--name dev", 0);
        let warning = document["targets"]["dev"]["warnings"][0].as_str().unwrap();
        assert!(
            warning.contains("several external IDs") && warning.contains("the first one must be the new"),
            "{warning}"
        );
        assert_eq!(accepted(&scene), set(&[new, "old-id"]));
        assert_eq!(recorded(&scene), file);
    }
}

/// The owner of the target account alone runs what somebody with another file prints.
#[test]
fn an_id_that_the_role_accepts_ends_no_rotation_of_another_file() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    std::fs::remove_file(scene.environment.path("xacct.toml")).unwrap();
    scene.bootstrap("--name dev --external-id new-id").exits_with(0);
    assert_eq!(accepted(&scene), set(&["new-id", "old-id"]));
}

#[test]
fn a_variable_does_not_end_a_rotation() {
    let mut scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.environment.set("XACCT_EXTERNAL_ID", "old-id");
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap dev --yes").exits_with(2).says(&["until its rotation is finished", "XACCT_EXTERNAL_ID"]);
    assert_eq!(scene.sandbox.requests(), []);
    scene.environment.set("XACCT_EXTERNAL_ID", "new-id");
    scene.xacct("bootstrap dev --yes").exits_with(0);
    assert_eq!(accepted(&scene), set(&["new-id", "old-id"]));
}

/// Until the end of the old ID is proven, the file records it, so that the second step can be repeated.
#[test]
fn an_end_that_was_not_proven_can_be_repeated() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Throttle));
    scene.xacct(&format!("{FINISH} --timeout 3s")).exits_with(5);
    assert_eq!(accepted(&scene), set(&["new-id"]));
    assert_eq!(recorded(&scene), "[\"new-id\", \"old-id\"]");
    scene.sandbox.clear_faults();
    scene.xacct(FINISH).exits_with(0).says(&["rejects the old external ID"]);
    assert_eq!(recorded(&scene), "\"new-id\"");
    scene.xacct(FINISH).exits_with(2);
}

#[test]
fn all_former_ids_are_tried() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.environment.edit("xacct.toml", "[\"new-id\", \"old-id\"]", "[\"new-id\", \"old-id\", \"older-id\"]");
    scene.sandbox.clear_requests();
    scene.xacct(FINISH).exits_with(0).says(&["AccessDenied for former IDs"]);
    let sent: BTreeSet<_> =
        scene.requests("AssumeRole").iter().filter_map(|it| it.parameter("ExternalId").map(str::to_owned)).collect();
    assert_eq!(sent, set(&["new-id", "old-id", "older-id"]));
}

#[test]
fn the_owner_of_the_target_account_can_rotate_alone() {
    let scene = scene();
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    let output = scene.xacct(&format!("{BEGIN} --only target")).exits_with(0);
    assert!(!output.stdout.contains("Verified"), "{output}");
    assert_eq!(accepted(&scene), set(&["new-id", "old-id"]));
    scene.xacct(&format!("{FINISH} --only target")).exits_with(0);
    assert_eq!((accepted(&scene), recorded(&scene)), (set(&["new-id"]), "\"new-id\"".to_owned()));
    scene.xacct(&format!("{BEGIN} --only source")).exits_with(2).says(&["--only target"]);
}
