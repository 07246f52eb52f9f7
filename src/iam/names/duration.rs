//! Session durations.

use std::fmt;
use std::str::FromStr;

use super::text::whitespace_hint;
use crate::iam::invalid::{Invalid, serde_as_text};

/// Defines a duration in whole seconds from `$min` to 12 hours, written as `1h30m`.
macro_rules! duration_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $min:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i32);

        impl $name {
            /// Checks a number of seconds.
            ///
            /// # Errors
            /// When AWS does not allow this duration.
            pub fn from_secs(seconds: i32) -> Result<Self, Invalid> {
                check_seconds($what, &format!("{seconds}s"), $min, seconds).map(Self)
            }

            /// Returns the number of seconds for the API.
            pub fn as_secs(self) -> i32 {
                self.0
            }
        }

        /// One hour, AWS's default.
        impl Default for $name {
            fn default() -> Self {
                Self(3600)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&hours_minutes_seconds(self.0))
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(value: &str) -> Result<Self, Invalid> {
                typed_seconds($what, value, $min).map(Self)
            }
        }

        serde_as_text!($name);
    };
}

duration_type! {
    /// The longest session that a role allows: 1 to 12 hours (AWS IAM API reference, `CreateRole`,
    /// `MaxSessionDuration`).
    MaxSessionDuration, "maximum session duration", 3600
}

duration_type! {
    /// The duration of one session: 15 minutes to 12 hours (AWS STS API reference, `AssumeRole`, `DurationSeconds`).
    /// The role's maximum may be shorter, and role chaining limits it to one hour.
    SessionDuration, "session duration", 900
}

impl SessionDuration {
    /// The shortest session of a role (STS API reference, AssumeRole).
    pub const SHORTEST: Self = Self(900);
    /// The longest session that another session may open (IAM User Guide, role chaining). Assumed: this also limits
    /// sessions of GetSessionToken (awsume#114, aws-runas#11).
    pub const LONGEST_OF_A_SESSION: Self = Self(3600);

    /// Returns whether only an access key can open a session of this duration, and no other session.
    pub fn needs_access_key(self) -> bool {
        self > Self::LONGEST_OF_A_SESSION
    }
}

const TWELVE_HOURS: i32 = 43_200;

/// Writes `1h30m5s` without zero parts. Terraform accepts this form too.
fn hours_minutes_seconds(seconds: i32) -> String {
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let shown = parts.into_iter().filter(|&(count, _)| count != 0);
    shown.map(|(count, unit)| format!("{count}{unit}")).collect()
}

const NO_UNIT: &str = "has no unit";

/// Returns the seconds of a duration with units (`1h`, `90m`, `3600s`, `1h30m`), or the rule that it breaks. A number
/// too large for `u32` becomes `u32::MAX`, which the caller rejects.
///
/// # Errors
/// The rule that the text breaks, such as `has no unit`.
pub fn parse_duration(text: &str) -> Result<u32, &'static str> {
    const MALFORMED: &str = "must be hours, minutes and seconds, in that order";
    // Digits can fail to parse only by their size.
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.chars().all(|character| character.is_ascii_digit());
        is_number.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    if text.is_empty() {
        return Err("is empty");
    }
    if number(text).is_some() {
        return Err(NO_UNIT);
    }
    let (mut total, mut rest) = (0_u32, text);
    for (unit, seconds) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((digits, after)) = rest.split_once(unit) {
            let count = number(digits).ok_or(MALFORMED)?;
            total = total.saturating_add(count.saturating_mul(seconds));
            rest = after;
        }
    }
    if rest.is_empty() { Ok(total) } else { Err(MALFORMED) }
}

fn typed_seconds(what: &'static str, value: &str, min: i32) -> Result<i32, Invalid> {
    let seconds = parse_duration(value).map_err(|rule| {
        let meant = value.parse().ok().filter(|seconds| (min..=TWELVE_HOURS).contains(seconds));
        let meant = meant.unwrap_or(3600);
        let fix = match rule {
            NO_UNIT => format!("add a unit: `{meant}s` or `{}`", hours_minutes_seconds(meant)),
            _ => whitespace_hint(value).unwrap_or_else(|| "write it as `1h`, `90m`, `3600s` or `1h30m`".to_owned()),
        };
        Invalid::new(what, value, rule, fix)
    })?;
    check_seconds(what, value, min, i32::try_from(seconds).unwrap_or(i32::MAX))
}

fn check_seconds(what: &'static str, value: &str, min: i32, seconds: i32) -> Result<i32, Invalid> {
    let shortest = hours_minutes_seconds(min);
    let rule = match seconds {
        _ if seconds < min => format!("is less than {shortest}"),
        _ if seconds > TWELVE_HOURS => "is more than 12h".to_owned(),
        _ => return Ok(seconds),
    };
    Err(Invalid::new(what, value, rule, format!("use {shortest} to 12h")))
}
