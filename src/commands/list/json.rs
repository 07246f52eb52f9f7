//! The list for programs.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::arguments::List;
use super::listed::Listed;
use super::live::Live;
use crate::config::{Manager, principal_names};
use crate::diagnosis::Diagnosis;
use crate::iam::arn::PrincipalRef;
use crate::iam::orphans::Orphans;
use crate::operations::run::Run;
use crate::report::json::{self, ByName, JsonChange, JsonError, JsonProof, JsonTrust};
use crate::report::orphans::JsonOrphans;

/// The body of the document.
#[derive(Serialize)]
pub struct JsonList {
    /// With `--live`; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_on: Option<Vec<&'static str>>,
    source: JsonSource,
    targets: ByName,
    /// With `--live`, if the source account could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    orphans: Option<JsonOrphans>,
}

#[derive(Serialize)]
struct JsonSource {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    principals: Vec<String>,
}

#[derive(Serialize)]
struct JsonTarget {
    account: String,
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    principals: Vec<String>,
    require_mfa: bool,
    restrict_to_user: bool,
    policy_arns: Vec<String>,
    policy_files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_test: Option<JsonLastTest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<JsonDrift>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_policy: Option<JsonTrust>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<JsonProof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Diagnosis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

#[derive(Serialize)]
struct JsonLastTest {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tested_as: Option<String>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied_at: Option<String>,
    of_other_settings: bool,
}

#[derive(Serialize)]
struct JsonDrift {
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<bool>,
    changes: Vec<JsonChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

/// Returns the list as the body of a document.
pub fn list(listed: &[Listed<'_>], orphans: Option<&Orphans>, args: &List, run: &Run<'_>) -> JsonList {
    let account = run.file.source.account();
    let mut principals: Vec<PrincipalRef> = Vec::new();
    for principal in listed.iter().flat_map(|listed| &listed.link.principals) {
        if !principals.iter().any(|known| known.label() == principal.label()) {
            principals.push(principal.clone());
        }
    }
    let source = JsonSource {
        account: account.map(ToString::to_string),
        user: match principals.as_slice() {
            [PrincipalRef::User(user)] => Some(user.name().to_string()),
            _ => None,
        },
        principals: principal_names(&principals),
    };
    let targets = listed.iter().map(|listed| (listed.link.name.clone(), JsonTarget::from(listed))).collect();
    let fail_on = args.fail.ids().filter(|_| args.live);
    JsonList { fail_on, source, targets, orphans: orphans.map(JsonOrphans::from) }
}

impl From<&Listed<'_>> for JsonTarget {
    fn from(Listed { link, role, last, live }: &Listed<'_>) -> Self {
        let proof = live.as_ref().map(|live| &live.proof);
        Self {
            account: link.account.to_string(),
            role_arn: role.to_string(),
            external_id: link.external_id.known().map(ToString::to_string),
            region: link.region.as_ref().map(ToString::to_string),
            principals: link.principal_names(),
            require_mfa: link.require_mfa,
            restrict_to_user: link.restrict_to_user,
            policy_arns: link.policy_arns.iter().map(|policy| policy.resolve(role.partition).to_string()).collect(),
            policy_files: link.policy_files.iter().map(|path| path.display().to_string()).collect(),
            managed_by: link.managed_by.map(Manager::id),
            last_test: last.as_ref().and_then(|last| {
                let in_words = |at| OffsetDateTime::from(at).format(&Rfc3339).ok();
                Some(JsonLastTest {
                    outcome: last.outcome.id(),
                    tested_as: last.tested_as.as_ref().map(PrincipalRef::label),
                    at: in_words(last.at)?,
                    denied_at: last.denied_at.and_then(in_words),
                    of_other_settings: last.of_other_settings,
                })
            }),
            drift: live.as_ref().map(|live| JsonDrift::of(live, role.name.as_str())),
            trust_policy: proof.and_then(|proof| json::trust_policy(proof, role.name.as_str())),
            verification: proof.and_then(|proof| proof.as_ref().ok()).map(JsonProof::from),
            diagnosis: live.as_ref().and_then(|live| live.diagnosis.clone()),
            error: proof.and_then(|proof| proof.as_ref().err()).map(JsonError::from),
        }
    }
}

impl JsonDrift {
    fn of(live: &Live, role: &str) -> Self {
        match &live.drift {
            Ok(drift) => {
                let changes = json::plan_changes(&drift.role, role).into_iter();
                let changes = changes.chain(json::plan_changes(&drift.grant, "")).collect();
                Self { differs: Some(drift.differs()), changes, error: None }
            }
            Err(error) => Self { differs: None, changes: Vec::new(), error: Some(error.into()) },
        }
    }
}
