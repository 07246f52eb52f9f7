//! Credentials, and regions to use them in.

use aws_sdk_sts::types::Credentials;

/// The region where nothing else is said.
pub const US_EAST_1: &str = "us-east-1";
/// A region whose buckets need a location.
pub const EU_WEST_1: &str = "eu-west-1";
/// Credentials.
#[derive(Clone)]
pub struct Keys {
    /// Access key ID.
    pub id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token, with temporary credentials.
    pub token: Option<String>,
}

impl Keys {
    /// The credentials that AssumeRole or GetSessionToken gave.
    pub fn temporary(credentials: Option<&Credentials>) -> Self {
        let credentials = credentials.expect("credentials");
        Self {
            id: credentials.access_key_id().to_owned(),
            secret: credentials.secret_access_key().to_owned(),
            token: Some(credentials.session_token().to_owned()),
        }
    }
}
