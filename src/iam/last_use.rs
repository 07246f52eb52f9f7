//! The last use of a role. AWS reports its time and Region, but not the caller, and every use replaces the one before
//! it. So xacct reads it before each of its tests: a use by others stays known after the test.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::iam::arn::RoleArn;

/// A role that was used within this time may still be in use. AWS usually reports a use within four hours (IAM User
/// Guide, "Refining permissions using last accessed information"), so this covers nightly jobs.
pub const LATELY: Duration = Duration::from_secs(48 * 3600);

/// How far a use by a test may be from its start and end, by AWS's clock: AWS tells both in whole seconds, and an answer
/// takes time on its way. Assumed: IAM reports a use with the second of its request. If it does not, teardown asks.
const ACCURACY: time::Duration = time::Duration::seconds(5);

/// A use of a role, as IAM reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// The time, by AWS's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The AWS Region of the request.
    pub region: String,
}

/// What is known of the uses of a role, other than xacct's own tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Used {
    /// AWS knows of none.
    Never,
    /// The last one.
    Last(LastUse),
    /// Unknown: AWS's report of one may have been replaced by that of xacct's test, which began at this time.
    Unknown(#[serde(with = "time::serde::rfc3339")] OffsetDateTime),
}

impl Used {
    /// Returns the same without the tests. If the last use was a test, the one before that test counts.
    #[must_use]
    pub fn besides(self, tests: &[TestUse]) -> Self {
        let Self::Last(last) = &self else { return self };
        let test = tests.iter().rev().find(|test| test.covers(last));
        test.map_or(self.clone(), |test| test.before.clone())
    }

    /// Returns whether the role may still be in use.
    #[must_use]
    pub fn is_late(&self, now: OffsetDateTime) -> bool {
        match self {
            Self::Never => false,
            Self::Last(LastUse { at, .. }) | Self::Unknown(at) => now - *at < LATELY,
        }
    }
}

impl From<Option<LastUse>> for Used {
    fn from(last: Option<LastUse>) -> Self {
        last.map_or(Self::Never, Self::Last)
    }
}

/// The use of a role by one of xacct's tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestUse {
    /// The start of the test, by AWS's clock.
    #[serde(with = "time::serde::rfc3339")]
    from: OffsetDateTime,
    /// Its end.
    #[serde(with = "time::serde::rfc3339")]
    to: OffsetDateTime,
    /// The Regions of its requests.
    regions: Vec<String>,
    /// The uses before it, without earlier tests.
    before: Used,
}

impl TestUse {
    /// Returns the use by a test. `read` is the last use that IAM reported meanwhile; `None` if it could not be read.
    /// `earlier` are the tests before this one.
    #[must_use]
    pub fn new(
        (from, to): (OffsetDateTime, OffsetDateTime),
        regions: Vec<String>,
        read: Option<Used>,
        earlier: &[Self],
    ) -> Self {
        let before = match read {
            // It may be this test: then what was before it is lost.
            Some(Used::Last(last)) if last.at >= from && !earlier.iter().any(|test| test.covers(&last)) => {
                Used::Unknown(from)
            }
            Some(used) => used.besides(earlier),
            None => Used::Unknown(from),
        };
        Self { from, to, regions, before }
    }

    /// Returns whether this test may still matter, by this machine's clock. One that ends before it starts, or far in the
    /// future, was not written by xacct.
    #[must_use]
    pub fn is_late(&self, now: OffsetDateTime) -> bool {
        let is_possible = self.from <= self.to && self.to <= now.saturating_add(time::Duration::DAY);
        is_possible && now - self.to < LATELY
    }

    fn covers(&self, last: &LastUse) -> bool {
        let (from, to) = (self.from.saturating_sub(ACCURACY), self.to.saturating_add(ACCURACY));
        let is_meanwhile = from <= last.at && last.at <= to;
        is_meanwhile && self.regions.contains(&last.region)
    }
}

/// A use of a role in the last two days that may be that of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentUse {
    /// The role.
    pub role: RoleArn,
    /// The use.
    pub last: LastUse,
    /// How long ago it was.
    pub ago: Duration,
    /// Whether this was a test by xacct, before which there may have been another use.
    pub tested: bool,
}

impl RecentUse {
    /// Returns the recent use of a role with this last use, unless it was a test and none by others came before it.
    #[must_use]
    pub fn of(role: &RoleArn, last: &LastUse, tests: &[TestUse], now: OffsetDateTime) -> Option<Self> {
        let used = Used::Last(last.clone()).besides(tests);
        let (last, tested) = match &used {
            Used::Last(of_others) => (of_others, false),
            _ => (last, true),
        };
        // AWS's clock may be ahead.
        let ago = (now - last.at).try_into().unwrap_or_default();
        used.is_late(now).then(|| Self { role: role.clone(), last: last.clone(), ago, tested })
    }
}

impl fmt::Display for RecentUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, last, ago, tested } = self;
        let (name, account, ago) = (&role.name, &role.account, rough(*ago));
        write!(f, "role `{name}` in account {account} was used {ago} ago in Region {}", last.region)?;
        match tested {
            true => f.write_str(" by xacct's own test; xacct could not read the use before it"),
            false => Ok(()),
        }
    }
}

/// Writes a time such as `3 hours`: AWS's report is not more precise.
fn rough(ago: Duration) -> String {
    match ago.as_secs() / 3600 {
        0 => "less than an hour".to_owned(),
        1 => "an hour".to_owned(),
        hours => format!("{hours} hours"),
    }
}

#[cfg(test)]
mod tests;
