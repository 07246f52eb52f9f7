//! Where the two AWS config files are, and their text.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::environment::Variables;
use crate::error::{Error, Kind, Result};
use crate::files;

/// One of the two files.
#[derive(Clone, Copy)]
pub(super) struct ConfigFile {
    pub variable: &'static str,
    usual: &'static str,
}

pub(super) const CONFIG: ConfigFile = ConfigFile { variable: "AWS_CONFIG_FILE", usual: "~/.aws/config" };
pub(super) const CREDENTIALS: ConfigFile =
    ConfigFile { variable: "AWS_SHARED_CREDENTIALS_FILE", usual: "~/.aws/credentials" };

/// Returns the path of a file as it is written and as it is meant, and the text. A missing file counts as empty.
///
/// # Errors
/// When it cannot be read, or is a pipe or a device, for which the SDK would wait.
pub(super) fn text(file: ConfigFile, variable: Variables<'_>) -> Result<(String, PathBuf, String)> {
    let path = variable(file.variable).unwrap_or_else(|| file.usual.to_owned());
    let (place, text) = text_at(&path)?;
    Ok((path, place, text))
}

/// Returns the path that is meant, and the text of the file there.
///
/// # Errors
/// As [`text`].
pub(super) fn text_at(path: &str) -> Result<(PathBuf, String)> {
    let place = expanded(path, std::env::home_dir().as_deref());
    // The usual way to specify no file.
    if place == Path::new("/dev/null") {
        return Ok((place, String::new()));
    }
    match files::read_bytes(&place, files::LONGEST_COLLECTION) {
        Ok(bytes) => Ok((place, String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok((place, String::new()))
        }
        Err(error) => {
            let words = format!("cannot read the AWS config files: `{}`: {error}", place.display());
            Err(Error::new(Kind::File, words).caused_by(error))
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
