//! The JSON document of bootstrap.

use serde::Serialize;

use super::arguments::Bootstrap;
use super::other_half::{OtherHalf, other_half};
use super::permission_set::JsonLackingGrant;
use super::work::{Job, Work};
use crate::diagnosis::Diagnosis;
use crate::error::Result;
use crate::iam::orphans::Orphans;
use crate::iam::risks::Weaker;
use crate::operations::run::Run;
use crate::operations::work::{JsonConfig, JsonSource};
use crate::report::json::{self, ByName, JsonChange, JsonError, JsonProof};
use crate::report::orphans::JsonOrphans;

/// The body of the document.
#[derive(Serialize)]
pub struct JsonBootstrap {
    source: JsonSource,
    targets: ByName,
    /// Permission sets whose administrator must add the grant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permission_sets: Vec<JsonLackingGrant>,
    /// With `--check`.
    #[serde(skip_serializing_if = "Option::is_none")]
    orphans: Option<JsonOrphans>,
    pending_changes: usize,
    applied: bool,
    config: JsonConfig,
}

#[derive(Default, Serialize)]
struct JsonTarget {
    account: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    principals: Vec<String>,
    /// What `xacct move --finish` removes.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    /// Whether bootstrap --check counts it as different; absent if the target could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<bool>,
    changes: Vec<JsonChange>,
    notes: Vec<String>,
    warnings: Vec<String>,
    /// The IDs of those warnings that say how the role will be weaker.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weaker: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_half: Option<OtherHalf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<JsonProof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl JsonBootstrap {
    /// `recorded` says whether `xacct.toml` was written; `None` after a preview.
    pub fn new(
        work: &Work,
        orphans: Option<&Orphans>,
        args: &Bootstrap,
        run: &Run<'_>,
        recorded: Option<&Result<bool>>,
    ) -> Self {
        let jobs = work.jobs.iter().map(|job| {
            let other_half = args.only.filter(|_| job.result.is_ok()).map(|only| other_half(work, job, only));
            (job.link.name.clone(), JsonTarget { other_half, ..JsonTarget::from(job) })
        });
        let failed = work.failed.iter().map(|failed| {
            let target = JsonTarget {
                account: failed.link.account.to_string(),
                role: failed.link.role.to_string(),
                principals: failed.link.principal_names(),
                error: Some((&failed.error).into()),
                ..JsonTarget::default()
            };
            (failed.link.name.clone(), target)
        });
        Self {
            source: JsonSource::from(work).with_warnings(&work.grant.plan),
            targets: jobs.chain(failed).collect(),
            permission_sets: work.grant.plan.lacking_grants().map(JsonLackingGrant::from).collect(),
            orphans: orphans.map(JsonOrphans::from),
            pending_changes: work.pending(),
            applied: !args.changes.only_shown(),
            config: JsonConfig::new(&run.file.path, recorded),
        }
    }
}

impl From<&Job> for JsonTarget {
    fn from(job: &Job) -> Self {
        let proof = job.state.proof.as_ref();
        let kept = job.state.kept.as_ref().map(ToString::to_string);
        let error = job.result.as_ref().err().or_else(|| proof?.as_ref().err());
        Self {
            account: job.link.account.to_string(),
            role: job.link.role.to_string(),
            role_arn: Some(job.role.to_string()),
            principals: job.link.principal_names(),
            moved_from: job.link.old_role().map(ToString::to_string),
            external_id: job.link.external_id.known().map(ToString::to_string),
            operator: job.operator.as_ref().map(json::Operator::from),
            differs: Some(job.plan.is_difference()),
            changes: json::plan_changes(&job.plan, job.role.name.as_str()),
            notes: json::plan_notes(&job.plan).into_iter().chain(kept).collect(),
            warnings: json::plan_warnings(&job.plan),
            weaker: job.plan.weaker().map(Weaker::id).collect(),
            no_bucket: job.state.no_bucket.clone(),
            other_half: None,
            verification: proof.and_then(|proof| proof.as_ref().ok()).map(JsonProof::from),
            diagnosis: job.state.diagnosis.clone(),
            error: error.map(JsonError::from),
        }
    }
}
