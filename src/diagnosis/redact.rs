//! Replaces account IDs with placeholders.

use std::collections::BTreeMap;

use serde_json::Value;

/// The placeholder of each account ID: `111111111111`, `222222222222`, … Equal IDs get equal placeholders, so that the
/// diagnosis does not change.
#[derive(Default)]
pub struct Masks(BTreeMap<String, String>);

impl Masks {
    /// Returns the placeholder of an account ID, a new one for a new ID.
    pub fn of(&mut self, account: &str) -> &str {
        let number = self.0.len() + 1;
        self.0
            .entry(account.to_owned())
            .or_insert_with(|| if number < 10 { number.to_string().repeat(12) } else { format!("{number:012}") })
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

    /// Returns the text with every run of exactly twelve digits replaced.
    fn hidden(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (digits, after) = from.split_at(end);
            out.push_str(before);
            let is_account = digits.len() == 12 && !ends_a_request_id(&out);
            out.push_str(if is_account { self.of(digits) } else { digits });
            rest = after;
        }
        out + rest
    }
}

/// Returns whether the text ends before the last group of a request ID: with `…-a2ca-`.
fn ends_a_request_id(text: &str) -> bool {
    let group = text.strip_suffix('-').and_then(|text| text.rsplit_once('-')).map(|(_, group)| group);
    group.is_some_and(|group| group.len() == 4 && group.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
