//! Waiting for AWS to honour what was just written, and only then.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::{Error, Result};

/// How much patience a proof may have.
///
/// IAM changes take seconds to be honoured everywhere (IAM User Guide, "Changes that I make are not always immediately
/// visible"), so right after our own write a refusal may mean nothing yet. At any other time a refusal is the answer.
#[derive(Debug, Clone, Copy)]
pub enum Freshness {
    /// Nothing was written: the first answer counts.
    Settled,
    /// Something was written.
    JustWritten {
        /// When the last write was answered.
        at: Instant,
        /// How long after it an unwelcome answer is doubted.
        patience: Duration,
    },
}

/// The answer that counts, and when the welcome ones began.
pub struct Settled<T> {
    /// The last answer.
    pub answer: Result<T>,
    /// When the first of the welcome answers came.
    pub since: Instant,
}

impl Freshness {
    /// Returns what is being waited for, how long it has been and will be at most, and what to do about it.
    #[must_use]
    pub fn words(self, waited: Duration, what: &str) -> String {
        let waited = waited.as_secs();
        let most = match self {
            Self::Settled => String::new(),
            Self::JustWritten { patience, .. } => format!(" of {}", patience.as_secs()),
        };
        format!("waiting for AWS to honour {what}, {waited}{most} s; Ctrl-C ends it")
    }

    /// Asks until the answer is welcome `times` in a row, or patience ends; the last answer counts.
    ///
    /// One welcome answer may not be enough: servers that have the change and servers that do not answer in turn.
    /// `waiting` is told after each unwelcome answer how long it has been.
    pub async fn settle<T>(
        self,
        times: u32,
        attempt: impl AsyncFn() -> Result<T>,
        is_welcome: impl Fn(&Result<T>) -> bool,
        may_change: impl Fn(&Result<T>) -> bool,
        waiting: impl Fn(Duration),
    ) -> Settled<T> {
        let (mut row, mut since) = (0, Instant::now());
        loop {
            let answer = attempt().await;
            let now = Instant::now();
            let Self::JustWritten { at, patience } = self else {
                return Settled { answer, since: now };
            };
            if is_welcome(&answer) {
                if row == 0 {
                    since = now;
                }
                row += 1;
                if row >= times {
                    return Settled { answer, since };
                }
                continue;
            }
            row = 0;
            let waited = now.duration_since(at);
            if waited >= patience || !may_change(&answer) {
                return Settled { answer, since: now };
            }
            waiting(waited);
            sleep(pause(waited).min(patience.saturating_sub(waited))).await;
        }
    }
}

/// Returns whether AWS refused for want of permission.
pub fn is_denied<T>(answer: &Result<T>) -> bool {
    answer.as_ref().is_err_and(Error::is_denial)
}

/// Returns whether this may be a refusal only because a change is not honoured yet. Where AWS names a policy of the
/// organization or of a VPC endpoint as what denies, it is not: xacct writes none (IAM User Guide, "Troubleshoot access
/// denied error messages").
pub fn may_pass<T>(answer: &Result<T>) -> bool {
    let message = answer.as_ref().err().and_then(|error| error.aws.as_ref()?.message.as_deref()).unwrap_or_default();
    let denying = message.split_once("with an explicit deny in ").map_or("", |(_, policy)| policy);
    let of_others = ["service control policy", "resource control policy", "VPC endpoint policy"];
    is_denied(answer) && !of_others.iter().any(|policy| denying.contains(policy))
}

/// Returns a twentieth of the time waited so far: what is wasted at the end stays a small part of the wait, with what
/// the attempts take.
fn pause(waited: Duration) -> Duration {
    (waited / 20).clamp(Duration::from_millis(100), Duration::from_secs(5))
}

#[cfg(test)]
mod tests;
