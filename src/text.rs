//! Text of others (AWS's answers, names, files), made fit for where it is shown.

pub mod shell;

use std::borrow::Cow;

/// Whether a terminal would not show this character: control characters, among them the escape that begins a command to the
/// terminal, those of Unicode that turn the direction of writing (UAX #9), and those without a width, with which two names
/// look alike (Unicode Character Database, `Default_Ignorable_Code_Point`).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A hidden character spelled out as JSON spells it: what is JSON stays JSON, and means the same.
#[must_use]
pub fn spelled(hidden: char) -> String {
    hidden.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
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
