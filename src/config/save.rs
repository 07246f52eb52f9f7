//! Replaces `xacct.toml` atomically, and keeps changes that others made meanwhile.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::file::{ConfigFile, RecordedSource};
use crate::error::{Error, Kind, Result};
use crate::files::{self, Readers};

/// Replaces the text of the file with the result of `edit`, if they differ.
///
/// Keeps changes that others made to other parts since xacct read the file: the edit, which concerns only these targets
/// and the source, is applied to the current text.
pub(super) fn save(file: &ConfigFile, targets: &[&str], edit: impl Fn(&ConfigFile) -> Result<String>) -> Result<bool> {
    let text = edit(file)?;
    if file.text.as_ref() == Some(&text) {
        return Ok(false);
    }
    let path = destination(file).map_err(|error| cannot_write(file, &error))?;
    let _lock = lock_beside(&path);
    let now = standing(file, &path)?;
    let text = if now == file.text { Some(text) } else { edit_again(file, now.clone(), targets, edit) };
    let Some(text) = text else {
        return Err(Error::new(
            Kind::File,
            format!(
                "`{}` was changed by another program while xacct was running; xacct did not overwrite it",
                file.path.display()
            ),
        )
        .hint("run the command again: it finds nothing to change in AWS, and writes the file"));
    };
    if now.as_ref() == Some(&text) {
        return Ok(false);
    }
    let written = match now {
        Some(now) => files::replace_unchanged(&path, now.as_bytes(), &text, Readers::All),
        None => files::create(&path, &text, Readers::All),
    };
    written.map_err(|error| cannot_write(file, &error))?;
    Ok(true)
}

/// Applies the edit to the current text. Returns `None` if that cannot be read, or if the edit would undo another
/// program's change.
fn edit_again(
    file: &ConfigFile,
    now: Option<String>,
    targets: &[&str],
    edit: impl Fn(&ConfigFile) -> Result<String>,
) -> Option<String> {
    let read = |text: String| ConfigFile::parse(&file.path, text).ok()?.with_local(file.local.clone()).ok();
    let empty = || ConfigFile { path: file.path.clone(), local: file.local.clone(), ..ConfigFile::default() };
    let now = now.map_or_else(|| Some(empty()), read)?;
    let text = edit(&now).ok()?;
    let edited = read(text.clone())?;
    let source = |file: &ConfigFile| {
        let RecordedSource { account, principals, grant, .. } = file.source.clone();
        (account, principals, grant)
    };
    let is_free = source(&now) == source(file) || source(&now) == source(&edited);
    let are_free = targets.iter().all(|name| {
        let now = now.target(name);
        now == file.target(name) || now == edited.target(name)
    });
    (is_free && are_free).then_some(text)
}

/// Returns the current text; `None` only if there is no file.
///
/// # Errors
/// When there is a file that cannot be read, because its content would be lost unseen.
fn standing(file: &ConfigFile, path: &Path) -> Result<Option<String>> {
    match files::read(path, files::LONGEST_TEXT) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(
            Kind::File,
            format!("cannot read `{}` again ({error}); xacct did not change it", file.path.display()),
        )
        .hint("move it away or repair it, and run the command again")),
    }
}

/// Locks the directory, so that no other run of xacct writes the file between this run's read and write. Where a
/// directory cannot be locked (Windows, some network file systems), there is no protection in that short time. A run
/// holds the lock only briefly, so xacct does not wait for a process that holds it longer, such as
/// `flock . xacct bootstrap` or a suspended run.
pub(super) fn lock_beside(path: &Path) -> Option<File> {
    let folder = File::open(files::folder_of(path)).ok()?;
    for _ in 0..500 {
        match folder.try_lock() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(_)) => break,
        }
    }
    None
}

/// Checks that the file can be written, before xacct changes anything in AWS.
///
/// # Errors
/// When no file can be created beside it, or the existing file cannot be read.
pub fn check_writable(file: &ConfigFile) -> Result<()> {
    let path = destination(file).map_err(|error| cannot_write(file, &error))?;
    standing(file, &path)?;
    let made = files::temporary_beside(&path, Readers::All).map_err(|error| cannot_write(file, &error))?;
    made.close().map_err(|error| cannot_write(file, &error))
}

fn cannot_write(file: &ConfigFile, error: &std::io::Error) -> Error {
    Error::new(Kind::File, format!("cannot write `{}`: {error}", file.path.display()))
        .hint("create its directory, or use another file: --config FILE")
}

/// Returns the path to write to. xacct follows a symbolic link only if its target records links, because then the user
/// keeps the file elsewhere on purpose. Another user may have created any other symbolic link, to make xacct overwrite its
/// target.
fn destination(file: &ConfigFile) -> std::io::Result<PathBuf> {
    if !file.path.is_symlink() {
        return Ok(file.path.clone());
    }
    if file.source.principals.is_empty() && file.targets.is_empty() {
        return Err(std::io::Error::other(format!(
            "it is a symbolic link to `{}`, which is not an xacct.toml; use the path of the file itself",
            std::fs::read_link(&file.path)?.display()
        )));
    }
    std::fs::canonicalize(&file.path)
}
