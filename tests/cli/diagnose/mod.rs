//! Introduces every cause of `diagnose` into a working link, and checks its finding, its evidence, and that the printed
//! fix repairs the link.

pub mod bucket;
mod local;
mod pairs;
mod request;
pub mod source;
mod target;
mod together;

use serde_json::{Value, json};

use crate::scene::{ACCOUNT_B, Scene, text};
use crate::{aws_cli, fixes};

/// The name of the trust policy, the location of most causes in the target account.
const TRUST: &str = "trust policy of role xacct";

/// A broken link and its diagnosis.
struct Broken {
    scene: Scene,
    words: String,
    diagnosis: Value,
}

/// Runs `xacct verify` on a broken link.
#[track_caller]
fn verify(scene: Scene, options: &str) -> Broken {
    let words = format!("verify {options}");
    let document = scene.failed_verify(with_code(&scene, &words).strip_prefix("verify ").expect("verify"));
    broken(scene, &words, &document)
}

/// Runs `xacct verify` with invalid credentials, which is an error instead of an outcome.
#[track_caller]
fn fails(scene: Scene) -> Broken {
    try_with(scene, "verify", 1)
}

/// Runs xacct with these arguments on a broken link.
#[track_caller]
fn try_with(scene: Scene, words: &str, exit_code: i32) -> Broken {
    let document = scene.xacct_json(&with_code(&scene, words), exit_code);
    broken(scene, words, &document)
}

/// Takes the diagnosis from the document of a run with these arguments.
#[track_caller]
fn broken(scene: Scene, words: &str, document: &Value) -> Broken {
    let targets = document["targets"].as_object().expect("targets");
    assert_eq!(targets.len(), 1, "{document:#}");
    let diagnosis = targets.values().next().expect("a target")["diagnosis"].clone();
    assert!(diagnosis.is_object(), "no diagnosis\n{document:#}");
    crate::cases::record_for_test(&scene, &with_code(&scene, words), &diagnosis);
    Broken { scene, words: words.to_owned(), diagnosis }
}

impl Broken {
    /// Returns the causes in order.
    fn causes(&self) -> Vec<&str> {
        let findings = self.diagnosis["findings"].as_array().into_iter().flatten();
        findings.filter_map(|finding| finding["cause"].as_str()).collect()
    }

    /// Asserts that this is the first cause, on this side.
    #[track_caller]
    fn first(self, cause: &str, side: &str) -> Self {
        assert_eq!(self.causes().first().copied(), Some(cause), "{:#}", self.diagnosis);
        let finding = &self.diagnosis["findings"][0];
        assert_eq!(finding["side"], side, "{finding:#}");
        self
    }

    /// Asserts that this is the only cause.
    #[track_caller]
    fn only(self, cause: &str, side: &str) -> Self {
        let this = self.first(cause, side);
        assert_eq!(this.causes(), [cause], "{:#}", this.diagnosis);
        this
    }

    /// Asserts the certainty of the first finding.
    #[track_caller]
    fn certainty(self, certainty: &str) -> Self {
        assert_eq!(self.diagnosis["findings"][0]["certainty"], certainty, "{:#}", self.diagnosis);
        self
    }

    /// Asserts that the first finding shows a statement of this policy, with these elements marked.
    #[track_caller]
    fn marks(self, policy: &str, marked: &[&[&str]]) -> Self {
        let finding = &self.diagnosis["findings"][0];
        let evidence = finding["evidence"].as_array().into_iter().flatten();
        let shown: Vec<_> = evidence.filter(|evidence| evidence["statement"].is_object()).collect();
        let [shown] = &shown[..] else { panic!("not one statement: {finding:#}") };
        let shown = &shown["statement"];
        assert_eq!(shown["policy"], policy, "{finding:#}");
        assert_eq!(shown["marked"], json!(marked), "{finding:#}");
        for mark in marked {
            let element = mark.iter().fold(&shown["statement"], |value, key| &value[*key]);
            assert_ne!(element, &Value::Null, "the marked element exists: {mark:?} in {finding:#}");
        }
        self
    }

    /// Asserts that the first finding contains these texts.
    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        let finding = self.diagnosis["findings"][0].to_string();
        for word in words {
            assert!(finding.contains(word), "`{word}` is missing: {finding}");
        }
        self
    }

    /// Asserts that the first fix of the first finding, followed verbatim, repairs the link.
    #[track_caller]
    fn repairs(self) {
        self.repairs_by_hand(|_, step| panic!("a manual step: {step}"));
    }

    /// Asserts the same for a fix with manual steps.
    #[track_caller]
    fn repairs_by_hand(mut self, by_hand: impl FnMut(&mut Scene, &str)) {
        let fix = self.diagnosis["findings"][0]["fixes"][0].clone();
        apply(&mut self.scene, &fix, by_hand);
        works(&self.scene, &self.words);
        works(&self.scene, "verify");
    }

    /// Asserts the same for the first fixes of all findings together.
    #[track_caller]
    fn repairs_with_all(mut self) {
        let findings = self.diagnosis["findings"].as_array().cloned().unwrap_or_default();
        for finding in &findings {
            // After only one of the fixes the link may still be broken.
            apply_with(&mut self.scene, &finding["fixes"][0], |_, step| panic!("{step}"), &[0, 3]);
        }
        works(&self.scene, "verify");
    }
}

#[track_caller]
fn works(scene: &Scene, words: &str) {
    scene.xacct(&with_code(scene, words)).exits_with(0);
}

fn requires_mfa(scene: &Scene) -> bool {
    scene.environment.has("xacct.toml") && scene.environment.read("xacct.toml").contains("require_mfa = true")
}

/// Adds an MFA code if the link requires MFA; at a terminal xacct prompts for it.
fn with_code(scene: &Scene, words: &str) -> String {
    let words = match words.contains("NO-CODE") {
        true => words.replace("--NO-CODE", ""),
        false if requires_mfa(scene) && !words.contains("--mfa-code") => format!("{words} --mfa-code CODE"),
        false => words.to_owned(),
    };
    if words.contains("CODE") { words.replace("CODE", &scene.sandbox.totp("alice")) } else { words }
}

/// Follows a fix verbatim.
#[track_caller]
fn apply(scene: &mut Scene, fix: &Value, by_hand: impl FnMut(&mut Scene, &str)) {
    apply_with(scene, fix, by_hand, &[0]);
}

#[track_caller]
fn apply_with(scene: &mut Scene, fix: &Value, mut by_hand: impl FnMut(&mut Scene, &str), exit_codes: &[i32]) {
    let steps = fix["steps"].as_array().filter(|steps| !steps.is_empty()).unwrap_or_else(|| panic!("no fix: {fix}"));
    for step in steps {
        let (kind, what) = step.as_object().and_then(|step| step.iter().next()).expect("a step");
        match kind.as_str() {
            "run" => run(scene, &text(what), &mut by_hand, exit_codes),
            "write" => fixes::write(scene, what),
            "put" => put(scene, &text(&what["into"]), &what["statement"]),
            "do" => by_hand(scene, &text(what)),
            other => panic!("a step of an unknown kind: {other}"),
        }
    }
}

#[track_caller]
fn run(scene: &mut Scene, command: &str, by_hand: &mut impl FnMut(&mut Scene, &str), exit_codes: &[i32]) {
    let words = shlex::split(command).unwrap_or_else(|| panic!("not a single shell command: {command}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &words[..] {
        ["xacct", arguments @ ..] => {
            let asks = arguments.first() == Some(&"bootstrap") && requires_mfa(scene);
            let output =
                fixes::xacct(scene, &if asks { format!("{command} --mfa-code CODE") } else { command.to_owned() });
            assert!(exit_codes.contains(&output.code), "$ {command}\n{output}");
        }
        ["aws", "iam", ..] => aws_cli::run(scene, "none: the command names the profile", command),
        ["aws", "configure", "set", key, value, "--profile", profile] => {
            let section = format!("[profile {profile}]");
            fixes::write(scene, &json!({"file": "aws/config", "section": section, "line": format!("{key} = {value}")}));
        }
        ["aws", "configure", "--profile", _] => by_hand(scene, command),
        ["unset", names @ ..] => names.iter().for_each(|name| scene.environment.unset(name)),
        ["sudo", "timedatectl", "set-ntp", "true"] => scene.sandbox.clear_faults(),
        _ => panic!("a command that these tests cannot run: {command}"),
    }
}

/// Adds a statement to the trust policy of role `xacct`; fixes add statements to no other policy.
#[track_caller]
fn put(scene: &Scene, into: &str, statement: &Value) {
    assert_eq!(into, "the trust policy of role xacct");
    let mut trust = scene.trust_policy();
    trust["Statement"].as_array_mut().expect("statements").push(statement.clone());
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
}

/// Modifies the first statement of the trust policy.
fn change_trust(scene: &Scene, change: impl FnOnce(&mut Value)) {
    let mut trust = scene.trust_policy();
    change(&mut trust["Statement"][0]);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
}

/// Adds a Deny statement to the trust policy.
fn deny_in_trust(scene: &Scene, condition: Value) {
    let deny = json!({
        "Sid": "No",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:AssumeRole",
        "Condition": condition,
    });
    let mut trust = scene.trust_policy();
    trust["Statement"].as_array_mut().expect("statements").push(deny);
    scene.sandbox.world(|world| world.set_trust_policy(ACCOUNT_B, "xacct", &trust));
}

/// Adds a profile with these credentials.
fn add_profile(scene: &Scene, name: &str, key: &str, secret: &str, token: Option<&str>) {
    let token = token.map_or_else(String::new, |token| format!("aws_session_token = {token}\n"));
    scene.environment.append("aws/config", &format!("\n[profile {name}]\nregion = us-east-1\n"));
    let secret = format!("aws_secret_access_key = {secret}");
    scene.environment.append("aws/credentials", &format!("\n[{name}]\naws_access_key_id = {key}\n{secret}\n{token}"));
}

/// Configures this profile as the user's.
fn try_as(scene: &Scene, profile: &str) {
    scene.environment.edit("xacct.toml", "user_profile = \"alice\"", &format!("user_profile = \"{profile}\""));
}
