//! Values that AWS would reject: what is wrong with them, and the fix.

/// A value that AWS (or xacct) would refuse: says the value, the rule that it breaks and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a valid {what}: {rule}", shown(.value))]
pub struct Invalid {
    /// What the value was meant to be, for example "role name".
    pub what: &'static str,
    /// The value as given (`…` if it may be a secret); the message shortens it and escapes its control characters.
    pub value: String,
    /// What is wrong with it: "has 65 characters, at most 64 are allowed".
    pub rule: String,
    /// One action that mends it: "give 1 to 64 characters".
    pub fix: String,
}

impl Invalid {
    /// Says that `value` is not a valid `what`, because of `rule`, and that `fix` mends it.
    pub fn new(what: &'static str, value: &str, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what, value: value.to_owned(), rule: rule.into(), fix: fix.into() }
    }

    /// Takes a better fix, if there is one.
    pub(super) fn with_fix(self, better: Option<String>) -> Self {
        let fix = better.unwrap_or(self.fix);
        Self { fix, ..self }
    }
}

/// Makes `text` fit for a message on a terminal: at most 80 characters, with nothing invisible in it.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(80, text)
}

/// Makes `text` fit for a message, with at most `most` characters.
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

/// Serialises a type as its `Display` text and deserialises it by `FromStr`; the error then also says the fix.
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
