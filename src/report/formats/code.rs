//! Escapes names of others where a format would read them as markup.

use std::fmt::Write;

use crate::text::{is_hidden, on_one_line, spelled};

/// Returns a text that Markdown shows as it is, on one line: without emphasis, links, mentions, HTML or table borders.
pub fn markdown(text: &str) -> String {
    let text = on_one_line(text);
    let mut out = String::with_capacity(text.len());
    let mut is_start = true;
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let escapes = match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '@' | '$' | '"' => {
                true
            }
            // GitHub and GitLab make links of addresses without any markup.
            ':' => after.starts_with("//"),
            '.' => ends_with_www(&out) || is_list_number(&out),
            ')' => is_list_number(&out),
            '!' => after.starts_with('['),
            '-' | '+' | '=' => is_start,
            _ => false,
        };
        match escapes {
            true => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            false => out.push(c),
        }
        is_start = false;
        rest = after;
    }
    out
}

fn ends_with_www(text: &str) -> bool {
    text.len().checked_sub(3).and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// Returns whether this begins a numbered list if a dot follows.
fn is_list_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns a code block. Its fence is longer than any in the text.
pub fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}", lines(text))
}

/// Returns text in which only line breaks control anything.
pub fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            c if is_hidden(c) => out.push_str(&spelled(c)),
            c => out.push(c),
        }
    }
    out
}

/// Returns text that XML can have, in which only line breaks control anything. XML lacks two characters that no library
/// leaves out (XML 1.0, Char).
pub fn xml(text: &str) -> String {
    lines(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Returns text for HTML, in an element or in an attribute with double quotes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push(c),
            c if is_hidden(c) => out.push_str(&spelled(c)),
            c => out.push(c),
        }
    }
    out
}

/// Returns a message of a workflow command of GitHub Actions.
pub fn message(text: &str) -> String {
    lines(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Returns a property of a workflow command of GitHub Actions.
pub fn property(text: &str) -> String {
    message(&on_one_line(text)).replace(':', "%3A").replace(',', "%2C")
}
