//! Multi-factor authentication: one code serves every role, target and run while its session lasts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::aws::client::access::Access;
use crate::aws::credentials::session_cache::{Cache, Key};
use crate::aws::keys::SessionCredentials;
use crate::aws::sts;
use crate::error::{Error, Kind, Result};
use crate::iam::names::{MfaCode, MfaSerial, SessionDuration};

/// Prompts for the code of a device; `None` when there is no answer.
pub type AskForCode = Arc<dyn Fn(&MfaSerial) -> Option<String> + Send + Sync>;

/// The means to pass MFA: a code or a prompt for one, and the sessions made with it.
#[derive(Default)]
pub struct Mfa {
    /// The code from the options or the environment.
    pub code: Option<MfaCode>,
    /// Prompts for a code; `None` without a terminal.
    pub ask: Option<AskForCode>,
    /// How long to cache a session.
    pub duration: Option<SessionDuration>,
    /// The session cache; `None` caches nothing.
    pub cache: Option<Cache>,
    /// The sessions of this run. A wrong code is remembered too, so that one run prompts once.
    sessions: Mutex<BTreeMap<Key, Result<SessionCredentials>>>,
}

impl fmt::Debug for Mfa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mfa").field("code", &self.code).field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl Mfa {
    /// Creates the means to pass MFA, without a session yet.
    #[must_use]
    pub fn new(
        code: Option<MfaCode>,
        ask: Option<AskForCode>,
        duration: Option<SessionDuration>,
        cache: Option<Cache>,
    ) -> Self {
        Self { code, ask, duration, cache, sessions: Mutex::default() }
    }

    /// Returns a session with MFA of the user whose access key this is: the one of this run, a cached one, or a new one.
    ///
    /// A cached session is preferred to a given code, because the code may have made that very session.
    ///
    /// # Errors
    /// When there is no code, or AWS rejects it.
    pub async fn session(&self, access: &Access, serial: &MfaSerial) -> Result<SessionCredentials> {
        // A session that is not cached need not outlast this run.
        let seconds = self.cache.as_ref().map_or(900, |_| self.duration().as_secs());
        self.session_for(access, serial, seconds).await
    }

    /// Returns the same for use outside xacct: cached or not, it lasts for the requested duration.
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
        let kept = match &self.cache {
            Some(cache) => kept(cache, access, &key).await,
            None => None,
        };
        let session = match kept {
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
            error.hint(format!("a code works once and for half a minute: wait for the next one of `{serial}`"))
        })?;
        if let Some(cache) = &self.cache {
            cache.store(key, &session);
        }
        Ok(session)
    }

    /// Returns how long sessions last that outlive this run.
    #[must_use]
    pub fn duration(&self) -> SessionDuration {
        // AWS's own default, and the longest that the type holds.
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
                "an MFA code is needed, and there is no terminal to ask for one",
            )
            .hint("give the code that the device shows: --mfa-code CODE or XACCT_MFA_CODE"));
        };
        let device = serial.clone();
        let typed = tokio::task::spawn_blocking(move || ask(&device))
            .await
            .map_err(|error| Error::new(Kind::Internal, format!("the prompt failed: {error}")).caused_by(error))?
            .unwrap_or_default();
        Ok(typed.trim().parse()?)
    }
}

/// Returns a cached session if AWS still accepts it: the access key that made it, or its role, may be gone, or the clocks
/// differ.
pub async fn kept(cache: &Cache, access: &Access, key: &Key) -> Option<SessionCredentials> {
    let session = cache.load(key)?;
    let honoured = sts::caller(&access.with_session(&session, String::new())).await;
    if honoured.is_err_and(|error| error.kind == Kind::Credentials) {
        cache.remove(key);
        return None;
    }
    Some(session)
}
