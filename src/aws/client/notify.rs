//! Warnings on the terminal.

use std::sync::Arc;

/// Shows a warning on the terminal.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;
