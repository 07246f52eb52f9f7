//! STS's query protocol, version 2011-06-15.

mod assume_role;
mod call;
mod mfa;
mod session_token;

use crate::error::ApiError;
use crate::xml::Xml;

pub(crate) use call::Call;

/// The API version, which identifies the service of requests without a signature.
pub(crate) const VERSION: &str = "2011-06-15";
/// XML namespace of all answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Carries out an operation, and returns the content of its result element.
pub(crate) fn handle(operation: &str, mut call: Call<'_>) -> Result<Xml, ApiError> {
    match operation {
        "GetCallerIdentity" => Ok(get_caller_identity(&call)),
        "AssumeRole" => assume_role::assume_role(&mut call),
        "GetSessionToken" => session_token::get_session_token(&mut call),
        _ => {
            let message = format!("Could not find operation {operation} for version {VERSION}");
            Err(ApiError::new(400, "InvalidAction", message))
        }
    }
}

/// Returns the caller. Needs no permission, and no policy can deny it.
fn get_caller_identity(call: &Call<'_>) -> Xml {
    Xml::build(|xml| {
        xml.text("Arn", &call.caller.arn);
        xml.text("UserId", call.caller.user_id());
        xml.text("Account", &call.caller.account);
    })
}
