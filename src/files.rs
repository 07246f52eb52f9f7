//! Files from the command line or xacct.toml: reads only regular files, replaces them atomically, and never writes
//! through a symbolic link.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// The maximum size of a settings or policy file in bytes, far more than any needs.
pub const LONGEST_TEXT: u64 = 1024 * 1024;

/// The same for files that hold much: facts, certificates, the profiles of many accounts.
pub const LONGEST_COLLECTION: u64 = 16 * 1024 * 1024;

/// Who may read a file that xacct creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Everyone whom the umask allows: the file contains no secrets and is meant to be committed. An existing file
    /// keeps its mode.
    All,
    /// Only its owner.
    Owner,
}

/// Reads a text of at most `most` bytes. Refuses pipes and devices, which might never end.
///
/// # Errors
/// When the file does not exist, is not a regular file, is too long, is not UTF-8, or cannot be read.
pub fn read(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read_bytes(path, most)?).map_err(|error| Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

/// Reads a file of at most `most` bytes, whether text or not.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is larger than {most} bytes")));
    }
    Ok(bytes)
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Without this, opening a pipe would wait for a writer.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}

/// Refuses a path that xacct cannot replace: a directory, a pipe, a device, a symbolic link, a missing directory.
///
/// # Errors
/// When the path is one of these. The message tells the user what to do.
pub fn check_place(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => {
            let leads_to = std::fs::read_link(path)?;
            return Err(Error::other(format!(
                "it is a symbolic link to `{}`, and xacct does not write through symbolic links; use the path of the file itself",
                leads_to.display()
            )));
        }
        Ok(found) if !found.is_file() => return Err(Error::other("it is not a regular file; use another path")),
        _ => {}
    }
    match folder_of(path).is_dir() {
        true => Ok(()),
        false => Err(Error::other("its directory does not exist; create it first")),
    }
}

/// Returns the directory of a file.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a directory that only its owner can access, and those above it. Leaves existing ones as they are.
///
/// # Errors
/// When it cannot be created.
pub fn create_private_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Creates a file with a random name in the same directory, so that no other user can have created it before.
///
/// # Errors
/// When the directory is not writable.
#[cfg_attr(not(unix), expect(unused_variables, reason = "there are no file modes"))]
pub fn temporary_beside(path: &Path, readers: Readers) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".xacct-").suffix(".new");
    #[cfg(unix)]
    if readers == Readers::All {
        use std::os::unix::fs::PermissionsExt;
        // The umask reduces these; for the owner only, the library's default 600 is right.
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder_of(path))
}

/// Writes a temporary file in the same directory and renames it: a crash leaves the old file intact, and the rename
/// replaces a symbolic link that another user creates meanwhile, not its target. Replaces whatever file there is.
///
/// # Errors
/// As [`check_place`], and when the directory is not writable.
pub fn replace(path: &Path, text: impl AsRef<[u8]>, readers: Readers) -> Result<()> {
    written_beside(path, text.as_ref(), readers)?.persist(path)?;
    Ok(())
}

/// Replaces a file that still has this content. What another program writes between this last look and the rename, some
/// microseconds later, is lost: no system call replaces a file only if it is unchanged.
///
/// # Errors
/// As [`replace`], and when the file has other content, or is gone.
pub fn replace_unchanged(path: &Path, old: &[u8], text: impl AsRef<[u8]>, readers: Readers) -> Result<()> {
    let temporary = written_beside(path, text.as_ref(), readers)?;
    let longest = u64::try_from(old.len()).unwrap_or(u64::MAX - 1);
    match read_bytes(path, longest) {
        Ok(found) if found == old => {}
        Err(error) if !matches!(error.kind(), ErrorKind::FileTooLarge | ErrorKind::NotFound) => return Err(error),
        _ => return Err(Error::other("another program has changed it; run the command again")),
    }
    temporary.persist(path)?;
    Ok(())
}

/// Creates the temporary file that replaces another, with its text and the mode of that one.
fn written_beside(path: &Path, text: &[u8], readers: Readers) -> Result<NamedTempFile> {
    check_place(path)?;
    let mut temporary = temporary_beside(path, readers)?;
    temporary.write_all(text)?;
    let old = path.symlink_metadata().ok().filter(|old| readers == Readers::All && old.is_file());
    if let Some(old) = old {
        keep_mode(temporary.as_file(), &old)?;
    }
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Creates a file. Never replaces one that another program creates in the meantime.
///
/// # Errors
/// As [`check_place`], and when there is such a file or the folder cannot be written to.
pub fn create(path: &Path, text: impl AsRef<[u8]>, readers: Readers) -> Result<()> {
    written_beside(path, text.as_ref(), readers)?.persist_noclobber(path)?;
    Ok(())
}

#[cfg(unix)]
fn keep_mode(file: &File, old: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(old.permissions().mode() & 0o777))
}

#[cfg(not(unix))]
fn keep_mode(_: &File, _: &std::fs::Metadata) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
