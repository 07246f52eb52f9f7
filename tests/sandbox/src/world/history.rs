//! Propagation: decisions use the state as it was some time ago.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::{Account, Accounts, Policies};

/// How long changes take to propagate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Propagation {
    /// The time in which decisions use only the old state.
    pub(crate) delay: Duration,
    /// The same for policies of users and groups, if it differs.
    pub(crate) grants: Option<Duration>,
    /// The same for policies of roles, if it differs.
    pub(crate) permissions: Option<Duration>,
    /// The time after the delay in which old and new state alternate.
    pub(crate) flap: Duration,
    /// Every how many decisions the old state is used.
    pub(crate) old_every: u32,
    /// Whether IAM's reads return the old state, too.
    pub(crate) stale_reads: bool,
    /// How long GetRole shows the unique ID of a new role in place of its ARN.
    pub(crate) unique_ids: Duration,
    /// How long IAM does not know a use of a role.
    pub(crate) late_uses: Duration,
}

impl Default for Propagation {
    fn default() -> Self {
        let none = Duration::ZERO;
        Self {
            delay: none,
            grants: None,
            permissions: None,
            flap: none,
            old_every: 2,
            stale_reads: false,
            unique_ids: none,
            late_uses: none,
        }
    }
}

impl Propagation {
    /// Returns the time until all servers apply all kinds of changes.
    fn longest(&self) -> Duration {
        let delays = [Some(self.delay), self.grants, self.permissions];
        delays.into_iter().flatten().max().unwrap_or_default() + self.flap
    }
}

/// Past states of the accounts.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Old states with the time of their replacement, oldest first.
    past: Vec<(OffsetDateTime, Arc<Accounts>)>,
    /// The number of consecutive decisions while the states alternate.
    flapped: u32,
}

impl History {
    /// Records that `before` was replaced at `now`.
    pub(crate) fn replaced(&mut self, before: Arc<Accounts>, now: OffsetDateTime, propagation: Propagation) {
        let oldest = now - propagation.longest();
        self.past.retain(|(replaced, _)| *replaced > oldest);
        if propagation.longest() > Duration::ZERO {
            self.past.push((now, before));
        }
    }

    /// Makes all changes effective at once.
    pub(crate) fn settle(&mut self) {
        self.past.clear();
    }

    fn at(&self, then: OffsetDateTime, current: &Arc<Accounts>) -> Arc<Accounts> {
        let state = self.past.iter().find(|(replaced, _)| *replaced > then);
        Arc::clone(state.map_or(current, |(_, accounts)| accounts))
    }

    /// Returns the state that a decision at `now` uses.
    pub(crate) fn honoured(
        &mut self,
        current: &Arc<Accounts>,
        now: OffsetDateTime,
        propagation: Propagation,
    ) -> Arc<Accounts> {
        let Propagation { delay, grants, permissions, flap, old_every, .. } = propagation;
        let [roles, grants, permissions] = [delay, grants.unwrap_or(delay), permissions.unwrap_or(delay)]
            .map(|delay| (self.at(now - delay, current), self.at(now - delay - flap, current)));
        let flaps = [&roles, &grants, &permissions].iter().any(|(new, old)| !Arc::ptr_eq(new, old));
        self.flapped = if flaps { self.flapped + 1 } else { 0 };
        let is_olds_turn = flaps && self.flapped.is_multiple_of(old_every);
        let [roles, grants, permissions] =
            [roles, grants, permissions].map(|(new, old)| if is_olds_turn { old } else { new });
        if Arc::ptr_eq(&roles, &grants) && Arc::ptr_eq(&roles, &permissions) {
            return roles;
        }
        Arc::new(put_together(&roles, &grants, &permissions))
    }
}

/// Combines three states: policies of users and groups from one, policies of roles from another, the rest from a third.
fn put_together(all: &Accounts, grants: &Accounts, permissions: &Accounts) -> Accounts {
    let account = |(id, account): (&String, &Arc<Account>)| {
        let mut account = Account::clone(account);
        let (of_grants, of_permissions) = (grants.get(id), permissions.get(id));
        let policies = |found: Option<&Policies>| found.cloned().unwrap_or_default();
        for (name, user) in &mut account.users {
            user.policies = policies(of_grants.and_then(|then| then.users.get(name)).map(|user| &user.policies));
        }
        for (name, group) in &mut account.groups {
            group.policies = policies(of_grants.and_then(|then| then.groups.get(name)).map(|group| &group.policies));
        }
        for (name, role) in &mut account.roles {
            role.policies = policies(of_permissions.and_then(|then| then.roles.get(name)).map(|role| &role.policies));
        }
        (id.clone(), Arc::new(account))
    };
    all.iter().map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> Arc<Accounts> {
        Arc::new(Accounts::new())
    }

    #[test]
    fn old_then_both_in_turns_then_new() {
        let (delay, flap) = (Duration::from_secs(10), Duration::from_secs(5));
        let propagation = Propagation { delay, flap, ..Propagation::default() };
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
