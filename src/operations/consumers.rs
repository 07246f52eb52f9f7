//! Finds what uses an external ID or a role, as far as this machine knows.

use std::ffi::OsStr;
use std::path::Path;

use crate::aws::credentials::profiles::Profiles;
use crate::error::Result;
use crate::files;
use crate::iam::arn::RoleArn;
use crate::iam::names::ExternalId;
use crate::operations::run::Run;

/// The bounds of the search.
const MOST_ENTRIES: usize = 20_000;
const MOST_FOUND: usize = 50;
const MOST_BYTES: u64 = 256 * 1024;

/// Folders with copies of other files.
const COPIES: [&str; 2] = ["node_modules", "target"];

/// What to find.
#[derive(Debug, Clone, Copy)]
pub enum Sought<'a> {
    ExternalId(&'a ExternalId),
    Role(&'a RoleArn),
}

/// Returns the places with this external ID or role: profiles in the AWS config files, and files below the directory of
/// `xacct.toml`.
///
/// # Errors
/// When the AWS config files cannot be read.
pub fn places(sought: Sought<'_>, run: &Run<'_>) -> Result<Vec<String>> {
    let (profiles, text) = match sought {
        Sought::ExternalId(id) => (Profiles::with("external_id", id.as_str())?, id.to_string()),
        Sought::Role(role) => (Profiles::with("role_arn", &role.to_string())?, role.to_string()),
    };
    let profiles = profiles.into_iter().map(|name| format!("profile {name} in the AWS config file"));
    let folder = run.file.folder(run.context);
    let mut search = Search { text: &text, top: &folder, entries: 0, found: profiles.collect() };
    search.look_in(&folder);
    let own = run.context.directory.join(&run.file.path);
    let own = own.strip_prefix(&folder).unwrap_or(&own).display().to_string();
    search.found.retain(|place| place.rsplit_once(':').is_none_or(|(path, _)| path != own));
    Ok(search.found)
}

struct Search<'a> {
    text: &'a str,
    top: &'a Path,
    entries: usize,
    found: Vec<String>,
}

impl Search<'_> {
    /// What cannot be read has nothing: the list helps, but does not prove that nothing else uses it.
    fn look_in(&mut self, folder: &Path) {
        let mut entries: Vec<_> = folder.read_dir().into_iter().flatten().flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            self.entries += 1;
            if self.entries > MOST_ENTRIES || self.found.len() >= MOST_FOUND {
                return;
            }
            // Links are not followed: they may lead out of the directory, or in a circle.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && is_original(&entry.file_name()) => self.look_in(&entry.path()),
                Ok(kind) if kind.is_file() => self.look_at(&entry.path()),
                _ => {}
            }
        }
    }

    fn look_at(&mut self, file: &Path) {
        let Ok(content) = files::read(file, MOST_BYTES) else { return };
        let path = file.strip_prefix(self.top).unwrap_or(file).display();
        let lines = content.lines().zip(1..).filter(|(line, _)| has_word(line, self.text));
        self.found.extend(lines.map(|(_, number)| format!("{path}:{number}")));
    }
}

/// Returns whether a folder may have files that somebody wrote: `.terraform` and `.git` have copies.
fn is_original(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| !name.starts_with('.') && !COPIES.contains(&name))
}

/// Returns whether the line contains the text, and not as a part of a longer one.
fn has_word(line: &str, sought: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_+=@-".contains(c);
    line.match_indices(sought).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + sought.len()..).and_then(|text| text.chars().next());
        // `external_id=ID` has no blank.
        before.is_none_or(|c| c == '=' || !is_part(c)) && after.is_none_or(|c| !is_part(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_word_of_its_own() {
        for line in ["external_id = \"ab\"", "--external-id ab", "external_id=ab", "ab"] {
            assert!(has_word(line, "ab"), "{line}");
        }
        for line in ["grab", "abc", "a b", "ab-1", "x_ab"] {
            assert!(!has_word(line, "ab"), "{line}");
        }
    }
}
