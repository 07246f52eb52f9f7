//! The MFA parameters of AssumeRole and GetSessionToken.

use super::call::Call;
use crate::caller::Kind;
use crate::error::ApiError;
use crate::request::{Parameters, Pattern, Validator};
use crate::totp;

/// Checks the format of the parameters.
pub(super) fn validate(validator: &mut Validator, parameters: &Parameters) {
    let serial = parameters.get("SerialNumber");
    validator.text("serialNumber", serial, 9..=256, Pattern::SERIAL_NUMBER);
    let code = parameters.get("TokenCode");
    validator.text("tokenCode", code, 6..=6, Pattern::DIGITS);
}

/// Returns whether the call has a valid MFA code. The codes of the previous and the next step are valid too, each once.
pub(super) fn check(call: &mut Call<'_>) -> Result<bool, ApiError> {
    let serial = call.parameters.get("SerialNumber");
    let (serial, code) = match (serial, call.parameters.get("TokenCode")) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => {
            return Err(ApiError::access_denied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code. ",
            ));
        }
    };
    // Only the user's own devices are valid, and role sessions have none.
    let user = match call.caller.kind {
        Kind::User => {
            let account = call.world.account(&call.caller.account);
            account.and_then(|account| account.user_by_id(&call.caller.unique_id))
        }
        Kind::Root | Kind::Role => None,
    };
    let mut devices = user.iter().flat_map(|user| &user.mfa_devices);
    let Some(device) = devices.find(|device| device.serial == serial) else {
        return Err(ApiError::access_denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is \
             valid and associated with this user.",
        ));
    };
    let now = totp::step(call.now);
    let fresh = (now - 1..=now + 1).find(|step| {
        totp::code(&device.seed, *step) == code && !call.world.used_codes.contains(&(serial.to_owned(), *step))
    });
    match fresh {
        Some(step) => {
            call.world.used_codes.insert((serial.to_owned(), step));
            Ok(true)
        }
        None => Err(ApiError::access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")),
    }
}
