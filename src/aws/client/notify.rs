//! Warnings on the terminal.

use std::sync::Arc;

/// Shows a warning on the terminal.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// The callback of a trace, in types that are to be shown for debugging.
#[derive(Clone)]
pub(in crate::aws) struct Trace(pub Warn);

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trace(…)")
    }
}
