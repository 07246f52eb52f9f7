//! Edits the AWS config file for `xacct print profile --install` and `--remove`.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::PathBuf;

use similar::{ChangeTag, TextDiff};

use crate::error::{Error, ExitCode, Kind, Result};
use crate::files::{self, LONGEST_COLLECTION, Readers};
use crate::operations::run::Run;
use crate::print::profile::install::Changed;
use crate::report::console::{BAD, GOOD};
use crate::text::on_one_line;

/// Replaces the AWS config file by the result of `edit`, shows the difference, and returns whether there was one.
///
/// # Errors
/// When the file cannot be read or written, or `edit` refuses it.
pub fn edit_config_file(run: &Run<'_>, edit: impl Fn(&[u8]) -> Result<Changed>) -> Result<ExitCode> {
    let shown = run.context.variable("AWS_CONFIG_FILE").unwrap_or("~/.aws/config").to_owned();
    let path = real_path(&shown, run)?;
    let cannot =
        |verb: &str, error: std::io::Error| Error::new(Kind::File, format!("cannot {verb} `{shown}`: {error}"));
    let old = match files::read_bytes(&path, LONGEST_COLLECTION) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(cannot("read", error)),
    };
    let changed = edit(old.as_deref().unwrap_or_default())?;
    if changed.places.is_empty() {
        run.console.say(&format!("{shown} needs no change"));
        return Ok(ExitCode::Done);
    }
    let written = match &old {
        // Keeps the mode of the file.
        Some(old) => files::replace_unchanged(&path, old, &changed.text, Readers::All),
        // Creates `~/.aws` as the AWS CLI does, but only for its owner.
        None => files::create_private_folder(files::folder_of(&path))
            .and_then(|()| files::create(&path, &changed.text, Readers::Owner)),
    };
    written.map_err(|error| cannot("write", error))?;
    run.console.result(&difference(&changed));
    run.console.say(&format!("Wrote {shown}"));
    Ok(ExitCode::Done)
}

/// Returns the path of the file itself, so that a symbolic link to a file kept elsewhere stays one.
fn real_path(shown: &str, run: &Run<'_>) -> Result<PathBuf> {
    let path = match (shown.strip_prefix("~/"), std::env::home_dir()) {
        (Some(below), Some(home)) => home.join(below),
        _ => run.context.directory.join(shown),
    };
    if !path.is_symlink() {
        return Ok(path);
    }
    std::fs::canonicalize(&path).map_err(|error| {
        Error::new(Kind::File, format!("`{shown}` is a symbolic link to a file that cannot be used: {error}"))
            .hint("create that file, or remove the link")
    })
}

/// Returns the changed profiles, line by line. Shows nothing else of the file, which may have secrets.
fn difference(changed: &Changed) -> String {
    let mut text = String::new();
    for (old, new) in &changed.places {
        for change in TextDiff::from_lines(old, new).iter_all_changes() {
            let line = on_one_line(change.value().trim_end());
            let sign = match change.tag() {
                ChangeTag::Delete => format!("{BAD}-{BAD:#}"),
                ChangeTag::Insert => format!("{GOOD}+{GOOD:#}"),
                ChangeTag::Equal => " ".to_owned(),
            };
            let _ = writeln!(text, "{}", format!("{sign} {line}").trim_end());
        }
    }
    text
}
