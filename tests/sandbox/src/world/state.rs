//! Everything there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::{Accounts, Bucket};
use super::sessions::Session;

/// Everything there is. What tests change by hand takes effect at once; only changes through the wire propagate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct World {
    pub(crate) accounts: Arc<Accounts>,
    /// Temporary credentials by access key ID.
    pub(crate) sessions: BTreeMap<String, Session>,
    /// Buckets of all accounts: their names share one namespace.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// Which codes of which MFA device were used; a code works once.
    pub(crate) used_codes: BTreeSet<(String, i64)>,
    /// Accounts with regions in which they have STS switched off.
    pub(crate) sts_disabled: BTreeSet<(String, String)>,
    /// Accounts with opt-in regions that they have not enabled.
    pub(crate) regions_disabled: BTreeSet<(String, String)>,
}
