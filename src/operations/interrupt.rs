//! Runs a command that calls AWS, and deletes its test buckets in the end: after success, an error, a panic, Ctrl-C,
//! SIGTERM or a closed terminal.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Runtime;

use crate::error::{Error, Kind, Result};
use crate::operations::run::Run;
use crate::text::shell::ShellCommand;

/// Maximum time to delete the last buckets.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a runtime.
///
/// # Errors
/// When the system lacks what it needs.
pub fn runtime() -> Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::new(Kind::Internal, format!("cannot start the async runtime: {error}")))
}

/// Runs the command on a runtime of its own.
pub fn guarded<T>(run: &Run<'_>, command: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let ended = tokio::select! {
            biased;
            signal = signal() => {
                if run.context.terminal.can_animate {
                    // The terminal shows ^C where the cursor was.
                    run.console.say("");
                }
                let is_declined = signal == Kind::Interrupted && run.is_confirming.load(Ordering::Relaxed);
                Err(match is_declined {
                    true => Error::cancelled(signal),
                    false => Error::new(signal, "interrupted").hint("run the command again; it makes the remaining changes"),
                })
            }
            result = AssertUnwindSafe(command).catch_unwind() => result.unwrap_or_else(|_| {
                Err(Error::new(Kind::Internal, "xacct stopped because of a bug").hint("please report the bug with the message above"))
            }),
        };
        let names = run.leftovers.names();
        if AssertUnwindSafe(delete_leftovers(run)).catch_unwind().await.is_err() {
            name_leftovers(names, run);
        }
        ended
    });
    // Does not wait for a prompt that still reads from the terminal in a thread of its own.
    runtime.shutdown_background();
    result
}

async fn delete_leftovers(run: &Run<'_>) {
    let names = run.leftovers.names();
    if names.is_empty() {
        return;
    }
    run.console.say(&format!("Deleting test bucket {}", names.join(", ")));
    let left = tokio::select! {
        left = tokio::time::timeout(PATIENCE, run.leftovers.delete_all()) => left.unwrap_or(names),
        _ = signal() => names,
    };
    name_leftovers(left, run);
}

/// Says of test buckets that they may be left, and how to delete them.
fn name_leftovers(names: Vec<String>, run: &Run<'_>) {
    for name in names {
        let delete = ShellCommand::new("aws").args(["s3api", "delete-bucket"]).option("--bucket", &name);
        let error = Error::new(Kind::Aws, format!("test bucket `{name}` may be left behind"))
            .hint(format!("delete it with credentials of the target account: {delete}"))
            .hint("or run xacct sweep in an hour");
        run.console.error(&error);
    }
}

/// Returns whether a signal was ignored when xacct started, as `nohup` and `&` in a script do: it stays ignored.
/// Without `/proc`, no signal counts as ignored.
#[cfg(unix)]
pub fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    u32::try_from(number - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or_default() & 1 == 1)
}

/// Waits for Ctrl-C or another signal to terminate.
async fn signal() -> Kind {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let heard = async |kind: SignalKind| match is_ignored(kind.as_raw_value()) {
            false => match signal(kind) {
                Ok(mut signals) => signals.recv().await,
                Err(_) => std::future::pending().await,
            },
            true => std::future::pending().await,
        };
        tokio::select! {
            _ = heard(SignalKind::hangup()) => Kind::HungUp,
            _ = heard(SignalKind::interrupt()) => Kind::Interrupted,
            _ = heard(SignalKind::terminate()) => Kind::Terminated,
        }
    }
    #[cfg(not(unix))]
    match tokio::signal::ctrl_c().await {
        Ok(()) => Kind::Interrupted,
        Err(_) => std::future::pending().await,
    }
}
