//! The names and tags of test buckets.

use std::time::Duration;

use tokio::sync::watch;

use crate::error::{Error, Kind, Result};
use crate::iam::names::{AccountId, BUCKET_PREFIX, Region, Tag, test_bucket_name};

/// The characters of the random part of a name.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The length of the random part.
const RANDOM_LETTERS: usize = 12;

/// The tag that explains the purpose of a test bucket to people who find one.
pub(in crate::aws) const PURPOSE_TAG: (&str, &str) = ("xacct:purpose", "verify");

/// The parameters of a test bucket.
#[derive(Debug, Clone)]
pub struct BucketSpec {
    /// Its name.
    pub name: String,
    /// The account that must own it.
    pub owner: AccountId,
    /// Tags that the organization requires.
    pub tags: Vec<Tag>,
    /// Whether the name is in the account-regional namespace.
    pub account_regional: bool,
    /// Closed when the request that opens the connection has ended, if there is one.
    pub(super) opening: Option<watch::Receiver<()>>,
}

/// The longest wait for it. If it takes longer, opening another one costs only that connection.
const LONGEST_OPENING: Duration = Duration::from_millis(100);

impl BucketSpec {
    /// Describes a bucket with an unused name: it has 60 random bits.
    ///
    /// # Errors
    /// When the system provides no random bytes.
    pub fn new(
        random: fn(&mut [u8]) -> std::io::Result<()>,
        owner: &AccountId,
        region: &Region,
        tags: Vec<Tag>,
        account_regional: bool,
    ) -> Result<Self> {
        let mut bytes = [0; RANDOM_LETTERS];
        random(&mut bytes).map_err(|error| Error::new(Kind::Internal, format!("cannot get random bytes: {error}")))?;
        // Bucket names are lower case, so a character encodes five bits.
        let suffix: String =
            bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31))).map(|c| char::from(*c)).collect();
        let name = test_bucket_name(&suffix, owner, region, account_regional);
        Ok(Self { name, owner: owner.clone(), tags, account_regional, opening: None })
    }

    /// Waits briefly for the connection that is being opened: opening another one would take longer.
    pub(super) async fn opened(&self) {
        if let Some(mut opening) = self.opening.clone() {
            // Nothing is ever sent: the sender goes with the request.
            let _ = tokio::time::timeout(LONGEST_OPENING, opening.changed()).await;
        }
    }
}

/// Whether [`BucketSpec::new`] can generate this name.
#[must_use]
pub fn is_test_bucket(name: &str, owner: &AccountId, region: &Region) -> bool {
    let Some(rest) = name.strip_prefix(BUCKET_PREFIX) else { return false };
    let regional = rest.strip_suffix(&format!("-{owner}-{region}-an"));
    let random = regional.or_else(|| rest.strip_prefix(&format!("{owner}-")));
    random.is_some_and(|random| random.len() == RANDOM_LETTERS && random.bytes().all(|byte| LETTERS.contains(&byte)))
}

#[cfg(test)]
mod tests;
