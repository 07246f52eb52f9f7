//! Puts profiles into the text of an AWS config file and takes them out again; every other byte stays.
//!
//! Each profile is between two comments, which name its target and `xacct.toml`: by them xacct knows its own.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::Profile;
use crate::error::{Error, Kind, Result};
use crate::text::marks::{BEGIN, END};

/// The first line of `xacct print profile`, which `>>` put above the profiles.
const PRINTED: &str = "# Printed by xacct print profile";

/// The settings that `xacct print profile` prints.
const KEYS: [&str; 9] = [
    "role_arn",
    "source_profile",
    "credential_source",
    "external_id",
    "mfa_serial",
    "role_session_name",
    "duration_seconds",
    "credential_process",
    "region",
];

/// A text with its own profiles changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    /// The text of the file.
    pub text: Vec<u8>,
    /// The changed places, each before and after.
    pub places: Vec<(String, String)>,
}

/// Returns the config file with these profiles. Replaces those of the same name that xacct wrote, also with
/// `print profile >> FILE`, and appends the others. `config` is the path of `xacct.toml`.
///
/// # Errors
/// When another program, or another `xacct.toml`, has a profile of that name, or a profile has no end.
pub fn with(file: &[u8], profiles: &[Profile], config: &str) -> Result<Changed> {
    let lines = Lines::of(file)?;
    let mut edits: Vec<Edit> = Vec::new();
    let mut appended = String::new();
    for profile in profiles {
        let target = &profile.access.target;
        let section = super::block(profile)?;
        let block = format!("{BEGIN}{}\n{section}{END}\n", said(target, config));
        let heading = section.lines().next().unwrap_or_default();
        let mut places = Vec::new();
        let name = name_in(heading).unwrap_or_default();
        for own in lines.blocks_of(&name) {
            if !own.is_of(config) {
                return Err(taken(profile, own.lines.start, "belongs to another xacct.toml"));
            }
            places.push(own.lines.clone());
        }
        for place in lines.sections(&name) {
            match lines.printed(&place, profile) {
                Some(whole) => places.push(whole),
                None => return Err(taken(profile, place.start, "xacct did not write")),
            }
        }
        if places.is_empty() {
            appended.push('\n');
            appended.push_str(&block);
        }
        let (first, others) = places.split_first().map_or((None, &[][..]), |(first, others)| (Some(first), others));
        edits.extend(first.map(|place| Edit { place: place.clone(), text: block }));
        edits.extend(others.iter().map(|place| Edit { place: lines.with_blank(place.clone()), text: String::new() }));
    }
    if !appended.is_empty() {
        let end = lines.all.len();
        // A blank line separates the profiles; a file without one at its end gets that, too.
        let blank = end == 0 || lines.is_blank(end - 1);
        let separated = if blank { appended.split_off(1) } else { appended };
        edits.push(Edit { place: end..end, text: separated });
    }
    Ok(lines.edited(edits))
}

/// Returns the config file without the profiles that [`with`] wrote for these targets; `None` means all of this `xacct.toml`.
///
/// # Errors
/// When a profile has no end.
pub fn without(file: &[u8], targets: Option<&[String]>, config: &str) -> Result<Changed> {
    let lines = Lines::of(file)?;
    let wanted = targets.map(|targets| targets.iter().map(|target| said(target, config)).collect::<HashSet<_>>());
    let is_wanted = |own: &Block| wanted.as_ref().is_none_or(|wanted| wanted.contains(&own.said));
    let own = lines.blocks.iter().filter(|own| own.is_of(config) && is_wanted(own));
    let edits = own.map(|own| Edit { place: lines.with_blank(own.lines.clone()), text: String::new() }).collect();
    Ok(lines.edited(edits))
}

/// Returns what the first comment of a profile says.
fn said(target: &str, config: &str) -> String {
    format!("target {target:?} of {config:?}")
}

fn taken(profile: &Profile, line: usize, why: &str) -> Error {
    Error::new(
        Kind::File,
        format!("line {} of the AWS config file has a profile `{}` that {why}", line + 1, profile.name),
    )
    .hint("use another name: --profile-name NAME")
    .hint("or remove that profile, and run the command again")
}

/// What replaces some lines.
struct Edit {
    place: Range<usize>,
    text: String,
}

/// A profile between the two comments.
struct Block {
    lines: Range<usize>,
    /// What the first comment says.
    said: String,
}

impl Block {
    fn is_of(&self, config: &str) -> bool {
        self.said.ends_with(&format!(" of {config:?}"))
    }
}

/// A file, line by line, each with its end.
struct Lines<'a> {
    all: Vec<&'a [u8]>,
    blocks: Vec<Block>,
    /// The blocks of each name, by their numbers.
    blocks_by_name: HashMap<String, Vec<usize>>,
    /// The lines of the headings outside of all blocks, by the names in them.
    headings: HashMap<String, Vec<usize>>,
}

impl<'a> Lines<'a> {
    fn of(file: &'a [u8]) -> Result<Self> {
        let all = file.split_inclusive(|byte| *byte == b'\n').collect();
        let mut lines = Self { all, blocks: Vec::new(), blocks_by_name: HashMap::new(), headings: HashMap::new() };
        let mut open: Option<(usize, String)> = None;
        for number in 0..lines.all.len() {
            let text = lines.text(number);
            if let (Some((start, _)), true) = (&open, text.starts_with(BEGIN)) {
                return Err(no_end(*start));
            } else if let Some(said) = text.strip_prefix(BEGIN) {
                open = Some((number, said.to_owned()));
            } else if text == END
                && let Some((start, said)) = open.take()
            {
                if let Some(name) = (start..number).find_map(|line| name_in(&lines.text(line))) {
                    lines.blocks_by_name.entry(name).or_default().push(lines.blocks.len());
                }
                lines.blocks.push(Block { lines: start..number + 1, said });
            } else if open.is_none()
                && let Some(name) = name_in(&text)
            {
                lines.headings.entry(name).or_default().push(number);
            }
        }
        open.map_or(Ok(lines), |(start, _)| Err(no_end(start)))
    }

    /// Returns whether a line is in a block.
    fn is_own(&self, number: usize) -> bool {
        let next = self.blocks.partition_point(|block| block.lines.end <= number);
        self.blocks.get(next).is_some_and(|block| block.lines.contains(&number))
    }

    fn blocks_of(&self, name: &str) -> impl Iterator<Item = &Block> {
        self.blocks_by_name.get(name).into_iter().flatten().filter_map(|number| self.blocks.get(*number))
    }

    /// Returns a line without its end and blanks around it.
    fn text(&self, number: usize) -> String {
        let bytes = self.all.get(number).copied().unwrap_or_default();
        String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').trim().to_owned()
    }

    /// Returns the sections with this name that are outside of all blocks.
    fn sections(&self, name: &str) -> Vec<Range<usize>> {
        let starts = self.headings.get(name).into_iter().flatten().copied();
        starts
            .map(|start| {
                let is_next = |number: &usize| self.text(*number).starts_with('[') || self.is_own(*number);
                let next = (start + 1..self.all.len()).find(is_next).unwrap_or(self.all.len());
                let is_setting =
                    |number: &usize| !self.text(*number).is_empty() && !self.text(*number).starts_with(['#', ';']);
                let last = (start..next).rfind(is_setting).unwrap_or(start);
                // The last comment of a printed profile.
                let last = if self.text(last + 1).starts_with("# ^ guessed") { last + 1 } else { last };
                start..last + 1
            })
            .collect()
    }

    /// Returns the lines of a section if `xacct print profile` printed it for this role.
    fn printed(&self, place: &Range<usize>, profile: &Profile) -> Option<Range<usize>> {
        let settings = (place.start + 1..place.end).map(|number| self.text(number));
        let settings: Vec<_> = settings.filter(|text| !text.is_empty() && !text.starts_with(['#', ';'])).collect();
        let pairs = settings.iter().map(|text| text.split_once('=').map(|(key, value)| (key.trim(), value.trim())));
        let pairs: Vec<_> = pairs.collect::<Option<_>>()?;
        let role = profile.access.role.to_string();
        let called = format!(" credentials {} ", profile.access.target);
        let is_role = |(key, value): &(&str, &str)| match *key {
            "role_arn" => *value == role,
            "credential_process" => value.contains("xacct") && value.contains(&called),
            _ => false,
        };
        if !pairs.iter().any(is_role) || !pairs.iter().all(|(key, _)| KEYS.contains(key)) {
            return None;
        }
        let has_first_line = place.start > 0 && self.text(place.start - 1) == PRINTED;
        Some(place.start - usize::from(has_first_line)..place.end)
    }

    /// Whether a line is empty, or the end of the file.
    fn is_blank(&self, number: usize) -> bool {
        self.all.get(number).is_none_or(|line| matches!(*line, b"\n" | b"\r\n"))
    }

    /// Returns some lines with the blank line above them, if one or the end of the file is below, too.
    fn with_blank(&self, place: Range<usize>) -> Range<usize> {
        let has_blank = place.start > 0 && self.is_blank(place.start - 1) && self.is_blank(place.end);
        place.start - usize::from(has_blank)..place.end
    }

    fn edited(&self, mut edits: Vec<Edit>) -> Changed {
        edits.sort_by_key(|edit| edit.place.start);
        let first = self.all.first().copied().unwrap_or_default();
        // Of an only line without an end, too: what is added would give it one.
        let has_crlf = first.ends_with(b"\r\n") || first.ends_with(b"\r");
        let (mut text, mut places, mut done) = (Vec::new(), Vec::new(), 0);
        let copy = |text: &mut Vec<u8>, lines: Range<usize>| {
            self.all.get(lines).into_iter().flatten().for_each(|line| text.extend_from_slice(line));
        };
        for Edit { place, text: new } in edits {
            copy(&mut text, done..place.start);
            done = place.end;
            if !new.is_empty() && text.last().is_some_and(|byte| *byte != b'\n') {
                text.extend_from_slice(if has_crlf { b"\r\n" } else { b"\n" });
            }
            let old: Vec<u8> = self.all.get(place).unwrap_or_default().concat();
            let bytes = if has_crlf { new.replace('\n', "\r\n") } else { new.clone() };
            if bytes.as_bytes() != old {
                places.push((String::from_utf8_lossy(&old).replace("\r\n", "\n"), new));
            }
            text.extend_from_slice(bytes.as_bytes());
        }
        copy(&mut text, done..self.all.len());
        Changed { text, places }
    }
}

fn no_end(line: usize) -> Error {
    Error::new(
        Kind::File,
        format!("line {} of the AWS config file begins a profile of xacct that has no end", line + 1),
    )
    .hint(format!("add a line `{END}` below that profile, or remove the line"))
}

/// Returns the name of the profile in a heading: `profile dev` and `profile "dev"` are one; `default` has no other form.
fn name_in(heading: &str) -> Option<String> {
    let (inner, _) = heading.strip_prefix('[')?.rsplit_once(']')?;
    let is_default = inner == "default";
    let name = inner.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']));
    match (is_default, name) {
        (true, _) => Some("[default]".to_owned()),
        (false, name) => Some(name?.trim().trim_matches(['"', '\'']).to_owned()),
    }
}

#[cfg(test)]
mod tests;
