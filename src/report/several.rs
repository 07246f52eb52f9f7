//! Reports on several targets: what they share is said once, and the rest in a row for each target.

use comfy_table::{Cell, ColumnConstraint};

use super::console::{borderless, trimmed};

/// The columns that name a target.
const TARGET: &str = "Target";
const ACCOUNT: &str = "Account";
/// Maximum width of a name in a table; longer ones are broken, at hyphens if they have any.
const LONGEST_NAME: usize = 26;
/// Minimum width of a column whose text wraps.
const NARROWEST: usize = 24;
/// Stands for a target's own account; no text of AWS has this character of the private use area.
const OWN_ACCOUNT: char = '\u{f8ff}';

/// A line or a column of a report: its name, and its values in the order of the targets.
pub struct Field {
    name: &'static str,
    values: Vec<String>,
    is_column: bool,
    wraps: bool,
}

impl Field {
    /// Returns a field that is said once if all targets share its value, and is a column otherwise.
    pub fn of<T>(name: &'static str, targets: &[T], value: impl Fn(&T) -> String) -> Self {
        let is_column = [TARGET, ACCOUNT].contains(&name);
        Self { name, values: targets.iter().map(value).collect(), is_column, wraps: false }
    }

    /// Makes it a column even if all targets share its value; without any value, it is left out.
    #[must_use]
    pub fn column(self) -> Self {
        Self { is_column: true, ..self }
    }

    /// Lets its text wrap: it has words.
    #[must_use]
    pub fn wrapping(self) -> Self {
        Self { wraps: true, ..self }
    }

    /// Returns its name with each value.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|value| (self.name, value.as_str()))
    }

    /// Returns the value that all targets share.
    fn shared(&self) -> Option<&str> {
        let first = self.values.first().filter(|_| !self.is_column)?;
        self.values.iter().all(|value| value == first).then_some(first)
    }

    /// Returns the width that it needs in a table.
    fn width(&self) -> usize {
        let widest = self.values.iter().map(|value| value.chars().count()).chain([self.name.len()]).max();
        let most = match self.name {
            TARGET => LONGEST_NAME,
            _ if self.wraps => NARROWEST,
            _ => usize::MAX,
        };
        widest.unwrap_or_default().min(most)
    }
}

/// What is to be said of several targets.
pub struct Sheet {
    shared: Vec<Field>,
    columns: Vec<Field>,
}

impl Sheet {
    /// Returns a sheet of these fields. The account is left out if every target is named by it.
    #[must_use]
    pub fn new(fields: Vec<Field>) -> Self {
        let (shared, mut columns): (Vec<_>, Vec<_>) = fields.into_iter().partition(|field| field.shared().is_some());
        columns.retain(|field| !field.is_column || field.values.iter().any(|value| !value.is_empty()));
        let values = |name| columns.iter().find(|field| field.name == name).map(|field| &field.values);
        if values(TARGET) == values(ACCOUNT) {
            columns.retain(|field| field.name != ACCOUNT);
        }
        Self { shared, columns }
    }

    /// Returns what all targets share, one value on each line.
    #[must_use]
    pub fn shared(&self) -> Option<String> {
        let shared = self.shared.iter().filter_map(|field| Some((field.name, field.shared()?)));
        (!self.shared.is_empty()).then(|| lines(shared))
    }

    /// Returns whether the table fits.
    #[must_use]
    pub fn fits(&self, width: u16) -> bool {
        self.columns.iter().map(|field| field.width() + 2).sum::<usize>() <= usize::from(width)
    }

    /// Returns a row for each target. Leaves out the account if there is no room for it.
    #[must_use]
    pub fn table(&self, width: u16) -> String {
        let has_room = self.fits(width);
        let columns: Vec<_> = self.columns.iter().filter(|field| has_room || field.name != ACCOUNT).collect();
        let mut table = borderless(width);
        table.set_header(columns.iter().map(|field| field.name.to_uppercase()));
        for number in 0..self.targets() {
            table.add_row(columns.iter().map(|field| {
                let value = field.values.get(number).map(String::as_str).unwrap_or_default();
                Cell::new(if field.name == TARGET { broken(value) } else { value.to_owned() })
            }));
        }
        for (column, field) in table.column_iter_mut().zip(&columns) {
            if !field.wraps {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        trimmed(&table)
    }

    /// Returns the lines of each target, for what does not fit into a table.
    #[must_use]
    pub fn blocks(&self) -> Vec<String> {
        let value = |field: &Field, number: usize| field.values.get(number).cloned().unwrap_or_default();
        let block = |number| lines(self.columns.iter().map(|field| (field.name, value(field, number))));
        (0..self.targets()).map(block).collect()
    }

    fn targets(&self) -> usize {
        self.columns.first().map(|field| field.values.len()).unwrap_or_default()
    }
}

/// Returns names and values, one on each line.
pub fn lines<T: AsRef<str>>(fields: impl Iterator<Item = (&'static str, T)>) -> String {
    fields.map(|(name, value)| format!("{name:13}{}", value.as_ref())).collect::<Vec<_>>().join("\n")
}

/// Returns a long name in several lines.
fn broken(name: &str) -> String {
    textwrap::wrap(name, LONGEST_NAME).join("\n")
}

/// Returns the values in the order in which they come up, each with the numbers of its targets.
pub fn grouped<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<(T, Vec<usize>)> {
    let mut groups: Vec<(T, Vec<usize>)> = Vec::new();
    for (number, value) in values.into_iter().enumerate() {
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, members)) => members.push(number),
            None => groups.push((value, vec![number])),
        }
    }
    groups
}

/// Returns a text in which the target's own account has no number, so that targets can be compared. [`shown`] returns it
/// for people.
#[must_use]
pub fn of_any_account(text: &str, account: &str) -> String {
    text.replace(account, &OWN_ACCOUNT.to_string())
}

/// Returns such a text for people: each target's own account is `ACCOUNT`.
#[must_use]
pub fn shown(text: &str) -> String {
    text.replace(OWN_ACCOUNT, "ACCOUNT")
}

/// Returns what is true of all targets, or else of which: one paragraph for each text. The most frequent one is that of
/// the others.
#[must_use]
pub fn said(names: &[&str], texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut groups = grouped(texts);
    groups.retain(|(text, _)| !text.is_empty());
    let covered: usize = groups.iter().map(|(_, members)| members.len()).sum();
    if let ([(text, _)], true) = (groups.as_slice(), covered == names.len()) {
        return vec![shown(text)];
    }
    let most = groups.iter().map(|(_, members)| members.len()).max().unwrap_or_default();
    // Not the first of several texts that are equally frequent.
    let others = groups.iter().rposition(|(_, members)| members.len() == most && most > 1 && covered == names.len());
    let mut paragraphs = Vec::new();
    if let Some(others) = others {
        let (text, _) = groups.remove(others);
        paragraphs.push(format!("the others: {}", shown(&text)));
    }
    let named = groups.iter().map(|(text, members)| format!("{}: {}", names_of(members, names), shown(text)));
    named.chain(paragraphs).collect()
}

/// Returns the names of these targets.
#[must_use]
pub fn names_of(members: &[usize], names: &[&str]) -> String {
    members.iter().filter_map(|member| names.get(*member).copied()).collect::<Vec<_>>().join(", ")
}

/// Returns texts with the names of their targets, for what must be said of some targets in any case.
pub fn remarks(all: impl IntoIterator<Item = (String, String)>, width: u16) -> Option<String> {
    let mut remarks: Vec<(String, Vec<String>)> = Vec::new();
    for (name, text) in all {
        match remarks.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => remarks.push((text, vec![name])),
        }
    }
    let text = |(text, names): &(String, Vec<String>)| {
        filled(&format!("{}: {}", names.join(", "), shown(text)), "", "  ", width)
    };
    let lines: Vec<_> = remarks.iter().map(text).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Returns a paragraph in lines that fit. Options, ARNs and names of commands are not broken.
#[must_use]
pub fn filled(text: &str, first: &str, others: &str, width: u16) -> String {
    let options = textwrap::Options::new(width.into()).initial_indent(first).subsequent_indent(others);
    let options = options.word_separator(textwrap::WordSeparator::AsciiSpace).break_words(false);
    textwrap::fill(text, options.word_splitter(textwrap::WordSplitter::NoHyphenation))
}

/// Writes `12 of 12 work`, or `11 of 12 work`: the last line of a report on several targets.
#[must_use]
pub fn result(done: usize, all: usize, what: &str) -> String {
    format!("{done} of {all} {what}")
}

#[cfg(test)]
mod tests;
