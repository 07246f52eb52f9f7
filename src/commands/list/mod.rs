//! `xacct list`: every target, with its settings and its last test.

mod arguments;
mod json;
mod listed;
mod live;
mod text;

use super::command_line::{Start, Verb};
use crate::config::{self, Link};
use crate::error::{Ended, ExitCode, Result};
use crate::operations::interrupt;
use crate::operations::last_test::Tested;
use crate::operations::run::Run;
pub use arguments::List;
use listed::Listed;

impl Verb for List {
    const NAME: &'static str = "list";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        list(self, &start.load()?).map(Ended::from)
    }
}

/// Runs `xacct list`.
fn list(args: &List, run: &Run<'_>) -> Result<ExitCode> {
    let links = run.links(&args.targets)?;
    let mut listed: Vec<_> = links.iter().map(|link| offline(link, run)).collect();
    let mut orphans = None;
    if args.live {
        config::usable(links.clone(), &run.file)?;
        let (live, found) = interrupt::guarded(run, live::of(&links, args, run))?;
        orphans = found;
        listed.iter_mut().zip(live).for_each(|(listed, live)| listed.live = Some(live));
    }
    let live = listed.iter().filter_map(|listed| listed.live.as_ref());
    let exit_code = ExitCode::worst(live.map(|live| live.exit_code(&args.fail)));
    run.publish("list", exit_code, || json::list(&listed, orphans.as_ref(), args, run));
    if !run.console.is_json() {
        run.console.result(&text::text(&listed, orphans.as_ref(), run));
    }
    Ok(exit_code)
}

/// Returns what is known without asking AWS.
fn offline<'a>(link: &'a Link, run: &Run<'_>) -> Listed<'a> {
    let role = link.role_arn(run.file.partition_of(link.region.as_ref()));
    let principals = &link.principals_in_words();
    let last = Tested { link, role: &role, principals, source: run.file.source.account() }.last(run.context);
    Listed { link, role, last, live: None }
}
