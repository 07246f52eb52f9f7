//! Child processes of xacct inspect `/proc`: their own variables and arguments, and those of xacct.

use xacct_sandbox::world::{ACCOUNT_A, ADMIN_A, ALICE};

use super::Secrets;
use super::search::Of;
use crate::scene::{Scene, as_alice};
use crate::support::policies::allow;

/// A script that records the environment and arguments of itself and of its parent process.
const SPY: &str = "for one in self:$$ parent:$PPID; do for what in environ cmdline; do \
                   tr '\\0' '\\n' < /proc/${one#*:}/$what > spied-${one%:*}-$what; done; done";

/// Creates a link that requires MFA, and puts the script into `PATH`.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.environment.set("PATH", "/usr/bin:/bin");
    scene.link("--external-id abc --require-mfa --no-verify");
    scene.environment.write("aws/spy.sh", &format!("{SPY}\n"));
    scene
}

/// Returns the record of the script.
fn seen(scene: &Scene, of: &str) -> String {
    ["environ", "cmdline"].map(|what| scene.environment.read(&format!("spied-{of}-{what}"))).concat()
}

#[test]
fn credential_process_gets_neither_session_nor_mfa_code() {
    let mut scene = scene();
    let code = scene.sandbox.totp("alice");
    scene.environment.set("XACCT_MFA_CODE", &code);
    let keys = format!(
        "echo '{{\"Version\": 1, \"AccessKeyId\": \"{}\", \"SecretAccessKey\": \"{}\"}}'",
        ALICE.id, ALICE.secret
    );
    scene.environment.write("aws/process.sh", &format!("{SPY}\n{keys}\n"));
    let line = format!("credential_process = sh \"{}\"", scene.environment.path("aws/process.sh").display());
    scene.configure("alice", &line);
    scene.environment.edit("aws/credentials", "[alice]", "[somebody]");
    for words in ["exec -- /bin/true", "verify", "diagnose", "credentials"] {
        let _ = std::fs::remove_file(scene.environment.path("spied-self-environ"));
        let output = scene.xacct(words).exits_with(0);
        let secrets = Secrets::of(&scene, &[&code]);
        secrets.assert_none(&seen(&scene, "self"), &format!("the credential_process of {}", output.command));
    }
}

#[test]
fn exec_command_gets_only_its_session() {
    let mut scene = scene();
    // Environment variables are the riskiest place, because every child process inherits them.
    as_alice(&mut scene.environment);
    // Without a profile xacct cannot know alice's device.
    let own = allow("iam:ListMFADevices", "*");
    scene.sandbox.world(|world| world.put_user_policy(ACCOUNT_A, "alice", "own", own));
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"\n", "");
    scene.environment.edit("xacct.toml", "profile = \"security-admin\"\n", "");
    let code = scene.sandbox.totp("alice");
    scene.environment.set("XACCT_MFA_CODE", &code);
    scene.xacct("exec -- /bin/sh aws/spy.sh").exits_with(0);
    let seen = seen(&scene, "self");
    let secrets = Secrets::of(&scene, &[&code]);
    secrets.assert_none_of_a_user(&seen, "the environment of the command");
    let (handed, kept): (Vec<_>, Vec<_>) = scene.sandbox.world(|world| {
        let tokens = world.sessions().map(|session| (session.mfa.is_some(), session.token.clone()));
        tokens.partition(|(_, token)| seen.contains(token.as_str()))
    });
    assert!(matches!(handed[..], [(false, _)]), "one session, of the role: {seen}");
    assert!(kept.iter().any(|(has_mfa, _)| *has_mfa), "the MFA session is not passed on: {seen}");
}

#[test]
fn xacct_exposes_no_secret_to_other_processes() {
    let scene = scene();
    let code = scene.sandbox.totp("alice");
    // The second run uses the session cached by the first.
    scene.xacct(&format!("credentials --mfa-code {code}")).exits_with(0);
    let output = scene.xacct("exec -- /bin/sh aws/spy.sh").exits_with(0);
    let seen = seen(&scene, "parent");
    assert!(seen.contains("exec\n"), "that is xacct: {seen}");
    let secrets = Secrets::of(&scene, &[&code, ADMIN_A.secret]);
    secrets.assert_none(&seen, "the environment of xacct");
    for (of, text) in [(Of::Session, &output.stderr), (Of::User, &output.stderr)] {
        assert_eq!(secrets.found(text, &[of]), None);
    }
}
