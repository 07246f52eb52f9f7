//! A request as received, before its interpretation.

use std::ops::RangeInclusive;

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// A whole HTTP request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path as sent, still percent-encoded.
    pub(crate) path: String,
    /// The query string as sent, still percent-encoded, without `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// Returns a header's value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the query's parameters, decoded. Without `=` the value is empty.
    pub(crate) fn query_parameters(&self) -> Vec<(String, String)> {
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(key), decode(value))
            })
            .collect()
    }
}

/// Percent-decodes; here `+` is literal.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The parameters of a query-protocol request. Of duplicates, the first counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Parses the form in the body (POST) or the query string (GET).
    pub(crate) fn read(request: &Request) -> Self {
        let form = if request.method == "GET" { request.query.as_bytes() } else { &request.body };
        Parameters(form_urlencoded::parse(form).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the strings of `name.member.1`, `name.member.2`, …
    pub(crate) fn strings(&self, name: &str) -> Vec<String> {
        (1..).map_while(|n| self.get(&format!("{name}.member.{n}"))).map(str::to_owned).collect()
    }

    /// Returns the structures `name.member.N` with two text fields, such as tags.
    pub(crate) fn pairs(&self, name: &str, first: &str, second: &str) -> Vec<(String, String)> {
        (1..)
            .map_while(|n| {
                let first = self.get(&format!("{name}.member.{n}.{first}"))?;
                let second = self.get(&format!("{name}.member.{n}.{second}"));
                Some((first.to_owned(), second.unwrap_or_default().to_owned()))
            })
            .collect()
    }

    /// Returns the parameters for the record, without MFA codes.
    pub(crate) fn without_secrets(&self) -> Vec<(String, String)> {
        self.0
            .iter()
            .map(|(key, value)| match key.as_str() {
                "TokenCode" | "AuthenticationCode1" | "AuthenticationCode2" | "Password" => {
                    (key.clone(), "(hidden)".to_owned())
                }
                _ => (key.clone(), value.clone()),
            })
            .collect()
    }
}

/// A set of characters, with its regular expression in AWS's messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    pub(crate) regex: &'static str,
    pub(crate) allows: fn(char) -> bool,
}

impl Pattern {
    pub(crate) const ANY: Pattern = Pattern { regex: ".*", allows: |_| true };
    /// Names of users, roles, policies, and session names.
    pub(crate) const NAME: Pattern =
        Pattern { regex: "[\\w+=,.@-]+", allows: |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) };
    pub(crate) const EXTERNAL_ID: Pattern =
        Pattern { regex: "[\\w+=,.@:\\/-]*", allows: |c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c) };
    pub(crate) const SERIAL_NUMBER: Pattern =
        Pattern { regex: "[\\w+=/:,.@-]*", allows: |c| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c) };
    pub(crate) const DIGITS: Pattern = Pattern { regex: "[\\d]*", allows: |c| c.is_ascii_digit() };
    /// Policy documents.
    pub(crate) const DOCUMENT: Pattern = Pattern {
        regex: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
        allows: |c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}'),
    };
    pub(crate) const DESCRIPTION: Pattern = Pattern {
        regex: "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
        allows: |c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{a1}'..='\u{ff}'),
    };
    pub(crate) const TAG: Pattern = Pattern {
        regex: "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
        allows: |c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c),
    };
    pub(crate) const PATH: Pattern =
        Pattern { regex: "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)", allows: |c| matches!(c, '\u{21}'..='\u{7e}') };
}

/// Collects every broken constraint of a request, because AWS reports them together.
#[derive(Debug, Default)]
pub(crate) struct Validator(Vec<String>);

impl Validator {
    /// Requires a parameter. Returns its value, or an empty text after recording that it is missing.
    pub(crate) fn required<'a>(&mut self, field: &str, value: Option<&'a str>) -> &'a str {
        value.unwrap_or_else(|| {
            self.0.push(format!("Value null at '{field}' failed to satisfy constraint: Member must not be null"));
            ""
        })
    }

    /// Checks the length (in characters) and the characters of a text, if there is one.
    pub(crate) fn text(&mut self, field: &str, value: Option<&str>, length: RangeInclusive<usize>, pattern: Pattern) {
        let Some(value) = value else { return };
        // AWS truncates long values in messages.
        let shown: String = value.chars().take(300).collect();
        let mut broken = |constraint: String| {
            self.0.push(format!("Value '{shown}' at '{field}' failed to satisfy constraint: {constraint}"));
        };
        let count = value.chars().count();
        if !value.chars().all(pattern.allows) {
            broken(format!("Member must satisfy regular expression pattern: {}", pattern.regex));
        }
        if count < *length.start() {
            broken(format!("Member must have length greater than or equal to {}", length.start()));
        }
        if count > *length.end() {
            broken(format!("Member must have length less than or equal to {}", length.end()));
        }
    }

    /// Combines [`Validator::required`] and [`Validator::text`].
    pub(crate) fn required_text<'a>(
        &mut self,
        field: &str,
        value: Option<&'a str>,
        length: RangeInclusive<usize>,
        pattern: Pattern,
    ) -> &'a str {
        let text = self.required(field, value);
        self.text(field, value, length, pattern);
        text
    }

    /// Checks an integer, if there is one. A value that is not a number is another error, `MalformedInput`.
    pub(crate) fn number(
        &mut self,
        field: &str,
        value: Option<&str>,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, ApiError> {
        let Some(value) = value else { return Ok(None) };
        let number: i64 = value.parse().map_err(|_| ApiError::new(400, "MalformedInput", "Invalid Argument"))?;
        let mut broken = |relation: &str, limit: i64| {
            self.0.push(format!(
                "Value '{number}' at '{field}' failed to satisfy constraint: Member must have value {relation} than or \
                 equal to {limit}"
            ));
        };
        if number < *range.start() {
            broken("greater", *range.start());
        }
        if number > *range.end() {
            broken("less", *range.end());
        }
        Ok(Some(number))
    }

    /// Records any other broken constraint.
    pub(crate) fn broken(&mut self, clause: impl Into<String>) {
        self.0.push(clause.into());
    }

    /// Returns an error with all broken constraints, if there are any.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(ApiError::validation(format!("1 validation error detected: {}", self.0[0]))),
            count => Err(ApiError::validation(format!("{count} validation errors detected: {}", self.0.join("; ")))),
        }
    }
}
