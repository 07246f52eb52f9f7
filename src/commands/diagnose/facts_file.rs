//! Reads and writes facts files.

use std::io::ErrorKind;
use std::path::Path;

use super::arguments::Diagnose;
use crate::diagnosis::Facts;
use crate::error::{Error, Kind, Result};
use crate::files::{self, LONGEST_COLLECTION, Readers};
use crate::operations::run::Run;
use crate::text::shell::ShellCommand;

/// Reads saved facts.
pub fn read(path: &Path, run: &Run<'_>) -> Result<Facts> {
    let shown = path.display().to_string();
    let text =
        files::read(&run.context.directory.join(path), LONGEST_COLLECTION).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => Error::usage(format!("facts file `{shown}` is not UTF-8: {error}")),
            _ => Error::new(Kind::File, format!("cannot read facts file `{shown}`: {error}")),
        })?;
    Facts::parse(&text, &shown)
}

/// Refuses to overwrite a file that is not a facts file.
pub fn check_overwrites(path: &Path, run: &Run<'_>) -> Result<()> {
    let place = run.context.directory.join(path);
    files::check_place(&place).map_err(|error| cannot_write(path, &error))?;
    found(path, &place).map(drop)
}

/// Returns the facts file that is there, if any. Any other file is an error.
fn found(path: &Path, place: &Path) -> Result<Option<Vec<u8>>> {
    match files::read_bytes(place, LONGEST_COLLECTION) {
        Ok(bytes) if Facts::has_form(&bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() != ErrorKind::FileTooLarge => Err(cannot_write(path, &error)),
        _ => {
            let problem = format!("`{}` exists and is not a facts file", path.display());
            Err(Error::new(Kind::File, problem).hint("choose another file"))
        }
    }
}

/// Saves the facts, if `--save-facts` was given.
///
/// # Errors
/// When there are none, or the file cannot be written.
pub fn save_if_asked(facts: Option<&Facts>, args: &Diagnose, run: &Run<'_>) -> Result<()> {
    let Some(path) = &args.save_facts else { return Ok(()) };
    let facts = facts.ok_or_else(|| {
        let nothing = format!("no facts to write to `{}`: AWS could not be reached", path.display());
        Error::new(Kind::File, nothing)
    })?;
    save(path, facts, args.redact, run)
}

/// Saves the facts, and shows the command that diagnoses from them.
fn save(path: &Path, facts: &Facts, redact: bool, run: &Run<'_>) -> Result<()> {
    let shown = path.display();
    let place = run.context.directory.join(path);
    let text = facts.to_text(redact)?;
    let written = match found(path, &place)? {
        Some(old) => files::replace_unchanged(&place, &old, &text, Readers::Owner),
        None => files::create(&place, &text, Readers::Owner),
    };
    written.map_err(|error| cannot_write(path, &error))?;
    let again = ShellCommand::new("xacct").arg("diagnose").option("--facts", &shown);
    run.console.say(&format!("Wrote {shown}; diagnose from it with {again}"));
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::File, format!("cannot write facts file `{}`: {error}", path.display()))
}
