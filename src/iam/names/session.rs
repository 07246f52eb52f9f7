//! The parameters of an AssumeRole request.

use std::fmt;
use std::str::FromStr;

use super::text::{ASCII, check, check_name, check_not_reserved, counted, text_type, whitespace_hint};
use crate::iam::invalid::Invalid;

text_type! {
    /// The name of a session, which the target account sees in its logs: 2 to 64 of `[\w+=,.@-]`
    /// (AWS STS API reference, `AssumeRole`).
    SessionName, |value| check_name("session name", (2, 64), value)
}

text_type! {
    /// The external ID that a trust policy requires: 2 to 1224 of `[\w+=,.@:/-]`
    /// (AWS STS API reference, `AssumeRole`). AWS does not treat it as a secret.
    ExternalId, |value| check("external ID", (2, 1224), ASCII, "_+=,.@:/-", value)
}

impl ExternalId {
    /// The number of random bytes for a generated external ID.
    pub const RANDOM_BYTES: usize = 20;

    /// Returns an external ID of 32 characters, `0` to `9` and `a` to `v`, with all 160 bits of `random` and no bias,
    /// because each character is exactly five bits.
    pub fn from_random_bytes(random: &[u8; Self::RANDOM_BYTES]) -> Self {
        let mut text = String::with_capacity(32);
        for chunk in random.chunks_exact(5) {
            let forty_bits = chunk.iter().fold(0_u64, |bits, &byte| (bits << 8) | u64::from(byte));
            for shift in [35, 30, 25, 20, 15, 10, 5, 0] {
                let five_bits = u32::try_from((forty_bits >> shift) & 0b11111);
                text.extend(five_bits.ok().and_then(|digit| char::from_digit(digit, 32)));
            }
        }
        Self(text)
    }
}

text_type! {
    /// The source identity, which chained sessions inherit: 2 to 64 of `[\w+=,.@-]`, not beginning with `aws:`
    /// (AWS STS API reference, `AssumeRole`).
    SourceIdentity, |value| {
        check_not_reserved("source identity", value)?;
        check_name("source identity", (2, 64), value)
    }
}

text_type! {
    /// An MFA device: the serial number of a hardware token or the ARN of a virtual device, 9 to 256 of `[\w+=/:,.@-]`
    /// (AWS STS API reference, `AssumeRole`).
    MfaSerial, |value| {
        check("MFA serial", (9, 256), ASCII, "_+=/:,.@-", value).map_err(|error| {
            let forms = "use the token's serial number, or the device's ARN such as `arn:aws:iam::111111111111:mfa/alice`";
            error.with_fix(whitespace_hint(value).or_else(|| Some(forms.to_owned())))
        })
    }
}

impl MfaSerial {
    /// Returns whether this is a security key or a passkey, which STS cannot check: it takes only codes of six digits
    /// (IAM User Guide, FIDO2 security keys; both have the ARN `arn:aws:iam::111111111111:u2f/user/alice/NAME`).
    pub fn is_security_key(&self) -> bool {
        self.0.contains(":u2f/")
    }
}

/// An MFA code: exactly 6 ASCII digits (AWS STS API reference, `AssumeRole`, `TokenCode`).
///
/// The code is a secret: `Debug` and errors hide it, and it has neither `Display` nor serialisation.
#[derive(Clone, PartialEq, Eq)]
pub struct MfaCode(String);

impl MfaCode {
    /// Returns the code, only for sending it to AWS.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MfaCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MfaCode(…)")
    }
}

impl FromStr for MfaCode {
    type Err = Invalid;

    fn from_str(value: &str) -> Result<Self, Invalid> {
        let length = value.chars().count();
        let rule = if !value.chars().all(|character| character.is_ascii_digit()) {
            "contains characters other than the digits 0 to 9".to_owned()
        } else if length != 6 {
            format!("has {}, exactly 6 are required", counted(length, "digit"))
        } else {
            return Ok(Self(value.to_owned()));
        };
        let fix = "use the 6 digits that the MFA device shows now";
        Err(Invalid::new("MFA code", "…", rule, fix))
    }
}
