//! The answer for one link: who gets in, and what `xacct.toml` says of each.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::read::{SourceHalf, TargetHalf, denied};
use crate::config::Link;
use crate::error::Result;
use crate::iam::admission::{Declared, Needs, Standing, Subject};
use crate::iam::arn::RoleArn;
use crate::iam::state::{FoundDocument, Reading};
use crate::iam::who::{Index, Place, Reach, Target, reach, standing};
use crate::operations::accounts::Operator;

/// Everything that the report shows.
pub(super) struct Shown<'a> {
    pub index: &'a Index<'a>,
    pub half: &'a SourceHalf,
    pub answers: &'a [Answered],
    /// The user or role of `--principal`, by number.
    pub only: Option<usize>,
    /// Whether `--undeclared` hides whoever is declared.
    pub is_filtered: bool,
}

/// A link with its answer, or why there is none.
pub(super) struct Answered {
    pub link: Link,
    pub answer: Result<Answer>,
}

/// Who gets in through one link.
pub(super) struct Answer {
    pub role: RoleArn,
    pub operator: Operator,
    /// Whether the role does not exist.
    pub is_absent: bool,
    /// Whether the role could be read.
    pub is_read: bool,
    /// Why the role or its trust policy could not be read, if so.
    pub unread: Option<String>,
    /// Users and roles of the source account.
    pub principals: Vec<Entry<usize>>,
    /// Classes of callers from elsewhere, as they are written.
    pub elsewhere: Vec<Entry<String>>,
    /// Entries of `accept` that match nobody.
    pub unmatched: Vec<String>,
    /// Users and roles with a permission whom the trust policy does not admit.
    pub kept_out: BTreeMap<usize, Option<Place>>,
}

/// Somebody who gets in.
pub(super) struct Entry<T> {
    pub who: T,
    /// The statement that lets it.
    pub place: Option<Place>,
    /// The roles of the source account that it may become on the way, by number: for a user or role only the next one,
    /// which has an entry of its own; for a class from elsewhere any of them.
    pub via: Vec<usize>,
    pub needs: Needs,
    pub undecided: BTreeSet<String>,
    pub standing: Standing,
}

impl<T> Entry<T> {
    fn is_undeclared(&self) -> bool {
        self.standing == Standing::Undeclared
    }
}

impl Answer {
    pub(super) fn of(link: &Link, half: &TargetHalf, index: &Index<'_>) -> Self {
        let partition = half.operator.access.partition();
        let found = half.role.present();
        let role = found.and_then(|found| found.arn.parse().ok()).unwrap_or_else(|| link.role_arn(partition));
        let mut answer = Self {
            role,
            operator: half.operator.clone(),
            is_absent: half.role.is_absent(),
            is_read: found.is_some(),
            unread: match (&half.role, found.map(|found| &found.trust)) {
                (Reading::Unreadable { permission, answer }, _) => Some(denied(permission, answer)),
                (_, Some(FoundDocument::Unparsed { problem, .. })) => {
                    Some(format!("the trust policy is not valid: {problem}"))
                }
                _ => None,
            },
            principals: Vec::new(),
            elsewhere: Vec::new(),
            unmatched: Vec::new(),
            kept_out: BTreeMap::new(),
        };
        if !answer.is_absent {
            let no_tags = BTreeMap::new();
            let tags = found.map_or(&no_tags, |found| &found.tags);
            let target = Target { arn: answer.role.clone(), trust: found.map(|found| &found.trust), tags };
            let declared = declared(link, index);
            answer.fill(reach(index, &target), &declared, index, tags);
        }
        answer
    }

    fn fill(&mut self, reach: Reach, declared: &Declared, index: &Index<'_>, tags: &BTreeMap<String, String>) {
        let role = self.role.clone();
        let now = OffsetDateTime::from_unix_timestamp(index.now).ok();
        let subject = Subject { tags: Some(tags), now, ..Subject::from(&role) };
        let mut classes = Vec::new();
        for one in reach.reached {
            let Some(holder) = index.holder(one.holder) else { continue };
            let via = one.via.into_iter().collect();
            let class = standing::as_class(declared, holder, one.needs);
            let standing = declared.standing(&class, subject);
            classes.push(class);
            let (place, needs, undecided) = (one.place, one.needs, one.undecided);
            self.principals.push(Entry { who: one.holder, place, via, needs, undecided, standing });
        }
        for one in reach.outside {
            let via: Vec<_> = one.via.iter().filter_map(|number| index.holder(*number)).collect();
            let standing = standing::of_outside(declared, &one, &via, subject);
            let policy = match via.first() {
                Some(holder) => format!("trust policy of {}", holder.in_words()),
                None => "trust policy".to_owned(),
            };
            let admitted = one.admitted;
            classes.push(admitted.clone());
            self.elsewhere.push(Entry {
                who: admitted.who.to_string(),
                place: Some(Place { policy, statement: admitted.statement + 1, sid: admitted.sid }),
                via: one.via,
                needs: admitted.needs,
                undecided: one.undecided,
                standing,
            });
        }
        self.kept_out = reach.kept_out;
        if self.is_complete() && index.account.is_read {
            self.unmatched = declared.unused(&classes, subject).map(|entry| entry.who.clone()).collect();
        }
    }

    /// Keeps what `--principal` and `--undeclared` ask for.
    pub(super) fn keep(&mut self, only: Option<usize>, undeclared: bool) {
        if let Some(only) = only {
            self.principals.retain(|entry| entry.who == only);
            self.kept_out.retain(|number, _| *number == only);
            self.elsewhere.clear();
            self.unmatched.clear();
        }
        if undeclared {
            self.principals.retain(Entry::is_undeclared);
            self.elsewhere.retain(Entry::is_undeclared);
            self.kept_out.clear();
        }
    }

    pub(super) fn admits_undeclared(&self) -> bool {
        self.principals.iter().any(Entry::is_undeclared) || self.elsewhere.iter().any(Entry::is_undeclared)
    }

    pub(super) fn has_undecided(&self) -> bool {
        let of_principals = self.principals.iter().map(|entry| &entry.undecided);
        of_principals.chain(self.elsewhere.iter().map(|entry| &entry.undecided)).any(|undecided| !undecided.is_empty())
    }

    /// Returns whether it is known if the role exists.
    pub(super) fn role_is_known(&self) -> bool {
        self.is_absent || self.is_read
    }

    pub(super) fn is_complete(&self) -> bool {
        self.unread.is_none()
    }
}

/// Returns whom the link declares.
fn declared(link: &Link, index: &Index<'_>) -> Declared {
    Declared {
        source: index.account.id.clone(),
        only: link.principals.iter().filter(|_| link.restrict_to_user).cloned().collect(),
        statements: link.trust_statements.clone(),
        accepted: link.accept.clone(),
    }
}
