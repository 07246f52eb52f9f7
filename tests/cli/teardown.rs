//! `xacct teardown` removes the resources of bootstrap, and nothing else.

use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use xacct_sandbox::world::RoleUse;
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use crate::operators::{WORDS, source_policy, take_away, target_policy, with_operators};
use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, ROLE, Scene, side_by_side};
use crate::snapshots::assert_output;
use crate::support::policies::document;
use crate::terminal::Terminal;

const MULTI: &str = "bootstrap --yes --no-verify --target-account 222222222222,333333333333 --user alice --user-profile \
                     alice --profile security-admin --enter-role OrganizationAccountAccessRole";

/// Creates a link that was never used.
fn linked(more: &str) -> Scene {
    Scene::linked(&format!("--no-verify {more}"))
}

fn has_role(scene: &Scene, account: &str) -> bool {
    scene.sandbox.world(|world| world.role(account, "xacct").is_some())
}

fn has_grant(scene: &Scene) -> bool {
    scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_some())
}

#[track_caller]
fn assert_gone(scene: &Scene) {
    assert!(!has_role(scene, ACCOUNT_B) && !has_grant(scene));
    assert!(!scene.environment.read("xacct.toml").contains("targets"), "{}", scene.environment.read("xacct.toml"));
}

#[test]
fn removes_policies_then_role_then_grant() {
    let scene = linked("--external-id abc --policy-arn ReadOnlyAccess");
    scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "xacct-old", json!({"Statement": []})));
    scene
        .xacct("teardown --all --yes")
        .exits_with(0)
        .says(&["Removed target 222222222222 from xacct.toml", "keeps [source]"]);
    let mut writes = scene.writes();
    // The policies go side by side.
    writes[..2].sort();
    assert_eq!(writes, ["DeleteRolePolicy", "DetachRolePolicy", "DeleteRole", "DeleteUserPolicy"]);
    assert_gone(&scene);
    assert!(scene.environment.read("xacct.toml").contains("user = \"alice\""));
}

#[test]
fn a_second_run_changes_nothing_and_bootstrap_recreates_the_link() {
    let scene = linked("");
    scene.xacct("teardown --all --yes").exits_with(0);
    scene.sandbox.clear_requests();
    for words in ["teardown --all", "teardown 222222222222", "teardown 222222222222 --only source --check"] {
        scene.xacct(words).exits_with(0).says(&["Nothing to do"]);
    }
    assert_eq!(scene.sandbox.requests().len(), 0);
    scene.bootstrap("").exits_with(0);
    scene.xacct("verify").exits_with(0);
}

#[test]
fn removes_absent_links_from_the_file_without_asking() {
    let scene = linked("");
    scene.sandbox.world(|world| {
        world.delete_role(ACCOUNT_B, "xacct");
        world.delete_user(ACCOUNT_A, "alice");
    });
    scene.xacct("teardown --all --check").exits_with(0);
    scene.xacct("teardown --all").exits_with(0).says(&["Nothing to do", "Removed target 222222222222"]);
    assert_eq!(scene.writes(), [""; 0]);
    assert_gone(&scene);
}

#[test]
fn keeps_everything_else() {
    let scene = Scene::new();
    scene.xacct(&format!("{MULTI} --allow-session-tags")).exits_with(0);
    scene.environment.append("xacct.toml", "\n# the end\n");
    let statement = json!({"Sid": "Theirs", "Effect": "Allow", "Action": "s3:List*", "Resource": "*"});
    scene.sandbox.world(|world| {
        world.grant_assume_role(ACCOUNT_A, "alice", "by-hand", ROLE);
        world.add_role(ACCOUNT_B, "other", document(json!([])));
        world.add_bucket(ACCOUNT_B, "unmanaged", "us-east-1");
        let policy = &mut world.user_mut(ACCOUNT_A, "alice").policies.inline.get_mut("xacct").expect("the grant");
        policy["Statement"].as_array_mut().expect("statements").push(statement.clone());
    });
    scene.xacct("teardown 222222222222 --yes").exits_with(0);
    assert!(!has_role(&scene, ACCOUNT_B) && has_role(&scene, ACCOUNT_C));
    assert_eq!(scene.granted(), ["arn:aws:iam::333333333333:role/xacct"]);
    let file = scene.environment.read("xacct.toml");
    assert!(!file.contains(ACCOUNT_B) && file.contains(ACCOUNT_C) && file.ends_with("# the end\n"), "{file}");
    scene.xacct("bootstrap --check --target-account 333333333333 --allow-session-tags").exits_with(0).says(&["Theirs"]);
    scene.xacct("teardown --all --yes").exits_with(0);
    scene.sandbox.world(|world| {
        let policies = &world.user(ACCOUNT_A, "alice").expect("alice").policies.inline;
        assert!(policies.contains_key("by-hand"));
        assert_eq!(policies["xacct"]["Statement"], json!([statement]), "unmanaged statements in the grant are kept");
        assert!(world.role(ACCOUNT_B, "other").is_some() && world.bucket("unmanaged").is_some());
        assert!(world.role(ACCOUNT_B, "OrganizationAccountAccessRole").is_some());
    });
    assert!(!has_role(&scene, ACCOUNT_C));
}

#[test]
fn dry_run_check_and_no_confirmation_change_nothing() {
    let scene = linked("");
    let before = scene.environment.read("xacct.toml");
    scene.xacct("teardown --all --dry-run").exits_with(0).says(&["3 changes", "Nothing was changed"]);
    scene.xacct("teardown --all --check").exits_with(4);
    scene.xacct("teardown --all").exits_with(2).says(&["no terminal", "--yes"]);
    assert_eq!(scene.writes(), [""; 0]);
    assert_eq!(scene.environment.read("xacct.toml"), before);
}

#[test]
fn only_the_word_yes_confirms() {
    for (typed, code) in [("y\n", 1), ("\n", 1), ("yes\n", 0)] {
        let mut scene = linked("");
        let name = "teardown::only_the_whole_word_removes";
        let Some(mut terminal) = Terminal::start(name, &mut scene, "teardown --all") else { return };
        terminal.answer("Type `yes` to confirm:", 1, typed);
        let (ended, screen) = terminal.ended();
        assert_eq!(ended, Some(code), "{screen}");
        assert_eq!(has_role(&scene, ACCOUNT_B), code != 0);
    }
}

#[test]
fn only_removes_one_half_and_keeps_the_target_in_the_file() {
    let scene = linked("--external-id abc");
    let before = scene.environment.read("xacct.toml");
    scene.xacct("teardown --all --yes --only target").exits_with(0).says(&["xacct.toml keeps 222222222222"]);
    assert!(!has_role(&scene, ACCOUNT_B) && has_grant(&scene));
    assert_eq!(scene.requests("GetUser").len(), 0, "the source account is not read");
    assert_eq!(scene.environment.read("xacct.toml"), before);
    scene.sandbox.clear_requests();
    scene.xacct("teardown --all --yes --only source").exits_with(0);
    assert!(!has_grant(&scene));
    assert_eq!(scene.requests("GetRole").len(), 0, "the target account is not read");
    assert_eq!(scene.environment.read("xacct.toml"), before);
    scene.xacct("teardown --all").exits_with(0).says(&["Nothing to do"]);
    assert_gone(&scene);
}

#[test]
fn removes_roles_with_mfa_and_with_enter_role() {
    let scene = linked("--require-mfa");
    scene.xacct("teardown --all --yes").exits_with(0);
    assert_gone(&scene);
    scene.xacct(MULTI).exits_with(0);
    scene.xacct("teardown --all --yes --output json").exits_with(0);
    assert_gone(&scene);
    scene.xacct(MULTI).exits_with(0);
    scene.xacct("teardown --all --yes --only target").exits_with(2).says(&["--target-profile"]);
}

#[test]
fn refuses_unsafe_removals_with_a_fix() {
    let scene = linked("");
    let refused = |texts: &[&str]| {
        scene.sandbox.clear_requests();
        scene.xacct("teardown --all --yes").exits_with(1).says(texts);
        assert_eq!(scene.writes(), [""; 0]);
    };
    let tag = |key: &'static str, value: &'static str| {
        scene.sandbox.world(|world| {
            world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.insert(key.to_owned(), value.to_owned());
        });
    };
    tag("managed-by", "terraform");
    refused(&["does not have xacct's tag", "--only source"]);
    tag("managed-by", "xacct");
    tag("xacct:source-account", ACCOUNT_C);
    refused(&["belongs to the link from source account 333333333333"]);
    tag("xacct:source-account", ACCOUNT_A);
    scene.environment.append("xacct.toml", "role_path = \"/team/\"\n");
    refused(&["xacct.toml names `arn:aws:iam::222222222222:role/team/xacct`", "role_path = \"/\""]);
    scene.environment.edit("xacct.toml", "role_path = \"/team/\"\n", "");
    scene.environment.edit("xacct.toml", "\"dev-admin\"", "\"third-admin\"");
    refused(&["the target account is 222222222222", "belong to account 333333333333"]);
    scene.environment.edit("xacct.toml", "\"third-admin\"", "\"dev-admin\"");
    scene.sandbox.world(|world| {
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").instance_profiles.insert("web".to_owned());
    });
    refused(&["instance profiles (web)", "aws iam remove-role-from-instance-profile --instance-profile-name web"]);
}

#[test]
fn removes_a_role_with_unmanaged_policies_only_on_request() {
    let scene = linked("");
    scene.sandbox.world(|world| {
        world.attach_role_policy(ACCOUNT_B, "xacct", "arn:aws:iam::aws:policy/AdministratorAccess");
        world.put_role_policy(ACCOUNT_B, "xacct", "custom", json!({"Statement": []}));
        world.set_role_boundary(ACCOUNT_B, "xacct", Some("arn:aws:iam::aws:policy/PowerUserAccess"));
    });
    scene.xacct("teardown --all --yes --even-if-used").exits_with(1).says(&[
        "managed policy arn:aws:iam::aws:policy/AdministratorAccess, inline policy custom, permissions boundary",
        "aws iam detach-role-policy --role-name xacct",
        "aws iam delete-role-policy --role-name xacct --policy-name custom",
        "--even-if-extended",
    ]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.xacct("teardown --all --yes --even-if-extended").exits_with(0);
    assert_gone(&scene);
}

#[test]
fn removes_a_role_in_use_only_on_request() {
    let scene = linked("");
    let used = RoleUse { at: OffsetDateTime::now_utc(), region: "us-east-1".to_owned() };
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").uses.push(used));
    scene
        .xacct("teardown --all --yes --even-if-extended")
        .exits_with(1)
        .says(&["was used less than an hour ago", "--even-if-used"]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.xacct("teardown --all --yes --even-if-used").exits_with(0);
    assert_gone(&scene);
}

#[test]
fn one_refused_target_does_not_stop_the_others() {
    let scene = Scene::new();
    scene.xacct(MULTI).exits_with(0);
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").tags.clear());
    let document = scene.xacct_json("teardown --all --yes", 1);
    assert_eq!(document["targets"][ACCOUNT_B]["error"]["kind"], "refused");
    assert!(has_role(&scene, ACCOUNT_B) && !has_role(&scene, ACCOUNT_C));
    assert_eq!(scene.granted(), [ROLE]);
    let file = scene.environment.read("xacct.toml");
    assert!(file.contains(ACCOUNT_B) && !file.contains(ACCOUNT_C), "{file}");
}

/// At every write, in turn: it fails, its answer is lost, or the network fails from then on.
#[test]
fn the_next_run_removes_what_an_interrupted_run_left() {
    let writes = ["DeleteRolePolicy", "DetachRolePolicy", "DeleteRole", "DeleteUserPolicy"];
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    let mut cases = Vec::new();
    for operation in writes {
        cases.push((operation, Fault::new(operation, denied.clone())));
        cases.push((operation, Fault::new(operation, denied.clone()).after_processing()));
        cases.push((operation, Fault::new(operation, FaultKind::Reset).on_calls(1..=3)));
    }
    side_by_side(&cases, |(operation, fault)| {
        let scene = linked("--policy-arn ReadOnlyAccess");
        scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "xacct-old", json!({"Statement": []})));
        scene.sandbox.add_fault(fault.clone());
        scene.xacct("teardown --all --yes").exits_with(1).says(&[&format!("iam:{operation}")]);
        assert!(scene.environment.read("xacct.toml").contains("[targets."), "{fault:?}");
        scene.sandbox.clear_faults();
        scene.xacct("teardown --all --yes").exits_with(0);
        assert_gone(&scene);
    });
}

#[test]
fn retries_transient_errors_and_tolerates_lost_answers() {
    let conflict = |code: &str| FaultKind::Error { status: 409, code: code.to_owned(), message: "later".to_owned() };
    let cases = [
        Fault::new("DeleteRolePolicy", conflict("ConcurrentModification")).on_call(1),
        Fault::new("DeleteRole", conflict("DeleteConflict")).on_call(1),
        Fault::new("DeleteRolePolicy", FaultKind::Reset).on_call(1).after_processing(),
        Fault::new("DeleteRole", FaultKind::Reset).on_call(1).after_processing(),
        Fault::new("DeleteUserPolicy", FaultKind::Reset).on_call(1).after_processing(),
    ];
    side_by_side(&cases, |fault| {
        let scene = linked("");
        scene.sandbox.add_fault(fault.clone());
        scene.xacct("teardown --all --yes").exits_with(0);
        assert_gone(&scene);
    });
}

#[test]
fn a_missing_file_is_a_usage_error() {
    Scene::new().xacct("teardown dev").exits_with(2).says(&["there is no xacct.toml here"]);
}

#[test]
fn minimal_permissions_suffice_and_missing_ones_are_named() {
    let permissions =
        ["iam:ListInstanceProfilesForRole", "iam:DetachRolePolicy", "iam:DeleteRole", "iam:DeleteUserPolicy"];
    side_by_side(&permissions, |permission| {
        let scene = with_operators(source_policy(), target_policy(ROLE));
        scene.xacct(&format!("{WORDS} --no-verify --policy-arn ReadOnlyAccess")).exits_with(0);
        take_away(&scene, permission);
        scene.xacct("teardown --all --yes").exits_with(1).says(&[permission]);
        scene.sandbox.world(|world| {
            world.put_user_policy(ACCOUNT_A, "operator", "operator", source_policy());
            world.put_user_policy(ACCOUNT_B, "operator", "operator", target_policy(ROLE));
        });
        scene.xacct("teardown --all --yes").exits_with(0);
        assert_gone(&scene);
    });
}

#[test]
fn output_of_teardown() {
    let scene = linked("--external-id abc --policy-arn ReadOnlyAccess");
    for (name, words) in [
        ("teardown-dry-run", "teardown --all --dry-run --show-policies"),
        ("teardown-json", "teardown --all --dry-run --output json"),
        ("teardown-no-terminal", "teardown --all"),
        ("teardown-only-target", "teardown --all --yes --only target"),
        ("teardown", "teardown --all --yes"),
        ("teardown-again", "teardown 222222222222"),
    ] {
        assert_output(name, words, &scene.xacct(words));
    }
    crate::support::schema::assert_follows_the_schema(&scene.xacct("teardown x --output json").exits_with(0).json());
    let scene = Scene::new();
    scene.xacct(MULTI).exits_with(0);
    assert_output("teardown-multi", "teardown --all --yes", &scene.xacct("teardown --all --yes"));
    let scene = linked("");
    let used = RoleUse { at: OffsetDateTime::now_utc(), region: "us-east-1".to_owned() };
    scene.sandbox.world(|world| {
        world.attach_role_policy(ACCOUNT_B, "xacct", "arn:aws:iam::aws:policy/AdministratorAccess");
        world.role_mut(ACCOUNT_B, "xacct").expect("the role").uses.push(used);
    });
    assert_output("teardown-refused", "teardown --all --yes", &scene.xacct("teardown --all --yes"));
    scene.xacct_json("teardown --all --yes --even-if-used --even-if-extended", 0);
}

#[test]
fn waits_for_lagging_reads() {
    let delay = Duration::from_secs(1);
    let scene = Scene::of(Sandbox::builder().propagation(delay).stale_reads(true));
    scene.link("--no-verify");
    scene.sandbox.advance(delay * 2);
    scene.xacct("teardown --all --yes").exits_with(0);
    assert!(scene.requests("GetRole").len() > 2, "reads showed the role for a while");
    assert_gone(&scene);
}

#[test]
fn reports_an_unknown_target_beside_a_known_one() {
    let scene = linked("");
    scene.xacct("teardown --yes 222222222222 dev").exits_with(0).says(&["xacct.toml has no target dev"]);
    assert_gone(&scene);
}
