//! `GetSessionToken`.

use super::call::{Call, check_region, write_credentials};
use super::mfa;
use crate::caller::Kind;
use crate::error::ApiError;
use crate::request::Validator;
use crate::world::{Session, SessionOf};
use crate::xml::Xml;

/// Returns a session. Needs no permission, but long-term keys.
pub(super) fn get_session_token(call: &mut Call<'_>) -> Result<Xml, ApiError> {
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
        is_version_1: call.world.is_global_endpoint,
        ..Session::new(&call.caller.account, of, call.now, duration.unwrap_or(43_200).min(longest))
    };
    let answer = Xml::build(|xml| write_credentials(xml, &session));
    call.world.sessions.insert(session.key.id.clone(), session);
    Ok(answer)
}
