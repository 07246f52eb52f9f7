//! `xacct import`: writes `xacct.toml` from roles that exist. Changes nothing in AWS.

mod arguments;
mod express;
mod report;
mod wanted;
mod work;

use std::collections::BTreeSet;

use super::command_line::{Start, Verb};
use crate::cli::{GrantScope, Probe, SetGrant, UserOptions};
use crate::config::{self, GrantSettings, Source};
use crate::error::{Ended, Error, ExitCode, Result};
use crate::iam::grant_names::set_policy_arn;
use crate::iam::names::{SAMPLE_SUFFIX, test_bucket_name};
use crate::iam::organization_grant::OrganizationGrant;
use crate::iam::plan::Plan;
use crate::iam::policy::PolicyDocument;
use crate::iam::templates::VERIFY_POLICY;
use crate::operations::accounts;
use crate::operations::interrupt;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::operations::work::{Failed, GrantJob};
use crate::proof::{Foreseen, Watch};
pub use arguments::Import;
use express::express;
use report::Report;
use work::{Job, Work};

impl Verb for Import {
    const NAME: &'static str = "import";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, import(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct import`.
async fn import(args: &Import, run: &Run<'_>) -> Result<ExitCode> {
    let source = config::source(&run.file, &args.principals.all(), &args.access, None)?;
    let typed = wanted::typed(args, &source, run)?;
    // A name that is taken or names several is an error before any request.
    let roles = |wanted: &[wanted::Wanted]| {
        let roles = wanted.iter().map(|wanted| (wanted.account.clone(), wanted.role.clone()));
        config::links_to_import(&run.file, roles.collect::<Vec<_>>(), args.name.as_deref(), &args.access)
    };
    if !typed.is_empty() {
        roles(&typed)?;
    }
    let (user, sts_rate) = (UserOptions::from(&args.code), Some(args.report.sts_rate));
    let opening = Opening { user: &user, region: None, path_style: false, sts_rate };
    let connections = run.open_connections(opening)?;

    let progress = run.console.progress("import");
    progress.now("reading the source account");
    let access = accounts::source_access(&connections, &source).await?;
    let side = accounts::source_side(&access, &source, &[]).await?;
    let (wanted, remarks) = match typed.is_empty() {
        true => wanted::granted(&access, &side, run).await?,
        false => (typed, Vec::new()),
    };
    progress.now("reading the roles");
    let links = if wanted.is_empty() { Vec::new() } else { roles(&wanted)? };
    let own_policies = BTreeSet::from([VERIFY_POLICY.to_owned()]);
    let pairs: Vec<_> = links.into_iter().zip(&wanted).collect();
    let found = side_by_side(&pairs, args.report.concurrency, async |(link, _)| {
        accounts::target_side(&connections, link, Some(&access), &own_policies).await.map_err(without_halves)
    })
    .await;

    let grant = GrantJob { plan: Plan::default(), result: Ok(()), repairs: 0 };
    let mut work = Work { source: side, grant, jobs: Vec::new(), failed: Vec::new() };
    for ((link, wanted), found) in pairs.into_iter().zip(found) {
        let imported = found.and_then(|found| express(link.clone(), wanted, found, &work.source, run));
        match imported {
            Ok(job) => work.jobs.push(job),
            Err(error) => work.failed.push(Failed { link, error }),
        }
    }
    work.refuse_single_failure()?;
    side_by_side(work.jobs.iter_mut(), args.report.concurrency, settle_probe).await;
    drop(progress);
    let report = Report { args, run, source: as_recorded(source, &work), remarks };
    report.preview(&work)?;
    let recorded = match args.dry_run || work.jobs.is_empty() {
        true => None,
        false => Some(write(&work, &report.source, run)),
    };
    let failure = recorded.as_ref().and_then(|recorded| recorded.as_ref().err()).map(|error| error.kind.exit_code());
    let exit_code = ExitCode::worst(failure.into_iter().chain([work.exit_code()]));
    report.finish(&work, exit_code, recorded)?;
    Ok(exit_code)
}

/// Leaves out the advice to create only one half, which import does not do.
fn without_halves(mut error: Error) -> Error {
    error.hints.retain(|hint| !hint.contains("--only"));
    error
}

/// Records that the test has no bucket, if the role's policies can never allow one, as `bootstrap` does.
async fn settle_probe(job: &mut Job) {
    let Some(operator) = job.operator.as_ref().filter(|_| job.link.probe == Probe::Auto) else { return };
    // A new link has its bucket in the global namespace.
    let bucket = test_bucket_name(SAMPLE_SUFFIX, &job.role.account, &operator.access.region, false);
    if let Foreseen::Impossible(_) = job.state.foresight.look(&operator.access, &bucket).await {
        job.link.probe = Probe::Identity;
    }
}

/// Returns the source as `xacct.toml` records it.
fn as_recorded(source: Source, work: &Work) -> Source {
    let principals = work.source.grantees.iter().map(|grantee| grantee.arn.reference()).collect();
    let grant = if source.grant == GrantSettings::default() { found_grant(work) } else { source.grant.clone() };
    Source { account: Some(work.source.account.clone()), principals, grant, ..source }
}

/// Returns the settings of the grants that there are. One that covers an organization counts if it covers all the roles.
fn found_grant(work: &Work) -> GrantSettings {
    let covers_all = |wide: &OrganizationGrant| work.jobs.iter().all(|job| wide.covers(&job.role));
    let of = |policies: Vec<&PolicyDocument>| policies.into_iter().find_map(OrganizationGrant::of).filter(covers_all);
    let grantees = || work.source.grantees.iter();
    let referring =
        || grantees().filter(|it| it.set.as_ref().is_some_and(|set| set.refers_to(&set_policy_arn(&it.arn))));
    let of_policy = || referring().find_map(|it| of(it.set.as_ref()?.attached_policies().collect()));
    let own = grantees().find_map(|it| of(it.observed.as_ref()?.policies().collect())).or_else(of_policy);
    let of_set = grantees().find_map(|it| of(it.set.as_ref()?.inline_policies().collect()));
    let is_pattern = own.is_none() && of_set.is_some();
    GrantSettings {
        scope: own.as_ref().map(|_| GrantScope::Organization),
        set_grant: match referring().next() {
            Some(_) => Some(SetGrant::ManagedPolicy),
            None => is_pattern.then_some(SetGrant::Pattern),
        },
        organization: own.or(of_set).map(|wide| wide.organization),
    }
}

/// Writes the files, then `xacct.toml`, which names them.
fn write(work: &Work, source: &Source, run: &Run<'_>) -> Result<bool> {
    config::check_writable(&run.file)?;
    let kept = work.jobs.iter().flat_map(|job| &job.state.kept);
    kept.into_iter()
        .try_for_each(|kept| kept.write(run))
        .map_err(|error: Error| error.note("xacct.toml was not changed"))?;
    let links: Vec<_> = work.jobs.iter().map(|job| &job.link).collect();
    run.record(&run.file, source, &links)
}
