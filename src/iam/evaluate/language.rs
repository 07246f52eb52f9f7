//! Policy variables in the text of a policy.

use super::pattern::Pattern;
use super::request::Context;

/// How to read text in a policy.
pub(in crate::iam) struct Language<'a> {
    /// Whether to fill in policy variables.
    pub variables: bool,
    /// The source of their values.
    pub context: &'a Context,
}

impl Language<'_> {
    /// Returns a pattern with its policy variables filled in, or `None` if the request has no value for one of them.
    pub fn pattern(&self, text: &str) -> Option<Pattern> {
        Pattern::with_variables(text, self.variables.then_some(self.context))
    }

    /// Returns the same for an ARN of a `Resource` element.
    pub fn resource(&self, text: &str) -> Option<Pattern> {
        Pattern::of_resource(text, self.variables.then_some(self.context))
    }

    /// Returns a text with its policy variables filled in, or `None` if one has no value here, or stands for a character
    /// that would read as a wildcard. A default is no value: the requests of some callers may have the key.
    pub fn text(&self, text: &str) -> Option<String> {
        if self.variables && !Pattern::has_values(text, self.context) {
            return None;
        }
        let pattern = self.pattern(text)?;
        (!self.variables || pattern.wildcards() == Pattern::with_wildcards(&pattern.as_text()).wildcards())
            .then(|| pattern.as_text())
    }
}
