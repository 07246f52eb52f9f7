//! Reports for CI and for browsers: `--report`, `--since`, `--redact`.

use std::path::Path;

use serde_json::{Value, json};
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, side_by_side, trust};

const SECRET_ID: &str = "correct-horse-battery";

fn linked() -> Scene {
    Scene::linked(&format!("--external-id {SECRET_ID}"))
}

/// Takes the grant away: alice is denied.
fn without_grant(scene: &Scene) {
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
}

/// Opens the role for everybody in the source account, without external ID.
fn too_open(scene: &Scene) {
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust(&json!({}))));
}

/// Returns the test cases of a JUnit report: name, and the kind of the child that says how it ended.
fn cases(scene: &Scene, file: &str) -> Vec<(String, String)> {
    let text = scene.environment.read(file);
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let ended = |node: roxmltree::Node<'_, '_>| {
        let kinds = ["failure", "error", "skipped"];
        node.children()
            .find(|child| kinds.contains(&child.tag_name().name()))
            .map_or("ok", |it| it.tag_name().name())
            .to_owned()
    };
    cases.map(|node| (node.attribute("name").unwrap_or_default().to_owned(), ended(node))).collect()
}

fn case<'a>(cases: &'a [(String, String)], name: &str) -> &'a str {
    &cases.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no case {name}: {cases:?}")).1
}

#[test]
fn a_link_that_works_has_a_passed_case_for_each_step() {
    let scene = linked();
    let words = "verify --report junit=r.xml --report markdown=r.md --report html=r.html --report github";
    let output = scene.xacct(words).exits_with(0);
    let document = scene.xacct_json("verify", 0);
    let steps = document["targets"][ACCOUNT_B]["verification"]["steps"].as_array().unwrap().len();
    let cases = cases(&scene, "r.xml");
    assert_eq!(cases.len(), steps, "{cases:?}");
    assert!(cases.iter().all(|(_, ended)| ended == "ok" || ended == "skipped"), "{cases:?}");
    assert_eq!(case(&cases, "alice assumes the role"), "ok");
    assert_eq!(case(&cases, "denied without external ID"), "ok");
    let markdown = scene.environment.read("r.md");
    assert!(markdown.contains("The only link works.") && markdown.contains("| 222222222222 |"), "{markdown}");
    assert!(output.stderr.contains("::notice title=xacct verify::The only link works."), "{output}");
    assert!(!output.stderr.contains("::error"), "{output}");
}

#[test]
fn a_denied_link_fails_with_cause_and_fix() {
    let mut scene = linked();
    without_grant(&scene);
    let output = scene.xacct("verify --report junit=r.xml --report markdown=r.md --report github").exits_with(3);
    let cases = cases(&scene, "r.xml");
    assert_eq!(case(&cases, "alice assumes the role"), "failure", "{cases:?}");
    let (xml, markdown) = (scene.environment.read("r.xml"), scene.environment.read("r.md"));
    for text in ["grant_absent", "xacct bootstrap 222222222222"] {
        assert!(xml.contains(text) && markdown.contains(&text.replace('_', "&#95;")), "{text}\n{xml}\n{markdown}");
    }
    let line = output.stderr.lines().find(|line| line.starts_with("::error ")).unwrap_or_else(|| panic!("{output}"));
    let text = scene.environment.read("xacct.toml");
    let number = text.lines().position(|line| line == "[targets.222222222222]").unwrap() + 1;
    let start = |file: &str| format!("::error file={file},line={number},title=222222222222%3A does not work::1. ");
    assert!(line.starts_with(&start("xacct.toml")), "{line}");
    assert!(line.contains("%0A") && line.contains("xacct bootstrap"), "{line}");
    // In a directory of a repository.
    let folder = scene.environment.path("xacct.toml").parent().unwrap().to_owned();
    scene.environment.set("GITHUB_WORKSPACE", folder.parent().unwrap().to_str().unwrap());
    let output = scene.xacct("verify --report github").exits_with(3);
    let inside = format!("{}/xacct.toml", folder.file_name().unwrap().to_str().unwrap());
    assert!(output.stderr.contains(&start(&inside)), "{output}");
}

#[test]
fn a_role_that_is_too_open_fails_the_refusals() {
    let scene = linked();
    too_open(&scene);
    scene.xacct("verify --report junit=r.xml").exits_with(3);
    let found = cases(&scene, "r.xml");
    assert_eq!(case(&found, "denied without external ID"), "failure");
    assert_eq!(case(&found, "alice assumes the role"), "ok");
    // What does not count as a failure is none in the report, either.
    let output = scene.xacct("verify --fail-on broken --report junit=r.xml --report github").exits_with(0);
    assert_eq!(case(&cases(&scene, "r.xml"), "denied without external ID"), "skipped");
    assert!(output.stderr.contains("title=222222222222%3A TOO OPEN::"), "{output}");
    assert!(!output.stderr.contains("::error"), "{output}");
}

#[test]
fn what_could_not_be_tested_is_an_error() {
    let scene = linked();
    let kind = FaultKind::Error { status: 503, code: "ServiceUnavailable".to_owned(), message: "busy".to_owned() };
    scene.sandbox.add_fault(Fault::new("AssumeRole", kind));
    scene.xacct("verify --report junit=r.xml").exits_with(5);
    assert_eq!(case(&cases(&scene, "r.xml"), "alice assumes the role"), "error");
}

/// The run fails before it tests anything: CI must not take that for success.
#[test]
fn a_command_that_fails_is_reported() {
    let mut scene = linked();
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"", "user_profile = \"nobody\"");
    scene.environment.unset("AWS_PROFILE");
    let output = scene.xacct("verify --report junit=r.xml --report markdown=r.md --report html=r.html --report github");
    assert_ne!(output.code, 0);
    assert_eq!(case(&cases(&scene, "r.xml"), "the command completes"), "failure");
    assert!(scene.environment.read("r.md").contains("xacct verify ended with an error"));
    assert!(output.stderr.contains("::error title=the command failed::"), "{output}");
}

#[test]
fn other_commands_report_as_well() {
    let scene = linked();
    scene.xacct("bootstrap --check --report junit=r.xml").exits_with(0);
    assert_eq!(
        cases(&scene, "r.xml"),
        [("grant matches xacct.toml", "ok"), ("no orphans", "ok"), ("role matches xacct.toml", "ok")]
            .map(|(name, ended)| (name.to_owned(), ended.to_owned()))
    );
    without_grant(&scene);
    too_open(&scene);
    scene.xacct("bootstrap --check --report junit=r.xml --report markdown=r.md").exits_with(4);
    let found = cases(&scene, "r.xml");
    assert_eq!(case(&found, "grant matches xacct.toml"), "failure");
    assert_eq!(case(&found, "role matches xacct.toml"), "failure");
    assert!(
        scene
            .environment
            .read("r.md")
            .contains("0 of 1 link match xacct.toml; 1 differs; the grant differs from xacct.toml.")
    );
    // A preview fails nothing.
    scene.xacct("bootstrap --dry-run --report junit=r.xml").exits_with(0);
    assert_eq!(case(&cases(&scene, "r.xml"), "role matches xacct.toml"), "skipped");

    scene.xacct("diagnose --report junit=r.xml").exits_with(3);
    let found = cases(&scene, "r.xml");
    assert_eq!((case(&found, "alice assumes the role"), case(&found, "no problems")), ("failure", "failure"));

    scene.xacct("list --live --report junit=r.xml").exits_with(3);
    assert_eq!(case(&cases(&scene, "r.xml"), "alice assumes the role"), "failure");
    scene.xacct("list --report junit=r.xml").exits_with(2).says(&["--live"]);

    scene.xacct("verify --must-refuse --user-profile bob --report junit=r.xml").exits_with(0);
    assert_eq!(cases(&scene, "r.xml"), [("denied to arn:aws:iam::111111111111:user/bob".to_owned(), "ok".to_owned())]);
    scene.xacct("verify --as user/alice --report junit=r.xml").exits_with(3);
    assert_eq!(case(&cases(&scene, "r.xml"), "policies allow the link for alice"), "failure");
}

#[test]
fn json_on_stdout_stays_one_document() {
    let scene = linked();
    let words = "verify --output json --report github --report junit=r.xml";
    let output = scene.xacct(words).exits_with(0);
    assert_eq!(output.json()["command"], "verify");
    assert!(output.stderr.contains("::notice"), "{output}");
    // Without remarks, annotations stay: they are a result.
    assert!(scene.xacct(&format!("{words} --quiet")).exits_with(0).stderr.contains("::notice"));
}

/// Every report that cannot be written is an error before anything is sent to AWS.
#[test]
fn files_are_checked_first() {
    let scene = linked();
    std::fs::create_dir(scene.environment.path("folder")).unwrap();
    scene.environment.write("other.json", "{}");
    scene.environment.write("earlier.json", &scene.xacct_json("verify", 0).to_string());
    scene.environment.write("drift.json", &scene.xacct_json("bootstrap --check", 0).to_string());
    let toml = scene.environment.read("xacct.toml");
    scene.sandbox.clear_requests();
    let cases: &[(&str, &[&str])] = &[
        ("--report pdf=r.pdf", &["pdf=r.pdf", "junit=FILE"]),
        ("--report junit", &["has no file", "junit=FILE"]),
        ("--report markdown=", &["has no file"]),
        ("--report github=r.txt", &["stderr"]),
        ("--report junit=folder", &["not a regular file"]),
        ("--report junit=missing/r.xml", &["directory does not exist"]),
        ("--report junit=r.xml --report html=./r.xml", &["gets another report"]),
        ("--report github --report github", &["twice"]),
        ("--report html=xacct.toml", &["is used otherwise"]),
        ("--report html=xacct.local.toml", &["is used otherwise"]),
        ("--report html=earlier.json --since earlier.json", &["is used otherwise"]),
        ("--report html=r.html --since absent.json", &["absent.json"]),
        ("--report html=r.html --since other.json", &["schema_version"]),
        ("--report html=r.html --since drift.json", &["xacct bootstrap"]),
        ("--report junit=r.xml --since earlier.json", &["no effect"]),
        ("--since earlier.json", &["no effect", "--output json"]),
        ("--redact", &["--report"]),
    ];
    side_by_side(cases, |(words, says)| {
        let output = scene.xacct(&format!("verify {words}")).exits_with(2).says(says);
        assert!(!output.everything().contains("panicked"), "{output}");
    });
    assert_eq!(scene.sandbox.requests().len(), 0);
    assert_eq!(scene.environment.read("xacct.toml"), toml);
    assert!(!["r.xml", "r.html"].iter().any(|file| scene.environment.has(file)));
}

#[cfg(unix)]
#[test]
fn a_report_is_not_written_through_a_symbolic_link() {
    let scene = linked();
    scene.environment.write("precious", "text");
    std::os::unix::fs::symlink(scene.environment.path("precious"), scene.environment.path("r.xml")).unwrap();
    scene.xacct("verify --report junit=r.xml").exits_with(2).says(&["symbolic link"]);
    assert_eq!(scene.environment.read("precious"), "text");
}

/// A file that becomes unwritable during the run makes the run fail, and the result is shown all the same.
#[cfg(unix)]
#[test]
fn a_report_that_is_lost_is_an_error() {
    let scene = linked();
    std::fs::create_dir(scene.environment.path("out")).unwrap();
    let running = {
        scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::Delay(std::time::Duration::from_secs(2))));
        let running = scene.start("verify --report junit=out/r.xml");
        scene.wait_for("AssumeRole");
        running
    };
    std::fs::remove_dir(scene.environment.path("out")).unwrap();
    let output = running.ended();
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stdout.contains("Verified") && output.stderr.contains("cannot write a report"), "{output}");
}

#[test]
fn says_what_changed() {
    let scene = linked();
    scene.environment.write("before.json", &scene.xacct_json("verify", 0).to_string());
    scene.xacct("verify --report markdown=r.md --since before.json").exits_with(0);
    assert!(scene.environment.read("r.md").contains("nothing changed; 1 link as before."));
    without_grant(&scene);
    scene.xacct("verify --report markdown=r.md --report html=r.html --since before.json").exits_with(3);
    let markdown = scene.environment.read("r.md");
    assert!(
        markdown.contains("1 worse; 0 links as before.") && markdown.contains("- 222222222222: works → does not work"),
        "{markdown}"
    );
}

#[test]
fn says_since_when_results_are_the_same() {
    let scene = linked();
    let target = |document: &Value| document["targets"][ACCOUNT_B]["verification"].clone();
    let next = |code| {
        let document = scene.xacct_json("verify --since last.json --report html=r.html --report markdown=r.md", code);
        scene.environment.write("last.json", &document.to_string());
        target(&document)
    };
    let first = scene.xacct_json("verify", 0);
    assert_eq!(target(&first)["unchanged_since"], Value::Null);
    scene.environment.write("last.json", &first.to_string());
    for _ in 0..2 {
        assert_eq!(next(0)["unchanged_since"], target(&first)["started_at"]);
        assert!(scene.environment.read("r.md").contains("works since 2"));
        assert!(scene.environment.read("r.html").contains("<small>since 2"));
    }
    without_grant(&scene);
    let broken = next(3);
    assert_eq!(broken["unchanged_since"], Value::Null);
    assert_eq!(next(3)["unchanged_since"], broken["started_at"]);
}

/// Returns all reports of a command.
fn all_reports(scene: &Scene, words: &str) -> String {
    let output = scene
        .xacct(&format!("{words} --report junit=r.xml --report markdown=r.md --report html=r.html --report github"));
    let annotations: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("::")).collect();
    assert!(!annotations.is_empty(), "{output}");
    let files = ["r.xml", "r.md", "r.html"].map(|file| scene.environment.read(file));
    files.concat() + &annotations.join("\n")
}

#[test]
fn no_report_has_an_external_id() {
    let scene = linked();
    let check = |words: &str| {
        let reports = all_reports(&scene, words);
        assert!(!reports.contains(SECRET_ID) && !reports.contains("other-secret-id"), "{words}: {reports}");
    };
    check("verify");
    check("bootstrap --check");
    let other = trust(&json!({"StringEquals": {"sts:ExternalId": "other-secret-id"}}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &other));
    for words in ["verify", "diagnose", "bootstrap --check", "list --live", "verify --as user/alice"] {
        check(words);
        // The document does say it: otherwise nothing was tested.
        let document = scene.xacct(&format!("{words} --output json")).stdout;
        assert!(document.contains("other-secret-id"), "{words}: {document}");
    }
}

#[test]
fn redacted_reports_have_no_account_id() {
    let scene = linked();
    without_grant(&scene);
    scene.environment.write("before.json", &scene.xacct_json("verify", 3).to_string());
    let check = |words: &str| {
        let reports = all_reports(&scene, words);
        for account in [ACCOUNT_A, ACCOUNT_B] {
            assert!(!reports.contains(account), "{words}: {account} in {reports}");
        }
        assert!(reports.contains("ACCOUNT-1"), "{words}: {reports}");
    };
    for words in ["verify --since before.json", "diagnose", "bootstrap --check", "list --live"] {
        check(&format!("{words} --redact"));
    }
    // The facts file and the reports at once.
    scene.xacct("diagnose --save-facts facts.json --redact --report html=r.html").exits_with(3);
    assert!(scene.environment.has("facts.json") && !scene.environment.read("r.html").contains(ACCOUNT_B));
}

/// Many links: annotations stay within what GitHub shows, and every link is in the files.
#[test]
fn reports_of_many_links() {
    let scene = Scene::new();
    let mut file = format!("[source]\naccount = \"{ACCOUNT_A}\"\nuser = \"alice\"\nuser_profile = \"alice\"\n");
    for number in 0..40 {
        file.push_str(&format!(
            "\n[targets.t{number}]\naccount = \"{:012}\"\nregion = \"us-east-1\"\n",
            400_000_000_000_i64 + number
        ));
    }
    scene.environment.write("xacct.toml", &file);
    let output = scene.xacct("verify --report github --report junit=r.xml --report markdown=r.md --report html=r.html");
    assert_ne!(output.code, 0);
    let errors: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(errors.len(), 10, "{output}");
    assert!(errors[9].contains("and 31 more problems"), "{}", errors[9]);
    for file in ["r.xml", "r.md", "r.html"] {
        let text = scene.environment.read(file);
        assert!((0..40).all(|number| text.contains(&format!("t{number}"))), "{file}");
    }
}

/// Nothing of an earlier report stays, and no temporary file.
#[test]
fn a_report_replaces_an_earlier_one() {
    let scene = linked();
    scene.environment.write("r.xml", &"old".repeat(100_000));
    scene.xacct("verify --report junit=r.xml").exits_with(0);
    assert!(!scene.environment.read("r.xml").contains("old"));
    let folder = scene.environment.path("r.xml");
    let folder: &Path = folder.parent().unwrap();
    let left: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with(".xacct-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The new fields of the documents.
#[test]
fn documents_say_who_and_by_which_statement() {
    let scene = linked();
    let target = |document: Value| document["targets"][ACCOUNT_B].clone();
    let verified = target(scene.xacct_json("verify", 0));
    assert_eq!((&verified["principals"], &verified["verification"]["tested_as"]), (&json!(["alice"]), &json!("alice")));
    assert_eq!(verified["trust_policy"]["deciding"], json!([1]));
    too_open(&scene);
    let diagnosed = target(scene.xacct_json("diagnose", 3));
    let policies = diagnosed["diagnosis"]["policies"].as_array().unwrap();
    let names: Vec<_> = policies.iter().map(|it| it["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["trust policy of role xacct", "inline policy xacct of user alice"]);
    assert!(policies.iter().all(|it| it["deciding"] == json!([1])), "{policies:#?}");
    without_grant(&scene);
    let denied = target(scene.xacct_json("verify", 3));
    assert_eq!(denied["diagnosis"]["policies"][0]["deciding"], json!([1]), "{denied:#}");
}
