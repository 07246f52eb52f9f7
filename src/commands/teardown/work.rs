//! The links of one run, on their way out.

use std::collections::BTreeSet;

use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::{RoleArn, UserArn};
use crate::iam::names::{AccountId, PolicyName};
use crate::iam::plan::bootstrap::Plan;
use crate::iam::state::ObservedUser;
use crate::operations::accounts::Operator;

/// The source account: the operator there, and the user, who may be gone.
pub struct SourceSide {
    /// `None` where only the half in the target account goes.
    pub operator: Option<Operator>,
    pub account: AccountId,
    pub user: UserArn,
    pub observed: Option<ObservedUser>,
}

/// One link on its way out.
pub struct Job {
    pub link: Link,
    pub role: RoleArn,
    /// `None` where only the half in the source account goes.
    pub operator: Option<Operator>,
    pub plan: Plan,
    pub result: Result<()>,
}

/// A link that is not removed, and why.
pub struct Failed {
    pub link: Link,
    pub error: Error,
}

/// Everything about one run.
pub struct Work {
    pub source: SourceSide,
    pub grant: PolicyName,
    pub grant_plan: Plan,
    pub grant_result: Result<()>,
    /// How often the grant was written again because another run had undone it.
    pub grant_repairs: usize,
    pub jobs: Vec<Job>,
    pub failed: Vec<Failed>,
    /// What was named and is not on record.
    pub unknown: Vec<String>,
}

impl Work {
    /// How many changes are to be made.
    pub fn pending(&self) -> usize {
        self.grant_plan.changes.len() + self.jobs.iter().map(|job| job.plan.changes.len()).sum::<usize>()
    }

    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let roles = self.jobs.iter().filter_map(|job| job.result.as_ref().err());
        roles.chain(self.grant_result.as_ref().err())
    }

    pub fn exit_code(&self) -> ExitCode {
        let error = self.failed.iter().map(|failed| &failed.error).chain(self.errors()).next();
        error.map_or(ExitCode::Done, |error| error.kind.exit_code())
    }

    /// The links of which nothing is left.
    pub fn gone(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.result.is_ok() && self.grant_result.is_ok())
    }

    pub fn roles(&self) -> BTreeSet<RoleArn> {
        self.jobs.iter().map(|job| job.role.clone()).collect()
    }
}
