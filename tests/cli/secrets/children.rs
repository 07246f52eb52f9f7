//! Programs that xacct runs look around in `/proc`: at their own variables and arguments, and at those of xacct.

use xacct_sandbox::world::{ACCOUNT_A, ADMIN_A, ALICE};

use super::Secrets;
use super::search::Of;
use crate::scene::{Scene, as_alice};
use crate::support::policies::allow;

/// Writes down what there is to see of the process itself and of the one that started it.
const SPY: &str = "for one in self:$$ parent:$PPID; do for what in environ cmdline; do \
                   tr '\\0' '\\n' < /proc/${one#*:}/$what > spied-${one%:*}-$what; done; done";

/// A link that demands MFA, and a `PATH` for the spy.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.environment.set("PATH", "/usr/bin:/bin");
    scene.link("--external-id abc --require-mfa --no-verify");
    scene.environment.write("aws/spy.sh", &format!("{SPY}\n"));
    scene
}

/// What the spy saw.
fn seen(scene: &Scene, of: &str) -> String {
    ["environ", "cmdline"].map(|what| scene.environment.read(&format!("spied-{of}-{what}"))).concat()
}

#[test]
fn a_credential_process_sees_nothing_of_the_session_nor_the_code() {
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
fn the_command_of_exec_sees_its_session_and_nothing_else() {
    let mut scene = scene();
    // The worst of all places for keys and codes: variables, which every program hands down.
    as_alice(&mut scene.environment);
    // Without a profile nothing says which device is alice's.
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
    assert!(kept.iter().any(|(has_mfa, _)| *has_mfa), "the session with MFA is not handed over: {seen}");
}

#[test]
fn xacct_itself_shows_no_secret_of_files_and_sessions() {
    let scene = scene();
    let code = scene.sandbox.totp("alice");
    // The second run has the session from the first.
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
