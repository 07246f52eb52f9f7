//! Files: who may read those that xacct writes, what stands in their way, and an `xacct.toml` of somebody else.

use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Command;
use std::time::Duration;

use xacct_sandbox::{Fault, FaultKind};

use crate::scene::{BOOTSTRAP, Scene};
use crate::support::{Output, Running};

/// Runs xacct with another umask.
fn with_umask(scene: &Scene, umask: &str, words: &str) -> Output {
    let mut command = scene.environment.command("/bin/sh");
    let line = format!("umask {umask}; exec \"$0\" {words}");
    command.args(["-c", &line, env!("CARGO_BIN_EXE_xacct")]);
    Output::of(command)
}

#[track_caller]
fn mode(scene: &Scene, file: &str) -> u32 {
    let path = scene.environment.path(file);
    path.symlink_metadata().unwrap_or_else(|error| panic!("{file}: {error}")).mode() & 0o777
}

/// A pipe, which would hold up whoever opens it.
fn pipe(scene: &Scene, file: &str) {
    let made = Command::new("mkfifo").arg(scene.environment.path(file)).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
}

/// Ends what would wait for ever.
fn within_ten_seconds(scene: &Scene, words: &str) -> Output {
    let mut command = scene.environment.command("/usr/bin/timeout");
    command.arg("10").arg(env!("CARGO_BIN_EXE_xacct")).args(words.split_whitespace());
    Output::of(command)
}

#[test]
fn what_is_to_be_committed_follows_the_umask_and_what_is_not_is_the_owners() {
    for (umask, committed) in [("000", 0o644), ("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let scene = Scene::new();
        let code = scene.sandbox.totp("alice");
        let link = format!("{BOOTSTRAP} --external-id abc --require-mfa --no-verify");
        with_umask(&scene, umask, &link).exits_with(0);
        with_umask(&scene, umask, "print-provider-hcl --out provider.tf").exits_with(0);
        with_umask(&scene, umask, &format!("exec --mfa-code {code} -- /bin/true")).exits_with(0);
        with_umask(&scene, umask, "diagnose --save-facts facts.json").exits_with(0);
        assert_eq!((mode(&scene, "xacct.toml"), mode(&scene, "provider.tf")), (committed, committed), "{umask}");
        assert_eq!(mode(&scene, "facts.json"), 0o600, "{umask}");
        assert_eq!((mode(&scene, ".cache"), mode(&scene, ".cache/xacct")), (0o700, 0o700), "{umask}");
        let kept = std::fs::read_dir(scene.environment.path(".cache/xacct")).unwrap();
        for file in kept {
            assert_eq!(file.unwrap().metadata().unwrap().mode() & 0o777, 0o600, "{umask}");
        }
    }
}

#[test]
fn nothing_is_written_through_a_symbolic_link() {
    let scene = Scene::linked("--external-id abc");
    scene.environment.write("elsewhere/mine", "mine");
    // What xacct wrote itself may not be replaced through a link either: the folder may be somebody else's.
    scene.xacct("print-provider-hcl --out elsewhere/own.tf").exits_with(0);
    let own = scene.environment.read("elsewhere/own.tf");
    for (name, leads_to) in [("a", "elsewhere/mine"), ("b", "nowhere"), ("c", "elsewhere"), ("d", "elsewhere/own.tf")] {
        symlink(leads_to, scene.environment.path(name)).unwrap();
        scene.sandbox.clear_requests();
        for words in ["print-provider-hcl --out", "print-provider-hcl --force --out", "diagnose --save-facts"] {
            scene.xacct(&format!("{words} {name}")).exits_with(1).says(&[
                &format!("`{name}`: it is a symbolic link to `{leads_to}`"),
                "does not write through links",
                "name the file itself",
            ]);
        }
        assert!(scene.sandbox.requests().is_empty(), "{name}");
    }
    assert_eq!(scene.environment.read("elsewhere/mine"), "mine");
    assert_eq!(scene.environment.read("elsewhere/own.tf"), own);
    assert!(!scene.environment.has("nowhere"));
    // A folder may be reached through one: which folder it is was said.
    scene.xacct("print-provider-hcl --out c/provider.tf").exits_with(0);
    assert!(scene.environment.has("elsewhere/provider.tf"));
}

#[test]
fn pipes_and_folders_are_neither_read_nor_replaced() {
    let scene = Scene::linked("--external-id abc");
    pipe(&scene, "pipe");
    scene.environment.write("folder/x", "");
    scene.sandbox.clear_requests();
    for name in ["pipe", "folder", "/dev/zero", "/dev/null"] {
        for words in ["print-provider-hcl --out", "print-provider-hcl --force --out", "diagnose --save-facts"] {
            within_ten_seconds(&scene, &format!("{words} {name}")).exits_with(1).says(&[name, "it is not a file"]);
        }
        within_ten_seconds(&scene, &format!("verify --config {name}")).exits_with(1).says(&[name, "cannot read"]);
        let policy = format!("{BOOTSTRAP} --policy-file {name}");
        within_ten_seconds(&scene, &policy).exits_with(1).says(&[name, "cannot read"]);
    }
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn another_name_of_the_same_file_keeps_what_it_had() {
    let scene = Scene::linked("");
    scene.xacct("diagnose --save-facts facts.json").exits_with(0);
    let before = ["xacct.toml", "facts.json"].map(|file| {
        std::fs::hard_link(scene.environment.path(file), scene.environment.path(&format!("other-{file}"))).unwrap();
        scene.environment.read(file)
    });
    scene.bootstrap("--external-id abc").exits_with(0);
    scene.xacct("diagnose --save-facts facts.json").exits_with(0);
    assert_eq!(["other-xacct.toml", "other-facts.json"].map(|file| scene.environment.read(file)), before);
    assert_ne!(scene.environment.read("xacct.toml"), before[0]);
}

#[test]
fn xacct_toml_is_written_through_a_link_only_to_an_xacct_toml() {
    for (leads_to, text) in [("mine", Some("# mine\n")), ("empty", Some("")), ("nowhere", None)] {
        let scene = Scene::new();
        if let Some(text) = text {
            scene.environment.write(leads_to, text);
        }
        symlink(leads_to, scene.environment.path("xacct.toml")).unwrap();
        scene.bootstrap("").exits_with(1).says(&[
            &format!("cannot write `xacct.toml`: it is a symbolic link to `{leads_to}`, which records no links"),
            "name the file itself",
        ]);
        assert_eq!(scene.iam_writes(), [""; 0], "it is heard of before anything is made");
        assert_eq!(text.is_some(), scene.environment.has(leads_to));
        assert_eq!(
            text.unwrap_or_default(),
            std::fs::read_to_string(scene.environment.path(leads_to)).unwrap_or_default()
        );
    }
    // Whoever keeps the file elsewhere has a link to it.
    let scene = Scene::linked("");
    std::fs::create_dir(scene.environment.path("dotfiles")).unwrap();
    std::fs::rename(scene.environment.path("xacct.toml"), scene.environment.path("dotfiles/links.toml")).unwrap();
    symlink("dotfiles/links.toml", scene.environment.path("xacct.toml")).unwrap();
    scene.bootstrap("--external-id abc").exits_with(0);
    assert!(scene.environment.path("xacct.toml").is_symlink());
    assert!(scene.environment.read("dotfiles/links.toml").contains("external_id = \"abc\""));
    assert_eq!(std::fs::read_dir(scene.environment.path("dotfiles")).unwrap().count(), 1);
}

#[test]
fn a_cache_behind_a_link_is_not_used_and_nothing_there_is_removed() {
    let scene = Scene::linked("");
    let foreign = format!("elsewhere/{}.json", "0".repeat(64));
    scene.environment.write(&foreign, "mine");
    scene.environment.write("elsewhere/.new-Ab12", "mine");
    scene.environment.write(".cache/keep", "");
    symlink(scene.environment.path("elsewhere"), scene.environment.path(".cache/xacct")).unwrap();
    scene.xacct("credentials --cache").exits_with(0).says(&["is not kept", "is a symbolic link, and must be a folder"]);
    scene.xacct("credentials --forget").exits_with(1).says(&[
        "cannot be removed",
        "it is a symbolic link",
        "remove the link",
    ]);
    assert_eq!(scene.environment.read(&foreign), "mine");
    assert_eq!(std::fs::read_dir(scene.environment.path("elsewhere")).unwrap().count(), 2);
}

#[test]
fn only_facts_files_are_replaced_by_facts() {
    let scene = Scene::linked("");
    let document = scene.xacct("verify --output json").exits_with(0).stdout;
    scene.sandbox.clear_requests();
    for text in [document.as_str(), "{\"schema_version\": 1}", "", "[]"] {
        scene.environment.write("report.json", text);
        scene.xacct("diagnose --save-facts report.json").exits_with(1).says(&["report.json", "is not a facts file"]);
        assert_eq!(scene.environment.read("report.json"), text);
    }
    assert!(scene.sandbox.requests().is_empty());
}

/// An `xacct.toml` that came with a folder from somewhere.
fn found(target: &str) -> Scene {
    let scene = Scene::new();
    let text = format!(
        "[source]\naccount = \"111111111111\"\nuser = \"alice\"\nuser_profile = \"alice\"\n\n\
         [targets.dev]\naccount = \"222222222222\"\n{target}\n"
    );
    scene.environment.write("xacct.toml", &text);
    scene
}

const COMMANDS: [&str; 6] =
    ["bootstrap --yes", "verify", "diagnose", "exec -- /bin/true", "credentials", "print-provider-hcl"];

#[test]
fn no_setting_runs_a_program_or_chooses_where_requests_go() {
    for line in [
        "credential_process = \"touch ran\"",
        "endpoint_url = \"http://127.0.0.1:1\"",
        "ca_bundle = \"x.pem\"",
        "aws_access_key_id = \"x\"",
        "role_arn = \"arn:aws:iam::444444444444:role/x\"",
        "services = \"x\"",
        "web_identity_token_file = \"/etc/passwd\"",
        // A region becomes part of the host that requests are sent to.
        "region = \"x.example.com/\"",
        "region = \"us-east-1.example.com\"",
        "region = \"us-east-1@example.com\"",
        "region = \"us-east-1#\"",
        "region = \"../us-east-1\"",
        "enter_role = \"../x\"",
        "enter_role = \"arn:aws:iam::444444444444:role/x\"",
        "role = \"x\\u0000\"",
    ] {
        let scene = found(line);
        for words in COMMANDS {
            scene.xacct(words).exits_with(2).says(&["xacct.toml:8: `"]);
        }
        assert!(scene.sandbox.requests().is_empty() && !scene.environment.has("ran"), "{line}");
    }
}

#[test]
fn a_profile_is_one_of_the_users_own_or_none() {
    for name in ["../../x", "x\\\" --y", "$(touch ran)", "`touch ran`", "; touch ran;"] {
        let scene = found("");
        scene.environment.edit("xacct.toml", "user_profile = \"alice\"", &format!("user_profile = \"{name}\""));
        for words in ["verify", "exec -- /bin/true", "credentials"] {
            scene.xacct(words).exits_with(1).says(&["have no profile"]);
        }
        assert!(scene.sandbox.requests().is_empty() && !scene.environment.has("ran"), "{name}");
    }
}

#[test]
fn files_that_it_names_are_not_shown() {
    let scene = Scene::new();
    let shadow = scene.environment.path("aws/credentials").display().to_string();
    scene.environment.write("key.pem", "-----BEGIN PRIVATE KEY-----\nabcdefgh\n");
    scene.environment.write("token.json", "{\"token\": \"abcdefgh\", \"Statement\": \"abcdefgh\"}");
    scene.environment.write("string.json", "\"abcdefgh\"");
    for file in [&shadow, "key.pem", "token.json", "string.json", "/etc/passwd", "../../../../../../etc/passwd"] {
        let scene = &scene;
        let found = format!(
            "[source]\nuser = \"alice\"\n[targets.dev]\naccount = \"222222222222\"\nprofile = \"dev-admin\"\n\
             policy_files = [\"{file}\"]\n"
        );
        scene.environment.write("xacct.toml", &found);
        let output = scene.xacct("bootstrap --yes --profile security-admin").exits_with(2).says(&["policy file"]);
        for secret in ["abcdefgh", "sandbox/secret", "root:"] {
            assert!(!output.everything().contains(secret), "{output}");
        }
        assert_eq!(scene.iam_writes(), [""; 0]);
        // The file itself may be a link to one.
        let path = scene.environment.path("xacct.toml");
        std::fs::remove_file(&path).unwrap();
        symlink(file, &path).unwrap();
        let output = scene.xacct("verify").exits_with(2);
        for secret in ["abcdefgh", "sandbox/secret", "root:"] {
            assert!(!output.everything().contains(secret), "{output}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}

/// As many as fit into the file. Each asks for the partition of the others; the names of all become one alias.
#[test]
fn printing_takes_time_in_proportion_to_the_targets() {
    let scene = Scene::new();
    let target = |number: u64, name: &str| format!("[targets.{name}]\naccount = \"{}\"\n", 500_000_000_000 + number);
    let plain: String = (0..10_000).map(|number| target(number, &format!("t{number}"))).collect();
    let alike = |number: u64| {
        let letter = |shift: u32| char::from_u32(0x4e00 + u32::try_from(number >> shift & 0xff).unwrap()).unwrap();
        format!("\"{}{}\"", letter(8), letter(0))
    };
    let alike: String = (0..10_000).map(|number| target(number, &alike(number))).collect();
    for targets in [plain, alike] {
        scene.environment.write("xacct.toml", &format!("[source]\nuser = \"alice\"\nuser_profile = \"a\"\n{targets}"));
        let output = within_ten_seconds(&scene, "print-provider-hcl").exits_with(0);
        assert_eq!(output.stdout.matches("role_arn").count(), 10_000);
    }
}

/// Whatever stands there when the file is to be written, and cannot be read, is somebody's.
#[test]
fn a_file_that_cannot_be_read_when_it_is_to_be_written_is_left_as_it_is() {
    let too_large = "# long\n".repeat(200_000).into_bytes();
    for (what, bytes) in [("not UTF-8", b"# caf\xe9\n".to_vec()), ("too large", too_large)] {
        for is_new in [true, false] {
            let scene = Scene::new();
            if !is_new {
                scene.link("--no-verify");
            }
            scene.sandbox.add_fault(Fault::new("GetCallerIdentity", FaultKind::Delay(Duration::from_secs(1))));
            let words = format!("{BOOTSTRAP} --no-verify --max-session-duration 2h");
            let run = Running::start(scene.command(&words));
            scene.wait_for("GetCallerIdentity");
            let path = scene.environment.path("xacct.toml");
            std::fs::write(&path, &bytes).expect("a file");
            run.ended().exits_with(1).says(&["cannot be read any more"]);
            assert!(std::fs::read(&path).expect("the file") == bytes, "{what}, {is_new}");
            assert_eq!(scene.writes(), [""; 0], "what cannot be recorded is not made");
        }
    }
}

#[test]
fn no_file_is_too_long_or_too_deep_to_be_refused() {
    let scene = Scene::new();
    scene.environment.write("xacct.toml", &"# long\n".repeat(200_000));
    within_ten_seconds(&scene, "verify")
        .exits_with(1)
        .says(&["cannot read `xacct.toml`: it has more than 1048576 bytes"]);
    for deep in ["[".repeat(100_000), format!("a = {}", "[".repeat(100_000)), "a.".repeat(100_000)] {
        scene.environment.write("xacct.toml", &deep);
        let output = within_ten_seconds(&scene, "verify").exits_with(2).says(&["xacct.toml:1"]);
        assert!(output.stderr.len() < 1000, "{output}");
    }
    let scene = found("policy_files = [\"deep.json\"]\nprofile = \"dev-admin\"");
    scene.environment.write("deep.json", &"[".repeat(100_000));
    within_ten_seconds(&scene, "bootstrap --yes --profile security-admin")
        .exits_with(2)
        .says(&["deep.json", "recursion"]);
}

#[test]
fn the_file_of_a_folder_above_is_not_taken() {
    let scene = Scene::linked("");
    std::fs::create_dir(scene.environment.path("below")).unwrap();
    for words in ["verify", "exec -- /bin/true", "print-provider-hcl"] {
        let mut command = scene.command(words);
        command.current_dir(scene.environment.path("below"));
        Output::of(command).exits_with(2).says(&["there is no `xacct.toml` here"]);
    }
    assert!(scene.sandbox.requests().is_empty());
}
