//! Snapshots of the complete output of a command, with placeholders for what differs between runs.

use crate::support::Output;

/// Replacements for what differs between runs. They keep the width, so that tables stay aligned.
const FILTERS: &[(&str, &str)] = &[
    (r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:PORT"),
    (r"xacct-verify-(\d{12})-[a-z2-9]{12}", "xacct-verify-$1-RANDOM-CHARS"),
    (r"\b[0-9a-v]{32}\b", "GENERATED-EXTERNAL-ID-32-LETTERS"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "REQUEST-ID"),
    (r"_ms\x22: \d+", "_ms\": 0"),
    (r#""xacct_version": "[^"]+""#, r#""xacct_version": "VERSION""#),
    // Said after ten seconds, on a busy machine.
    (r"\n?[a-z]+: \d+ of \d+ targets [a-z]+\b", ""),
    (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "EXPIRY"),
    (r"\b\d+ ms\b|\b\d\.\d s\b", "TIME"),
    (r"\b\d+ min ago\b", "just now"),
    // Quoted because the path of temporary files may contain a space.
    (r#"--config "/[^"\n]* [^"\n]*/xacct-test-[^/ "]*/([^" ]*)""#, "--config /HOME/$1"),
    (r"/[^ ]*/xacct-test-[^/ ]*/", "/HOME/"),
];

/// Compares the output of a command with a snapshot.
#[track_caller]
pub fn assert_output(name: &str, words: &str, output: &Output) {
    let Output { code, stdout, stderr, .. } = output;
    let shown = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_text(name, &format!("$ xacct {shown}\nexit code {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"));
}

/// Compares a text with a snapshot.
#[track_caller]
pub fn assert_text(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots");
    for (pattern, replacement) in FILTERS {
        settings.add_filter(pattern, *replacement);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}
