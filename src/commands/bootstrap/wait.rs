//! Waits until the roles of permission sets show the grant, which only the administrator of the sets can add.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::work::Work;
use crate::aws::client::access::Access;
use crate::aws::iam::observe;
use crate::error::Result;
use crate::iam::arn::PrincipalRef;
use crate::iam::permission_set::{LackingGrant, lacking_grant};
use crate::iam::risks::Risk;
use crate::operations::run::Run;
use crate::proof::{Watch, minutes};

/// The pause between reads. Provisioning takes from seconds to minutes.
const PAUSE: Duration = Duration::from_secs(5);

/// Waits for the permission sets that lack the grant, for at most this long. Those that have it now lack nothing anymore, and
/// the links count as written at this moment: IAM may still be propagating the grant.
///
/// # Errors
/// When a permission set cannot be read.
pub async fn for_permission_sets(work: &mut Work, most: Duration, run: &Run<'_>) -> Result<()> {
    let Some(access) = work.source.operator.as_ref().map(|operator| operator.access.clone()) else { return Ok(()) };
    let progress = run.console.progress("bootstrap");
    let start = Instant::now();
    loop {
        let lacking: Vec<_> = work.grant.plan.lacking_grants().cloned().collect();
        let Some(first) = lacking.first() else { return Ok(()) };
        let set = first.set.in_words().replace('`', "");
        let (waited, most_in_words) = (minutes(start.elapsed()), minutes(most));
        progress.waiting(format!("waiting for the administrator of {set} ({waited} of {most_in_words})"));
        let still = join_all(lacking.iter().map(async |lacking| still_lacking(&access, lacking).await)).await;
        let still = still.into_iter().collect::<Result<Vec<_>>>()?;
        let has_changed = still.iter().any(Option::is_none);
        let warnings = &mut work.grant.plan.warnings;
        warnings.retain(|risk| !matches!(risk, Risk::PermissionSetLacksGrant(_)));
        warnings.extend(still.into_iter().flatten().map(Box::new).map(Risk::PermissionSetLacksGrant));
        if has_changed {
            work.jobs.iter_mut().for_each(|job| job.state.written = Some(Instant::now()));
        }
        if start.elapsed() >= most {
            return Ok(());
        }
        if work.grant.plan.lacking_grants().next().is_some() {
            // The last look is at the end of the wait.
            sleep(PAUSE.min(most.saturating_sub(start.elapsed()))).await;
        }
    }
}

/// Returns what a permission set still lacks.
async fn still_lacking(access: &Access, lacking: &LackingGrant) -> Result<Option<LackingGrant>> {
    let PrincipalRef::PermissionSet(name) = lacking.set.reference() else { return Ok(None) };
    let found = observe::permission_set(access, &name).await?;
    // While the set is assigned again, it has no role.
    Ok(found.present().map_or_else(|| Some(lacking.clone()), |set| lacking_grant(&lacking.desired, set)))
}
