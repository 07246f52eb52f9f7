//! Signals that this process was started to ignore, as `nohup` and the `&` of a script have it.

use std::sync::Once;

use libc::{SIG_IGN, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, c_int};

/// Lets programs that are started from now on be signalled, whoever started the tests.
///
/// A program ignores what its parent ignores, but not what its parent handles: the handler does not outlive `exec`. So
/// each ignored signal gets a handler that does nothing, and this process goes on as before.
pub fn let_children_be_signalled() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        [SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2].into_iter().for_each(handle_if_ignored);
    });
}

extern "C" fn do_nothing(_: c_int) {}

fn handle_if_ignored(signal: c_int) {
    // SAFETY: `action` may be all zeros and is only written to. The handler does nothing, which is safe at any time.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action);
        if action.sa_sigaction == SIG_IGN {
            libc::signal(signal, do_nothing as extern "C" fn(c_int) as libc::sighandler_t);
        }
    }
}
