//! Whether `teardown` asks about the last use of a role, which may be xacct's own test or that of others.

use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use xacct_sandbox::Sandbox;
use xacct_sandbox::world::RoleUse;

use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, Scene, side_by_side};
use crate::snapshots::assert_output;
use crate::support::policies::document;
use crate::support::third_party::test_name;
use crate::terminal::Terminal;

/// How late IAM shows a use of a role.
const LATE: Duration = Duration::from_secs(4 * 3600);

const TEARDOWN: &str = "teardown --all --yes";

fn scene() -> Scene {
    Scene::of(Sandbox::builder().late_uses(LATE))
}

/// Adds a use of the role by others; a negative number of hours is in the future.
fn use_it(scene: &Scene, hours_ago: i64) {
    use_it_in(scene, "us-east-1", hours_ago);
}

fn use_it_in(scene: &Scene, region: &str, hours_ago: i64) {
    let at = OffsetDateTime::now_utc() - time::Duration::hours(hours_ago);
    let used = RoleUse { at, region: region.to_owned() };
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").uses.push(used));
}

/// Lets IAM show all uses so far.
fn report(scene: &Scene) {
    scene.sandbox.advance(LATE + Duration::from_secs(3600));
}

#[track_caller]
fn assert_refused(scene: &Scene, text: &str) {
    scene.sandbox.clear_requests();
    scene.xacct(TEARDOWN).exits_with(1).says(&[text, "--even-if-used"]);
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn its_own_tests_do_not_keep_a_role() {
    let scene = scene();
    scene.link("");
    scene.xacct("verify").exits_with(0);
    scene.xacct("list --live").exits_with(0);
    assert_eq!(scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").expect("the role").uses.len()), 4);
    report(&scene);
    let output = scene.xacct(TEARDOWN).exits_with(0);
    assert!(!output.stderr.contains("was used"), "{output}");
}

/// Such an AWS shows the first test to the second run.
#[test]
fn bootstrap_reads_the_last_use_before_it_tests() {
    let scene = Scene::linked("");
    scene.bootstrap("").exits_with(0);
    scene.xacct(TEARDOWN).exits_with(0);
    let scene = Scene::linked("--no-verify");
    use_it(&scene, 5);
    scene.bootstrap("").exits_with(0);
    assert_refused(&scene, "was used 5 hours ago in Region us-east-1");
}

#[test]
fn a_use_by_others_before_the_test_keeps_a_role_for_two_days() {
    for test in ["verify", "list --live", BOOTSTRAP] {
        let scene = scene();
        scene.link("--no-verify");
        use_it(&scene, 7);
        scene.xacct(test).exits_with(0);
        scene.xacct(test).exits_with(0);
        report(&scene);
        assert_refused(&scene, "was used 7 hours ago in Region us-east-1");
    }
    let scene = scene();
    scene.link("--no-verify");
    use_it(&scene, 49);
    scene.xacct("verify").exits_with(0);
    report(&scene);
    scene.xacct(TEARDOWN).exits_with(0);
}

#[test]
fn a_use_by_others_after_the_test_keeps_a_role() {
    side_by_side(&["us-east-1", "eu-west-1"], |region| {
        let scene = scene();
        scene.link("");
        use_it_in(&scene, region, -1);
        report(&scene);
        scene.sandbox.advance(LATE);
        assert_refused(&scene, "was used less than an hour ago");
    });
    // At the time of the test, but in a Region that it did not use.
    let scene = scene();
    scene.link("");
    use_it_in(&scene, "eu-west-1", 0);
    report(&scene);
    assert_refused(&scene, "in Region eu-west-1");
}

#[test]
fn a_role_that_the_test_could_not_read_is_kept() {
    let scene = scene();
    scene.link("--no-verify");
    let (known, unknown) = ("profile = \"dev-admin\"\n", "profile = \"gone\"\n");
    scene.environment.edit("xacct.toml", known, unknown);
    scene.xacct("verify").exits_with(0);
    scene.environment.edit("xacct.toml", unknown, known);
    report(&scene);
    assert_refused(&scene, "by xacct's own test; xacct could not read the use before it");
}

/// The session reads the role right after it was opened, when AWS does not yet show this use.
#[test]
fn the_role_itself_may_read_its_last_use() {
    let read = json!([{"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}]);
    for (hours_ago, code) in [(5, 1), (50, 0)] {
        let scene = scene();
        scene.link("--no-verify");
        use_it(&scene, hours_ago);
        scene.sandbox.world(|world| world.put_role_policy(ACCOUNT_B, "xacct", "xacct-read", document(read.clone())));
        let (known, unknown) = ("profile = \"dev-admin\"\n", "profile = \"gone\"\n");
        scene.environment.edit("xacct.toml", known, unknown);
        scene.xacct("verify").exits_with(0);
        scene.environment.edit("xacct.toml", unknown, known);
        report(&scene);
        scene.xacct(TEARDOWN).exits_with(code);
    }
}

#[test]
fn tests_of_other_machines_are_uses_by_others() {
    let mut scene = scene();
    scene.link("");
    report(&scene);
    let state = scene.environment.path("elsewhere").display().to_string();
    scene.environment.set("XDG_STATE_HOME", &state);
    assert_refused(&scene, "was used less than an hour ago");
    // A record that cannot be written is no error, and excuses nothing.
    let scene = scene_without_state();
    scene.link("");
    report(&scene);
    assert_refused(&scene, "was used less than an hour ago");
}

fn scene_without_state() -> Scene {
    let mut scene = scene();
    scene.environment.write("state", "a file, not a directory");
    let state = scene.environment.path("state").display().to_string();
    scene.environment.set("XDG_STATE_HOME", &state);
    scene
}

#[test]
fn a_test_of_a_role_that_it_cannot_assume_is_no_use() {
    let scene = scene();
    scene.link("--no-verify");
    scene.sandbox.world(|world| world.role_mut(ACCOUNT_B, "xacct").expect("the role").trust["Statement"] = json!([]));
    scene.xacct("verify").exits_with(3);
    use_it(&scene, 0);
    report(&scene);
    assert_refused(&scene, "was used less than an hour ago");
}

#[test]
fn previews_show_the_use_and_refuse_nothing() {
    let scene = Scene::linked("--no-verify");
    use_it(&scene, 3);
    assert_output(
        "teardown-in-use",
        "teardown --all --dry-run",
        &scene.xacct("teardown --all --dry-run").exits_with(0),
    );
    let document = scene.xacct_json("teardown --all --check", 4);
    let warnings = document["targets"][ACCOUNT_B]["warnings"].to_string();
    assert!(warnings.contains("was used 3 hours ago in Region us-east-1"), "{document:#}");
    let document = scene.xacct_json("teardown --all --check --even-if-used", 4);
    assert_eq!(document["targets"][ACCOUNT_B]["warnings"], json!([]));
    scene.xacct("teardown --all").exits_with(2).says(&["no terminal"]);
    // With `--yes`, a preview says what the run would say.
    scene.xacct("teardown --all --yes --check").exits_with(1).says(&["--even-if-used"]);
}

#[test]
fn asks_on_a_terminal() {
    for (used_meanwhile, code) in [(false, 0), (true, 1)] {
        let mut scene = Scene::linked("--no-verify");
        use_it(&scene, 3);
        let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, "teardown --all") else { return };
        terminal.answer("was used 3 hours ago in", 1, "");
        terminal.answer("Type `yes` to confirm:", 1, "");
        if used_meanwhile {
            use_it(&scene, 1);
        }
        terminal.answer("Type `yes` to confirm:", 1, "yes\n");
        let (ended, screen) = terminal.ended();
        assert_eq!(ended, Some(code), "{screen}");
        let is_there = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").is_some());
        assert_eq!(is_there, used_meanwhile, "{screen}");
    }
}

/// The role is read again before it is changed, or else beside the test.
#[test]
fn a_use_while_bootstrap_asks_keeps_a_role() {
    for words in ["bootstrap --max-session-duration 2h", "bootstrap"] {
        let mut scene = Scene::linked("--no-verify");
        scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
        let Some(mut terminal) = Terminal::start(test_name!(), &mut scene, words) else { return };
        terminal.answer("d = show policies]", 1, "");
        use_it(&scene, 5);
        terminal.answer("d = show policies]", 1, "y\n");
        let (ended, screen) = terminal.ended();
        assert_eq!(ended, Some(0), "{screen}");
        assert_refused(&scene, "was used 5 hours ago in");
    }
}
