//! The caller: checks the credentials of a request as AWS does.

use serde_json::Value;
use time::OffsetDateTime;

use crate::clock::{Clock, basic};
use crate::error::ApiError;
use crate::request::Request;
use crate::sigv4::{Authorization, payload_matches, request_time};
use crate::world::{Account, Session, SessionOf, Tags, World};

/// The services of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Iam,
    Sts,
    S3,
}

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Service::Iam => "iam",
            Service::Sts => "sts",
            Service::S3 => "s3",
        }
    }
}

/// The kind of principal of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    User,
    Role,
}

/// The authenticated caller of a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) kind: Kind,
    /// `AIDA…`, `AROA…`, or the account ID for root.
    pub(crate) unique_id: String,
    /// Name of the user or role.
    pub(crate) name: String,
    /// The ARN in error messages; for a role session, that of the session.
    pub(crate) arn: String,
    /// The ARN of the user or role itself, with its path: `aws:PrincipalArn`.
    pub(crate) principal_arn: String,
    /// Tags of the user or role, and session tags, which override them.
    pub(crate) tags: Tags,
    /// The session, if the credentials are temporary.
    pub(crate) session: Option<Session>,
    /// The Region in the signature.
    pub(crate) region: String,
}

impl Caller {
    /// `aws:userid`.
    pub(crate) fn user_id(&self) -> String {
        match self.session.as_ref().map(|session| &session.of) {
            Some(SessionOf::Role { session_name, .. }) => {
                format!("{}:{session_name}", self.unique_id)
            }
            _ => self.unique_id.clone(),
        }
    }

    /// Returns the session policies, if there are any. They limit the session's permissions.
    pub(crate) fn session_policies(&self) -> &[Value] {
        self.session.as_ref().map_or(&[], |session| session.policies.as_slice())
    }
}

/// Authenticates the request. Compares signature times with the wall clock, and expiries with the movable clock.
pub(crate) fn authenticate(
    request: &Request,
    service: Service,
    world: &World,
    clock: &Clock,
) -> Result<Caller, ApiError> {
    let s3 = service == Service::S3;
    let Some(header) = request.header("authorization") else {
        return Err(if s3 {
            ApiError::access_denied("Access Denied")
        } else {
            ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        });
    };
    let authorization = Authorization::parse(header).map_err(|problem| {
        if s3 {
            let message = format!("The authorization header is malformed; {problem}");
            ApiError::new(400, "AuthorizationHeaderMalformed", message)
        } else {
            ApiError::new(400, "IncompleteSignature", problem)
        }
    })?;
    check_scope(&authorization, service)?;

    let unknown_key = || {
        if s3 {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            ApiError::new(403, "InvalidAccessKeyId", message)
                .with_detail("AWSAccessKeyId", authorization.access_key.clone())
        } else {
            invalid_token()
        }
    };
    let token = request.header("x-amz-security-token");
    let (secret, caller) = if let Some(session) = world.sessions.get(&authorization.access_key) {
        match token {
            Some(token) if token == session.token => {}
            Some(_) => return Err(wrong_token(s3)),
            // Without a token, only long-term keys match.
            None => return Err(unknown_key()),
        }
        if session.is_version_1 && is_opt_in(&authorization.region) {
            return Err(wrong_token(s3));
        }
        let caller = caller_of_session(session, world, &authorization.region);
        (&session.key.secret, caller.ok_or_else(unknown_key)?)
    } else {
        let found = world.accounts.values().find_map(|account| caller_of_key(account, &authorization));
        let (secret, caller) = found.ok_or_else(unknown_key)?;
        if token.is_some() {
            return Err(wrong_token(s3));
        }
        (secret, caller)
    };
    if !world.has_region(&caller.account, &authorization.region) {
        return Err(unknown_key());
    }

    check_time(request, &authorization, s3, clock.wall())?;
    if !authorization.verifies(request, secret) {
        return Err(ApiError::new(
            403,
            "SignatureDoesNotMatch",
            if s3 {
                "The request signature we calculated does not match the signature you provided. Check your key and signing \
             method."
            } else {
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details."
            },
        ));
    }
    if !payload_matches(request) {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(ApiError::new(400, "XAmzContentSHA256Mismatch", message));
    }
    let expired = |session: &Session| session.expires <= clock.now();
    if caller.session.as_ref().is_some_and(expired) {
        return Err(if s3 {
            ApiError::new(400, "ExpiredToken", "The provided token has expired.")
        } else {
            let message = "The security token included in the request is expired";
            ApiError::new(403, "ExpiredToken", message)
        });
    }
    Ok(caller)
}

fn invalid_token() -> ApiError {
    let message = "The security token included in the request is invalid.";
    ApiError::new(403, "InvalidClientTokenId", message)
}

fn wrong_token(s3: bool) -> ApiError {
    if s3 {
        let message = "The provided token is malformed or otherwise invalid.";
        ApiError::new(400, "InvalidToken", message)
    } else {
        invalid_token()
    }
}

fn check_scope(authorization: &Authorization, service: Service) -> Result<(), ApiError> {
    if authorization.service != service.name() {
        let message = format!("Credential should be scoped to correct service: '{}'. ", service.name());
        return Err(ApiError::new(403, "SignatureDoesNotMatch", message));
    }
    if !is_region(&authorization.region) {
        let message = "Credential should be scoped to a valid region. ";
        return Err(ApiError::new(403, "SignatureDoesNotMatch", message));
    }
    Ok(())
}

/// Returns whether a text has the form of a Region name in partition `aws`.
pub(crate) fn is_region(text: &str) -> bool {
    const AREAS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];
    let parts: Vec<&str> = text.split('-').collect();
    let [area, place, number] = parts[..] else { return false };
    AREAS.contains(&area)
        && !place.is_empty()
        && place.bytes().all(|byte| byte.is_ascii_lowercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether accounts must enable a Region before they use it: all Regions since March 2019.
fn is_opt_in(region: &str) -> bool {
    const ALWAYS_ON: [&str; 17] = [
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "ca-central-1",
        "sa-east-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-southeast-1",
        "ap-southeast-2",
    ];
    !ALWAYS_ON.contains(&region)
}

fn check_time(request: &Request, authorization: &Authorization, s3: bool, now: OffsetDateTime) -> Result<(), ApiError> {
    let mismatch = |message: String| ApiError::new(403, "SignatureDoesNotMatch", message);
    let Some(signed) = request_time(request) else {
        return Err(if s3 {
            ApiError::access_denied("AWS authentication requires a valid Date or x-amz-date header")
        } else {
            ApiError::new(400, "IncompleteSignature", "Date must be in ISO-8601 'basic format'.")
        });
    };
    let signed_text = basic(signed);
    if !signed_text.starts_with(&authorization.date) {
        return Err(mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', \
             from '{signed_text}'.",
            authorization.date,
            &signed_text[..8],
        )));
    }
    let tolerance = time::Duration::minutes(if s3 { 15 } else { 5 });
    if (now - signed).abs() <= tolerance {
        Ok(())
    } else if s3 {
        let message = "The difference between the request time and the current time is too large.";
        Err(ApiError::new(403, "RequestTimeTooSkewed", message)
            .with_detail("RequestTime", signed_text)
            .with_detail("ServerTime", crate::clock::iso8601(now))
            .with_detail("MaxAllowedSkewMilliseconds", "900000"))
    } else if signed < now {
        Err(mismatch(format!(
            "Signature expired: {signed_text} is now earlier than {} ({} - 5 min.)",
            basic(now - tolerance),
            basic(now),
        )))
    } else {
        Err(mismatch(format!(
            "Signature not yet current: {signed_text} is still later than {} ({} + 5 min.)",
            basic(now + tolerance),
            basic(now),
        )))
    }
}

fn caller_of_key<'a>(account: &'a Account, authorization: &Authorization) -> Option<(&'a String, Caller)> {
    let region = &authorization.region;
    let is_key = |key: &&crate::world::AccessKey| key.id == authorization.access_key;
    if let Some(key) = account.root_keys.iter().find(is_key) {
        return Some((&key.secret, root(account, region)));
    }
    account.users.values().find_map(|user| {
        let key = user.keys.iter().find(is_key).filter(|key| !user.inactive_keys.contains(&key.id))?;
        Some((&key.secret, caller_of_user(account, &user.id, region)?))
    })
}

fn root(account: &Account, region: &str) -> Caller {
    let arn = format!("arn:aws:iam::{}:root", account.id);
    Caller {
        account: account.id.clone(),
        kind: Kind::Root,
        unique_id: account.id.clone(),
        name: "root".to_owned(),
        arn: arn.clone(),
        principal_arn: arn,
        tags: Tags::new(),
        session: None,
        region: region.to_owned(),
    }
}

fn caller_of_user(account: &Account, id: &str, region: &str) -> Option<Caller> {
    let user = account.user_by_id(id)?;
    let arn = account.user_arn(user);
    Some(Caller {
        account: account.id.clone(),
        kind: Kind::User,
        unique_id: user.id.clone(),
        name: user.name.clone(),
        arn: arn.clone(),
        principal_arn: arn,
        tags: user.tags.clone(),
        session: None,
        region: region.to_owned(),
    })
}

/// Returns `None` if the user or role was deleted, which ends its sessions.
fn caller_of_session(session: &Session, world: &World, region: &str) -> Option<Caller> {
    let account = world.account(&session.account)?;
    let caller = match &session.of {
        SessionOf::Root => root(account, region),
        SessionOf::User { id } => caller_of_user(account, id, region)?,
        SessionOf::Role { id, session_name } => {
            let role = account.role_by_id(id)?;
            let mut tags = role.tags.clone();
            // A session tag replaces a role tag with the same key, case-insensitively.
            tags.retain(|key, _| !session.tags.keys().any(|session_key| session_key.eq_ignore_ascii_case(key)));
            tags.extend(session.tags.clone());
            Caller {
                account: account.id.clone(),
                kind: Kind::Role,
                unique_id: role.id.clone(),
                name: role.name.clone(),
                // The ARN of a session does not contain the role's path.
                arn: format!("arn:aws:sts::{}:assumed-role/{}/{session_name}", account.id, role.name),
                principal_arn: account.role_arn(role),
                tags,
                session: None,
                region: region.to_owned(),
            }
        }
    };
    Some(Caller { session: Some(session.clone()), ..caller })
}
