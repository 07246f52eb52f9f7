//! A call of a run.

/// A call of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The operation.
    pub operation: String,
    /// Which call of it, counted from 1 in order of arrival.
    pub number: u64,
}

impl Call {
    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        !["Get", "List", "Head", "Assume", "Simulate"].iter().any(|read| self.operation.starts_with(read))
    }
}
