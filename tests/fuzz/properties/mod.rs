//! What must hold for whatever is read: by files that anyone may have written, and by answers that need not be AWS's.
//!
//! Each function takes bytes and panics where something does not hold. The fuzz targets call them with what the fuzzer
//! makes up, `tests/fuzz_seeds.rs` with every seed.

#![allow(clippy::unwrap_used, reason = "a panic is how a property fails")]

mod answers;
mod config;
mod facts;
mod names;
mod policy;

pub use answers::answers;
pub use config::config;
pub use facts::facts;
pub use names::names;
pub use policy::policy;

use xacct::error::Error;
use xacct::report::console::{BAD, GOOD, STRONG, WARN, error_text};

/// Characters of an error with its details; a screen has about two thousand.
const LONGEST_ERROR: usize = 8000;

/// Bytes as text, as a program reads a file that may not be text at all.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// Whether a line can be shown as it is: nothing in it steers a terminal.
fn is_plain(line: &str) -> bool {
    !line.chars().any(char::is_control)
}

/// What is printed steers the terminal by the program's own styles alone.
fn assert_printable(printed: &str) {
    let mut bare = printed.to_owned();
    for style in [GOOD, BAD, WARN, STRONG] {
        bare = bare.replace(&style.render().to_string(), "").replace(&style.render_reset().to_string(), "");
    }
    for line in bare.split('\n') {
        assert!(is_plain(line), "{line:?}");
    }
}

/// An error is short, and one line says what is wrong. What is left in it that steers a terminal, printing takes out.
fn assert_bearable(error: &Error) {
    let printed = error_text(error);
    let length = printed.chars().count();
    assert!(length <= LONGEST_ERROR, "an error of {length} characters: {printed:.300}");
    assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
}
