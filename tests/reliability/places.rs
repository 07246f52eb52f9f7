//! Limits the number of concurrent runs of xacct, in all tests of this binary together.
//!
//! Crashes and faults are tested concurrently, because each run mostly waits. With more runs than this, runs wait so
//! long for the processor that tests of timing fail.

use std::sync::{Condvar, Mutex};

/// The maximum number of concurrent runs.
pub const PLACES: usize = 32;

static FREE: (Mutex<usize>, Condvar) = (Mutex::new(PLACES), Condvar::new());

/// A slot, which is released on drop.
struct Place;

impl Drop for Place {
    fn drop(&mut self) {
        *FREE.0.lock().expect("no thread panics while holding the lock") += 1;
        FREE.1.notify_one();
    }
}

/// Runs this as soon as a slot is free.
pub fn take_one<T>(work: impl FnOnce() -> T) -> T {
    let free = FREE.0.lock().expect("no thread panics while holding the lock");
    *FREE.1.wait_while(free, |free| *free == 0).expect("no thread panics while holding the lock") -= 1;
    let _place = Place;
    work()
}
