//! A finding: one problem of a link with its cause, certainty, evidence and fixes.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::cause::{Cause, Side};
use super::fix::Fix;
use super::statement::StatementRef;
use crate::error::AwsAnswer;
use crate::iam::evaluate::Mismatch;

/// How certain a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// AWS's answer or the policies show it.
    Certain,
    /// All facts agree with this cause and with no other.
    Likely,
}

/// One problem of a link.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The kind of problem.
    #[serde(serialize_with = "as_id")]
    pub cause: Cause,
    /// The side on which it lies.
    pub side: Side,
    /// How certain it is.
    pub certainty: Certainty,
    /// Whether the request did not get that far: only the policies show that this would fail next.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub foreseen: bool,
    /// Whether the same request can succeed later, with nothing changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub waiting_helps: bool,
    /// The problem as a sentence without full stop.
    pub summary: String,
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// The fixes. The first is enough; the others are alternatives.
    pub fixes: Vec<Fix>,
}

/// Evidence of a problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A fact in words.
    Fact(String),
    /// AWS's answer.
    #[serde(rename = "fact", serialize_with = "as_said")]
    Answer(AwsAnswer),
    /// A statement of a policy.
    Statement {
        /// The policy, such as `trust policy of role xacct`.
        policy: String,
        /// The number of the statement in the policy, starting at 1.
        number: usize,
        /// The statement.
        statement: Value,
        /// The elements at fault, each as its path of keys.
        marked: Vec<Vec<String>>,
    },
}

/// A possible cause, and how to check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Possibility {
    /// The possible cause, as a fragment.
    pub what: String,
    /// How to check it.
    pub decided_by: String,
}

impl Finding {
    pub(super) fn new(cause: Cause, summary: impl Into<String>) -> Self {
        Self {
            cause,
            side: cause.side(),
            certainty: Certainty::Certain,
            foreseen: false,
            waiting_helps: cause.waiting_helps(),
            summary: summary.into(),
            evidence: Vec::new(),
            fixes: Vec::new(),
        }
    }

    pub(super) fn likely(self) -> Self {
        Self { certainty: Certainty::Likely, ..self }
    }

    /// Marks what the request did not reach.
    pub(super) fn foreseen(self) -> Self {
        Self { foreseen: true, ..self }
    }

    pub(super) fn on(self, side: Side) -> Self {
        Self { side, ..self }
    }

    pub(super) fn because(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    pub(super) fn fact(self, words: impl Into<String>) -> Self {
        self.because(Evidence::Fact(words.into()))
    }

    pub(super) fn said(self, answer: &AwsAnswer) -> Self {
        self.because(Evidence::Answer(answer.clone()))
    }

    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }
}

impl Evidence {
    /// Returns a statement with these elements marked.
    pub(super) fn of(place: &StatementRef<'_>, marked: Vec<Vec<String>>) -> Self {
        Self::Statement {
            policy: place.policy.words(),
            number: place.number,
            statement: place.statement.to_value(),
            marked,
        }
    }

    /// Returns a statement with the elements marked that do not match the request.
    pub(super) fn mismatched(place: &StatementRef<'_>, mismatches: &[Mismatch]) -> Self {
        Self::of(place, mismatches.iter().map(|mismatch| place.mark(mismatch)).collect())
    }

    /// Returns a statement that denies the request.
    pub(super) fn denial(place: &StatementRef<'_>) -> Self {
        Self::of(place, vec![vec!["Effect".to_owned()]])
    }
}

/// Returns AWS's answer in words.
#[must_use]
pub fn said(answer: &AwsAnswer) -> String {
    format!("AWS response: {answer}")
}

fn as_said<S: Serializer>(answer: &AwsAnswer, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&said(answer))
}

fn as_id<S: Serializer>(cause: &Cause, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.id())
}
