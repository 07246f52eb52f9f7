//! The diagnosis of one link, for people and for programs.

use serde::Serialize;

use crate::answers::cause::Cause;
use crate::diagnosis::{Diagnosis, Message};
use crate::error::{Error, ExitCode, Result};
use crate::operations::evaluation;
use crate::proof::{Outcome, Proof};
use crate::report::console::count;
use crate::report::json::{JsonError, JsonProof};
use crate::report::several::{self, Own};
use crate::report::{diagnosis, proof};
use crate::text::shell::ShellCommand;

/// The result of diagnosing one link.
pub struct Diagnosed {
    pub name: String,
    pub account: String,
    /// The name of the role, below its path.
    pub role_name: String,
    /// Its ARN.
    pub role: String,
    pub user: String,
    pub proof: Option<Result<Proof>>,
    pub diagnosis: Option<Diagnosis>,
    /// What to send to whoever can read or test what is missing.
    pub messages: Vec<Message>,
    /// Why the facts file could not be written.
    pub not_saved: Option<Error>,
}

impl Diagnosed {
    /// Returns the exit code for this link.
    pub fn exit_code(&self) -> ExitCode {
        if let Some(error) = &self.not_saved {
            return error.kind.exit_code();
        }
        match (&self.diagnosis, &self.proof) {
            (None, Some(Err(error))) => error.kind.exit_code(),
            (None, _) => ExitCode::Unproven,
            (Some(Diagnosis { evaluated: Some(evaluated), .. }), _) => evaluation::exit_code(evaluated.verdict),
            (Some(diagnosis), proof) => {
                let is_proven = !matches!(proof, Some(Err(_)));
                if is_proven && diagnosis.findings.is_empty() && diagnosis.possible.is_empty() {
                    return ExitCode::Done;
                }
                let causes = || diagnosis.findings.iter().map(|finding| finding.cause);
                if causes().any(Cause::ends_tests) {
                    return ExitCode::Error;
                }
                let is_unproven = match proof {
                    _ if causes().next().is_some() => causes().all(Cause::says_nothing),
                    Some(Ok(proof)) => proof.outcome == Outcome::NotProven,
                    _ => false,
                };
                if is_unproven { ExitCode::Unproven } else { ExitCode::BrokenOrOpen }
            }
        }
    }

    /// Returns why there is neither a diagnosis nor a working link.
    fn error(&self) -> Option<&Error> {
        match self.proof.as_ref()? {
            Ok(proof) => proof.unreached(),
            Err(error) => Some(error),
        }
    }

    /// Returns the result in two words, for tables.
    pub fn result(&self) -> String {
        match &self.diagnosis {
            Some(Diagnosis { evaluated: Some(evaluated), .. }) => {
                diagnosis::evaluated_in_short(evaluated.verdict).to_owned()
            }
            _ if self.exit_code() == ExitCode::Done => "no problems".to_owned(),
            Some(diagnosis) if !diagnosis.findings.is_empty() => count(diagnosis.findings.len(), "problem"),
            Some(_) => "inconclusive".to_owned(),
            None if self.exit_code() == ExitCode::Unproven => "inconclusive".to_owned(),
            None => "error".to_owned(),
        }
    }

    /// Returns the cause in a few words; empty if there is no problem.
    pub fn cause(&self) -> String {
        if self.exit_code() == ExitCode::Done {
            return String::new();
        }
        match (self.diagnosis.as_ref().and_then(diagnosis::cause_in_short), &self.proof) {
            (Some(cause), _) => cause,
            (None, Some(proof)) => proof::cause_in_short(proof, None),
            (None, None) => String::new(),
        }
    }

    /// Returns what tells its problems from those of other links.
    pub fn essence(&self) -> Option<String> {
        let proof = self.proof.as_ref().and_then(|proof| proof.as_ref().ok());
        proof::essence(proof, self.diagnosis.as_ref(), &self.account)
    }

    /// Returns what a report says even of a link without problems: warnings, notes, what could not be read.
    pub fn remarks(&self) -> Vec<Own> {
        let Some(diagnosis) = &self.diagnosis else { return Vec::new() };
        // A note may end with the command that tests what it is about.
        let test = |target: &str| ShellCommand::new("xacct").arg("verify").arg(target).to_string();
        let own = |text: &str| {
            let before = text.strip_suffix(&test(&self.name));
            let text = before.map_or_else(|| text.to_owned(), |before| format!("{before}{}", test("TARGET")));
            several::of_any_account(&text, &self.account)
        };
        diagnosis::remarks(diagnosis).into_iter().map(|text| Own { of_any: own(&text), text }).collect()
    }

    /// Returns the text for people.
    pub fn text(&self, width: u16) -> String {
        let mut text = format!("{} → {}\n", self.user, self.role);
        match (&self.diagnosis, &self.proof) {
            (Some(diagnosis), proof) => {
                if let Some(Ok(proof)) = proof {
                    text.push_str(&format!("{}\n\n", proof::step_table(proof, &self.user, width)));
                }
                text.push_str(&diagnosis::text(diagnosis, width));
            }
            (None, Some(Ok(proof))) => text.push_str(&proof::steps(proof, None, &self.user, width)),
            (None, Some(Err(error))) => text.push_str(&crate::report::console::error_text(error)),
            (None, _) => {}
        }
        if !self.messages.is_empty() {
            text.push_str(&format!("\n\n{}", diagnosis::messages_text(&self.messages, width)));
        }
        text
    }
}

/// The same for programs.
#[derive(Serialize)]
pub struct JsonDiagnosed {
    role_arn: String,
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<JsonProof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

impl From<&Diagnosed> for JsonDiagnosed {
    fn from(diagnosed: &Diagnosed) -> Self {
        Self {
            role_arn: diagnosed.role.clone(),
            user: diagnosed.user.clone(),
            verification: diagnosed.proof.as_ref().and_then(|proof| proof.as_ref().ok()).map(JsonProof::from),
            diagnosis: diagnosed.diagnosis.clone(),
            error: diagnosed.error().map(JsonError::from),
            messages: diagnosed.messages.clone(),
        }
    }
}
