//! Temporary credentials, and the only access to their secrets.

use std::fmt;
use std::time::SystemTime;

use aws_credential_types::Credentials;

/// Temporary credentials. `Debug` is redacted.
#[derive(Debug, Clone)]
pub struct SessionCredentials(pub(in crate::aws) Credentials);

/// Whether the access key ID and the session token can be sent in headers. The SDK panics if they cannot, for example if a
/// key contains a line feed. An ID with `/`, `+` or `=` is no ID, but perhaps a secret in its place, which AWS would repeat
/// in its answer (IAM API reference, AccessKey: the pattern of AccessKeyId is `[\w]+`).
pub(in crate::aws) fn fit_headers(keys: &Credentials) -> bool {
    let is_id = keys.access_key_id().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    is_id && keys.session_token().is_none_or(|token| token.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// The secrets of a session. `Debug` is redacted; only commands whose purpose is to print credentials show them.
pub struct Keys<'a> {
    /// The access key ID.
    pub access_key_id: &'a str,
    /// The secret access key.
    pub secret_access_key: &'a str,
    /// The session token; every session has one.
    pub session_token: Option<&'a str>,
    /// When they expire.
    pub expires: Option<SystemTime>,
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl SessionCredentials {
    /// Returns a session that no AWS opened.
    #[cfg(test)]
    pub fn for_test(expires: Option<SystemTime>) -> Self {
        Self(Credentials::new("AKIATEST", "secret", Some("token".to_owned()), expires, "test"))
    }

    /// Returns the secrets: for commands that print or pass on credentials, and for the session cache.
    #[must_use]
    pub fn reveal(&self) -> Keys<'_> {
        Keys {
            access_key_id: self.0.access_key_id(),
            secret_access_key: self.0.secret_access_key(),
            session_token: self.0.session_token(),
            expires: self.0.expiry(),
        }
    }
}
