//! A program in progress.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Output;

/// A timeout, so that a program that hangs fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program in progress. If the test fails first, it receives SIGTERM.
pub struct Running {
    child: Child,
    command: String,
    lines: Receiver<Vec<u8>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Starts the program.
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        let shown = format!("{command:?}");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let mut stderr = child.stderr.take().expect("stderr");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while let Ok(1..) = stdout.read_until(b'\n', &mut line) {
                let _ = send.send(std::mem::take(&mut line));
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            text
        });
        Self { child, command: shown, lines, stderr: Some(stderr) }
    }

    /// Returns the next line of stdout; `None` at the end or after a timeout. [`Running::ended`] returns the other
    /// lines.
    pub fn line(&self) -> Option<String> {
        self.lines.recv_timeout(PATIENCE).ok().map(|line| text(line).trim_end().to_owned())
    }

    /// Whether the program has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Sends a signal, unless the program has ended.
    pub fn signal(&mut self, signal: Signal) {
        if !self.is_over() {
            kill_process(Pid::from_child(&self.child), signal).expect("a signal to a child");
        }
    }

    /// Waits for the end and returns the output.
    #[track_caller]
    pub fn ended(self) -> Output {
        self.ended_with_status().0
    }

    /// Waits for the end and returns the output and the exit status.
    #[track_caller]
    pub fn ended_with_status(mut self) -> (Output, ExitStatus) {
        let start = Instant::now();
        while !self.is_over() {
            assert!(start.elapsed() < PATIENCE, "still running after {PATIENCE:?}: {}", self.command);
            std::thread::sleep(Duration::from_millis(2));
        }
        let status = self.child.wait().expect("a child");
        let stderr = self.stderr.take().expect("taken once").join().expect("all of stderr");
        let output = Output {
            command: self.command.clone(),
            code: status.code().unwrap_or(-1),
            stdout: text(self.lines.iter().flatten().collect()),
            stderr: text(stderr),
        };
        (output, status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}

/// Converts output, which may end in the middle of a character.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
