//! JSON in which no object has two equal keys.
//!
//! `serde_json` takes the last of them, IAM refuses the document, and what its author meant is neither.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::iam::invalid::shown;

/// Parses a text.
///
/// # Errors
/// When the text is not JSON, or an object has two equal keys; the error says where.
pub fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str::<Unique>(text).map(|unique| unique.0)
}

struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key `{}`", shown(&key))));
            }
            let Unique(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_place_of_an_equal_key() {
        let message = |text: &str| parse(text).map_err(|error| error.to_string());
        assert_eq!(
            message("{\n  \"a\": [{\"b\": 1,\n    \"b\": 2}]\n}"),
            Err("duplicate key `b` at line 3 column 7".to_owned())
        );
        // An escape is the same key.
        assert!(message(r#"{"a": 1, "\u0061": 1}"#).is_err());
        assert!(message(r#"{"a": {"b": 1}, "b": {"b": 1}, "A": 1}"#).is_ok());
    }

    #[test]
    fn reads_everything_else_as_serde_json_does() {
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "1.5",
            "\"ä\\n\"",
            "[1, [], {}]",
            "{\"a\": {}}",
            "",
            "{",
            "1e999",
        ] {
            assert_eq!(parse(text).ok(), serde_json::from_str::<Value>(text).ok(), "{text}");
        }
    }
}
