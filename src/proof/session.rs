//! Sessions of the user: with MFA if it is required, and without a proof.

use std::sync::atomic::Ordering;

use super::claim::Claim;
use super::prover::{Prover, Stop};
use super::step::{Step, StepId, StepOutcome};
use crate::aws::client::access::Access;
use crate::aws::credentials::mfa::check_device;
use crate::aws::iam::read;
use crate::aws::keys::SessionCredentials;
use crate::aws::sts::{self, AssumeRole, Session};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{CallerArn, PrincipalRef};
use crate::iam::names::{MfaCode, MfaSerial, SessionDuration};

impl Prover {
    /// Returns a session of the role, with MFA if the link requires it. Checks the owner of credentials that no setting
    /// names as the user's.
    ///
    /// # Errors
    /// When the credentials are not the user's, there is no code, or AWS denies the request.
    pub async fn session(&self, claim: &Claim) -> Result<Session> {
        // The session is named after a member of a group, whom only AWS can tell.
        let is_of_group = claim.principals.iter().any(|principal| matches!(principal, PrincipalRef::Group(_)));
        if !self.said_to_be_the_users || is_of_group {
            self.who_am_i(&claim.principals).await.map_err(Stop::into_error)?;
        }
        self.settle_session_name(claim).await;
        self.check_device(claim).map_err(Stop::into_error)?;
        self.check_duration(claim)?;
        let (request, region) = (self.request(claim)?, self.region(claim));
        let session = if self.takes_code(claim) {
            self.who_is_needed().await?;
            self.assume_with_code(&self.access.in_region(region), &request).await
        } else {
            let access = if claim.require_mfa { self.with_mfa().await? } else { &self.access };
            self.assume_under_either_name(&access.in_region(region), &request, claim).await
        };
        let session = session.map_err(|error| error.context(self.whose()))?;
        if session.arn.is_of(&claim.role) {
            return Ok(session);
        }
        let words = format!("AWS answered with a session of `{}`, and `{}` was asked for", session.arn, claim.role);
        Err(Error::new(Kind::Network, words).hint("check that the endpoint is AWS's and no proxy answers in its place"))
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
            self.who_am_i(&[]).await.map_err(Stop::into_error)?;
        }
        let mfa = &self.mfa.mfa;
        if self.mfa.serial.is_some() || mfa.code.is_some() {
            self.who_is_needed().await?;
            return mfa.session_to_keep(&self.access, &self.mfa_serial().await?).await;
        }
        sts::get_session_token(&self.access, None, mfa.duration().as_secs()).await
    }

    /// Returns whether AssumeRole itself must have the MFA code: with the user's MFA session, as with any session, AWS
    /// opens sessions of at most an hour.
    pub(super) fn takes_code(&self, claim: &Claim) -> bool {
        let is_long = claim.request.duration.is_some_and(SessionDuration::needs_access_key);
        claim.require_mfa && !self.access.is_session && is_long
    }

    /// Returns whether nobody can be asked for an MFA code that the role requires.
    #[must_use]
    pub fn lacks_code(&self, claim: &Claim) -> bool {
        claim.require_mfa && !self.access.is_session && !self.mfa.mfa.can_have_code()
    }

    /// Returns whether a session was not opened because there was no MFA code for it.
    #[must_use]
    pub fn lacked_code(&self) -> bool {
        self.mfa.mfa.lacked_code()
    }

    /// Assumes the role with the access key and a code, which serves this request alone.
    pub(super) async fn assume_with_code(&self, access: &Access, request: &AssumeRole) -> Result<Session> {
        let serial = self.mfa_serial().await?;
        let send = async |code: &MfaCode| {
            self.sent_code.store(true, Ordering::Relaxed);
            sts::assume_with(access, request, Some((&serial, code))).await
        };
        self.mfa.mfa.with_code(&serial, send).await
    }

    /// Refuses a device in the user's profile that has no codes, before anything is sent.
    pub(super) fn check_device(&self, claim: &Claim) -> std::result::Result<(), Stop> {
        match &self.mfa.serial {
            Some(serial) if claim.require_mfa && !self.access.is_session => {
                check_device(serial).map_err(|error| Stop::without_mfa(&error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the duration, or the longest that AWS allows with the credentials of a session: the rest of the link can be
    /// tested, too.
    pub(super) fn at_most(&self, asked: SessionDuration) -> SessionDuration {
        if self.access.is_session { asked.min(SessionDuration::LONGEST_OF_A_SESSION) } else { asked }
    }

    /// Refuses a duration that AWS does not allow with the credentials of a session.
    fn check_duration(&self, claim: &Claim) -> Result<()> {
        let longest = SessionDuration::LONGEST_OF_A_SESSION;
        match claim.request.duration.filter(|duration| self.access.is_session && duration.needs_access_key()) {
            None => Ok(()),
            Some(asked) => Err(Error::usage(format!(
                "these are session credentials ({}), which limit role sessions to {longest}; {asked} was requested",
                self.access.origin
            ))
            .hint(match self.principals.iter().all(PrincipalRef::acts_as_role) {
                true => format!("use --duration {longest}: sessions of a role open no longer ones"),
                false => {
                    format!("use --duration {longest}, or a profile with the user's access key: --user-profile NAME")
                }
            })),
        }
    }

    async fn with_mfa(&self) -> Result<&Access> {
        self.who_is_needed().await?;
        self.mfa_access().await.map_err(Stop::into_error)
    }

    /// Checks the owner of the credentials if the MFA device must be looked up by the user's name.
    async fn who_is_needed(&self) -> Result<()> {
        if self.mfa.serial.is_none() {
            self.who_am_i(&[]).await.map_err(Stop::into_error)?;
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
            return Err(Stop::NotProven(Box::new(step.because(error))));
        }
        let access = self.mfa_access.get_or_init(async || {
            let serial = self.mfa_serial().await?;
            let session = self.mfa.mfa.session(&self.access, &serial).await?;
            Ok(self.access.with_session(&session, format!("{}, with MFA", self.access.origin)))
        });
        access.await.as_ref().map_err(Stop::without_mfa)
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
        let has_security_key = self.mfa.serial.as_ref().is_some_and(MfaSerial::is_security_key);
        has_security_key || self.device.get().is_some_and(Result::is_err)
    }

    /// Returns the error for MFA with credentials that can have none.
    fn no_device(&self, caller: &CallerArn) -> Error {
        Error::new(Kind::Credentials, format!("`{caller}` is not a user, and only users have MFA devices"))
            .hint("use a profile with a user's access key: --user-profile NAME")
    }

    async fn find_device(&self) -> Result<MfaSerial> {
        let user = match self.principals.as_slice() {
            [PrincipalRef::User(user)] => user.name().clone(),
            _ => {
                let caller = self.caller().await?;
                caller.arn.user().ok_or_else(|| self.no_device(&caller.arn))?.name.clone()
            }
        };
        let user = &user;
        let devices = read::mfa_serials(&self.access, user).await.map_err(|error| {
            error
                .context(format!("cannot list the MFA devices of user `{user}`"))
                .hint("set mfa_serial = ARN in the user's profile in the AWS config file")
        })?;
        devices.into_iter().find(|serial| !serial.is_security_key()).ok_or_else(|| {
            Error::new(Kind::Credentials, format!("user `{user}` has no MFA device that generates codes"))
                .hint("add a virtual MFA device (an authenticator app) to the user; FIDO keys do not work with the API")
        })
    }
}
