//! What may go wrong in a benchmark.

/// An answer, or what went wrong: it is reported, and ends the run.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
