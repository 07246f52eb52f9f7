//! Commands that are shown to be pasted into a shell.

use std::fmt;

use serde::{Serialize, Serializer};

use super::is_hidden;

/// A command for a POSIX shell. Every word is quoted where a shell would read it otherwise, and no value can be taken for
/// an option: a target may be called `--yes`.
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
    /// A command without arguments.
    #[must_use]
    pub fn new(program: &'static str) -> Self {
        Self { parts: vec![Part::Operand(program.to_owned())] }
    }

    /// Adds a subcommand, or a value that stands by itself.
    #[must_use]
    pub fn arg(self, value: impl fmt::Display) -> Self {
        self.with(Part::Operand(shown(&value)))
    }

    /// Adds several of them.
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

    /// Ends the options, and adds a command that the program runs.
    #[must_use]
    pub fn command<T: fmt::Display>(self, words: impl IntoIterator<Item = T>) -> Self {
        words.into_iter().fold(self.with(Part::EndOfOptions), Self::arg)
    }

    /// Shows what follows on the next line, which the shell takes for the same one.
    #[must_use]
    pub fn on_next_line(self) -> Self {
        self.with(Part::NewLine)
    }

    fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The words, as the shell hands them to the program.
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
                // The first that looks like an option ends the options, and what follows it keeps its order.
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

/// As its text.
impl Serialize for ShellCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A value without characters that a terminal would obey.
fn shown(value: &impl fmt::Display) -> String {
    value.to_string().chars().filter(|c| !is_hidden(*c)).collect()
}

/// One word of a shell, quoted where it would be read otherwise: the value of an assignment. Commands are
/// [`ShellCommand`]s.
#[must_use]
pub fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:=@,+%".contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
