//! Values that AWS would reject, with the rule and the fix.

/// An invalid value, with the rule of AWS or xacct that it breaks and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a valid {what}: {rule}", shown(.value))]
pub struct Invalid {
    /// The kind of value, for example "role name".
    pub what: &'static str,
    /// The value (`…` if it may be a secret). The message shortens it and escapes control characters.
    pub value: String,
    /// The broken rule: "has 65 characters, at most 64 are allowed".
    pub rule: String,
    /// One action that fixes it: "use 1 to 64 characters".
    pub fix: String,
}

impl Invalid {
    /// Returns the error that `value` is not a valid `what` because of `rule`, with its `fix`.
    pub fn new(what: &'static str, value: &str, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what, value: value.to_owned(), rule: rule.into(), fix: fix.into() }
    }

    /// Replaces the fix, if there is a better one.
    pub(super) fn with_fix(self, better: Option<String>) -> Self {
        let fix = better.unwrap_or(self.fix);
        Self { fix, ..self }
    }
}

/// Returns the known name that differs from this one by at most two typing mistakes, for "did you mean". A name that is
/// known has none.
pub(crate) fn nearest(typed: &str, known: &[&'static str]) -> Option<&'static str> {
    const MOST: usize = 2;
    // No name is long; the distance of long texts takes long.
    if typed.len() > 128 || known.contains(&typed) {
        return None;
    }
    let distances = known.iter().map(|name| (strsim::osa_distance(&typed.to_lowercase(), &name.to_lowercase()), *name));
    distances.filter(|(distance, _)| *distance <= MOST).min().map(|(_, name)| name)
}

/// Returns `text` for a message: at most 80 characters, with invisible characters escaped.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(80, text)
}

/// Returns `text` for a message: at most `most` characters, with invisible characters escaped.
pub(crate) fn shown_up_to(most: usize, text: &str) -> String {
    let shorten = text.chars().nth(most).is_some();
    let mut shown = String::new();
    for character in text.chars().take(if shorten { most - 1 } else { most }) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    if shorten {
        shown.push('…');
    }
    shown
}

/// Serialises a type with `Display` and deserialises it with `FromStr`; the error includes the fix.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(|error: $crate::iam::invalid::Invalid| {
                    serde::de::Error::custom(format_args!("{error}; {}", error.fix))
                })
            }
        }
    };
}
pub(super) use serde_as_text;

#[cfg(test)]
mod tests;
