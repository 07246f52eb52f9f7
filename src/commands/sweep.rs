//! `xacct sweep`: deletes test buckets left behind by interrupted runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::command_line::{Start, Verb};
use crate::aws::client::access::Access;
use crate::aws::connections::Connections;
use crate::aws::s3::leftover_buckets::{self, Found, Left};
use crate::aws::sts;
use crate::cli::{CodeOptions, OperatorAccess, ReportOptions, UserOptions};
use crate::config::{self, Link};
use crate::error::{Ended, Error, ExitCode, Result};
use crate::iam::names::AccountId;
use crate::operations::accounts::{self, Operator, who};
use crate::operations::apply::{check_unchanged, confirm_removal};
use crate::operations::interrupt;
use crate::operations::run::{Opening, Run, side_by_side};
use crate::proof::Watch;
use crate::report::console::{BAD, STRONG, count, styled_mark};
use crate::report::json::{self, ByName, JsonError};
use crate::text::on_one_line;
use crate::text::shell::ShellCommand;

/// Delete test buckets left behind by interrupted runs.
///
/// Finds buckets in the target accounts that have the name and the tag of xacct's test buckets, and deletes the empty ones.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  xacct sweep --all
  xacct sweep dev --older-than 24h
  Sweep an account that is not in xacct.toml:
    xacct sweep 222222222222 --target-profile dev-admin")]
pub struct Sweep {
    /// Targets, by name in xacct.toml or account ID (XACCT_TARGET has no effect)
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// All targets in xacct.toml
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// Skip buckets newer than this, which may belong to a run in progress
    #[arg(long, value_name = "DURATION", value_parser = older_than, default_value = "1h")]
    pub older_than: Duration,
    /// Show the buckets and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Delete without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Use path-style S3 URLs (automatic if the endpoint is an IP address or localhost)
    #[arg(long, env = "XACCT_S3_PATH_STYLE", value_parser = clap::builder::FalseyValueParser::new())]
    pub path_style: bool,
    /// Credentials of the operators.
    #[command(flatten)]
    pub access: OperatorAccess,
    /// MFA of the operators.
    #[command(flatten)]
    pub code: CodeOptions,
    /// Options of the report.
    #[command(flatten)]
    pub report: ReportOptions,
}

fn older_than(text: &str) -> std::result::Result<Duration, String> {
    let seconds = crate::iam::names::parse_duration(text)
        .map_err(|rule| format!("{rule}\n  hint: use a number with a unit, such as `30m` or `24h`"))?;
    Ok(Duration::from_secs(seconds.into()))
}

/// An account and its test buckets.
struct Account {
    id: AccountId,
    observed: Result<(Operator, Vec<Found>)>,
    /// The result of each deletion, by the bucket's name.
    deleted: BTreeMap<String, Result<Option<Left>>>,
}

impl Verb for Sweep {
    const NAME: &'static str = "sweep";

    fn run(&self, start: &Start<'_>) -> Result<Ended> {
        let run = start.load()?;
        interrupt::guarded(&run, sweep(self, &run)).map(Ended::from)
    }
}

/// Runs `xacct sweep`.
async fn sweep(args: &Sweep, run: &Run<'_>) -> Result<ExitCode> {
    run.check_chosen("sweep", &args.targets, args.all)?;
    let mut links = config::links_to_sweep(&run.file, &args.targets, &args.access)?;
    // Links to the same account share its buckets.
    let mut seen = BTreeSet::new();
    links.retain(|link| seen.insert(link.account.clone()));
    let source = config::recorded_source(&run.file, &args.access)?;
    let (user, sts_rate) = (UserOptions::from(&args.code), Some(args.report.sts_rate));
    let opening = Opening { user: &user, region: None, path_style: args.path_style, sts_rate };
    let connections = run.open_connections(opening)?;
    let source = accounts::source_access_to_enter(&connections, &links, &source).await?;
    let progress = run.console.progress("sweep");
    progress.now("looking for test buckets");
    let mut accounts = side_by_side(&links, args.report.concurrency, async |link| {
        let observed = find(&connections, link, source.as_ref(), args, run).await;
        Account { id: link.account.clone(), observed, deleted: BTreeMap::new() }
    })
    .await;
    drop(progress);
    if let [Account { observed: Err(error), .. }] = accounts.as_slice() {
        return Err(error.clone());
    }
    preview(&accounts, run);
    let pending = accounts.iter().flat_map(Account::to_delete).count();
    let applies = pending > 0 && !args.dry_run;
    if applies {
        if !args.yes {
            let hint = "or list the buckets and stop: --dry-run";
            let buckets = count(pending, "bucket");
            confirm_removal(&format!("Delete {buckets}?"), &format!("{buckets} to delete"), hint, run).await?;
        }
        for account in &mut accounts {
            account.delete().await;
        }
    }
    let exit_code = ExitCode::worst(accounts.iter().flat_map(Account::errors).map(|error| error.kind.exit_code()));
    finish(&accounts, pending, applies, exit_code, run);
    Ok(exit_code)
}

/// Finds the test buckets of one account.
async fn find(
    connections: &Connections,
    link: &Link,
    source: Option<&Access>,
    args: &Sweep,
    run: &Run<'_>,
) -> Result<(Operator, Vec<Found>)> {
    let access = accounts::enter_in_region(connections, link, source).await?;
    let (caller, found) = tokio::join!(
        sts::caller(&access),
        leftover_buckets::find(&access, &link.account, args.older_than, (run.context.now)()),
    );
    // Wrong credentials are reported before any other error.
    let operator = accounts::operator_of(link, access, caller)?;
    Ok((operator, found.map_err(|error| error.context(format!("target account {}", link.account)))?))
}

impl Account {
    fn found(&self) -> &[Found] {
        self.observed.as_ref().map_or(&[], |(_, found)| found)
    }

    fn to_delete(&self) -> impl Iterator<Item = &Found> {
        self.found().iter().filter(|found| found.left.is_none())
    }

    fn errors(&self) -> impl Iterator<Item = &Error> {
        let deletions = self.deleted.values().filter_map(|result| result.as_ref().err());
        self.observed.as_ref().err().into_iter().chain(deletions)
    }

    async fn delete(&mut self) {
        let Ok((operator, found)) = &self.observed else { return };
        let deletions = found
            .iter()
            .filter(|found| found.left.is_none())
            .map(async |found| (found.name.clone(), delete(&operator.access, found, &self.id).await));
        self.deleted = stream::iter(deletions).buffer_unordered(leftover_buckets::AT_ONCE).collect().await;
    }
}

/// Deletes a bucket if it still is what was shown.
async fn delete(access: &Access, found: &Found, owner: &AccountId) -> Result<Option<Left>> {
    let what = format!("bucket {}", found.name);
    let in_words = |error: Error| error.context(what.clone());
    let Some(changed) = leftover_buckets::changed(access, found, owner).await.map_err(in_words)? else {
        return Ok(None);
    };
    check_unchanged(&what, &changed, &ShellCommand::new("xacct").arg("sweep").flag("--dry-run").arg(owner))?;
    leftover_buckets::delete(access, found, owner).await.map_err(in_words)
}

fn preview(accounts: &[Account], run: &Run<'_>) {
    let mut text = String::new();
    for account in accounts {
        let Ok((operator, found)) = &account.observed else { continue };
        who(&mut text, "Target", account.id.as_str(), Some(operator));
        match account.to_delete().count() {
            0 => text.push_str("\nNo test buckets to delete\n"),
            number => {
                let _ = writeln!(text, "\n{STRONG}{} to delete{STRONG:#}", count(number, "test bucket"));
            }
        }
        // Not a table, which would break long names.
        let width = found.iter().map(|found| found.name.len()).max().unwrap_or_default();
        for found in found {
            let sign = if found.left.is_none() { '-' } else { ' ' };
            let why = found.left.map_or_else(String::new, |left| format!("  kept: {}", reason(left)));
            let line = format!("  {sign}  {:<width$}  {}{why}", on_one_line(&found.name), age(found));
            let _ = writeln!(text, "{}", if found.left.is_none() { styled_mark(&line, BAD) } else { line });
        }
    }
    run.console.tell(&text);
    for error in accounts.iter().filter_map(|account| account.observed.as_ref().err()) {
        run.console.error(error);
    }
}

fn finish(accounts: &[Account], pending: usize, applied: bool, exit_code: ExitCode, run: &Run<'_>) {
    let console = run.console;
    if console.is_json() {
        let accounts = accounts.iter().map(|account| (account.id.to_string(), JsonAccount::from(account))).collect();
        console.result(&json::document("sweep", exit_code, JsonSweep { accounts, applied }));
    }
    if !applied {
        if pending > 0 {
            console.say("Nothing was deleted");
        }
        return;
    }
    for (name, result) in accounts.iter().flat_map(|account| &account.deleted) {
        match result {
            Ok(None) => console.tell(&format!("Deleted {name}")),
            Ok(Some(left)) => console.tell(&format!("Kept {name}: {}", reason(*left))),
            Err(error) => console.error(error),
        }
    }
}

/// Returns why a bucket is kept.
fn reason(left: Left) -> &'static str {
    match left {
        Left::OtherName => "not named like a test bucket",
        Left::Young => "may belong to a run in progress",
        Left::NoTag => "not tagged as a test bucket",
        Left::NotEmpty => "not empty",
    }
}

fn age(found: &Found) -> String {
    let minutes = found.age.as_secs() / 60;
    match minutes {
        0..60 => format!("{minutes}m old"),
        60..2880 => format!("{}h old", minutes / 60),
        _ => format!("{}d old", minutes / 1440),
    }
}

#[derive(Serialize)]
struct JsonSweep {
    accounts: ByName,
    applied: bool,
}

#[derive(Serialize)]
struct JsonAccount {
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<json::Operator>,
    buckets: Vec<JsonBucket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

#[derive(Serialize)]
struct JsonBucket {
    name: String,
    region: String,
    age_seconds: u64,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<JsonError>,
}

impl From<&Account> for JsonAccount {
    fn from(account: &Account) -> Self {
        let buckets = account.found().iter().map(|found| {
            let result = account.deleted.get(&found.name);
            let left = found.left.or_else(|| result?.as_ref().ok().copied().flatten());
            JsonBucket {
                name: found.name.clone(),
                region: found.region.to_string(),
                age_seconds: found.age.as_secs(),
                deleted: matches!(result, Some(Ok(None))),
                left: left.map(|left| match left {
                    Left::OtherName => "other_name",
                    Left::Young => "young",
                    Left::NoTag => "no_tag",
                    Left::NotEmpty => "not_empty",
                }),
                error: result.and_then(|result| result.as_ref().err()).map(JsonError::from),
            }
        });
        Self {
            operator: account.observed.as_ref().ok().map(|(operator, _)| operator.into()),
            buckets: buckets.collect(),
            error: account.observed.as_ref().err().map(JsonError::from),
        }
    }
}
