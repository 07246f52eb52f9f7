//! `xacct bootstrap`: makes or mends both halves of each link, then proves it.

mod apply;
mod other_half;
mod plan;
mod prove;
mod refusal;
mod report;
mod work;

use std::collections::BTreeMap;

use crate::aws::connections::Connections;
use crate::cli::{Bootstrap, Half};
use crate::config::{self, Link, Source, includes};
use crate::error::{ExitCode, Result};
use crate::iam::arn::{Partition, UserRef};
use crate::iam::names::PolicyName;
use crate::iam::policy::PolicyDocument;
use crate::iam::templates;
use crate::operations::accounts::{self, SourceSide, refuse_entering_without_source};
use crate::operations::run::{Run, side_by_side};
use crate::operations::{proving, settle};
use crate::proof::Watch;
use plan::{plan, refuse_same_account};
use prove::prove;
use work::Work;

/// Runs `xacct bootstrap`.
pub async fn bootstrap(args: &Bootstrap, run: &Run<'_>) -> Result<ExitCode> {
    let mut source = config::source(&run.file, args.user.as_ref(), &args.access, &args.proof)?;
    let role_options = config::rebased(&args.role, &run.file, run.context);
    let links = config::links_to_make(&run.file, &args.target_account, &args.access, &role_options, &args.proof)?;
    let files = settle::read_policy_files(&links, run)?;
    let mfa = proving::mfa(&args.proof.user, run)?;
    for link in &links {
        link.check(link.region.as_ref().map(crate::iam::names::Region::partition))?;
        source.account.as_ref().map_or(Ok(()), |account| refuse_same_account(link, account))?;
        if args.only == Some(Half::Target) {
            // What will have to be known is asked for before anything is sent.
            accounts::source_as_told(&source, Partition::Aws, link.restrict_to_user)?;
            refuse_entering_without_source(link)?;
        }
    }
    let connections = Connections::open(args.proof.user.region.clone(), args.proof.path_style, proving::saying(run))
        .await?
        .with_mfa(mfa)
        .with_sts_rate(args.report.sts_rate);
    if let Some(profile) = &source.user_profile {
        // It is needed last, and a slip in its name should be heard of first.
        connections.require(profile)?;
    }

    let mut work = survey_and_plan(args, run, &connections, &source, links, &files).await?;
    if work.jobs.is_empty()
        && work.failed.len() == 1
        && let Some(only) = work.failed.pop()
    {
        return Err(only.error);
    }
    report::preview(&work, args, run);
    let pending = work.pending();
    if args.changes.only_shown() {
        let exit_code = work.previewed(args.changes.check && pending > 0);
        report::finish(&work, args, run, exit_code, None);
        return Ok(exit_code);
    }
    if pending > 0 {
        if !args.changes.yes {
            report::confirm(&work, pending, run).await?;
        }
        config::check_writable(&run.file)?;
        apply::apply(&mut work, args, run).await;
    }
    source.account = Some(work.source.account.clone());
    source.user = Some(recorded_user(&work.source));
    let recorded = record(&work, &source, run);
    if args.only.is_none() && !args.no_verify {
        prove(&mut work, args, run, &connections, &source).await;
    }
    if let Some(writer) = &work.grant_writer {
        // Others may have added to the grant since it was shown.
        work.grant_plan = writer.plan.clone();
    }
    let exit_code = match &recorded {
        Ok(_) => work.exit_code(),
        Err(error) => error.kind.exit_code(),
    };
    report::finish(&work, args, run, exit_code, Some(recorded));
    Ok(exit_code)
}

/// Observes both accounts side by side and plans.
async fn survey_and_plan(
    args: &Bootstrap,
    run: &Run<'_>,
    connections: &Connections,
    source: &Source,
    links: Vec<Link>,
    files: &BTreeMap<String, BTreeMap<PolicyName, PolicyDocument>>,
) -> Result<Work> {
    let progress = run.console.progress("bootstrap");
    progress.now("reading both accounts");
    let with_source = includes(args.only, Half::Source);
    let with_target = includes(args.only, Half::Target);
    let source_access = if with_source { Some(accounts::source_access(connections, source).await?) } else { None };
    let source_side = async {
        match &source_access {
            Some(access) => accounts::source_side(access, source).await.map(Some),
            None => Ok(None),
        }
    };
    let tally = run.console.tally("bootstrap", links.len(), "read");
    let targets = side_by_side(&links, args.report.concurrency, async |link| {
        if !with_target {
            return Ok(None);
        }
        let files = files.get(&link.name).into_iter().flat_map(BTreeMap::keys).map(ToString::to_string);
        let own_policies = files.chain([templates::VERIFY_POLICY.to_owned()]).collect();
        let line = run.console.progress(&link.name);
        line.now("reading the account");
        let side = accounts::target_side(connections, link, source_access.as_ref(), &own_policies).await;
        tally.one_more();
        side.map(Some)
    });
    let (source_side, targets) = tokio::join!(source_side, targets);
    let source_side = source_side?;
    plan(args, run, source, source_side, links.into_iter().zip(targets), files)
}

/// Records every link whose role was made, be the grant as it may: teardown must find it.
fn record(work: &Work, source: &Source, run: &Run<'_>) -> Result<bool> {
    let links: Vec<_> = work
        .jobs
        .iter()
        .filter(|job| job.made)
        .map(|job| {
            let mut link = job.link.clone();
            let access = job.target.as_ref().map(|target| &target.operator.access);
            let access = access.or(work.source.operator.as_ref().map(|operator| &operator.access));
            link.region = link.region.or_else(|| access.map(|access| access.region.clone()));
            link
        })
        .collect();
    if links.is_empty() {
        return Ok(false);
    }
    config::record(&run.file, source, &links.iter().collect::<Vec<_>>())
}

/// The user as `xacct.toml` records it: the account stands beside it.
fn recorded_user(source: &SourceSide) -> UserRef {
    UserRef::Name(source.user.name.clone())
}
