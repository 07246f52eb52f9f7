//! A program under way.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Output;

/// How long something may take that takes no time: what hangs fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program under way, which is sent SIGTERM if the test fails before its end.
pub struct Running {
    child: Child,
    command: String,
    lines: Receiver<Vec<u8>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Starts it.
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

    /// The next line of stdout; `None` when there is none for too long, or no more. [`Running::ended`] has the others.
    pub fn line(&self) -> Option<String> {
        self.lines.recv_timeout(PATIENCE).ok().map(|line| text(line).trim_end().to_owned())
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_some()
    }

    /// Sends a signal, unless it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if !self.is_over() {
            kill_process(Pid::from_child(&self.child), signal).expect("a signal to a child");
        }
    }

    /// Waits for its end, and gives what it said.
    #[track_caller]
    pub fn ended(self) -> Output {
        self.ended_with_status().0
    }

    /// The same, with how it ended.
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

/// What was ended in the middle of a character is shown all the same.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
