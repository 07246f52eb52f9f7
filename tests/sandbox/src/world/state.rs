//! The whole state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::{Accounts, Bucket};
use super::sessions::Session;

/// The whole state. Direct changes by tests take effect at once; only changes by requests propagate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct World {
    pub(crate) accounts: Arc<Accounts>,
    /// Temporary credentials by access key ID.
    pub(crate) sessions: BTreeMap<String, Session>,
    /// Buckets of all accounts, whose names share one namespace.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// Used codes of each MFA device, because a code works only once.
    pub(crate) used_codes: BTreeSet<(String, i64)>,
    /// Accounts with Regions in which STS is inactive for them.
    pub(crate) sts_disabled: BTreeSet<(String, String)>,
    /// Accounts with opt-in regions that they have not enabled.
    pub(crate) regions_disabled: BTreeSet<(String, String)>,
    /// New accounts, for which S3 is not activated yet.
    #[serde(default)]
    pub(crate) not_signed_up: BTreeSet<String>,
    /// Whether STS answers as its global endpoint does: with tokens of version 1.
    #[serde(default)]
    pub(crate) is_global_endpoint: bool,
}
