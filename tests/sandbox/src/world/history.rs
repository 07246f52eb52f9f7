//! How changes spread: decisions look at the state as it was a while ago.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::Accounts;

/// How long a change takes to be honoured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Propagation {
    /// For this long, only the old state counts.
    pub(crate) delay: Duration,
    /// For this long after the delay, old and new state take turns.
    pub(crate) flap: Duration,
    /// Whether IAM's reads lag behind as well.
    pub(crate) stale_reads: bool,
}

/// Past states of the accounts.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// States with the time at which each was replaced, oldest first.
    past: Vec<(OffsetDateTime, Arc<Accounts>)>,
    /// Which of the two states a flapping decision sees next.
    old_is_next: bool,
}

impl History {
    /// Notes that `before` was replaced at `now`.
    pub(crate) fn replaced(&mut self, before: Arc<Accounts>, now: OffsetDateTime, propagation: Propagation) {
        let oldest = now - propagation.delay - propagation.flap;
        self.past.retain(|(replaced, _)| *replaced > oldest);
        if propagation.delay + propagation.flap > Duration::ZERO {
            self.past.push((now, before));
        }
    }

    /// Lets everything be honoured at once.
    pub(crate) fn settle(&mut self) {
        self.past.clear();
    }

    fn at(&self, then: OffsetDateTime, current: &Arc<Accounts>) -> Arc<Accounts> {
        let state = self.past.iter().find(|(replaced, _)| *replaced > then);
        Arc::clone(state.map_or(current, |(_, accounts)| accounts))
    }

    /// The state that a decision at `now` goes by.
    pub(crate) fn honoured(
        &mut self,
        current: &Arc<Accounts>,
        now: OffsetDateTime,
        propagation: Propagation,
    ) -> Arc<Accounts> {
        let new = self.at(now - propagation.delay, current);
        let old = self.at(now - propagation.delay - propagation.flap, current);
        if Arc::ptr_eq(&new, &old) {
            self.old_is_next = false;
            return new;
        }
        let chosen = if self.old_is_next { old } else { new };
        self.old_is_next = !self.old_is_next;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> Arc<Accounts> {
        Arc::new(Accounts::new())
    }

    #[test]
    fn old_then_both_in_turns_then_new() {
        let propagation =
            Propagation { delay: Duration::from_secs(10), flap: Duration::from_secs(5), stale_reads: false };
        let (old, new) = (state(), state());
        let start = OffsetDateTime::UNIX_EPOCH;
        let mut history = History::default();
        history.replaced(Arc::clone(&old), start, propagation);
        let mut sees_new = |seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            Arc::ptr_eq(&history.honoured(&new, now, propagation), &new)
        };
        assert!(!sees_new(0));
        assert!(!sees_new(9));
        assert!(sees_new(11));
        assert!(!sees_new(11));
        assert!(sees_new(12));
        assert!(sees_new(16));
        assert!(sees_new(16));
    }
}
