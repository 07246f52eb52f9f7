//! Sessions kept between runs: a code is asked for once, and what cannot be trusted is not used.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use xacct_sandbox::Fault;

use crate::scene::{ACCOUNT_B, Scene, step};

/// A link that demands MFA.
fn demanding() -> Scene {
    let scene = Scene::new();
    scene.bootstrap("--require-mfa --external-id abc --no-verify").exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

/// The same, with a session kept.
fn kept() -> Scene {
    let scene = demanding();
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("exec --mfa-code {code} -- /bin/true")).exits_with(0);
    assert_eq!(asked(&scene), 1);
    scene
}

/// How many codes were used up.
fn asked(scene: &Scene) -> usize {
    scene.requests("GetSessionToken").len()
}

/// The one file that is kept.
#[track_caller]
fn file(scene: &Scene, folder: &str) -> PathBuf {
    let entries = std::fs::read_dir(scene.environment.path(folder)).expect("the folder");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    let path = paths.next().expect("a file");
    assert_eq!(paths.next(), None);
    path
}

#[test]
fn one_code_serves_every_command_and_target() {
    let scene = Scene::new();
    let code = scene.sandbox.totp("alice");
    let words = "bootstrap --yes --no-verify --target-account 222222222222,333333333333 --user alice --user-profile alice \
                 --profile security-admin --enter-role OrganizationAccountAccessRole --require-mfa --external-id abc";
    scene.xacct(words).exits_with(0);
    scene.xacct(&format!("exec 222222222222 --mfa-code {code} -- /bin/true")).exits_with(0);
    for words in ["exec 333333333333 -- /bin/true", "credentials 222222222222", "credentials 333333333333", "verify"] {
        scene.xacct(words).exits_with(0);
    }
    assert_eq!(asked(&scene), 1);
    assert_eq!(scene.requests("GetSessionToken")[0].parameter("DurationSeconds"), Some("43200"));
}

#[test]
fn verify_still_proves_that_without_mfa_it_is_refused() {
    let scene = kept();
    let proof = scene.verdict("", 0);
    assert_eq!(step(&proof, "refused_without_mfa")["outcome"], "ok");
    assert_eq!(asked(&scene), 1);
}

#[test]
fn the_file_is_the_users_alone_and_where_xdg_wants_it() {
    let mut scene = demanding();
    let cache = scene.environment.path("elsewhere").display().to_string();
    scene.environment.set("XDG_CACHE_HOME", &cache);
    let words = format!("credentials --mfa-session-duration 2h --mfa-code {}", scene.sandbox.totp("alice"));
    scene.xacct(&words).exits_with(0);
    let file = file(&scene, "elsewhere/xacct");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(scene.requests("GetSessionToken")[0].parameter("DurationSeconds"), Some("7200"));
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(!name.contains("AKIA") && !name.contains("alice"), "{name}");
}

#[test]
fn what_has_ended_does_not_stay() {
    let scene = kept();
    let path = file(&scene, ".cache/xacct");
    let text = std::fs::read_to_string(&path).unwrap();
    let expiration =
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["Expiration"].as_str().unwrap().to_owned();
    let other = path.with_file_name(format!("{}.json", "0".repeat(64)));
    std::fs::copy(&path, &other).unwrap();
    std::fs::write(&other, text.replace(&expiration, "2020-01-01T00:00:00Z")).unwrap();
    scene.xacct("credentials").exits_with(0);
    assert!(!other.exists() && path.exists());
}

#[test]
fn without_a_cache_nothing_is_kept_and_nothing_used() {
    let mut scene = kept();
    scene.xacct("credentials --no-cache").exits_with(1).says(&["no terminal to ask for one"]);
    scene.environment.set("XACCT_NO_CACHE", "1");
    scene.xacct("credentials").exits_with(1);
    let fresh = demanding();
    let code = fresh.sandbox.totp("alice");
    fresh.xacct(&format!("credentials --no-cache --mfa-code {code}")).exits_with(0);
    assert!(!fresh.environment.has(".cache"));
    assert_eq!(fresh.requests("GetSessionToken")[0].parameter("DurationSeconds"), Some("900"));
}

#[test]
fn what_cannot_be_trusted_is_named_and_a_code_asked_for_anew() {
    type Spoil = fn(&PathBuf);
    let cases: [(Spoil, &str); 3] = [
        (|file| std::fs::write(file, "{}").unwrap(), "holds none"),
        (|file| chmod(file, "644"), "has mode 644, and must have 600"),
        (
            |file| {
                let elsewhere = file.with_extension("elsewhere");
                std::fs::rename(file, &elsewhere).unwrap();
                std::os::unix::fs::symlink(&elsewhere, file).unwrap();
            },
            "is a symbolic link",
        ),
    ];
    for (spoil, wanted) in cases {
        let scene = kept();
        spoil(&file(&scene, ".cache/xacct"));
        scene.xacct("credentials").exits_with(1).says(&["A kept session is not used", wanted, "no terminal to ask"]);
        let code = scene.sandbox.totp("alice");
        scene.xacct(&format!("credentials --mfa-code {code}")).exits_with(0);
        // The new one has taken its place.
        let again = scene.xacct("credentials").exits_with(0);
        assert!(!again.stderr.contains("not used"), "{again}");
        assert_eq!(asked(&scene), 2);
    }
}

fn chmod(file: &PathBuf, mode: &str) {
    let status = std::process::Command::new("chmod").arg(mode).arg(file).status();
    assert!(status.is_ok_and(|status| status.success()), "chmod {mode}");
}

#[test]
fn a_folder_that_is_open_to_others_is_not_used() {
    let scene = kept();
    chmod(&scene.environment.path(".cache/xacct"), "755");
    scene.xacct("credentials").exits_with(1).says(&["is open to others: chmod 700"]);
}

#[test]
fn a_session_that_aws_no_longer_honours_is_made_anew() {
    let scene = kept();
    scene.sandbox.advance(Duration::from_secs(13 * 3600));
    scene.xacct("credentials").exits_with(1).says(&["no terminal to ask"]);
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("credentials --mfa-code {code}")).exits_with(0);
    assert_eq!(asked(&scene), 2);
}

#[test]
fn a_session_that_is_about_to_end_is_not_begun_with() {
    let scene = kept();
    let file = file(&scene, ".cache/xacct");
    let text = std::fs::read_to_string(&file).unwrap();
    let start = text.find("\"Expiration\":\"").unwrap() + 14;
    let old = text[start..].split('"').next().unwrap().to_owned();
    std::fs::write(&file, text.replace(&old, "2020-01-01T00:00:00Z")).unwrap();
    let output = scene.xacct("credentials").exits_with(1);
    assert!(!output.stderr.contains("not used"), "that is no reason to warn: {output}");
}

#[test]
fn another_key_another_device_or_another_endpoint_is_another_session() {
    let mut scene = kept();
    scene.environment.edit("aws/config", "mfa/alice", "mfa/other");
    scene.xacct("credentials").exits_with(1);
    scene.environment.edit("aws/config", "mfa/other", "mfa/alice");
    scene.xacct("credentials").exits_with(0);
    let url = scene.sandbox.url().replace("127.0.0.1", "localhost");
    scene.environment.set("AWS_ENDPOINT_URL", &url);
    scene.xacct("credentials").exits_with(1);
    assert_eq!(asked(&scene), 1);
}

#[test]
fn sessions_of_roles_are_kept_only_on_request() {
    let scene = Scene::linked("");
    let key = |words: &str| scene.xacct(words).exits_with(0).json()["AccessKeyId"].as_str().unwrap().to_owned();
    assert_ne!(key("credentials"), key("credentials"));
    assert!(!scene.environment.has(".cache"));
    let first = key("credentials --cache");
    assert_eq!(key("credentials --cache"), first);
    assert_ne!(key("credentials"), first, "nor is one used that was not asked for");
    for other in ["--duration 30m", "--session-name other", "--region eu-west-1"] {
        assert_ne!(key(&format!("credentials --cache {other}")), first, "{other}");
    }
    scene.environment.edit("xacct.toml", &format!("account = \"{ACCOUNT_B}\""), "account = \"333333333333\"");
    scene.xacct("credentials --cache").exits_with(3);
}

#[test]
fn a_kept_session_of_a_role_that_is_gone_is_not_handed_over() {
    let scene = Scene::linked("");
    let key = || scene.xacct("credentials --cache").exits_with(0).json()["AccessKeyId"].as_str().unwrap().to_owned();
    let first = key();
    assert_eq!(key(), first);
    scene.sandbox.advance(Duration::from_secs(2 * 3600));
    assert_ne!(key(), first);
}

#[test]
fn who_has_no_place_for_sessions_is_told_and_gets_one() {
    let mut scene = Scene::linked("");
    scene.environment.unset("HOME");
    scene.environment.unset("XDG_CACHE_HOME");
    scene.xacct("credentials --cache").exits_with(0).says(&["is not kept: neither HOME nor XDG_CACHE_HOME"]);
}

#[test]
fn forgetting_removes_every_session() {
    let scene = kept();
    scene.xacct("credentials --cache").exits_with(0);
    // What a run left that was killed is as secret; what is not xacct's stays.
    scene.environment.write(".cache/xacct/.new-Ab12", "half");
    scene.environment.write(".cache/xacct/notes.json", "{}");
    scene.xacct("credentials --forget").exits_with(0).says(&["Forgot 2 sessions"]);
    assert!(!scene.environment.has(".cache/xacct/.new-Ab12") && scene.environment.has(".cache/xacct/notes.json"));
    scene.xacct("credentials --forget").exits_with(0).says(&["Forgot 0 sessions"]);
    scene.xacct("credentials").exits_with(1);
}

#[test]
fn forgetting_takes_neither_a_file_nor_a_network() {
    let scene = Scene::new();
    scene.sandbox.add_fault(Fault::new("GetCallerIdentity", xacct_sandbox::FaultKind::Reset));
    let output = scene.xacct("credentials --forget").exits_with(0);
    assert_eq!(output.stdout, "");
    assert!(scene.sandbox.requests().is_empty());
}
