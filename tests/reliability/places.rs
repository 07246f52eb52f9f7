//! How many runs of xacct are under way at once, in all tests of this binary together.
//!
//! Crashes and faults are tried side by side, because each run mostly waits. More runs than this only wait for the
//! processor, and for so long that tests of how long something takes fail.

use std::sync::{Condvar, Mutex};

/// How many runs are under way at once.
pub const PLACES: usize = 32;

static FREE: (Mutex<usize>, Condvar) = (Mutex::new(PLACES), Condvar::new());

/// A place, which is free again when this is dropped.
struct Place;

impl Drop for Place {
    fn drop(&mut self) {
        *FREE.0.lock().expect("no thread panics with the lock") += 1;
        FREE.1.notify_one();
    }
}

/// Does this as soon as there is a free place.
pub fn take_one<T>(work: impl FnOnce() -> T) -> T {
    let free = FREE.0.lock().expect("no thread panics with the lock");
    *FREE.1.wait_while(free, |free| *free == 0).expect("no thread panics with the lock") -= 1;
    let _place = Place;
    work()
}
