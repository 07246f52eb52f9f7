//! The role whose trust policy is reduced.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::iam::arn::RoleArn;
use crate::iam::names::AccountId;

/// The role whose trust policy is reduced, and what is known beside the policy. What is not known makes conditions on it
/// undecided, never safe.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The role.
    pub role: &'a RoleArn,
    /// The source account of the link. Its users, tags and sessions are made by the people of the link, as those of the
    /// role's own account; a foreign account can make its own look like any others.
    pub source: Option<&'a AccountId>,
    /// The tags of the role, if they were read.
    pub tags: Option<&'a BTreeMap<String, String>>,
    /// The time for which conditions on the clock are evaluated.
    pub now: Option<OffsetDateTime>,
}

impl<'a> From<&'a RoleArn> for Subject<'a> {
    fn from(role: &'a RoleArn) -> Self {
        Self { role, source: None, tags: None, now: None }
    }
}
