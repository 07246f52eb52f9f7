//! Files that only their owner can access. The checks use the open file, so that it cannot be replaced in between.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::files::create_private_folder;
use crate::text::shell::ShellCommand;

/// The maximum bytes to read; a session token has a few hundred.
const LONGEST_FILE: u64 = 64 * 1024;

/// The prefix of temporary files.
pub(super) const HALF_WRITTEN: &str = ".new-";

/// Reads a file; `None` if it does not exist.
pub(super) fn read(folder: &Path, name: &str) -> Result<Option<String>, String> {
    let path = folder.join(name);
    let shown = path.display();
    // Without O_NONBLOCK, opening a pipe would block until another process writes to it.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(file) => std::fs::File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(format!("`{shown}` is a symbolic link")),
        Err(error) => return Err(format!("`{shown}` cannot be read: {error}")),
    };
    check_folder(folder)?;
    let found = file.metadata().map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    if !found.is_file() {
        return Err(format!("`{shown}` is not a regular file"));
    }
    check_owner(&found, &path)?;
    if found.mode() & 0o777 != 0o600 {
        return Err(format!("`{shown}` has mode {:03o} instead of 600", found.mode() & 0o777));
    }
    let mut text = String::new();
    let read = file.take(LONGEST_FILE).read_to_string(&mut text);
    read.map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    Ok(Some(text))
}

/// Writes a file atomically.
pub(super) fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write to `{}`: {error}", folder.display());
    create_private_folder(folder).map_err(failed)?;
    check_folder(folder)?;
    // Temporary files have mode 600 from the start.
    let mut file = tempfile::Builder::new().prefix(HALF_WRITTEN).tempfile_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(folder.join(name)).map_err(|error| failed(error.error))?;
    Ok(())
}

fn check_folder(folder: &Path) -> Result<(), String> {
    let shown = folder.display();
    let found = folder.symlink_metadata().map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    if found.is_symlink() {
        return Err(format!("`{shown}` is a symbolic link, not a directory"));
    }
    if !found.is_dir() {
        return Err(format!("`{shown}` is not a directory"));
    }
    check_owner(&found, folder)?;
    match found.mode() & 0o077 {
        0 => Ok(()),
        _ => {
            let close = ShellCommand::new("chmod").arg("700").arg(&shown);
            Err(format!("other users can access `{shown}`: run {close}"))
        }
    }
}

fn check_owner(found: &std::fs::Metadata, path: &Path) -> Result<(), String> {
    match found.uid() == rustix::process::geteuid().as_raw() {
        true => Ok(()),
        false => Err(format!("`{}` belongs to another user", path.display())),
    }
}
