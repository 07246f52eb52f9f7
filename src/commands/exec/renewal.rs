//! Renews the session of `exec --server` well before it expires, so that the endpoint can answer at once.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};

use crate::aws::keys::SessionCredentials;
use crate::error::{Error, Result};

/// botocore and the SDK for Java ask for a new session 15 minutes before the end (botocore, `credentials.py`,
/// `_advisory_refresh_timeout`), and must get one then. Assumed: no SDK asks earlier; one that does gets the same session
/// again until it is renewed.
const AHEAD: Duration = Duration::from_secs(20 * 60);

/// How often to check the clock, so that a renewal is not late after the computer slept.
const LOOK: Duration = Duration::from_secs(30);

/// The time between two attempts after the first failure; it doubles up to the longest.
const RETRY: Duration = Duration::from_secs(15);
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// The time after a failure in which requests cannot call for another attempt.
const PAUSE: Duration = Duration::from_secs(5);

/// The session of the endpoint.
pub struct Current {
    pub session: SessionCredentials,
    /// Why it could not be renewed, if so.
    pub failure: Option<String>,
}

impl Current {
    /// Returns whether the session has not expired.
    pub fn is_alive(&self, now: SystemTime) -> bool {
        self.session.reveal().expires.is_none_or(|expires| expires > now)
    }
}

/// What to tell the user.
pub enum News<'a> {
    /// The session cannot be renewed. Told once, until it can.
    Failed(&'a Error),
    /// It was renewed after a failure.
    Recovered,
}

/// Renews the session with `open` until the future is dropped.
pub async fn keep_fresh(
    current: &watch::Sender<Current>,
    open: impl AsyncFn() -> Result<SessionCredentials>,
    wake: &Notify,
    now: fn() -> SystemTime,
    tell: impl Fn(News<'_>, &Current),
) -> Infallible {
    let mut due = self::due(current.borrow().session.reveal().expires, now());
    let mut failures = 0;
    loop {
        wait_until(due, || wanted(wake, current, now), now).await;
        match open().await {
            Ok(session) => {
                due = self::due(session.reveal().expires, now());
                current.send_replace(Current { session, failure: None });
                if failures > 0 {
                    tell(News::Recovered, &current.borrow());
                }
                failures = 0;
            }
            Err(error) => {
                current.send_modify(|current| current.failure = Some(error.to_string()));
                if failures == 0 {
                    tell(News::Failed(&error), &current.borrow());
                }
                due = Some(now() + RETRY.saturating_mul(1 << failures.min(8)).min(LONGEST_RETRY));
                failures += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Returns when to renew a session: ahead of its end, but not before half of its life. `None` is never.
fn due(expires: Option<SystemTime>, now: SystemTime) -> Option<SystemTime> {
    let expires = expires?;
    let life = expires.duration_since(now).unwrap_or_default();
    Some(expires - AHEAD.min(life / 2))
}

/// Waits for a call while the session has expired. A call may have waited for the session that is there by now.
async fn wanted(wake: &Notify, current: &watch::Sender<Current>, now: fn() -> SystemTime) {
    loop {
        wake.notified().await;
        if !current.borrow().is_alive(now()) {
            return;
        }
    }
}

/// Waits until this time or a call. Timers stand still while the computer sleeps, so it looks at the clock.
async fn wait_until(due: Option<SystemTime>, wanted: impl AsyncFn(), now: fn() -> SystemTime) {
    loop {
        let left = due.map_or(LOOK, |due| due.duration_since(now()).unwrap_or_default());
        if left.is_zero() {
            return;
        }
        tokio::select! {
            () = wanted() => return,
            () = tokio::time::sleep(left.min(LOOK)) => {}
        }
    }
}

#[cfg(test)]
mod tests;
