//! Progress of a proof.

/// Receives the progress of something that takes long.
pub trait Watch {
    /// Reports the current step.
    fn now(&self, doing: &str);

    /// Reports a wait, repeatedly.
    fn waiting(&self, why: String);
}

/// Discards all progress.
impl Watch for () {
    fn now(&self, _: &str) {}

    fn waiting(&self, _: String) {}
}
