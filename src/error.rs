//! The one error type: its kind, a message, AWS's answer if there was one, notes and hints.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::answers::{self, Meaning, Passes, Row};
use crate::iam::invalid::Invalid;
use crate::iam::policy::PolicyError;
use crate::text::on_one_line;

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The exit codes of xacct. A "no" is an answer, not an error, and has a code of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: done, or access works.
    Done = 0,
    /// 1: something went wrong.
    Error = 1,
    /// 2: an argument or a setting in `xacct.toml` is invalid.
    Usage = 2,
    /// 3: access does not work, or is too open; `who` could not read everything.
    BrokenOrOpen = 3,
    /// 4: the accounts differ from `xacct.toml` (any `--check`).
    ChangesPending = 4,
    /// 5: access could not be tested: AWS throttled or failed, could not be reached, or credentials of the user are missing.
    Unproven = 5,
    /// 129: the terminal was closed (SIGHUP).
    HungUp = 129,
    /// 130: interrupted with Ctrl-C.
    Interrupted = 130,
    /// 143: terminated by SIGTERM.
    Terminated = 143,
}

impl ExitCode {
    /// Returns the worst of several exit codes. An error is worse than a "no", because it leaves the state of the link
    /// unknown.
    #[must_use]
    pub fn worst(codes: impl IntoIterator<Item = Self>) -> Self {
        let severity = |code: &Self| match code {
            Self::Done => 0,
            Self::ChangesPending => 1,
            Self::Unproven => 2,
            Self::BrokenOrOpen => 3,
            Self::Usage => 4,
            Self::Error => 5,
            Self::HungUp | Self::Interrupted | Self::Terminated => 6,
        };
        codes.into_iter().max_by_key(severity).unwrap_or(Self::Done)
    }
}

/// How the process ends: with an exit code of xacct, or with that of the command that `exec` ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With an exit code of xacct.
    Xacct(ExitCode),
    /// With the exit code of the command, or 128 plus the number of the signal that killed it.
    Command(u8),
}

impl Ended {
    /// Returns the exit code of the process.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Xacct(code) => code as i32,
            Self::Command(code) => code.into(),
        }
    }
}

impl From<ExitCode> for Ended {
    fn from(code: ExitCode) -> Self {
        Self::Xacct(code)
    }
}

/// The kind of an error. It decides the exit code and is part of the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An invalid value or combination of options; nothing was sent to AWS.
    Usage,
    /// Credentials are missing, expired, or belong to the wrong account or kind of principal.
    Credentials,
    /// xacct refuses to do this given the state of the accounts; nothing was written.
    Refused,
    /// AWS returned an error.
    Aws,
    /// The user cannot assume the role.
    NoAccess,
    /// AWS could not be reached, or timed out.
    Network,
    /// A file could not be read or written.
    File,
    /// The user cancelled at a prompt.
    Declined,
    /// The terminal was closed (SIGHUP).
    HungUp,
    /// Interrupted with Ctrl-C.
    Interrupted,
    /// Terminated by SIGTERM.
    Terminated,
    /// A bug in xacct; please report it.
    Internal,
}

impl Kind {
    /// Returns the exit code for an error of this kind.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Usage => ExitCode::Usage,
            Self::NoAccess => ExitCode::BrokenOrOpen,
            Self::HungUp => ExitCode::HungUp,
            Self::Interrupted => ExitCode::Interrupted,
            Self::Terminated => ExitCode::Terminated,
            _ => ExitCode::Error,
        }
    }
}

/// An error response of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsAnswer {
    /// The service, such as `iam`.
    pub service: Cow<'static, str>,
    /// The operation, such as `CreateRole`.
    pub operation: Cow<'static, str>,
    /// The error code, such as `AccessDenied`.
    pub code: Option<String>,
    /// The error message.
    pub message: Option<String>,
    /// The request ID, which AWS support asks for.
    pub request_id: Option<String>,
    /// The HTTP status. Facts files of older versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl AwsAnswer {
    /// Returns what xacct knows about this answer.
    #[must_use]
    pub fn row(&self) -> Option<&'static Row> {
        let message = self.message.as_deref().unwrap_or_default();
        answers::look_up(&self.service, self.code.as_deref().unwrap_or_default(), message)
    }

    /// Whether AWS denied the request because a permission is missing.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        self.row().is_some_and(|row| row.meaning.is_denial())
    }

    /// Whether AWS, or a proxy before it, throttled the request.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.status == Some(429) || self.row().is_some_and(|row| row.meaning == Meaning::Throttled)
    }
}

impl fmt::Display for AwsAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation.is_empty() {
            // A pasted message may not name it.
            true => f.write_str(&self.service)?,
            false => write!(f, "{}:{}", self.service, self.operation)?,
        }
        if let Some(code) = &self.code {
            write!(f, " returned {}", on_one_line(code))?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {}", on_one_line(message))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {})", on_one_line(id))?;
        }
        Ok(())
    }
}

/// An error, worded for the person who can fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind, which decides the exit code.
    pub kind: Kind,
    /// One lower-case fragment, with user values in backticks.
    pub message: String,
    /// The part at the end of the message that is the output of another program. It may contain secrets, so it is not written
    /// to files.
    pub said: Option<Box<str>>,
    /// AWS's answer, if there was one.
    pub aws: Option<Box<AwsAnswer>>,
    /// Whether the request failed in a way that does not show whether AWS carried it out.
    pub may_have_been_done: bool,
    /// Notes, one fact each.
    pub notes: Vec<String>,
    /// Hints, one action each.
    pub hints: Vec<String>,
    /// The underlying error, if any.
    pub source: Option<Source>,
}

/// The underlying error of an [`Error`]. `Debug` shows only its message, because the debug output of a library's error may
/// contain a whole request.
#[derive(Clone)]
pub struct Source(Arc<dyn std::error::Error + Send + Sync>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl Eq for Source {}

/// The message of a declined confirmation.
const CANCELLED: &str = "cancelled; nothing was changed";

impl Error {
    /// Creates an error with a message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            said: None,
            aws: None,
            may_have_been_done: false,
            notes: Vec::new(),
            hints: Vec::new(),
            source: None,
        }
    }

    /// Creates a usage error: an invalid value or combination of options.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Creates the error of a person who declined to confirm: with `n`, or with Ctrl-C ([`Kind::Interrupted`]).
    #[must_use]
    pub fn cancelled(kind: Kind) -> Self {
        Self::new(kind, CANCELLED)
    }

    /// Whether a person declined to confirm. To them this is no error.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.message == CANCELLED
    }

    /// Adds a note: one fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Appends the output of another program to the message.
    #[must_use]
    pub fn said(mut self, words: String) -> Self {
        self.message = format!("{}: {words}", self.message);
        self.said = Some(words.into());
        self
    }

    /// Returns the message without the output of another program.
    #[must_use]
    pub fn own_message(&self) -> &str {
        let own = self.said.as_ref().and_then(|said| self.message.strip_suffix(&**said)?.strip_suffix(": "));
        own.unwrap_or(&self.message)
    }

    /// Returns the message and AWS's answer, without the output of another program.
    #[must_use]
    pub fn own_message_and_answer(&self) -> String {
        match &self.aws {
            Some(answer) => format!("{}: {answer}", self.own_message()),
            None => self.own_message().to_owned(),
        }
    }

    /// Records the underlying error. The message already contains what the user needs to know about it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Source(Arc::from(source.into())));
        self
    }

    /// Adds a hint: one action.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Prefixes the message with what was being done.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// Returns AWS's error code, such as `AccessDenied`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.aws.as_ref()?.code.as_deref()
    }

    /// Whether AWS denied the request because a permission is missing.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        self.aws.as_deref().is_some_and(AwsAnswer::is_denial)
    }

    /// Returns what AWS's answer means, if there was one that xacct knows.
    #[must_use]
    pub fn meaning(&self) -> Option<Meaning> {
        self.aws.as_deref().and_then(AwsAnswer::row).map(|row| row.meaning)
    }

    /// Whether AWS's answer says nothing about the link, or xacct does not know it.
    #[must_use]
    pub fn is_inconclusive(&self) -> bool {
        self.meaning().is_none_or(Meaning::is_inconclusive)
    }

    /// Whether AWS was too busy to answer, or failed.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let failed = |answer: &AwsAnswer| answer.is_throttled() || answer.status.is_some_and(|status| status >= 500);
        self.passes() == Passes::InMoments || self.aws.as_deref().is_some_and(failed)
    }

    /// Whether the same request can succeed later. An answer that xacct does not know never passes.
    #[must_use]
    pub fn passes(&self) -> Passes {
        self.aws.as_deref().and_then(AwsAnswer::row).map_or(Passes::Never, |row| row.passes)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|Source(source)| &**source as _)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::usage(invalid.to_string()).hint(invalid.fix)
    }
}

impl From<PolicyError> for Error {
    fn from(error: PolicyError) -> Self {
        Self::usage(error.to_string())
    }
}

#[cfg(test)]
mod tests;
