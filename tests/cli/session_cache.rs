//! The session cache: users enter a code once, and xacct ignores files that cannot be trusted.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use xacct_sandbox::world::{ALICE, AccessKey};
use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{ACCOUNT_A, ACCOUNT_B, Scene, step};

/// Creates a link that requires MFA.
fn requiring_mfa() -> Scene {
    let scene = Scene::new();
    scene.bootstrap("--require-mfa --external-id abc --no-verify").exits_with(0);
    scene.sandbox.clear_requests();
    scene
}

/// Creates such a link, with a cached session.
fn with_cached_session() -> Scene {
    let scene = requiring_mfa();
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("exec --mfa-code {code} -- /bin/true")).exits_with(0);
    assert_eq!(asked(&scene), 1);
    scene
}

/// Returns the number of used codes.
fn asked(scene: &Scene) -> usize {
    scene.requests("GetSessionToken").len()
}

/// Returns the path of the only file in the cache.
#[track_caller]
fn file(scene: &Scene, folder: &str) -> PathBuf {
    let entries = std::fs::read_dir(scene.environment.path(folder)).expect("the directory");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    let path = paths.next().expect("a file");
    assert_eq!(paths.next(), None);
    path
}

#[test]
fn one_code_is_enough_for_all_commands_and_targets() {
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

/// Two roles, whose sessions change places in the cache.
#[test]
fn a_cached_session_of_another_role_is_not_used() {
    let scene = Scene::new();
    let words = "bootstrap --yes --no-verify --target-account 222222222222,333333333333 --user alice --user-profile alice \
                 --profile security-admin --enter-role OrganizationAccountAccessRole";
    scene.xacct(words).exits_with(0);
    let key = |account: &str| {
        let document = scene.xacct(&format!("credentials {account} --cache")).exits_with(0).json();
        document["AccessKeyId"].as_str().expect("a key").to_owned()
    };
    let other = [ACCOUNT_B, "333333333333"].map(key)[1].clone();
    let folder = scene.environment.path(".cache/xacct");
    let entries = std::fs::read_dir(folder).expect("the cache").map(|entry| entry.expect("an entry").path());
    let [one, two] = entries.collect::<Vec<_>>().try_into().expect("two sessions");
    let texts = [&one, &two].map(|path| std::fs::read(path).expect("a session"));
    std::fs::write(&one, &texts[1]).expect("written");
    std::fs::write(&two, &texts[0]).expect("written");
    assert_ne!(key(ACCOUNT_B), other);
}

#[test]
fn verify_still_tests_the_rejection_without_mfa() {
    let scene = with_cached_session();
    let proof = scene.verdict("", 0);
    assert_eq!(step(&proof, "refused_without_mfa")["outcome"], "ok");
    assert_eq!(asked(&scene), 1);
}

#[test]
fn the_file_is_private_and_in_the_xdg_cache_directory() {
    let mut scene = requiring_mfa();
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
    let scene = with_cached_session();
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
fn no_cache_neither_reads_nor_writes_the_cache() {
    let mut scene = with_cached_session();
    scene.xacct("credentials --no-cache").exits_with(1).says(&["no terminal to prompt for it"]);
    scene.environment.set("XACCT_NO_CACHE", "1");
    scene.xacct("credentials").exits_with(1);
    let fresh = requiring_mfa();
    let code = fresh.sandbox.totp("alice");
    fresh.xacct(&format!("credentials --no-cache --mfa-code {code}")).exits_with(0);
    assert!(!fresh.environment.has(".cache"));
    assert_eq!(fresh.requests("GetSessionToken")[0].parameter("DurationSeconds"), Some("900"));
}

#[test]
fn untrusted_files_cause_a_warning_and_a_new_prompt() {
    type Spoil = fn(&PathBuf);
    let cases: [(Spoil, &str); 3] = [
        (|file| std::fs::write(file, "{}").unwrap(), "is not a valid session file"),
        (|file| chmod(file, "644"), "has mode 644 instead of 600"),
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
        let scene = with_cached_session();
        spoil(&file(&scene, ".cache/xacct"));
        scene.xacct("credentials").exits_with(1).says(&["Ignoring a cached session", wanted, "no terminal to prompt"]);
        let code = scene.sandbox.totp("alice");
        scene.xacct(&format!("credentials --mfa-code {code}")).exits_with(0);
        // The new session has replaced it.
        let again = scene.xacct("credentials").exits_with(0);
        assert!(!again.stderr.contains("Ignoring a cached session"), "{again}");
        assert_eq!(asked(&scene), 2);
    }
}

fn chmod(file: &PathBuf, mode: &str) {
    let status = std::process::Command::new("chmod").arg(mode).arg(file).status();
    assert!(status.is_ok_and(|status| status.success()), "chmod {mode}");
}

#[test]
fn ignores_a_directory_that_other_users_can_access() {
    let scene = with_cached_session();
    chmod(&scene.environment.path(".cache/xacct"), "755");
    scene.xacct("credentials").exits_with(1).says(&["other users can access"]);
}

#[test]
fn replaces_a_session_that_aws_rejects() {
    let scene = with_cached_session();
    scene.sandbox.advance(Duration::from_secs(13 * 3600));
    scene.xacct("credentials").exits_with(1).says(&["no terminal to prompt"]);
    let code = scene.sandbox.totp("alice");
    scene.xacct(&format!("credentials --mfa-code {code}")).exits_with(0);
    assert_eq!(asked(&scene), 2);
}

#[test]
fn ignores_a_session_about_to_expire() {
    let scene = with_cached_session();
    let file = file(&scene, ".cache/xacct");
    let text = std::fs::read_to_string(&file).unwrap();
    let start = text.find("\"Expiration\":\"").unwrap() + 14;
    let old = text[start..].split('"').next().unwrap().to_owned();
    std::fs::write(&file, text.replace(&old, "2020-01-01T00:00:00Z")).unwrap();
    let output = scene.xacct("credentials").exits_with(1);
    assert!(!output.stderr.contains("Ignoring a cached session"), "this is no reason for a warning: {output}");
}

#[test]
fn sessions_depend_on_key_device_and_endpoint() {
    let mut scene = with_cached_session();
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
fn caches_role_sessions_only_on_request() {
    let scene = Scene::linked("");
    let key = |words: &str| scene.xacct(words).exits_with(0).json()["AccessKeyId"].as_str().unwrap().to_owned();
    assert_ne!(key("credentials"), key("credentials"));
    assert!(!scene.environment.has(".cache"));
    let first = key("credentials --cache");
    assert_eq!(key("credentials --cache"), first);
    assert_ne!(key("credentials"), first, "a cached session is used only with --cache");
    for other in ["--duration 30m", "--session-name other", "--region eu-west-1"] {
        assert_ne!(key(&format!("credentials --cache {other}")), first, "{other}");
    }
    scene.environment.edit("xacct.toml", &format!("account = \"{ACCOUNT_B}\""), "account = \"333333333333\"");
    scene.xacct("credentials --cache").exits_with(3);
}

/// Until it expires: that the role is gone shows where the session is used.
#[test]
fn a_cached_role_session_is_handed_out_without_a_request() {
    let scene = Scene::linked("");
    let folder = scene.environment.path("");
    let folder = folder.display();
    let (id, secret) = (ALICE.id, ALICE.secret);
    let keys = format!(r#"{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}"}}"#);
    scene.environment.write("keys.sh", &format!("echo ran >> {folder}/ran\necho '{keys}'\n"));
    let profile = format!("\n[profile by-program]\nregion = us-east-1\ncredential_process = sh {folder}/keys.sh\n");
    scene.environment.append("aws/config", &profile);
    for profile in ["alice", "by-program"] {
        let words = format!("credentials --cache --user-profile {profile}");
        let first = scene.xacct(&words).exits_with(0).stdout;
        let ran = || scene.environment.has("ran").then(|| scene.environment.read("ran"));
        let before = ran();
        scene.sandbox.clear_requests();
        assert_eq!(scene.xacct(&words).exits_with(0).stdout, first, "{profile}");
        assert!(scene.sandbox.requests().is_empty(), "{profile}: {:?}", scene.sandbox.requests());
        assert_eq!(ran(), before, "the program ran again");
    }
}

/// Whoever else asks for it, and whatever else is asked for.
#[test]
fn a_cached_role_session_is_for_the_same_request_alone() {
    let scene = Scene::linked("--external-id abc");
    let key = || scene.xacct("credentials --cache").exits_with(0).json()["AccessKeyId"].as_str().unwrap().to_owned();
    let mut known = vec![key()];
    assert_eq!(key(), known[0]);
    let mut assert_new = |what: &str| {
        let new = key();
        assert!(!known.contains(&new), "{what}");
        known.push(new);
    };
    let other = AccessKey { id: "AKIAOTHER000000OTHER".to_owned(), secret: "another/secret".to_owned() };
    scene.environment.edit("aws/credentials", ALICE.id, &other.id);
    scene.environment.edit("aws/credentials", ALICE.secret, &other.secret);
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").keys.push(other);
    });
    assert_new("another access key");
    scene.environment.edit("xacct.toml", "role = \"xacct\"\n", "role = \"xacct\"\nsession_name = \"other\"\n");
    assert_new("another session name");
    let url = scene.sandbox.url().replace("127.0.0.1", "localhost");
    scene.environment.edit("aws/config", "[profile alice]\n", &format!("[profile alice]\nendpoint_url = {url}\n"));
    assert_new("another endpoint");
    scene.environment.edit("xacct.toml", "external_id = \"abc\"", "external_id = \"abd\"");
    scene.xacct("credentials --cache").exits_with(3);
}

/// With keys in the environment, the default profile still says where they are used.
#[test]
fn keys_of_the_environment_are_used_with_the_settings_of_a_profile() {
    let mut scene = Scene::linked("");
    scene.environment.set("AWS_ACCESS_KEY_ID", ALICE.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ALICE.secret);
    let session = || scene.xacct("credentials --cache --user-profile -").exits_with(0).stdout;
    let first = session();
    assert_eq!(session(), first);
    let url = scene.sandbox.url().replace("127.0.0.1", "localhost");
    scene.environment.append("aws/config", &format!("\n[default]\nendpoint_url = {url}\n"));
    assert_ne!(session(), first);
}

/// A role of the same name is another one for its sessions.
#[test]
fn a_role_that_was_created_again_has_new_sessions() {
    let scene = Scene::linked("");
    let first = scene.xacct("credentials --cache").exits_with(0).stdout;
    scene.xacct("teardown --all --yes --even-if-used").exits_with(0);
    scene.link("");
    assert_ne!(scene.xacct("credentials --cache").exits_with(0).stdout, first);
}

#[test]
fn many_that_ask_at_once_share_one_session() {
    let scene = Scene::linked("");
    let running: Vec<_> = (0..24).map(|_| scene.start("credentials --cache")).collect();
    let printed: Vec<_> = running.into_iter().map(|run| run.ended().exits_with(0).stdout).collect();
    assert!(printed.windows(2).all(|two| two[0] == two[1]));
    assert_eq!(scene.requests("AssumeRole").len(), 1);
    assert_eq!(std::fs::read_dir(scene.environment.path(".cache/xacct")).unwrap().count(), 1, "a lock is left");
}

/// The first one is killed, or fails, while the others wait for it.
#[test]
fn nobody_waits_for_one_that_is_gone() {
    for is_killed in [true, false] {
        let scene = Scene::linked("");
        let answer = match is_killed {
            true => FaultKind::Hang,
            false => FaultKind::Error { status: 403, code: "AccessDenied".into(), message: "no".into() },
        };
        // Counts calls from here on.
        scene.sandbox.clear_faults();
        scene.sandbox.add_fault(Fault::new("AssumeRole", answer).on_call(1));
        let mut first = scene.start("credentials --cache");
        scene.wait_for("AssumeRole");
        let others: Vec<_> = (0..4).map(|_| scene.start("credentials --cache")).collect();
        if is_killed {
            first.signal(Signal::KILL);
        } else {
            first.ended().exits_with(3);
        }
        for other in others {
            other.ended().exits_with(0);
        }
        assert_eq!(scene.requests("AssumeRole").len(), 2);
    }
}

#[test]
fn without_a_cache_directory_warns_and_returns_a_session() {
    let mut scene = Scene::linked("");
    scene.environment.unset("HOME");
    scene.environment.unset("XDG_CACHE_HOME");
    scene
        .xacct("credentials --cache")
        .exits_with(0)
        .says(&["Cannot cache the session: neither HOME nor XDG_CACHE_HOME"]);
}

#[test]
fn forget_removes_every_session() {
    let scene = with_cached_session();
    scene.xacct("credentials --cache").exits_with(0);
    // Temporary files of an interrupted run are secret too; other files are kept.
    scene.environment.write(".cache/xacct/.new-Ab12", "half");
    scene.environment.write(".cache/xacct/notes.json", "{}");
    scene.xacct("credentials --forget").exits_with(0).says(&["Removed 2 sessions"]);
    assert!(!scene.environment.has(".cache/xacct/.new-Ab12") && scene.environment.has(".cache/xacct/notes.json"));
    scene.xacct("credentials --forget").exits_with(0).says(&["Removed 0 sessions"]);
    scene.xacct("credentials").exits_with(1);
}

#[test]
fn forget_needs_neither_a_config_file_nor_a_network() {
    let scene = Scene::new();
    scene.sandbox.add_fault(Fault::new("GetCallerIdentity", FaultKind::Reset));
    let output = scene.xacct("credentials --forget").exits_with(0);
    assert_eq!(output.stdout, "");
    assert!(scene.sandbox.requests().is_empty());
}
