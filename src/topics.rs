//! What `xacct help TOPIC` tells: Markdown files that a forge shows, too.

/// Something to read about.
pub struct Topic {
    /// As it is typed; no command is called so.
    pub name: &'static str,
    /// What it is about.
    pub summary: &'static str,
    /// The file.
    pub text: &'static str,
}

/// Every topic, in the order of the help.
pub const TOPICS: &[Topic] =
    &[Topic { name: "changes", summary: "What is new in this version", text: include_str!("../CHANGELOG.md") }];
