//! The session cache keeps sessions between runs, so that users enter an MFA code only once.
//!
//! A cached session is a secret on disk. xacct does not use a file that other users could have read or written.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep};

use crate::aws::client::notify::Warn;
use crate::aws::keys::{SessionCredentials, fit_headers};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::RoleArn;
use crate::iam::names::Region;

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

    /// What one run holds.
    pub(in crate::aws) struct Lock;

    pub(super) fn lock(_: &Path, _: &str) -> Result<Option<Lock>, String> {
        Ok(Some(Lock))
    }
}

/// The minimum time that a session must still be valid to be used.
const MARGIN: Duration = Duration::from_secs(300);

/// How long a run waits for another one that opens the same session, which may be at a prompt. Terraform waits a minute for
/// its credentials (AWS SDK for Go, `processcreds.DefaultTimeout`), so that enough is left to open one.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two looks at the lock.
const PAUSE: Duration = Duration::from_millis(10);

/// How the name of a lock ends.
const LOCK: &str = ".lock";

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

/// A session of a role, which serves later runs without any request.
#[derive(Debug, Clone)]
pub struct RoleSession {
    /// The session.
    pub credentials: SessionCredentials,
    /// The role.
    pub role: RoleArn,
    /// The Region to use it in, if one is set.
    pub region: Option<Region>,
    /// The time of AWS's clock when the session was opened; `None` if that was not now.
    pub opened_at: Option<SystemTime>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of_role: Option<OfRole>,
}

/// What a file says of a role's session.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfRole {
    /// The file's own key: another file's session in its place is not taken.
    key: String,
    role_arn: String,
    region: Option<String>,
    /// How many seconds AWS's clock was ahead of this machine's.
    #[serde(default)]
    clock_ahead: i64,
}

/// What a file has.
struct Parsed {
    credentials: SessionCredentials,
    expires: SystemTime,
    of_role: Option<OfRole>,
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
        self.read(key).map(|found| found.credentials)
    }

    /// Returns the cached session of a role, if it is still valid long enough.
    #[must_use]
    pub fn load_role(&self, key: &Key) -> Option<RoleSession> {
        let Parsed { credentials, of_role, .. } = self.read(key)?;
        let of_role = of_role.filter(|of_role| of_role.key == key.0)?;
        let region = of_role.region.map(|region| region.parse()).transpose().ok()?;
        Some(RoleSession { credentials, role: of_role.role_arn.parse().ok()?, region, opened_at: None })
    }

    fn read(&self, key: &Key) -> Option<Parsed> {
        self.remove_expired();
        let text = match files::read(&self.folder, &file_name(key)) {
            Ok(text) => text?,
            Err(why) => {
                (self.warn)(&format!("Ignoring a cached session: {why}"));
                return None;
            }
        };
        match parse(&text) {
            Some(found) => {
                let ahead = found.of_role.as_ref().map_or(0, |of_role| of_role.clock_ahead);
                let left = OffsetDateTime::from(found.expires) - OffsetDateTime::from((self.now)());
                let lasts = left - time::Duration::seconds(ahead) > MARGIN;
                lasts.then_some(found)
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
        self.write(key, session, None);
    }

    /// Stores a session of a role, as [`Cache::store`] does.
    pub fn store_role(&self, key: &Key, session: &RoleSession) {
        let region = session.region.as_ref().map(ToString::to_string);
        let ahead = session.opened_at.map(|there| OffsetDateTime::from(there) - OffsetDateTime::from((self.now)()));
        let clock_ahead = ahead.map_or(0, time::Duration::whole_seconds);
        let of_role = OfRole { key: key.0.clone(), role_arn: session.role.to_string(), region, clock_ahead };
        self.write(key, &session.credentials, Some(of_role));
    }

    /// Waits until no other run opens the session for this key, so that many that want it at once open only one. Runs that end
    /// in any way hold no lock. Returns what holds it; `None` after a while, or where there can be no lock.
    pub async fn lock(&self, key: &Key) -> Option<impl Sized + use<>> {
        let name = format!("{}{LOCK}", key.0);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            // Where nothing can be written, `store` says so.
            if let Some(lock) = files::lock(&self.folder, &name).ok()? {
                return Some(lock);
            }
            sleep(PAUSE).await;
        }
        None
    }

    fn write(&self, key: &Key, session: &SessionCredentials, of_role: Option<OfRole>) {
        self.remove_expired();
        let Some(text) = text_of(session, of_role) else { return };
        if let Err(why) = files::write(&self.folder, &file_name(key), &text) {
            (self.warn)(&format!("Cannot cache the session: {why}"));
        }
    }

    /// Removes all expired sessions, whatever their key, because no later run may ask for them.
    fn remove_expired(&self) {
        self.remove_if(|found| found.expires <= (self.now)());
    }

    /// Removes the sessions of these roles. Those of a role that was deleted are of no use, also for one of the same name.
    pub fn forget_roles(&self, roles: &BTreeSet<RoleArn>) {
        self.remove_if(|found| {
            let role = found.of_role.as_ref().and_then(|of_role| of_role.role_arn.parse().ok());
            role.is_some_and(|role| roles.contains(&role))
        });
    }

    fn remove_if(&self, is_useless: impl Fn(&Parsed) -> bool) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.strip_suffix(".json").is_some_and(is_hash)) else {
                continue;
            };
            let found = files::read(&self.folder, name).ok().flatten().and_then(|text| parse(&text));
            if found.is_some_and(|found| is_useless(&found)) {
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

    /// Removes all sessions and returns their number. Also removes temporary files and locks of interrupted runs.
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
            let is_lock = name.strip_suffix(LOCK).is_some_and(is_hash);
            if !is_session && !is_lock && !name.starts_with(files::HALF_WRITTEN) {
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

fn parse(text: &str) -> Option<Parsed> {
    let cached: CachedFile = serde_json::from_str(text).ok()?;
    let expires = SystemTime::from(OffsetDateTime::parse(&cached.expiration, &Rfc3339).ok()?);
    let CachedFile { version, access_key_id, secret_access_key, session_token, of_role, .. } = cached;
    let is_whole =
        version == 1 && ![&access_key_id, &secret_access_key, &session_token].iter().any(|part| part.is_empty());
    let keys = Credentials::new(access_key_id, secret_access_key, Some(session_token), Some(expires), "xacct");
    (is_whole && fit_headers(&keys)).then_some(Parsed { credentials: SessionCredentials(keys), expires, of_role })
}

/// Serializes a session; `None` for credentials that never expire.
fn text_of(session: &SessionCredentials, of_role: Option<OfRole>) -> Option<String> {
    let keys = session.reveal();
    let cached = CachedFile {
        version: 1,
        access_key_id: keys.access_key_id.to_owned(),
        secret_access_key: keys.secret_access_key.to_owned(),
        session_token: keys.session_token?.to_owned(),
        expiration: OffsetDateTime::from(keys.expires?).format(&Rfc3339).ok()?,
        of_role,
    };
    serde_json::to_string(&cached).ok()
}

#[cfg(all(test, unix))]
mod tests;
