//! `xacct teardown`: removes both halves of each link.
//!
//! The role is deleted first, after its policies. All permissions are in the role, and its trust policy trusts the
//! source account: without the grant, other principals there that may assume roles could still use it. A grant without
//! a role gives no access. So wherever a run is interrupted, the rest gives less access than before, and the next run
//! removes it.

mod apply;
mod arguments;
mod gone;
mod objection;
mod orphan;
mod plan;
mod report;
mod work;

use super::command_line::{Start, Verb};
use crate::aws::connections::Connections;
use crate::cli::{Half, UserOptions};
use crate::config::{self, Link, Source};
use crate::error::{Ended, Error, ExitCode, Kind, Result};
use crate::iam::arn::Partition;
use crate::iam::plan::Note;
use crate::operations::accounts::{refuse_entering_without_source, source_as_told};
use crate::operations::interrupt;
use crate::operations::proving::principals_on_record;
use crate::operations::run::{Opening, Run};
use crate::operations::work::Failed;
use crate::report::changes;
use apply::remove;
pub use arguments::Teardown;
use objection::managed_elsewhere;
use orphan::Orphan;
use plan::{observe, plan};
pub use report::Report;
pub use work::Work;

impl Verb for Teardown {
    const NAME: &'static str = "teardown";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, teardown(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct teardown`.
async fn teardown(args: &Teardown, run: &Run<'_>) -> Result<ExitCode> {
    let orphan = Orphan::resolve(args, run)?;
    let (links, unknown) = match &orphan {
        Some(orphan) => (orphan.links(), Vec::new()),
        None => {
            run.check_chosen("teardown", &args.targets, args.all)?;
            config::links_found(&run.file, &args.targets, &args.access)?
        }
    };
    let report = Report { verb: Teardown::NAME, args, run, orphan: orphan.as_ref(), unknown };
    let (managed, links): (Vec<_>, Vec<_>) = links.into_iter().partition(|link| link.managed_by.is_some());
    let managed =
        managed.into_iter().map(|link| Failed { error: managed_elsewhere(&link, run), link }).collect::<Vec<_>>();
    if let ([first, rest @ ..], true) = (managed.as_slice(), links.is_empty()) {
        return Err(rest.iter().fold(first.error.clone(), |error, more| error.note(&more.error.message)));
    }
    if links.is_empty() && orphan.is_none() {
        report.nothing_on_record();
        return Ok(ExitCode::Done);
    }
    let links = Link::with_other_roles(links);
    let mut source = config::recorded_source(&run.file, &args.access)?;
    principals_on_record(run)?;
    if let Some(orphan) = &orphan {
        source = orphan.source(source, run);
    }
    if args.only == Some(Half::Target) {
        links.iter().try_for_each(refuse_entering_without_source)?;
        source_as_told(&source, &links, Partition::Aws, false)
            .map_err(|error| error.note("--only target does not read the source account"))?;
    }
    let user = UserOptions::from(&args.code);
    let opening = Opening { user: &user, region: None, path_style: false, sts_rate: Some(args.report.sts_rate) };
    let connections = run.open_connections(opening)?;

    let mut work = shown(&source, links, managed, &report, &connections).await?;
    if args.changes.only_shown() {
        let exit_code = work.preview_exit_code(args.changes.check);
        report.finish(&work, exit_code, None);
        return Ok(exit_code);
    }
    apply(&mut work, &report).await?;
    let recorded = forget(&work, args, run);
    let exit_code = exit_code(&work, &recorded);
    report.finish(&work, exit_code, Some(&recorded));
    report.forgotten(&work, &recorded);
    Ok(exit_code)
}

/// Reads both accounts, plans the removal, and shows the plan.
///
/// `others` are targets that are not removed.
///
/// # Errors
/// When the source account or the only target cannot be read, or its role is not to be removed.
pub async fn shown(
    source: &Source,
    links: Vec<Link>,
    others: Vec<Failed>,
    report: &Report<'_>,
    connections: &Connections,
) -> Result<Work> {
    let Report { args, run, .. } = report;
    let observed = observe(source, &links, args, run, connections).await?;
    let mut work = plan(links, observed, report)?;
    work.failed.extend(others);
    work.refuse_single_failure()?;
    if args.only == Some(Half::Source) {
        refuse_shared_grant(&work)?;
    }
    report.preview(&work);
    Ok(work)
}

/// Refuses to remove the grant alone if all of it stays, because its statement for an organization serves other targets.
fn refuse_shared_grant(work: &Work) -> Result<()> {
    let stays = work.grant.plan.notes.iter().find(|note| matches!(note, Note::OrganizationGrantStays { .. }));
    let (Some(note), true) = (stays, work.pending() == 0) else { return Ok(()) };
    Err(Error::new(Kind::Refused, format!("cannot remove the grant alone: {}", changes::note(note)))
        .hint("to end the access, remove the role as well: run the command without --only"))
}

/// Asks, and removes the roles and their entries in the grant.
///
/// # Errors
/// When the answer is no, or `xacct.toml` cannot be written.
pub async fn apply(work: &mut Work, report: &Report<'_>) -> Result<()> {
    let Report { args, run, .. } = report;
    if work.pending() == 0 {
        return Ok(());
    }
    if !args.changes.yes {
        report.confirm(work).await?;
    }
    if args.only.is_none() && report.orphan.is_none() {
        config::check_writable(&run.file)?;
    }
    remove(work, report).await;
    Ok(())
}

/// Returns the exit code of the whole run. `recorded` says whether `xacct.toml` was written.
pub fn exit_code(work: &Work, recorded: &Result<bool>) -> ExitCode {
    let failure = recorded.as_ref().err().map(|error| error.kind.exit_code());
    ExitCode::worst(failure.into_iter().chain([work.exit_code()]))
}

/// Removes the deleted links from `xacct.toml`. With `--only`, the file keeps them: it is needed for the other half. It does
/// not name an orphan.
fn forget(work: &Work, args: &Teardown, run: &Run<'_>) -> Result<bool> {
    if args.only.is_some() || args.orphan.is_some() {
        return Ok(false);
    }
    config::forget(&run.file, &work.gone())
}
