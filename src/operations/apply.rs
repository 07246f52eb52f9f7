//! Around writes: the confirmation before them, their outcome, and the check that AWS shows them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, Kind, Result};
use crate::iam::plan::{Change, Plan};
use crate::operations::run::Run;
use crate::proof::{Freshness, Watch};
use crate::report::changes::{Mood, sentence};
use crate::report::console::Progress;
use crate::report::several;
use crate::text::shell::ShellCommand;

/// Asks for confirmation on the terminal, in a thread of its own, so that Ctrl-C works meanwhile and cancels.
pub async fn ask(question: String, run: &Run<'_>) -> String {
    let console = run.console.clone();
    run.is_confirming.store(true, Ordering::Relaxed);
    let answer = tokio::task::spawn_blocking(move || console.ask(&question)).await.ok().flatten().unwrap_or_default();
    run.is_confirming.store(false, Ordering::Relaxed);
    answer
}

/// Refuses to continue without a terminal. `pending` names the changes, `hints` the alternatives.
///
/// # Errors
/// When there is no terminal to ask on.
pub fn check_can_ask(pending: &str, hints: [&str; 2], run: &Run<'_>) -> Result<()> {
    if run.context.terminal.can_ask {
        return Ok(());
    }
    let error = Error::usage(format!("{pending}, but no terminal to ask for confirmation; nothing was changed"));
    Err(hints.into_iter().fold(error, Error::hint))
}

/// Returns the error for a declined confirmation.
pub fn declined() -> Error {
    Error::cancelled(Kind::Declined)
}

/// Asks before a permanent removal; only the whole word `yes` confirms.
///
/// # Errors
/// When the answer is no, or there is no terminal to ask on.
pub async fn confirm_removal(question: &str, pending: &str, hint: &str, run: &Run<'_>) -> Result<()> {
    check_can_ask(pending, ["skip the confirmation: --yes", hint], run)?;
    // A space follows, and then the answer.
    let width = run.console.width().saturating_sub(4);
    let question = several::filled(&format!("{question} Type `yes` to confirm:"), "", "", width);
    match ask(question, run).await.as_str() {
        "yes" => Ok(()),
        _ => Err(declined()),
    }
}

/// Returns the first error of the applied changes, with those done before it and those not tried.
///
/// # Errors
/// When a change failed.
pub fn outcome(applied: &[(&Change, Result<()>)], plan: &Plan, role: &str, place: &str) -> Result<()> {
    let Some((change, Err(error))) = applied.iter().find(|(_, result)| result.is_err()) else {
        return Ok(());
    };
    let error = error.clone().context(format!("{place}: could not {}", sentence(change, role, Mood::Would)));
    Err(part_way(error, applied, plan, role)
        .hint("fix the cause and run the command again; it makes the remaining changes"))
}

/// Adds to an error what was done before it and what was not tried.
pub fn part_way(error: Error, applied: &[(&Change, Result<()>)], plan: &Plan, role: &str) -> Error {
    let done = applied.iter().filter(|(_, result)| result.is_ok());
    let tried = |change: &Change| applied.iter().any(|(tried, _)| std::ptr::eq(*tried, change));
    let untried = plan.changes.iter().filter(|change| !tried(change));
    let error = done.fold(error, |error, (done, _)| error.note(format!("done: {}", sentence(done, role, Mood::Done))));
    untried.fold(error, |error, untried| error.note(format!("not tried: {}", sentence(untried, role, Mood::Would))))
}

/// Refuses to change a resource that differs from what was shown. `changed` names the parts that differ right before the
/// first write, and `next` is the command that shows the current state.
///
/// # Errors
/// If any part differs.
pub fn check_unchanged(what: &str, changed: &[&str], next: &ShellCommand) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, format!("{what} changed since it was shown: {}", changed.join(", ")))
        .note("this run did not change it")
        .hint(format!("show its current state: {next}"))
        .hint("then run the command again"))
}

/// Reads until no changes are left to make, because reads lag behind writes. `read_left` returns the remaining changes,
/// in words.
///
/// # Errors
/// When AWS cannot be reached, or changes are left after `patience`.
pub async fn read_until_done(
    read_left: impl AsyncFn() -> Result<Vec<String>>,
    place: &str,
    patience: Duration,
    progress: &Progress<'_>,
) -> Result<()> {
    let nothing = |left: &Result<Vec<String>>| left.as_ref().is_ok_and(Vec::is_empty);
    let fresh = Freshness::JustWritten { at: Instant::now(), patience };
    let answer = fresh.settle(1, read_left, nothing, Result::is_ok, waiting(place, progress)).await.answer;
    let left = answer.map_err(|error| {
        error.context(format!("{place}: AWS accepted the changes, but they could not be read back"))
    })?;
    if left.is_empty() {
        return Ok(());
    }
    Err(not_shown(place, left))
}

/// Returns what shows the wait for AWS to show the changes in this place.
pub fn waiting(place: &str, progress: &Progress<'_>) -> impl Fn(Duration) {
    move |waited| progress.waiting(format!("waiting for {place} to show the changes ({}s)", waited.as_secs()))
}

/// Returns the error for changes that AWS accepted but does not show.
pub fn not_shown(place: &str, left: Vec<String>) -> Error {
    let left = left.join("; ");
    Error::new(Kind::Aws, format!("{place}: AWS accepted the changes, but these are not visible yet: {left}"))
        .hint("run the command again: AWS may be slow, or another program may be changing the same role or user")
}
