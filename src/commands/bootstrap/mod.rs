//! `xacct bootstrap`: creates or repairs both halves of each link, then tests it.

mod apply;
mod arguments;
mod json;
mod moving;
mod observe;
mod other_half;
mod permission_set;
mod plan;
mod probe;
mod prove;
mod refusal;
mod report;
mod settings;
mod user;
mod wait;
mod work;

use super::command_line::{Start, Verb};
use crate::aws::iam::apply::refuse_taken_names;
use crate::config::{self, ConfigFile, Link, Source};
use crate::environment;
use crate::error::{Ended, ExitCode, Result};
use crate::iam::orphans::Orphans;
use crate::iam::risks::Risk;
use crate::operations::accounts::{Grantee, SourceSide, Standing};
use crate::operations::grant_writer::GrantWriters;
use crate::operations::interrupt;
use crate::operations::orphans::Search;
use crate::operations::run::{Opening, Run};
use apply::apply;
pub use arguments::Bootstrap;
use observe::observe;
use plan::plan;
use probe::{Answers, Questions};
use prove::Proving;
pub use report::tell;
pub use settings::Settings;
use work::Job;
pub use work::{Made, Work};

impl Verb for Bootstrap {
    const NAME: &'static str = "bootstrap";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, bootstrap(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct bootstrap`.
async fn bootstrap(args: &Bootstrap, run: &Run<'_>) -> Result<ExitCode> {
    let mut settings = Settings::resolve(args, run)?;
    if args.changes.check {
        settings.search = Search::new(&settings.links, args.only, run)?;
    }
    let made = make(settings, args, run).await?;
    report::finish(&made, args, run);
    Ok(made.exit_code)
}

/// Creates or repairs the links of these settings, tests them, and records them. Other verbs that change links do it with
/// settings of their own.
///
/// # Errors
/// When nothing could be done for any link.
pub async fn make(mut settings: Settings, args: &Bootstrap, run: &Run<'_>) -> Result<Made> {
    let mut source = settings.source.clone();
    let opening = Opening {
        user: &args.proof.user,
        region: args.proof.user.region.clone(),
        path_style: args.proof.path_style,
        sts_rate: Some(args.report.sts_rate),
    };
    let connections = run.open_connections(opening)?;
    // Machines that only change things, as in CI, need not have the user's profile.
    let is_needed = !args.no_verify || args.proof.user.user_profile.is_some();
    let profile = source.user_profile.as_deref().filter(|name| is_needed && !environment::is_usual(name));
    if let Some(profile) = profile {
        // The user's profile is needed last, but a typo in its name should be reported first.
        connections.profiles().require(profile)?;
    }

    let observed = observe(&settings, args, run, &connections).await?;
    let search = std::mem::take(&mut settings.search);
    let mut work = plan(settings, observed, args, run)?;
    work.refuse_single_failure()?;
    let orphans = args.changes.check.then(|| orphans(search, &mut work));
    if let Some(operator) = &work.source.operator {
        refuse_taken_names(&operator.access, &work.grant.plan).await?;
    }
    // With --yes, the policies are read beside the writes, so that they take no time of their own.
    let is_beside = args.changes.yes && work.pending() > 0 && !args.changes.only_shown();
    let mut questions = Some(Questions::of(&work, args, &run.file));
    let now = if is_beside || args.changes.check { None } else { questions.take() };
    let (found, answers) = tokio::join!(
        user::look_for(&mut source, &mut work, args, &connections),
        answered(now, args.report.concurrency)
    );
    if let Some(answers) = answers {
        answers.settle(&mut work);
    }
    report::preview(&work, orphans.as_ref(), found.as_deref(), args, run);
    if args.changes.only_shown() {
        let has_orphans = orphans.as_ref().is_some_and(Orphans::are_any).then_some(ExitCode::ChangesPending);
        let exit_code = ExitCode::worst(has_orphans.into_iter().chain([work.preview_exit_code(args.changes.check)]));
        return Ok(Made { work, exit_code, orphans, recorded: None, other_profiles: None });
    }

    let mut writers = GrantWriters::default();
    if work.pending() > 0 && !args.changes.yes {
        report::confirm(&work, run).await?;
        // The role may have been used while the question stood.
        let existing = work.jobs.iter_mut().filter(|job| job.state.shown.is_some());
        existing.for_each(|job| job.state.used_before = None);
    }
    let proves = args.only.is_none() && !args.no_verify;
    if source.leaving.is_some() && proves {
        let proving = Proving { args, run, connections: &connections, source: &source };
        proving.check_before_anybody_leaves(&work).await?;
    }
    let kept: Vec<_> = work.jobs.iter().filter_map(|job| job.state.kept.as_ref()).collect();
    if work.pending() > 0 || !kept.is_empty() {
        config::check_writable(&run.file)?;
    }
    // Before the role loses the statements.
    kept.into_iter().try_for_each(|kept| kept.write(run))?;
    let source = as_recorded(source, &work.source);
    let mut file = run.file.clone();
    let before = record_moves(&work, &source, &file, run)?;
    if before {
        file = file.again()?;
    }
    let mut ahead = None;
    // Without the grant, a permission set may have no credentials yet.
    if proves && args.wait.is_none() {
        let proving = Proving { args, run, connections: &connections, source: &source };
        ahead = Some(proving.prover_ahead(&work).await);
    }
    if work.pending() > 0 {
        let answers = answered(questions.take(), args.report.concurrency);
        let takes_code = work.jobs.iter().any(|job| job.link.require_mfa);
        let prepare = async {
            if let Some(Some(Ok(prover))) = ahead.as_ref().filter(|_| takes_code) {
                prover.prepare_for_code().await;
            }
        };
        let (applied, answers, ()) = tokio::join!(apply(&mut work, args, proves, run), answers, prepare);
        if let Some(answers) = answers {
            answers.settle(&mut work);
        }
        writers = applied?;
        let new = work.jobs.iter().filter(|job| job.state.shown.is_none() && !job.plan.is_empty());
        run.forget_sessions(new.map(|job| job.role.clone()));
    }
    let mut source = as_recorded(source, &work.source);
    let is_partial = !work.failed.is_empty() || work.jobs.iter().any(|job| job.result.is_err());
    if work.grant.result.is_err() || is_partial {
        keep_leaving(&mut source, &mut work, &run.file);
    }
    let links: Vec<_> = work.jobs.iter().map(|job| &job.link).collect();
    // The profile of whoever left is replaced on record.
    let is_kept = source.leaving.is_none();
    let other_profiles = is_kept.then(|| config::other_profiles(&run.file, &source, &links)).flatten();
    let mut recorded = record(&work, &source, &file, run, |_| !proves).map(|written| written || before);
    // The links are on record: the wait may be interrupted.
    if let Some(most) = args.wait.filter(|_| work.jobs.iter().any(|job| job.result.is_ok())) {
        wait::for_permission_sets(&mut work, most, run).await?;
    }
    if proves {
        let proving = Proving { args, run, connections: &connections, source: &source };
        let prover = match ahead {
            Some(prover) => prover,
            None => proving.prover(&work).await,
        };
        proving.prove(&mut work, &mut writers, prover).await;
        let is_rotated = |job: &Job| job.state.proof.is_none() || job.state.rejects_wrong_external_id();
        let any_rotated = work.jobs.iter().any(|job| job.link.finishes_rotation() && is_rotated(job));
        let any_moved = work.jobs.iter().any(|job| job.link.begins_move && job.state.works());
        if probe::settle_late(&mut work) || any_rotated || any_moved {
            recorded = recorded.and_then(|written| {
                let is_done = |job: &Job| if job.link.begins_move { job.state.works() } else { is_rotated(job) };
                let again = record(&work, &source, &run.file.again()?, run, is_done)?;
                Ok(written || again)
            });
        }
    }
    if !writers.is_empty() {
        let lacking: Vec<_> = work.grant.plan.lacking_grants().cloned().map(Box::new).collect();
        // Other runs may have added to the grants since the preview.
        (work.grant.repairs, work.grant.plan) = (writers.repairs(), writers.into_plan());
        work.grant.plan.warnings.extend(lacking.into_iter().map(Risk::PermissionSetLacksGrant));
    }
    let exit_code = work::exit_code(&work, &recorded);
    Ok(Made { work, exit_code, orphans: None, recorded: Some(recorded), other_profiles })
}

/// Returns the orphans that were found. They say what the warning about undeclared roles in the grant would say again.
fn orphans(search: Search, work: &mut Work) -> Orphans {
    let read = work.jobs.iter().filter(|job| job.operator.is_some());
    let orphans = search.found(&work.source, &read.map(|job| job.link.account.clone()).collect());
    if orphans.are_any() {
        work.grant.plan.warnings.retain(|risk| !matches!(risk, Risk::UndeclaredRoles { .. }));
    }
    orphans
}

/// Answers the questions, if there are any left.
async fn answered(questions: Option<Questions>, at_once: Option<u16>) -> Option<Answers> {
    match questions {
        Some(questions) => Some(questions.answer(at_once).await),
        None => None,
    }
}

/// Returns the source as `xacct.toml` records it, with the account in a key of its own.
fn as_recorded(source: Source, observed: &SourceSide) -> Source {
    let is_default = |grantee: &&Grantee| grantee.standing == Standing::Default;
    let own: Vec<_> = observed.grantees.iter().filter(is_default).map(|grantee| grantee.arn.reference()).collect();
    // Links with principals of their own do not show those of the others.
    let principals = if own.is_empty() { source.principals.clone() } else { own };
    Source { account: Some(observed.account.clone()), principals, ..source }
}

/// Keeps the principal on record that has not lost all links, so that the next run takes them away.
fn keep_leaving(source: &mut Source, work: &mut Work, file: &ConfigFile) {
    if source.leaving.is_none() {
        return;
    }
    source.principals.clone_from(&file.source.principals);
    for job in &mut work.jobs {
        let recorded = file.target(&job.link.name).map(|record| record.principals.clone());
        job.link.principals = recorded.unwrap_or_default();
        job.link.has_own_principals = !job.link.principals.is_empty();
    }
}

/// Records the new roles of links that are moved, before they are created, so that teardown finds them.
fn record_moves(work: &Work, source: &Source, file: &ConfigFile, run: &Run<'_>) -> Result<bool> {
    let moved = work.jobs.iter().filter_map(|job| Some((job, job.link.before_move()?)));
    record_links(moved.map(|(job, link)| in_region(link, job, work)).collect(), source, file, run)
}

/// Records every link whose role was created, even if the grant failed, so that teardown finds it. An old external ID
/// stays on record until its end `is_done`, and a moved link keeps its old role until the new one works: then a run that
/// was interrupted can be repeated.
fn record(
    work: &Work,
    source: &Source,
    file: &ConfigFile,
    run: &Run<'_>,
    is_done: impl Fn(&Job) -> bool,
) -> Result<bool> {
    let made = work.jobs.iter().filter(|job| job.state.made && job.link.managed_by.is_none());
    let links = made.map(|job| {
        let mut link = job.link.clone();
        if link.finishes_rotation() && !is_done(job) {
            link.old_external_ids = link.former_external_ids().cloned().collect();
        }
        let is_granted = job.result.is_ok() && work.grant.result.is_ok();
        let before = link.before_move().filter(|_| !is_granted || !is_done(job));
        in_region(before.unwrap_or(link), job, work)
    });
    record_links(links.collect(), source, file, run)
}

/// Returns the link with the Region to record.
fn in_region(mut link: Link, job: &Job, work: &Work) -> Link {
    let operator = job.operator.as_ref().or(work.source.operator.as_ref());
    link.region = link.region.or_else(|| operator.map(|operator| operator.access.region.clone()));
    link
}

fn record_links(links: Vec<Link>, source: &Source, file: &ConfigFile, run: &Run<'_>) -> Result<bool> {
    if links.is_empty() {
        return Ok(false);
    }
    run.record(file, source, &links.iter().collect::<Vec<_>>())
}
