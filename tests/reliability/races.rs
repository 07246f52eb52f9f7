//! Two concurrent runs: both succeed, or one reports why not. All links of a user share the grant, so runs for
//! different targets conflict too.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind, Sandbox, Stage};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ACCOUNT_C, BOOTSTRAP, ROLE, Scene, text};
use crate::state;
use crate::support::Output;
use crate::support::policies::document;

const ROLE_IN_C: &str = "arn:aws:iam::333333333333:role/xacct";

const BOOTSTRAP_C: &str = "bootstrap --yes --target-account 333333333333 --user alice --user-profile alice \
                           --profile security-admin --target-profile third-admin";

const REPAIRED: &str = "Another run overwrote the grant";

/// The number of races in a round.
const TIMES: usize = 20;

/// The results of the rounds of a race.
#[derive(Debug, Default)]
struct Count {
    rounds: u32,
    both_right: u32,
    one_said_why_not: u32,
    repaired: u32,
}

/// Creates accounts with unmanaged resources.
fn among_others() -> Scene {
    Scene::of(Sandbox::builder().plant(state::plant_others))
}

fn without_links(scene: &Scene) -> Value {
    let mut state = state::of(scene);
    for account in state["accounts"].as_object_mut().expect("accounts").values_mut() {
        account["roles"].as_object_mut().expect("roles").remove("xacct");
        if let Some(alice) = account.pointer_mut("/users/alice/policies/inline") {
            alice.as_object_mut().expect("policies").remove("xacct");
        }
    }
    state["accounts"].clone()
}

/// Returns the roles in the grant; none without a grant.
fn granted(scene: &Scene) -> BTreeSet<String> {
    let is_there = scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_some());
    if is_there { scene.granted().into_iter().collect() } else { BTreeSet::new() }
}

fn set(roles: &[&str]) -> BTreeSet<String> {
    roles.iter().map(ToString::to_string).collect()
}

/// Returns a grant as xacct writes it.
fn grant_of(roles: &[&str]) -> Value {
    document(json!([
        {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles},
    ]))
}

/// Makes the changes of another run atomically.
fn overwrite(scene: &Scene, grant: Value) {
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant));
}

/// Asserts that every recorded link works, that the grant has exactly these roles, and that nothing else changed.
#[track_caller]
fn assert_right(scene: &Scene, before: &Value, context: &str) {
    scene.sandbox.set_latency(Duration::ZERO);
    let recorded = scene.environment.read("xacct.toml");
    let mut linked = BTreeSet::new();
    if recorded.contains("[targets.") {
        let output = scene.xacct("verify --output json");
        assert_eq!(output.code, 0, "{context}\n{recorded}\n{output}");
        let targets = output.json()["targets"].as_object().cloned().expect("targets");
        linked = targets.values().map(|target| text(&target["role_arn"])).collect();
    }
    assert_eq!(granted(scene), linked, "{context}\n{recorded}");
    assert_eq!(&without_links(scene), before, "{context}");
    assert_eq!(scene.buckets(), 1, "the unmanaged bucket\n{context}");
}

/// Starts both commands at once, many times with different delays, and checks the results.
fn race(name: &str, prepared: impl Fn() -> Scene, words: [&str; 2]) -> Count {
    let mut count = Count::default();
    for round in 0..TIMES * crate::rounds() {
        let scene = prepared();
        let before = without_links(&scene);
        scene.sandbox.set_latency(Duration::from_millis([0, 5, 20, 50][round % 4]));
        let first = scene.start(words[0]);
        sleep(Duration::from_millis([0, 15, 30, 45, 60][round / 4 % 5]));
        let second = scene.start(words[1]);
        let outputs = [first.ended(), second.ended()];
        let context = format!("{name}, round {round}\n{}\n{}", outputs[0], outputs[1]);
        count.rounds += 1;
        let failed: Vec<_> = outputs.iter().filter(|output| output.code != 0).collect();
        match failed.as_slice() {
            [] => count.both_right += 1,
            [one] => {
                let reasons = ["meanwhile", "changed since it was shown", "while xacct was running", "during this run"];
                let why = reasons.iter().any(|why| one.stderr.contains(why));
                assert!(one.code == 1 && why && one.stderr.contains("run the command again"), "{context}");
                count.one_said_why_not += 1;
            }
            _ => panic!("neither run succeeded: {context}"),
        }
        count.repaired += outputs.iter().map(|output| u32::from(output.stderr.contains(REPAIRED))).sum::<u32>();
        assert_right(&scene, &before, &context);
    }
    println!("{name}: {count:?}");
    count
}

#[test]
fn the_same_link_twice() {
    let words = format!("{BOOTSTRAP} --external-id abc");
    let count = race("the same link twice", among_others, [&words, &words]);
    assert_eq!(count.both_right, count.rounds, "both plans are identical");
}

#[test]
fn two_runs_generate_external_ids_for_one_role() {
    let words = format!("{BOOTSTRAP} --generate-external-id");
    race("two new external IDs for one role", among_others, [&words, &words]);
}

#[test]
fn two_links_that_share_a_grant() {
    let words = [BOOTSTRAP, BOOTSTRAP_C].map(|words| format!("{words} --external-id abc"));
    let count = race("two links that share a grant", among_others, [&words[0], &words[1]]);
    assert_eq!(count.both_right, count.rounds, "neither run prevents the other");
}

fn linked_to_b() -> Scene {
    let scene = among_others();
    scene.link("--no-verify");
    scene
}

#[test]
fn creates_one_link_while_removing_another() {
    let words = [BOOTSTRAP_C, "teardown --yes 222222222222"];
    let count = race("one link created, one removed", linked_to_b, words);
    assert_eq!(count.both_right, count.rounds);
}

#[test]
fn removes_two_links_concurrently() {
    let linked = || {
        let scene = linked_to_b();
        scene.xacct(&format!("{BOOTSTRAP_C} --no-verify")).exits_with(0);
        scene
    };
    let count = race("two links removed", linked, ["teardown --yes 222222222222", "teardown --yes 333333333333"]);
    assert_eq!(count.both_right, count.rounds);
}

/// Runs xacct, and does something else while this call of an operation is delayed.
fn meanwhile(scene: &Scene, words: &str, (operation, call): (&str, u64), what: impl FnOnce()) -> Output {
    let held = scene.sandbox.hold(operation, call, Stage::Arrived);
    let run = scene.start(words);
    assert!(held.reached(Duration::from_secs(30)), "no {call} × {operation} came");
    what();
    held.release();
    run.ended()
}

/// Runs xacct, and lets another run write the grant while this call is delayed.
fn with_another_writer(scene: &Scene, words: &str, call: (&str, u64), grant: Value) -> Output {
    scene.sandbox.clear_requests();
    meanwhile(scene, words, call, || overwrite(scene, grant))
}

#[test]
fn keeps_roles_added_to_the_grant_since_the_plan() {
    let scene = Scene::new();
    let output = with_another_writer(&scene, BOOTSTRAP, ("GetUserPolicy", 2), grant_of(&[ROLE_IN_C]));
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]), "{output}");
    assert!(!output.exits_with(0).stderr.contains(REPAIRED), "nothing was lost");
    assert_eq!(scene.requests("PutUserPolicy").len(), 1);
}

#[test]
fn does_not_rewrite_a_grant_that_is_already_complete() {
    let scene = Scene::new();
    with_another_writer(&scene, BOOTSTRAP, ("GetUserPolicy", 2), grant_of(&[ROLE])).exits_with(0);
    assert_eq!(scene.requests("PutUserPolicy").len(), 0);
}

#[test]
fn does_not_replace_statements_absent_from_the_plan() {
    let scene = Scene::new();
    let mut theirs = grant_of(&[ROLE_IN_C]);
    theirs["Statement"].as_array_mut().expect("statements").push(json!({
        "Sid": "Theirs", "Effect": "Allow", "Action": "ses:*", "Resource": "*",
    }));
    let output = with_another_writer(&scene, BOOTSTRAP, ("GetUserPolicy", 2), theirs.clone());
    output.exits_with(1).says(&["another program changed policy `xacct`", "run the command again"]);
    assert_eq!(scene.requests("PutUserPolicy").len(), 0);
    let found = scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").cloned());
    assert_eq!(found, Some(theirs));
}

#[test]
fn repairs_a_grant_overwritten_before_it_is_read_back() {
    let scene = Scene::new();
    let words = format!("{BOOTSTRAP} --output json");
    let output = with_another_writer(&scene, &words, ("GetUserPolicy", 3), grant_of(&[ROLE_IN_C])).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]), "{output}");
    let document = output.json();
    crate::support::schema::assert_follows_the_schema(&document);
    assert_eq!(document["source"]["repairs"], 1, "{document:#}");
    assert!(output.stderr.contains(REPAIRED), "{output}");
    // Nothing is left to do; of the other run's file, this one does not know.
    let checked = scene.xacct_json("bootstrap --check", 4);
    assert_eq!((&checked["pending_changes"], &checked["orphans"]["roles"]), (&json!(0), &json!([])), "{checked:#}");
    assert_eq!(checked["orphans"]["grants"][0]["role_arns"], json!([ROLE_IN_C]), "{checked:#}");
}

#[test]
fn repairs_a_grant_overwritten_during_propagation() {
    let scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(2)));
    let run = scene.start(BOOTSTRAP);
    scene.wait_for("AssumeRole");
    overwrite(&scene, grant_of(&[ROLE_IN_C]));
    run.ended().exits_with(0).says(&[REPAIRED]);
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]));
}

/// The link may work until the overwriting grant has propagated.
#[test]
fn an_overwritten_grant_that_cannot_be_repaired_is_an_error() {
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    let builder = Sandbox::builder().propagation(Duration::from_secs(2));
    let scene = Scene::of(builder.fault(Fault::new("PutUserPolicy", denied).on_call(2)));
    let run = scene.start(&format!("{BOOTSTRAP} --timeout 4s"));
    scene.wait_for("AssumeRole");
    overwrite(&scene, grant_of(&[ROLE_IN_C]));
    run.ended().exits_with(1).says(&["iam:PutUserPolicy was denied", "run the command again"]);
    scene.xacct(BOOTSTRAP).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]));
}

/// After the repair, propagation takes as long as after the first write.
#[test]
fn waits_for_propagation_of_a_repaired_grant() {
    let scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(3)));
    let run = scene.start(&format!("{BOOTSTRAP} --timeout 4s"));
    scene.wait_for("AssumeRole");
    overwrite(&scene, grant_of(&[ROLE_IN_C]));
    run.ended().exits_with(0).says(&[REPAIRED]);
}

#[test]
fn does_not_read_the_grant_again_without_propagation() {
    let scene = Scene::new();
    scene.bootstrap("").exits_with(0);
    // After the plan, before the write, after the write.
    assert_eq!(scene.requests("GetUserPolicy").len(), 3);
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap").exits_with(0);
    assert_eq!(scene.requests("GetUserPolicy").len(), 1);
}

/// One run reads the grant before the other writes, and writes after the other has read it back.
#[test]
fn notices_a_late_overwrite() {
    let scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(2)));
    let mut other = None;
    let words = format!("{BOOTSTRAP} --external-id abc");
    let late = meanwhile(&scene, &words, ("PutUserPolicy", 1), || {
        other = Some(scene.start(&format!("{BOOTSTRAP_C} --external-id abc")));
        scene.wait_for("AssumeRole");
    });
    late.exits_with(0);
    other.expect("the other run").ended().exits_with(0).says(&[REPAIRED]);
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]));
    scene.sandbox.set_propagation(Duration::ZERO);
    scene.xacct("verify").exits_with(0);
}

#[test]
fn stops_repairing_after_six_attempts() {
    let scene = Scene::new();
    let mut run = scene.start(BOOTSTRAP);
    let mut number = 0;
    while !run.is_over() {
        if !scene.requests("PutUserPolicy").is_empty() {
            number += 1;
            overwrite(&scene, grant_of(&[&format!("{ROLE_IN_C}{number}")]));
        }
        sleep(Duration::from_millis(2));
    }
    run.ended().exits_with(1).says(&["6 times, but another program overwrote it", "run the command again"]);
    assert_eq!(scene.requests("PutUserPolicy").len(), 6);
}

#[test]
fn teardown_removes_its_role_from_the_current_grant() {
    let scene = Scene::linked("--no-verify");
    let grant = grant_of(&[ROLE, ROLE_IN_C]);
    with_another_writer(&scene, "teardown --all --yes", ("GetUserPolicy", 2), grant).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE_IN_C]), "the grant is not deleted, although the plan said so");
    assert_eq!(scene.requests("DeleteUserPolicy").len(), 0);
}

#[test]
fn teardown_repairs_an_overwritten_grant() {
    let scene = Scene::linked("--no-verify");
    let grant = grant_of(&[ROLE, ROLE_IN_C]);
    let output =
        with_another_writer(&scene, "teardown --all --yes --output json", ("GetUserPolicy", 3), grant).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE_IN_C]), "{output}");
    let document = output.json();
    crate::support::schema::assert_follows_the_schema(&document);
    assert_eq!(document["source"]["repairs"], 1, "{document:#}");
}

/// Tags: keys and values.
type Tags<'a> = &'a [(&'a str, &'a str)];

/// Runs bootstrap, and creates a role of that name between its read and its write.
fn role_appears(description: &str, tags: Tags<'_>) -> (Scene, Output) {
    let scene = Scene::new();
    let condition = json!({"StringEquals": {"sts:ExternalId": "abc"}});
    let output = meanwhile(&scene, &format!("{BOOTSTRAP} --external-id abc"), ("CreateRole", 1), || {
        scene.sandbox.world(|world| {
            let role = world.add_role(ACCOUNT_B, "xacct", crate::scene::trust(&condition));
            role.description = Some(description.to_owned());
            role.tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        });
    });
    (scene, output)
}

const OURS: [(&str, &str); 3] =
    [("managed-by", "xacct"), ("xacct:source-account", ACCOUNT_A), ("xacct:link", "f23d59ebb76a2322")];

/// Returns the description of a role created by bootstrap.
fn usual_description() -> String {
    let scene = Scene::linked("--no-verify");
    let role = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned()).expect("the role");
    role.description.expect("a description")
}

#[test]
fn accepts_a_role_created_during_the_run_if_it_is_identical() {
    let (scene, output) = role_appears(&usual_description(), &OURS);
    output.exits_with(0);
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn keeps_any_other_role_created_during_the_run() {
    let usual = usual_description();
    let more = [OURS[0], OURS[1], OURS[2], ("team", "x")];
    let cases: [(&str, Tags<'_>, &str); 4] = [
        (&usual, &[], "another principal created"),
        ("theirs", &OURS, "another run of xacct created"),
        (&usual, &OURS[..1], "it differs in tags"),
        (&usual, &more, "it differs in tags"),
    ];
    for (description, tags, said) in cases {
        let (scene, output) = role_appears(description, tags);
        output.exits_with(1).says(&["could not create role xacct", said, "the role was not changed"]);
        let role = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned()).expect("the role");
        assert_eq!((role.tags.len(), role.policies.inline.len()), (tags.len(), 0));
        assert!(!scene.environment.has("xacct.toml"), "a role that was not created is not recorded");
    }
}

/// The answer is lost, and reads do not show the role yet.
#[test]
fn finds_a_role_after_a_lost_answer_despite_lagging_reads() {
    let lost = Fault::new("CreateRole", FaultKind::Reset).on_call(1).after_processing();
    let scene = Scene::of(Sandbox::builder().fault(lost).propagation(Duration::from_secs(3)).stale_reads(true));
    scene.bootstrap("--external-id abc").exits_with(0);
    assert!(scene.requests("CreateRole").len() > 1, "the answer was lost");
}

#[test]
fn keeps_other_targets_of_the_file() {
    let scene = Scene::new();
    let output = meanwhile(&scene, BOOTSTRAP, ("CreateRole", 1), || {
        scene.xacct(&format!("{BOOTSTRAP_C} --no-verify")).exits_with(0);
    });
    output.exits_with(0);
    let recorded = scene.environment.read("xacct.toml");
    assert!(recorded.contains(ACCOUNT_B) && recorded.contains(ACCOUNT_C), "{recorded}");
}
