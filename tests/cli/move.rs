//! `xacct move` gives a link a role with another name, and nobody is refused meanwhile.

use serde_json::json;

use time::OffsetDateTime;
use xacct_sandbox::world::RoleUse;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, step, text};
use crate::snapshots::assert_output;
use crate::support::Output;
use crate::support::third_party::test_name;
use crate::terminal::Terminal;

const BEGIN: &str = "move dev --role-name deploy --yes";
const FINISH: &str = "move dev --finish --yes --even-if-used";
const NEW: &str = "arn:aws:iam::222222222222:role/deploy";

/// A link with terms of all kinds, and a consumer of its role: another copy of the file.
fn scene() -> Scene {
    let scene = Scene::linked(
        "--name dev --external-id the-id --policy-arn PowerUserAccess --max-session-duration 4h --tag team=platform \
         --permissions-boundary ReadOnlyAccess --probe identity",
    );
    scene.environment.write("consumer.toml", &scene.environment.read("xacct.toml"));
    scene
}

fn consumer(scene: &Scene) -> Output {
    scene.xacct("--config consumer.toml credentials --no-cache --format process")
}

/// What `xacct.toml` says of the roles: `role`, `moving_to` and `moved_from`.
fn recorded(scene: &Scene) -> [Option<String>; 3] {
    let file = scene.environment.read("xacct.toml");
    ["role", "moving_to", "moved_from"].map(|key| {
        let value = file.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        value.map(|value| value.trim_matches('"').to_owned())
    })
}

fn has(role: &str, moving_to: Option<&str>, moved_from: Option<&str>) -> [Option<String>; 3] {
    [Some(role), moving_to, moved_from].map(|value| value.map(str::to_owned))
}

/// The names of the roles in the target account that exist.
fn roles(scene: &Scene) -> Vec<&'static str> {
    let exists = |name: &&str| scene.sandbox.world(|world| world.role(ACCOUNT_B, name).is_some());
    ["deploy", "other", "xacct"].into_iter().filter(exists).collect()
}

fn denied() -> FaultKind {
    FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() }
}

fn is_without_grant(scene: &Scene) -> bool {
    scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_none())
}

#[test]
fn nobody_is_refused_until_it_is_finished() {
    let scene = scene();
    consumer(&scene).exits_with(0);
    assert_output("move-begin", BEGIN, &scene.xacct(BEGIN).exits_with(0));
    assert_eq!(recorded(&scene), has("deploy", None, Some(ROLE)));
    assert_eq!((roles(&scene), scene.granted()), (vec!["deploy", "xacct"], vec![NEW.to_owned(), ROLE.to_owned()]));
    consumer(&scene).exits_with(0);
    let finish = "xacct move dev --finish";
    scene.xacct("verify").exits_with(0).says(&["dev still has its old role", ROLE, finish]);
    let document = scene.xacct_json("verify", 0);
    let dev = &document["targets"]["dev"];
    assert_eq!((&dev["role_arn"], &dev["moved_from"]), (&json!(NEW), &json!(ROLE)));
    let output = scene.xacct("bootstrap --check").exits_with(0);
    assert!(!output.everything().contains("does not declare"), "{output}");
    scene.xacct("print-provider-hcl").exits_with(0).says(&[NEW]);

    assert_output("move-finish", FINISH, &scene.xacct(FINISH).exits_with(0));
    assert_eq!(recorded(&scene), has("deploy", None, None));
    assert_eq!((roles(&scene), scene.granted()), (vec!["deploy"], vec![NEW.to_owned()]));
    consumer(&scene).exits_with(3);
    scene.xacct("bootstrap --check").exits_with(0);
    assert!(scene.xacct_json("verify", 0)["targets"]["dev"].get("moved_from").is_none());
    scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
    assert!(roles(&scene).is_empty() && is_without_grant(&scene));
}

#[test]
fn the_new_role_has_the_terms_of_the_old_one() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.world(|world| {
        let [old, new] = ["xacct", "deploy"].map(|name| world.role(ACCOUNT_B, name).unwrap());
        assert_eq!(old.trust, new.trust);
        assert_eq!((&old.tags, &old.policies.attached), (&new.tags, &new.policies.attached));
        assert_eq!((&old.boundary, old.max_session_duration), (&new.boundary, new.max_session_duration));
        assert_eq!((&old.description, &old.policies.inline), (&new.description, &new.policies.inline));
    });
}

/// The proof tries the old role itself.
#[test]
fn the_end_of_the_old_role_is_proven() {
    let scene = scene();
    let document = scene.xacct_json(BEGIN, 0);
    let dev = &document["targets"]["dev"];
    assert_eq!(
        (&document["command"], &dev["role_arn"], &dev["moved_from"]),
        (&json!("move"), &json!(NEW), &json!(ROLE))
    );
    assert_eq!(step(&dev["verification"], "assume_role")["outcome"], "ok");
    scene.sandbox.clear_requests();
    let document = scene.xacct_json(FINISH, 0);
    let dev = &document["targets"]["dev"];
    assert_eq!((&document["command"], &dev["role_arn"], &dev["denied"]), (&json!("move"), &json!(ROLE), &json!(true)));
    let tried = scene.requests("AssumeRole");
    let tried: Vec<_> = tried.iter().filter_map(|it| it.parameter("RoleArn")).collect();
    assert_eq!(tried.first(), Some(&NEW), "the new one is tested before the old one is removed");
    assert_eq!(tried.last(), Some(&ROLE));
}

#[test]
fn a_path_needs_a_name_of_its_own() {
    let scene = Scene::linked("--name dev");
    scene.xacct("move dev --role-path /eng/ --yes").exits_with(2).says(&["names are unique", "--role-name NAME"]);
    scene.xacct("move dev --role-name xacct --role-path /eng/ --yes").exits_with(2).says(&["names are unique"]);
    scene.xacct("move dev --role-name XACCT --yes").exits_with(2).says(&["names are unique"]);
    scene.xacct("move dev --role-name deploy --role-path /eng/ --yes").exits_with(0);
    assert!(scene.environment.read("xacct.toml").contains("role_path = \"/eng/\""));
    scene.xacct(FINISH).exits_with(0).says(&["alice can no longer assume"]);
    scene.xacct("verify").exits_with(0);
}

#[test]
fn places_with_the_old_role_are_listed() {
    let scene = scene();
    scene.environment.write("live/main.tf", &format!("provider \"aws\" {{\n  role_arn = \"{ROLE}\"\n}}\n"));
    scene.environment.write("live/other.tf", &format!("role_arn = \"{ROLE}-other\"\n"));
    scene.environment.append("aws/config", &format!("\n[profile deploy]\nrole_arn = {ROLE}\n"));
    let places = ["profile deploy in the AWS config file", "  live/main.tf:2"];
    let output = scene.xacct(BEGIN).exits_with(0).says(&places);
    assert!(!output.stderr.contains("other.tf") && !output.stderr.contains("xacct.toml:"), "{output}");
    scene
        .xacct("move dev --finish --dry-run --even-if-used")
        .exits_with(0)
        .says(&places)
        .says(&["print audit-query dev"]);
    scene.xacct("print audit-query dev").exits_with(0).says(&[ROLE, NEW]);
}

/// Whatever step AWS rejects, the link works as before, and the same command goes on.
#[test]
fn an_interrupted_move_loses_nothing_and_goes_on() {
    for operation in ["CreateRole", "AttachRolePolicy", "PutUserPolicy", "GetUserPolicy"] {
        let scene = scene();
        scene.sandbox.add_fault(Fault::new(operation, denied()));
        let output = scene.xacct(BEGIN);
        assert_ne!(output.code, 0, "{operation}\n{output}");
        scene.sandbox.clear_faults();
        consumer(&scene).exits_with(0);
        scene.xacct("verify").exits_with(0);
        scene.xacct("exec dev -- true").exits_with(0);
        scene.xacct(BEGIN).exits_with(0);
        assert_eq!(recorded(&scene), has("deploy", None, Some(ROLE)), "{operation}");
        // Run again, it has nothing to do.
        assert_eq!(scene.xacct_json(BEGIN, 0)["pending_changes"], 0);
    }
    for operation in ["DeleteRole", "DetachRolePolicy", "PutUserPolicy"] {
        let scene = scene();
        scene.xacct(BEGIN).exits_with(0);
        scene.sandbox.add_fault(Fault::new(operation, denied()));
        let output = scene.xacct(FINISH);
        assert_ne!(output.code, 0, "{operation}\n{output}");
        assert_eq!(recorded(&scene), has("deploy", None, Some(ROLE)), "{operation}");
        scene.sandbox.clear_faults();
        scene.xacct("verify").exits_with(0);
        scene.xacct(FINISH).exits_with(0);
        assert_eq!((recorded(&scene), roles(&scene)), (has("deploy", None, None), vec!["deploy"]));
    }
}

/// The file names the new role only once it works.
#[test]
fn a_role_that_does_not_pass_its_test_is_not_the_links() {
    let scene = scene();
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Throttle));
    let output = scene.xacct(&format!("{BEGIN} --timeout 3s")).exits_with(5);
    output.says(&["dev keeps its old role until the new one works", "xacct move dev --role-name xacct"]);
    scene.sandbox.clear_faults();
    assert_eq!((recorded(&scene), roles(&scene)), (has("xacct", Some(NEW), None), vec!["deploy", "xacct"]));
    scene.xacct("verify").exits_with(0).says(&["which has not been tested; to continue: xacct move dev"]);
    scene.xacct("bootstrap --check").exits_with(0);
    scene.xacct(FINISH).exits_with(2).says(&["has not been tested", "xacct move dev"]);
    scene.xacct("move dev --yes").exits_with(0);
    assert_eq!(recorded(&scene), has("deploy", None, Some(ROLE)));
}

#[test]
fn a_move_can_be_taken_back() {
    // After it was tested, and before.
    for is_tested in [true, false] {
        let scene = scene();
        if is_tested {
            scene.xacct(BEGIN).exits_with(0);
        } else {
            scene.sandbox.add_fault(Fault::new("PutUserPolicy", denied()));
            scene.xacct(BEGIN).exits_with(1);
            scene.sandbox.clear_faults();
        }
        scene.xacct("move dev --role-name xacct --yes").exits_with(0);
        assert_eq!(recorded(&scene), has("xacct", None, Some(NEW)));
        scene.xacct(FINISH).exits_with(0);
        assert_eq!((recorded(&scene), roles(&scene)), (has("xacct", None, None), vec!["xacct"]));
        assert_eq!(scene.granted(), [ROLE]);
        consumer(&scene).exits_with(0);
    }
}

#[test]
fn teardown_in_between_leaves_nothing() {
    for is_tested in [true, false] {
        let scene = scene();
        if is_tested {
            scene.xacct(BEGIN).exits_with(0);
        } else {
            scene.sandbox.add_fault(Fault::new("AttachRolePolicy", denied()));
            scene.xacct(BEGIN).exits_with(1);
            scene.sandbox.clear_faults();
        }
        assert_eq!(roles(&scene), ["deploy", "xacct"]);
        let document = scene.xacct_json("teardown dev --dry-run --even-if-used", 0);
        let targets: Vec<_> = document["targets"].as_object().unwrap().keys().collect();
        assert_eq!(targets, if is_tested { ["dev", "dev (xacct)"] } else { ["dev", "dev (deploy)"] });
        let output = scene.xacct("teardown dev --yes --even-if-used").exits_with(0);
        if is_tested {
            assert_output("move-teardown", "teardown dev --yes --even-if-used", &output);
        }
        assert!(roles(&scene).is_empty() && is_without_grant(&scene));
        assert!(!scene.environment.read("xacct.toml").contains("dev"));
    }
}

#[test]
fn several_targets_are_moved_together() {
    let scene = scene();
    let third = "bootstrap --yes --target-account 333333333333 --name prod --target-profile third-admin";
    scene.xacct(third).exits_with(0);
    scene.xacct("move dev prod --role-name deploy --yes").exits_with(0).says(&["xacct move dev prod --finish"]);
    assert_eq!(scene.granted().len(), 4);
    let document = scene.xacct_json("verify", 0);
    for target in ["dev", "prod"] {
        assert!(document["targets"][target]["moved_from"].is_string(), "{document:#}");
    }
    let finish = "move dev prod --finish --yes --even-if-used";
    assert_output("move-finish-several", finish, &scene.xacct(finish).exits_with(0));
    assert_eq!((scene.granted().len(), roles(&scene)), (2, vec!["deploy"]));
    scene.xacct("teardown --all --yes --even-if-used").exits_with(0);
    assert!(is_without_grant(&scene));
}

/// Somebody's keys may have leaked in between.
#[test]
fn what_concerns_a_link_in_between_concerns_both_roles() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    let document = scene.xacct_json("revoke dev --yes", 0);
    assert_eq!(document["targets"].as_object().unwrap().len(), 2, "{document:#}");
    for role in ["xacct", "deploy"] {
        assert!(scene.sandbox.world(|world| world.role_policy(ACCOUNT_B, role, "xacct-revoke-sessions").is_some()));
    }
    scene.xacct("print policies --for user dev").exits_with(0).says(&[ROLE, NEW]);
    scene.xacct("print role-hcl dev").exits_with(0).says(&[ROLE, NEW]);
    scene.xacct("forget dev --dry-run").exits_with(0).says(&[ROLE, NEW]);
}

#[test]
fn only_the_word_yes_removes_the_old_role() {
    for (typed, code) in [("y\n", 1), ("yes\n", 0)] {
        let mut scene = scene();
        scene.xacct(BEGIN).exits_with(0);
        let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "move dev --finish") else { return };
        terminal.answer("Remove the old role of dev? Type `yes` to confirm:", 1, typed);
        let (ended, screen) = terminal.ended();
        assert_eq!(ended, Some(code), "{screen}");
        assert_eq!(roles(&scene).contains(&"xacct"), code != 0, "{screen}");
    }
}

#[test]
fn previews_change_nothing() {
    let scene = scene();
    let file = scene.environment.read("xacct.toml");
    let previews = |words: &str| {
        for (option, code) in [("--dry-run", 0), ("--check", 4)] {
            scene.sandbox.clear_requests();
            scene.xacct(&format!("{words} {option}")).exits_with(code).says(&["Nothing was changed"]);
            assert_eq!(scene.writes(), [""; 0]);
        }
        scene.xacct(words).exits_with(2).says(&["no terminal"]);
    };
    previews("move dev --role-name deploy");
    assert_eq!(scene.environment.read("xacct.toml"), file);
    scene.xacct(BEGIN).exits_with(0);
    let file = scene.environment.read("xacct.toml");
    previews("move dev --finish --even-if-used");
    assert_eq!((scene.environment.read("xacct.toml"), roles(&scene)), (file, vec!["deploy", "xacct"]));
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let scene = scene();
    let refused = |words: &str, says: &[&str]| {
        scene.sandbox.clear_requests();
        scene.xacct(&format!("move {words}")).exits_with(2).says(says);
        assert_eq!(scene.sandbox.requests(), []);
    };
    refused("prod --role-name deploy --yes", &["has no target `prod`"]);
    refused("dev --yes", &["needs the name of the new role", "xacct move dev --role-name NAME"]);
    scene.xacct("bootstrap dev --role-name deploy").exits_with(2).says(&["xacct move dev --role-name deploy"]);
    refused("dev --role-name xacct --yes", &["has role `xacct` already"]);
    refused("dev --role-name a/b --yes", &["a/b"]);
    refused("dev --role-name deploy --role-path /a*/ --yes", &["/a*/"]);
    refused("dev --finish --role-name deploy", &["cannot be used with"]);
    scene.bootstrap("--name second --role-name other").exits_with(0);
    refused("dev --role-name other --yes", &["role `other` in account 222222222222 belongs to target `second`"]);
    refused("dev second --role-name deploy --yes", &["two targets in account 222222222222"]);
    scene.xacct(BEGIN).exits_with(0);
    refused("dev --role-name third --yes", &["still has its old role `xacct`", "xacct move dev --finish"]);
    refused("second --role-name XACCT --yes", &["belongs to target `dev`"]);
}

/// Even if it is a role of the same user, which xacct made: a lost file may record it.
#[test]
fn a_name_that_is_taken_is_refused_before_anything_is_written() {
    let scene = scene();
    scene.xacct(&format!("--config lost.toml {} --role-name deploy", crate::scene::BOOTSTRAP)).exits_with(0);
    let file = scene.environment.read("xacct.toml");
    scene.sandbox.clear_requests();
    scene
        .xacct(BEGIN)
        .exits_with(1)
        .says(&["role `deploy` in account 222222222222 exists already", "--role-name NAME"]);
    assert_eq!(scene.writes(), [""; 0]);
    assert_eq!(scene.environment.read("xacct.toml"), file);
}

#[test]
fn a_role_that_differs_from_the_file_is_repaired_first() {
    let scene = scene();
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").unwrap().max_session_duration = 3600);
    scene.sandbox.clear_requests();
    scene
        .xacct(BEGIN)
        .exits_with(1)
        .says(&["role `xacct` in account 222222222222 differs from xacct.toml", "xacct bootstrap dev"]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "xacct"));
    scene.xacct(BEGIN).exits_with(1).says(&["role `xacct` in account 222222222222 does not exist"]);
    assert_eq!(roles(&scene), [""; 0]);
}

/// The new role gets nothing of it, so a policy that denies makes it weaker.
#[test]
fn what_others_added_to_the_old_role_is_named() {
    let scene = scene();
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]});
    scene.sandbox.world(|world| {
        let role = world.role_mut(ACCOUNT_B, "xacct").unwrap();
        role.tags.insert("cost-center".to_owned(), "7".to_owned());
        role.policies.inline.insert("no-s3".to_owned(), deny.clone());
    });
    let output = scene.xacct("move dev --role-name deploy --dry-run").exits_with(0);
    output.says(&["the new role does not get", "inline policy no-s3", "tag cost-center", "weaker"]);
    scene.xacct(BEGIN).exits_with(1).says(&["--allow-weaker"]);
    assert_eq!(roles(&scene), ["xacct"]);
    scene.xacct(&format!("{BEGIN} --allow-weaker")).exits_with(0);
}

/// A boundary that the file does not declare stays, too.
#[test]
fn an_undeclared_boundary_moves_with_the_link() {
    let scene = Scene::linked("--name dev");
    let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").unwrap().boundary = Some(boundary.to_owned()));
    scene.xacct(&format!("{BEGIN} --probe identity")).exits_with(0);
    let found = scene.sandbox.world(|world| world.role(ACCOUNT_B, "deploy").unwrap().boundary.clone());
    assert_eq!(found.as_deref(), Some(boundary));
    assert!(scene.environment.read("xacct.toml").contains("permissions_boundary = "));
}

/// The old role is the last way in.
#[test]
fn the_old_role_stays_while_the_new_one_does_not_work() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.world(|world| world.delete_role(ACCOUNT_B, "deploy"));
    let output = scene.xacct(FINISH).exits_with(3);
    output.says(&["the test of arn:aws:iam::222222222222:role/deploy did not pass", "xacct verify dev"]);
    let document = scene.xacct_json(FINISH, 3);
    assert!(text(&document["error"]["message"]).contains("did not pass"), "{document:#}");
    assert_eq!(roles(&scene), ["xacct"]);
    scene.xacct(&format!("{FINISH} --no-verify")).exits_with(0);
    assert_eq!(roles(&scene), [""; 0]);
}

#[test]
fn an_old_role_in_use_stays() {
    let scene = Scene::linked("--name dev --no-verify");
    scene.xacct(BEGIN).exits_with(0);
    let used = RoleUse { at: OffsetDateTime::now_utc() - time::Duration::hours(20), region: "us-east-1".to_owned() };
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").unwrap().uses.push(used));
    let output = scene.xacct("move dev --finish --yes");
    output.exits_with(1).says(&["was used 20 hours ago", "--even-if-used"]);
    assert_eq!(roles(&scene), ["deploy", "xacct"]);
}

/// Until the end of the old role is proven, the file records it, so that the second step can be repeated.
#[test]
fn an_end_that_was_not_proven_can_be_repeated() {
    let scene = scene();
    scene.xacct(BEGIN).exits_with(0);
    scene.sandbox.clear_requests();
    scene.xacct("verify").exits_with(0);
    let tests = scene.requests("AssumeRole").len() as u64;
    scene.sandbox.clear_faults();
    // After the test of the new role.
    scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Throttle).on_calls(tests + 1..=1000));
    scene.xacct(&format!("{FINISH} --timeout 3s")).exits_with(5);
    assert_eq!((recorded(&scene), roles(&scene)), (has("deploy", None, Some(ROLE)), vec!["deploy"]));
    scene.sandbox.clear_faults();
    scene.xacct(FINISH).exits_with(0).says(&["alice can no longer assume"]);
    assert_eq!(recorded(&scene), has("deploy", None, None));
    scene.xacct(FINISH).exits_with(0).says(&["Nothing to do: dev has no old role"]);
    assert_eq!(scene.xacct_json(FINISH, 0)["applied"], false);
}

#[test]
fn the_file_is_checked() {
    let scene = scene();
    let refused = |lines: &str, says: &str| {
        let before = scene.environment.read("xacct.toml");
        scene.environment.edit("xacct.toml", "role = \"xacct\"\n", &format!("role = \"xacct\"\n{lines}"));
        scene.xacct("verify").exits_with(2).says(&["xacct.toml:", says]);
        scene.environment.write("xacct.toml", &before);
    };
    refused("moved_from = \"deploy\"\n", "arn:aws:iam::");
    refused("moved_from = \"arn:aws:iam::333333333333:role/deploy\"\n", "the target is account 222222222222");
    refused(&format!("moved_from = \"{NEW}\"\nmoving_to = \"{NEW}\"\n"), "cannot be used together");
    refused(&format!("moving_to = \"{ROLE}\"\n"), "a role of the same name");
}
