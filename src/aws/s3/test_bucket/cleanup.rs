//! The test buckets that this run still has to delete, however it ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use crate::aws::client::access::Access;
use crate::aws::s3::test_bucket::requests::{delete, head, is_absent};
use crate::error::Result;
use crate::iam::names::AccountId;

/// The buckets that this run has created, or may have created, and not deleted yet.
///
/// A name is added before the request that creates the bucket, and removed after the bucket is gone. So the list is
/// complete however the run ends (an error, Ctrl-C, SIGTERM, a panic).
#[derive(Debug, Clone, Default)]
pub struct Leftovers(Arc<Mutex<Vec<Leftover>>>);

#[derive(Debug, Clone)]
struct Leftover {
    access: Access,
    name: String,
    owner: AccountId,
    /// Whether S3 confirmed its creation.
    answered: bool,
}

impl Leftovers {
    /// Deletes the buckets. Returns the names of those that could not be deleted.
    pub async fn delete_all(&self) -> Vec<String> {
        let left = std::mem::take(&mut *self.lock());
        let deletions =
            left.into_iter().map(|left| async move { left.delete().await.err().map(|_| left.name.clone()) });
        join_all(deletions).await.into_iter().flatten().collect()
    }

    /// Returns the names of the buckets to delete.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().iter().map(|left| left.name.clone()).collect()
    }

    /// Adds a bucket that is about to be created.
    pub(super) fn enter(&self, access: &Access, name: &str, owner: &AccountId) {
        let (access, name, owner) = (access.clone(), name.to_owned(), owner.clone());
        self.lock().push(Leftover { access, name, owner, answered: false });
    }

    /// Records that S3 confirmed the creation of the bucket.
    pub(super) fn answered(&self, name: &str) {
        self.lock().iter_mut().filter(|left| left.name == name).for_each(|left| left.answered = true);
    }

    /// Removes a bucket that is gone, or was never created.
    pub(super) fn gone(&self, name: &str) {
        self.lock().retain(|left| left.name != name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Leftover>> {
        // The list is valid after every statement, so a panic elsewhere cannot corrupt it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leftover {
    /// Deletes the bucket. An interrupted request may still be in flight, so a missing bucket is checked again a few times.
    async fn delete(&self) -> Result<()> {
        let mut pause = Duration::from_millis(250);
        let patience = if self.answered { 1 } else { 6 };
        for attempt in 1..=patience {
            match delete(&self.access, &self.name, &self.owner).await {
                Ok(()) => return Ok(()),
                Err(error) if !is_absent(&error) => return Err(error),
                Err(_) if attempt < patience => tokio::time::sleep(pause).await,
                // S3 may not see a bucket yet that exists: what a read still shows is not gone.
                Err(error) => return head(&self.access, &self.name, &self.owner).await.map_or(Ok(()), |()| Err(error)),
            }
            pause *= 2;
        }
        Ok(())
    }
}
