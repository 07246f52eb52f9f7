//! The diagnosis of one link, for people and for programs.

use serde::Serialize;

use crate::diagnosis::{Diagnosis, Message};
use crate::error::{Error, ExitCode, Result};
use crate::proof::Proof;
use crate::report::json::JsonError;
use crate::report::{diagnosis, proof};

/// The result of diagnosing one link.
pub struct Diagnosed {
    pub name: String,
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
            (Some(diagnosis), proof) => {
                let is_proven = !matches!(proof, Some(Err(_)));
                let is_fine = diagnosis.findings.is_empty() && diagnosis.possible.is_empty();
                if is_fine && is_proven { ExitCode::Done } else { ExitCode::NotProven }
            }
            (None, _) => ExitCode::NotProven,
        }
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
    diagnosis: Option<Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

impl From<&Diagnosed> for JsonDiagnosed {
    fn from(diagnosed: &Diagnosed) -> Self {
        let error = diagnosed.proof.as_ref().and_then(|proof| proof.as_ref().err());
        Self {
            role_arn: diagnosed.role.clone(),
            user: diagnosed.user.clone(),
            diagnosis: diagnosed.diagnosis.clone(),
            error: error.map(JsonError::from),
            messages: diagnosed.messages.clone(),
        }
    }
}
