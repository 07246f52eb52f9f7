//! Multi-factor authentication: a code is asked for once, and serves every role, target and run while its session lasts.

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

/// Asks the person at the terminal for the code of a device; `None` when there is no answer.
pub type AskForCode = Arc<dyn Fn(&MfaSerial) -> Option<String> + Send + Sync>;

/// What there is to pass MFA with.
#[derive(Default)]
pub struct Mfa {
    /// The code that was given.
    pub code: Option<MfaCode>,
    /// Asks for a code; `None` where there is nobody to ask.
    pub ask: Option<AskForCode>,
    /// How long sessions last that are kept.
    pub duration: Option<SessionDuration>,
    /// Where they are kept; `None` keeps nothing.
    pub cache: Option<Cache>,
    /// The sessions of this run. That a code was wrong is remembered, too: nobody is asked twice in one run.
    sessions: Mutex<BTreeMap<Key, Result<SessionCredentials>>>,
}

impl fmt::Debug for Mfa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mfa").field("code", &self.code).field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl Mfa {
    /// With this at hand, and no session yet.
    #[must_use]
    pub fn new(
        code: Option<MfaCode>,
        ask: Option<AskForCode>,
        duration: Option<SessionDuration>,
        cache: Option<Cache>,
    ) -> Self {
        Self { code, ask, duration, cache, sessions: Mutex::default() }
    }

    /// A session with MFA of the user whose access key this is: the one of this run, a kept one, or a new one.
    ///
    /// A kept session goes before a code that was given: the code may have made that very session.
    ///
    /// # Errors
    /// When there is no code to be had, or AWS does not take it.
    pub async fn session(&self, access: &Access, serial: &MfaSerial) -> Result<SessionCredentials> {
        // A session that is not kept need not outlast this run.
        let seconds = self.cache.as_ref().map_or(900, |_| self.duration().as_secs());
        self.session_for(access, serial, seconds).await
    }

    /// The same, to be handed over: kept or not, it is wanted for as long as was asked.
    ///
    /// # Errors
    /// When there is no code to be had, or AWS does not take it.
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

    /// How long sessions last that outlive this run.
    #[must_use]
    pub fn duration(&self) -> SessionDuration {
        // AWS's own default, and the longest that the type holds.
        let longest = SessionDuration::from_secs(43_200).unwrap_or_default();
        self.duration.unwrap_or(longest)
    }

    /// The code that was given, or that the person at the terminal gives.
    ///
    /// # Errors
    /// When there is nobody to ask, or the answer is no code.
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
            .map_err(|error| Error::new(Kind::Internal, format!("the prompt failed: {error}")))?
            .unwrap_or_default();
        Ok(typed.trim().parse()?)
    }
}

/// A kept session that AWS still honours: what made it, or the role it is of, may be gone, or the clocks differ.
pub async fn kept(cache: &Cache, access: &Access, key: &Key) -> Option<SessionCredentials> {
    let session = cache.load(key)?;
    let honoured = sts::caller(&access.with_session(&session, String::new())).await;
    if honoured.is_err_and(|error| error.kind == Kind::Credentials) {
        cache.remove(key);
        return None;
    }
    Some(session)
}
