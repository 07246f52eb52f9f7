//! How text in a policy is to be read.

use super::pattern::Pattern;
use super::request::Context;

/// How text in a policy is to be read.
pub(super) struct Language<'a> {
    /// Whether policy variables are filled in.
    pub variables: bool,
    /// Where their values come from.
    pub context: &'a Context,
}

impl Language<'_> {
    /// Returns a pattern with its policy variables filled in; `None` when the request has no value for one of them.
    pub fn pattern(&self, text: &str) -> Option<Pattern> {
        Pattern::with_variables(text, self.variables.then_some(self.context))
    }

    /// Returns the same for an ARN of a `Resource` element.
    pub fn resource(&self, text: &str) -> Option<Pattern> {
        Pattern::of_resource(text, self.variables.then_some(self.context))
    }
}
