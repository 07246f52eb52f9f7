//! Tags of roles, sessions and buckets.

use std::fmt;
use std::str::FromStr;

use super::text::{UNICODE, check, check_not_reserved, text_type};
use crate::iam::invalid::Invalid;

text_type! {
    /// The key of a tag: 1 to 128 letters, digits, space separators and `_.:/=+-@`, not beginning with `aws:`
    /// (AWS IAM API reference, `Tag`).
    TagKey, |value| {
        check_not_reserved("tag key", value)?;
        check("tag key", (1, 128), UNICODE, "_.:/=+-@", value)
    }
}

text_type! {
    /// The value of a tag: up to 256 letters, digits, space separators and `_.:/=+-@` (AWS IAM API reference, `Tag`).
    TagValue, |value| check("tag value", (0, 256), UNICODE, "_.:/=+-@", value)
}

/// A tag of a role or a session, written as `KEY=VALUE`: the first `=` separates the two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// The key. AWS allows `=` in keys, but `KEY=VALUE` cannot express it.
    pub key: TagKey,
    /// The value, which may be empty.
    pub value: TagValue,
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.key, self.value)
    }
}

impl FromStr for Tag {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Invalid::new("tag", text, "has no `=`", "write it as `KEY=VALUE`"));
        };
        let (key, value) = (key.parse()?, value.parse()?);
        Ok(Self { key, value })
    }
}
