//! Targets have names, and account IDs the form of the AWS console, too.

use crate::scene::{ACCOUNT_B, BOOTSTRAP, ROLE, Scene};
use crate::snapshots::assert_output;

const OPERATORS: &str = "--yes --user alice --user-profile alice --profile security-admin --target-profile dev-admin";

#[test]
fn a_new_target_gets_its_name_and_is_found_by_it() {
    let scene = Scene::new();
    let words = format!("bootstrap 2222-2222-2222 --name dev {OPERATORS}");
    let document = scene.xacct_json(&words, 0);
    assert_eq!(document["targets"]["dev"]["account"], ACCOUNT_B);
    assert!(scene.environment.read("xacct.toml").contains("[targets.dev]\naccount = \"222222222222\"\n"));
    assert_eq!(scene.granted(), [ROLE]);
    // Every form of the command finds the same target.
    for words in
        [words.as_str(), "bootstrap dev", "bootstrap 222222222222", "bootstrap --target-account 2222-2222-2222"]
    {
        let document = scene.xacct_json(words, 0);
        assert_eq!(document["pending_changes"], 0, "{words}: {document}");
        assert_eq!(document["targets"].as_object().unwrap().keys().collect::<Vec<_>>(), ["dev"], "{words}");
    }
    for words in ["verify dev", "verify 222222222222", "verify 2222-2222-2222", "exec 2222-2222-2222 -- /bin/true"] {
        scene.xacct(words).exits_with(0);
    }
    scene.xacct("teardown 2222-2222-2222 --yes --even-if-used").exits_with(0).says(&["Removed target dev"]);
}

#[test]
fn a_name_wins_over_an_account_id() {
    let scene = Scene::linked("");
    scene.bootstrap("--role-name second --name second").exits_with(0);
    // The first target has the ID as its name.
    for words in ["222222222222", "2222-2222-2222"] {
        let document = scene.xacct_json(&format!("verify {words}"), 0);
        assert_eq!(document["targets"].as_object().unwrap().keys().collect::<Vec<_>>(), [ACCOUNT_B]);
    }
    scene.xacct("exec 222222222222 -- /bin/true").exits_with(0);
    scene.xacct("exec second -- /bin/true").exits_with(0);
    scene.environment.edit("xacct.toml", "[targets.222222222222]", "[targets.first]");
    let output = scene.xacct("exec 222222222222 -- /bin/true").exits_with(2);
    assert!(output.stderr.contains("first, second") && output.stderr.contains("by its name"), "{output}");
    assert_eq!(scene.xacct_json("verify 222222222222", 0)["targets"].as_object().unwrap().len(), 2);
}

#[test]
fn wrong_names_are_explained() {
    let scene = Scene::new();
    for (name, words) in [
        ("name-no-file", "bootstrap dev"),
        ("name-malformed", "bootstrap 222222222222 --name=-x"),
        ("name-short-id", "bootstrap 22222222"),
    ] {
        assert_output(name, words, &scene.xacct(words).exits_with(2));
    }
    scene.link("--name dev");
    for (name, words) in [
        ("name-unknown", "bootstrap dve"),
        ("name-taken", "bootstrap 333333333333 --name dev"),
        ("name-recorded", "bootstrap 222222222222 --name ops"),
        ("name-other-role", "bootstrap dev --role-name second"),
        ("name-of-several", "bootstrap 333333333333 444444444444 --name ops"),
        ("name-of-account", "bootstrap 333333333333 --name 4444-4444-4444"),
    ] {
        assert_output(name, words, &scene.xacct(words).exits_with(2));
    }
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn targets_on_the_command_line_override_the_variable() {
    let mut scene = Scene::linked("--name dev");
    scene.environment.set("XACCT_TARGET_ACCOUNT", "333333333333");
    let document = scene.xacct_json("bootstrap dev", 0);
    assert_eq!(document["targets"].as_object().unwrap().keys().collect::<Vec<_>>(), ["dev"]);
}

#[test]
fn account_ids_in_the_file_may_have_the_form_of_the_console() {
    let scene = Scene::linked("");
    scene.environment.edit("xacct.toml", "account = \"222222222222\"", "account = \"2222-2222-2222\"");
    scene.environment.edit("xacct.toml", "account = \"111111111111\"", "account = \"1111-1111-1111\"");
    scene.xacct(&format!("{BOOTSTRAP} --allow-weaker --max-session-duration 2h")).exits_with(0);
    let text = scene.environment.read("xacct.toml");
    assert!(text.contains("\"2222-2222-2222\"") && text.contains("\"1111-1111-1111\""), "{text}");
    scene.xacct("bootstrap --check --source-account 1111-1111-1111").exits_with(0);
    scene.xacct("verify 222222222222").exits_with(0);
    for wrong in ["22-2222-222222", "2222-2222-22222", "2222--22222222"] {
        scene.xacct(&format!("bootstrap --target-account {wrong}")).exits_with(2);
    }
}

#[test]
fn nothing_is_removed_without_a_target_unless_all_is_said() {
    let scene = Scene::linked("--name dev");
    for (name, words) in
        [("all-teardown", "teardown --yes"), ("all-sweep", "sweep"), ("all-profile", "print profile --remove")]
    {
        assert_output(name, words, &scene.xacct(words).exits_with(2));
    }
    scene.xacct("teardown --check").exits_with(2);
    scene.xacct("teardown dev --all").exits_with(2);
    assert!(scene.sandbox.requests().is_empty());
    scene.xacct("teardown --all --check --even-if-used").exits_with(4);
}

/// Otherwise they would be about another file.
#[test]
fn printed_commands_name_the_file() {
    let scene = Scene::new();
    let output = scene.xacct(&format!("--config links.toml {BOOTSTRAP}")).exits_with(0);
    output.says(&["xacct --config links.toml print-provider-hcl", "xacct --config links.toml exec 222222222222"]);
    let output = scene.xacct("--config links.toml revoke 222222222222 --yes").exits_with(0);
    output.says(&["Next: xacct --config links.toml verify 222222222222"]);
    let output = scene.xacct("--config links.toml teardown").exits_with(2);
    output.says(&["xacct --config links.toml teardown 222222222222"]);
}
