//! One error type: what kind it is, what happened, AWS's answer if there was one, and what to do.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::iam::invalid::Invalid;
use crate::iam::policy::PolicyError;
use crate::text::on_one_line;

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// How the program ends. A "no" is an answer and has its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: done, or access works.
    Done = 0,
    /// 1: something went wrong.
    Error = 1,
    /// 2: what was typed, or what stands in `xacct.toml`, cannot be used.
    Usage = 2,
    /// 3: access does not work, or works where it must not, or could not be proven.
    NotProven = 3,
    /// 4: `bootstrap --check` or `teardown --check` found changes to make.
    ChangesPending = 4,
    /// 129: the terminal went away (SIGHUP).
    HungUp = 129,
    /// 130: interrupted with Ctrl-C.
    Interrupted = 130,
    /// 143: ended by SIGTERM.
    Terminated = 143,
}

impl ExitCode {
    /// The exit code of several results: the worst of theirs. An error is worse than a "no", because it says nothing about
    /// the link.
    #[must_use]
    pub fn worst(codes: impl IntoIterator<Item = Self>) -> Self {
        let severity = |code: &Self| match code {
            Self::Done => 0,
            Self::ChangesPending => 1,
            Self::NotProven => 2,
            Self::Usage => 3,
            Self::Error => 4,
            Self::HungUp | Self::Interrupted | Self::Terminated => 5,
        };
        codes.into_iter().max_by_key(severity).unwrap_or(Self::Done)
    }
}

/// How the process ends: as xacct itself, or as the command that it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As xacct.
    Xacct(ExitCode),
    /// As the command: with its exit code, or with 128 and the signal that ended it.
    Command(u8),
}

impl Ended {
    /// The exit code of the process.
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

/// What kind of thing went wrong. It decides the exit code, and stands in the JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A value or combination that xacct does not accept; nothing was sent to AWS.
    Usage,
    /// Credentials that are missing, expired, or of the wrong account or kind.
    Credentials,
    /// xacct declines to do this in the accounts as they are; nothing was written.
    Refused,
    /// AWS answered with an error.
    Aws,
    /// The link does not let the user in.
    NoAccess,
    /// AWS could not be reached, or did not answer in time.
    Network,
    /// A file could not be read or written.
    File,
    /// The person at the terminal said no.
    Declined,
    /// The terminal went away.
    HungUp,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// xacct itself is wrong; please report it.
    Internal,
}

impl Kind {
    /// The exit code of a command that ends with an error of this kind.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Usage => ExitCode::Usage,
            Self::NoAccess => ExitCode::NotProven,
            Self::HungUp => ExitCode::HungUp,
            Self::Interrupted => ExitCode::Interrupted,
            Self::Terminated => ExitCode::Terminated,
            _ => ExitCode::Error,
        }
    }
}

/// What AWS answered, for whoever has to look it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsAnswer {
    /// Such as `iam`.
    pub service: Cow<'static, str>,
    /// Such as `CreateRole`.
    pub operation: Cow<'static, str>,
    /// AWS's error code, such as `AccessDenied`.
    pub code: Option<String>,
    /// AWS's message.
    pub message: Option<String>,
    /// The request ID, which AWS support asks for.
    pub request_id: Option<String>,
}

impl AwsAnswer {
    /// Whether AWS denied the request for want of permission, and not for any other reason. IAM, STS and S3 answer
    /// `AccessDenied`; services with other protocols, and endpoints that stand in for AWS, use the other two codes.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        matches!(self.code.as_deref(), Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation"))
    }
}

impl fmt::Display for AwsAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.operation)?;
        if let Some(code) = &self.code {
            write!(f, " answered {}", on_one_line(code))?;
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

/// Something that went wrong, in words for the person who can fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of thing.
    pub kind: Kind,
    /// One lower-case fragment, with user values in backticks.
    pub message: String,
    /// The end of the message that another program said. It may be secret, and stays out of files.
    pub said: Option<Box<str>>,
    /// What AWS answered, if it did.
    pub aws: Option<Box<AwsAnswer>>,
    /// Whether the request failed in a way that does not show whether AWS carried it out.
    pub may_have_been_done: bool,
    /// What else is known, one fact each.
    pub notes: Vec<String>,
    /// What to do, one action each.
    pub hints: Vec<String>,
    /// The error that this one is made from, if it is one.
    pub source: Option<Source>,
}

/// The error that another one is made from. Shows its message only, because the debug output of a library's error may
/// hold a whole request.
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

impl Error {
    /// An error with a message.
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

    /// A value or combination that is not accepted.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Ends the message with what another program said.
    #[must_use]
    pub fn said(mut self, words: String) -> Self {
        self.message = format!("{}: {words}", self.message);
        self.said = Some(words.into());
        self
    }

    /// The message without what another program said.
    #[must_use]
    pub fn own_message(&self) -> &str {
        let own = self.said.as_ref().and_then(|said| self.message.strip_suffix(&**said)?.strip_suffix(": "));
        own.unwrap_or(&self.message)
    }

    /// Keeps the error that this one is made from. The message says already what the person has to know of it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Source(Arc::from(source.into())));
        self
    }

    /// Adds one action that helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// AWS's error code, such as `AccessDenied`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.aws.as_ref()?.code.as_deref()
    }

    /// Whether AWS denied the request for want of permission.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        self.aws.as_deref().is_some_and(AwsAnswer::is_denial)
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
