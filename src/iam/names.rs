//! Names and values that AWS accepts: parsed once, valid ever after.
//!
//! Each type is made by its parser alone, or by a constructor that cannot go wrong, so whoever holds one need not check
//! it again. The rules are AWS's own, anchored: what AWS would refuse never gets as far as a request.
//! In AWS's patterns `\w` means `A-Z a-z 0-9 _`, and lengths count Unicode scalar values.

use std::fmt;
use std::str::FromStr;

use super::arn::Partition;

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

    /// With a better fix, if there is one.
    pub(super) fn with_fix(self, better: Option<String>) -> Self {
        let fix = better.unwrap_or(self.fix);
        Self { fix, ..self }
    }
}

/// `text` fit for a message on a terminal: at most 80 characters, with nothing invisible in it.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(80, text)
}

/// The same with at most so many characters.
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
                text.parse().map_err(|error: $crate::iam::names::Invalid| {
                    serde::de::Error::custom(format_args!("{error}; {}", error.fix))
                })
            }
        }
    };
}
pub(super) use serde_as_text;

/// A newtype over text that passes `$check`.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text, as AWS takes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(value: &str) -> Result<Self, Invalid> {
                $check(value)?;
                Ok(Self(value.to_owned()))
            }
        }

        serde_as_text!($name);
    };
}

/// Letters and digits that a rule allows, and the words for them.
type Letters = (fn(char) -> bool, &'static str);

const ASCII: Letters = (|character| character.is_ascii_alphanumeric(), "ASCII letters, digits and ");

/// `\p{L}`, `\p{N}`, `\p{Z}`. The standard library's letters include some combining marks, which AWS may refuse.
const UNICODE: Letters =
    (|character| character.is_alphanumeric() || is_space(character), "letters, digits, spaces and ");

fn is_space(character: char) -> bool {
    character.is_whitespace() && !character.is_control()
}

/// The rule of the common form: `min` to `max` of these `letters` and `signs`.
fn check(
    what: &'static str,
    (min, max): (usize, usize),
    (is_letter, letters): Letters,
    signs: &str,
    value: &str,
) -> Result<(), Invalid> {
    let length = value.chars().count();
    let is_bad = |character: &char| !is_letter(*character) && !signs.contains(*character);
    let mut fix = format!("give {min} to {max} characters");
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
            (true, _) => format!("{has}, exactly {min} are needed"),
            (false, true) => format!("{has}, at least {min} are needed"),
            (false, false) => format!("{has}, at most {max} are allowed"),
        }
    };
    Err(Invalid::new(what, value, rule, fix))
}

/// What most names of IAM and STS share: `[\w+=,.@-]`. For an ARN or a path, the fix is to give only the name.
fn check_name(what: &'static str, lengths: (usize, usize), value: &str) -> Result<(), Invalid> {
    let check = |name: &str| check(what, lengths, ASCII, "_+=,.@-", name);
    check(value).map_err(|error| {
        let name = value.rsplit_once('/').map(|(_, name)| name).filter(|name| check(name).is_ok());
        error.with_fix(name.map(|name| format!("give only the name: `{}`", shown(name))))
    })
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// AWS keeps names that begin with `aws:`, in any case, to itself.
fn check_not_reserved(what: &'static str, value: &str) -> Result<(), Invalid> {
    if value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        let rule = "begins with `aws:`, which is reserved for AWS";
        return Err(Invalid::new(what, value, rule, "choose another prefix"));
    }
    Ok(())
}

fn whitespace_hint(value: &str) -> Option<String> {
    let trimmed = value.trim();
    (!trimmed.is_empty() && trimmed != value).then(|| "remove the whitespace around it".to_owned())
}

text_type! {
    /// An AWS account: exactly 12 ASCII digits, zeros at the start included (AWS Account Management API reference).
    AccountId, |value| {
        let digits: Letters = (|character| character.is_ascii_digit(), "the digits 0 to 9");
        check("account ID", (12, 12), digits, "", value).map_err(|error| error.with_fix(Some(account_fix(value))))
    }
}

fn account_fix(value: &str) -> String {
    let digits: String = value.chars().filter(|character| !"- ".contains(*character)).collect();
    let account_of_arn = value.split(':').nth(4).filter(|part| part.parse::<AccountId>().is_ok());
    if let Some(account) = account_of_arn {
        format!("give only the account of that ARN: `{account}`")
    } else if digits != value && digits.parse::<AccountId>().is_ok() {
        format!("give the 12 digits without dashes or spaces: `{digits}`")
    } else if (1..12).contains(&value.len()) && value.chars().all(|character| character.is_ascii_digit()) {
        "give all 12 digits, zeros at the start included".to_owned()
    } else {
        whitespace_hint(value).unwrap_or_else(|| "give the 12 digits, without dashes".to_owned())
    }
}

text_type! {
    /// The name of a role, without path: 1 to 64 of `[\w+=,.@-]` (AWS IAM API reference, `CreateRole`).
    /// Its case matters in an ARN, although no two roles of an account may differ in case alone.
    RoleName, |value| check_name("role name", (1, 64), value)
}

text_type! {
    /// The name of a user, without path: 1 to 64 of `[\w+=,.@-]` (AWS IAM API reference, `CreateUser`).
    UserName, |value| check_name("user name", (1, 64), value)
}

text_type! {
    /// The name of a policy, inline or managed, without path: 1 to 128 of `[\w+=,.@-]`
    /// (AWS IAM API reference, `PutRolePolicy`).
    PolicyName, |value| check_name("policy name", (1, 128), value)
}

text_type! {
    /// The path of a role, user or policy: `/`, or up to 512 visible ASCII characters that begin and end with a slash
    /// (AWS IAM API reference, `CreateRole`).
    IamPath, check_path
}

impl IamPath {
    /// The path of whatever was given none: `/`.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Whether this is the path `/`.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }
}

fn check_path(value: &str) -> Result<(), Invalid> {
    let visible: Letters = (|character| character.is_ascii_graphic(), "visible ASCII characters");
    check("IAM path", (1, 512), visible, "", value)?;
    let inner = value.trim_matches('/');
    if value == "/" || (value.len() > 2 && value.starts_with('/') && value.ends_with('/')) {
        return Ok(());
    }
    let (rule, fix) = match inner {
        "" => ("has nothing between its slashes", "give `/` for no path".to_owned()),
        _ => ("does not begin and end with `/`", format!("write it as `/{}/`", shown(inner))),
    };
    Err(Invalid::new("IAM path", value, rule, fix))
}

text_type! {
    /// The name of a session, which account B sees in its logs: 2 to 64 of `[\w+=,.@-]`
    /// (AWS STS API reference, `AssumeRole`).
    SessionName, |value| check_name("session name", (2, 64), value)
}

text_type! {
    /// The external ID that the trust policy demands: 2 to 1224 of `[\w+=,.@:/-]`
    /// (AWS STS API reference, `AssumeRole`). AWS does not treat it as a secret.
    ExternalId, |value| check("external ID", (2, 1224), ASCII, "_+=,.@:/-", value)
}

impl ExternalId {
    /// How many random bytes make an external ID.
    pub const RANDOM_BYTES: usize = 20;

    /// An external ID of 32 characters, `0` to `9` and `a` to `v`, that holds every bit of `random`: as much entropy as
    /// was given (160 bits from a good source), without bias, because each character is exactly five bits.
    pub fn from_random_bytes(random: &[u8; Self::RANDOM_BYTES]) -> Self {
        let mut text = String::with_capacity(32);
        for chunk in random.chunks_exact(5) {
            let forty_bits = chunk.iter().fold(0_u64, |bits, &byte| (bits << 8) | u64::from(byte));
            for shift in [35, 30, 25, 20, 15, 10, 5, 0] {
                let five_bits = u32::try_from((forty_bits >> shift) & 0b11111);
                text.extend(five_bits.ok().and_then(|digit| char::from_digit(digit, 32)));
            }
        }
        Self(text)
    }
}

text_type! {
    /// The source identity that stays with a session and its descendants: 2 to 64 of `[\w+=,.@-]`, not beginning with
    /// `aws:` (AWS STS API reference, `AssumeRole`).
    SourceIdentity, |value| {
        check_not_reserved("source identity", value)?;
        check_name("source identity", (2, 64), value)
    }
}

text_type! {
    /// An MFA device: the serial number of a hardware token or the ARN of a virtual device, 9 to 256 of `[\w+=/:,.@-]`
    /// (AWS STS API reference, `AssumeRole`).
    MfaSerial, |value| {
        check("MFA serial", (9, 256), ASCII, "_+=/:,.@-", value).map_err(|error| {
            let forms = "give the token's serial number, or the device's ARN such as `arn:aws:iam::111111111111:mfa/alice`";
            error.with_fix(whitespace_hint(value).or_else(|| Some(forms.to_owned())))
        })
    }
}

/// The code that an MFA device shows: exactly 6 ASCII digits (AWS STS API reference, `AssumeRole`, `TokenCode`).
///
/// A secret while it lasts: `Debug` and errors hide it, and it is neither displayed nor serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct MfaCode(String);

impl MfaCode {
    /// The code, to be sent to AWS and nowhere else.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MfaCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MfaCode(…)")
    }
}

impl FromStr for MfaCode {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        let length = value.chars().count();
        let rule = if !value.chars().all(|character| character.is_ascii_digit()) {
            "contains something other than the digits 0 to 9".to_owned()
        } else if length != 6 {
            format!("has {}, exactly 6 are needed", counted(length, "digit"))
        } else {
            return Ok(Self(value.to_owned()));
        };
        let fix = "give the 6 digits that the MFA device shows now";
        Err(Invalid::new("MFA code", "…", rule, fix))
    }
}

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

/// A tag of a role or a session, typed as `KEY=VALUE`: the first `=` divides the two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Tag {
    /// The key. One that holds a `=` exists in AWS, but cannot be typed.
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

/// A length of time in whole seconds from `$min` to 12 hours, typed and displayed as `1h30m`.
macro_rules! duration_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $min:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i32);

        impl $name {
            /// That many seconds, if AWS allows it.
            pub fn from_secs(seconds: i32) -> Result<Self, Invalid> {
                check_seconds($what, &format!("{seconds}s"), $min, seconds).map(Self)
            }

            /// The number of seconds, as the API takes it.
            pub fn as_secs(self) -> i32 {
                self.0
            }
        }

        /// One hour, which is AWS's default.
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
    /// The longest session that a role allows: 1 to 12 hours (AWS IAM API reference, `CreateRole`, `MaxSessionDuration`).
    MaxSessionDuration, "maximum session duration", 3600
}

duration_type! {
    /// How long one session lasts: 15 minutes to 12 hours (AWS STS API reference, `AssumeRole`, `DurationSeconds`).
    /// The role's own maximum, and one hour when roles are chained, may be shorter.
    SessionDuration, "session duration", 900
}

const TWELVE_HOURS: i32 = 43_200;

/// `1h30m5s` without the parts that are zero: Terraform takes this form too.
fn hours_minutes_seconds(seconds: i32) -> String {
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let shown = parts.into_iter().filter(|&(count, _)| count != 0);
    shown.map(|(count, unit)| format!("{count}{unit}")).collect()
}

const NO_UNIT: &str = "has no unit";

/// The seconds of a duration typed with units (`1h`, `90m`, `3600s`, `1h30m`), or the rule that it breaks. What is more
/// than a `u32` holds becomes its maximum, for the caller to refuse.
pub fn parse_duration(text: &str) -> Result<u32, &'static str> {
    const MALFORMED: &str = "is not hours, minutes and seconds, in this order";
    // Of digits alone, only the size can be wrong.
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
            NO_UNIT => format!("write the unit: `{meant}s` or `{}`", hours_minutes_seconds(meant)),
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
    Err(Invalid::new(what, value, rule, format!("give {shortest} to 12h")))
}

text_type! {
    /// A region of any AWS partition, known by the form of its name, so that a new region needs no new release
    /// (the partition patterns of the AWS SDKs).
    Region, check_region
}

impl Region {
    /// The partition that the region belongs to.
    pub fn partition(&self) -> Partition {
        // Parsing made sure that there is one.
        Partition::of_region(&self.0).unwrap_or(Partition::Aws)
    }

    /// Whether an account must enable the region before it can be used. Those of before March 2019 are on by default
    /// (AWS Account Management Reference Guide, "Enable or disable AWS Regions").
    pub fn is_opt_in(&self) -> bool {
        const ALWAYS_ON: [&str; 17] = [
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
            "ca-central-1",
            "sa-east-1",
            "eu-central-1",
            "eu-north-1",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "ap-south-1",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-southeast-1",
            "ap-southeast-2",
        ];
        self.partition() == Partition::Aws && !ALWAYS_ON.contains(&self.as_str())
    }
}

fn check_region(value: &str) -> Result<(), Invalid> {
    if Partition::of_region(value).is_some() {
        return Ok(());
    }
    let lower = value.trim().to_ascii_lowercase();
    let without_zone = lower.trim_end_matches(|character: char| character.is_ascii_lowercase());
    let fix = if Partition::of_region(&lower).is_some() {
        format!("write it as `{}`", shown(&lower))
    } else if lower.len() == without_zone.len() + 1 && Partition::of_region(without_zone).is_some() {
        format!("give the region, not the availability zone: `{}`", shown(without_zone))
    } else {
        "give a region such as `eu-west-1`".to_owned()
    };
    let broken = "has the form of no AWS partition's regions, such as `eu-west-1`";
    let rule = if value.is_empty() { "is empty" } else { broken };
    Err(Invalid::new("region", value, rule, fix))
}

#[cfg(test)]
mod tests;
