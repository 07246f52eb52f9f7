//! Messages for the person at the terminal.

use std::sync::Arc;

/// Tells the person at the terminal something.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;
