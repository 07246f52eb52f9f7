//! Facts travel: one person saves what one account shows, and another adds what the other account shows.

use std::collections::BTreeMap;

use super::facts::{Answer, Facts, NotSent, PolicyFacts, SourceFacts, TargetFacts};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::CallerArn;
use crate::iam::arn::PrincipalRef;
use crate::iam::names::AccountId;
use crate::iam::state::Reading;

/// A part of the facts, which one person can add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The request, which needs the user's credentials.
    Request,
    /// The user with its policies, which need those of the source account's operator.
    Source,
    /// The role with its policies, which need those of the target account's operator.
    Target,
}

impl Facts {
    /// Returns whether this part lacks something.
    #[must_use]
    pub fn lacks(&self, part: Part) -> bool {
        match part {
            Part::Request => matches!(self.answer, Answer::NotSent(NotSent::NoCredentials(_) | NotSent::NotTheUsers)),
            Part::Source => {
                let SourceFacts { user, policies, groups, boundary, .. } = &self.source;
                let groups = match groups {
                    Reading::Present(groups) => groups.values().any(lacks_policies),
                    groups => is_unreadable(groups),
                };
                is_unreadable(user) || is_unreadable(boundary) || groups || lacks_policies(policies)
            }
            Part::Target => {
                let TargetFacts { role, policies, boundary, .. } = &self.target;
                is_unreadable(role) || is_unreadable(boundary) || lacks_policies(policies)
            }
        }
    }

    /// Returns whether an operator of this account read it: then only a permission is missing.
    pub(super) fn was_read_by_operator(&self, part: Part) -> bool {
        let is_of = |identity: &Reading<CallerArn>, account: &str| {
            let owner = identity.present();
            let is_user = owner.is_some_and(|owner| self.link.principal.is(owner));
            owner.and_then(CallerArn::account).is_some_and(|owner| owner.as_str() == account)
                // A user who can read its own policies is probably an administrator.
                && (part == Part::Target || !is_user || !self.lacks(part))
        };
        match part {
            Part::Request => false,
            Part::Source => is_of(&self.source.operator.identity, &self.source_account()),
            Part::Target => is_of(&self.target.operator.identity, self.link.role.account.as_str()),
        }
    }

    /// Returns the facts with this account as it was read now. What could not be read now stays as it was.
    #[must_use]
    pub fn with_source(mut self, new: SourceFacts) -> Self {
        self.joined = true;
        let mut join = Join::default();
        let old = self.source;
        self.source = SourceFacts {
            operator: if is_unreadable(&new.operator.identity) { old.operator } else { new.operator },
            user: join.reading(old.user, new.user),
            policies: join.policies(old.policies, new.policies),
            groups: join.map(old.groups, new.groups, Join::policies),
            boundary: join.reading(old.boundary, new.boundary),
            mfa_devices: join.reading(old.mfa_devices, new.mfa_devices),
            callers_key: new.callers_key.or(old.callers_key),
            changed_at: join.times(old.changed_at, new.changed_at),
            read_at: join.time(old.read_at, new.read_at),
        };
        self
    }

    /// Returns the facts with this account as it was read now. What could not be read now stays as it was.
    #[must_use]
    pub fn with_target(mut self, new: TargetFacts) -> Self {
        self.joined = true;
        let mut join = Join::default();
        let old = self.target;
        self.target = TargetFacts {
            operator: if is_unreadable(&new.operator.identity) { old.operator } else { new.operator },
            look_alikes: if is_unreadable(&new.role) { old.look_alikes } else { new.look_alikes },
            role: join.reading(old.role, new.role),
            policies: join.policies(old.policies, new.policies),
            boundary: join.reading(old.boundary, new.boundary),
            changed_at: join.times(old.changed_at, new.changed_at),
            read_at: join.time(old.read_at, new.read_at),
        };
        self
    }

    /// Returns the facts with the request as it was sent now. `None` if it was not sent, but the saved one was.
    #[must_use]
    pub fn with_request(&self, new: Self) -> Option<Self> {
        let is_sent = |facts: &Self| !matches!(facts.answer, Answer::NotSent(_));
        (is_sent(&new) || !is_sent(self)).then(|| Self {
            joined: true,
            source: self.source.clone(),
            target: self.target.clone(),
            ..new
        })
    }

    /// Refuses facts whose account IDs are placeholders: they would be compared with real ones.
    ///
    /// # Errors
    /// When the facts are redacted.
    pub fn check_joinable(&self, place: &str) -> Result<()> {
        if !self.redacted {
            return Ok(());
        }
        Err(Error::usage(format!(
            "facts file `{place}` is redacted: nothing can be added to it, because its account IDs are placeholders"
        ))
        .hint("have it saved again without --redact: xacct diagnose TARGET --save-facts FILE")
        .hint("or diagnose it as it is, without credentials: xacct diagnose --facts FILE"))
    }

    /// Refuses a link other than that of the facts. The name and the path of the role may differ in what AWS ignores when
    /// it looks for a role: such a difference is a cause.
    ///
    /// # Errors
    /// When the principal or its account differ.
    pub fn check_principal(&self, own: &[PrincipalRef], account: Option<&AccountId>, file: &str) -> Result<()> {
        let differs = |of_facts: &str, own: &str| {
            Err(Error::usage(format!("the facts are about {of_facts}, but the link in `{file}` is for {own}"))
                .hint("use the facts of this link, or the xacct.toml of the other: --config FILE"))
        };
        let is_own = own.is_empty() || own.iter().any(|own| own.label() == self.link.of_link().label());
        match (account, self.known_source_account()) {
            _ if !is_own => {
                let own: Vec<_> = own.iter().map(|own| own.in_words().replace('`', "")).collect();
                differs(&self.link.whose(), &own.join(" and "))
            }
            (Some(own), Some(account)) if own != account => {
                differs(&format!("source account {account}"), &format!("source account {own}"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses credentials of an account other than that of this half.
    ///
    /// # Errors
    /// When the account differs.
    pub fn check_owner(&self, part: Part, account: &AccountId, owner: &CallerArn, origin: &str) -> Result<()> {
        if owner.account() == Some(account) {
            return Ok(());
        }
        let (what, option) = match part {
            Part::Target => (format!("role {}", self.link.role), "--target-profile NAME"),
            Part::Source | Part::Request => (format!("{} in account {account}", self.link.whose()), "--profile NAME"),
        };
        Err(Error::new(
            Kind::Credentials,
            format!("the facts are about {what}, but the credentials ({origin}) belong to {owner}; nothing was read"),
        )
        .hint(format!("use credentials of account {account}: {option}")))
    }
}

fn is_unreadable<T>(reading: &Reading<T>) -> bool {
    matches!(reading, Reading::Unreadable { .. })
}

fn lacks_policies(policies: &PolicyFacts) -> bool {
    [&policies.inline, &policies.attached].into_iter().any(|list| match list {
        Reading::Present(documents) => documents.values().any(is_unreadable),
        list => is_unreadable(list),
    })
}

/// Joins an old reading with a new one.
#[derive(Default)]
struct Join {
    keeps_old: bool,
}

impl Join {
    /// Returns the new reading, unless only the old one succeeded.
    fn reading<T>(&mut self, old: Reading<T>, new: Reading<T>) -> Reading<T> {
        if is_unreadable(&new) && !is_unreadable(&old) {
            self.keeps_old = true;
            return old;
        }
        new
    }

    fn map<T>(
        &mut self,
        old: Reading<BTreeMap<String, T>>,
        new: Reading<BTreeMap<String, T>>,
        join: impl Fn(&mut Self, T, T) -> T,
    ) -> Reading<BTreeMap<String, T>> {
        match (old, new) {
            (Reading::Present(mut old), Reading::Present(new)) => {
                let joined = new.into_iter().map(|(name, new)| match old.remove(&name) {
                    Some(old) => (name, join(self, old, new)),
                    None => (name, new),
                });
                Reading::Present(joined.collect())
            }
            (old, new) => self.reading(old, new),
        }
    }

    fn policies(&mut self, old: PolicyFacts, new: PolicyFacts) -> PolicyFacts {
        PolicyFacts {
            inline: self.map(old.inline, new.inline, Self::reading),
            attached: self.map(old.attached, new.attached, Self::reading),
        }
    }

    /// Returns when policies were changed: also those that only the old reading has, if it is kept.
    fn times(&self, old: BTreeMap<String, i64>, new: BTreeMap<String, i64>) -> BTreeMap<String, i64> {
        if self.keeps_old { old.into_iter().chain(new).collect() } else { new }
    }

    /// Returns the time of the oldest part.
    fn time(&self, old: Option<i64>, new: Option<i64>) -> Option<i64> {
        match (self.keeps_old, old, new) {
            (false, _, new) => new,
            (true, Some(old), Some(new)) => Some(old.min(new)),
            // A file of an older version has no time of reading.
            (true, old, _) => old,
        }
    }
}

#[cfg(test)]
mod tests;
