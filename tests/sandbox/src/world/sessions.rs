//! Temporary credentials.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::{AccessKey, Tags};
use crate::random::{secret_key, session_token, unique_id};

/// Temporary credentials.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// Access key, `ASIA…`.
    pub key: AccessKey,
    /// Session token.
    pub token: String,
    /// Account of the session.
    pub account: String,
    /// The principal of the session.
    pub of: SessionOf,
    /// When it was created.
    #[serde(with = "time::serde::rfc3339")]
    pub issued: OffsetDateTime,
    /// When it expires.
    #[serde(with = "time::serde::rfc3339")]
    pub expires: OffsetDateTime,
    /// When the MFA code was given, for sessions from `GetSessionToken` with a code. Role sessions have no MFA.
    #[serde(with = "time::serde::rfc3339::option")]
    pub mfa: Option<OffsetDateTime>,
    /// Session tags.
    pub tags: Tags,
    /// Keys of the transitive tags, in lower case.
    pub transitive_tags: BTreeSet<String>,
    /// Source identity, which chained sessions inherit.
    pub source_identity: Option<String>,
    /// Session policies.
    pub policies: Vec<Value>,
    /// Whether its token has version 1, as from the global endpoint.
    #[serde(default)]
    pub is_version_1: bool,
}

/// The kind of principal of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionOf {
    /// A user, after `GetSessionToken`.
    User {
        /// Unique ID of the user.
        id: String,
    },
    /// The root user, after `GetSessionToken`.
    Root,
    /// A role, after `AssumeRole`.
    Role {
        /// Unique ID of the role.
        id: String,
        /// Session name.
        session_name: String,
    },
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("key", &self.key)
            .field("account", &self.account)
            .field("of", &self.of)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Returns new credentials.
    pub(crate) fn new(account: &str, of: SessionOf, now: OffsetDateTime, seconds: i64) -> Self {
        Session {
            key: AccessKey { id: unique_id("ASIA")[..20].to_owned(), secret: secret_key() },
            token: session_token(),
            account: account.to_owned(),
            of,
            issued: now,
            expires: now + Duration::seconds(seconds),
            mfa: None,
            tags: Tags::new(),
            transitive_tags: BTreeSet::new(),
            source_identity: None,
            policies: Vec::new(),
            is_version_1: false,
        }
    }

    /// Expires the credentials at once.
    pub fn expire(&mut self) {
        self.expires = OffsetDateTime::UNIX_EPOCH;
    }
}
