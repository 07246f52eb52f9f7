//! Reads and writes facts files.

use std::path::Path;

use crate::diagnosis::Facts;
use crate::error::{Error, Kind, Result};
use crate::files::{self, Readers};
use crate::operations::run::Run;
use crate::text::shell::ShellCommand;

/// Reads saved facts.
pub fn read(path: &Path, run: &Run<'_>) -> Result<Facts> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(run.context.directory.join(path))
        .map_err(|error| Error::new(Kind::File, format!("cannot read facts file `{shown}`: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| Error::usage(format!("facts file `{shown}` is not UTF-8: {}", error.utf8_error())))?;
    Facts::parse(&text, &shown)
}

/// Refuses to overwrite a file that is not a facts file.
pub fn check_overwrites(path: &Path, run: &Run<'_>) -> Result<()> {
    let place = run.context.directory.join(path);
    files::check_place(&place).map_err(|error| cannot_write(path, &error))?;
    match std::fs::read(place) {
        Ok(bytes) if !Facts::has_form(&bytes) => {
            let problem = format!("`{}` exists and is not a facts file", path.display());
            Err(Error::new(Kind::File, problem).hint("choose another file"))
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(cannot_write(path, &error)),
        _ => Ok(()),
    }
}

/// Saves the facts, and shows the command that diagnoses from them.
pub fn save(path: &Path, facts: &Facts, redact: bool, run: &Run<'_>) -> Result<()> {
    let shown = path.display();
    files::replace(&run.context.directory.join(path), &facts.to_text(redact)?, Readers::Owner)
        .map_err(|error| cannot_write(path, &error))?;
    let again = ShellCommand::new("xacct").arg("diagnose").option("--facts", &shown);
    run.console.say(&format!("Wrote {shown}; diagnose from it with {again}"));
    Ok(())
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::File, format!("cannot write facts file `{}`: {error}", path.display()))
}
