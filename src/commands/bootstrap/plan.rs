//! Decides what is to be done.

use std::collections::BTreeMap;

use super::refusal::refused;
use super::work::{Failed, Job, Work};
use crate::cli::Bootstrap;
use crate::config::{Link, Source};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::Partition;
use crate::iam::names::{AccountId, PolicyName};
use crate::iam::plan::bootstrap::{Plan, plan_grant, plan_role};
use crate::iam::policy::PolicyDocument;
use crate::operations::accounts::{self, SourceSide, TargetSide};
use crate::operations::run::Run;
use crate::operations::settle;

/// Settles what is wanted, and plans. Pure but for a new external ID.
pub fn plan(
    args: &Bootstrap,
    run: &Run<'_>,
    source: &Source,
    source_side: Option<SourceSide>,
    targets: impl Iterator<Item = (Link, Result<Option<TargetSide>>)>,
    files: &BTreeMap<String, BTreeMap<PolicyName, PolicyDocument>>,
) -> Result<Work> {
    let (mut jobs, mut failed, mut source_side) = (Vec::new(), Vec::new(), source_side);
    for (mut link, target) in targets {
        let target = match target {
            Ok(target) => target,
            Err(error) => {
                failed.push(Failed { link, error });
                continue;
            }
        };
        if source_side.is_none() {
            let partition = target.as_ref().and_then(|target| target.operator.caller.arn.partition());
            let told = accounts::source_as_told(source, partition.unwrap_or(Partition::Aws), link.restrict_to_user)?;
            source_side = Some(told);
        }
        let Some(side) = &source_side else { continue };
        if let Err(error) = can_be_linked(side, &link, target.as_ref()) {
            failed.push(Failed { link, error });
            continue;
        }
        let observed = target.as_ref().and_then(|target| target.observed.as_ref());
        if let Err(error) = settle::settle(&mut link, side, observed, run.context) {
            failed.push(Failed { link, error });
            continue;
        }
        let partition = settle::partition(side, target.as_ref());
        let own = files.get(&link.name).cloned().unwrap_or_default();
        let desired = settle::role(&link, &side.user, partition, &own);
        let planned = match &target {
            Some(target) => plan_role(&desired, observed, &target.quotas, args.adopt),
            None => Ok(Plan::default()),
        };
        match planned {
            Ok(plan) => jobs.push(Job {
                role: desired.arn.clone(),
                link,
                target,
                desired,
                plan,
                result: Ok(()),
                made: true,
                written: None,
                proof: None,
                diagnosis: None,
            }),
            Err(refusal) => failed.push(Failed { error: refused(&refusal), link }),
        }
    }
    let Some(source_side) = source_side else {
        // Every target failed before the source mattered.
        let first = failed.into_iter().next().map(|failed| failed.error);
        return Err(first.unwrap_or_else(|| Error::new(Kind::Internal, "nothing to plan")));
    };
    let grant = settle::grant(&source_side.user, jobs.iter().map(|job| (&job.link, job.role.clone())))?;
    let grant_plan = match &source_side.observed {
        Some(observed) if !jobs.is_empty() => {
            plan_grant(&grant, observed, args.adopt).map_err(|refusal| refused(&refusal))?
        }
        _ => Plan::default(),
    };
    Ok(Work { source: source_side, grant, grant_plan, grant_result: Ok(()), grant_writer: None, jobs, failed })
}

/// Checks what is known of both accounts only after both were looked at.
fn can_be_linked(source: &SourceSide, link: &Link, target: Option<&TargetSide>) -> Result<()> {
    match (&source.operator, target) {
        (Some(source), Some(target)) => accounts::check_pair(&source.caller, &target.operator.caller),
        _ => refuse_same_account(link, &source.account),
    }
}

/// A link is between two accounts.
pub fn refuse_same_account(link: &Link, source: &AccountId) -> Result<()> {
    if *source != link.account {
        return Ok(());
    }
    Err(Error::usage(format!("source and target are the same account, {}", link.account))
        .hint("a link is between two accounts: name another one with --target-account"))
}
