//! Escapes untrusted text (AWS's answers, names, files) before it is shown.

pub mod marks;
pub mod shell;

use std::borrow::Cow;

/// Whether a terminal interprets this character instead of showing it: control characters, which include the start of
/// escape sequences, and Unicode's bidirectional formatting characters (UAX #9).
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

/// Escapes a hidden character as JSON does, so that JSON stays valid and keeps its meaning.
#[must_use]
pub fn spelled(hidden: char) -> String {
    hidden.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Lists names for an error, where nobody reads hundreds: the first ones, and how many there are beside them.
#[must_use]
pub fn some_of<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    const MOST: usize = 20;
    let mut names = names.into_iter();
    let first: Vec<_> = names.by_ref().take(MOST).map(|name| format!("`{name}`")).collect();
    match names.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
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
