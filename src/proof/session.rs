//! Sessions of the user: with MFA if it is required, and without a proof.

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
    /// Returns a session of the role, with MFA if the link requires it. Checks the owner of credentials that no setting
    /// names as the user's.
    ///
    /// # Errors
    /// When the credentials are not the user's, there is no code, or AWS denies the request.
    pub async fn session(&self, claim: &Claim) -> Result<Session> {
        if !self.said_to_be_the_users {
            self.who_am_i().await.map_err(Stop::into_error)?;
        }
        let access = if claim.require_mfa { self.with_mfa().await? } else { &self.access };
        let session = sts::assume(&access.in_region(self.region(claim)), &self.request(claim)?).await;
        session.map_err(|error| error.context(self.whose()))
    }

    /// Returns a session of the user (GetSessionToken), with MFA if the user's profile names a device or a code was
    /// given.
    ///
    /// # Errors
    /// When the credentials are a session's or not the user's, there is no code, or AWS denies the request.
    pub async fn own_session(&self) -> Result<SessionCredentials> {
        if self.access.is_session {
            return Err(Error::new(
                Kind::Credentials,
                format!("these are session credentials ({}), which cannot call GetSessionToken", self.access.origin),
            )
            .hint("use a profile with the user's access key: --user-profile NAME"));
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

    /// Checks the owner of the credentials if the MFA device must be looked up by the user's name.
    async fn who_is_needed(&self) -> Result<()> {
        if self.mfa.serial.is_none() {
            self.who_am_i().await.map_err(Stop::into_error)?;
        }
        Ok(())
    }

    /// Returns credentials with MFA, created once.
    pub(super) async fn mfa_access(&self) -> std::result::Result<&Access, Stop> {
        if self.access.is_session {
            // MFA cannot be added to a session; the session may have been created with it.
            if self.mfa.mfa.code.is_none() {
                return Ok(&self.access);
            }
            let error = Error::new(Kind::Credentials, "session credentials cannot use an MFA code")
                .hint("use a profile with the user's access key: --user-profile NAME")
                .hint("or, if the session has MFA, omit the code");
            let step = Step::new(StepId::AssumeRole, StepOutcome::NotProven, "MFA cannot be added to a session");
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

    /// Returns the device in the user's profile, or else the user's device, looked up once.
    pub(super) async fn mfa_serial(&self) -> Result<MfaSerial> {
        match &self.mfa.serial {
            Some(serial) => Ok(serial.clone()),
            None => self.device.get_or_init(|| self.find_device()).await.clone(),
        }
    }

    /// Returns whether xacct looked for a device and found none.
    #[must_use]
    pub fn lacks_device(&self) -> bool {
        self.device.get().is_some_and(Result::is_err)
    }

    async fn find_device(&self) -> Result<MfaSerial> {
        let user = self.user.name();
        let devices = read::mfa_serials(&self.access, user).await.map_err(|error| {
            error
                .context(format!("cannot list the MFA devices of user `{user}`"))
                .hint("set mfa_serial = ARN in the user's profile in the AWS config file")
        })?;
        // A FIDO key cannot be used for API calls (IAM User Guide, MFA-protected API access).
        devices.into_iter().find(|serial| !serial.as_str().contains(":u2f/")).ok_or_else(|| {
            Error::new(Kind::Credentials, format!("user `{user}` has no MFA device that generates codes"))
                .hint("add a virtual MFA device (an authenticator app) to the user; FIDO keys do not work with the API")
        })
    }
}
