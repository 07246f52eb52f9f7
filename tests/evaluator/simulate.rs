//! The decisions of iam-simulate, a third-party program that runs as a separate process.
//!
//! npm installs it once in the target directory, in the versions of `package.json`.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::Deserialize;

use crate::scene::{Decisions, Scene};
use crate::support::third_party;

const PACKAGE: &str = include_str!("package.json");
const DRIVER: &str = include_str!("simulate.mjs");

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Error { error: String },
    Decisions(Decisions),
}

/// Returns the decision or error for each scene. Fails if the program is not available.
pub fn decisions(scenes: &[Scene]) -> Result<Vec<Result<Decisions, String>>, String> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = INSTALLED.get_or_init(install).clone()?;
    let mut input = Vec::new();
    for scene in scenes {
        serde_json::to_writer(&mut input, scene).unwrap();
        input.push(b'\n');
    }
    let mut node = Command::new("node");
    node.arg(folder.join("simulate.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut node = node.spawn().map_err(|error| format!("node cannot be run: {error}"))?;
    let mut stdin = node.stdin.take().unwrap();
    // Writing fails if node exits early; its exit code shows why.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = node.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && output.stdout.is_empty() {
        return Err(format!("node does not run iam-simulate: {}", start(&errors)));
    }
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers = lines.lines().map(|line| match serde_json::from_str(line).expect("an answer") {
        Answer::Error { error } => Err(error),
        Answer::Decisions(decisions) => Ok(decisions),
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers.len(), scenes.len(), "one answer to each scene");
    Ok(answers)
}

fn install() -> Result<PathBuf, String> {
    let files = [("package.json", PACKAGE), ("simulate.mjs", DRIVER)];
    third_party::installed("node", &files, "npm", &third_party::NPM_INSTALL)
}

/// Returns the beginning of a message.
fn start(message: &str) -> String {
    message.split_whitespace().take(30).collect::<Vec<_>>().join(" ")
}
