//! The JSON documents, in types of their own, so that the output changes only on purpose.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::changes::{self, Mood};
use crate::error::{AwsAnswer, Error, ExitCode, Kind};
use crate::iam::arn::PrincipalRef;
use crate::iam::plan::Plan;
use crate::iam::state::FoundDocument;
use crate::proof::{Proof, Step};

/// The version of the schema.
pub const SCHEMA_VERSION: u32 = 1;

/// The first fields of every document.
#[derive(Debug, Serialize)]
pub struct Document<T> {
    schema_version: u32,
    command: &'static str,
    exit_code: u8,
    #[serde(flatten)]
    body: T,
}

/// What a document says of each target or account, by its name.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct ByName(BTreeMap<String, Value>);

impl<T: Serialize> FromIterator<(String, T)> for ByName {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(items: I) -> Self {
        let mut all = BTreeMap::new();
        // A map of `T` would be code of its own for each command.
        for (name, item) in items {
            all.insert(name, to_value(&item));
        }
        Self(all)
    }
}

/// Returns a document.
#[must_use]
pub fn value<T: Serialize>(command: &'static str, exit_code: ExitCode, body: T) -> Value {
    let document = Document { schema_version: SCHEMA_VERSION, command, exit_code: exit_code as u8, body };
    to_value(&document)
}

/// Serialising cannot fail: every type here consists of strings, numbers, lists and maps with string keys.
fn to_value<T: Serialize>(it: &T) -> Value {
    serde_json::to_value(it).unwrap_or_default()
}

/// Returns a document as text.
#[must_use]
pub fn document<T: Serialize>(command: &'static str, exit_code: ExitCode, body: T) -> String {
    text(&value(command, exit_code, body))
}

/// Returns a document as it is printed.
#[must_use]
pub fn text(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}

/// The body of the document of a failed command.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// The error.
    pub error: JsonError,
}

/// An error.
#[derive(Debug, Serialize)]
pub struct JsonError {
    kind: Kind,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws: Option<AwsAnswer>,
    notes: Vec<String>,
    hints: Vec<String>,
}

impl From<&Error> for JsonError {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind,
            message: error.message.clone(),
            // The status adds nothing to the code.
            aws: error.aws.as_deref().map(|answer| AwsAnswer { status: None, ..answer.clone() }),
            notes: error.notes.clone(),
            hints: error.hints.clone(),
        }
    }
}

/// The operator of an account.
#[derive(Debug, Serialize)]
pub struct Operator {
    /// The account.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
    /// Which credentials: `profile dev-admin`, `environment`, …
    pub credentials: String,
    /// Custom endpoints.
    pub endpoints: Vec<String>,
}

/// One change.
#[derive(Debug, Serialize)]
pub struct JsonChange {
    action: &'static str,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<Value>,
}

/// Returns the changes of a plan.
#[must_use]
pub fn plan_changes(plan: &Plan, role: &str) -> Vec<JsonChange> {
    let changes = plan.changes.iter().map(|change| JsonChange {
        action: changes::action(change),
        summary: changes::sentence(change, role, Mood::Would),
        document: change.document().map(crate::iam::policy::PolicyDocument::to_value),
        replaces: change.replaced().map(|found| match found {
            FoundDocument::Policy(document) => document.to_value(),
            FoundDocument::Unparsed { text, .. } => Value::String(text.clone()),
        }),
    });
    changes.collect()
}

/// Returns the notes of a plan.
#[must_use]
pub fn plan_notes(plan: &Plan) -> Vec<String> {
    plan.notes.iter().map(changes::note).collect()
}

/// Returns the warnings of a plan.
#[must_use]
pub fn plan_warnings(plan: &Plan) -> Vec<String> {
    plan.warnings.iter().map(changes::warning).collect()
}

/// One proof.
#[derive(Debug, Serialize)]
pub struct JsonProof {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tested_as: Option<String>,
    /// The version of xacct.
    xacct_version: &'static str,
    started_at: String,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_after_ms: Option<u64>,
    steps: Vec<JsonStep>,
}

/// The trust policy of the role of a link, as its test read it.
#[derive(Debug, Serialize)]
pub struct JsonTrust {
    policy: String,
    document: Value,
    deciding: Vec<usize>,
}

/// Returns the trust policy that a test read, if it read one.
#[must_use]
pub fn trust_policy(proof: &crate::error::Result<Proof>, role: &str) -> Option<JsonTrust> {
    let proof = proof.as_ref().ok()?;
    let document = proof.role.as_ref()?.trust.policy()?.to_value();
    Some(JsonTrust { policy: format!("trust policy of role {role}"), document, deciding: proof.deciding.clone() })
}

#[derive(Debug, Serialize)]
struct JsonStep {
    id: &'static str,
    outcome: &'static str,
    duration_ms: u64,
    evidence: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    request_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl From<&Proof> for JsonProof {
    fn from(proof: &Proof) -> Self {
        Self {
            outcome: proof.outcome.id(),
            tested_as: proof.tested_as.as_ref().map(PrincipalRef::label),
            xacct_version: env!("CARGO_PKG_VERSION"),
            started_at: in_seconds(proof.started_at),
            duration_ms: milliseconds(proof.duration),
            ready_after_ms: proof.ready_after.map(milliseconds),
            steps: proof.steps.iter().map(JsonStep::from).collect(),
        }
    }
}

impl From<&Step> for JsonStep {
    fn from(step: &Step) -> Self {
        Self {
            id: step.id.id(),
            outcome: step.outcome.id(),
            duration_ms: milliseconds(step.duration),
            evidence: step.evidence.clone(),
            request_ids: step.request_ids.clone(),
            error: step.error.as_ref().map(JsonError::from),
            warnings: step.warnings.clone(),
            notes: step.notes.clone(),
        }
    }
}

/// Returns a time as in RFC 3339, in whole seconds.
#[must_use]
pub fn in_seconds(time: OffsetDateTime) -> String {
    // Formatting fails only for years of more than four digits, which no machine's clock shows.
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}

/// Returns a duration in milliseconds.
#[must_use]
pub fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
