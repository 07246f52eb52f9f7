//! Text of others (AWS's answers, names, files), made fit for where it is shown.

pub mod shell;

use std::borrow::Cow;

/// Whether a terminal would obey this character where others would show it: control characters, among them the escape
/// that begins a command to the terminal, and those of Unicode that turn the direction of writing (UAX #9).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A hidden character spelled out as JSON spells it: what is JSON stays JSON, and means the same.
#[must_use]
pub fn spelled(hidden: char) -> String {
    // All of them are below U+10000.
    format!("\\u{:04x}", u32::from(hidden))
}

/// A text on one line: ends of lines become blanks, so that it cannot look like lines of xacct's own.
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
