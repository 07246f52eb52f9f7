//! The plan of a role, which `bootstrap` applies and `list --live` shows.

use crate::config::Link;
use crate::error::Result;
use crate::iam::identity::Identity;
use crate::iam::plan::Plan;
use crate::iam::risks;
use crate::iam::state::{DesiredRole, ObservedRole, RoleQuotas};
use crate::operations::accounts::{SourceSide, TargetSide};
use crate::operations::settle::{self, InlinePolicies};

/// Returns the desired role of a settled link, and the plan that `plan` makes for it, with the risks of its boundary.
/// Without a target account there is nothing to plan.
///
/// # Errors
/// Those of `plan`.
pub fn role(
    link: &Link,
    identity: Identity,
    source: &SourceSide,
    target: Option<&TargetSide>,
    own: &InlinePolicies,
    plan: impl FnOnce(&DesiredRole, Option<&ObservedRole>, &RoleQuotas) -> Result<Plan>,
) -> Result<(DesiredRole, Plan)> {
    let partition = settle::partition(source, target);
    let boundary = target.and_then(|target| target.boundary.as_ref());
    let boundary_version = boundary.and_then(|boundary| boundary.version.present()).cloned();
    let desired = DesiredRole {
        identity,
        boundary_version,
        ..settle::role(link, &source.account, &source.principals_of(link), partition, own)
    };
    let desired = desired.replacing_recorded(target.and_then(|target| target.observed.as_ref()));
    let Some(target) = target else { return Ok((desired, Plan::default())) };
    let observed = target.observed.as_ref();
    let mut planned = plan(&desired, observed, &target.quotas)?;
    planned.warnings.extend(boundary.into_iter().flat_map(|boundary| risks::of_boundary(&desired, observed, boundary)));
    Ok((desired, planned))
}
