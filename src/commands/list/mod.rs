//! `xacct list`: every target, with its settings and its last test.

mod json;
mod live;
mod text;

use clap::Args;

use super::command_line::{Start, Verb};
use crate::cli::{OperatorAccess, ReportOptions, UserOptions};
use crate::config::{self, Link};
use crate::error::{Ended, ExitCode, Result};
use crate::iam::arn::{Partition, RoleArn, UserRef};
use crate::iam::names::Region;
use crate::operations::interrupt;
use crate::operations::last_test::{LastTest, Tested};
use crate::operations::run::Run;
use live::Live;

/// List the targets, with their settings and last tests.
///
/// Works offline, from xacct.toml and from the records of tests on this machine. With --live, xacct also reads both
/// accounts, compares them with xacct.toml, and tests the links.
#[derive(Debug, Args)]
#[command(
    visible_alias = "status",
    after_long_help = "Examples:
  xacct list
  xacct list dev --output json
  xacct list --live

Options for credentials matter only with --live. Then the exit code is that of
xacct verify: 3 if a link does not work. For an exit code that depends on
differences, use xacct bootstrap --check."
)]
pub struct List {
    /// Targets, by name in xacct.toml or account ID (default: all)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Compare both accounts with xacct.toml, and test the links
    #[arg(long)]
    pub live: bool,
    /// Credentials of the operators.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// The user.
    #[command(flatten)]
    pub user: UserOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}

impl Verb for List {
    const NAME: &'static str = "list";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        list(self, &start.load()?).map(Ended::from)
    }
}

/// A target, and what is known about it.
pub struct Listed<'a> {
    pub link: &'a Link,
    pub role: RoleArn,
    /// The last test before this run.
    pub last: Option<LastTest>,
    /// Set with `--live`.
    pub live: Option<Live>,
}

/// Runs `xacct list`.
fn list(args: &List, run: &Run<'_>) -> Result<ExitCode> {
    let links = config::recorded_links(&run.file, &args.targets, None)?;
    let mut listed: Vec<_> = links.iter().map(|link| offline(link, run)).collect();
    if args.live {
        let live = interrupt::guarded(run, live::of(&links, args, run))?;
        listed.iter_mut().zip(live).for_each(|(listed, live)| listed.live = Some(live));
    }
    let exit_code = ExitCode::worst(listed.iter().filter_map(|listed| listed.live.as_ref()).map(Live::exit_code));
    if run.console.is_json() {
        run.console.result(&json::document(&listed, exit_code, run));
    } else {
        run.console.result(&text::text(&listed, run));
    }
    Ok(exit_code)
}

/// Returns what is known without asking AWS.
fn offline<'a>(link: &'a Link, run: &Run<'_>) -> Listed<'a> {
    let source = &run.file.source;
    let of_user = match &source.user {
        Some(UserRef::Arn(arn)) => Some(arn.partition),
        _ => None,
    };
    let of_others = run.file.partitions.first().copied();
    let partition = link.region.as_ref().map(Region::partition).or(of_user).or(of_others).unwrap_or(Partition::Aws);
    let role = link.role_arn(partition);
    let last = source.user.as_ref().and_then(|user| {
        let account = source.account.as_ref().or_else(|| user.account());
        Tested { link, role: &role, user: user.name(), source: account }.last(run.context)
    });
    Listed { link, role, last, live: None }
}
