//! Links whose role another tool manages (`managed_by`): xacct tests and compares them, and changes nothing.

use serde_json::Value;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene};
use crate::snapshots::assert_output;

/// A link that was handed over to Terraform.
fn scene() -> Scene {
    let scene = Scene::linked("--name dev --external-id the-id");
    hand_over(&scene, "dev");
    scene
}

fn hand_over(scene: &Scene, target: &str) {
    let heading = format!("[targets.{target}]\n");
    scene.environment.edit("xacct.toml", &heading, &format!("{heading}managed_by = \"terraform\"\n"));
}

fn warnings(document: &Value, target: &str) -> Vec<String> {
    let all = document["targets"][target]["warnings"].as_array().into_iter().flatten();
    let all = all.filter_map(Value::as_str).filter(|text| text.contains("Terraform manages it"));
    all.map(str::to_owned).collect()
}

#[test]
fn verify_exec_and_print_work() {
    let scene = scene();
    scene.xacct("verify").exits_with(0);
    scene.xacct("exec dev -- true").exits_with(0);
    scene.xacct("credentials dev").exits_with(0);
    scene.xacct("diagnose").exits_with(0);
    for words in ["print profile", "print-provider-hcl", "print backend-hcl --bucket state", "print role-hcl", "list"] {
        scene.xacct(words).exits_with(0);
    }
    assert_eq!(scene.xacct_json("list", 0)["targets"]["dev"]["managed_by"], "terraform");
    scene.xacct("list").exits_with(0).says(&["Managed by", "Terraform"]);
}

#[test]
fn bootstrap_says_the_difference_and_writes_nothing() {
    let scene = scene();
    let before = scene.environment.read("xacct.toml");
    let output = scene.xacct("bootstrap --yes").exits_with(0);
    output.says(&["managed by Terraform: xacct only compares and tests", "No changes: both accounts match xacct.toml"]);
    scene.xacct("bootstrap --check").exits_with(0);

    // Terraform has changed the role, and somebody the grant.
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_B, "xacct").unwrap().max_session_duration = 7200;
        world.attach_role_policy(ACCOUNT_B, "xacct", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    });
    scene.environment.append("xacct.toml", "require_mfa = true\npolicy_arns = [\"PowerUserAccess\"]\n");
    let changed = scene.environment.read("xacct.toml");
    scene.sandbox.clear_requests();
    for words in ["bootstrap --yes --no-verify", "bootstrap dev --yes --no-verify --adopt --allow-weaker"] {
        let document = scene.xacct_json(words, 0);
        let differences = warnings(&document, "dev");
        assert!(differences.iter().any(|text| text.contains("PowerUserAccess")), "{differences:?}");
        assert!(differences.iter().any(|text| text.contains("trust policy")), "{differences:?}");
        assert_eq!(document["targets"]["dev"]["changes"], serde_json::json!([]));
        assert_eq!(document["pending_changes"], 0);
    }
    let output = scene.xacct("bootstrap --yes --no-verify").exits_with(0);
    assert_output("bootstrap-managed-by-terraform", "bootstrap --yes --no-verify", &output);
    scene.xacct("bootstrap --check").exits_with(4);
    scene.xacct("bootstrap --dry-run").exits_with(0);
    assert_eq!(scene.writes(), [""; 0]);
    assert_ne!(changed, before);
    assert_eq!(scene.environment.read("xacct.toml"), changed);
}

#[test]
fn a_grant_that_is_gone_is_reported_and_not_written() {
    let scene = scene();
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    let document = scene.xacct_json("bootstrap --yes --no-verify", 0);
    let text = document["source"]["warnings"].to_string();
    assert!(text.contains("but Terraform manages it"), "{text}");
    assert_eq!(scene.writes(), [""; 0]);
    scene.xacct("bootstrap --check").exits_with(4);
}

#[test]
fn bootstrap_changes_only_the_targets_that_it_manages() {
    let scene = scene();
    scene.xacct("bootstrap 333333333333 --name prod --target-profile third-admin --yes").exits_with(0);
    assert_eq!(scene.granted().len(), 2, "the grant of both stays");
    scene.environment.edit("xacct.toml", "[targets.dev]\n", "[targets.dev]\ntags = { team = \"x\" }\n");
    scene.environment.edit("xacct.toml", "[targets.prod]\n", "[targets.prod]\ntags = { team = \"x\" }\n");
    scene.sandbox.clear_requests();
    let output = scene.xacct("bootstrap --yes").exits_with(0);
    output.says(&["Terraform manages it"]);
    assert_eq!(scene.iam_writes(), ["TagRole"]);
    assert_eq!(scene.granted().len(), 2);
    scene.xacct("bootstrap --check").exits_with(4);
}

#[test]
fn teardown_refuses_and_says_the_way() {
    let scene = scene();
    for words in ["teardown dev", "teardown --all --yes --even-if-used", "teardown dev --only source --yes"] {
        let output = scene.xacct(words).exits_with(1).says(&["Terraform manages target `dev`", "xacct forget dev"]);
        output.says(&["xacct print role-hcl --removed", "`managed_by`"]);
    }
    assert_output("teardown-managed-by-terraform", "teardown dev", &scene.xacct("teardown dev"));
    assert_eq!(scene.sandbox.requests(), []);
    // Others are removed.
    scene.xacct("bootstrap 333333333333 --name prod --target-profile third-admin --yes").exits_with(0);
    scene.xacct("teardown --all --yes").exits_with(1).says(&["Terraform manages target `dev`"]);
    let text = scene.environment.read("xacct.toml");
    assert!(text.contains("[targets.dev]") && !text.contains("[targets.prod]"), "{text}");
    assert_eq!(scene.granted().len(), 1);
    scene.xacct("verify").exits_with(0);
    scene.xacct("forget dev --yes").exits_with(0).says(&["managed_by"]);
}

#[test]
fn rotate_refuses_what_it_does_not_manage() {
    let scene = scene();
    let output = scene.xacct("rotate external-id dev --yes").exits_with(2);
    output.says(&["Terraform manages target `dev`", "--removed"]);
    assert_eq!(scene.sandbox.requests(), []);
}

#[test]
fn another_manager_is_refused() {
    let scene = scene();
    scene.environment.edit("xacct.toml", "\"terraform\"", "\"pulumi\"");
    scene.xacct("verify").exits_with(2).says(&["`pulumi` is not a valid value of `managed_by`", "use `terraform`"]);
}

#[test]
fn the_way_back_is_removed_blocks_that_destroy_nothing() {
    let scene = scene();
    let printed = scene.xacct("print role-hcl").exits_with(0).stdout;
    let removed = scene.xacct("print role-hcl --removed").exits_with(0).stdout;
    let addresses = |text: &str, key: &str| {
        let values = text.lines().filter_map(|line| line.trim().strip_prefix(key)?.trim().strip_prefix("= "));
        values.filter(|value| value.starts_with("aws_iam_")).map(str::to_owned).collect::<Vec<_>>()
    };
    let imported = addresses(&printed, "to");
    assert_eq!(imported.len(), 3, "{printed}");
    assert_eq!(addresses(&removed, "from"), imported);
    assert_eq!(removed.matches("destroy = false").count(), 3);
    assert!(!removed.contains("resource ") && removed.contains("provider \"aws\""), "{removed}");
    // It replaces the file with the resources.
    scene.xacct("print role-hcl --out link.tf").exits_with(0);
    scene.xacct("print role-hcl --removed --out link.tf").exits_with(0);
    assert_eq!(scene.environment.read("link.tf").matches("removed {").count(), 3);
}
