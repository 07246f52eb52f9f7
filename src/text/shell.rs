//! Shell commands that users can copy and paste.

use std::fmt;

use serde::{Serialize, Serializer};

use super::is_hidden;

/// A command for a POSIX shell. Words are quoted where necessary, and no value can be parsed as an option: a target may be
/// called `--yes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellCommand {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Flag(&'static str),
    Option(&'static str, String),
    Operand(String),
    EndOfOptions,
    NewLine,
}

impl ShellCommand {
    /// Creates a command without arguments.
    #[must_use]
    pub fn new(program: &'static str) -> Self {
        Self { parts: vec![Part::Operand(program.to_owned())] }
    }

    /// Adds a subcommand or a positional argument.
    #[must_use]
    pub fn arg(self, value: impl fmt::Display) -> Self {
        self.with(Part::Operand(shown(&value)))
    }

    /// Adds several positional arguments.
    #[must_use]
    pub fn args<T: fmt::Display>(self, values: impl IntoIterator<Item = T>) -> Self {
        values.into_iter().fold(self, Self::arg)
    }

    /// Adds an option without a value, such as `--adopt`.
    #[must_use]
    pub fn flag(self, name: &'static str) -> Self {
        self.with(Part::Flag(name))
    }

    /// Adds an option with its value.
    #[must_use]
    pub fn option(self, name: &'static str, value: impl fmt::Display) -> Self {
        self.with(Part::Option(name, shown(&value)))
    }

    /// Adds an option if it has a value.
    #[must_use]
    pub fn option_if(self, name: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.option(name, value),
            None => self,
        }
    }

    /// Adds `--` and a command that the program runs.
    #[must_use]
    pub fn command<T: fmt::Display>(self, words: impl IntoIterator<Item = T>) -> Self {
        words.into_iter().fold(self.with(Part::EndOfOptions), Self::arg)
    }

    /// Continues the command on the next line, after a backslash.
    #[must_use]
    pub fn on_next_line(self) -> Self {
        self.with(Part::NewLine)
    }

    fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Returns the words as the shell passes them to the program.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.lines().concat()
    }

    fn lines(&self) -> Vec<Vec<String>> {
        let mut lines = Vec::new();
        let (mut words, mut last) = (Vec::new(), Vec::new());
        let mut has_ended = false;
        for part in &self.parts {
            match part {
                Part::Flag(name) => words.push((*name).to_owned()),
                Part::Option(name, value) if value.starts_with('-') => words.push(format!("{name}={value}")),
                Part::Option(name, value) => words.extend([(*name).to_owned(), value.clone()]),
                // The first value that looks like an option goes behind `--`, and so do all values after it.
                Part::Operand(value) if has_ended || value.starts_with('-') => {
                    has_ended = true;
                    last.push(value.clone());
                }
                Part::Operand(value) => words.push(value.clone()),
                Part::EndOfOptions => has_ended = true,
                Part::NewLine => lines.push(std::mem::take(&mut words)),
            }
        }
        if !last.is_empty() {
            words.push("--".to_owned());
        }
        words.append(&mut last);
        lines.push(words);
        lines
    }
}

impl fmt::Display for ShellCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |words: Vec<String>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        f.write_str(&self.lines().into_iter().map(line).collect::<Vec<_>>().join(" \\\n  "))
    }
}

/// Serializes the command as its text.
impl Serialize for ShellCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns a value without characters that a terminal would interpret.
fn shown(value: &impl fmt::Display) -> String {
    value.to_string().chars().filter(|c| !is_hidden(*c)).collect()
}

/// Quotes one shell word if necessary, such as the value of an assignment. For commands, use [`ShellCommand`].
#[must_use]
pub fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:=@,+%".contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
