//! The session cache keeps sessions between runs, so that users enter an MFA code only once.
//!
//! A cached session is a secret on disk. xacct does not use a file that other users could have read or written.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::aws::client::notify::Warn;
use crate::aws::keys::{SessionCredentials, fit_headers};
use crate::error::{Error, Kind, Result};

#[cfg(unix)]
mod files;
#[cfg(not(unix))]
mod files {
    //! Caches nothing where file modes cannot protect a session.

    use std::path::Path;

    /// The prefix of temporary files, of which there are none.
    pub(super) const HALF_WRITTEN: &str = ".new-";

    pub(super) fn read(_: &Path, _: &str) -> Result<Option<String>, String> {
        Ok(None)
    }

    pub(super) fn write(_: &Path, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// The minimum time that a session must still be valid to be used.
const MARGIN: Duration = Duration::from_secs(300);

/// The directory of cached sessions.
#[derive(Clone)]
pub struct Cache {
    folder: PathBuf,
    now: fn() -> SystemTime,
    warn: Warn,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Identifies a session in the cache. Equal requests have equal keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// Hashes these parts. Each part is preceded by its length, so that different lists have different keys.
    #[must_use]
    pub fn new(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A file of the cache. It has no `Debug`, because it contains secrets.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CachedFile {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

impl Cache {
    /// Creates a cache in this directory, which is created on first use.
    #[must_use]
    pub fn new(folder: PathBuf, now: fn() -> SystemTime, warn: Warn) -> Self {
        Self { folder, now, warn }
    }

    /// Returns the cached session for this key, if it is still valid long enough. Warns about files that cannot be trusted.
    #[must_use]
    pub fn load(&self, key: &Key) -> Option<SessionCredentials> {
        self.remove_expired();
        let text = match files::read(&self.folder, &file_name(key)) {
            Ok(text) => text?,
            Err(why) => {
                (self.warn)(&format!("Ignoring a cached session: {why}"));
                return None;
            }
        };
        match parse(&text) {
            Some((credentials, expires)) => {
                let lasts = expires.duration_since((self.now)()).is_ok_and(|left| left > MARGIN);
                lasts.then_some(credentials)
            }
            None => {
                let path = self.folder.join(file_name(key));
                (self.warn)(&format!("Ignoring a cached session: `{}` is not a valid session file", path.display()));
                None
            }
        }
    }

    /// Stores a session. A failure is only a warning: the next run prompts again.
    pub fn store(&self, key: &Key, session: &SessionCredentials) {
        self.remove_expired();
        let Some(text) = write(session) else { return };
        if let Err(why) = files::write(&self.folder, &file_name(key), &text) {
            (self.warn)(&format!("Cannot cache the session: {why}"));
        }
    }

    /// Removes all expired sessions, whatever their key, because no later run may ask for them.
    fn remove_expired(&self) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.strip_suffix(".json").is_some_and(is_hash)) else {
                continue;
            };
            let expires = files::read(&self.folder, name).ok().flatten().and_then(|text| Some(parse(&text)?.1));
            if expires.is_some_and(|expires| expires <= (self.now)()) {
                // If it stays, the next run tries again.
                let _ = std::fs::remove_file(self.folder.join(name));
            }
        }
    }

    /// Removes the session for this key.
    pub fn remove(&self, key: &Key) {
        // If this fails, the next run rejects the session again.
        let _ = std::fs::remove_file(self.folder.join(file_name(key)));
    }

    /// Removes all sessions and returns their number. Also removes temporary files of interrupted runs.
    ///
    /// # Errors
    /// When the directory cannot be read, or a file cannot be removed.
    pub fn forget(&self) -> Result<usize> {
        let failed = |error: std::io::Error| {
            let folder = self.folder.display();
            Error::new(Kind::File, format!("cannot remove the cached sessions in `{folder}`: {error}")).caused_by(error)
        };
        if self.folder.is_symlink() {
            // The linked directory may not be a session cache.
            return Err(failed(std::io::Error::other("the directory is a symbolic link")).hint("remove the link"));
        }
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            entries => entries.map_err(failed)?,
        };
        let mut removed = 0;
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_session = name.strip_suffix(".json").is_some_and(is_hash);
            if !is_session && !name.starts_with(files::HALF_WRITTEN) {
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => removed += usize::from(is_session),
                // Another run removed it first.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(removed)
    }
}

fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn file_name(key: &Key) -> String {
    format!("{}.json", key.0)
}

fn parse(text: &str) -> Option<(SessionCredentials, SystemTime)> {
    let cached: CachedFile = serde_json::from_str(text).ok()?;
    let expires = SystemTime::from(OffsetDateTime::parse(&cached.expiration, &Rfc3339).ok()?);
    let CachedFile { version, access_key_id, secret_access_key, session_token, .. } = cached;
    let is_whole =
        version == 1 && ![&access_key_id, &secret_access_key, &session_token].iter().any(|part| part.is_empty());
    let keys = Credentials::new(access_key_id, secret_access_key, Some(session_token), Some(expires), "xacct");
    (is_whole && fit_headers(&keys)).then_some((SessionCredentials(keys), expires))
}

/// Serializes a session; `None` for credentials that never expire.
fn write(session: &SessionCredentials) -> Option<String> {
    let keys = session.reveal();
    let cached = CachedFile {
        version: 1,
        access_key_id: keys.access_key_id.to_owned(),
        secret_access_key: keys.secret_access_key.to_owned(),
        session_token: keys.session_token?.to_owned(),
        expiration: OffsetDateTime::from(keys.expires?).format(&Rfc3339).ok()?,
    };
    serde_json::to_string(&cached).ok()
}

#[cfg(all(test, unix))]
mod tests;
