//! `--refusals` makes the requests that the role must deny rarer, and says which were not sent.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::scene::{ACCOUNT_B, Scene, step, trust};
use crate::snapshots::assert_output;

const STEPS: [&str; 2] = ["refused_without_external_id", "refused_with_wrong_external_id"];

fn scene() -> Scene {
    Scene::linked("--external-id abc --no-verify")
}

/// Runs a test, and returns the outcomes of the steps with requests that must be denied.
#[track_caller]
fn outcomes(scene: &Scene, options: &str) -> Vec<Value> {
    scene.sandbox.clear_requests();
    let verification = scene.verdict(options, 0);
    assert_eq!(verification["outcome"], "works", "{verification:#}");
    let outcomes: Vec<_> = STEPS.map(|id| step(&verification, id)["outcome"].clone()).into();
    let sent = scene.requests("AssumeRole").len() - 1;
    assert_eq!(sent, outcomes.iter().filter(|it| **it == json!("ok")).count(), "{verification:#}");
    outcomes
}

const SENT: [&str; 2] = ["ok", "ok"];
const UNSENT: [&str; 2] = ["skipped", "skipped"];

/// Changes the record of the last test.
fn change_record(scene: &Scene, change: impl Fn(&mut Value)) {
    let folder = scene.environment.path(".local/state/xacct/tests");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut record);
    std::fs::write(file, record.to_string()).unwrap();
}

/// Moves the time of the last denials into the past.
fn days_pass(scene: &Scene, days: i64) {
    let at = OffsetDateTime::now_utc() - time::Duration::days(days);
    change_record(scene, |record| record["refusals_at"] = at.format(&Rfc3339).unwrap().into());
}

#[test]
fn weekly_sends_them_once_a_week() {
    let scene = scene();
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
    assert_eq!(outcomes(&scene, "--refusals weekly"), UNSENT);
    days_pass(&scene, 6);
    assert_eq!(outcomes(&scene, "--refusals weekly"), UNSENT);
    // A test that does not send them is no proof of them.
    days_pass(&scene, 7);
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
    assert_eq!(outcomes(&scene, ""), SENT);
    // A clock that was set back.
    days_pass(&scene, -1);
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
}

#[test]
fn what_was_not_sent_is_said_and_never_ok() {
    let scene = scene();
    outcomes(&scene, "");
    change_record(&scene, |record| {
        let day = OffsetDateTime::now_utc() - time::Duration::days(3);
        record["refusals_at"] = day.format(&Rfc3339).unwrap().into();
    });
    let output = scene.xacct("verify --refusals weekly").exits_with(0);
    output.says(&["-   denied without external ID", "not sent (weekly; last denied 20"]);
    scene.xacct("list").exits_with(0).says(&["works (just now; denials 3 days ago)"]);
    let document = scene.xacct_json("list", 0);
    let last = &document["targets"][ACCOUNT_B]["last_test"];
    assert!(last["denied_at"].as_str().unwrap() < last["at"].as_str().unwrap(), "{last:#}");
    // With several targets, below the table.
    scene
        .xacct(
            "bootstrap --yes --no-verify --target-account 333333333333 --name prod --target-profile third-admin \
                 --external-id xyz",
        )
        .exits_with(0);
    scene.xacct("verify --refusals weekly").exits_with(0).says(&["requests that must be denied: not sent"]);
    scene.xacct("list --live --refusals weekly").exits_with(0).says(&["requests that must be denied: not sent"]);
}

#[test]
fn other_conditions_are_tested_at_once() {
    let scene = scene();
    assert_eq!(outcomes(&scene, ""), SENT);
    scene.xacct("bootstrap --yes --allow-weaker --no-verify --external-id other").exits_with(0);
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
    assert_eq!(outcomes(&scene, "--refusals weekly"), UNSENT);
}

/// What is open is due until it is denied.
#[test]
fn an_open_role_is_tested_every_time() {
    let scene = scene();
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
    let old = scene.trust_policy();
    days_pass(&scene, 8);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({}))));
    for _ in 0..2 {
        assert_eq!(scene.verdict("--refusals weekly", 3)["outcome"], "too_open");
    }
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &old));
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
}

/// CI runners keep nothing.
#[test]
fn without_a_record_they_are_sent() {
    let mut scene = scene();
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
    scene.environment.set("XDG_STATE_HOME", "/proc/none");
    assert_eq!(outcomes(&scene, "--refusals weekly"), SENT);
}

#[test]
fn a_fraction_is_drawn_for_each_test() {
    let scene = scene();
    assert_eq!(outcomes(&scene, "--refusals 1"), SENT);
    assert_eq!(outcomes(&scene, "--refusals 0.0000000001"), UNSENT);
    // The chance that none of so many is sent, or all are, is below one in a million.
    let outcomes: Vec<_> = (0..24).map(|_| outcomes(&scene, "--refusals 0.5 --probe identity")).collect();
    assert!(outcomes.iter().any(|it| *it == SENT) && outcomes.iter().any(|it| *it == UNSENT), "{outcomes:?}");
}

#[test]
fn bad_frequencies_are_refused_before_anything_is_sent() {
    let scene = scene();
    for value in ["0", "-1", "1.5", "nan", "daily", "10%"] {
        let output = scene.xacct(&format!("verify --refusals={value}")).exits_with(2);
        output.says(&[value, "neither `weekly` nor a number", "use `0.1`"]);
    }
    scene.xacct("verify --must-refuse --refusals weekly").exits_with(2).says(&["cannot be used with"]);
    assert_eq!(scene.sandbox.requests(), []);
}

#[test]
fn the_skipped_steps_at_80_columns() {
    let scene = scene();
    let words = "verify --refusals 0.0000000001";
    assert_output("refusals-unsent", words, &scene.xacct(words).exits_with(0));
}
