//! STS's query protocol, version 2011-06-15.

mod assume_role;
mod mfa;

use std::sync::Arc;

use time::OffsetDateTime;

use crate::caller::{Caller, Kind};
use crate::clock::iso8601;
use crate::error::ApiError;
use crate::request::{Parameters, Validator};
use crate::world::{Accounts, Session, SessionOf, World};
use crate::xml::Xml;

/// Version of the API, which selects the service when requests carry no other hint.
pub(crate) const VERSION: &str = "2011-06-15";
/// XML namespace of all answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) caller: &'a Caller,
    pub(crate) world: &'a mut World,
    /// The state that decisions go by.
    pub(crate) honoured: Arc<Accounts>,
    pub(crate) now: OffsetDateTime,
}

/// Carries out an operation; gives the content of its result element.
pub(crate) fn handle(operation: &str, mut call: Call<'_>) -> Result<Xml, ApiError> {
    match operation {
        "GetCallerIdentity" => Ok(get_caller_identity(&call)),
        "AssumeRole" => assume_role::assume_role(&mut call),
        "GetSessionToken" => get_session_token(&mut call),
        _ => {
            let message = format!("Could not find operation {operation} for version {VERSION}");
            Err(ApiError::new(400, "InvalidAction", message))
        }
    }
}

/// Needs no permission, and no policy can deny it.
fn get_caller_identity(call: &Call<'_>) -> Xml {
    Xml::build(|xml| {
        xml.text("Arn", &call.caller.arn);
        xml.text("UserId", call.caller.user_id());
        xml.text("Account", &call.caller.account);
    })
}

/// Needs no permission; only long-term keys may call it.
fn get_session_token(call: &mut Call<'_>) -> Result<Xml, ApiError> {
    let mut validator = Validator::default();
    let duration = call.parameters.get("DurationSeconds");
    let duration = validator.number("durationSeconds", duration, 900..=129_600)?;
    mfa::validate(&mut validator, call.parameters);
    validator.finish()?;
    if call.caller.session.is_some() {
        return Err(ApiError::access_denied("Cannot call GetSessionToken with session credentials"));
    }
    check_region(call, &call.caller.account)?;
    let mfa = mfa::check(call)?;
    let (of, longest) = match call.caller.kind {
        Kind::Root => (SessionOf::Root, 3600),
        _ => (SessionOf::User { id: call.caller.unique_id.clone() }, 129_600),
    };
    let session = Session {
        mfa: mfa.then_some(call.now),
        ..Session::new(&call.caller.account, of, call.now, duration.unwrap_or(43_200).min(longest))
    };
    let answer = Xml::build(|xml| write_credentials(xml, &session));
    call.world.sessions.insert(session.key.id.clone(), session);
    Ok(answer)
}

/// Whether STS serves this account in the region of the call.
fn check_region(call: &Call<'_>, account: &str) -> Result<(), ApiError> {
    if call.world.has_sts(account, &call.caller.region) {
        return Ok(());
    }
    let message = format!(
        "STS is not activated in this region for account:{account}. Your account administrator can activate STS in this \
         region using the IAM Console."
    );
    Err(ApiError::new(403, "RegionDisabledException", message))
}

fn write_credentials(xml: &mut Xml, session: &Session) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &session.key.id);
        xml.text("SecretAccessKey", &session.key.secret);
        xml.text("SessionToken", &session.token);
        xml.text("Expiration", iso8601(session.expires));
    });
}
