//! Follows the printed fixes of a diagnosis verbatim.

use serde_json::Value;

use crate::aws_cli;
use crate::scene::{Scene, text};
use crate::support::Output;

/// Performs the steps of a fix that are commands, and returns the manual steps.
#[track_caller]
pub fn apply(scene: &Scene, fix: &Value) -> Vec<String> {
    let who = text(&fix["who"]);
    let steps = fix["steps"].as_array().unwrap_or_else(|| panic!("no steps: {fix:#}"));
    assert!(!steps.is_empty(), "the fix has no steps: {fix:#}");
    let mut by_hand = Vec::new();
    for step in steps {
        let (kind, what) = step.as_object().and_then(|step| step.iter().next()).expect("a step");
        match kind.as_str() {
            "run" => match text(what) {
                command if command.starts_with("xacct ") => {
                    xacct(scene, &command).exits_with(0);
                }
                command if command.starts_with("aws iam ") => aws_cli::run(scene, profile_of(&who), &command),
                other => by_hand.push(other),
            },
            "write" => write(scene, what),
            // Only fixes of trust policies have this step, and `causes` performs it.
            "put" => assert!(what["statement"].is_object() && what["into"].is_string(), "{what:#}"),
            "do" => by_hand.push(text(what)),
            _ => panic!("a step of an unknown kind: {step}"),
        }
    }
    by_hand
}

/// Runs an xacct command as printed, confirmed for bootstrap, and with a current MFA code.
pub fn xacct(scene: &Scene, command: &str) -> Output {
    let code = scene.sandbox.totp("alice");
    let mut words = shlex::split(command).unwrap_or_else(|| panic!("not a single shell command: {command}"));
    assert_eq!(words.remove(0), "xacct", "{command}");
    if words[0] == "bootstrap" {
        words.extend(["--yes", "--allow-weaker"].map(str::to_owned));
    }
    for word in &mut words {
        if word == "CODE" {
            word.clone_from(&code);
        }
    }
    scene.environment.xacct(&words)
}

/// Returns the profile in `who`, or the account's administrator.
fn profile_of(who: &str) -> &str {
    let named = who.split_once(", profile ").map(|(_, profile)| profile);
    named.unwrap_or(if who.contains("target") { "dev-admin" } else { "security-admin" })
}

/// Writes a setting into a section, replacing one with the same key.
#[track_caller]
pub fn write(scene: &Scene, what: &Value) {
    let [file, section, line] = ["file", "section", "line"].map(|key| text(&what[key]));
    let (key, _) = line.split_once(" = ").unwrap_or_else(|| panic!("not KEY = VALUE: {line}"));
    let old = scene.environment.read(&file);
    let mut lines: Vec<&str> = old.lines().collect();
    let start =
        lines.iter().position(|found| found.trim() == section).unwrap_or_else(|| panic!("no {section}:\n{old}"));
    let end =
        lines[start + 1..].iter().position(|found| found.starts_with('[')).map_or(lines.len(), |at| start + 1 + at);
    let same_key = |found: &&str| found.split_once('=').is_some_and(|(found, _)| found.trim() == key);
    match lines[start..end].iter().position(same_key) {
        Some(at) => lines[start + at] = &line,
        None => lines.insert(start + 1, &line),
    }
    scene.environment.write(&file, &(lines.join("\n") + "\n"));
}
