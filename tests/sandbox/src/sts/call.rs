//! One call of an operation, and code that operations share.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::caller::Caller;
use crate::clock::iso8601;
use crate::error::ApiError;
use crate::request::Parameters;
use crate::world::{Accounts, Session, World};
use crate::xml::Xml;

/// One call of an operation.
pub(crate) struct Call<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) caller: &'a Caller,
    pub(crate) world: &'a mut World,
    /// The state that decisions use.
    pub(crate) honoured: Arc<Accounts>,
    pub(crate) now: OffsetDateTime,
}

/// Returns an error if STS does not serve this account in the Region of the call.
pub(super) fn check_region(call: &Call<'_>, account: &str) -> Result<(), ApiError> {
    if call.world.has_sts(account, &call.caller.region) {
        return Ok(());
    }
    let message = format!(
        "STS is not activated in this region for account:{account}. Your account administrator can activate STS in this \
         region using the IAM Console."
    );
    Err(ApiError::new(403, "RegionDisabledException", message))
}

pub(super) fn write_credentials(xml: &mut Xml, session: &Session) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &session.key.id);
        xml.text("SecretAccessKey", &session.key.secret);
        xml.text("SessionToken", &session.token);
        xml.text("Expiration", iso8601(session.expires));
    });
}
