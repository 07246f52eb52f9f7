//! INI files as Python's `configparser` reads them, because the AWS CLI rests on it (`RawConfigParser` with its defaults).

use std::collections::{BTreeMap, HashMap};

use crate::text::marks;

/// A file, section by section.
#[derive(Debug, Default)]
pub(super) struct Ini {
    pub sections: Vec<RawSection>,
    /// Problems outside of all sections.
    pub stray: Vec<Problem>,
}

/// The keys below one heading.
#[derive(Debug, Default)]
pub(super) struct RawSection {
    pub heading: String,
    pub values: BTreeMap<String, String>,
    /// What stops the AWS CLI, whichever profile it is asked for.
    pub problems: Vec<Problem>,
    /// Whether the heading is between the comments of `xacct print profile --install`.
    pub is_installed: bool,
}

/// A line that Python refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub line: usize,
    pub what: String,
}

/// The keys below this heading apply to every section.
const DEFAULTS: &str = "DEFAULT";

/// Reads a whole file. A line that Python refuses is a problem of its section, and reading goes on.
pub(super) fn parse(text: &str) -> Ini {
    let mut reader = Reader::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    for (index, line) in text.split('\n').enumerate() {
        reader.read(index + 1, line);
    }
    reader.finish()
}

#[derive(Debug, Default)]
struct Reader {
    ini: Ini,
    /// The index of each section.
    known: HashMap<String, usize>,
    place: Place,
    /// The key that a deeper line continues.
    key: Option<String>,
    indentation: usize,
    /// Whether the last comment of xacct begins a profile.
    is_installed: bool,
}

/// Where the next key belongs.
#[derive(Debug, Default, Clone, Copy)]
enum Place {
    #[default]
    BeforeAllHeadings,
    /// Below a heading that cannot be read: nobody's keys.
    Nowhere,
    Section(usize),
}

impl Reader {
    fn section(&mut self) -> Option<&mut RawSection> {
        match self.place {
            Place::Section(index) => self.ini.sections.get_mut(index),
            Place::BeforeAllHeadings | Place::Nowhere => None,
        }
    }

    /// Returns the value that a deeper line continues.
    fn value(&mut self) -> Option<&mut String> {
        let key = self.key.clone()?;
        self.section()?.values.get_mut(&key)
    }

    fn read(&mut self, number: usize, line: &str) {
        let text = trimmed(line);
        if text.starts_with(['#', ';']) {
            self.is_installed = text.starts_with(marks::BEGIN) || self.is_installed && text != marks::END;
            return;
        }
        let indentation = line.chars().take_while(|c| is_space(*c)).count();
        let deeper = indentation > self.indentation;
        if let Some(value) = self.value()
            && (text.is_empty() || deeper)
        {
            value.push('\n');
            value.push_str(text);
            return;
        }
        if text.is_empty() {
            return;
        }
        self.indentation = indentation;
        match heading(text) {
            Some(heading) => self.open(number, heading),
            None => self.set(number, text),
        }
    }

    fn open(&mut self, number: usize, heading: &str) {
        self.key = None;
        let next = self.ini.sections.len();
        self.place = Place::Section(*self.known.entry(heading.to_owned()).or_insert(next));
        match self.section() {
            Some(_) if heading == DEFAULTS => {}
            Some(section) => {
                section.problems.push(Problem { line: number, what: "duplicate section".to_owned() });
            }
            None => {
                let (heading, is_installed) = (heading.to_owned(), self.is_installed);
                self.ini.sections.push(RawSection { heading, is_installed, ..RawSection::default() });
            }
        }
    }

    fn set(&mut self, number: usize, text: &str) {
        self.key = None;
        let Some((key, value)) = text.split_once(['=', ':']) else {
            return self.refuse(number, text);
        };
        let (key, value) = (trimmed(key).to_lowercase(), trimmed(value).to_owned());
        let before_all = matches!(self.place, Place::BeforeAllHeadings);
        let Some(section) = self.section() else {
            if before_all {
                self.ini.stray.push(Problem { line: number, what: "a key before the first section".to_owned() });
            }
            return;
        };
        let refused = if key.is_empty() {
            Some("no key before `=`".to_owned())
        } else {
            section.values.contains_key(&key).then(|| format!("duplicate key `{key}`"))
        };
        match refused {
            Some(what) => section.problems.push(Problem { line: number, what }),
            None => {
                section.values.insert(key.clone(), value);
                self.key = Some(key);
            }
        }
    }

    /// A line that is neither a heading nor a key.
    fn refuse(&mut self, number: usize, text: &str) {
        if text.starts_with('[') {
            self.place = Place::Nowhere;
            self.ini.stray.push(Problem { line: number, what: "section header without `]`".to_owned() });
            return;
        }
        let problem = Problem { line: number, what: "neither a section header nor `key = value`".to_owned() };
        match self.section() {
            Some(section) => section.problems.push(problem),
            None => self.ini.stray.push(problem),
        }
    }

    fn finish(mut self) -> Ini {
        for section in &mut self.ini.sections {
            for value in section.values.values_mut() {
                value.truncate(value.trim_end_matches(is_space).len());
            }
        }
        if let Some(index) = self.ini.sections.iter().position(|section| section.heading == DEFAULTS) {
            let defaults = self.ini.sections.remove(index);
            for section in &mut self.ini.sections {
                section.problems.extend_from_slice(&defaults.problems);
                for (key, value) in &defaults.values {
                    section.values.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        self.ini
    }
}

/// Returns what stands between `[` and the last `]`; text after it is ignored.
fn heading(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let (heading, _) = inner.rsplit_once(']')?;
    (!heading.is_empty()).then_some(heading)
}

pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether Python's `str.isspace` counts this character.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests;
