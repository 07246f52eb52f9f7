//! The user's way in: MFA where it is demanded, and a session without a proof.

use super::claim::Claim;
use super::prover::{Prover, Stop};
use super::step::{Step, StepId, StepOutcome};
use crate::aws::client::access::Access;
use crate::aws::iam::read;
use crate::aws::keys::SessionCredentials;
use crate::aws::sts::{self, Session};
use crate::error::{Error, Kind, Result};
use crate::iam::names::MfaSerial;

impl Prover {
    /// Returns the session that a proof would begin with, to be used: with MFA where the link demands it, and never
    /// with credentials that nobody said are the user's.
    ///
    /// # Errors
    /// When the credentials are not the user's, there is no code, or AWS refuses.
    pub async fn session(&self, claim: &Claim) -> Result<Session> {
        if !self.said_to_be_the_users {
            self.who_am_i().await.map_err(Stop::into_error)?;
        }
        let access = if claim.require_mfa { self.with_mfa().await? } else { &self.access };
        let session = sts::assume(&access.in_region(self.region(claim)), &self.request(claim)?).await;
        let session = session.map_err(|error| error.context(self.whose()))?;
        if session.arn.is_of(&claim.role) {
            return Ok(session);
        }
        let words = format!("AWS answered with a session of `{}`, and `{}` was asked for", session.arn, claim.role);
        Err(Error::new(Kind::Network, words).hint("check that the endpoint is AWS's and no proxy answers in its place"))
    }

    /// Returns a session of the user's own (GetSessionToken): with MFA if the user's profile names a device or a code
    /// was given.
    ///
    /// # Errors
    /// When the credentials are of a session already or not the user's, there is no code, or AWS refuses.
    pub async fn own_session(&self) -> Result<SessionCredentials> {
        if self.access.is_session {
            return Err(Error::new(
                Kind::Credentials,
                format!(
                    "these credentials ({}) are of a session, and AWS makes no session token with one",
                    self.access.origin
                ),
            )
            .hint("give a profile with the user's access key: --user-profile NAME"));
        }
        if !self.said_to_be_the_users {
            self.who_am_i().await.map_err(Stop::into_error)?;
        }
        let mfa = &self.mfa.mfa;
        if self.mfa.serial.is_some() || mfa.code.is_some() {
            self.who_is_needed().await?;
            return mfa.session_to_keep(&self.access, &self.mfa_serial().await?).await;
        }
        sts::get_session_token(&self.access, None, mfa.duration().as_secs()).await
    }

    async fn with_mfa(&self) -> Result<&Access> {
        self.who_is_needed().await?;
        self.mfa_access().await.map_err(Stop::into_error)
    }

    /// Checks who the credentials are of where the device is looked up by the user's name, which must be the right one.
    async fn who_is_needed(&self) -> Result<()> {
        if self.mfa.serial.is_none() {
            self.who_am_i().await.map_err(Stop::into_error)?;
        }
        Ok(())
    }

    /// Credentials that carry MFA, made once.
    pub(super) async fn mfa_access(&self) -> std::result::Result<&Access, Stop> {
        if self.access.is_session {
            // A session cannot be given MFA afterwards; it may have been made with it.
            if self.mfa.mfa.code.is_none() {
                return Ok(&self.access);
            }
            let error = Error::new(Kind::Credentials, "an MFA code is of no use with the credentials of a session")
                .hint("give a profile with the user's access key: --user-profile NAME")
                .hint("or, if the session was made with MFA, leave the code out");
            let step = Step::new(StepId::AssumeRole, StepOutcome::NotProven, "a session cannot be given MFA");
            return Err(Stop::NotProven(step.because(error)));
        }
        let access = self.mfa_access.get_or_init(async || {
            let serial = self.mfa_serial().await?;
            let session = self.mfa.mfa.session(&self.access, &serial).await?;
            Ok(self.access.with_session(&session, format!("{}, with MFA", self.access.origin)))
        });
        access.await.as_ref().map_err(|error| {
            Stop::NotProven(
                Step::new(StepId::AssumeRole, StepOutcome::NotProven, "no session with MFA").because(error.clone()),
            )
        })
    }

    /// Returns the device that the user's profile names, or the one that the user has: looked up once.
    pub(super) async fn mfa_serial(&self) -> Result<MfaSerial> {
        match &self.mfa.serial {
            Some(serial) => Ok(serial.clone()),
            None => self.device.get_or_init(|| self.find_device()).await.clone(),
        }
    }

    /// Whether a device was looked for, and none is known.
    #[must_use]
    pub fn lacks_device(&self) -> bool {
        self.device.get().is_some_and(Result::is_err)
    }

    async fn find_device(&self) -> Result<MfaSerial> {
        let user = self.user.name();
        let devices = read::mfa_serials(&self.access, user).await.map_err(|error| {
            error
                .context(format!("the MFA devices of user `{user}` cannot be listed"))
                .hint("write mfa_serial = ARN into the user's profile in the AWS config file")
        })?;
        // A FIDO key cannot be used for API calls (IAM User Guide, MFA-protected API access).
        devices.into_iter().find(|serial| !serial.as_str().contains(":u2f/")).ok_or_else(|| {
            Error::new(Kind::Credentials, format!("user `{user}` has no MFA device that shows codes"))
                .hint("add a virtual MFA device (an authenticator app) to the user; FIDO keys do not work with the API")
        })
    }
}
