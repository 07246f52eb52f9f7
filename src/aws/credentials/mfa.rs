//! Multi-factor authentication: one code is enough for all roles, targets and runs until its session expires.
//!
//! The exception are role sessions of more than an hour. A session can only open shorter ones
//! ([`SessionDuration::LONGEST_OF_A_SESSION`]), so their code goes to AssumeRole itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::credentials::session_cache::{Cache, Key};
use crate::aws::keys::SessionCredentials;
use crate::aws::sts;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::CallerArn;
use crate::iam::names::{MfaCode, MfaSerial, SessionDuration};

/// Prompts for the code of a device; `None` if the user enters none. The text says why the last code was of no use.
pub type AskForCode = Arc<dyn Fn(&MfaSerial, Option<&str>) -> Option<String> + Send + Sync>;

/// How often the user may correct a wrong code.
const CORRECTIONS: usize = 2;

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
    sessions: Mutex<BTreeMap<Key, Arc<OnceCell<Result<SessionCredentials>>>>>,
    /// The devices for which the given code was sent. Locked while a code is asked for, so that prompts do not mix.
    used: AsyncMutex<BTreeSet<MfaSerial>>,
    /// Whether a code was needed and could not be asked for.
    lacked_code: AtomicBool,
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
        Self { code, ask, duration, cache, ..Self::default() }
    }

    /// Returns this without a code and without a prompt: only cached sessions.
    #[must_use]
    pub fn that_asks_nobody(&self) -> Self {
        Self::new(None, None, self.duration, self.cache.clone())
    }

    /// Returns whether there is a code or a terminal to ask for one.
    #[must_use]
    pub fn can_have_code(&self) -> bool {
        self.code.is_some() || self.ask.is_some()
    }

    /// Returns whether a request failed because there was no code for it.
    #[must_use]
    pub fn lacked_code(&self) -> bool {
        self.lacked_code.load(Ordering::Relaxed)
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
        check_device(serial)?;
        let make = async || {
            let send = async |code: &MfaCode| sts::get_session_token(access, Some((serial, code)), seconds).await;
            self.with_code(serial, send).await
        };
        self.once(&["mfa", serial.as_str(), access.partition().as_str()], access, make).await
    }

    /// Returns the session of this run for these credentials and this request, or a cached one, or the one that `make`
    /// returns.
    ///
    /// # Errors
    /// When `make` fails.
    pub(in crate::aws) async fn once(
        &self,
        request: &[&str],
        access: &Access,
        make: impl AsyncFnOnce() -> Result<SessionCredentials>,
    ) -> Result<SessionCredentials> {
        let endpoints = access.endpoints().join(" ");
        let key = Key::new(&[request, &[access.key_id(), endpoints.as_str()]].concat());
        let known = {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sessions.entry(key.clone()).or_default())
        };
        let get = async || {
            let cached = match &self.cache {
                Some(cache) => cached(cache, access, &key, |_| true).await,
                None => None,
            };
            match cached {
                Some(session) => Ok(session),
                None => make().await.inspect(|session| {
                    if let Some(cache) = &self.cache {
                        cache.store(&key, session);
                    }
                }),
            }
        };
        known.get_or_init(get).await.clone()
    }

    /// Returns the duration of sessions that are used after this run.
    #[must_use]
    pub fn duration(&self) -> SessionDuration {
        // AWS's default for GetSessionToken, and the maximum of `SessionDuration`.
        let longest = SessionDuration::from_secs(43_200).unwrap_or_default();
        self.duration.unwrap_or(longest)
    }

    /// Sends a request with the given code, or with one that the user enters. A wrong one can be corrected at the prompt.
    ///
    /// # Errors
    /// When the device has no codes, there is no terminal, the answer is not a code, or the request fails.
    pub async fn with_code<T>(&self, serial: &MfaSerial, send: impl AsyncFn(&MfaCode) -> Result<T>) -> Result<T> {
        check_device(serial)?;
        let works_once = format!("an MFA code works once, for about 30 seconds: wait for the next code of `{serial}`");
        let mut used = self.used.lock().await;
        if let Some(code) = &self.code {
            if !used.insert(serial.clone()) {
                let error = "the MFA code was already sent in this run, and a second request needs another one";
                return Err(Error::new(Kind::Credentials, error).hint(works_once));
            }
            return send(code).await.map_err(|error| error.hint(works_once));
        }
        let mut why = None;
        for left in (0..=CORRECTIONS).rev() {
            let typed = self.typed(serial, why).await?;
            let error = match typed.parse::<MfaCode>() {
                Ok(code) => match send(&code).await {
                    Err(error) if error.meaning() == Some(Meaning::MfaCodeWrong) => {
                        why = Some("AWS rejected the code; enter the next one");
                        error.hint(works_once.clone())
                    }
                    answer => return answer,
                },
                Err(invalid) => {
                    why = Some("that is not a code of six digits");
                    Error::from(invalid)
                }
            };
            if left == 0 || typed.is_empty() {
                return Err(error);
            }
        }
        Err(Error::new(Kind::Internal, "the prompt for the MFA code ended without an answer"))
    }

    /// Prompts for a code.
    async fn typed(&self, serial: &MfaSerial, why: Option<&'static str>) -> Result<String> {
        let Some(ask) = self.ask.clone() else {
            self.lacked_code.store(true, Ordering::Relaxed);
            return Err(Error::new(
                Kind::Credentials,
                "an MFA code is required, and there is no terminal to prompt for it",
            )
            .hint("pass the current code of the device: --mfa-code CODE or XACCT_MFA_CODE"));
        };
        let device = serial.clone();
        let typed = tokio::task::spawn_blocking(move || ask(&device, why))
            .await
            .map_err(|error| Error::new(Kind::Internal, format!("the prompt failed: {error}")).caused_by(error))?;
        Ok(typed.unwrap_or_default().trim().to_owned())
    }
}

/// Refuses a device that has no codes, before anything is sent.
///
/// # Errors
/// When it is a security key or a passkey.
pub fn check_device(serial: &MfaSerial) -> Result<()> {
    if !serial.is_security_key() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Credentials,
        format!("`{serial}` is a security key or a passkey, which works only in the console: the AWS API takes codes"),
    )
    .hint("register an authenticator app for the user, and set mfa_serial to its ARN (…:mfa/NAME)"))
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

#[cfg(test)]
mod tests;
