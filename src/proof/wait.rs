//! Waits for IAM propagation, and only after a write.

use std::cell::RefCell;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::answers::Passes;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::CallerArn;
use crate::iam::names::Region;

/// Whether a proof waits for IAM propagation.
///
/// IAM changes take seconds to propagate (IAM User Guide, "Changes that I make are not always immediately visible"), so
/// right after a write of our own a denial may be temporary. At any other time it is final.
#[derive(Debug, Clone, Copy)]
pub enum Freshness {
    /// Nothing was written: the first answer counts.
    Settled,
    /// Something was written.
    JustWritten {
        /// When the last write was answered.
        at: Instant,
        /// How long after it an unwelcome answer is retried.
        patience: Duration,
    },
}

/// The final answer, and when the welcome ones began.
pub struct Settled<T> {
    /// The final answer.
    pub answer: Result<T>,
    /// When the first of the welcome answers came.
    pub since: Instant,
    /// Why waiting ended before patience did, if nothing could have changed the answer.
    pub in_vain: Option<String>,
}

impl<T> Settled<T> {
    /// Returns an answer that was waited for as long as it could help.
    pub fn at(answer: Result<T>, since: Instant) -> Self {
        Self { answer, since, in_vain: None }
    }
}

impl Freshness {
    /// Returns the message about a wait: which action AWS still denies, how long it has been, and the maximum.
    #[must_use]
    pub fn words(self, denied: Option<&str>, waited: Duration) -> String {
        let most = match self {
            Self::Settled => String::new(),
            Self::JustWritten { patience, .. } => format!(" of {}", minutes(patience)),
        };
        let denied = denied.map_or_else(String::new, |action| format!(", {action} denied"));
        format!("waiting for IAM propagation ({}{most}{denied})", minutes(waited))
    }

    /// Repeats the request until the answer is welcome `times` in a row, or patience ends; returns the last answer.
    ///
    /// One welcome answer may not be enough: servers with and without the change may answer in turn. Calls `waiting`
    /// after each unwelcome answer with the time since the write.
    pub async fn settle<T>(
        self,
        times: u32,
        attempt: impl AsyncFn() -> Result<T>,
        is_welcome: impl Fn(&Result<T>) -> bool,
        may_change: impl Fn(&Result<T>) -> bool,
        waiting: impl Fn(Duration),
    ) -> Settled<T> {
        self.settle_after(None, times, attempt, is_welcome, may_change, waiting).await
    }

    /// As [`Freshness::settle`], after a welcome answer at this time, which counts.
    pub async fn settle_after<T>(
        self,
        welcome: Option<Instant>,
        times: u32,
        attempt: impl AsyncFn() -> Result<T>,
        is_welcome: impl Fn(&Result<T>) -> bool,
        may_change: impl Fn(&Result<T>) -> bool,
        waiting: impl Fn(Duration),
    ) -> Settled<T> {
        let (mut row, mut since) = (u32::from(welcome.is_some()), welcome.unwrap_or_else(Instant::now));
        loop {
            let answer = attempt().await;
            let now = Instant::now();
            let Self::JustWritten { at, patience } = self else {
                return Settled::at(answer, now);
            };
            if is_welcome(&answer) {
                if row == 0 {
                    since = now;
                }
                row += 1;
                if row >= times {
                    return Settled::at(answer, since);
                }
                continue;
            }
            row = 0;
            let waited = now.duration_since(at);
            if waited >= patience || !may_change(&answer) {
                return Settled::at(answer, now);
            }
            waiting(waited);
            sleep(pause(waited).min(patience.saturating_sub(waited))).await;
        }
    }
}

/// A request that AWS denied after a write.
#[derive(Debug, Clone, Copy)]
pub enum Denied<'a> {
    /// AssumeRole.
    AssumeRole,
    /// A call of the session to S3.
    S3 {
        /// The session.
        session: &'a CallerArn,
        /// The test bucket.
        bucket: &'a str,
        /// The Region.
        region: &'a Region,
        /// The operation, such as `CreateBucket`.
        operation: &'static str,
    },
}

impl Freshness {
    /// Repeats the request until it succeeds, patience ends, or `obstacle` says why waiting cannot change the answer.
    /// `obstacle` is awaited once, from the first answer on that waiting may change, beside further attempts.
    pub async fn settle_unless<T>(
        self,
        obstacle: impl Future<Output = Option<String>>,
        attempt: impl AsyncFn() -> Result<T>,
        may_change: impl Fn(&Result<T>) -> bool,
        waiting: impl Fn(Duration),
    ) -> Settled<T> {
        let (denied, denial) = (Notify::new(), RefCell::new(None));
        let attempt = async || {
            let answer = attempt().await;
            if let Err(error) = &answer
                && may_change(&answer)
            {
                denial.replace(Some(error.clone()));
                denied.notify_one();
            }
            answer
        };
        let in_vain = async {
            denied.notified().await;
            match obstacle.await {
                Some(why) => why,
                None => std::future::pending().await,
            }
        };
        let (why, error) = tokio::select! {
            biased;
            settled = self.settle(1, attempt, Result::is_ok, &may_change, waiting) => return settled,
            why = in_vain => (why, denial.take()),
        };
        let error = error.unwrap_or_else(|| Error::new(Kind::Internal, "nothing was denied"));
        Settled { in_vain: Some(why), ..Settled::at(Err(error), Instant::now()) }
    }
}

/// Returns whether AWS denied the request for lack of permission.
pub fn is_denied<T>(answer: &Result<T>) -> bool {
    answer.as_ref().is_err_and(Error::is_denial)
}

/// Returns whether waiting can help after a write of this run, according to the table of AWS's answers.
pub fn may_pass<T>(answer: &Result<T>) -> bool {
    answer.as_ref().is_err_and(|error| error.passes() == Passes::AfterWrite)
}

/// Returns a twentieth of the time waited so far, so that the delay after propagation stays a small part of the wait.
fn pause(waited: Duration) -> Duration {
    (waited / 20).clamp(Duration::from_millis(100), Duration::from_secs(5))
}

/// Writes `3s`, `2m` or `1m30s`.
pub fn minutes(duration: Duration) -> String {
    match (duration.as_secs() / 60, duration.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests;
