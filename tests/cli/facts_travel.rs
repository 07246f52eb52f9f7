//! Two people with one account each: what one saves, the other completes, and together it settles the cause.

use std::time::Duration;

use serde_json::{Value, json};
use xacct_sandbox::World;
use xacct_sandbox::world::{ADMIN_A, ADMIN_B, ADMIN_C, ALICE, KeyPair};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, ROLE, Scene, side_by_side, text, trust};
use crate::snapshots;
use crate::support::policies::{allow, deny};
use crate::support::{Output, TestEnvironment, schema};

/// Somebody with one profile, in a directory of their own.
struct Person {
    environment: TestEnvironment,
}

impl Person {
    /// Returns a person whose only profile, `me`, has this key, and who has no `xacct.toml`.
    fn new(scene: &Scene, key: KeyPair) -> Self {
        let mut environment = TestEnvironment::new();
        for (name, value) in scene.environment.variables() {
            if name.starts_with("AWS_ENDPOINT") || name == "COLUMNS" {
                environment.set(name, value);
            }
        }
        environment.write("config", "[profile me]\nregion = us-east-1\n");
        let keys = format!("[me]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
        environment.write("credentials", &keys);
        for (variable, file) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
            let path = environment.path(file).display().to_string();
            environment.set(variable, &path);
        }
        Self { environment }
    }

    /// Gives the person the `xacct.toml` of the link, without the profiles of others.
    fn with_link(self, scene: &Scene) -> Self {
        let file = scene.environment.read("xacct.toml");
        let lines: Vec<_> = file.lines().filter(|line| !line.contains("profile = ")).collect();
        self.environment.write("xacct.toml", &(lines.join("\n") + "\n"));
        self
    }

    fn run(&self, words: &str) -> Output {
        self.environment.xacct(&words.split_whitespace().collect::<Vec<_>>())
    }

    #[track_caller]
    fn json(&self, words: &str, exit_code: i32) -> Value {
        let document = self.run(&format!("{words} --output json")).exits_with(exit_code).json();
        schema::assert_follows_the_schema(&document);
        let targets = document["targets"].as_object().expect("targets");
        targets.values().next().expect("a target").clone()
    }

    /// Hands a facts file over.
    fn sends(&self, file: &str, to: &Self) {
        to.environment.write(file, &self.environment.read(file));
    }
}

fn alice(scene: &Scene) -> Person {
    Person::new(scene, ALICE).with_link(scene)
}

/// Returns the causes that are certain.
fn certain(target: &Value) -> Vec<String> {
    let findings = target["diagnosis"]["findings"].as_array().cloned().unwrap_or_default();
    findings.iter().filter(|it| it["certainty"] == "certain").map(|it| text(&it["cause"])).collect()
}

fn recipients(target: &Value) -> Vec<String> {
    target["messages"].as_array().into_iter().flatten().map(|message| text(&message["to"])).collect()
}

fn facts(person: &Person) -> Value {
    serde_json::from_str(&person.environment.read("facts.json")).expect("facts")
}

#[track_caller]
fn change_facts(person: &Person, change: impl FnOnce(&mut Value)) {
    let mut facts = facts(person);
    change(&mut facts);
    person.environment.write("facts.json", &facts.to_string());
}

/// One cause, where it is, and how to introduce it.
type Cause = (&'static str, bool, fn(&mut World));

const CAUSES: [Cause; 6] = [
    ("external_id_wrong", true, |world| {
        let other = json!({"StringEquals": {"sts:ExternalId": "other"}});
        world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&other));
    }),
    ("trust_other_account", true, |world| {
        let trust = trust(&json!({"StringEquals": {"sts:ExternalId": "abc"}}));
        let trust = trust.to_string().replace(ACCOUNT_A, "333333333333");
        world.set_trust_policy(ACCOUNT_B, "xacct", &serde_json::from_str(&trust).expect("JSON"));
    }),
    ("role_absent", true, |world| drop(world.delete_role(ACCOUNT_B, "xacct"))),
    ("grant_absent", false, |world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear()),
    ("boundary_cuts", false, |world| {
        let boundary = world.add_policy(ACCOUNT_A, "limits", allow("s3:*", "*"));
        world.set_user_boundary(ACCOUNT_A, "alice", Some(&boundary));
    }),
    ("source_denies", false, |world| {
        world.add_to_group(ACCOUNT_A, "alice", "team").policies.inline.insert("no".to_owned(), deny("sts:*", "*"));
    }),
];

/// Creates a link with this cause.
fn broken(cause: &Cause) -> Scene {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(cause.2);
    scene.sandbox.clear_requests();
    scene
}

const SOURCE: &str = "operator of source account 111111111111";
const TARGET: &str = "operator of target account 222222222222";
const BOTH: [&str; 2] = [TARGET, SOURCE];

#[test]
fn the_user_first_then_the_operators() {
    side_by_side(&CAUSES, |cause| {
        let (id, is_in_target, _) = *cause;
        let scene = broken(cause);
        let (alice, target, source) = (alice(&scene), Person::new(&scene, ADMIN_B), Person::new(&scene, ADMIN_A));
        let alone = alice.json("diagnose --user-profile me --save-facts facts.json", 3);
        assert_eq!(certain(&alone), [""; 0], "{id}: {alone:#}");
        assert!(alone["diagnosis"]["possible"].as_array().is_some_and(|it| it.len() > 4), "{id}: {alone:#}");
        assert_eq!(recipients(&alone), BOTH, "{id}");
        let asked = facts(&alice);

        alice.sends("facts.json", &target);
        scene.sandbox.clear_requests();
        let joined = target.json("diagnose --facts facts.json --target-profile me --save-facts facts.json", 3);
        let of_target = if is_in_target { vec![id.to_owned()] } else { Vec::new() };
        assert_eq!(certain(&joined), of_target, "{id}: {joined:#}");
        assert!(scene.requests("AssumeRole").is_empty(), "the request is kept, not sent again");
        let kept = facts(&target);
        for part in ["asked_at", "link", "caller", "request", "answer", "source"] {
            assert_eq!(kept[part], asked[part], "{id}: {part}");
        }
        assert_eq!(joined["diagnosis"]["attempt"], alone["diagnosis"]["attempt"], "{id}");
        if is_in_target {
            assert_eq!(recipients(&joined), [""; 0], "{id}");
        } else {
            assert_eq!(recipients(&joined), [SOURCE], "{id}");
            target.sends("facts.json", &source);
            let joined = source.json("diagnose --facts facts.json --profile me --save-facts facts.json", 3);
            assert_eq!(certain(&joined), [id], "{id}: {joined:#}");
            assert_eq!(recipients(&joined), [""; 0], "{id}");
            assert_eq!(facts(&source)["target"], kept["target"], "{id}");
            source.sends("facts.json", &alice);
            assert_eq!(certain(&alice.json("diagnose --facts facts.json", 3)), [id], "{id}");
        }
    });
}

#[test]
fn the_source_operator_alone_settles_what_is_in_the_source_account() {
    side_by_side(&CAUSES[3..], |cause| {
        let scene = broken(cause);
        let (alice, source) = (alice(&scene), Person::new(&scene, ADMIN_A));
        alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
        alice.sends("facts.json", &source);
        assert_eq!(certain(&source.json("diagnose --facts facts.json --profile me", 3)), [cause.0]);
    });
}

#[test]
fn the_operators_first_then_the_user() {
    side_by_side(&CAUSES, |cause| {
        let (id, is_in_target, _) = *cause;
        let scene = broken(cause);
        let (alice, source) = (alice(&scene), Person::new(&scene, ADMIN_A));
        let target = Person::new(&scene, ADMIN_B).with_link(&scene);
        let alone = target.json("diagnose --profile me --target-profile me --save-facts facts.json", 3);
        assert!(is_in_target || !certain(&alone).contains(&id.to_owned()), "{id}: {alone:#}");
        assert_eq!(recipients(&alone), ["user alice of account 111111111111"], "{id}: {alone:#}");
        if !is_in_target {
            target.sends("facts.json", &source);
            source.json("diagnose --facts facts.json --profile me --save-facts facts.json", 3);
            source.sends("facts.json", &target);
        }
        target.sends("facts.json", &alice);
        let read = facts(&alice);
        scene.sandbox.clear_requests();
        let joined = alice.json("diagnose --facts facts.json --user-profile me --save-facts facts.json", 3);
        assert_eq!(certain(&joined), [id], "{id}: {joined:#}");
        assert_eq!(scene.requests("AssumeRole").len(), 1, "{id}");
        assert!(scene.requests("GetRole").is_empty() && scene.requests("GetUserPolicy").is_empty(), "{id}");
        assert_eq!(facts(&alice)["target"], read["target"], "{id}");
        // The user's own file may be what is wrong.
        let wanted: &[&str] = match joined["diagnosis"]["findings"][0]["side"].as_str() {
            Some("target") => &[TARGET],
            Some("source") => &[SOURCE],
            _ => &[],
        };
        assert_eq!(recipients(&joined), wanted, "{id}");
    });
}

/// Nobody has both accounts. The operator of the target account has no `xacct.toml`, the one of the source account has.
#[test]
fn the_owner_of_one_account_can_run_the_fix_of_that_half() {
    for (cause, key, option) in [(2, ADMIN_B, "target"), (1, ADMIN_B, "target"), (3, ADMIN_A, "source")] {
        let (id, is_in_target, introduce) = CAUSES[cause];
        let scene = Scene::linked("--external-id abc --restrict-to-user --max-session-duration 2h");
        scene.sandbox.world(introduce);
        let (alice, owner) = (alice(&scene), Person::new(&scene, key));
        let owner = if is_in_target { owner } else { owner.with_link(&scene) };
        alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
        alice.sends("facts.json", &owner);
        let own = if is_in_target { "--target-profile" } else { "--profile" };
        if is_in_target {
            let both = "bootstrap 222222222222 --yes --user alice --target-profile me";
            owner.run(both).exits_with(1).says(&["or create only the half in the target account: --only target"]);
        }
        let joined = owner.json(&format!("diagnose --facts facts.json {own} me"), 3);
        let fix = &joined["diagnosis"]["findings"][0]["fixes"][0];
        let whose = if is_in_target { TARGET } else { SOURCE };
        assert_eq!(fix["who"], format!("{whose}, profile me"), "{id}: {joined:#}");
        let command = text(&fix["steps"][0]["run"]);
        let words = command.strip_prefix("xacct ").unwrap_or_else(|| panic!("{id}: {command}"));
        assert!(words.contains(&format!("--only {option}")) && words.contains(own), "{id}: {words}");
        owner.run(&format!("{words} --yes")).exits_with(0);
        alice.run("verify --user-profile me").exits_with(0);
        let longest = scene.sandbox.world(|world| world.role(ACCOUNT_B, "xacct").map(|role| role.max_session_duration));
        // Nobody but the owner of the file knows how the absent role was.
        assert_eq!(longest, Some(if id == "role_absent" { 3600 } else { 7200 }), "{id}: {words}");
    }
}

/// Each side alone is as its own `xacct.toml` says.
#[test]
fn an_external_id_that_one_of_them_mistyped() {
    let scene = Scene::linked("--external-id abc");
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B).with_link(&scene));
    alice.environment.edit("xacct.toml", "external_id = \"abc\"", "external_id = \"abd\"");
    let save = "--save-facts facts.json";
    let alone = target.json(&format!("diagnose --profile me --target-profile me {save}"), 3);
    assert_eq!(certain(&alone), ["caller_is_another_user"], "{alone:#}");
    assert_eq!(certain(&alice.json("diagnose --user-profile me --save-facts mine.json", 3)), [""; 0]);
    target.sends("facts.json", &alice);
    let joined = alice.json(&format!("diagnose --facts facts.json --user-profile me {save}"), 3);
    assert_eq!(certain(&joined), ["external_id_wrong"], "{joined:#}");
    let fix = joined["diagnosis"]["findings"][0]["fixes"].to_string();
    assert!(fix.contains(r#""file":"xacct.toml""#) && fix.contains("abc"), "the fix is for alice's file: {fix}");
    alice.sends("mine.json", &target);
    let other_way = target.json("diagnose --facts mine.json --target-profile me", 3);
    assert_eq!(certain(&other_way), ["external_id_wrong"], "{other_way:#}");
}

/// The other account is not needed if AWS's answer says enough.
#[test]
fn no_message_if_the_cause_is_known() {
    let scene = Scene::linked("--external-id abc");
    let alice = alice(&scene);
    assert_eq!(recipients(&alice.json("diagnose --user-profile me", 0)), [""; 0], "the link works");
    scene.sandbox.world(|world| {
        world.set_service_control_policy(ACCOUNT_A, "no", deny("sts:*", "*"));
    });
    assert_eq!(recipients(&alice.json("diagnose --user-profile me", 3)), [""; 0], "AWS names the policy");
}

/// The user knows the cause, but the operator of the other account has to make the fix.
#[test]
fn a_message_about_a_known_cause_in_the_account_of_somebody_else() {
    let scene = broken(&CAUSES[1]);
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    alice.sends("facts.json", &target);
    target.json("diagnose --facts facts.json --target-profile me --save-facts facts.json", 3);
    target.sends("facts.json", &alice);
    let joined = alice.json("diagnose --facts facts.json --user-profile me --save-facts facts.json", 3);
    let message = &joined["messages"][0];
    assert_eq!(message["to"], TARGET, "{joined:#}");
    assert!(text(&message["report"]).ends_with("The cause is in your account: trust_other_account."), "{message:#}");
    alice.sends("facts.json", &target);
    let command = text(&message["command"]);
    let read = target.run(command.strip_prefix("xacct ").expect("xacct")).exits_with(3);
    read.says(&["[target account: trust_other_account]"]);

    // Whoever operates both accounts needs no message.
    let document = scene.xacct_json("diagnose", 3);
    assert!(document["targets"][ACCOUNT_B]["messages"].is_null(), "{document:#}");
    let notes = |document: &Value| document["targets"][ACCOUNT_B]["diagnosis"]["notes"].to_string();
    let note = "xacct diagnose writes a message for the operator of target account 222222222222";
    assert!(!notes(&scene.xacct_json("verify", 3)).contains(note));
}

/// An operator who lacks a permission needs the permission, not another operator.
#[test]
fn no_message_to_the_operator_who_runs_it() {
    let scene = broken(&CAUSES[3]);
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "admin").policies.attached.clear();
        world.user_mut(ACCOUNT_B, "admin").policies.attached.clear();
    });
    let document = scene.xacct_json("diagnose", 3);
    assert!(document["targets"][ACCOUNT_B]["messages"].is_null(), "{document:#}");
}

#[test]
fn shown_to_both() {
    let scene = broken(&CAUSES[3]);
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    let shows = |name: &str, person: &Person, words: &str| {
        snapshots::assert_output(name, words, &person.run(words));
    };
    shows("travel-user-alone", &alice, "diagnose --user-profile me");
    shows("travel-user-saves", &alice, "diagnose --user-profile me --save-facts facts.json");
    alice.sends("facts.json", &target);
    shows("travel-target-operator", &target, "diagnose --facts facts.json --target-profile me --save-facts facts.json");
    let message = alice.json("diagnose --user-profile me --save-facts facts.json", 3)["messages"][0].clone();
    let said = message.to_string();
    let answer = &facts(&alice)["answer"]["refused"];
    for word in [ROLE, "arn:aws:iam::111111111111:user/alice", &text(&answer["request_id"]), "with an external ID"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains("abc"), "the external ID is in the file only: {said}");
    assert_eq!(
        message["command"],
        "xacct diagnose --facts facts.json --target-profile PROFILE --save-facts facts.json"
    );
}

/// What the message says works when pasted.
#[test]
fn the_command_of_the_message_works() {
    let scene = broken(&CAUSES[3]);
    let (alice, source) = (alice(&scene), Person::new(&scene, ADMIN_A));
    let message = alice.json("diagnose --user-profile me", 3)["messages"][1].clone();
    let save = text(&message["save"]);
    let ran = alice.run(save.strip_prefix("xacct ").expect("xacct")).exits_with(3);
    assert!(alice.environment.has("facts.json"), "{ran}");
    alice.sends("facts.json", &source);
    let command = text(&message["command"]).replace("PROFILE", "me");
    source.run(command.strip_prefix("xacct ").expect("xacct")).exits_with(3).says(&["grant_absent"]);
}

#[test]
fn what_was_read_stays_unless_it_is_read_again() {
    let scene = broken(&CAUSES[1]);
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    alice.sends("facts.json", &target);
    let words = "diagnose --facts facts.json --target-profile me --save-facts facts.json";
    assert_eq!(certain(&target.json(words, 3)), ["trust_other_account"]);
    let before = facts(&target)["target"].clone();

    // Less can be read now.
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_B, "admin").policies.attached.clear());
    assert_eq!(certain(&target.json(words, 3)), ["trust_other_account"]);
    assert_eq!(facts(&target)["target"], before);

    // It was read again.
    scene.sandbox.world(|world| {
        world.attach_user_policy(ACCOUNT_B, "admin", "arn:aws:iam::aws:policy/AdministratorAccess");
        world.delete_role(ACCOUNT_B, "xacct");
    });
    assert_eq!(certain(&target.json(words, 3)), ["role_absent"]);
    assert_eq!(facts(&target)["target"]["role"], "absent");

    // A variable alone changes nothing, and asks nobody.
    let mut offline = Person::new(&scene, ADMIN_B);
    target.sends("facts.json", &offline);
    for name in ["XACCT_TARGET_PROFILE", "XACCT_PROFILE", "XACCT_USER_PROFILE"] {
        offline.environment.set(name, "me");
    }
    scene.sandbox.clear_requests();
    assert_eq!(certain(&offline.json("diagnose --facts facts.json", 3)), ["role_absent"]);
    assert!(scene.sandbox.requests().is_empty());
}

/// IAM tells when a managed policy was changed, and when a user was created.
#[test]
fn what_was_changed_after_the_request_is_said() {
    let scene = broken(&CAUSES[4]);
    let (alice, source) = (alice(&scene), Person::new(&scene, ADMIN_A));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    alice.sends("facts.json", &source);
    change_facts(&source, |facts| {
        facts["asked_at"] = (facts["asked_at"].as_i64().expect("a time") - 5 * 3600).into();
    });
    let words = "diagnose --facts facts.json --profile me --save-facts facts.json";
    let said = source.json(words, 3)["diagnosis"]["warnings"].to_string();
    assert!(said.contains("user alice was created 5 hours after the request"), "{said}");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").created -= Duration::from_secs(30 * 86_400));
    let said = source.json(words, 3)["diagnosis"]["warnings"].to_string();
    let policy = "policy arn:aws:iam::111111111111:policy/limits was changed 5 hours after the request";
    assert!(said.contains(policy), "{said}");
}

/// With an option, the profiles of `xacct.toml` read what the file lacks, too.
#[test]
fn xacct_toml_names_the_other_credentials() {
    let scene = broken(&CAUSES[3]);
    let alice = alice(&scene);
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    scene.environment.write("facts.json", &alice.environment.read("facts.json"));
    let words = "diagnose --facts facts.json --target-profile dev-admin";
    scene.sandbox.clear_requests();
    let document = scene.xacct_json(words, 3);
    let joined = &document["targets"][ACCOUNT_B];
    assert_eq!(certain(joined), ["grant_absent"], "{joined:#}");
    assert!(scene.requests("AssumeRole").is_empty(), "the file has an answer");
    // It is no error if they do not work.
    scene.environment.edit("xacct.toml", "\"security-admin\"", "\"no-such\"");
    let document = scene.xacct_json(words, 3);
    let joined = &document["targets"][ACCOUNT_B];
    assert_eq!((certain(joined), recipients(joined)), (Vec::new(), vec![SOURCE.to_owned()]), "{joined:#}");
    assert!(joined["diagnosis"]["unread"].to_string().contains("no-such"), "{joined:#}");

    // The request is sent if the file has none.
    scene.environment.edit("xacct.toml", "\"no-such\"", "\"security-admin\"");
    let target = Person::new(&scene, ADMIN_B).with_link(&scene);
    target.run("diagnose --profile me --target-profile me --save-facts facts.json").exits_with(3);
    scene.environment.write("facts.json", &target.environment.read("facts.json"));
    let document = scene.xacct_json("diagnose --facts facts.json --profile security-admin", 3);
    let joined = &document["targets"][ACCOUNT_B];
    assert_eq!(certain(joined), ["grant_absent"], "{joined:#}");
    assert_eq!(joined["diagnosis"]["attempt"]["credentials"], "profile alice", "{joined:#}");
}

/// After the fix, the user tests the link with the same file.
#[test]
fn a_fixed_link_works() {
    let scene = broken(&CAUSES[3]);
    let alice = alice(&scene);
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    scene.sandbox.world(|world| world.grant_assume_role(ACCOUNT_A, "alice", "xacct", ROLE));
    let joined = alice.json("diagnose --facts facts.json --user-profile me", 0);
    assert_eq!(joined["diagnosis"]["findings"], json!([]), "{joined:#}");
    alice.run("diagnose --facts facts.json --user-profile me").exits_with(0).says(&["ok  alice assumes the role"]);
}

/// Keys in the environment are used if an option says so.
#[test]
fn with_keys_in_the_environment() {
    let scene = broken(&CAUSES[0]);
    let (alice, mut target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    alice.sends("facts.json", &target);
    target.environment.set("AWS_ACCESS_KEY_ID", ADMIN_B.id);
    target.environment.set("AWS_SECRET_ACCESS_KEY", ADMIN_B.secret);
    assert_eq!(certain(&target.json("diagnose --facts facts.json", 3)), [""; 0]);
    assert_eq!(certain(&target.json("diagnose --facts facts.json --target-profile -", 3)), ["external_id_wrong"]);
}

#[test]
fn what_is_older_or_newer_than_the_request_is_said() {
    let scene = broken(&CAUSES[3]);
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    alice.sends("facts.json", &target);
    let words = "diagnose --facts facts.json --target-profile me --save-facts facts.json";
    let warnings = |person: &Person, words: &str| person.json(words, 3)["diagnosis"]["warnings"].to_string();
    assert_eq!(warnings(&target, words), "null", "both are of the same minute");

    let asked = facts(&target)["asked_at"].as_i64().expect("a time");
    change_facts(&target, |facts| facts["asked_at"] = (asked + 3 * 3600).into());
    let said = warnings(&target, "diagnose --facts facts.json");
    assert!(said.contains("the target account was read 3 hours before the request"), "{said}");
    assert!(said.contains("xacct diagnose --facts FILE --target-profile PROFILE"), "{said}");

    change_facts(&target, |facts| facts["asked_at"] = (asked - 8 * 86_400).into());
    let said = warnings(&target, "diagnose --facts facts.json");
    assert!(said.contains("these facts are 8 days old"), "{said}");

    // The role is as old as the test, so it is younger than such a request.
    change_facts(&target, |facts| facts["asked_at"] = (asked - 3 * 86_400).into());
    let said = warnings(&target, "diagnose --facts facts.json");
    assert!(said.contains("role xacct was created 3 days after the request"), "{said}");
    scene.sandbox.world(|world| {
        let role = world.role_mut(ACCOUNT_B, "xacct").expect("the role");
        role.created -= Duration::from_secs(30 * 86_400);
    });
    let said = warnings(&target, words);
    assert!(said.contains("the target account was read 3 days after the request"), "{said}");
    assert!(said.contains("xacct diagnose --facts FILE --user-profile PROFILE"), "{said}");
    target.run(words).says(&["Times of these facts: request: 20"]);
}

#[test]
fn redacted_facts_cannot_be_completed() {
    let scene = broken(&CAUSES[0]);
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    alice.run("diagnose --user-profile me --save-facts facts.json --redact").exits_with(3);
    alice.sends("facts.json", &target);
    scene.sandbox.clear_requests();
    target
        .run("diagnose --facts facts.json --target-profile me")
        .exits_with(2)
        .says(&["`facts.json` is redacted", "without --redact: xacct diagnose TARGET --save-facts FILE"]);
    assert!(scene.sandbox.requests().is_empty());
    target.run("diagnose --facts facts.json").exits_with(3);

    alice.run("diagnose --user-profile me --save-facts whole.json").exits_with(3);
    let redact = "diagnose --facts whole.json --save-facts whole.json --redact";
    alice.run(redact).exits_with(2).says(&["would remove the account IDs from `whole.json` for good"]);
    alice.run("diagnose --facts whole.json --save-facts masked.json --redact").exits_with(3);
    assert!(alice.environment.read("masked.json").contains("\"redacted\": true"));
}

#[test]
fn other_links_are_refused_before_anything_is_read() {
    let scene = broken(&CAUSES[0]);
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    let refused = |person: &Person, words: &str, code: i32, says: &[&str]| {
        scene.sandbox.clear_requests();
        person.run(&format!("diagnose --facts facts.json {words}")).exits_with(code).says(says);
        let asked: Vec<_> = scene.sandbox.requests().into_iter().map(|request| request.operation).collect();
        assert!(asked.iter().all(|operation| operation == "GetCallerIdentity"), "{words}: {asked:?}");
    };
    // Credentials of another account.
    let other = Person::new(&scene, ADMIN_C);
    for person in [&other, &target] {
        alice.sends("facts.json", person);
    }
    let belongs = "belong to arn:aws:iam::333333333333:user/admin; nothing was read";
    refused(&other, "--target-profile me", 1, &[ROLE, belongs, "credentials of account 222222222222"]);
    refused(&other, "--profile me", 1, &["user alice in account 111111111111", belongs]);
    refused(&target, "--target-profile no-such", 1, &["no-such"]);
    // Nothing says which role to assume.
    refused(&target, "--user-profile me", 2, &["there is no xacct.toml with this link"]);
    refused(&target, "--duration 4h --target-profile me", 2, &["--duration changes the request"]);

    // An xacct.toml about something else.
    let mine = scene.environment.read("xacct.toml");
    target.environment.write("xacct.toml", &mine.replace("222222222222", "444444444444"));
    refused(&target, "--target-profile me", 2, &[ROLE, "444444444444:role/xacct"]);
    target.environment.write("xacct.toml", &mine.replace("\"alice\"", "\"bob\""));
    refused(&target, "--target-profile me", 2, &["about user alice", "for user bob"]);
    target.environment.write("xacct.toml", &mine.replace("111111111111", "555555555555"));
    refused(&target, "--target-profile me", 2, &["account 111111111111", "account 555555555555"]);
    refused(&target, "--target-profile me --config no.toml", 2, &["`no.toml` does not exist"]);
    target.environment.write("xacct.toml", &mine);
    target.run("diagnose --facts facts.json --target-profile me").exits_with(3).says(&["external_id_wrong"]);
}

/// A facts file comes from somebody else. Whatever it says, xacct asks only about this link, with these credentials.
#[test]
fn a_hostile_file_leads_nowhere() {
    let scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    let alice = alice(&scene);
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    let whole = alice.environment.read("facts.json");
    let hostile: [fn(&mut Value); 4] = [
        |facts| facts["link"]["role"] = "arn:aws:iam::333333333333:role/evil".into(),
        |facts| facts["link"]["role"] = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole".into(),
        |facts| facts["link"]["user"] = "admin".into(),
        |facts| facts["link"]["source_account"] = "333333333333".into(),
    ];
    for change in hostile {
        alice.environment.write("facts.json", &whole);
        change_facts(&alice, change);
        scene.sandbox.clear_requests();
        for option in ["--user-profile me", "--profile me", "--target-profile me"] {
            alice.run(&format!("diagnose --facts facts.json {option}")).exits_with(2);
        }
        assert!(scene.sandbox.requests().is_empty());
    }

    // Texts that are not checked change neither the request nor the commands.
    alice.environment.write("facts.json", &whole);
    change_facts(&alice, |facts| {
        facts["link"]["external_id"] = "stolen".into();
        facts["link"]["name"] = "$(touch pwned)\u{1b}[2J".into();
        facts["link"]["file"] = "/tmp/evil.toml; id".into();
        facts["request"]["external_id"] = "stolen".into();
        facts["request"]["region"] = "eu-west-1".into();
        facts["caller"]["origin"] = "\u{1b}]0;pwned\u{7}\nMessage to send to eve:".into();
        facts["answer"]["refused"]["code"] = "AccessDenied\n  Please run this: rm -rf ~".into();
        facts["answer"]["refused"]["request_id"] = "x\u{1b}[31m".into();
    });
    scene.sandbox.clear_requests();
    let output = alice.run("diagnose --facts facts.json --user-profile me --save-facts out.json").exits_with(3);
    let [request] = &scene.requests("AssumeRole")[..] else { panic!("{output}") };
    assert!(format!("{request:?}").contains("us-east-1") && !format!("{request:?}").contains("stolen"), "{request:?}");
    assert!(!output.everything().contains("evil"), "the link is the caller's own\n{output}");
    for words in ["diagnose --facts facts.json", "diagnose --facts facts.json --target-profile me"] {
        let output = alice.run(words);
        assert!(!output.everything().contains(['\u{1b}', '\u{7}']), "{output}");
        assert!(output.stdout.lines().all(|line| !line.trim_start().starts_with("Please run this: rm")), "{output}");
        assert!(!output.stdout.contains("\nMessage to send to eve"), "{output}");
        assert!(!output.everything().contains("evil.toml"), "fixes are for the file of whoever reads them\n{output}");
    }
    // Nor does a message have sentences of theirs.
    change_facts(&alice, |facts| {
        facts["answer"]["refused"]["code"] = "AccessDenied".into();
        facts["answer"]["refused"]["request_id"] = "1. Please run this: rm -rf ~".into();
    });
    let document = alice.run("diagnose --facts facts.json --output json").json();
    let target = document["targets"].as_object().expect("targets").values().next().expect("a target");
    let messages = target["messages"].as_array().expect("messages");
    assert!(!messages.is_empty(), "{target:#}");
    assert!(messages.iter().all(|message| !message.to_string().contains("rm -rf")), "{messages:#?}");
}

/// A role that xacct did not create holds what its owner may not want to send.
#[test]
fn warns_before_the_policies_of_other_roles_are_sent() {
    let scene = broken(&CAUSES[0]);
    let (alice, target) = (alice(&scene), Person::new(&scene, ADMIN_B));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    alice.sends("facts.json", &target);
    let words = "diagnose --facts facts.json --target-profile me --save-facts out.json";
    let warning = "check that you want to send them";
    let output = target.run(words).exits_with(3);
    assert!(!output.stderr.contains(warning), "the role is xacct's: {output}");
    scene.sandbox.world(|world| drop(world.role_mut(ACCOUNT_B, "xacct").unwrap().tags.remove("managed-by")));
    let output = target.run(words).exits_with(3);
    assert!(output.stderr.contains(warning), "{output}");
}

/// Without an `xacct.toml`, the operator sees what is read before it is.
#[test]
fn says_what_it_reads_and_as_whom() {
    let scene = broken(&CAUSES[0]);
    let (alice, target, source) = (alice(&scene), Person::new(&scene, ADMIN_B), Person::new(&scene, ADMIN_A));
    let asked = alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    assert!(asked.stderr.contains("Wrote facts.json"), "{asked}");
    alice.sends("facts.json", &target);
    alice.sends("facts.json", &source);
    let says = ["Reading role xacct of account 222222222222 as arn:aws:iam::222222222222:user/admin (profile me)"];
    target.run("diagnose --facts facts.json --target-profile me").exits_with(3).says(&says);
    let says = ["Reading user alice of account 111111111111 as arn:aws:iam::111111111111:user/admin (profile me)"];
    source.run("diagnose --facts facts.json --profile me").exits_with(3).says(&says);
    let says = ["Testing alice → arn:aws:iam::222222222222:role/xacct (profile me)"];
    alice.run("diagnose --facts facts.json --user-profile me").exits_with(3).says(&says);
}

/// A difference that AWS ignores when it looks for a role is a cause, not another link.
#[test]
fn a_role_of_another_path_is_found() {
    let scene = Scene::linked("--external-id abc --role-path /team/");
    let mine = scene.environment.read("xacct.toml");
    let target = Person::new(&scene, ADMIN_B).with_link(&scene);
    let alice = alice(&scene);
    let without: Vec<_> =
        mine.lines().filter(|line| !line.contains("role_path") && !line.contains("profile = ")).collect();
    alice.environment.write("xacct.toml", &(without.join("\n") + "\n"));
    alice.run("diagnose --user-profile me --save-facts facts.json").exits_with(3);
    alice.sends("facts.json", &target);
    let joined = target.json("diagnose --facts facts.json --target-profile me", 3);
    assert_eq!(certain(&joined).first().map(String::as_str), Some("role_other_path"), "{joined:#}");
}
