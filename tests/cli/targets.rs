//! Several targets, separate halves, and access to target accounts.

use std::time::Duration;

use serde_json::json;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, ROLE, Scene, text, trust};
use crate::support::Output;

const ROLE_IN_C: &str = "arn:aws:iam::333333333333:role/xacct";

const BOTH: &str = "bootstrap --yes --target-account 222222222222 --target-account 333333333333 --user alice \
                    --user-profile alice --profile security-admin --enter-role OrganizationAccountAccessRole";

#[test]
fn several_targets_share_one_grant_and_run_concurrently() {
    let scene = Scene::new();
    scene.sandbox.set_latency(Duration::from_millis(100));
    let document = scene.xacct_json(&format!("{BOTH} --generate-external-id"), 0);
    assert_eq!(scene.granted(), [ROLE, ROLE_IN_C]);
    assert_eq!(scene.requests("PutUserPolicy").len(), 1);

    let created = scene.requests("CreateRole");
    let [first, second] = created.as_slice() else { panic!("{created:#?}") };
    assert!(second.start < first.end.unwrap(), "{created:#?}");
    let external_ids = [ACCOUNT_B, ACCOUNT_C].map(|target| text(&document["targets"][target]["external_id"]));
    assert_ne!(external_ids[0], external_ids[1]);
    for target in [ACCOUNT_B, ACCOUNT_C] {
        assert_eq!(document["targets"][target]["verification"]["outcome"], "works");
    }
}

#[test]
fn accepts_comma_separated_targets() {
    let mut scene = Scene::new();
    scene.environment.set("XACCT_TARGET_ACCOUNT", &format!("{ACCOUNT_B},{ACCOUNT_C}"));
    scene
        .xacct(
            "bootstrap --yes --user alice --user-profile alice --profile security-admin \
             --enter-role OrganizationAccountAccessRole",
        )
        .exits_with(0);
    assert_eq!(scene.granted(), [ROLE, ROLE_IN_C]);
}

#[test]
fn bootstrap_without_arguments_converges_all_targets() {
    let scene = Scene::new();
    scene.xacct(&format!("{BOTH} --external-id abc")).exits_with(0);
    scene.sandbox.world(|world| {
        world.delete_role(ACCOUNT_C, "xacct");
        world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
    });
    scene.sandbox.clear_requests();
    let document = scene.xacct_json("bootstrap --yes", 0);
    assert_eq!(document["pending_changes"], 3);
    assert_eq!(scene.granted(), [ROLE, ROLE_IN_C]);
    assert_eq!(scene.requests("CreateRole").len(), 1);
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn adds_a_target_later_and_repairs_a_single_one() {
    let scene = Scene::linked("");
    let more = "bootstrap --yes --target-account 333333333333 --target-profile third-admin";
    scene.xacct(more).exits_with(0);
    assert_eq!(scene.granted(), [ROLE, ROLE_IN_C]);
    scene.sandbox.clear_requests();
    let document = scene.xacct_json("bootstrap --target-account 333333333333", 0);
    assert_eq!(document["pending_changes"], 0);
    assert!(document["targets"][ACCOUNT_B].is_null(), "{document}");
    let verified = scene.xacct_json("verify 333333333333", 0);
    assert_eq!(verified["targets"].as_object().unwrap().len(), 1);
}

#[test]
fn one_account_may_have_two_links() {
    let scene = Scene::linked("");
    scene.bootstrap("--role-name second --external-id abc").exits_with(0);
    assert_eq!(scene.granted(), ["arn:aws:iam::222222222222:role/second", ROLE]);
    let verified = scene.xacct_json("verify", 0);
    let names: Vec<_> = verified["targets"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["222222222222", "222222222222-2"]);
}

#[test]
fn finds_the_profile_of_a_target_by_its_account() {
    let scene = Scene::new();
    scene.configure("third-admin", "aws_account_id = 333333333333");
    let document = scene.xacct_json(
        "bootstrap --yes --target-account 222222222222,333333333333 --user alice --user-profile alice \
         --profile security-admin",
        0,
    );
    for (target, profile) in [(ACCOUNT_B, "profile dev-admin"), (ACCOUNT_C, "profile third-admin")] {
        assert_eq!(document["targets"][target]["operator"]["credentials"], profile);
    }
}

#[test]
fn enters_a_target_through_the_organization_role() {
    let scene = Scene::new();
    let words = "bootstrap --yes --target-account 333333333333 --user alice --user-profile alice \
                 --profile security-admin --enter-role OrganizationAccountAccessRole";
    let document = scene.xacct_json(words, 0);
    let operator = "arn:aws:sts::333333333333:assumed-role/OrganizationAccountAccessRole/xacct-bootstrap";
    assert_eq!(document["targets"][ACCOUNT_C]["operator"]["arn"], operator);
    // `enter_role` is recorded.
    assert_eq!(scene.xacct_json("bootstrap", 0)["pending_changes"], 0);
}

#[test]
fn two_owners_create_the_halves_without_sharing_credentials() {
    let scene = Scene::new();
    let target = scene
        .xacct(
            "bootstrap --yes --only target --target-account 222222222222 --target-profile dev-admin \
             --user arn:aws:iam::111111111111:user/alice --external-id abc --config target.toml",
        )
        .exits_with(0);
    assert!(scene.sandbox.requests().iter().all(|request| request.account.as_deref() == Some(ACCOUNT_B)));
    // The printed command for the other owner works as it is.
    let command = for_the_other_owner(&target);
    scene.sandbox.clear_requests();
    scene.xacct(&format!("{command} --yes --profile security-admin --user-profile alice")).exits_with(0);
    assert!(scene.sandbox.requests().iter().all(|request| request.account.as_deref() == Some(ACCOUNT_A)));
    scene.xacct("verify").exits_with(0);
}

#[test]
fn the_source_half_can_come_first() {
    let scene = Scene::new();
    let source = scene
        .xacct(
            "bootstrap --yes --only source --target-account 222222222222 --user alice --profile security-admin \
             --external-id abc --restrict-to-user --user-profile alice",
        )
        .exits_with(0);
    assert_eq!(scene.granted(), [ROLE]);
    let command = for_the_other_owner(&source);
    scene.xacct(&format!("{command} --yes --target-profile dev-admin --config target.toml")).exits_with(0);
    scene.xacct("verify").exits_with(0);
}

#[test]
fn only_source_does_not_suggest_changing_the_role() {
    let scene = Scene::new();
    let output = scene
        .xacct(
            "bootstrap --yes --only source --target-account 222222222222 --user alice --profile security-admin \
             --external-id abc",
        )
        .exits_with(0);
    assert!(!output.stdout.contains("--policy-arn"), "{output}");
}

#[test]
fn reports_unreadable_and_readable_targets() {
    let scene = Scene::new();
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_C, "OrganizationAccountAccessRole"));
    let output = scene.xacct(&format!("{BOTH} --external-id abc")).exits_with(1);
    let row = |account: &str| output.stdout.lines().rfind(|line| line.trim().starts_with(account));
    assert!(row(ACCOUNT_B).is_some_and(|row| row.contains("works")), "{output}");
    assert!(row(ACCOUNT_C).is_some_and(|row| row.contains("error")), "{output}");
    assert!(output.stderr.contains("OrganizationAccountAccessRole"), "{output}");
    assert_eq!(scene.granted(), [ROLE]);
    let recorded = scene.environment.read("xacct.toml");
    assert!(!recorded.contains(ACCOUNT_C), "{recorded}");
}

#[test]
fn an_unreadable_target_fails_the_check() {
    let scene = Scene::new();
    scene.xacct(&format!("{BOTH} --external-id abc")).exits_with(0);
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_C, "OrganizationAccountAccessRole"));
    let document = scene.xacct_json("bootstrap --check", 1);
    assert!(document["targets"][ACCOUNT_C]["error"].is_object(), "{document}");
}

/// Returns the command that creates the other half, without the program name.
#[track_caller]
fn for_the_other_owner(output: &Output) -> String {
    let mut lines = output.stdout.lines();
    let command = lines.find_map(|line| line.trim().strip_prefix("xacct bootstrap --only "));
    let words = command.unwrap_or_else(|| panic!("no command for the other owner\n{output}"));
    format!("bootstrap --only {words}")
}

#[test]
fn json_contains_the_other_half() {
    let scene = Scene::new();
    let words = "bootstrap --yes --only source --target-account 222222222222 --user alice --profile security-admin \
                 --external-id abc --policy-arn PowerUserAccess";
    let document = scene.xacct_json(words, 0);
    let half = &document["targets"][ACCOUNT_B]["other_half"];
    let command = half["command"].to_string();
    assert!(command.contains("--only target") && command.contains("--policy-arn PowerUserAccess"), "{command}");
    assert_eq!(half["document"], trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}})));
}

/// Two targets, `dev` and `prod`.
fn two() -> Scene {
    let scene = Scene::new();
    scene.xacct(&format!("{BOTH} --no-verify")).exits_with(0);
    scene.environment.edit("xacct.toml", "[targets.222222222222]", "[targets.dev]");
    scene.environment.edit("xacct.toml", "[targets.333333333333]", "[targets.prod]");
    scene.sandbox.clear_requests();
    scene
}

#[test]
fn xacct_target_is_the_target_of_commands_that_name_none() {
    let mut scene = two();
    for usual in ["prod", "333333333333", "3333-3333-3333"] {
        scene.environment.set("XACCT_TARGET", usual);
        for command in ["verify", "list", "diagnose", "who", "bootstrap --check"] {
            for (words, wanted) in [(command.to_owned(), "prod"), (format!("{command} dev"), "dev")] {
                let targets = scene.xacct_json(&words, 0)["targets"].clone();
                let names: Vec<_> = targets.as_object().expect("targets").keys().cloned().collect();
                assert_eq!(names, [wanted], "{usual}: {words}");
            }
        }
        for (words, wanted) in [
            ("print provider-hcl", ACCOUNT_C),
            ("print profile dev", ACCOUNT_B),
            ("exec -- /usr/bin/env", ACCOUNT_C),
            ("exec dev -- /usr/bin/env", ACCOUNT_B),
        ] {
            let printed = scene.xacct(words).exits_with(0).stdout;
            assert!(printed.contains(&format!("arn:aws:iam::{wanted}:role/xacct")), "{words}: {printed}");
            let other = if wanted == ACCOUNT_C { ROLE } else { ROLE_IN_C };
            assert!(!printed.contains(other), "{words}: {printed}");
        }
        scene.sandbox.clear_requests();
        scene.xacct("credentials").exits_with(0);
        assert_eq!(scene.requests("AssumeRole")[0].parameter("RoleArn"), Some(ROLE_IN_C));
    }
    // Options without a target conflict with none.
    scene.xacct(&format!("credentials --session-token --mfa-code {}", scene.sandbox.totp("alice"))).exits_with(0);
    scene.xacct("credentials --forget").exits_with(0);
    scene.environment.set("XACCT_TARGET", "test");
    for words in ["verify", "exec -- /bin/true", "credentials", "bootstrap --yes", "print provider-hcl", "list", "who"]
    {
        scene.xacct(words).exits_with(2).says(&["has no target `test`", "note: the variable XACCT_TARGET names it"]);
    }
    scene.xacct("verify dev").exits_with(0);
    scene.environment.set("XACCT_TARGET", "");
    assert!(scene.xacct_json("verify", 0)["targets"]["prod"].is_object());
}

#[test]
fn xacct_target_selects_nothing_for_deletion() {
    let mut scene = two();
    scene.environment.set("XACCT_TARGET", "prod");
    for words in ["teardown --yes", "sweep --yes", "revoke --yes", "print profile --remove"] {
        let output = scene.xacct(words).exits_with(2);
        output.says(&["needs a target, or --all", "note: commands that delete or revoke ignore XACCT_TARGET", "prod"]);
    }
    assert_eq!(scene.sandbox.requests(), []);
    // Neither does it narrow what is named.
    let document = scene.xacct_json("teardown --all --dry-run", 0);
    assert_eq!(document["targets"].as_object().map(serde_json::Map::len), Some(2), "{document}");
    let document = scene.xacct_json("sweep dev", 0);
    assert!(document["accounts"][ACCOUNT_B].is_object() && document["accounts"][ACCOUNT_C].is_null(), "{document}");
}

#[test]
fn accounts_of_bootstrap_override_xacct_target() {
    let mut scene = two();
    scene.environment.set("XACCT_TARGET", "prod");
    let targets = scene.xacct_json("bootstrap --check --target-account 222222222222", 0)["targets"].clone();
    assert!(targets["dev"].is_object() && targets["prod"].is_null(), "{targets}");
    scene.environment.set("XACCT_TARGET_ACCOUNT", ACCOUNT_B);
    let targets = scene.xacct_json("bootstrap --check", 0)["targets"].clone();
    assert!(targets["dev"].is_object() && targets["prod"].is_null(), "{targets}");
}
