//! One `xacct.toml` for several people: each has own profiles, and external IDs can stay out of the file.

use serde_json::{Value, json};

use crate::scene::Scene;
use crate::snapshots::assert_output;

const LOCAL: &str = "xacct.local.toml";
const ELSEWHERE: &str = "external_id = \"$XACCT_EXTERNAL_ID\"";

/// The file of a team, without profiles; each person has own ones for the same accounts.
fn team() -> Scene {
    let scene = Scene::linked("--name dev --external-id the-secret-id");
    for line in ["profile = \"security-admin\"\n", "user_profile = \"alice\"\n", "profile = \"dev-admin\"\n"] {
        scene.environment.edit("xacct.toml", line, "");
    }
    scene
}

/// The file of a team that keeps the external ID out of it, and nobody's local file.
fn public() -> Scene {
    let scene = Scene::linked("--name dev --external-id the-secret-id");
    scene.environment.edit("xacct.toml", "external_id = \"the-secret-id\"", ELSEWHERE);
    scene
}

fn required(scene: &Scene) -> Value {
    scene.trust_policy()["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"].clone()
}

#[test]
fn neither_options_nor_variables_replace_the_profiles_of_the_file() {
    let mut scene = Scene::linked("--name dev");
    for name in ["mine", "my-dev", "me"] {
        let source = [("mine", "security-admin"), ("my-dev", "dev-admin"), ("me", "alice")];
        let (_, keys) = source.iter().find(|(own, _)| *own == name).unwrap();
        let credentials = scene.environment.read("aws/credentials");
        let keys = credentials.split(&format!("[{keys}]\n")).nth(1).unwrap().split("\n\n").next().unwrap();
        scene.environment.append("aws/credentials", &format!("[{name}]\n{keys}\n"));
        scene.environment.append("aws/config", &format!("[profile {name}]\nregion = us-east-1\n"));
    }
    let before = scene.environment.read("xacct.toml");
    let options = "--profile mine --target-profile my-dev --user-profile me";
    // Even if the run changes other settings of the target.
    let output = scene.xacct(&format!("bootstrap dev --yes --tag team=x {options}")).exits_with(0);
    assert_output("bootstrap-other-profiles", &format!("bootstrap dev --yes --tag team=x {options}"), &output);
    let after = scene.environment.read("xacct.toml");
    assert_eq!(after, format!("{}\ntags = {{ team = \"x\" }}\n", before.trim_end()));
    assert!(!scene.environment.has(LOCAL));
    for (name, value) in [("XACCT_PROFILE", "mine"), ("XACCT_TARGET_PROFILE", "my-dev"), ("XACCT_USER_PROFILE", "me")] {
        scene.environment.set(name, value);
    }
    scene.xacct("bootstrap --yes --tag team=y").exits_with(0);
    let text = scene.environment.read("xacct.toml");
    assert_eq!(text, after.replace("\"x\"", "\"y\""));
    // The same profiles are no news.
    for name in ["XACCT_PROFILE", "XACCT_TARGET_PROFILE", "XACCT_USER_PROFILE"] {
        scene.environment.unset(name);
    }
    let output = scene.xacct("bootstrap --yes").exits_with(0);
    assert!(!output.everything().contains("xacct.local.toml"), "{output}");
}

#[test]
fn the_local_file_has_the_profiles_of_one_person_for_every_command() {
    let scene = team();
    let team = scene.environment.read("xacct.toml");
    scene.environment.write(
        LOCAL,
        "[source]\nprofile = \"security-admin\"\nuser_profile = \"alice\"\n\n[targets.dev]\nprofile = \"dev-admin\"\n",
    );
    scene.xacct("bootstrap --check").exits_with(0).says(&["profile security-admin", "profile dev-admin"]);
    scene.xacct("verify").exits_with(0);
    scene.xacct("list --live").exits_with(0);
    scene.xacct("print profile").exits_with(0).says(&["source_profile = alice"]);
    scene.xacct("exec dev -- true").exits_with(0);
    // It wins over the file of the team.
    scene.environment.edit(
        "xacct.toml",
        "account = \"111111111111\"\n",
        "account = \"111111111111\"\nprofile = \"bob\"\n",
    );
    scene.xacct("bootstrap --check").exits_with(0).says(&["profile security-admin"]);
    scene.environment.write("xacct.toml", &team);
    scene.xacct("bootstrap --yes --tag team=x").exits_with(0);
    assert_eq!(scene.environment.read("xacct.toml").replace("tags = { team = \"x\" }\n", ""), team);
    scene.xacct("teardown dev --yes").exits_with(0);
}

#[test]
fn profiles_of_new_targets_go_to_the_local_file_if_there_is_one() {
    let scene = Scene::new();
    scene.environment.write(LOCAL, "");
    scene.bootstrap("--name dev").exits_with(0).says(&["Wrote xacct.local.toml; list it in .gitignore"]);
    let team = scene.environment.read("xacct.toml");
    assert!(!team.contains("profile"), "{team}");
    assert_eq!(
        scene.environment.read(LOCAL).trim_start(),
        "[source]\nprofile = \"security-admin\"\nuser_profile = \"alice\"\n\n[targets.dev]\nprofile = \"dev-admin\"\n"
    );
    scene.xacct("verify").exits_with(0);
    assert_eq!(scene.xacct_json("bootstrap --yes", 0)["config"]["written"], false);
}

#[test]
fn the_local_file_is_beside_the_file_of_any_name() {
    let scene = Scene::linked("--name dev --config bob.toml");
    scene.environment.edit("bob.toml", "user_profile = \"alice\"\n", "");
    scene.environment.write("bob.local.toml", "[source]\nuser_profile = \"alice\"\n");
    scene.xacct("verify --config bob.toml").exits_with(0);
}

#[test]
fn the_local_file_may_contain_nothing_else() {
    let scene = team();
    let cases = [
        (
            "[targets.dev]\nrequire_mfa = false\n",
            "xacct.local.toml:2: `require_mfa` is a setting of the link",
            "xacct.toml",
        ),
        (
            "[source]\naccount = \"111111111111\"\n",
            "xacct.local.toml:2: `account` is a setting",
            "[source] in xacct.toml",
        ),
        (
            "[targets.dev]\nprofiles = \"x\"\n",
            "xacct.local.toml:2: unknown setting `profiles`",
            "did you mean `profile`?",
        ),
        ("[targets.dev]\nprofile = 7\n", "xacct.local.toml:2: `profile` must be a string", "for example"),
        ("[[[\n", "xacct.local.toml:1: ", "the file must be TOML"),
        ("<<<<<<< HEAD\n", "xacct.local.toml:1: this line is a conflict marker", "keep what is right"),
    ];
    for (text, message, hint) in cases {
        scene.environment.write(LOCAL, text);
        for words in ["verify", "bootstrap --yes", "list", "exec dev -- true"] {
            scene.xacct(words).exits_with(2).says(&[message, hint]);
        }
    }
    assert_eq!(scene.sandbox.requests(), []);
}

#[test]
fn the_aws_config_finds_the_profiles_that_no_file_names() {
    let scene = team();
    scene.configure("security-admin", "aws_account_id = 111111111111");
    let document = scene.xacct_json("bootstrap --check", 0);
    assert_eq!(document["source"]["operator"]["credentials"], "profile security-admin");
    assert_eq!(document["targets"]["dev"]["operator"]["credentials"], "profile dev-admin");
    // Two that have the account: the usual credential chain, which finds none here.
    scene.configure("bob", "aws_account_id = 111111111111");
    scene.xacct("bootstrap --check").exits_with(1).says(&["no AWS credentials found"]);
}

#[test]
fn a_missing_external_id_is_an_error_before_any_request_and_never_weakens_the_role() {
    let scene = public();
    let commands = [
        "verify",
        "bootstrap",
        "bootstrap --yes --allow-weaker",
        "exec dev -- true",
        "credentials",
        "diagnose",
        "list --live",
        "rotate external-id dev --yes",
        "print profile",
        "print-provider-hcl",
        "print role-hcl",
        "print cloudformation",
    ];
    for words in commands {
        let output = scene.xacct(words).exits_with(2).says(&["the external ID of target `dev` is not on this machine"]);
        output.says(&["[targets.dev] in `xacct.local.toml`", "XACCT_EXTERNAL_ID", "--generate-external-id"]);
    }
    assert_output("verify-missing-external-id", "verify", &scene.xacct("verify"));
    assert_eq!(scene.sandbox.requests(), []);
    assert_eq!(required(&scene), "the-secret-id");
    // What needs no external ID works.
    scene.xacct("list").exits_with(0).says(&["not on this machine"]);
    scene.xacct("who dev").exits_with(0);
    scene.xacct("revoke dev --dry-run").exits_with(0);
    scene.xacct("forget dev --dry-run").exits_with(0);
    scene.xacct("teardown dev --yes").exits_with(0);
}

#[test]
fn the_external_id_stays_out_of_the_file_in_every_command() {
    for is_in_variable in [true, false] {
        let mut scene = public();
        match is_in_variable {
            true => scene.environment.set("XACCT_EXTERNAL_ID", "the-secret-id"),
            false => scene.environment.write(LOCAL, "[targets.dev]\nexternal_id = \"the-secret-id\"\n"),
        }
        scene.xacct("verify").exits_with(0);
        scene.xacct("bootstrap --check").exits_with(0);
        scene.xacct("bootstrap --yes --tag team=x").exits_with(0);
        scene.xacct("exec dev -- true").exits_with(0);
        scene.xacct("list --live").exits_with(0);
        scene.xacct("diagnose").exits_with(0);
        for words in ["print profile", "print-provider-hcl", "print role-hcl"] {
            scene.xacct(words).exits_with(0).says(&["the-secret-id"]);
        }
        let text = scene.environment.read("xacct.toml");
        assert!(text.contains(ELSEWHERE) && text.contains("team") && !text.contains("the-secret-id"), "{text}");
        assert_eq!(scene.environment.has(LOCAL), !is_in_variable);
        assert_eq!(required(&scene), "the-secret-id");
    }
}

#[test]
fn a_new_link_keeps_the_id_of_the_variable_or_the_local_file_out_of_the_file() {
    let mut scene = Scene::new();
    scene.environment.write(LOCAL, "[targets.dev]\nexternal_id = \"the-secret-id\"\nprofile = \"dev-admin\"\n");
    scene
        .xacct("bootstrap 222222222222 --name dev --yes --user alice --user-profile alice --profile security-admin")
        .exits_with(0);
    assert_eq!(required(&scene), "the-secret-id");
    let text = scene.environment.read("xacct.toml");
    assert!(text.contains(ELSEWHERE) && !text.contains("the-secret-id"), "{text}");

    let scene_of_variable = Scene::new();
    scene = scene_of_variable;
    scene.environment.set("XACCT_EXTERNAL_ID", "the-secret-id");
    scene.bootstrap("--name dev").exits_with(0);
    assert_eq!(required(&scene), "the-secret-id");
    let text = scene.environment.read("xacct.toml");
    assert!(text.contains(ELSEWHERE) && !text.contains("the-secret-id"), "{text}");
    scene.xacct("verify").exits_with(0);
}

#[test]
fn a_colleague_takes_the_external_id_from_the_role() {
    let scene = public();
    let output = scene.xacct("bootstrap dev --generate-external-id --yes").exits_with(0);
    output.says(&["No changes", "Wrote xacct.local.toml; list it in .gitignore"]);
    let local = scene.environment.read(LOCAL);
    assert!(local.contains("[targets.dev]\nexternal_id = \"the-secret-id\"\n"), "{local}");
    assert_eq!(required(&scene), "the-secret-id");
    scene.xacct("verify").exits_with(0);
}

#[test]
fn rotate_writes_the_new_id_to_the_local_file() {
    let mut scene = public();
    scene.environment.write(LOCAL, "[targets.dev]\nexternal_id = \"the-secret-id\"\n");
    scene.xacct("rotate external-id dev --new-external-id new-id --yes").exits_with(0);
    assert_eq!(scene.environment.read(LOCAL), "[targets.dev]\nexternal_id = [\"new-id\", \"the-secret-id\"]\n");
    assert_eq!(required(&scene), json!(["new-id", "the-secret-id"]));
    scene.xacct("verify").exits_with(0);
    scene.xacct("rotate external-id dev --finish --yes").exits_with(0);
    assert_eq!(scene.environment.read(LOCAL), "[targets.dev]\nexternal_id = \"new-id\"\n");
    assert_eq!(required(&scene), "new-id");
    let text = scene.environment.read("xacct.toml");
    assert!(text.contains(ELSEWHERE) && !text.contains("new-id"), "{text}");
    // It cannot change a variable.
    scene.environment.set("XACCT_EXTERNAL_ID", "new-id");
    scene.sandbox.clear_requests();
    let output = scene.xacct("rotate external-id dev --yes").exits_with(2);
    output.says(&["XACCT_EXTERNAL_ID has the external ID of target `dev`", "`xacct.local.toml`, and unset"]);
    assert_eq!(scene.sandbox.requests(), []);
}

#[test]
fn an_external_id_has_one_place() {
    let mut scene = Scene::linked("--name dev --external-id the-secret-id");
    scene.environment.write(LOCAL, "[targets.dev]\nexternal_id = \"other-id\"\n");
    let output = scene.xacct("verify").exits_with(2);
    output.says(&["both have the external ID of target `dev`", ELSEWHERE]);
    assert_eq!(scene.sandbox.requests(), []);
    std::fs::remove_file(scene.environment.path(LOCAL)).unwrap();
    // A variable that is no external ID is named if a target needs it.
    scene.environment.set("XACCT_EXTERNAL_ID", "x");
    scene.xacct("verify").exits_with(0);
    scene.environment.edit("xacct.toml", "external_id = \"the-secret-id\"", ELSEWHERE);
    scene.xacct("verify").exits_with(2).says(&["XACCT_EXTERNAL_ID: `x` is not a valid external ID", "2 to 1224"]);
}

#[test]
fn targets_are_written_in_the_order_of_their_names() {
    let scene = Scene::linked("--name dev");
    scene.environment.edit("xacct.toml", "[targets.dev]", "# Development.\n[targets.dev]");
    let add = |name: &str, more: &str| {
        let words =
            format!("bootstrap 333333333333 --name {name} --target-profile third-admin --yes --no-verify {more}");
        scene.xacct(&words).exits_with(0);
    };
    add("prod", "");
    add("audit", "--role-name audit");
    add("logs", "--role-name logs");
    let text = scene.environment.read("xacct.toml");
    let headings: Vec<_> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(
        headings,
        ["[source]", "[targets.audit]", "[targets.dev]", "[targets.logs]", "[targets.prod]"],
        "{text}"
    );
    assert!(text.contains("\n\n# Development.\n[targets.dev]\naccount"), "{text}");
    assert_eq!(scene.xacct_json("bootstrap --check", 0)["targets"].as_object().unwrap().len(), 4);
}
