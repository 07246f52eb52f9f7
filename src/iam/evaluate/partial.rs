//! Conditions on callers of whom not everything is known.
//!
//! A condition is met by every caller of a class, by none, or by some: three values. A fourth says that xacct cannot
//! decide it.

use std::collections::BTreeSet;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::condition::{Comparison, Order, Quantifier, Test, parse_bool};
use super::language::Language;
use super::pattern::Pattern;

/// What is known of a condition key in the requests of a class of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::iam) enum Known {
    /// It has this value.
    Is(String),
    /// Its value matches this pattern.
    Like(String),
    /// It is the time of the request, from now on.
    Clock {
        /// Now.
        now: OffsetDateTime,
        /// Whether it is in seconds since 1970.
        is_epoch: bool,
    },
    /// It is absent.
    Absent,
    /// It is present, with a value that differs or that the caller chooses.
    Present,
    /// It may be absent, or have a value that differs or that the caller chooses.
    Open,
    /// xacct cannot know it, for this reason.
    Undecided(String),
}

/// Whether the callers of a class meet a condition, or match an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::iam) enum Met {
    /// All do.
    Yes,
    /// None does.
    No,
    /// Some do, or can.
    Open,
    /// xacct cannot decide it, for this reason.
    Undecided(String),
}

impl Met {
    /// Returns what both together are.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Undecided(reason), _) | (_, Self::Undecided(reason)) => Self::Undecided(reason),
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// Returns what the opposite is: of those whom xacct cannot decide, it cannot decide the opposite.
    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            other => other,
        }
    }
}

impl From<bool> for Met {
    fn from(met: bool) -> Self {
        if met { Self::Yes } else { Self::No }
    }
}

/// A value to which a condition narrows its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::iam) enum Value {
    /// This value.
    Is(String),
    /// What matches this pattern.
    Like(String),
    /// This value, in whatever case.
    AnyCase(String),
    /// Every value: `*`, or a variable whose value the caller may choose.
    Any,
    /// Compared as an ARN, but none: it is undecided whether AWS matches it.
    NoArn(String),
}

/// Returns a time as the keys of the clock have it.
fn in_policy(time: OffsetDateTime, is_epoch: bool) -> String {
    if is_epoch { time.unix_timestamp().to_string() } else { time.format(&Rfc3339).unwrap_or_default() }
}

impl Test {
    /// Returns whether the callers of a class meet the condition.
    pub fn met(self, wanted: &BTreeSet<String>, known: &Known, language: &Language<'_>) -> Met {
        let is_filled_in = wanted.iter().all(|wanted| !self.has_variables() || language.text(wanted).is_some());
        if wanted.is_empty() {
            return Met::Undecided("AWS does not document what a condition without values means".to_owned());
        }
        match known {
            Known::Undecided(reason) => Met::Undecided(reason.clone()),
            Known::Absent => self.is_met(wanted, &[], language).into(),
            Known::Clock { now, is_epoch } => self.met_from(wanted, *now, *is_epoch, language),
            Known::Is(value) if is_filled_in => match self.unread(wanted, value) {
                Some(unread) => Met::Undecided(format!("xacct cannot compare {value} with {unread}")),
                None => self.is_met(wanted, std::slice::from_ref(value), language).into(),
            },
            Known::Like(pattern) if is_filled_in => self.met_by_pattern(wanted, pattern, language),
            Known::Is(_) | Known::Like(_) | Known::Present if self.comparison == Comparison::Null => {
                self.is_met(wanted, &["present".to_owned()], language).into()
            }
            _ => Met::Open,
        }
    }

    /// Returns whether requests meet a condition on the clock at all times from now on, at none, or at some, which is
    /// undecided.
    fn met_from(self, wanted: &BTreeSet<String>, now: OffsetDateTime, is_epoch: bool, language: &Language<'_>) -> Met {
        let is_met_at = |time: OffsetDateTime| self.is_met(wanted, &[in_policy(time, is_epoch)], language);
        let is_met = is_met_at(now);
        if self.comparison == Comparison::Null {
            return is_met.into();
        }
        let mut times = BTreeSet::new();
        for wanted in wanted {
            let Some(moment) = self.moment(wanted, is_epoch) else {
                return Met::Undecided(format!("xacct cannot compare the time with {wanted}"));
            };
            let around = [-1, 0, 1].map(|seconds| moment.saturating_add(Duration::seconds(seconds)));
            times.extend(around.into_iter().filter(|time| *time > now));
        }
        match times.into_iter().find(|time| is_met_at(*time) != is_met) {
            None => is_met.into(),
            Some(time) => {
                let word = if is_met { "until" } else { "from" };
                Met::Undecided(format!("a condition on the time is met {word} {}", in_policy(time, false)))
            }
        }
    }

    /// Returns whether a request of now meets a condition on the clock, if it can be compared.
    pub fn is_met_now(self, wanted: &BTreeSet<String>, known: &Known, language: &Language<'_>) -> Option<bool> {
        let Known::Clock { now, is_epoch } = known else { return None };
        let is_read = wanted.iter().all(|wanted| self.moment(wanted, *is_epoch).is_some());
        is_read.then(|| self.is_met(wanted, &[in_policy(*now, *is_epoch)], language))
    }

    fn met_by_pattern(self, wanted: &BTreeSet<String>, pattern: &str, language: &Language<'_>) -> Met {
        let found = Pattern::with_wildcards(pattern);
        let matches = |text: &String| match self.values(text, language) {
            Value::Is(value) if value == pattern => Met::Yes,
            Value::Is(value) if !found.matches(&value) => Met::No,
            Value::Like(wanted) => match Pattern::with_wildcards(&wanted) {
                wanted if wanted.covers(&found) => Met::Yes,
                wanted if !wanted.overlaps(&found) => Met::No,
                _ => Met::Open,
            },
            Value::Any if self.comparison == Comparison::Like => Met::Yes,
            _ => Met::Open,
        };
        match self.comparison {
            Comparison::Null => self.is_met(wanted, &["present".to_owned()], language).into(),
            Comparison::Equal | Comparison::Like | Comparison::Arn => {
                let each: Vec<_> = wanted.iter().map(matches).collect();
                let met = if each.contains(&Met::Yes) {
                    Met::Yes
                } else if each.iter().all(|met| *met == Met::No) {
                    Met::No
                } else {
                    Met::Open
                };
                if self.negated { met.negated() } else { met }
            }
            _ => Met::Open,
        }
    }

    /// Returns the value to which one value in the policy narrows the key.
    pub fn values(self, wanted: &str, language: &Language<'_>) -> Value {
        let Some(text) = (if self.has_variables() { language.text(wanted) } else { Some(wanted.to_owned()) }) else {
            return Value::Any;
        };
        let is_plain = !text.contains(['*', '?']);
        match self.comparison {
            Comparison::Equal => Value::Is(text),
            Comparison::EqualIgnoringCase if text.chars().any(char::is_alphabetic) => Value::AnyCase(text),
            Comparison::EqualIgnoringCase => Value::Is(text),
            Comparison::Arn if text.splitn(6, ':').count() < 6 => Value::NoArn(text),
            Comparison::Like | Comparison::Arn if is_plain => Value::Is(text),
            Comparison::Like if text.chars().all(|c| matches!(c, '*' | '?')) => Value::Any,
            Comparison::Like | Comparison::Arn => Value::Like(text),
            // Bool reads `TRUE` and `True` as `true`.
            Comparison::Bool if parse_bool(&text).is_some() => Value::AnyCase(text.to_ascii_lowercase()),
            _ => Value::Any,
        }
    }

    /// Returns whether only a request with the key, and one of the values, meets the condition: neither a negated
    /// operator, nor one that an absent key meets. `IfExists` is one unless the key is always present, or the operator
    /// is `ForAnyValue`, which is false without values.
    pub fn requires_value(self, is_always_present: bool) -> bool {
        !self.negated
            && self.comparison != Comparison::Null
            && self.quantifier != Some(Quantifier::All)
            && (!self.if_exists || is_always_present || self.is_on_any())
    }

    /// Returns whether the condition is on one of several values of the key, which says nothing of the others.
    pub fn is_on_any(self) -> bool {
        self.quantifier == Some(Quantifier::Any)
    }

    /// Returns whether only a request without the key does not meet the condition: `"Null": {"KEY": "false"}`.
    pub fn requires_presence(self, wanted: &BTreeSet<String>) -> bool {
        self.comparison == Comparison::Null && wanted.iter().all(|wanted| parse_bool(wanted) == Some(false))
    }

    /// Returns whether this is a comparison of ARNs.
    pub fn is_on_arns(self) -> bool {
        self.comparison == Comparison::Arn
    }

    /// Returns whether this is a comparison of text with case.
    pub fn is_on_text(self) -> bool {
        matches!(self.comparison, Comparison::Equal | Comparison::Like)
    }

    /// Returns whether this is a comparison of booleans.
    pub fn is_bool(self) -> bool {
        self.comparison == Comparison::Bool
    }

    /// Returns whether the condition is an upper limit.
    pub fn is_limit(self) -> bool {
        matches!(self.comparison, Comparison::Number(Order::Less | Order::LessOrEqual))
    }

    /// Returns the condition that every request meets that a `Deny` on this condition leaves alone, if there is one that
    /// requires the key.
    pub fn opposite(self, wanted: &BTreeSet<String>) -> Option<(Self, BTreeSet<String>)> {
        let strict = Self { negated: false, if_exists: false, ..self };
        match (self.quantifier, self.comparison) {
            // An absent key meets a negated operator, with or without IfExists (IAM User Guide, "Condition operators").
            (None, _) if self.negated => Some((strict, wanted.clone())),
            // ForAllValues is true without values, and if no value is one of these.
            (Some(Quantifier::All), _) if self.negated => {
                Some((Self { quantifier: Some(Quantifier::Any), ..strict }, wanted.clone()))
            }
            (None, Comparison::Bool) if self.if_exists => {
                let unwanted: BTreeSet<_> = wanted.iter().filter_map(|wanted| parse_bool(wanted)).collect();
                let rest = [true, false].into_iter().filter(|value| !unwanted.contains(value));
                Some((strict, rest.map(|value| value.to_string()).collect()))
            }
            (None, Comparison::Number(order)) if self.if_exists => {
                let order = match order {
                    Order::Greater => Order::LessOrEqual,
                    Order::GreaterOrEqual => Order::Less,
                    _ => return None,
                };
                Some((Self { comparison: Comparison::Number(order), ..strict }, wanted.clone()))
            }
            (None, Comparison::Null) if wanted.iter().all(|wanted| parse_bool(wanted) == Some(true)) => {
                Some((self, BTreeSet::from(["false".to_owned()])))
            }
            _ => None,
        }
    }

    /// Only operators on strings, ARNs and booleans support policy variables (IAM User Guide, "Condition operators").
    fn has_variables(self) -> bool {
        use Comparison::{Arn, Bool, Equal, EqualIgnoringCase, Like};
        matches!(self.comparison, Equal | EqualIgnoringCase | Like | Arn | Bool)
    }
}
