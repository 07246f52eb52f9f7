//! Runs a command as if the shell had started it: with the same streams, signals and exit code.

use std::io::{Error, ErrorKind};
use std::process::{Command, ExitStatus};
use std::time::SystemTime;

#[cfg(not(unix))]
use elsewhere as system;
#[cfg(unix)]
use unix as system;

pub use system::{Signals, run};

/// How a command ended.
pub struct Ended {
    /// The outcome.
    pub how: How,
    /// Whether the session expired before the command ended.
    pub outlived: bool,
}

/// The outcome of a command.
pub enum How {
    /// It could not be started.
    NotStarted(Error),
    /// A signal arrived before it was started.
    #[cfg(unix)]
    Stopped(i32),
    /// It ran.
    Ran(ExitStatus),
}

impl Ended {
    /// Returns the exit code that a shell would return (POSIX, Shell Command Language, 2.8.2).
    pub fn code(&self) -> u8 {
        match &self.how {
            How::NotStarted(error) if error.kind() == ErrorKind::NotFound => 127,
            How::NotStarted(_) => 126,
            #[cfg(unix)]
            How::Stopped(signal) => by_signal(*signal),
            How::Ran(status) => match (status.code(), system::signal_of(*status)) {
                (None, Some(signal)) => by_signal(signal),
                (code, _) => code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            },
        }
    }
}

fn by_signal(number: i32) -> u8 {
    u8::try_from(128 + number).unwrap_or(1)
}

#[cfg(unix)]
mod unix {
    use std::os::unix::process::ExitStatusExt;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
    use std::thread;
    use std::time::Duration;

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::origin::WithOrigin;
    use signal_hook::low_level::siginfo::{Cause, Origin};

    use super::*;
    use crate::operations::interrupt::is_ignored;

    /// How often to check the clock, so that the warning is not late after the machine slept.
    const LOOK: Duration = Duration::from_secs(30);

    enum Event {
        Signal(i32),
        Ended,
    }

    /// The signals that xacct passes on to the command.
    pub struct Signals(SignalsInfo<WithOrigin>);

    impl Signals {
        /// Catches the signals that would end only xacct. Ignored signals stay ignored, also for the command.
        pub fn watch() -> crate::error::Result<Self> {
            // If SIGCHLD is ignored, the kernel discards the exit status of a command.
            let heeded = match is_ignored(SIGCHLD) {
                true => signal_hook::flag::register(SIGCHLD, Arc::new(AtomicBool::new(false))).map(drop),
                false => Ok(()),
            };
            let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|number| !is_ignored(*number));
            let signals = heeded.and_then(|()| SignalsInfo::new(heard));
            signals.map(Self).map_err(|error| {
                crate::error::Error::new(crate::error::Kind::Internal, format!("cannot catch signals: {error}"))
            })
        }

        /// Returns a signal that arrived before the command was started.
        fn arrived(&mut self) -> Option<i32> {
            self.0.pending().next().map(|origin| origin.signal)
        }
    }

    /// Returns whether a signal reached xacct but not its command. For Ctrl-C or a closed terminal the kernel signals
    /// both; a second SIGINT would make Terraform abandon its state.
    fn came_to_us_alone(origin: &Origin) -> bool {
        match origin.cause {
            Cause::Kernel => false,
            Cause::Sent(_) => true,
            // If the cause is unknown, a process ID means that a process sent the signal.
            _ => origin.process.is_some_and(|process| process.pid != 0),
        }
    }

    /// Runs the command to its end. Calls `outlived` once if the session expires first.
    pub fn run(
        mut command: Command,
        mut signals: Signals,
        expires: Option<SystemTime>,
        now: fn() -> SystemTime,
        outlived: &dyn Fn(),
    ) -> Result<Ended, Error> {
        if let Some(signal) = signals.arrived() {
            return Ok(Ended { how: How::Stopped(signal), outlived: false });
        }
        let Signals(signals) = signals;
        for more in [SIGQUIT, SIGUSR1, SIGUSR2].into_iter().filter(|number| !is_ignored(*number)) {
            signals.add_signal(more)?;
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ok(Ended { how: How::NotStarted(error), outlived: false }),
        };
        let pid = Pid::from_child(&child);
        let events = events(signals, pid);
        let left = || expires.map(|expires| expires.duration_since(now()).unwrap_or_default());
        let mut is_over = false;
        loop {
            let patience = left().filter(|_| !is_over).map_or(LOOK, |left| left.min(LOOK));
            match events.recv_timeout(patience) {
                Ok(Event::Signal(number)) => {
                    if let Some(signal) = Signal::from_named_raw(number) {
                        // The command may have just ended.
                        let _ = kill_process(pid, signal);
                    }
                }
                Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    if !is_over && left().is_some_and(|left| left.is_zero()) {
                        is_over = true;
                        outlived();
                    }
                }
            }
        }
        let how = How::Ran(child.wait()?);
        Ok(Ended { how, outlived: left().is_some_and(|left| left.is_zero()) })
    }

    /// Reports events from two threads: a signal to pass on, or the end of the command.
    fn events(mut signals: SignalsInfo<WithOrigin>, pid: Pid) -> Receiver<Event> {
        let (send, events) = channel();
        let ended = send.clone();
        thread::spawn(move || {
            for origin in signals.forever() {
                if came_to_us_alone(&origin) && send.send(Event::Signal(origin.signal)).is_err() {
                    return;
                }
            }
        });
        thread::spawn(move || {
            // Does not reap the command, so that no other process can get its ID before a signal is sent to it.
            let wait = || waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            while matches!(wait(), Err(rustix::io::Errno::INTR)) {}
            let _ = ended.send(Event::Ended);
        });
        events
    }

    pub(super) fn signal_of(status: ExitStatus) -> Option<i32> {
        status.signal()
    }
}

#[cfg(not(unix))]
mod elsewhere {
    //! Systems where the console sends Ctrl-C to both processes, and no other signals exist.

    use super::*;

    pub struct Signals;

    impl Signals {
        pub fn watch() -> crate::error::Result<Self> {
            Ok(Self)
        }
    }

    pub fn run(
        mut command: Command,
        _: Signals,
        expires: Option<SystemTime>,
        now: fn() -> SystemTime,
        _: &dyn Fn(),
    ) -> Result<Ended, Error> {
        let how = command.status().map_or_else(How::NotStarted, How::Ran);
        Ok(Ended { how, outlived: expires.is_some_and(|expires| expires <= now()) })
    }

    pub(super) fn signal_of(_: ExitStatus) -> Option<i32> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests;
