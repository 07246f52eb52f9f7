//! Two runs at once: both end right, or one says why not. The grant is one document for all links of a user, so runs for
//! different targets meet there, too.

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

const REPAIRED: &str = "Another run overwrote the grant meanwhile";

/// How often each race is run in a round.
const TIMES: usize = 20;

/// What came of the rounds of a race.
#[derive(Debug, Default)]
struct Count {
    rounds: u32,
    both_right: u32,
    one_said_why_not: u32,
    repaired: u32,
}

/// Accounts in which others have things, too.
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

/// The roles that the grant names; none if there is no grant.
fn granted(scene: &Scene) -> BTreeSet<String> {
    let is_there = scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").is_some());
    if is_there { scene.granted().into_iter().collect() } else { BTreeSet::new() }
}

fn set(roles: &[&str]) -> BTreeSet<String> {
    roles.iter().map(ToString::to_string).collect()
}

/// A grant as xacct writes it.
fn grant_of(roles: &[&str]) -> Value {
    document(json!([
        {"Sid": "XacctAssumeRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles},
    ]))
}

/// What another run does, all at once.
fn overwrite(scene: &Scene, grant: Value) {
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "xacct", grant));
}

/// Every link on record works, the grant has these and no others, and nothing else was touched.
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
    assert_eq!(scene.buckets(), 1, "that of others\n{context}");
}

/// Starts both at once, many times, each time with other delays, and holds what came of it against what must be.
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
                let why = ["meanwhile", "changed since it was shown"].iter().any(|why| one.stderr.contains(why))
                    || one.stderr.contains("while xacct was running");
                assert!(one.code == 1 && why && one.stderr.contains("run the same command again"), "{context}");
                count.one_said_why_not += 1;
            }
            _ => panic!("neither came through: {context}"),
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
    assert_eq!(count.both_right, count.rounds, "both want the same");
}

#[test]
fn two_new_external_ids_for_one_role() {
    let words = format!("{BOOTSTRAP} --generate-external-id");
    race("two new external IDs for one role", among_others, [&words, &words]);
}

#[test]
fn two_links_that_share_a_grant() {
    let words = [BOOTSTRAP, BOOTSTRAP_C].map(|words| format!("{words} --external-id abc"));
    let count = race("two links that share a grant", among_others, [&words[0], &words[1]]);
    assert_eq!(count.both_right, count.rounds, "neither keeps the other from its link");
}

fn linked_to_b() -> Scene {
    let scene = among_others();
    scene.link("--no-verify");
    scene
}

#[test]
fn one_link_is_made_while_the_other_is_removed() {
    let words = [BOOTSTRAP_C, "teardown --yes 222222222222"];
    let count = race("one link made, one removed", linked_to_b, words);
    assert_eq!(count.both_right, count.rounds);
}

#[test]
fn two_links_are_removed() {
    let linked = || {
        let scene = linked_to_b();
        scene.xacct(&format!("{BOOTSTRAP_C} --no-verify")).exits_with(0);
        scene
    };
    let count = race("two links removed", linked, ["teardown --yes 222222222222", "teardown --yes 333333333333"]);
    assert_eq!(count.both_right, count.rounds);
}

/// Runs xacct, and does something else while this call of an operation is held up.
fn meanwhile(scene: &Scene, words: &str, (operation, call): (&str, u64), what: impl FnOnce()) -> Output {
    let held = scene.sandbox.hold(operation, call, Stage::Arrived);
    let run = scene.start(words);
    assert!(held.reached(Duration::from_secs(30)), "no {call} × {operation} came");
    what();
    held.release();
    run.ended()
}

/// Runs xacct, and lets another run write the grant while this call is held up.
fn with_another_writer(scene: &Scene, words: &str, call: (&str, u64), grant: Value) -> Output {
    scene.sandbox.clear_requests();
    meanwhile(scene, words, call, || overwrite(scene, grant))
}

#[test]
fn what_was_added_since_the_grant_was_shown_is_kept() {
    let scene = Scene::new();
    let output = with_another_writer(&scene, BOOTSTRAP, ("GetUserPolicy", 2), grant_of(&[ROLE_IN_C]));
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]), "{output}");
    assert!(!output.exits_with(0).stderr.contains(REPAIRED), "nothing was lost");
    assert_eq!(scene.requests("PutUserPolicy").len(), 1);
}

#[test]
fn what_was_wanted_and_is_there_already_is_not_written_again() {
    let scene = Scene::new();
    with_another_writer(&scene, BOOTSTRAP, ("GetUserPolicy", 2), grant_of(&[ROLE])).exits_with(0);
    assert_eq!(scene.requests("PutUserPolicy").len(), 0);
}

#[test]
fn what_was_not_shown_is_not_replaced() {
    let scene = Scene::new();
    let mut theirs = grant_of(&[ROLE_IN_C]);
    theirs["Statement"].as_array_mut().expect("statements").push(json!({
        "Sid": "Theirs", "Effect": "Allow", "Action": "ses:*", "Resource": "*",
    }));
    let output = with_another_writer(&scene, BOOTSTRAP, ("GetUserPolicy", 2), theirs.clone());
    output.exits_with(1).says(&["was changed meanwhile, and not by xacct", "run the same command again"]);
    assert_eq!(scene.requests("PutUserPolicy").len(), 0);
    let found = scene.sandbox.world(|world| world.user_policy(ACCOUNT_A, "alice", "xacct").cloned());
    assert_eq!(found, Some(theirs));
}

#[test]
fn a_grant_that_is_overwritten_before_it_is_read_back_is_repaired() {
    let scene = Scene::new();
    let words = format!("{BOOTSTRAP} --output json");
    let output = with_another_writer(&scene, &words, ("GetUserPolicy", 3), grant_of(&[ROLE_IN_C])).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]), "{output}");
    let document = output.json();
    crate::support::schema::assert_follows_the_schema(&document);
    assert_eq!(document["source"]["repairs"], 1, "{document:#}");
    assert!(output.stderr.contains(REPAIRED), "{output}");
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn a_grant_that_is_overwritten_while_it_is_waited_for_is_repaired() {
    let scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(2)));
    let run = scene.start(BOOTSTRAP);
    scene.wait_for("AssumeRole");
    overwrite(&scene, grant_of(&[ROLE_IN_C]));
    run.ended().exits_with(0).says(&[REPAIRED]);
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]));
}

/// The link may work for as long as AWS honours what was written first.
#[test]
fn a_grant_that_was_overwritten_and_cannot_be_repaired_is_an_error() {
    let denied = FaultKind::Error { status: 403, code: "AccessDenied".to_owned(), message: "no".to_owned() };
    let builder = Sandbox::builder().propagation(Duration::from_secs(2));
    let scene = Scene::of(builder.fault(Fault::new("PutUserPolicy", denied).on_call(2)));
    let run = scene.start(&format!("{BOOTSTRAP} --timeout 4s"));
    scene.wait_for("AssumeRole");
    overwrite(&scene, grant_of(&[ROLE_IN_C]));
    run.ended().exits_with(1).says(&["iam:PutUserPolicy was refused", "run the same command again"]);
    scene.xacct(BOOTSTRAP).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE, ROLE_IN_C]));
}

/// The link comes to work as long after the repair as it would have after the first write.
#[test]
fn what_was_repaired_is_waited_for_as_long() {
    let scene = Scene::of(Sandbox::builder().propagation(Duration::from_secs(3)));
    let run = scene.start(&format!("{BOOTSTRAP} --timeout 4s"));
    scene.wait_for("AssumeRole");
    overwrite(&scene, grant_of(&[ROLE_IN_C]));
    run.ended().exits_with(0).says(&[REPAIRED]);
}

#[test]
fn the_grant_is_not_looked_at_again_where_nothing_has_to_be_waited_for() {
    let scene = Scene::new();
    scene.bootstrap("").exits_with(0);
    // When the plan was made, before the write, after the write.
    assert_eq!(scene.requests("GetUserPolicy").len(), 3);
    scene.sandbox.clear_requests();
    scene.xacct("bootstrap").exits_with(0);
    assert_eq!(scene.requests("GetUserPolicy").len(), 1);
}

/// One run read the grant before the other wrote, and writes after the other has read back.
#[test]
fn a_late_writer_is_noticed_by_whom_it_overwrote() {
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
fn nobody_is_fought_forever() {
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
    run.ended().exits_with(1).says(&["was written 6 times", "run the same command again"]);
    assert_eq!(scene.requests("PutUserPolicy").len(), 6);
}

#[test]
fn teardown_takes_its_role_out_of_the_grant_as_it_is_then() {
    let scene = Scene::linked("--no-verify");
    let grant = grant_of(&[ROLE, ROLE_IN_C]);
    with_another_writer(&scene, "teardown --yes", ("GetUserPolicy", 2), grant).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE_IN_C]), "what was to be deleted when it was shown is not any more");
    assert_eq!(scene.requests("DeleteUserPolicy").len(), 0);
}

#[test]
fn teardown_repairs_a_grant_that_was_overwritten() {
    let scene = Scene::linked("--no-verify");
    let grant = grant_of(&[ROLE, ROLE_IN_C]);
    let output = with_another_writer(&scene, "teardown --yes --output json", ("GetUserPolicy", 3), grant).exits_with(0);
    assert_eq!(granted(&scene), set(&[ROLE_IN_C]), "{output}");
    let document = output.json();
    crate::support::schema::assert_follows_the_schema(&document);
    assert_eq!(document["source"]["repairs"], 1, "{document:#}");
}

/// Keys and values.
type Tags<'a> = &'a [(&'a str, &'a str)];

/// Runs bootstrap, and lets a role of that name appear between its look and its write.
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

/// The description of a role that bootstrap makes.
fn usual_description() -> String {
    let scene = Scene::linked("--no-verify");
    let role = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned()).expect("the role");
    role.description.expect("a description")
}

#[test]
fn a_role_that_appears_meanwhile_is_ours_if_it_is_exactly_what_was_to_be_made() {
    let (scene, output) = role_appears(&usual_description(), &OURS);
    output.exits_with(0);
    scene.xacct("bootstrap --check").exits_with(0);
}

#[test]
fn any_other_role_that_appears_meanwhile_is_left_as_it_is() {
    let usual = usual_description();
    let more = [OURS[0], OURS[1], OURS[2], ("team", "x")];
    let cases: [(&str, Tags<'_>, &str); 4] = [
        (&usual, &[], "someone else made"),
        ("theirs", &OURS, "another run of xacct made"),
        (&usual, &OURS[..1], "it differs in tags"),
        (&usual, &more, "it differs in tags"),
    ];
    for (description, tags, said) in cases {
        let (scene, output) = role_appears(description, tags);
        output.exits_with(1).says(&["could not create role xacct", said, "nothing of that role was changed"]);
        let role = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").cloned()).expect("the role");
        assert_eq!((role.tags.len(), role.policies.inline.len()), (tags.len(), 0));
        assert!(!scene.environment.has("xacct.toml"), "what was not made is not recorded");
    }
}

/// The answer was lost, and reads do not show the role yet.
#[test]
fn a_role_whose_creation_was_not_answered_is_found_though_reads_lag_behind() {
    let lost = Fault::new("CreateRole", FaultKind::Reset).on_call(1).after_processing();
    let scene = Scene::of(Sandbox::builder().fault(lost).propagation(Duration::from_secs(3)).stale_reads(true));
    scene.bootstrap("--external-id abc").exits_with(0);
    assert!(scene.requests("CreateRole").len() > 1, "the answer was lost");
}

#[test]
fn other_targets_of_the_file_stay_on_record() {
    let scene = Scene::new();
    let output = meanwhile(&scene, BOOTSTRAP, ("CreateRole", 1), || {
        scene.xacct(&format!("{BOOTSTRAP_C} --no-verify")).exits_with(0);
    });
    output.exits_with(0);
    let recorded = scene.environment.read("xacct.toml");
    assert!(recorded.contains(ACCOUNT_B) && recorded.contains(ACCOUNT_C), "{recorded}");
}
