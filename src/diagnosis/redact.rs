//! Replaces account IDs with placeholders.

use std::collections::BTreeMap;

use serde_json::Value;

/// The number of digits of an account ID.
const DIGITS: usize = 12;

/// The placeholder of each account ID. Equal IDs get equal placeholders, so that the diagnosis does not change.
pub struct Masks {
    placeholders: BTreeMap<String, String>,
    /// Returns the placeholder with this number.
    placeholder: fn(usize) -> String,
}

impl Default for Masks {
    /// Returns placeholders that are account IDs, too: `111111111111`, `222222222222`, …
    fn default() -> Self {
        let digits =
            |number: usize| if number < 10 { number.to_string().repeat(DIGITS) } else { format!("{number:012}") };
        Self { placeholders: BTreeMap::new(), placeholder: digits }
    }
}

impl Masks {
    /// Returns placeholders that nobody takes for account IDs: `ACCOUNT-1`, `ACCOUNT-2`, …
    #[must_use]
    pub fn in_words() -> Self {
        Self { placeholders: BTreeMap::new(), placeholder: |number| format!("ACCOUNT-{number}") }
    }

    /// Returns the placeholder of an account ID, a new one for a new ID.
    pub fn of(&mut self, account: &str) -> &str {
        let number = self.placeholders.len() + 1;
        self.placeholders.entry(account.to_owned()).or_insert_with(|| (self.placeholder)(number))
    }

    /// Replaces the account IDs in every string and key. JSON numbers stay.
    pub fn hide(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hidden(text),
            Value::Array(list) => list.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(members) => {
                for (key, mut member) in std::mem::take(members) {
                    let key = self.hidden(&key);
                    self.hide(&mut member);
                    members.insert(key, member);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Returns the text with every run of exactly twelve digits replaced, and known account IDs within longer runs.
    fn hidden(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(end);
            out.push_str(before);
            let is_account = digits.len() == DIGITS && !ends_a_request_id(&out);
            match is_account {
                true => out.push_str(self.of(digits)),
                false => out.push_str(&self.known_within(digits)),
            }
            rest = after;
        }
        out + rest
    }

    /// Returns digits with the account IDs replaced that are known by now.
    fn known_within(&self, digits: &str) -> String {
        let mut out = String::new();
        let mut rest = digits;
        while let Some(first) = rest.chars().next() {
            let known = rest.get(..DIGITS).and_then(|start| self.placeholders.get(start));
            let length = known.map_or(first.len_utf8(), |_| DIGITS);
            let (start, after) = rest.split_at(length);
            out.push_str(known.map_or(start, String::as_str));
            rest = after;
        }
        out
    }
}

/// Returns whether the text ends before the last group of a request ID: with `…-a2ca-`.
fn ends_a_request_id(text: &str) -> bool {
    let group = text.strip_suffix('-').and_then(|text| text.rsplit_once('-')).map(|(_, group)| group);
    group.is_some_and(|group| group.len() == 4 && group.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
