//! STS: GetCallerIdentity, AssumeRole and GetSessionToken.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sdk_sts as sts;

use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::client::clock::Clock;
use crate::aws::client::error::Call;
use crate::aws::client::rate_limit::unless_throttled;
use crate::aws::keys::{SessionCredentials, fit_headers};
use crate::error::{Error, Result};
use crate::iam::arn::{CallerArn, RoleArn};
use crate::iam::names::{AccountId, ExternalId, MfaCode, MfaSerial, SessionDuration, SessionName, Tag};

/// The answer of GetCallerIdentity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The ARN of the principal.
    pub arn: CallerArn,
    /// The account ID.
    pub account: AccountId,
}

/// A role session.
#[derive(Debug, Clone)]
pub struct Session {
    /// The credentials of the session.
    pub credentials: SessionCredentials,
    /// The ARN of the session (`assumed-role/…`).
    pub arn: CallerArn,
    /// The time of AWS's clock when the session was opened, in whole seconds; `None` if the answer had none.
    pub opened_at: Option<SystemTime>,
}

/// The parameters of an AssumeRole request.
#[derive(Debug, Clone)]
pub struct AssumeRole {
    /// The role to assume.
    pub role: RoleArn,
    /// The role session name, which the target account sees in CloudTrail.
    pub session_name: SessionName,
    /// The external ID, if any.
    pub external_id: Option<ExternalId>,
    /// The session duration; AWS's default is one hour.
    pub duration: Option<SessionDuration>,
    /// Session tags.
    pub tags: Vec<Tag>,
    /// The source identity, if any.
    pub source_identity: Option<SessionName>,
}

impl AssumeRole {
    /// Creates a request with only the role and the session name.
    #[must_use]
    pub fn new(role: RoleArn, session_name: SessionName) -> Self {
        Self { role, session_name, external_id: None, duration: None, tags: Vec::new(), source_identity: None }
    }
}

/// Returns the principal of the credentials. The call needs no permission (STS API reference, GetCallerIdentity).
///
/// # Errors
/// When the credentials are not valid, or AWS cannot be reached.
pub async fn caller(access: &Access) -> Result<Caller> {
    identify(access, &Clock::default()).await
}

/// Returns the same, and the time of AWS's clock in whole seconds; `None` if the answer had none.
///
/// # Errors
/// As [`caller`].
pub async fn caller_and_time(access: &Access) -> Result<(Caller, Option<SystemTime>)> {
    let clock = Clock::default();
    let caller = identify(access, &clock).await?;
    Ok((caller, clock.time()))
}

async fn identify(access: &Access, clock: &Clock) -> Result<Caller> {
    const CALL: Call = Call::sts("GetCallerIdentity");
    let request = access.new_sts().get_caller_identity();
    let send = async || {
        let sent = request.clone().customize().interceptor(clock.clone()).send().await;
        sent.map_err(|error| CALL.failed(error))
    };
    let answer = unless_throttled(send).await;
    let answer = answer.map_err(|error| match (&access.signs_in, error.meaning()) {
        (Some(command), Some(Meaning::SessionExpired)) => {
            Error { hints: vec![format!("sign in again: {command}")], ..error }
        }
        _ => error,
    })?;
    let arn = CallerArn::parse(answer.arn().ok_or_else(|| CALL.lacks("ARN"))?);
    let account = answer.account().and_then(|account| account.parse().ok()).ok_or_else(|| CALL.lacks("account ID"))?;
    Ok(Caller { arn, account })
}

/// Assumes a role.
///
/// # Errors
/// When AWS cannot be reached or denies the request. The denial does not say which half of the link is wrong.
pub async fn assume(access: &Access, request: &AssumeRole) -> Result<Session> {
    assume_with(access, request, None).await
}

/// Assumes a role, with MFA if a device and a code are given. Only an access key can use them.
///
/// # Errors
/// When AWS cannot be reached or denies the request, or the code is wrong or already used.
pub async fn assume_with(
    access: &Access,
    request: &AssumeRole,
    mfa: Option<(&MfaSerial, &MfaCode)>,
) -> Result<Session> {
    const CALL: Call = Call::sts("AssumeRole");
    let tag = |tag: &Tag| sts::types::Tag::builder().key(tag.key.to_string()).value(tag.value.to_string()).build();
    let tags: Vec<_> = request.tags.iter().filter_map(|given| tag(given).ok()).collect();
    let request = access
        .sts()
        .assume_role()
        .role_arn(request.role.to_string())
        .role_session_name(request.session_name.to_string())
        .set_external_id(request.external_id.as_ref().map(ToString::to_string))
        .set_duration_seconds(request.duration.map(SessionDuration::as_secs))
        .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
        .set_source_identity(request.source_identity.as_ref().map(ToString::to_string))
        .set_serial_number(mfa.map(|(serial, _)| serial.to_string()))
        .set_token_code(mfa.map(|(_, code)| code.as_str().to_owned()));
    let clock = Clock::default();
    let send = async || {
        let sent = request.clone().customize().interceptor(clock.clone()).send().await;
        sent.map_err(|error| CALL.failed(error))
    };
    let answer = unless_throttled(send).await?;
    let arn = answer.assumed_role_user().map(|user| CallerArn::parse(user.arn()));
    let arn = arn.ok_or_else(|| CALL.lacks("session ARN"))?;
    let credentials = credentials(answer.credentials()).ok_or_else(|| CALL.lacks("credentials"))?;
    Ok(Session { credentials, arn, opened_at: clock.time() })
}

/// Gets a session token for the user, with MFA if a device and a code are given.
///
/// An MFA code works once, and testing a link takes several AssumeRole calls. With a session one code is enough, because
/// every call that the session signs counts as authenticated with MFA.
///
/// # Errors
/// When the code is wrong or already used, the device is not the user's, or the credentials are temporary.
pub async fn get_session_token(
    access: &Access,
    mfa: Option<(&MfaSerial, &MfaCode)>,
    seconds: i32,
) -> Result<SessionCredentials> {
    const CALL: Call = Call::sts("GetSessionToken");
    let request = access
        .sts()
        .get_session_token()
        .set_serial_number(mfa.map(|(serial, _)| serial.to_string()))
        .set_token_code(mfa.map(|(_, code)| code.as_str().to_owned()))
        .duration_seconds(seconds);
    let answer = unless_throttled(async || request.clone().send().await.map_err(|error| CALL.failed(error))).await?;
    credentials(answer.credentials()).ok_or_else(|| CALL.lacks("credentials"))
}

/// Converts the credentials of an STS answer.
pub(in crate::aws) fn credentials(answer: Option<&sts::types::Credentials>) -> Option<SessionCredentials> {
    let found = answer?;
    let expiry = SystemTime::try_from(*found.expiration()).ok();
    let token = Some(found.session_token().to_owned());
    let keys = Credentials::new(found.access_key_id(), found.secret_access_key(), token, expiry, "xacct");
    fit_headers(&keys).then_some(SessionCredentials(keys))
}
