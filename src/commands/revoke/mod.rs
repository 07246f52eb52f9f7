//! `xacct revoke`: ends a role's current sessions, and keeps the link.

mod apply;
mod arguments;
mod plan;
mod report;

use super::command_line::{Start, Verb};
use crate::cli::UserOptions;
use crate::config;
use crate::error::{Ended, ExitCode, Result};
use crate::operations::interrupt;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::proof::Watch;
use apply::apply;
pub use arguments::Revoke;
use plan::plan;

impl Verb for Revoke {
    const NAME: &'static str = "revoke";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, revoke(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct revoke`.
async fn revoke(args: &Revoke, run: &Run<'_>) -> Result<ExitCode> {
    run.check_chosen("revoke", &args.targets, args.all)?;
    let links = config::recorded_links(&run.file, &args.targets, None)?;
    let links: Vec<_> = links.into_iter().map(|link| link.with_access(&args.access)).collect();
    let (user, sts_rate) = (UserOptions::from(&args.code), Some(args.report.sts_rate));
    let opening = Opening { user: &user, region: None, path_style: false, sts_rate };
    let connections = run.open_connections(opening)?;
    let (mut jobs, failed) = plan(links, args, run, &connections).await?;
    if let ([], [failed]) = (jobs.as_slice(), failed.as_slice()) {
        return Err(failed.error.clone());
    }
    report::show(&jobs, &failed, args, run);
    let pending = jobs.iter().map(|job| job.plan.changes.len()).sum::<usize>();
    let applies = pending > 0 && !args.changes.only_shown();
    if applies {
        if !args.changes.yes {
            report::confirm(&jobs, pending, args, run).await?;
        }
        let progress = run.console.progress("revoke");
        progress.now("writing");
        side_by_side(jobs.iter_mut().filter(|job| !job.plan.is_empty()), args.report.concurrency, async |job| {
            job.result = apply(job, args, run, &progress).await;
        })
        .await;
    }
    let differs = (args.changes.check && pending > 0).then_some(ExitCode::ChangesPending);
    let errors =
        failed.iter().map(|failed| &failed.error).chain(jobs.iter().filter_map(|job| job.result.as_ref().err()));
    let exit_code = ExitCode::worst(errors.map(|error| error.kind.exit_code()).chain(differs));
    report::finish(&jobs, &failed, (pending, applies), exit_code, args, run);
    Ok(exit_code)
}
