//! Signals that this process inherited as ignored, for example from `nohup` or the `&` of a script.

use std::sync::Once;

use libc::{SIG_IGN, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, c_int};

/// Lets child processes receive signals, even if this process ignores them.
///
/// A child process inherits ignored signals, but not handled ones. So each ignored signal gets a handler that does
/// nothing.
pub fn let_children_be_signalled() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2].into_iter().for_each(handle_if_ignored);
    });
}

extern "C" fn do_nothing(_: c_int) {}

fn handle_if_ignored(signal: c_int) {
    // SAFETY: an all-zero `action` is valid, and the call only writes to it. The handler does nothing, which is always
    // safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action);
        if action.sa_sigaction == SIG_IGN {
            libc::signal(signal, do_nothing as extern "C" fn(c_int) as libc::sighandler_t);
        }
    }
}
