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
    /// What is being waited for, how long it has been and will be at most, and what to do about it.
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

/// Whether AWS denied the request for want of permission.
pub fn is_denied<T>(answer: &Result<T>) -> bool {
    answer.as_ref().is_err_and(Error::is_denial)
}

/// Whether this may be a refusal only because a change is not honoured yet. Where AWS names a policy of the organization
/// or of a VPC endpoint as what denies, it is not: xacct writes none (IAM User Guide, "Troubleshoot access denied error
/// messages").
pub fn may_pass<T>(answer: &Result<T>) -> bool {
    let message = answer.as_ref().err().and_then(|error| error.aws.as_ref()?.message.as_deref()).unwrap_or_default();
    let denying = message.split_once("with an explicit deny in ").map_or("", |(_, policy)| policy);
    let of_others = ["service control policy", "resource control policy", "VPC endpoint policy"];
    is_denied(answer) && !of_others.iter().any(|policy| denying.contains(policy))
}

/// A twentieth of the time waited so far: what is wasted at the end stays a small part of the wait, with what the attempts
/// take.
fn pause(waited: Duration) -> Duration {
    (waited / 20).clamp(Duration::from_millis(100), Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::cell::Cell;

    use super::*;
    use crate::error::{Error, Kind};

    async fn ask(freshness: Freshness, answers: &[bool]) -> (bool, usize) {
        let asked = Cell::new(0);
        let attempt = async || {
            let answer = *answers.get(asked.get()).or(answers.last()).unwrap();
            asked.set(asked.get() + 1);
            if answer { Ok(()) } else { Err(Error::new(Kind::Aws, "no")) }
        };
        let settled = freshness.settle(2, attempt, Result::is_ok, Result::is_err, |_| {}).await;
        (settled.answer.is_ok(), asked.get())
    }

    fn just_written() -> Freshness {
        Freshness::JustWritten { at: Instant::now(), patience: Duration::from_secs(60) }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_answer_counts_when_nothing_was_written() {
        assert_eq!(ask(Freshness::Settled, &[false, true]).await, (false, 1));
        assert_eq!(ask(Freshness::Settled, &[true, false]).await, (true, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn two_welcome_answers_in_a_row_are_demanded_after_a_write() {
        assert_eq!(ask(just_written(), &[false, true, false, true, true]).await, (true, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let start = Instant::now();
        let (welcome, _) = ask(just_written(), &[false]).await;
        assert!(!welcome);
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn little_time_is_wasted_after_it_became_usable() {
        const LATENCY: Duration = Duration::from_millis(50);
        let moments = (0..=110_000).step_by(130).map(Duration::from_millis);
        for usable in moments {
            let start = Instant::now();
            let asked = Cell::new(start);
            let attempt = async || {
                asked.set(Instant::now());
                sleep(LATENCY).await;
                if start.elapsed() >= usable { Ok(()) } else { Err(Error::new(Kind::Aws, "no")) }
            };
            let freshness = Freshness::JustWritten { at: start, patience: Duration::from_secs(120) };
            freshness.settle(1, attempt, Result::is_ok, Result::is_err, |_| {}).await.answer.unwrap();
            let wasted = asked.get().duration_since(start).saturating_sub(usable);
            let bar = Duration::from_millis(500).max(usable / 10);
            assert!(wasted <= bar, "usable after {usable:?}, wasted {wasted:?}");
        }
    }

    #[test]
    fn a_denial_of_the_organization_does_not_pass() {
        let denied = |code: &str, message: &str| {
            let answer = crate::error::AwsAnswer {
                service: "sts".into(),
                operation: "AssumeRole".into(),
                code: Some(code.to_owned()),
                message: Some(format!("User: u is not authorized to perform: sts:AssumeRole on resource: r{message}")),
                request_id: None,
            };
            Err::<(), _>(Error { aws: Some(Box::new(answer)), ..Error::new(Kind::Aws, "no") })
        };
        let policies = ["service control policy", "resource control policy", "VPC endpoint policy"];
        for policy in policies {
            assert!(!may_pass(&denied("AccessDenied", &format!(" with an explicit deny in a {policy}"))), "{policy}");
            assert!(may_pass(&denied("AccessDenied", &format!(" because no {policy} allows the action"))), "{policy}");
        }
        assert!(may_pass(&denied("AccessDenied", "")));
        assert!(may_pass(&denied("AccessDenied", " with an explicit deny in a permissions boundary")));
        assert!(!may_pass(&denied("ValidationError", "")));
        assert!(!may_pass(&Ok(())));
    }
}
