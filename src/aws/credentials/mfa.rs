//! Multi-factor authentication: one code is enough for all roles, targets and runs until its session expires.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::aws::client::access::Access;
use crate::aws::credentials::session_cache::{Cache, Key};
use crate::aws::keys::SessionCredentials;
use crate::aws::sts;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::CallerArn;
use crate::iam::names::{MfaCode, MfaSerial, SessionDuration};

/// Prompts for the code of a device; `None` if the user enters none.
pub type AskForCode = Arc<dyn Fn(&MfaSerial) -> Option<String> + Send + Sync>;

/// How to get an MFA code, and the MFA sessions of this run.
#[derive(Default)]
pub struct Mfa {
    /// The code from the options or the environment.
    pub code: Option<MfaCode>,
    /// Prompts for a code; `None` without a terminal.
    pub ask: Option<AskForCode>,
    /// How long an MFA session lasts.
    pub duration: Option<SessionDuration>,
    /// The session cache; `None` caches nothing.
    pub cache: Option<Cache>,
    /// The sessions of this run. Failures are stored too, so that a run prompts only once.
    sessions: Mutex<BTreeMap<Key, Result<SessionCredentials>>>,
}

impl fmt::Debug for Mfa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mfa").field("code", &self.code).field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl Mfa {
    /// Creates this without any session.
    #[must_use]
    pub fn new(
        code: Option<MfaCode>,
        ask: Option<AskForCode>,
        duration: Option<SessionDuration>,
        cache: Option<Cache>,
    ) -> Self {
        Self { code, ask, duration, cache, sessions: Mutex::default() }
    }

    /// Returns this without a code and without a prompt: only cached sessions.
    #[must_use]
    pub fn that_asks_nobody(&self) -> Self {
        Self::new(None, None, self.duration, self.cache.clone())
    }

    /// Returns an MFA session for the user of this access key: that of this run, a cached one, or a new one.
    ///
    /// A cached session takes precedence over a given code, because the code may have been used for that session already.
    ///
    /// # Errors
    /// When there is no code, or AWS rejects it.
    pub async fn session(&self, access: &Access, serial: &MfaSerial) -> Result<SessionCredentials> {
        // Without the cache, the session is only needed for this run; 900 s is AWS's minimum.
        let seconds = self.cache.as_ref().map_or(900, |_| self.duration().as_secs());
        self.session_for(access, serial, seconds).await
    }

    /// Returns an MFA session for use outside xacct: cached or not, it lasts for the requested duration.
    ///
    /// # Errors
    /// When there is no code, or AWS rejects it.
    pub async fn session_to_keep(&self, access: &Access, serial: &MfaSerial) -> Result<SessionCredentials> {
        self.session_for(access, serial, self.duration().as_secs()).await
    }

    async fn session_for(&self, access: &Access, serial: &MfaSerial, seconds: i32) -> Result<SessionCredentials> {
        let endpoints = access.endpoints().join(" ");
        let key = Key::new(&["mfa", access.key_id(), serial.as_str(), access.partition().as_str(), &endpoints]);
        let mut sessions = self.sessions.lock().await;
        if let Some(known) = sessions.get(&key) {
            return known.clone();
        }
        let cached = match &self.cache {
            Some(cache) => cached(cache, access, &key, |_| true).await,
            None => None,
        };
        let session = match cached {
            Some(session) => Ok(session),
            None => self.made(access, serial, &key, seconds).await,
        };
        sessions.insert(key, session.clone());
        session
    }

    async fn made(&self, access: &Access, serial: &MfaSerial, key: &Key, seconds: i32) -> Result<SessionCredentials> {
        let code = self.code(serial).await?;
        let made = sts::get_session_token(access, Some((serial, &code)), seconds).await;
        let session = made.map_err(|error| {
            error.hint(format!("an MFA code works once, for about 30 seconds: wait for the next code of `{serial}`"))
        })?;
        if let Some(cache) = &self.cache {
            cache.store(key, &session);
        }
        Ok(session)
    }

    /// Returns the duration of sessions that are used after this run.
    #[must_use]
    pub fn duration(&self) -> SessionDuration {
        // AWS's default for GetSessionToken, and the maximum of `SessionDuration`.
        let longest = SessionDuration::from_secs(43_200).unwrap_or_default();
        self.duration.unwrap_or(longest)
    }

    /// Returns the given code, or prompts for one.
    ///
    /// # Errors
    /// When there is no terminal, or the answer is not a code.
    pub async fn code(&self, serial: &MfaSerial) -> Result<MfaCode> {
        if let Some(code) = &self.code {
            return Ok(code.clone());
        }
        let Some(ask) = self.ask.clone() else {
            return Err(Error::new(
                Kind::Credentials,
                "an MFA code is required, and there is no terminal to prompt for it",
            )
            .hint("pass the current code of the device: --mfa-code CODE or XACCT_MFA_CODE"));
        };
        let device = serial.clone();
        let typed = tokio::task::spawn_blocking(move || ask(&device))
            .await
            .map_err(|error| Error::new(Kind::Internal, format!("the prompt failed: {error}")).caused_by(error))?
            .unwrap_or_default();
        Ok(typed.trim().parse()?)
    }
}

/// Returns a cached session if AWS still accepts it, and if its owner is the expected one. Its access key or role may have
/// been deleted since, the clock may be wrong, or another program may have written the file.
pub async fn cached(
    cache: &Cache,
    access: &Access,
    key: &Key,
    is_expected: impl Fn(&CallerArn) -> bool,
) -> Option<SessionCredentials> {
    let session = cache.load(key)?;
    let is_usable = match sts::caller(&access.with_session(&session, String::new())).await {
        Ok(caller) => is_expected(&caller.arn),
        // Without an answer about the session, its use will show whether it works.
        Err(error) => error.kind != Kind::Credentials,
    };
    if !is_usable {
        cache.remove(key);
        return None;
    }
    Some(session)
}
