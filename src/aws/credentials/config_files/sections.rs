//! The sections of both AWS config files as the AWS CLI makes them from INI files (botocore, `configloader.py` and
//! `Session.full_config`).

use std::collections::BTreeMap;

use super::ini::{self, Ini, RawSection, trimmed};

/// The profiles of both files, and what they refer to.
#[derive(Debug, Default)]
pub struct Sections {
    /// The profiles by name.
    pub profiles: BTreeMap<String, Section>,
    /// The `[sso-session NAME]` sections.
    pub sso_sessions: BTreeMap<String, Section>,
    /// The `[services NAME]` sections.
    pub services: BTreeMap<String, Section>,
    /// Lines that belong to no section, and why.
    pub stray: Vec<String>,
}

/// One section.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The values by key.
    pub settings: BTreeMap<String, Setting>,
    /// The lines at which the AWS CLI stops, and why.
    pub problems: Vec<String>,
    /// Whether `xacct print profile --install` wrote it.
    pub is_installed: bool,
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `key = value`
    Text(String),
    /// Indented settings below `key =`.
    Nested(BTreeMap<String, String>),
}

impl Section {
    /// Returns a value that is set and not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.settings.get(key)? {
            Setting::Text(value) if !value.is_empty() => Some(value),
            Setting::Text(_) | Setting::Nested(_) => None,
        }
    }
}

impl Sections {
    /// Reads the texts of both files, each with the path that messages show.
    #[must_use]
    pub fn parse(config: (&str, &str), credentials: (&str, &str)) -> Self {
        let mut all = Self::default();
        let Ini { sections, stray } = ini::parse(config.1);
        all.stray.extend(stray.iter().map(|problem| said(config.0, problem)));
        for raw in sections {
            let found = section(config.0, &raw);
            // The AWS CLI compares only the beginning.
            let kind = match raw.heading.as_str() {
                heading if heading.starts_with("profile") => &mut all.profiles,
                heading if heading.starts_with("sso-session") => &mut all.sso_sessions,
                heading if heading.starts_with("services") => &mut all.services,
                "default" => {
                    all.profiles.insert(raw.heading, found);
                    continue;
                }
                _ => continue,
            };
            // Of two headings that mean one name, such as `profile a` and `profile 'a'`, the last counts.
            if let Some([_, name]) = words(&raw.heading).as_deref() {
                kind.insert(name.clone(), found);
            }
        }
        let Ini { sections, stray } = ini::parse(credentials.1);
        all.stray.extend(stray.iter().map(|problem| said(credentials.0, problem)));
        for raw in sections {
            let found = section(credentials.0, &raw);
            // Here a heading is a name, word for word.
            let profile = all.profiles.entry(raw.heading).or_default();
            profile.settings.extend(found.settings);
            profile.problems.extend(found.problems);
        }
        all
    }
}

fn said(path: &str, problem: &ini::Problem) -> String {
    format!("`{path}`, line {}: {}", problem.line, problem.what)
}

fn section(path: &str, raw: &RawSection) -> Section {
    let mut problems: Vec<_> = raw.problems.iter().map(|problem| said(path, problem)).collect();
    let mut settings = BTreeMap::new();
    for (key, value) in &raw.values {
        let setting = match value.strip_prefix('\n') {
            None => Setting::Text(value.clone()),
            Some(lines) => match nested(lines) {
                Some(inner) => Setting::Nested(inner),
                None => {
                    let place = format!("`{path}`, `{key}` of section `{}`", raw.heading);
                    problems.push(format!("{place}: an indented line without `=`"));
                    continue;
                }
            },
        };
        settings.insert(key.clone(), setting);
    }
    Section { settings, problems, is_installed: raw.is_installed }
}

/// Reads the indented lines below a key.
fn nested(lines: &str) -> Option<BTreeMap<String, String>> {
    // What Python's `str.splitlines` takes for the end of a line.
    let ends = ['\n', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let lines = lines.split(ends).map(trimmed).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (key, value) = line.split_once('=')?;
            Some((trimmed(key).to_owned(), trimmed(value).to_owned()))
        })
        .collect()
}

/// Splits a heading into words as Python's `shlex.split` does; `None` for an open quotation mark or a backslash at the end.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            // Between double quotation marks a backslash stands for itself, unless it precedes one of these.
            (Some('"'), '\\') => match characters.next()? {
                escaped @ ('"' | '\\') => word.get_or_insert_default().push(escaped),
                other => word.get_or_insert_default().extend(['\\', other]),
            },
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().push(characters.next()?),
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests;
