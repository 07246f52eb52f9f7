//! How many targets to work on at once.

use std::time::Duration;

/// Where it begins.
const FIRST: usize = 8;

/// The most, however fast they are: each one needs memory and connections, and these are enough for the usual rate limit of
/// STS over a round trip of a tenth of a second.
const MOST: usize = 32;

/// Finds how many targets to work on at once: more, as long as they end faster together. It needs no signal from whatever
/// limits them, be it AWS that throttles, the rate limit of STS, or this machine.
#[derive(Debug)]
pub(super) struct Level {
    now: usize,
    is_fixed: bool,
    /// How many have ended at this level, and when it began.
    ended: usize,
    since: Duration,
    /// The most that have ended in a second at any level.
    best: f64,
}

impl Level {
    /// Returns a fixed level, or one that finds itself.
    pub(super) fn new(fixed: Option<u16>) -> Self {
        let now = fixed.map_or(FIRST, usize::from);
        Self { now, is_fixed: fixed.is_some(), ended: 0, since: Duration::ZERO, best: 0.0 }
    }

    /// Returns how many to work on now.
    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// Takes into account that one has ended, this long after the first has begun.
    pub(super) fn one_ended(&mut self, at: Duration) {
        self.ended += 1;
        // A whole round: those that began together end together.
        if self.is_fixed || self.ended < self.now {
            return;
        }
        let count = f64::from(u32::try_from(self.ended).unwrap_or(u32::MAX));
        let rate = count / at.saturating_sub(self.since).as_secs_f64().max(0.001);
        if rate > self.best * 1.1 {
            self.now = (self.now * 2).min(MOST);
            self.best = rate;
        } else if rate < self.best * 0.7 {
            self.now = (self.now * 2 / 3).max(1);
            // What is possible may have changed.
            self.best = rate;
        }
        (self.ended, self.since) = (0, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets this many end, of which each takes `time(level)` with as many beside it.
    fn after(count: usize, level: &mut Level, from: Duration, time: impl Fn(usize) -> Duration) -> Duration {
        let mut at = from;
        for _ in 0..count {
            at += time(level.now()) / u32::try_from(level.now()).unwrap();
            level.one_ended(at);
        }
        at
    }

    #[test]
    fn grows_while_more_at_once_take_no_longer() {
        let mut level = Level::new(None);
        after(200, &mut level, Duration::ZERO, |_| Duration::from_millis(250));
        assert_eq!(level.now(), MOST);
    }

    #[test]
    fn stops_where_more_at_once_are_not_faster() {
        // A limit of 64 a second.
        let limited =
            |level: usize| Duration::from_millis(250).max(Duration::from_secs(1) * u32::try_from(level).unwrap() / 64);
        let mut level = Level::new(None);
        after(1000, &mut level, Duration::ZERO, limited);
        assert!((16..=32).contains(&level.now()), "{level:?}");
    }

    #[test]
    fn shrinks_when_throttled_and_grows_again() {
        let mut level = Level::new(None);
        let fast = |_| Duration::from_millis(250);
        let at = after(200, &mut level, Duration::ZERO, fast);
        let at = after(100, &mut level, at, |level| Duration::from_secs(if level > 16 { 4 } else { 1 }));
        assert!(level.now() < MOST, "{level:?}");
        after(500, &mut level, at, fast);
        assert_eq!(level.now(), MOST);
    }

    #[test]
    fn stays_where_it_was_set() {
        let mut level = Level::new(Some(3));
        after(100, &mut level, Duration::ZERO, |_| Duration::from_millis(1));
        assert_eq!(level.now(), 3);
    }
}
