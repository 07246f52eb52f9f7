//! Files that people name: read only if they are files, replaced whole, and never through a symbolic link.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// What a file of settings, a policy or printed settings may have at most, in bytes: far more than any needs.
pub const LONGEST_TEXT: u64 = 1024 * 1024;

/// The same for files that hold much: facts, certificates, the profiles of many accounts.
pub const LONGEST_COLLECTION: u64 = 16 * 1024 * 1024;

/// Who may read a file that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whoever the umask lets: the file holds no secret and is meant to be committed. One that is there keeps its mode.
    All,
    /// Its owner alone.
    Owner,
}

/// Reads a text that has at most so many bytes. A pipe or a device, which might never end, is no file.
///
/// # Errors
/// When there is no such file, it is none, is too long, is not UTF-8, or cannot be read.
pub fn read(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read_bytes(path, most)?).map_err(|error| Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

/// Reads a file that has at most so many bytes, of whatever kind they are.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // To open a pipe would wait for whoever writes to it.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}

/// Refuses what cannot be replaced by a file: a folder, a pipe, a device, a symbolic link, a name in no folder.
///
/// # Errors
/// When it is one of these, in words for the person who named it.
pub fn check_place(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => {
            let leads_to = std::fs::read_link(path)?;
            return Err(Error::other(format!(
                "it is a symbolic link to `{}`, and xacct does not write through links; name the file itself",
                leads_to.display()
            )));
        }
        Ok(found) if !found.is_file() => return Err(Error::other("it is not a file; name a file")),
        _ => {}
    }
    match folder_of(path).is_dir() {
        true => Ok(()),
        false => Err(Error::other("its folder does not exist; make the folder first")),
    }
}

/// Returns the folder that a file is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a file of another name in the same folder, which nobody else knows or can have made before.
///
/// # Errors
/// When the folder cannot be written to.
pub fn temporary_beside(path: &Path, readers: Readers) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".xacct-").suffix(".new");
    #[cfg(unix)]
    if readers == Readers::All {
        use std::os::unix::fs::PermissionsExt;
        // The umask takes from these; for the owner alone, the library's own 600 is right.
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder_of(path))
}

/// Writes beside the file and renames: a crash leaves the old file whole, and a link that somebody puts in its place
/// meanwhile is replaced itself, not what it leads to.
///
/// # Errors
/// As [`check_place`], and when the folder cannot be written to.
pub fn replace(path: &Path, text: &str, readers: Readers) -> Result<()> {
    check_place(path)?;
    let mut temporary = temporary_beside(path, readers)?;
    temporary.write_all(text.as_bytes())?;
    let old = path.symlink_metadata().ok().filter(|old| readers == Readers::All && old.is_file());
    if let Some(old) = old {
        keep_mode(temporary.as_file(), &old)?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}

/// Writes a file that is not there yet. One that somebody makes meanwhile stays.
///
/// # Errors
/// As [`check_place`], and when there is such a file or the folder cannot be written to.
pub fn create(path: &Path, text: &str, readers: Readers) -> Result<()> {
    check_place(path)?;
    let mut temporary = temporary_beside(path, readers)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(path)?;
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
