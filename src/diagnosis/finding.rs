//! One thing that is wrong with a link: its cause, how sure it is, what shows it and what to do.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::cause::{Cause, Side};
use super::fix::Fix;
use super::statement::StatementRef;
use crate::error::AwsAnswer;
use crate::iam::evaluate::Mismatch;

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// AWS or the policies say so.
    Certain,
    /// Everything that was read agrees with it, and with nothing else.
    Likely,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    #[serde(serialize_with = "as_id")]
    pub cause: Cause,
    /// Where it lies.
    pub side: Side,
    /// How sure it is.
    pub certainty: Certainty,
    /// What is wrong, in a sentence without its full stop.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// What to do. The first is enough; the others are alternatives.
    pub fixes: Vec<Fix>,
}

/// What shows that something is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A fact in words.
    Fact(String),
    /// AWS's own answer.
    #[serde(rename = "fact", serialize_with = "as_said")]
    Answer(AwsAnswer),
    /// A statement of a policy.
    Statement {
        /// The policy, such as `trust policy of role xacct`.
        policy: String,
        /// The number of the statement in it, from 1.
        number: usize,
        /// The statement.
        statement: Value,
        /// The elements at fault, each as the keys that lead to it.
        marked: Vec<Vec<String>>,
    },
}

/// What may be wrong, and what would show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Possibility {
    /// What may be wrong, in a fragment.
    pub what: String,
    /// The one reading that would decide.
    pub decided_by: String,
}

impl Finding {
    pub(super) fn new(cause: Cause, summary: impl Into<String>) -> Self {
        Self {
            cause,
            side: cause.side(),
            certainty: Certainty::Certain,
            summary: summary.into(),
            evidence: Vec::new(),
            fixes: Vec::new(),
        }
    }

    pub(super) fn likely(self) -> Self {
        Self { certainty: Certainty::Likely, ..self }
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
    /// A statement, with these elements marked.
    pub(super) fn of(place: &StatementRef<'_>, marked: Vec<Vec<String>>) -> Self {
        Self::Statement {
            policy: place.policy.words(),
            number: place.number,
            statement: place.statement.to_value(),
            marked,
        }
    }

    /// A statement, with the elements marked for which it does not apply.
    pub(super) fn mismatched(place: &StatementRef<'_>, mismatches: &[Mismatch]) -> Self {
        Self::of(place, mismatches.iter().map(|mismatch| place.mark(mismatch)).collect())
    }

    /// A statement that denies.
    pub(super) fn denial(place: &StatementRef<'_>) -> Self {
        Self::of(place, vec![vec!["Effect".to_owned()]])
    }
}

/// AWS's answer as a fact in words.
#[must_use]
pub fn said(answer: &AwsAnswer) -> String {
    format!("AWS said: {answer}")
}

fn as_said<S: Serializer>(answer: &AwsAnswer, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&said(answer))
}

fn as_id<S: Serializer>(cause: &Cause, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.id())
}
