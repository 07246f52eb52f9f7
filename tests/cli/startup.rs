//! What needs no network starts nothing that the network takes: no runtime, no threads, no certificates.

use std::process::Stdio;

use crate::scene::Scene;
use crate::support::third_party::{skip, test_name};

/// What xacct asks of the system on the way, of these kinds; `None` where there is no `strace`.
fn system_calls(scene: &Scene, kinds: &str, words: &str) -> Option<String> {
    let path = scene.environment.path("calls");
    let mut command = scene.environment.command("strace");
    command.env("PATH", "/usr/local/bin:/usr/bin:/bin").args(["-f", "-e", kinds, "-o"]).arg(&path);
    command.arg(env!("CARGO_BIN_EXE_xacct")).args(words.split_whitespace());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    assert!(status.success(), "{words}: {status}");
    Some(scene.environment.read("calls"))
}

#[test]
fn offline_commands_start_no_network_client() {
    let scene = Scene::linked("--external-id abc --no-verify");
    let kinds = "trace=openat,connect,clone,clone3,epoll_create1,eventfd2";
    for words in ["--help", "bootstrap --help", "print-provider-hcl", "completions bash"] {
        let Some(calls) = system_calls(&scene, kinds, words) else {
            return skip(test_name!(), "there is no `strace`");
        };
        for starts in ["connect(", "clone(", "clone3(", "epoll_create1(", "eventfd2(", "/ssl", ".pem", "aws/config"] {
            assert!(!calls.contains(starts), "{words}: {starts}\n{calls}");
        }
    }
    // What the others start, so that the names above are known to be the right ones.
    let calls = system_calls(&scene, kinds, "verify").unwrap_or_default();
    for starts in ["connect(", "epoll_create1(", "eventfd2(", "aws/config"] {
        assert!(calls.contains(starts), "{starts}\n{calls}");
    }
    // Nothing was encrypted.
    assert!(!calls.contains("/ssl"), "{calls}");
}
