//! `xacct revoke`: ends a role's current sessions, and keeps the link.

mod apply;
mod arguments;
mod plan;
mod report;
mod work;

use super::command_line::{Start, Verb};
use crate::cli::UserOptions;
use crate::config::{self, Link};
use crate::error::{Ended, Error, ExitCode, Result};
use crate::iam::arn::Partition;
use crate::operations::accounts::source_as_told;
use crate::operations::interrupt;
use crate::operations::proving::principals_on_record;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::proof::Watch;
use apply::apply;
pub use arguments::Revoke;
use plan::plan;
use report::Report;

impl Verb for Revoke {
    const NAME: &'static str = "revoke";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, revoke(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct revoke`.
async fn revoke(args: &Revoke, run: &Run<'_>) -> Result<ExitCode> {
    if args.changes.check && !args.lift {
        return Err(Error::usage("--check needs --lift, because a revocation always changes the role")
            .hint("to show the change and stop: --dry-run"));
    }
    run.check_chosen(if args.lift { "revoke --lift" } else { "revoke" }, &args.targets, args.all)?;
    let links = config::recorded_links(&run.file, &args.targets, None)?;
    let links = Link::with_other_roles(links.into_iter().map(|link| link.with_access(&args.access)).collect());
    let source = config::recorded_source(&run.file, &args.access)?;
    principals_on_record(run)?;
    source_as_told(&source, &links, Partition::Aws, false)?;
    let (user, sts_rate) = (UserOptions::from(&args.code), Some(args.report.sts_rate));
    let opening = Opening { user: &user, region: None, path_style: false, sts_rate };
    let connections = run.open_connections(opening)?;

    let mut work = plan(links, &source, args, run, &connections).await?;
    work.refuse_single_failure()?;
    let report = Report { args, run };
    report.preview(&work);
    if args.changes.only_shown() {
        let exit_code = work.preview_exit_code(args.changes.check);
        report.finish(&work, exit_code, false);
        return Ok(exit_code);
    }

    let applies = work.pending() > 0;
    if applies {
        if !args.changes.yes {
            report.confirm(&work).await?;
        }
        let progress = run.console.progress("revoke");
        progress.now("writing");
        let jobs = work.jobs.iter_mut().filter(|job| !job.plan.is_empty());
        side_by_side(jobs, args.report.concurrency, async |job| job.result = apply(job, args, run, &progress).await)
            .await;
    }
    let exit_code = work.exit_code();
    report.finish(&work, exit_code, applies);
    Ok(exit_code)
}
