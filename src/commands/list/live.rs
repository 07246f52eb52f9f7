//! Compares both accounts with `xacct.toml`, and tests the links.

use std::collections::BTreeMap;

use super::arguments::List;
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::config::{self, Link, Source};
use crate::diagnosis::Diagnosis;
use crate::error::{Error, ExitCode, Kind, Result};
use crate::iam::plan::Plan;
use crate::iam::plan::bootstrap::{Refusal, plan_grant, plan_role};
use crate::iam::state::{DesiredRole, ObservedRole, RoleQuotas};
use crate::iam::templates::VERIFY_POLICY;
use crate::operations::accounts::{self, SourceSide};
use crate::operations::run::{Run, side_by_side};
use crate::operations::settle::{self, InlinePolicies};
use crate::operations::verification::Verification;
use crate::operations::{planning, proving};
use crate::proof::Proof;

/// A link as it is now.
pub struct Live {
    pub drift: Result<Drift>,
    pub proof: Result<Proof>,
    /// Set if the link does not work.
    pub diagnosis: Option<Diagnosis>,
}

/// What `bootstrap` would change.
pub struct Drift {
    pub role: Plan,
    pub grant: Plan,
}

impl Live {
    pub fn exit_code(&self) -> ExitCode {
        proving::exit_code(&self.proof)
    }
}

impl Drift {
    pub fn changes(&self) -> usize {
        self.role.changes.len() + self.grant.changes.len()
    }

    /// Returns whether either half differs, be it in what xacct would change or not.
    pub fn differs(&self) -> bool {
        self.role.is_difference() || self.grant.is_difference()
    }
}

/// Looks at each link. An account that cannot be read, or credentials that are missing, are results.
pub async fn of(links: &[Link], args: &List, run: &Run<'_>) -> Result<Vec<Live>> {
    let mut links: Vec<_> = links.iter().map(|link| link.clone().with_access(&args.access)).collect();
    settle::read_trust_statements(&mut links, run)?;
    // The options of the test do not change what the role should be.
    let tested: Vec<_> = links.iter().map(|link| link.clone().with_proof_options(&args.proof)).collect();
    let profile = args.access.profile.as_deref();
    let verification = Verification { options: &args.proof, profile, report: args.report, run };
    // One for both, because an MFA code is good for one session.
    let connections = verification.connect(&tested)?;
    let drifts = drifts(&links, &connections, args, run).await?;
    let proofs = proofs(&tested, &connections, &verification).await;
    let all = drifts.into_iter().zip(proofs);
    Ok(all.map(|(drift, (proof, diagnosis))| Live { drift, proof, diagnosis }).collect())
}

/// Tests the links as `verify` does.
async fn proofs(
    links: &[Link],
    connections: &Connections,
    verification: &Verification<'_>,
) -> Vec<(Result<Proof>, Option<Diagnosis>)> {
    let proven = async {
        let user = proving::user_on_record(verification.run)?;
        verification.prove(links, &user, connections).await
    };
    match proven.await {
        Ok(proven) => proven.into_iter().map(|proven| (proven.result, proven.diagnosis)).collect(),
        Err(error) => links.iter().map(|_| (Err(error.clone()), None)).collect(),
    }
}

/// Compares both halves of each link with `xacct.toml`.
async fn drifts(links: &[Link], connections: &Connections, args: &List, run: &Run<'_>) -> Result<Vec<Result<Drift>>> {
    let source = config::recorded_source(&run.file, &args.access)?;
    let files = settle::read_policy_files(links, run)?;
    let side = source_side(connections, &source).await;
    let tally = run.console.tally("list", links.len(), "read");
    let drifts = side_by_side(links, args.report.concurrency, async |link| {
        let drift = match &side {
            Ok((access, side)) => drift(link, side, access, connections, &files, run).await,
            Err(error) => Err(error.clone()),
        };
        tally.one_more();
        drift
    });
    Ok(drifts.await)
}

async fn source_side(connections: &Connections, source: &Source) -> Result<(Access, SourceSide)> {
    let access = accounts::source_access(connections, source).await?;
    let side = accounts::source_side(&access, source).await?;
    Ok((access, side))
}

/// Plans what `bootstrap` would change for this link.
async fn drift(
    link: &Link,
    source: &SourceSide,
    access: &Access,
    connections: &Connections,
    files: &BTreeMap<String, InlinePolicies>,
    run: &Run<'_>,
) -> Result<Drift> {
    let mut link = link.clone();
    let own = files.get(&link.name).cloned().unwrap_or_default();
    let names = own.keys().map(ToString::to_string).chain([VERIFY_POLICY.to_owned()]).collect();
    let target = accounts::target_side(connections, &link, Some(access), &names).await?;
    let observed = target.observed.as_ref();
    let identity = settle::identity(&link, &source.user)?;
    link.id.clone_from(&identity.id);
    settle::complete(&mut link, source, observed, run.context)?;
    let plan = |desired: &DesiredRole, observed: Option<&ObservedRole>, quotas: &RoleQuotas| {
        plan_role(desired, observed, quotas, true).map_err(refused)
    };
    let (desired, role) = planning::role(&link, identity, source, Some(&target), &own, plan)?;
    let grant = match &source.observed {
        Some(user) => {
            let alone = std::iter::once((&link, desired.arn.clone()));
            let wanted = settle::grant_beside(&run.file, &source.user, alone)?;
            plan_grant(&wanted, user, true).map_err(refused)?
        }
        None => Plan::default(),
    };
    Ok(Drift { role, grant })
}

fn refused(refusal: Box<Refusal>) -> Error {
    Error::new(Kind::Refused, refusal.to_string()).hint("show the difference: xacct bootstrap --check")
}
