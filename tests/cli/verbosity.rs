//! `--verbose`, `--quiet` and `--color`.

use xacct_sandbox::world::ALICE;

use crate::scene::Scene;
use crate::snapshots::assert_text;

#[test]
fn verbose_shows_each_request_and_no_secret() {
    let scene = Scene::linked("--external-id not-shown");
    let output = scene.xacct("verify --verbose").exits_with(0);
    let mut lines: Vec<_> = output.stderr.lines().filter(|line| line.contains(" ms")).collect();
    // Requests run side by side.
    lines.sort_unstable();
    assert_text("verbose-verify", &lines.join("\n"));
    let sent = scene.sandbox.requests();
    assert_eq!(lines.len(), sent.len(), "{output}");
    for request in &sent {
        let shown = lines.iter().any(|line| line.contains(&format!(":{} ", request.operation)));
        assert!(shown, "{} is missing\n{output}", request.operation);
    }
    for secret in ["not-shown", ALICE.id, ALICE.secret] {
        assert!(!output.stderr.contains(secret), "{output}");
    }
    assert_eq!(scene.xacct("verify").exits_with(0).stderr.matches(" ms").count(), 0);
    // A refusal has its code.
    assert!(lines.iter().any(|line| line.contains("sts:AssumeRole 403 AccessDenied ")), "{output}");
}

#[test]
fn verbose_shows_a_request_without_response() {
    let mut scene = Scene::linked("");
    scene.environment.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    scene.environment.set("AWS_MAX_ATTEMPTS", "1");
    let output = scene.xacct("verify -v");
    assert!(output.stderr.contains(" no response "), "{output}");
}

#[test]
fn quiet_hides_remarks_but_no_result_and_no_error() {
    let scene = Scene::new();
    let output = scene.bootstrap("--quiet").exits_with(0);
    assert!(output.stdout.contains("Verified"), "{output}");
    assert!(output.stdout.contains("custom endpoint"), "the plan says it: {output}");
    for remark in ["Wrote", "Next:", "Using custom endpoint"] {
        assert!(!output.stderr.contains(remark), "{output}");
    }
    let output = scene.xacct("--quiet exec -- /bin/echo ran").exits_with(0);
    assert!(output.stdout == "ran\n" && !output.stderr.contains("Using a session"), "{output}");
    scene.xacct("verify nobody -q").exits_with(2).says(&["error: ", "hint: "]);
    scene.xacct("verify -q -v").exits_with(2).says(&["cannot be used with"]);
}

#[test]
fn color_overrides_the_terminal_and_the_variables() {
    let mut scene = Scene::linked("");
    let colored = |scene: &Scene, words: &str| scene.xacct(words).everything().contains('\u{1b}');
    for words in ["verify", "verify nobody", "no-such-command", "--help", "help ci"] {
        assert!(colored(&scene, &format!("--color always {words}")), "{words}");
        assert!(colored(&scene, &format!("--color=always {words}")), "{words}");
        assert!(!colored(&scene, &format!("--color auto {words}")), "{words}");
    }
    scene.environment.set("CLICOLOR_FORCE", "1");
    assert!(colored(&scene, "verify"));
    assert!(!colored(&scene, "verify --color never"));
    assert!(!colored(&scene, "--color never no-such-command"));
    scene.environment.unset("CLICOLOR_FORCE");
    scene.environment.set("NO_COLOR", "1");
    assert!(!colored(&scene, "verify"));
    assert!(colored(&scene, "verify --color always"));
    scene.xacct("verify --color blue").exits_with(2).says(&["auto, always, never"]);
    // The option of a command that xacct runs is its own.
    assert_eq!(scene.xacct("exec -- /bin/echo --color always").exits_with(0).stdout, "--color always\n");
}
