//! Files that only their owner can access. The checks use the open file, so that it cannot be replaced in between.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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
        Ok(file) => File::from(file),
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

/// An exclusive lock. The system releases it when its process ends.
pub(in crate::aws) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before the lock is released with the file, so that nobody waits for a file without a name for long.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Takes a lock; `None` if another process has it.
pub(super) fn lock(folder: &Path, name: &str) -> Result<Option<Lock>, String> {
    let path = folder.join(name);
    let failed = |error: std::io::Error| format!("`{}` cannot be locked: {error}", path.display());
    create_private_folder(folder).map_err(failed)?;
    check_folder(folder)?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(|error| failed(error.into()))?;
    let file = File::from(file);
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let own = file.metadata().map_err(failed)?;
    let there = std::fs::symlink_metadata(&path);
    // The process that had the lock has removed its file, and another one may have made the next.
    let is_there = there.is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino()));
    // Made only then: dropping it removes the file, which would be the other one's.
    Ok(is_there.then(|| Lock { path, _file: file }))
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
