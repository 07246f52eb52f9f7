//! The links that one run changes, with the plan and the result of both halves.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::cli::ChangeOptions;
use crate::config::Link;
use crate::error::{Error, ExitCode, Result};
use crate::iam::arn::RoleArn;
use crate::iam::plan::Plan;
use crate::iam::risks::Weaker;
use crate::operations::accounts::{Operator, SourceSide};
use crate::report::Console;
use crate::report::changes::{self, Style};
use crate::report::json::{self, ByName, JsonChange, JsonError};
use crate::report::plans::{self, Planned};

/// One link, with the half in its target account.
pub struct Job<T> {
    pub link: Link,
    pub role: RoleArn,
    /// `None` when only the half in the source account is changed.
    pub operator: Option<Operator>,
    pub plan: Plan,
    pub result: Result<()>,
    /// State that only one of the commands needs.
    pub state: T,
}

/// A link that could not be planned.
pub struct Failed {
    pub link: Link,
    pub error: Error,
}

impl Failed {
    /// Returns the error with the target's name, unless the target is named by its account, which the error names.
    fn named_error(&self) -> Error {
        let Self { link, error } = self;
        match link.name == link.account.as_str() {
            true => error.clone(),
            false => error.clone().context(format!("target {}", link.name)),
        }
    }
}

/// The half in the source account, which all links share.
pub struct GrantJob {
    pub plan: Plan,
    pub result: Result<()>,
    /// How often it was written again because another run overwrote it.
    pub repairs: usize,
}

/// Everything about one run.
pub struct Work<T> {
    pub source: SourceSide,
    pub grant: GrantJob,
    pub jobs: Vec<Job<T>>,
    pub failed: Vec<Failed>,
}

impl<T> Work<T> {
    /// Returns the number of pending changes.
    pub fn pending(&self) -> usize {
        self.grant.plan.changes.len() + self.jobs.iter().map(|job| job.plan.changes.len()).sum::<usize>()
    }

    /// Ends a run whose only link could not be planned: there is no plan to show.
    ///
    /// # Errors
    /// Returns the error of that link.
    pub fn refuse_single_failure(&mut self) -> Result<()> {
        match self.failed.as_slice() {
            [_] if self.jobs.is_empty() => self.failed.pop().map_or(Ok(()), |failed| Err(failed.error)),
            _ => Ok(()),
        }
    }

    /// Returns the links with both halves done.
    pub fn done(&self) -> impl Iterator<Item = &Job<T>> {
        self.jobs.iter().filter(|job| job.result.is_ok() && self.grant.result.is_ok())
    }

    /// Returns the exit code of a preview.
    pub fn preview_exit_code(&self, check: bool) -> ExitCode {
        let differs = (check && self.differs()).then_some(ExitCode::ChangesPending);
        ExitCode::worst(self.failed.iter().map(|failed| failed.error.kind.exit_code()).chain(differs))
    }

    /// Returns whether the accounts differ from `xacct.toml`.
    pub fn differs(&self) -> bool {
        self.jobs.iter().map(|job| &job.plan).chain([&self.grant.plan]).any(Plan::is_difference)
    }

    /// Returns the exit code of the applied changes.
    pub fn exit_code(&self) -> ExitCode {
        let failed = self.failed.iter().map(|failed| &failed.error);
        let applied =
            self.jobs.iter().filter_map(|job| job.result.as_ref().err()).chain(self.grant.result.as_ref().err());
        ExitCode::worst(failed.chain(applied).map(|error| error.kind.exit_code()))
    }

    /// Returns whether the run has several targets: then what they share is said once.
    pub fn has_several(&self) -> bool {
        self.jobs.len() + self.failed.len() > 1
    }

    /// Returns the name of the target of each job: twice that of a target with two roles.
    pub fn names(&self) -> Vec<&str> {
        self.jobs.iter().map(|job| job.link.name.as_str()).collect()
    }

    /// Returns the names of the targets with a plan, each once.
    pub fn targets(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        self.names().into_iter().filter(|name| seen.insert(*name)).collect()
    }

    /// Returns what is about to change, as these options want it.
    pub fn preview(&self, options: &ChangeOptions, width: u16) -> String {
        match self.has_several() {
            true => self.summary(options, width),
            false => self.plans(options.show_policies, width),
        }
    }

    /// Reports the targets that could not be planned.
    pub fn tell_failed(&self, console: &Console) {
        self.failed.iter().for_each(|failed| console.error(&failed.named_error()));
    }

    /// Returns the plans of several targets: a row for each, and below them what changes, said once.
    fn summary(&self, options: &ChangeOptions, width: u16) -> String {
        let planned = self.jobs.iter().map(|job| Planned {
            name: &job.link.name,
            account: job.link.account.as_str(),
            plan: Some((&job.role, &job.plan)),
        });
        let failed = self.failed.iter().map(|Failed { link, .. }| Planned {
            name: &link.name,
            account: link.account.as_str(),
            plan: None,
        });
        let planned: Vec<_> = planned.chain(failed).collect();
        let table = plans::table(&planned, &self.grant.plan, width);
        let details = match options.show_everything() {
            true => self.plans(options.show_policies, width),
            false => plans::details(&planned, &self.grant.plan, width),
        };
        if details.is_empty() { format!("\n{table}") } else { format!("\n{table}\n\n{details}") }
    }

    /// Returns the plans in words: those of all targets, then that of the source.
    pub fn plans(&self, documents: bool, width: u16) -> String {
        let several = self.jobs.len() > 1;
        let side = |job: &Job<T>| if several { job.link.name.clone() } else { "target".to_owned() };
        let pad = self.jobs.iter().map(|job| side(job).chars().count()).max().unwrap_or_default().max("source".len());
        let show = |plan, side: &str, role| changes::preview(plan, &Style { side, pad, role, documents, width });
        let targets = self.jobs.iter().map(|job| show(&job.plan, &side(job), job.role.name.as_str()));
        let source = show(&self.grant.plan, "source", "");
        targets.chain([source]).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// A target in JSON. `M` has what only one of the commands shows.
#[derive(Default, Serialize)]
pub struct JsonTarget<M> {
    account: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    changes: Vec<JsonChange>,
    #[serde(flatten)]
    more: M,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl<T> Work<T> {
    /// Returns every target for JSON, by name.
    pub fn json_targets<M: Default + Serialize>(&self, more: impl Fn(&Job<T>) -> M) -> ByName {
        let of_link = |link: &Link| JsonTarget::<M> {
            account: link.account.to_string(),
            role: link.role.to_string(),
            ..JsonTarget::default()
        };
        let links = self.jobs.iter().map(|job| &job.link).chain(self.failed.iter().map(|failed| &failed.link));
        let mut roles: BTreeMap<&str, usize> = BTreeMap::new();
        links.for_each(|link| *roles.entry(link.name.as_str()).or_default() += 1);
        // With the role, if that is not the only one of the target.
        let key = |link: &Link| match link.is_other_role && roles.get(link.name.as_str()) > Some(&1) {
            true => format!("{} ({})", link.name, link.role),
            false => link.name.clone(),
        };
        let jobs = self.jobs.iter().map(|job| {
            let target = JsonTarget {
                role_arn: Some(job.role.to_string()),
                operator: job.operator.as_ref().map(json::Operator::from),
                changes: json::plan_changes(&job.plan, job.role.name.as_str()),
                more: more(job),
                error: job.result.as_ref().err().map(JsonError::from),
                ..of_link(&job.link)
            };
            (key(&job.link), target)
        });
        let failed = self
            .failed
            .iter()
            .map(|Failed { link, error }| (key(link), JsonTarget { error: Some(error.into()), ..of_link(link) }));
        jobs.chain(failed).collect()
    }
}

/// The source account in JSON.
#[derive(Serialize)]
pub struct JsonSource {
    account: String,
    /// The ARN of the user, if the links are for one user alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The ARNs of the principals with a grant.
    principals: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    /// Whether bootstrap --check counts the grant as different; `None` if the command adds no access.
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<bool>,
    changes: Vec<JsonChange>,
    notes: Vec<String>,
    /// `None` if the command adds no access.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<Vec<String>>,
    /// The IDs of those warnings that say how the grant will be wider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weaker: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repairs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl JsonSource {
    /// Adds the warnings of the plan.
    #[must_use]
    pub fn with_warnings(self, plan: &Plan) -> Self {
        Self {
            differs: Some(plan.is_difference()),
            warnings: Some(json::plan_warnings(plan)),
            weaker: plan.weaker().map(Weaker::id).collect(),
            ..self
        }
    }
}

impl<T> From<&Work<T>> for JsonSource {
    fn from(Work { source, grant, .. }: &Work<T>) -> Self {
        Self {
            account: source.account.to_string(),
            user: source.the_user().map(ToString::to_string),
            principals: source.staying().map(|grantee| grantee.arn.to_string()).collect(),
            operator: source.operator.as_ref().map(json::Operator::from),
            differs: None,
            changes: json::plan_changes(&grant.plan, ""),
            notes: json::plan_notes(&grant.plan),
            warnings: None,
            weaker: Vec::new(),
            repairs: Some(grant.repairs).filter(|repairs| *repairs > 0),
            error: grant.result.as_ref().err().map(JsonError::from),
        }
    }
}

/// `xacct.toml` in JSON.
#[derive(Serialize)]
pub struct JsonConfig {
    path: String,
    written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl JsonConfig {
    /// `recorded` says whether the file was written; `None` after a preview.
    pub fn new(path: &std::path::Path, recorded: Option<&Result<bool>>) -> Self {
        Self {
            path: path.display().to_string(),
            written: matches!(recorded, Some(Ok(true))),
            error: recorded.and_then(|recorded| recorded.as_ref().err()).map(JsonError::from),
        }
    }
}
