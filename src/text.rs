//! Escapes untrusted text (AWS's answers, names, files) before it is shown.

pub mod shell;

use std::borrow::Cow;

/// Whether a terminal interprets this character instead of showing it: control characters, which include the start of
/// escape sequences, and Unicode's bidirectional formatting characters (UAX #9).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes a hidden character as JSON does, so that JSON stays valid and keeps its meaning.
#[must_use]
pub fn spelled(hidden: char) -> String {
    // All hidden characters are below U+10000.
    format!("\\u{:04x}", u32::from(hidden))
}

/// Puts a text on one line: line breaks become spaces, so that it cannot imitate lines of xacct's own output.
#[must_use]
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut line = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => line.push(' '),
            c if is_hidden(c) => line.push_str(&spelled(c)),
            c => line.push(c),
        }
    }
    line.into()
}

#[cfg(test)]
mod tests;
