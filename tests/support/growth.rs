//! How time grows with the size of the input, without that of other processes.

use std::time::Duration;

/// Returns the CPU time of this thread, which excludes other processes.
#[cfg(unix)]
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes to `time`.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("less than a second"))
}

/// Returns the best approximation of the standard library.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// Returns the CPU time of a task: the least of several runs.
pub fn fastest(runs: usize, task: impl Fn()) -> Duration {
    let once = |_| {
        let start = processor_time();
        task();
        processor_time() - start
    };
    (0..runs).map(once).min().expect("a duration")
}

/// Eight times the size may take 24 times as long; quadratic growth would take 64 times.
#[track_caller]
pub fn assert_linear(what: &str, small: usize, duration: impl Fn(usize) -> Duration) {
    let (few, many) = (duration(small), duration(small * 8));
    assert!(many < few * 24, "{what}: {few:?} grows to {many:?}");
}
