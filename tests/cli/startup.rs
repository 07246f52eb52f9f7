//! Offline commands do not initialize the network: no runtime, no threads, no certificates.

use std::process::Stdio;

use crate::scene::Scene;
use crate::support::third_party::{skip, test_name};

/// Returns xacct's system calls of these kinds; `None` without `strace`.
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
    for words in ["--help", "bootstrap --help", "print-provider-hcl", "list", "completions bash"] {
        let Some(calls) = system_calls(&scene, kinds, words) else {
            return skip(test_name!(), "`strace` is not installed");
        };
        for starts in ["connect(", "clone(", "clone3(", "epoll_create1(", "eventfd2(", "/ssl", ".pem", "aws/config"] {
            assert!(!calls.contains(starts), "{words}: {starts}\n{calls}");
        }
    }
    // Online commands do make these calls, which shows that the names above are right.
    let calls = system_calls(&scene, kinds, "verify").unwrap_or_default();
    for starts in ["connect(", "epoll_create1(", "eventfd2(", "aws/config"] {
        assert!(calls.contains(starts), "{starts}\n{calls}");
    }
    // There was no TLS.
    assert!(!calls.contains("/ssl"), "{calls}");
}
