//! The text of the AWS config files, passed to `aws-config` in parts.
//!
//! `aws-config` parses the files again for every access and keeps the result. With a profile for each of many accounts the
//! cost would be quadratic, so each access gets only the sections of its own profiles.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use crate::aws::client::http::Variables;
use crate::error::{Error, Kind, Result};
use crate::files;

/// The text of both files; empty if a file does not exist.
#[derive(Debug, Default)]
pub(in crate::aws) struct Files {
    config: String,
    credentials: String,
}

impl Files {
    /// Reads the files from the SDK's locations (AWS SDKs and Tools Reference Guide, "Finding and changing the location of
    /// the shared files"). A missing file counts as empty.
    ///
    /// # Errors
    /// When one cannot be read, or is a pipe or a device, for which the SDK would wait.
    pub(in crate::aws) fn read(variable: Variables<'_>) -> Result<Self> {
        let home = std::env::home_dir();
        let text = |name: &str, usual: &str| {
            let path = variable(name).unwrap_or_else(|| usual.to_owned());
            let place = expanded(&path, home.as_deref());
            // How one says that there is to be no file.
            if place == Path::new("/dev/null") {
                return Ok(String::new());
            }
            match files::read_bytes(&place, files::LONGEST_COLLECTION) {
                Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    Ok(String::new())
                }
                Err(error) => {
                    let words = format!("cannot read the AWS config files: `{}`: {error}", place.display());
                    Err(Error::new(Kind::File, words).caused_by(error))
                }
            }
        };
        Ok(Self {
            config: text("AWS_CONFIG_FILE", "~/.aws/config")?,
            credentials: text("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")?,
        })
    }

    /// Returns the sections of these profiles, for the SDK to parse.
    pub(in crate::aws) fn about(&self, profiles: &[&str]) -> EnvConfigFiles {
        EnvConfigFiles::builder()
            .with_contents(EnvConfigFileKind::Config, part(&self.config, profiles))
            .with_contents(EnvConfigFileKind::Credentials, part(&self.credentials, profiles))
            .build()
    }
}

fn expanded(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(path),
    }
}

/// Returns the sections of these profiles, and those of no profile, such as `[sso-session …]`.
fn part(text: &str, profiles: &[&str]) -> String {
    let mut is_included = true;
    let lines = text.split_inclusive('\n').filter(|line| {
        if let Some((heading, _)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            let words: Vec<_> = heading.split_whitespace().collect();
            is_included = match words.as_slice() {
                [name] | ["profile", name] => profiles.contains(name),
                _ => true,
            };
        }
        is_included
    });
    lines.collect()
}

#[cfg(test)]
mod tests;
