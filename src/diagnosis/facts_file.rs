//! Reads and writes facts files.

use serde_json::Value;

use super::facts::{Facts, SCHEMA_VERSION};
use super::redact::Masks;
use crate::error::{Error, Kind, Result};
use crate::iam::invalid::shown_up_to;
use crate::iam::json;

impl Facts {
    /// Reads a facts file; `place` is its path, for messages.
    ///
    /// # Errors
    /// When the text is not a facts file, has another schema version or an invalid value; the error says where.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let wrong = |problem: String| {
            Error::usage(format!("facts file `{place}`: {problem}"))
                .hint("save the facts again with --save-facts, or fix the file at that place")
        };
        // The parser quotes the file, which may be long; the end of its message is the line and column.
        let unread = |error: serde_json::Error| {
            let said = error.to_string();
            let place = format!(" at line {} column {}", error.line(), error.column());
            wrong(shown_up_to(600, said.strip_suffix(&place).unwrap_or(&said)) + &place)
        };
        let value = json::parse(text).map_err(unread)?;
        match value.get("schema_version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(SCHEMA_VERSION) => {}
            Some(version) => {
                return Err(Error::usage(format!(
                    "facts file `{place}` has schema_version {version}, but this version of xacct supports {SCHEMA_VERSION}"
                ))
                .hint("use the version of xacct that wrote it"));
            }
            None if value.get("schema_version").is_some() => {
                return Err(wrong(format!("`schema_version` is not {SCHEMA_VERSION}")));
            }
            None => return Err(wrong("`schema_version` is missing".to_owned())),
        }
        // Parse the text, not the value: only then do errors have a line and column.
        serde_json::from_str(text).map_err(unread)
    }

    /// Returns whether this is a facts file of any version: all versions have these fields.
    #[must_use]
    pub fn has_form(bytes: &[u8]) -> bool {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
        ["schema_version", "link", "caller", "request", "answer"].iter().all(|key| value.get(key).is_some())
    }

    /// Returns the text of a facts file; `redact` replaces account IDs with placeholders.
    ///
    /// # Errors
    /// When the facts cannot be written as JSON, which is a bug in xacct.
    pub fn to_text(&self, redact: bool) -> Result<String> {
        let wrong = |error| Error::new(Kind::Internal, format!("cannot write the facts: {error}"));
        let facts = Self { redacted: self.redacted || redact, ..self.clone() };
        let mut value = serde_json::to_value(facts).map_err(wrong)?;
        if redact {
            let mut masks = Masks::default();
            for account in [self.link.source_account.as_ref(), Some(&self.link.role.account)].into_iter().flatten() {
                masks.of(account.as_str());
            }
            masks.hide(&mut value);
        }
        Ok(serde_json::to_string_pretty(&value).map_err(wrong)? + "\n")
    }
}

#[cfg(test)]
mod tests;
