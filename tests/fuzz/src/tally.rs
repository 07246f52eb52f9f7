//! Counts how many inputs get past the parser. libFuzzer counts executions only, most of which may end early.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static RUN: AtomicU64 = AtomicU64::new(0);
static REACHED: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    /// From C's standard library. libFuzzer ends with `exit`, and nothing of Rust runs after that.
    safe fn atexit(function: extern "C" fn()) -> std::ffi::c_int;
}

/// Counts an input. The figures are printed at the end.
pub fn count(reached: bool) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let _ = atexit(print);
    });
    RUN.fetch_add(1, Relaxed);
    REACHED.fetch_add(reached.into(), Relaxed);
}

extern "C" fn print() {
    let (run, reached) = (RUN.load(Relaxed), REACHED.load(Relaxed));
    let percent = reached.saturating_mul(100).checked_div(run).unwrap_or_default();
    eprintln!("stat::inputs_past_the_parser: {reached} of {run} ({percent} %)");
}
