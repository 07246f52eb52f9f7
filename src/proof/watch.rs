//! Whoever watches a proof.

/// Is told how something that takes long goes on.
pub trait Watch {
    /// Says what is being done now.
    fn now(&self, doing: &str);

    /// Says what is being waited for, again and again.
    fn waiting(&self, why: String);
}

/// Nobody watches.
impl Watch for () {
    fn now(&self, _: &str) {}

    fn waiting(&self, _: String) {}
}
