//! The base of the types in this module: a newtype over checked text, and the checks with their messages.

use crate::iam::invalid::{Invalid, shown};

/// Defines a newtype over text that passes `$check`.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns the text for AWS.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::iam::invalid::Invalid;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                $check(value)?;
                Ok(Self(value.to_owned()))
            }
        }

        $crate::iam::invalid::serde_as_text!($name);
    };
}
pub(super) use text_type;

/// The letters and digits that a rule allows, and their description.
pub(super) type Letters = (fn(char) -> bool, &'static str);

pub(super) const ASCII: Letters = (|character| character.is_ascii_alphanumeric(), "ASCII letters, digits and ");

/// `\p{L}`, `\p{N}`, `\p{Z}`. The standard library's letters include some combining marks, which AWS may reject.
pub(super) const UNICODE: Letters =
    (|character| character.is_alphanumeric() || is_space(character), "letters, digits, spaces and ");

fn is_space(character: char) -> bool {
    character.is_whitespace() && !character.is_control()
}

/// Checks that a value has `min` to `max` of these `letters` and `signs`.
pub(super) fn check(
    what: &'static str,
    (min, max): (usize, usize),
    (is_letter, letters): Letters,
    signs: &str,
    value: &str,
) -> Result<(), Invalid> {
    let length = value.chars().count();
    let is_bad = |character: &char| !is_letter(*character) && !signs.contains(*character);
    let mut fix = format!("use {min} to {max} characters");
    let rule = if value.is_empty() && min > 0 {
        "is empty".to_owned()
    } else if let Some(bad) = value.chars().find(is_bad) {
        fix = whitespace_hint(value).unwrap_or_else(|| format!("use only {letters}{signs}"));
        let bad = shown(&bad.to_string());
        format!("contains `{bad}` (only {letters}{signs} are allowed)")
    } else if (min..=max).contains(&length) {
        return Ok(());
    } else {
        let has = format!("has {}", counted(length, "character"));
        match (min == max, length < min) {
            (true, _) => format!("{has}, exactly {min} are required"),
            (false, true) => format!("{has}, at least {min} are required"),
            (false, false) => format!("{has}, at most {max} are allowed"),
        }
    };
    Err(Invalid::new(what, value, rule, fix))
}

/// Checks the form of most names in IAM and STS: `[\w+=,.@-]`. For an ARN or a path, the fix is to use only the name.
pub(super) fn check_name(what: &'static str, lengths: (usize, usize), value: &str) -> Result<(), Invalid> {
    let check = |name: &str| check(what, lengths, ASCII, "_+=,.@-", name);
    check(value).map_err(|error| {
        let name = value.rsplit_once('/').map(|(_, name)| name).filter(|name| check(name).is_ok());
        error.with_fix(name.map(|name| format!("use only the name: `{}`", shown(name))))
    })
}

pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Rejects names that begin with `aws:` in any case, which AWS reserves.
pub(super) fn check_not_reserved(what: &'static str, value: &str) -> Result<(), Invalid> {
    if value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        let rule = "begins with `aws:`, which is reserved for AWS";
        return Err(Invalid::new(what, value, rule, "use another prefix"));
    }
    Ok(())
}

pub(super) fn whitespace_hint(value: &str) -> Option<String> {
    let trimmed = value.trim();
    (!trimmed.is_empty() && trimmed != value).then(|| "remove the whitespace around it".to_owned())
}
