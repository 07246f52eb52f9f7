//! The exit codes are the documented ones, whatever the environment, the AWS config files, other programs and servers say,
//! and nothing panics, also while xacct cleans up.

use xacct_sandbox::world::ALICE;
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{Scene, side_by_side};
use crate::support::Output;

/// In the year 9999.
const FAR: i64 = 251_600_000_000;

const COMMANDS: [&str; 11] = [
    "verify",
    "bootstrap --check",
    "diagnose",
    "who",
    "teardown --all --dry-run",
    "move 222222222222 --role-name deploy --dry-run",
    "revoke --all --dry-run",
    "import arn:aws:iam::222222222222:role/other --user alice --dry-run",
    "sweep --all --dry-run",
    "exec -- /bin/true",
    "credentials --cache",
];

#[track_caller]
fn assert_ends_as_documented(output: &Output) {
    assert!((0..=5).contains(&output.code), "{output}");
    assert!(!output.stderr.contains("panicked") && !output.stderr.contains("has a bug"), "{output}");
}

#[test]
fn a_line_feed_in_an_access_key_of_the_environment() {
    side_by_side(&COMMANDS, |words| {
        for (key, token) in [(format!("{}\n", ALICE.id), None), (ALICE.id.to_owned(), Some("to\nken"))] {
            let mut scene = Scene::linked("");
            scene.environment.set("AWS_ACCESS_KEY_ID", &key);
            scene.environment.set("AWS_SECRET_ACCESS_KEY", ALICE.secret);
            if let Some(token) = token {
                scene.environment.set("AWS_SESSION_TOKEN", token);
            }
            scene.environment.edit("xacct.toml", "user_profile = \"alice\"", "");
            scene.environment.edit("xacct.toml", "profile = \"security-admin\"", "");
            assert_ends_as_documented(&scene.xacct(words));
        }
    });
}

#[test]
fn a_line_feed_in_an_access_key_of_a_profile_or_a_program() {
    let process = r#"credential_process = printf '{"Version":1,"AccessKeyId":"AKIA\\nX","SecretAccessKey":"x"}'"#;
    let profiles = [
        "aws_access_key_id =\n  AKIA = X\naws_secret_access_key = x".to_owned(),
        process.to_owned(),
        "role_arn = arn:aws:iam::222222222222:role/xacct\nsource_profile = base".to_owned(),
        format!(
            "role_arn = arn:aws:iam::222222222222:role/xacct\nsource_profile = program\n[profile program]\n{process}"
        ),
    ];
    side_by_side(&profiles, |lines| {
        for words in COMMANDS {
            let scene = Scene::linked("");
            let config = scene.environment.read("aws/config");
            let base = "[profile base]\naws_access_key_id =\n  AKIA = X\naws_secret_access_key = x\n";
            scene.environment.write("aws/config", &format!("{config}\n[profile bad]\n{lines}\n{base}"));
            for name in ["alice", "security-admin", "dev-admin"] {
                let text = scene.environment.read("xacct.toml").replace(&format!("\"{name}\""), "\"bad\"");
                scene.environment.write("xacct.toml", &text.replace("user = \"bad\"", "user = \"alice\""));
            }
            let output = scene.xacct(words);
            assert_ends_as_documented(&output);
            let words = output.everything().split_whitespace().collect::<Vec<_>>().join(" ");
            // A diagnosis may be saved, and does not repeat what a program said.
            let said = ["a line break or another invalid character", "cannot get credentials from profile `bad`"];
            assert!(said.iter().any(|said| words.contains(said)), "{output}");
        }
    });
}

#[test]
fn a_line_feed_in_an_access_key_of_the_server() {
    side_by_side(&COMMANDS, |words| {
        let scene = Scene::linked("");
        scene.sandbox.add_fault(Fault::new("AssumeRole", FaultKind::BrokenKey));
        assert_ends_as_documented(&scene.xacct(words));
    });
}

#[test]
fn a_server_in_the_year_9999() {
    side_by_side(&COMMANDS, |words| {
        let scene = Scene::linked("");
        scene.sandbox.add_fault(Fault::new("*", FaultKind::Skew(FAR)).on_call(1));
        assert_ends_as_documented(&scene.xacct(words));
    });
}

#[test]
fn a_server_in_the_year_9999_while_cleaning_up() {
    let scene = Scene::linked("");
    scene.sandbox.add_fault(Fault::new("DeleteBucket", FaultKind::Skew(FAR)));
    let output = scene.xacct("verify");
    assert_ends_as_documented(&output);
    assert_eq!(scene.buckets(), 1);
    output.says(&["may be left behind"]);
}
