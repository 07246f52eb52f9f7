//! Runs with more specific assertions than the matrix.

use xacct_sandbox::world::{ADMIN_A, ALICE};
use xacct_sandbox::{Fault, FaultKind, Sandbox};

use super::Secrets;
use crate::scene::{ACCOUNT_A, ACCOUNT_B, BOOTSTRAP, Scene, side_by_side, trust};
use crate::support::Output;

#[track_caller]
fn assert_no_secret(scene: &Scene, outputs: &[Output], codes: &[&str]) {
    Secrets::of(scene, codes).assert_none_anywhere(scene, outputs);
}

/// The commands, with table and JSON output.
fn run_all(scene: &Scene, commands: &[&str]) -> Vec<Output> {
    let runs = commands.iter().flat_map(|words| [(*words).to_owned(), format!("{words} --output json")]);
    runs.map(|words| scene.xacct(&words)).collect()
}

#[test]
fn successful_runs() {
    let scene = Scene::new();
    let link = format!("{BOOTSTRAP} --generate-external-id --show-policies");
    let enter = "bootstrap --yes --target-account 333333333333 --enter-role OrganizationAccountAccessRole";
    let mut outputs = run_all(&scene, &[&link, enter, "bootstrap", "verify"]);
    outputs.push(scene.xacct("print-provider-hcl"));
    assert!(outputs.iter().all(|output| output.code == 0));
    assert!(scene.sandbox.world(|world| world.sessions().count()) > 5);
    assert_no_secret(&scene, &outputs, &[]);
}

#[test]
fn failed_runs() {
    let scene = Scene::linked("--external-id abc");
    let open = trust(&serde_json::json!({}));
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &open));
    let mut outputs =
        run_all(&scene, &["verify", "verify --user-profile bob", "bootstrap --check", "bootstrap --profile root"]);
    scene.sandbox.world(|world| {
        world.user_mut(ACCOUNT_A, "alice").policies.inline.clear();
    });
    outputs.extend(run_all(&scene, &["verify", "bootstrap --profile nobody"]));
    assert!(outputs.iter().all(|output| output.code != 0));
    assert_no_secret(&scene, &outputs, &[]);
}

#[test]
fn network_failures() {
    let kinds = [FaultKind::NotXml, FaultKind::TruncatedBody, FaultKind::Reset, FaultKind::ServerError(500)];
    let operations = ["AssumeRole", "CreateBucket", "GetRole"];
    let cases: Vec<_> = kinds.iter().flat_map(|kind| operations.map(|operation| (kind, operation))).collect();
    side_by_side(&cases, |&(kind, operation)| {
        let scene = Scene::of(Sandbox::builder().fault(Fault::new(operation, kind.clone())));
        let output = scene.bootstrap("");
        // The answer to CreateBucket has no relevant body.
        let harmless = operation == "CreateBucket" && matches!(kind, FaultKind::NotXml | FaultKind::TruncatedBody);
        assert!(output.code != 0 || harmless, "{kind:?} {operation}: {output}");
        assert_no_secret(&scene, &[output], &[]);
        assert_eq!(scene.buckets(), 0, "{kind:?} {operation}");
    });
}

#[test]
fn with_mfa() {
    let scene = Scene::new();
    let code = scene.sandbox.totp("alice");
    let right = scene.bootstrap(&format!("--require-mfa --mfa-code {code}"));
    let used = scene.xacct(&format!("verify --no-cache --mfa-code {code}"));
    assert_eq!([right.code, used.code], [0, 5]);
    assert_no_secret(&scene, &[right, used], &[&code]);
}

#[test]
fn with_keys_in_the_environment() {
    let mut scene = Scene::new();
    scene.environment.set("AWS_ACCESS_KEY_ID", ADMIN_A.id);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", ADMIN_A.secret);
    let outputs = run_all(&scene, &["bootstrap --yes --target-account 222222222222", "verify", "--help", "verify -h"]);
    assert_no_secret(&scene, &outputs, &[]);
    scene.environment.set("AWS_SECRET_ACCESS_KEY", "another/secret/that/is/wrong");
    let outputs = run_all(&scene, &["bootstrap --yes", "verify"]);
    for output in outputs {
        assert!(!output.everything().contains("another/secret"), "{output}");
    }
}

#[test]
fn credentials_and_exec_pass_on_only_their_session() {
    let scene = Scene::new();
    let code = scene.sandbox.totp("alice");
    scene.bootstrap("--require-mfa --external-id abc --no-verify").exits_with(0);
    let formats = ["process", "env", "fish", "powershell", "json", "terragrunt"];
    let mut outputs = Vec::new();
    for format in formats {
        let Output { stdout, .. } = {
            let output = scene.xacct(&format!("credentials --format {format} --mfa-code {code}")).exits_with(0);
            outputs.push(Output { stdout: String::new(), ..output.clone() });
            output
        };
        let of_alice = ALICE.secret;
        assert!(!stdout.contains(of_alice) && !stdout.contains(&code), "{format}");
        let handed_over = scene.sandbox.world(|world| world.sessions().any(|session| stdout.contains(&session.token)));
        assert!(handed_over, "{format}: {stdout}");
        // The MFA session must not be passed on.
        let more =
            |session: &xacct_sandbox::world::Session| session.mfa.is_some() && stdout.contains(&session.key.secret);
        let of_user = scene.sandbox.world(|world| {
            world.sessions().filter(|session| more(session)).any(|session| session.account == ACCOUNT_A)
        });
        assert!(!of_user, "{format}");
    }
    outputs.push(scene.xacct(&format!("exec --mfa-code {code} -- /bin/true")).exits_with(0));
    outputs.push(scene.xacct(&format!("exec --mfa-code {code} -- /no/such/command")).exits_with(127));
    outputs.push(scene.xacct("credentials --no-cache").exits_with(1));
    assert_no_secret(&scene, &outputs, &[&code]);
}

#[test]
fn denied_credentials_and_exec() {
    let mut scene = Scene::linked("--external-id abc");
    scene.sandbox.world(|world| world.user_mut(ACCOUNT_A, "alice").policies.inline.clear());
    scene.environment.set("RUST_LOG", "trace");
    scene.environment.set("HTTPS_PROXY", "socks5://me:a-password@proxy:1080");
    let mut outputs = vec![scene.xacct("credentials").exits_with(2)];
    assert!(!outputs[0].everything().contains("a-password"));
    scene.environment.set("HTTPS_PROXY", "");
    for words in ["credentials", "exec -- /bin/true", "credentials --user-profile bob", "credentials --format env"] {
        outputs.push(scene.xacct(words).exits_with(3));
    }
    assert_no_secret(&scene, &outputs, &[]);
}
