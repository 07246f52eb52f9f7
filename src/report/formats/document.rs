//! The JSON document as reports read it: what they show of any command, in one type. `output.schema.json` explains the
//! fields.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::report::json::SCHEMA_VERSION;

/// A document that a command printed, now or earlier.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the schema documents the fields")]
pub struct Document {
    pub schema_version: u32,
    pub command: String,
    pub exit_code: u8,
    pub fail_on: Option<Vec<String>>,
    pub source: Source,
    pub targets: BTreeMap<String, Target>,
    pub permission_sets: Vec<PermissionSet>,
    pub orphans: Option<Orphans>,
    pub applied: Option<bool>,
    pub error: Option<Problem>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Source {
    pub account: Option<String>,
    pub differs: Option<bool>,
    pub changes: Vec<Change>,
    pub notes: Vec<String>,
    pub warnings: Vec<String>,
    pub error: Option<Problem>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Target {
    pub account: Option<String>,
    pub role: Option<String>,
    pub role_arn: Option<String>,
    pub principals: Vec<String>,
    /// What `diagnose` has instead.
    pub user: Option<String>,
    pub differs: Option<bool>,
    pub changes: Option<Vec<Change>>,
    pub notes: Vec<String>,
    pub warnings: Vec<String>,
    pub drift: Option<Drift>,
    pub trust_policy: Option<Policy>,
    pub verification: Option<Verification>,
    pub refusal: Option<Refusal>,
    pub diagnosis: Option<Diagnosis>,
    pub error: Option<Problem>,
}

impl Target {
    /// Returns the test of its access or of its refusal, if there was one.
    pub fn test(&self) -> Option<&Test> {
        self.verification.as_ref().map(|it| &it.test).or(self.refusal.as_ref().map(|it| &it.test))
    }
}

/// What every test says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Test {
    pub outcome: String,
    pub started_at: String,
    pub unchanged_since: Option<String>,
    pub duration_ms: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Change {
    pub action: String,
    pub summary: String,
    pub document: Option<Value>,
    pub replaces: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Drift {
    pub differs: Option<bool>,
    pub changes: Vec<Change>,
    pub error: Option<Problem>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PermissionSet {
    pub permission_set: String,
    pub missing: Vec<String>,
    pub commands: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Orphans {
    pub roles: Vec<OrphanedRole>,
    pub grants: Vec<OrphanedGrant>,
    pub unchecked: Vec<Unchecked>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OrphanedRole {
    pub role_arn: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OrphanedGrant {
    pub principal: String,
    pub role_arns: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Unchecked {
    pub account: String,
    pub reason: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Verification {
    #[serde(flatten)]
    pub test: Test,
    pub tested_as: Option<String>,
    pub xacct_version: String,
    pub ready_after_ms: Option<u64>,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Step {
    pub id: String,
    pub outcome: String,
    pub duration_ms: u64,
    pub evidence: String,
    pub request_ids: Vec<String>,
    pub error: Option<Problem>,
    pub warnings: Vec<String>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Refusal {
    #[serde(flatten)]
    pub test: Test,
    pub caller: Option<String>,
    pub evidence: String,
    pub request_ids: Vec<String>,
    pub notes: Vec<String>,
    pub error: Option<Problem>,
}

/// An error.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Problem {
    pub kind: String,
    pub message: String,
    pub aws: Option<Answer>,
    pub notes: Vec<String>,
    pub hints: Vec<String>,
}

/// AWS's answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Answer {
    pub service: String,
    pub operation: String,
    pub code: Option<String>,
    pub message: Option<String>,
    pub request_id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Diagnosis {
    pub evaluated: Option<Evaluated>,
    pub findings: Vec<Finding>,
    pub possible: Vec<Possibility>,
    pub unread: Vec<Unread>,
    pub layers: Vec<Layer>,
    pub policies: Vec<Policy>,
    pub warnings: Vec<String>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Evaluated {
    #[serde(rename = "as")]
    pub principal: String,
    pub verdict: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Finding {
    pub cause: String,
    pub side: String,
    pub certainty: String,
    pub summary: String,
    pub evidence: Vec<Evidence>,
    pub fixes: Vec<Fix>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Evidence {
    pub fact: Option<String>,
    pub statement: Option<Statement>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Statement {
    pub policy: String,
    pub number: usize,
    pub statement: Value,
    pub marked: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Fix {
    pub who: String,
    pub steps: Vec<FixStep>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FixStep {
    pub run: Option<String>,
    pub write: Option<Line>,
    pub put: Option<Put>,
    #[serde(rename = "do")]
    pub manual: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Line {
    pub file: String,
    pub section: String,
    pub line: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Put {
    pub into: String,
    pub statement: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Possibility {
    pub what: String,
    pub decided_by: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Unread {
    pub what: String,
    pub permission: String,
    pub answer: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Layer {
    pub name: String,
    pub verdict: String,
    pub reasons: Vec<String>,
}

/// A policy as it was read, and which of its statements decide, by their numbers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub policy: String,
    pub document: Value,
    pub deciding: Vec<usize>,
}

impl Document {
    /// Returns the document that a JSON value is; the error says why it is none.
    ///
    /// # Errors
    /// When it has another form, or another version of the schema.
    pub fn read(value: Value) -> Result<Self, String> {
        let document: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        match document.schema_version {
            SCHEMA_VERSION => Ok(document),
            other => Err(format!("it has schema_version {other}, not {SCHEMA_VERSION}")),
        }
    }
}
