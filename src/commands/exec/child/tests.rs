#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::Cell;
use std::time::Duration;

use super::*;

fn ended(script: &str, lasts: Option<Duration>) -> (Ended, u32) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    let warned = Cell::new(0);
    let expires = lasts.map(|lasts| SystemTime::now() + lasts);
    let signals = Signals::watch().unwrap();
    let ended = run(command, signals, expires, SystemTime::now, &|| warned.set(warned.get() + 1)).unwrap();
    (ended, warned.get())
}

#[test]
fn warns_once_about_a_command_that_outlives_its_session() {
    let (ended, warned) = ended("sleep 2; exit 7", Some(Duration::from_millis(300)));
    assert_eq!((ended.code(), ended.outlived, warned), (7, true, 1));
}

#[test]
fn does_not_warn_about_a_command_that_ends_in_time() {
    for lasts in [Some(Duration::from_secs(60)), None] {
        let (ended, warned) = ended("exit 0", lasts);
        assert_eq!((ended.code(), ended.outlived, warned), (0, false, 0));
    }
}
