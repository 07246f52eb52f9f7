//! Waiting for AWS to honour what was just written, and only then.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::Result;

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

/// A tenth of the time waited so far: what is wasted at the end stays a small part of the wait.
fn pause(waited: Duration) -> Duration {
    (waited / 10).clamp(Duration::from_millis(100), Duration::from_secs(5))
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
        for usable in [0, 1, 10, 55] {
            let start = Instant::now();
            let attempt = async || match start.elapsed() >= Duration::from_secs(usable) {
                true => Ok(()),
                false => Err(Error::new(Kind::Aws, "no")),
            };
            just_written().settle(2, attempt, Result::is_ok, Result::is_err, |_| {}).await.answer.unwrap();
            let wasted = start.elapsed().saturating_sub(Duration::from_secs(usable));
            let bar = Duration::from_millis(500).max(Duration::from_secs(usable) / 10 + Duration::from_millis(1));
            assert!(wasted <= bar, "usable after {usable} s, wasted {wasted:?}");
        }
    }
}
