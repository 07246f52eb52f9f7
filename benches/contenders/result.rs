//! Errors of a benchmark.

/// A result or an error, which is reported and ends the run.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
