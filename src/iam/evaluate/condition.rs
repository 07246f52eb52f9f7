//! Condition operators.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::net::IpAddr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Language;

/// A condition operator with its prefix and suffix: `ForAnyValue:StringLikeIfExists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Test {
    quantifier: Option<Quantifier>,
    comparison: Comparison,
    /// `…Not…` operators: true unless the comparison holds for one of the policy's values.
    negated: bool,
    if_exists: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    All,
    Any,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
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
enum Order {
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
    /// Reads an operator; names are compared without regard to case.
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
            // Null asks whether the key is there; it has neither prefix nor suffix.
            "null" if quantifier.is_none() && !if_exists => (Comparison::Null, false),
            _ => return None,
        };
        Some(Self { quantifier, comparison, negated, if_exists })
    }

    /// Whether the values in the request meet the condition.
    pub fn is_met(self, wanted: &BTreeSet<String>, found: &[String], language: &Language<'_>) -> bool {
        if self.comparison == Comparison::Null {
            return wanted.iter().any(|wanted| parse_bool(wanted) == Some(found.is_empty()));
        }
        let holds = |value: &String| self.holds(wanted, value, language);
        match self.quantifier {
            // Over no values at all this is true, which makes it a trap in an Allow.
            Some(Quantifier::All) => found.iter().all(holds),
            Some(Quantifier::Any) if found.is_empty() => self.if_exists,
            Some(Quantifier::Any) => found.iter().any(holds),
            None if found.is_empty() => self.if_exists || self.negated,
            None if self.negated => found.iter().all(holds),
            None => found.iter().any(holds),
        }
    }

    fn holds(self, wanted: &BTreeSet<String>, value: &str, language: &Language<'_>) -> bool {
        let compared = |wanted: &String| {
            language.pattern(wanted).is_some_and(|pattern| match self.comparison {
                Comparison::Like => pattern.matches(value),
                Comparison::Arn => pattern.matches_arn(value),
                Comparison::Equal | Comparison::Binary => pattern.as_text() == value,
                Comparison::EqualIgnoringCase => pattern.as_text().to_lowercase() == value.to_lowercase(),
                Comparison::Number(order) => compare_numbers(value, &pattern.as_text()).is_some_and(|o| order.holds(o)),
                Comparison::Date(order) => compare_dates(value, &pattern.as_text()).is_some_and(|o| order.holds(o)),
                Comparison::Bool => {
                    parse_bool(value).is_some_and(|value| parse_bool(&pattern.as_text()) == Some(value))
                }
                Comparison::Ip => in_range(value, &pattern.as_text()),
                Comparison::Null => false,
            })
        };
        wanted.iter().any(compared) != self.negated
    }
}

fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn compare_numbers(value: &str, wanted: &str) -> Option<Ordering> {
    value.parse::<f64>().ok()?.partial_cmp(&wanted.parse::<f64>().ok()?)
}

fn compare_dates(value: &str, wanted: &str) -> Option<Ordering> {
    Some(parse_date(value)?.cmp(&parse_date(wanted)?))
}

/// ISO 8601, or seconds since 1970 (IAM User Guide, date condition operators).
fn parse_date(text: &str) -> Option<OffsetDateTime> {
    if let Ok(seconds) = text.parse() {
        return OffsetDateTime::from_unix_timestamp(seconds).ok();
    }
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    OffsetDateTime::parse(&whole, &Rfc3339).ok()
}

/// Whether an address is in a range, such as `203.0.113.0/24`.
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
