//! Reports on several targets: what they share is said once, and the rest in a row for each target.

use comfy_table::{Cell, ColumnConstraint};

use super::console::{borderless, trimmed};
use crate::iam::invalid::shown_up_to;

/// The columns that name a target.
const TARGET: &str = "Target";
const ACCOUNT: &str = "Account";
/// Names of this width fit in every table. Longer ones may be broken, at hyphens if they have any.
const LONGEST_NAME: usize = 26;
/// Even in a table without room, names are broken only after so many characters.
const SHORTEST_NAME: usize = 12;
/// The spaces around each column.
const PADDING: usize = 2;
/// Minimum width of a column whose text wraps.
const NARROWEST: usize = 32;
/// Stands for a target's own account; no text of AWS has this character of the private use area.
const OWN_ACCOUNT: char = '\u{f8ff}';

/// A line or a column of a report: its name, and its values in the order of the targets.
pub struct Field {
    name: &'static str,
    values: Vec<String>,
    is_column: bool,
    wraps: bool,
    is_optional: bool,
}

impl Field {
    /// Returns a field that is said once if all targets share its value, and is a column otherwise.
    pub fn of<T>(name: &'static str, targets: &[T], value: impl Fn(&T) -> String) -> Self {
        let is_column = [TARGET, ACCOUNT].contains(&name);
        Self { name, values: targets.iter().map(value).collect(), is_column, wraps: false, is_optional: false }
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

    /// Lets a table that does not fit leave it out.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { is_optional: true, ..self }
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
        let least = match self.name {
            TARGET => LONGEST_NAME,
            _ if self.wraps => NARROWEST,
            _ => usize::MAX,
        };
        self.widest().min(least)
    }

    fn widest(&self) -> usize {
        let lines = self.values.iter().flat_map(|value| value.lines());
        lines.map(|line| line.chars().count()).chain([self.name.len()]).max().unwrap_or_default()
    }

    /// Returns the text of a cell.
    fn cell(&self, number: usize, longest_name: usize) -> String {
        let value = self.values.get(number).map(String::as_str).unwrap_or_default();
        match self.name {
            TARGET => textwrap::wrap(value, longest_name).join("\n"),
            _ if self.wraps => value.split(' ').map(shortened).collect::<Vec<_>>().join(" "),
            _ => value.to_owned(),
        }
    }
}

/// Returns a word that fits: the end of an ARN, the beginning of another one.
fn shortened(word: &str) -> String {
    match word.rsplit_once('/') {
        _ if word.chars().count() <= NARROWEST => word.to_owned(),
        Some((_, name)) if name.chars().count() + 2 <= NARROWEST => format!("…/{name}"),
        Some((_, name)) => {
            let skipped = name.chars().count().saturating_sub(NARROWEST - 1);
            format!("…{}", name.chars().skip(skipped).collect::<String>())
        }
        None => shown_up_to(NARROWEST, word),
    }
}

/// A report on several targets.
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
    pub fn shared(&self, width: u16) -> Option<String> {
        let shared = self.shared.iter().filter_map(|field| Some((field.name, field.shared()?)));
        (!self.shared.is_empty()).then(|| lines(shared, width))
    }

    /// Returns whether the table fits.
    #[must_use]
    pub fn fits(&self, width: u16) -> bool {
        needed(&self.columns.iter().collect::<Vec<_>>()) <= usize::from(width)
    }

    /// Returns whether the table fits without the account, and with names that are broken.
    #[must_use]
    pub fn fits_if_broken(&self, width: u16) -> bool {
        let others: Vec<_> = self.columns.iter().filter(|field| ![TARGET, ACCOUNT].contains(&field.name)).collect();
        SHORTEST_NAME + PADDING + needed(&others) <= usize::from(width)
    }

    /// Leaves out optional columns, the last one first, until the table fits; returns their names, too.
    #[must_use]
    pub fn narrowed(mut self, width: u16) -> (Self, Vec<&'static str>) {
        let mut left_out = Vec::new();
        while !self.fits(width)
            && !self.fits_if_broken(width)
            && let Some(at) = self.columns.iter().rposition(|field| field.is_optional)
        {
            left_out.insert(0, self.columns.remove(at).name);
        }
        (self, left_out)
    }

    /// Returns a row for each target. Leaves out the account if there is no room for it.
    #[must_use]
    pub fn table(&self, width: u16) -> String {
        let has_room = self.fits(width);
        let columns: Vec<_> = self.columns.iter().filter(|field| has_room || field.name != ACCOUNT).collect();
        let others: Vec<_> = columns.iter().copied().filter(|field| field.name != TARGET).collect();
        let left = usize::from(width).saturating_sub(needed(&others) + PADDING);
        // Names are broken only where it must be.
        let names = columns.iter().find(|field| field.name == TARGET).map_or(0, |field| field.widest());
        let longest_name =
            left.max(SHORTEST_NAME).min(if others.iter().any(|it| it.wraps) { LONGEST_NAME } else { names });
        let mut table = borderless(width);
        table.set_header(columns.iter().map(|field| field.name.to_uppercase()));
        for number in 0..self.targets() {
            table.add_row(columns.iter().map(|field| Cell::new(field.cell(number, longest_name))));
        }
        if left >= SHORTEST_NAME {
            for (column, _) in table.column_iter_mut().zip(&columns).filter(|(_, field)| !field.wraps) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        trimmed(&table)
    }

    /// Returns the lines of each target, for what does not fit into a table.
    #[must_use]
    pub fn blocks(&self, width: u16) -> Vec<String> {
        let value = |field: &Field, number: usize| field.values.get(number).cloned().unwrap_or_default();
        let block = |number| lines(self.columns.iter().map(|field| (field.name, value(field, number))), width);
        (0..self.targets()).map(block).collect()
    }

    fn targets(&self) -> usize {
        self.columns.first().map(|field| field.values.len()).unwrap_or_default()
    }
}

/// Returns names and values, one on each line, or on several if it is too long.
pub fn lines<T: AsRef<str>>(fields: impl Iterator<Item = (&'static str, T)>, width: u16) -> String {
    let line = |(name, value): (&str, T)| filled(value.as_ref(), &format!("{name:12} "), &format!("{:13}", ""), width);
    fields.map(line).collect::<Vec<_>>().join("\n")
}

/// Returns the width that these columns need.
fn needed(columns: &[&Field]) -> usize {
    columns.iter().map(|field| field.width() + PADDING).sum()
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

/// A text about one target: in its own words, and in those that can be compared with other targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// With the target's name and account.
    pub text: String,
    /// Without them, as [`of_any_account`] returns it.
    pub of_any: String,
}

impl Own {
    /// Returns a text in which only the account is the target's own.
    #[must_use]
    pub fn of(text: String, account: &str) -> Self {
        let of_any = of_any_account(&text, account);
        Self { text, of_any }
    }
}

impl From<String> for Own {
    /// Returns a text in which nothing is the target's own.
    fn from(text: String) -> Self {
        Self { of_any: text.clone(), text }
    }
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
pub fn said(names: &[&str], texts: impl IntoIterator<Item = Own>) -> Vec<String> {
    let texts: Vec<_> = texts.into_iter().collect();
    let mut groups = grouped(texts.iter().map(|own| own.of_any.as_str()));
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
        paragraphs.push(format!("the others: {}", shown(text)));
    }
    let own = |members: &[usize], text: &str| match members {
        [only] => texts.get(*only).map_or_else(String::new, |own| own.text.clone()),
        _ => shown(text),
    };
    let named = groups.iter().map(|(text, members)| format!("{}: {}", names_of(members, names), own(members, text)));
    named.chain(paragraphs).collect()
}

/// Returns the names of these targets.
#[must_use]
pub fn names_of(members: &[usize], names: &[&str]) -> String {
    members.iter().filter_map(|member| names.get(*member).copied()).collect::<Vec<_>>().join(", ")
}

/// Returns remarks on targets, each with the target's name. A remark on all of them names `all` instead: how many there
/// are, and what to call them.
pub fn remarks(
    remarks: impl IntoIterator<Item = (String, Own)>,
    (number, all): (usize, &str),
    width: u16,
) -> Option<String> {
    let mut texts: Vec<(Own, Vec<String>)> = Vec::new();
    for (name, own) in remarks {
        match texts.iter_mut().find(|(known, _)| known.of_any == own.of_any) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => texts.push((own, vec![name])),
        }
    }
    let line = |(own, names): &(Own, Vec<String>)| {
        let is_all = names.len() == number && number > 1;
        let text = if names.len() == 1 { own.text.clone() } else { shown(&own.of_any) };
        let names = if is_all { all.to_owned() } else { names.join(", ") };
        filled(&format!("{names}: {text}"), "", "  ", width)
    };
    (!texts.is_empty()).then(|| texts.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Returns one of each kind of problem, with the names of the other targets that have the same one. A problem without a
/// key is like no other.
pub fn distinct<'a, T>(
    targets: &'a [T],
    key: impl Fn(&T) -> Option<String>,
    name: impl Fn(&'a T) -> &'a str,
) -> Vec<(&'a T, Vec<&'a str>)> {
    let keys = targets.iter().enumerate().map(|(number, target)| key(target).ok_or(number));
    let one = |(_, members): (_, Vec<usize>)| {
        let mut members = members.into_iter().filter_map(|member| targets.get(member));
        Some((members.next()?, members.map(&name).collect()))
    };
    grouped(keys).into_iter().filter_map(one).collect()
}

/// Returns the title of a target's report with the target's name, unless the title has it: a target may be named by its
/// account.
#[must_use]
pub fn titled(name: &str, account: &str, title: &str) -> String {
    if name == account && title.contains(account) { title.to_owned() } else { format!("{name}: {title}") }
}

/// Says which other targets have the same problem; `None` if there are none.
#[must_use]
pub fn the_same_problem(names: &[&str], width: u16) -> Option<String> {
    let text = format!("The same problem: {}; to see it: xacct diagnose TARGET", names.join(", "));
    (!names.is_empty()).then(|| filled(&text, "", "  ", width))
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
