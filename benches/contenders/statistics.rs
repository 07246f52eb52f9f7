//! Statistics over several rounds.

use std::fmt;

/// The values of the rounds, in order; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Creates a sample of these values.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        Self(numbers.into_iter().collect())
    }

    /// Returns the values in the order of the rounds.
    pub fn numbers(&self) -> &[f64] {
        &self.0
    }

    /// Returns the median.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] }
    }

    /// Returns the maximum.
    pub fn most(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Returns the ratio to another sample, round by round.
    pub fn over(&self, other: &Self) -> Self {
        Self::of(self.0.iter().zip(&other.0).map(|(one, other)| one / other))
    }
}

/// Formats the median and, in brackets, minimum and maximum.
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        write!(f, "{} ({}–{})", short(self.median()), short(least), short(self.most()))
    }
}

/// Formats a number with three significant digits, or all digits before the decimal point.
pub fn short(number: f64) -> String {
    match number.abs() {
        ..10.0 => format!("{number:.2}"),
        ..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
