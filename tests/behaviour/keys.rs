//! Credentials and Regions.

use aws_sdk_sts::types::Credentials;

/// The default Region.
pub const US_EAST_1: &str = "us-east-1";
/// A Region whose buckets need a location constraint.
pub const EU_WEST_1: &str = "eu-west-1";
/// Credentials.
#[derive(Clone)]
pub struct Keys {
    /// Access key ID.
    pub id: String,
    /// Secret access key.
    pub secret: String,
    /// The session token of temporary credentials.
    pub token: Option<String>,
}

impl Keys {
    /// Converts the credentials of AssumeRole or GetSessionToken.
    pub fn temporary(credentials: Option<&Credentials>) -> Self {
        let credentials = credentials.expect("credentials");
        Self {
            id: credentials.access_key_id().to_owned(),
            secret: credentials.secret_access_key().to_owned(),
            token: Some(credentials.session_token().to_owned()),
        }
    }
}
