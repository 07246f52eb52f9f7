//! Condition operators.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::IpAddr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::language::Language;
use super::pattern::Pattern;

/// A condition operator with its prefix and suffix: `ForAnyValue:StringLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iam) struct Test {
    pub(super) quantifier: Option<Quantifier>,
    pub(super) comparison: Comparison,
    /// Whether this is a `…Not…` operator: true unless the comparison holds for one of the policy's values.
    pub(super) negated: bool,
    pub(super) if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    EqualIgnoringCase,
    Like,
    Arn,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Test {
    /// Parses an operator; names are case-insensitive.
    pub fn parse(operator: &str) -> Option<Self> {
        let operator = operator.to_ascii_lowercase();
        let (quantifier, rest) = match operator.split_once(':') {
            None => (None, operator.as_str()),
            Some(("forallvalues", rest)) => (Some(Quantifier::All), rest),
            Some(("foranyvalue", rest)) => (Some(Quantifier::Any), rest),
            Some(_) => return None,
        };
        let (name, if_exists) = match rest.strip_suffix("ifexists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (comparison, negated) = match name {
            "stringequals" => (Comparison::Equal, false),
            "stringnotequals" => (Comparison::Equal, true),
            "stringequalsignorecase" => (Comparison::EqualIgnoringCase, false),
            "stringnotequalsignorecase" => (Comparison::EqualIgnoringCase, true),
            "stringlike" => (Comparison::Like, false),
            "stringnotlike" => (Comparison::Like, true),
            // "ArnEquals and ArnLike behave identically" (IAM User Guide, condition operators).
            "arnequals" | "arnlike" => (Comparison::Arn, false),
            "arnnotequals" | "arnnotlike" => (Comparison::Arn, true),
            "numericequals" => (Comparison::Number(Order::Equal), false),
            "numericnotequals" => (Comparison::Number(Order::Equal), true),
            "numericlessthan" => (Comparison::Number(Order::Less), false),
            "numericlessthanequals" => (Comparison::Number(Order::LessOrEqual), false),
            "numericgreaterthan" => (Comparison::Number(Order::Greater), false),
            "numericgreaterthanequals" => (Comparison::Number(Order::GreaterOrEqual), false),
            "dateequals" => (Comparison::Date(Order::Equal), false),
            "datenotequals" => (Comparison::Date(Order::Equal), true),
            "datelessthan" => (Comparison::Date(Order::Less), false),
            "datelessthanequals" => (Comparison::Date(Order::LessOrEqual), false),
            "dategreaterthan" => (Comparison::Date(Order::Greater), false),
            "dategreaterthanequals" => (Comparison::Date(Order::GreaterOrEqual), false),
            "bool" => (Comparison::Bool, false),
            "binaryequals" => (Comparison::Binary, false),
            "ipaddress" => (Comparison::Ip, false),
            "notipaddress" => (Comparison::Ip, true),
            // Null tests whether the key is present; it has neither prefix nor suffix.
            "null" if quantifier.is_none() && !if_exists => (Comparison::Null, false),
            _ => return None,
        };
        Some(Self { quantifier, comparison, negated, if_exists })
    }

    /// Returns whether the values in the request meet the condition.
    ///
    /// The sources are the IAM User Guide, "Condition operators" and "Single-valued vs. multivalued context keys", and
    /// observations of AWS where the guide says nothing:
    ///
    /// - An absent key meets only negated operators and operators with `IfExists`.
    /// - `ForAllValues` is true without values, which makes it a trap in an Allow; `ForAnyValue` is false without values,
    ///   even with `IfExists` (seen on AWS: re:Post, "ForAnyValue:StringEqualsIfExists behaving unexpectedly"). For both,
    ///   and for `Null`, a key with only empty values has none.
    /// - "Multivalued context keys require a condition set operator": several values do not meet an operator without a set
    ///   operator (seen on AWS with `aws:CalledVia`: pull request 161 of boogy/iam-policy-validator).
    pub fn is_met(self, wanted: &BTreeSet<String>, found: &[String], language: &Language<'_>) -> bool {
        let is_null = found.iter().all(String::is_empty);
        let holds = |value: &String| self.holds(wanted, value, language);
        match (self.comparison, self.quantifier, found) {
            (Comparison::Null, ..) => wanted.iter().any(|wanted| parse_bool(wanted) == Some(is_null)),
            (_, Some(Quantifier::All), _) => is_null || found.iter().all(holds),
            (_, Some(Quantifier::Any), _) => !is_null && found.iter().any(holds),
            (_, None, []) => self.if_exists || self.negated,
            (_, None, [one]) => holds(one),
            (_, None, _) => false,
        }
    }

    /// Returns whether one value meets the condition. Several values in the policy are alternatives; for a negated
    /// operator none of them may match (IAM User Guide, "Conditions with multiple context keys or values").
    fn holds(self, wanted: &BTreeSet<String>, value: &str, language: &Language<'_>) -> bool {
        wanted.iter().any(|wanted| self.matches(wanted, value, language)) != self.negated
    }

    /// Returns a value of the policy that does not compare with `value` as a number or a date. It may be in a form that
    /// AWS reads and this evaluator does not.
    pub(super) fn unread<'a>(self, wanted: &'a BTreeSet<String>, value: &str) -> Option<&'a String> {
        let is_read = |wanted: &&String| match self.comparison {
            Comparison::Number(_) => compare_numbers(value, wanted).is_some(),
            Comparison::Date(_) => compare_dates(value, wanted).is_some(),
            _ => true,
        };
        wanted.iter().find(|wanted| !is_read(wanted))
    }

    /// Returns the moment that a value of the policy says, if this operator compares with moments.
    pub(super) fn moment(self, wanted: &str, is_epoch: bool) -> Option<OffsetDateTime> {
        match self.comparison {
            Comparison::Date(_) => parse_date(wanted),
            #[expect(clippy::cast_possible_truncation, reason = "a saturating cast is out of range in the next call")]
            Comparison::Number(_) if is_epoch => {
                OffsetDateTime::from_unix_timestamp(parse_number(wanted)?.floor() as i64).ok()
            }
            _ => None,
        }
    }

    /// Compares one value. Only operators on strings, ARNs and booleans support policy variables (IAM User Guide,
    /// "Condition operators").
    fn matches(self, wanted: &str, value: &str, language: &Language<'_>) -> bool {
        let pattern_matches =
            |matches: &dyn Fn(&Pattern) -> bool| language.pattern(wanted).is_some_and(|pattern| matches(&pattern));
        match self.comparison {
            Comparison::Equal => pattern_matches(&|pattern| pattern.as_text() == value),
            Comparison::EqualIgnoringCase => {
                pattern_matches(&|pattern| pattern.as_text().to_lowercase() == value.to_lowercase())
            }
            Comparison::Like => pattern_matches(&|pattern| pattern.matches(value)),
            Comparison::Arn => pattern_matches(&|pattern| pattern.matches_arn(value)),
            Comparison::Bool => pattern_matches(&|pattern| {
                parse_bool(value).is_some_and(|value| parse_bool(&pattern.as_text()) == Some(value))
            }),
            Comparison::Number(order) => compare_numbers(value, wanted).is_some_and(|found| order.holds(found)),
            Comparison::Date(order) => compare_dates(value, wanted).is_some_and(|found| order.holds(found)),
            Comparison::Binary => wanted == value,
            Comparison::Ip => in_range(value, wanted),
            Comparison::Null => false,
        }
    }
}

pub(super) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn compare_numbers(value: &str, wanted: &str) -> Option<Ordering> {
    parse_number(value)?.partial_cmp(&parse_number(wanted)?)
}

/// Parses "an integer or decimal value" (IAM User Guide, numeric condition operators): no exponents, no infinity.
fn parse_number(text: &str) -> Option<f64> {
    let is_decimal = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    is_decimal.then(|| text.parse().ok())?
}

fn compare_dates(value: &str, wanted: &str) -> Option<Ordering> {
    Some(parse_date(value)?.cmp(&parse_date(wanted)?))
}

/// Parses seconds since 1970 or a W3C form of ISO 8601 (IAM User Guide, date condition operators): a year, a month, a
/// day, or a time with at least minutes and a zone. Four digits are a year.
fn parse_date(text: &str) -> Option<OffsetDateTime> {
    if text.len() != 4
        && let Ok(seconds) = text.parse()
    {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    let whole = match text.split_once('T') {
        Some((date, time)) => match time.split_at_checked(5)? {
            (minutes, zone) if !zone.starts_with(':') => format!("{date}T{minutes}:00{zone}"),
            _ => text.to_owned(),
        },
        None => match text.len() {
            4 => format!("{text}-01-01T00:00:00Z"),
            7 => format!("{text}-01T00:00:00Z"),
            _ => format!("{text}T00:00:00Z"),
        },
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok()
}

/// Returns whether an address is in a range, such as `203.0.113.0/24`. Without a prefix length the range is one address
/// (IAM User Guide, IP address condition operators: "the default prefix value of `/32`").
fn in_range(address: &str, range: &str) -> bool {
    let (base, length) = range.split_once('/').map_or((range, None), |(base, length)| (base, Some(length)));
    match (address.parse(), base.parse()) {
        (Ok(IpAddr::V4(address)), Ok(IpAddr::V4(base))) => {
            same_prefix(address.to_bits().into(), base.to_bits().into(), 32, length)
        }
        (Ok(IpAddr::V6(address)), Ok(IpAddr::V6(base))) => same_prefix(address.to_bits(), base.to_bits(), 128, length),
        _ => false,
    }
}

fn same_prefix(address: u128, base: u128, bits: u32, length: Option<&str>) -> bool {
    let length = match length.map(str::parse::<u32>) {
        None => bits,
        Some(Ok(length)) if length <= bits => length,
        Some(_) => return false,
    };
    (address ^ base).checked_shr(bits - length).unwrap_or(0) == 0
}
