//! The links that one run creates or repairs.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::config::Manager;
use crate::diagnosis::Diagnosis;
use crate::error::{ExitCode, Result};
use crate::iam::last_use::Used;
use crate::iam::orphans::Orphans;
use crate::iam::plan::Plan;
use crate::iam::revocation::REVOKE_POLICY;
use crate::iam::state::{DesiredRole, FoundDocument, ObservedRole, RoleQuotas};
use crate::iam::templates::VERIFY_POLICY;
use crate::operations::keep::Kept;
use crate::operations::{proving, work};
use crate::proof::{Foresight, Outcome, Proof, Step, StepId, StepOutcome};

/// One link: its observed state, its plan, and its result.
pub type Job = work::Job<Making>;

/// Everything about one run.
pub type Work = work::Work<Making>;

/// The end of one run.
pub struct Made {
    pub work: Work,
    pub exit_code: ExitCode,
    /// The orphans; `None` if xacct did not look for any.
    pub orphans: Option<Orphans>,
    /// Whether `xacct.toml` was written; `None` after a preview.
    pub recorded: Option<Result<bool>>,
    /// Profiles of this run that differ from those of the files, as sections of `xacct.local.toml`.
    pub other_profiles: Option<String>,
}

/// The state of a link that bootstrap creates or repairs.
pub struct Making {
    pub desired: DesiredRole,
    /// The trust policy after the plan, with the statements of others that stay.
    pub trust: FoundDocument,
    /// The role as it was shown; `None` if there was none, or it was not looked at.
    pub shown: Option<ObservedRole>,
    /// The uses of the role before this run's test; `None` if the role was not read since the question was
    /// answered: then the test reads them.
    pub used_before: Option<Used>,
    pub quotas: RoleQuotas,
    /// Statements of the role's current trust policy that a new file keeps.
    pub kept: Option<Kept>,
    /// The default versions of the declared managed policies, by ARN.
    pub versions: BTreeMap<String, String>,
    /// Whether it is open if the role can have a test bucket, because its policies could not be read.
    pub is_open: bool,
    /// Why the role can have no test bucket, if its policies say so (`--probe auto`).
    pub no_bucket: Option<String>,
    /// Whether AWS accepted every write; reads may not show them yet.
    pub made: bool,
    /// Whether the role is read back beside the proof.
    pub is_read_beside: bool,
    /// When AWS answered the last write, if a write affects access.
    pub written: Option<Instant>,
    pub proof: Option<Result<Proof>>,
    /// Set if the link does not work.
    pub diagnosis: Option<Diagnosis>,
}

impl Making {
    /// Returns what the role's policies are after the plan.
    pub fn foresight(&self) -> Foresight {
        Foresight { desired: self.desired.clone(), shown: self.shown.clone(), versions: self.versions.clone() }
    }

    /// Returns whether the role can only create test buckets: it has no other policy, nor had one that others gave it.
    pub fn has_only_verify_policy(&self) -> bool {
        let Self { desired, shown, .. } = self;
        let is_it = |name: &str| name == VERIFY_POLICY;
        let others = shown.iter().flat_map(|role| &role.inline).filter(|(name, found)| {
            !is_it(name) && name.as_str() != REVOKE_POLICY && !desired.removes_inline(name, found.as_ref())
        });
        let mut own = desired.inline.keys();
        own.all(|name| is_it(name.as_str()))
            && !desired.inline.is_empty()
            && desired.attached_on(shown.as_ref()).is_empty()
            && others.count() == 0
    }

    /// Returns whether the test has shown that the link works.
    pub fn works(&self) -> bool {
        matches!(&self.proof, Some(Ok(proof)) if proof.outcome == Outcome::Works)
    }

    /// Returns whether the test has shown that the role rejects a wrong external ID, or former ones.
    pub fn rejects_wrong_external_id(&self) -> bool {
        let is_it = |step: &Step| step.id == StepId::RefusedWithWrongExternalId && step.outcome == StepOutcome::Ok;
        matches!(&self.proof, Some(Ok(proof)) if proof.steps.iter().any(is_it))
    }

    /// Whether this plan changes an existing role. Until it has, no new principal may be granted access to it.
    pub fn changes_what_stands(&self, plan: &Plan) -> bool {
        self.shown.is_some() && !plan.is_empty()
    }
}

/// Returns the tool that manages all links of a run, and so their grant; `None` if there is none, or xacct manages some.
pub fn manager(jobs: &[Job]) -> Option<Manager> {
    let mut managers = jobs.iter().map(|job| job.link.managed_by);
    managers.next().flatten().filter(|_| managers.all(|other| other.is_some()))
}

/// Returns the links whose roles the grant must have. xacct adds none that another tool manages.
pub fn in_grant(jobs: &[Job]) -> impl Iterator<Item = &Job> {
    let only_compares = manager(jobs).is_some();
    jobs.iter().filter(move |job| only_compares || job.link.managed_by.is_none())
}

/// Returns the exit code of the whole run.
pub fn exit_code(work: &Work, recorded: &Result<bool>) -> ExitCode {
    let proofs = work.jobs.iter().filter_map(|job| job.state.proof.as_ref()).map(proving::exit_code);
    let recorded = recorded.as_ref().err().map(|error| error.kind.exit_code());
    // Without a test, nothing else says that the link does not work yet.
    let lacking = work.grant.plan.lacking_grants().map(|_| ExitCode::Unproven);
    ExitCode::worst(proofs.chain(recorded).chain(lacking).chain([work.exit_code()]))
}
