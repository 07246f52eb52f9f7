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
use crate::cli::{Half, UserOptions};
use crate::config;
use crate::error::{Ended, ExitCode, Result};
use crate::iam::arn::Partition;
use crate::operations::accounts::{refuse_entering_without_source, source_as_told};
use crate::operations::interrupt;
use crate::operations::proving::user_on_record;
use crate::operations::run::{Opening, Run};
use apply::remove;
pub use arguments::Teardown;
use orphan::Orphan;
use plan::{observe, plan};
use report::Report;
use work::Work;

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
    let report = Report { args, run, orphan: orphan.as_ref(), unknown };
    if links.is_empty() && orphan.is_none() {
        report.nothing_on_record();
        return Ok(ExitCode::Done);
    }
    let mut source = config::recorded_source(&run.file, &args.access)?;
    user_on_record(run)?;
    if let Some(orphan) = &orphan {
        source = orphan.source(source);
    }
    if args.only == Some(Half::Target) {
        links.iter().try_for_each(refuse_entering_without_source)?;
        source_as_told(&source, Partition::Aws, false)
            .map_err(|error| error.note("--only target does not read the source account"))?;
    }
    let user = UserOptions::from(&args.code);
    let opening = Opening { user: &user, region: None, path_style: false, sts_rate: Some(args.report.sts_rate) };
    let connections = run.open_connections(opening)?;

    let observed = observe(&source, &links, args, run, &connections).await?;
    let mut work = plan(links, observed, orphan.as_ref(), args, run)?;
    work.refuse_single_failure()?;
    report.preview(&work);
    if args.changes.only_shown() {
        let exit_code = work.preview_exit_code(args.changes.check);
        report.finish(&work, exit_code, None);
        return Ok(exit_code);
    }

    if work.pending() > 0 {
        if !args.changes.yes {
            report.confirm(&work).await?;
        }
        if args.only.is_none() && orphan.is_none() {
            config::check_writable(&run.file)?;
        }
        remove(&mut work, orphan.as_ref(), args, run).await;
    }
    let recorded = forget(&work, args, run);
    let failure = recorded.as_ref().err().map(|error| error.kind.exit_code());
    let exit_code = ExitCode::worst(failure.into_iter().chain([work.exit_code()]));
    report.finish(&work, exit_code, Some(recorded));
    Ok(exit_code)
}

/// Removes the deleted links from `xacct.toml`. With `--only`, the file keeps them: it is needed for the other half. It does
/// not name an orphan.
fn forget(work: &Work, args: &Teardown, run: &Run<'_>) -> Result<bool> {
    if args.only.is_some() || args.orphan.is_some() {
        return Ok(false);
    }
    config::forget(&run.file, &work.done().map(|job| job.link.name.as_str()).collect::<Vec<_>>())
}
