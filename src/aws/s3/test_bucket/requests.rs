//! Single requests for one bucket. Each requires the expected bucket owner.

use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::client::error::Call;
use crate::aws::client::fate::Fate;
use crate::error::{Error, Result};
use crate::iam::names::AccountId;

/// Checks that the bucket exists and is owned by `owner`.
///
/// # Errors
/// `NotFound` when there is no such bucket, `AccessDenied` when another account owns it.
pub async fn head(access: &Access, name: &str, owner: &AccountId) -> Result<()> {
    const CALL: Call = Call::s3("HeadBucket");
    let request = access.s3().head_bucket().bucket(name).expected_bucket_owner(owner.to_string());
    request.send().await.map(drop).map_err(|error| CALL.failed(error))
}

/// Deletes the bucket.
///
/// # Errors
/// `NoSuchBucket` when there is no such bucket, `AccessDenied` when another account owns it, `BucketNotEmpty`.
pub(in crate::aws) async fn delete(access: &Access, name: &str, owner: &AccountId) -> Result<()> {
    const CALL: Call = Call::s3("DeleteBucket");
    let request = access.s3().delete_bucket().bucket(name).expected_bucket_owner(owner.to_string());
    let fate = Fate::default();
    let sent = request.customize().interceptor(fate.clone()).send().await;
    sent.map(drop).map_err(|error| fate.of(CALL.failed(error)))
}

/// Whether the error means that there is no such bucket.
#[must_use]
pub fn is_absent(error: &Error) -> bool {
    error.meaning() == Some(Meaning::Absent)
}
