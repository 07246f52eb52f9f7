//! The AWS config files: read as the AWS CLI reads them, and passed to the SDK in parts.

pub(in crate::aws) mod for_sdk;
mod ini;
mod sections;
mod unshadowed;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use sections::{Section, Sections, Setting};
pub use unshadowed::{Shadow, shadows};

use crate::environment::Variables;
use crate::error::{Error, Kind, Result};
use crate::files;

/// One of the two files.
#[derive(Clone, Copy)]
struct ConfigFile {
    variable: &'static str,
    usual: &'static str,
}

const CONFIG: ConfigFile = ConfigFile { variable: "AWS_CONFIG_FILE", usual: "~/.aws/config" };
const CREDENTIALS: ConfigFile = ConfigFile { variable: "AWS_SHARED_CREDENTIALS_FILE", usual: "~/.aws/credentials" };

/// Reads both files from the SDK's locations (AWS SDKs and Tools Reference Guide, "Finding and changing the location of
/// the shared files"). A missing file counts as empty.
///
/// # Errors
/// When one cannot be read, or is a pipe or a device, for which the SDK would wait.
pub(in crate::aws) fn read(variable: Variables<'_>) -> Result<Sections> {
    let (config, _, config_text) = text(CONFIG, variable)?;
    let (credentials, _, credentials_text) = text(CREDENTIALS, variable)?;
    Ok(Sections::parse((&config, &config_text), (&credentials, &credentials_text)))
}

/// Returns the path of a file as it is written and as it is meant, and the text.
fn text(file: ConfigFile, variable: Variables<'_>) -> Result<(String, PathBuf, String)> {
    let path = variable(file.variable).unwrap_or_else(|| file.usual.to_owned());
    let place = expanded(&path, std::env::home_dir().as_deref());
    // The usual way to specify no file.
    if place == Path::new("/dev/null") {
        return Ok((path, place, String::new()));
    }
    match files::read_bytes(&place, files::LONGEST_COLLECTION) {
        Ok(bytes) => Ok((path, place, String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok((path, place, String::new()))
        }
        Err(error) => {
            let words = format!("cannot read the AWS config files: `{}`: {error}", place.display());
            Err(Error::new(Kind::File, words).caused_by(error))
        }
    }
}

impl Sections {
    /// Checks the sections of these profiles, and those that they name.
    ///
    /// # Errors
    /// When the AWS CLI would stop at one of their lines. Lines of other profiles do not count.
    pub(in crate::aws) fn check(&self, profiles: &[&str]) -> Result<()> {
        let own = profiles.iter().filter_map(|name| self.profiles.get(*name));
        let named = |section| {
            let session = for_sdk::referred(section, "sso_session", &self.sso_sessions);
            session.into_iter().chain(for_sdk::referred(section, "services", &self.services))
        };
        let sections =
            own.flat_map(|section| std::iter::once(section).chain(named(section).map(|(_, section)| section)));
        match sections.flat_map(|section| &section.problems).next() {
            None => Ok(()),
            Some(problem) => Err(Error::new(Kind::File, format!("cannot read the AWS config files: {problem}"))
                .hint("correct or remove that line; the AWS CLI stops at it, too")),
        }
    }
}

fn expanded(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests;
