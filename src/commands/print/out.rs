//! Where printed settings go: stdout, or a file that is replaced whole.

use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::consumer::Consumer;
use crate::cli::Printed;
use crate::error::{Error, ExitCode, Kind, Result};
use crate::files::{self, LONGEST_TEXT, Readers};
use crate::operations::run::Run;

/// The form of what is printed, which decides how it says by whom it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Lines that begin with `#` are comments: HCL, INI, YAML. The first says who printed it.
    Commented,
    /// JSON has no comments. The document may say it in `Metadata.PrintedBy`; one that has no place for it, such as a
    /// policy, is never taken for xacct's own.
    Json,
}

/// Prints, or writes to the file that was named.
///
/// # Errors
/// When the file is not one that this command wrote, or cannot be written.
pub fn emit<C: Consumer>(form: Form, text: &str, printed: &Printed, run: &Run<'_>) -> Result<ExitCode> {
    let text = match form {
        Form::Commented => format!("# {}\n{text}", printed_by::<C>()),
        Form::Json => text.to_owned(),
    };
    let Some(out) = &printed.out else {
        run.console.result(&text);
        return Ok(ExitCode::Done);
    };
    let text = format!("{}\n", text.trim_end());
    let path = run.context.directory.join(out);
    files::check_place(&path).map_err(|error| cannot("write", out, &error))?;
    // What appears between the look and the writing is somebody's, and stays.
    let replaces = printed.force || is_ours::<C>(&path, out, form, &text)?;
    let write = if replaces { files::replace } else { files::create };
    write(&path, &text, Readers::All).map_err(|error| cannot("write", out, &error))?;
    run.console.say(&format!("Wrote {}", out.display()));
    Ok(ExitCode::Done)
}

/// What stands in `Metadata.PrintedBy`, and in the first comment.
pub fn printed_by<C: Consumer>() -> String {
    by(&C::command())
}

fn by(command: &str) -> String {
    format!("Printed by xacct {command}")
}

/// Whether this command says that it printed the file, under the name that it has or under the one that it used to have.
fn is_by<C: Consumer>(said: &str) -> bool {
    [format!("print {}", C::NAME), format!("print-{}", C::NAME)].iter().any(|command| said == by(command))
}

/// Whether there is a file that this command wrote; `false` if there is none.
///
/// # Errors
/// When there is another one, or it cannot be read.
fn is_ours<C: Consumer>(path: &Path, shown: &Path, form: Form, text: &str) -> Result<bool> {
    let found = match files::read_bytes(path, LONGEST_TEXT) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        // What is so long is not printed by xacct.
        Err(error) if error.kind() == ErrorKind::FileTooLarge => Vec::new(),
        Err(error) => return Err(cannot("read", shown, &error)),
    };
    let is_ours = match form {
        Form::Commented => {
            let found = String::from_utf8_lossy(&found);
            let comment = found.lines().next().and_then(|first| first.strip_prefix("# "));
            comment.is_some_and(|said| is_by::<C>(said.trim_end()))
        }
        Form::Json => serde_json::from_slice::<Value>(&found)
            .is_ok_and(|found| found.pointer("/Metadata/PrintedBy").and_then(Value::as_str).is_some_and(is_by::<C>)),
    };
    if is_ours || found == text.as_bytes() {
        return Ok(true);
    }
    Err(Error::new(
        Kind::File,
        format!("`{}` was not written by xacct {}, and is left as it is", shown.display(), C::command()),
    )
    .hint("name another file, or replace this one: --force"))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::File, format!("cannot {verb} `{}`: {error}", path.display()))
}
