//! Renews the session of `exec --server` well before it expires, so that the endpoint can answer at once.

use std::convert::Infallible;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, watch};

use crate::aws::keys::{Keys, SessionCredentials};
use crate::error::{Error, Result};
use crate::operations::session::Opened;

/// botocore and the SDK for Java ask for a new session 15 minutes before the end (botocore, `credentials.py`,
/// `_advisory_refresh_timeout`), and must get one then. Assumed: no SDK asks earlier; one that does gets the same session
/// again until it is renewed.
const AHEAD: Duration = Duration::from_secs(20 * 60);

/// How often to check the clock, so that a renewal is not late after the computer slept.
const LOOK: Duration = Duration::from_secs(30);

/// The shortest time between two attempts that nothing calls for; it doubles with each failure, up to the longest.
const RETRY: Duration = Duration::from_secs(15);
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// The time after an attempt in which requests cannot call for another one.
const PAUSE: Duration = Duration::from_secs(5);

/// How much shorter a session counts than it seems: AWS's clock is known in whole seconds, rounded down, and its answer
/// takes time on its way. SDKs reject credentials that have just expired.
const ROUNDED: Duration = Duration::from_secs(2);

/// The largest error of the computer's clock that does not matter: xacct renews that much earlier than SDKs ask.
pub const TOLERATED: Duration = Duration::from_secs(5 * 60);

/// A moment, by two clocks: one stands still while the computer sleeps, the other may be set.
#[derive(Debug, Clone, Copy)]
struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    fn of(now: SystemTime) -> Self {
        Self { monotonic: Instant::now(), wall: now }
    }

    /// Returns how long ago it was, by the clock that went further.
    fn elapsed(self, now: SystemTime) -> Duration {
        self.monotonic.elapsed().max(now.duration_since(self.wall).unwrap_or_default())
    }
}

/// The session of the endpoint.
pub struct Current {
    session: SessionCredentials,
    received: Moment,
    /// How long it lasts from then on; `None` is forever.
    life: Option<Duration>,
    /// Why it could not be renewed, if so.
    pub failure: Option<String>,
}

impl Current {
    /// Takes a session that AWS has just opened for at most this long. Measures its life by AWS's clock, because the
    /// computer's may be wrong.
    pub fn new(opened: Opened, most: Duration, now: SystemTime) -> Self {
        let expires = opened.credentials.reveal().expires;
        let from = opened.at.unwrap_or(now);
        let life = expires.map(|expires| expires.duration_since(from).unwrap_or_default().min(most));
        let life = life.map(|life| life.saturating_sub(ROUNDED));
        Self { session: opened.credentials, received: Moment::of(now), life, failure: None }
    }

    /// Returns since when, and after how long, to renew the session; after `None` never.
    fn due(&self) -> (Moment, Option<Duration>) {
        (self.received, self.life.map(until_renewal))
    }

    fn left(&self, now: SystemTime) -> Option<Duration> {
        Some(self.life?.saturating_sub(self.received.elapsed(now)))
    }

    /// Returns whether the session has not expired.
    pub fn is_alive(&self, now: SystemTime) -> bool {
        self.left(now).is_none_or(|left| !left.is_zero())
    }

    /// Returns the secrets. If the computer's clock is wrong, the expiry is converted to it: SDKs compare the two, and would
    /// take the session for expired, or use it too long.
    pub fn reveal(&self, now: SystemTime) -> Keys<'_> {
        let keys = self.session.reveal();
        let here = self.left(now).map(|left| now + left);
        let is_wrong = here.zip(keys.expires).is_some_and(|(here, expires)| between(here, expires) > TOLERATED);
        Keys { expires: if is_wrong { here } else { keys.expires }, ..keys }
    }
}

/// Returns the time between two moments, whichever is first.
pub fn between(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
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
    open: impl AsyncFn() -> Result<Current>,
    wake: &Notify,
    now: fn() -> SystemTime,
    tell: impl Fn(News<'_>, &Current),
) -> Infallible {
    let (mut since, mut patience) = current.borrow().due();
    let mut failures = 0;
    loop {
        wait(since, patience, || wanted(wake, current, now), now).await;
        match open().await {
            Ok(session) => {
                (since, patience) = session.due();
                failures = 0;
                if current.send_replace(session).failure.is_some() {
                    tell(News::Recovered, &current.borrow());
                }
            }
            Err(error) => {
                current.send_modify(|current| current.failure = Some(error.to_string()));
                if failures == 0 {
                    tell(News::Failed(&error), &current.borrow());
                }
                (since, patience) =
                    (Moment::of(now()), Some(RETRY.saturating_mul(1 << failures.min(8)).min(LONGEST_RETRY)));
                failures += 1;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns after how much of its life to renew a session: ahead of its end, but not before half of its life, and not at once,
/// whatever AWS answered.
fn until_renewal(life: Duration) -> Duration {
    (life - AHEAD.min(life / 2)).max(RETRY)
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

/// Waits this long, or forever, or until a call. Timers stand still while the computer sleeps, so it looks at the clock.
async fn wait(since: Moment, patience: Option<Duration>, wanted: impl AsyncFn(), now: fn() -> SystemTime) {
    loop {
        let left = patience.map_or(LOOK, |patience| patience.saturating_sub(since.elapsed(now())));
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
