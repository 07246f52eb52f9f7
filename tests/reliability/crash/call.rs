//! A request of a run.

/// A request of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The operation.
    pub operation: String,
    /// The number of the call among those of its operation, from 1 in order of arrival.
    pub number: u64,
}

impl Call {
    /// Whether it is a write.
    pub fn is_write(&self) -> bool {
        !["Get", "List", "Head", "Assume", "Simulate"].iter().any(|read| self.operation.starts_with(read))
    }
}
