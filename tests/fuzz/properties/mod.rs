//! Properties for all untrusted input: files that anyone may have written, and answers that may not come from AWS.
//!
//! Each function takes bytes, panics if a property fails, and returns whether the bytes got past the parser. The fuzz
//! targets call them with generated input, `tests/fuzz_seeds.rs` with every seed.

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

/// The maximum length of an error with its details; a screen has about 2,000 characters.
const LONGEST_ERROR: usize = 8000;

/// Converts bytes to text, like a program reading a file that may not be text.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// Whether a line contains no terminal control characters.
fn is_plain(line: &str) -> bool {
    !line.chars().any(char::is_control)
}

/// Asserts that output contains no control sequences other than xacct's own styles.
fn assert_printable(printed: &str) {
    let mut bare = printed.to_owned();
    for style in [GOOD, BAD, WARN, STRONG] {
        bare = bare.replace(&style.render().to_string(), "").replace(&style.render_reset().to_string(), "");
    }
    for line in bare.split('\n') {
        assert!(is_plain(line), "{line:?}");
    }
}

/// Asserts that an error is short and its message is one line. Printing escapes remaining control characters.
fn assert_bearable(error: &Error) {
    let printed = error_text(error);
    let length = printed.chars().count();
    assert!(length <= LONGEST_ERROR, "an error of {length} characters: {printed:.300}");
    assert!(!error.message.is_empty() && !error.message.contains('\n'), "{error:?}");
}
