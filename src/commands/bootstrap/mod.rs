//! `xacct bootstrap`: makes or mends both halves of each link, then proves it.

mod apply;
mod arguments;
mod desired;
mod other_half;
mod refusal;
mod report;

use std::cell::Cell;
use std::collections::BTreeMap;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::command_line::{Start, Verb};
use crate::aws::connections::Connections;
use crate::cli::Half;
use crate::config::{self, Link, Source, WayIn, includes};
use crate::diagnosis::{Diagnosis, diagnose};
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::iam::arn::{Partition, RoleArn, UserRef};
use crate::iam::names::{AccountId, PolicyName};
use crate::iam::plan::Plan;
use crate::iam::plan::bootstrap::{plan_grant, plan_role};
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredGrant, DesiredRole};
use crate::iam::templates;
use crate::operations::accounts::{SourceSide, TargetSide};
use crate::operations::explain::{Case, Diagnostician};
use crate::operations::grant_writer::Grant;
use crate::operations::interrupt;
use crate::operations::proving;
use crate::operations::run::{Run, side_by_side};
use crate::operations::{accounts, settle};
use crate::proof::{Freshness, Outcome, Proof, Watch};
pub use arguments::Bootstrap;
use refusal::refused;

/// One link on its way: what was found, what is to be done, and what came of it.
struct Job {
    link: Link,
    role: RoleArn,
    /// `None` when only the half in the source account is made.
    target: Option<TargetSide>,
    desired: DesiredRole,
    plan: Plan,
    result: Result<()>,
    /// Whether every write was taken, though AWS may not show it yet.
    made: bool,
    /// When AWS had answered the last write, if one can change what is allowed.
    written: Option<Instant>,
    proof: Option<Result<Proof>>,
    /// Why the link does not work, if it does not.
    diagnosis: Option<Diagnosis>,
}

/// A link that could not even be planned.
struct Failed {
    link: Link,
    error: Error,
}

/// Everything about one run.
struct Work {
    source: SourceSide,
    grant: DesiredGrant,
    grant_plan: Plan,
    grant_result: Result<()>,
    /// What writes the grant, where it had to be written.
    grant_writer: Option<Grant>,
    jobs: Vec<Job>,
    failed: Vec<Failed>,
}

impl Verb for Bootstrap {
    const NAME: &'static str = "bootstrap";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, bootstrap(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct bootstrap`.
async fn bootstrap(args: &Bootstrap, run: &Run<'_>) -> Result<ExitCode> {
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
        connections.profiles().require(profile)?;
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

/// Settles what is wanted, and plans. Pure but for a new external ID.
fn plan(
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
        if let Err(error) = desired::settle(&mut link, side, observed, run.context) {
            failed.push(Failed { link, error });
            continue;
        }
        let partition = desired::partition(side, target.as_ref());
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

impl Work {
    /// How many changes are to be made.
    fn pending(&self) -> usize {
        self.grant_plan.changes.len() + self.jobs.iter().map(|job| job.plan.changes.len()).sum::<usize>()
    }

    /// The exit code of a preview.
    fn previewed(&self, pending: bool) -> ExitCode {
        match self.failed.first() {
            Some(failed) => failed.error.kind.exit_code(),
            None if pending => ExitCode::ChangesPending,
            None => ExitCode::Done,
        }
    }

    /// The exit code of the whole run: an error is worse than a link that is not proven.
    fn exit_code(&self) -> ExitCode {
        let errors = self
            .failed
            .iter()
            .map(|failed| &failed.error)
            .chain(self.grant_result.as_ref().err())
            .chain(self.jobs.iter().filter_map(|job| job.result.as_ref().err()))
            .chain(self.jobs.iter().filter_map(|job| job.proof.as_ref()?.as_ref().err()));
        if let Some(error) = errors.into_iter().next() {
            return error.kind.exit_code();
        }
        let proofs = self.jobs.iter().filter_map(|job| job.proof.as_ref()?.as_ref().ok());
        match proofs.map(|proof| proof.outcome).max() {
            Some(outcome) => outcome.exit_code(),
            None => ExitCode::Done,
        }
    }
}

async fn prove(work: &mut Work, args: &Bootstrap, run: &Run<'_>, connections: &Connections, source: &Source) {
    let user = UserRef::Arn(work.source.user.clone());
    let operator = work.source.operator.as_ref();
    let access = match (&source.user_profile, operator) {
        (Some(profile), _) => connections.access(Some(profile)).await,
        (None, Some(operator)) => Ok(operator.access.clone()),
        (None, None) => return,
    };
    let prover = match access {
        Ok(access) => {
            let named = source.user_profile.is_some();
            proving::prover(connections, access, named, user.clone(), Some(work.source.account.clone()), run)
        }
        Err(error) => Err(error),
    };
    let prover = match prover {
        Ok(prover) => prover,
        Err(error) => {
            for job in &mut work.jobs {
                job.proof = Some(Err(error.clone()));
            }
            return;
        }
    };
    let mut writer = work.grant_writer.take();
    // When the grant was written; later, once it had to be repaired.
    let granted = Cell::new(writer.as_ref().and_then(|grant| grant.written));
    let claim = |job: &Job, written: Option<Instant>| {
        let freshness = match written {
            Some(at) => Freshness::JustWritten { at, patience: args.timeout },
            None => Freshness::Settled,
        };
        proving::claim(&job.link, job.role.clone(), job.link.external_id.known().cloned(), freshness, run)
    };
    let operator = operator.map(|operator| operator.access.clone());
    let known = Source { account: Some(work.source.account.clone()), ..source.clone() };
    let diagnostician = Diagnostician::new(run, connections, &known, &user, operator);
    let tally = run.console.tally("bootstrap", work.jobs.len(), "verified");
    let proofs = side_by_side(&work.jobs, args.report.concurrency, async |job| {
        if job.result.is_err() || work.grant_result.is_err() {
            return (None, None);
        }
        let progress = run.console.progress(&job.link.name);
        let mut written = job.written.max(granted.get());
        let (proof, claim) = loop {
            let claim = claim(job, written);
            let proof = prover.prove(&claim, &progress).await;
            let is_refused = matches!(&proof, Ok(proof) if proof.outcome == Outcome::Refused);
            if !is_refused || granted.get() <= written {
                break (proof, claim);
            }
            // The grant was repaired meanwhile, and what was repaired is waited for as long.
            written = granted.get();
        };
        tally.one_more();
        if matches!(&proof, Ok(proof) if proof.outcome == Outcome::Works) {
            return (Some(proof), None);
        }
        progress.now("reading both halves");
        let target = job.target.as_ref().map(|target| target.operator.access.clone());
        let case = Case { link: &job.link, role: &job.role, target, written };
        let facts = diagnostician.facts(&case, &prover, &claim, &proof).await;
        (Some(proof), facts.as_ref().map(diagnose))
    });
    let (proven, ended) = oneshot::channel();
    let prove = async {
        let proofs = proofs.await;
        drop(proven);
        proofs
    };
    let guard = async {
        match &mut writer {
            Some(grant) => grant.guard(ended, |at| granted.set(Some(at))).await,
            None => Ok(()),
        }
    };
    // What the grant lacks for good is not waited for.
    let proven = tokio::try_join!(async { Ok(prove.await) }, guard);
    work.grant_writer = writer;
    match proven {
        Ok((proofs, ())) => {
            for (job, (proof, diagnosis)) in work.jobs.iter_mut().zip(proofs) {
                (job.proof, job.diagnosis) = (proof, diagnosis);
            }
        }
        Err(error) => work.grant_result = Err(error),
    }
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

fn refuse_same_account(link: &Link, source: &AccountId) -> Result<()> {
    if *source != link.account {
        return Ok(());
    }
    Err(Error::usage(format!("source and target are the same account, {}", link.account))
        .note("a link is between two accounts")
        .hint("name another account: --target-account ID"))
}

/// A role that leads into the target is assumed by the source operator.
///
/// # Errors
/// When the link is entered so.
pub fn refuse_entering_without_source(link: &Link) -> Result<()> {
    match &link.way_in {
        WayIn::EnterRole(_) => Err(Error::usage(format!(
            "target `{}` is entered from the source account, which is not looked at with --only target",
            link.name
        ))
        .hint("name the profile of the target's operator: --target-profile NAME")),
        _ => Ok(()),
    }
}

/// Checks what is known of both accounts only after both were looked at.
fn can_be_linked(source: &SourceSide, link: &Link, target: Option<&TargetSide>) -> Result<()> {
    match (&source.operator, target) {
        (Some(source), Some(target)) => accounts::check_pair(&source.caller, &target.operator.caller),
        _ => refuse_same_account(link, &source.account),
    }
}
