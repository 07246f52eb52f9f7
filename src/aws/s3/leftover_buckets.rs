//! Test buckets left behind by interrupted runs: found by name and tag, and deleted if they are empty.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::client::access::Access;
use crate::aws::client::bounds::MOST_PAGES;
use crate::aws::client::error::Call;
use crate::aws::s3::test_bucket::{self, PURPOSE_TAG, is_test_bucket};
use crate::error::{Error, Result};
use crate::iam::names::{AccountId, BUCKET_PREFIX, Region};

/// How many buckets to check, or delete, concurrently.
pub const AT_ONCE: usize = 8;

/// A bucket whose name has the prefix of test buckets.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its Region.
    pub region: Region,
    /// When it was created; `None` if S3 did not say.
    pub created: Option<SystemTime>,
    /// How long ago that was.
    pub age: Duration,
    /// Its tags; empty if they were not read, because there was already a reason to keep it.
    pub tags: BTreeMap<String, String>,
    /// The reason to keep it, if any.
    pub left: Option<Left>,
}

/// Why a bucket is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// xacct does not create buckets of this name in this account.
    OtherName,
    /// It may belong to a run in progress.
    Young,
    /// It is not tagged as a test bucket.
    NoTag,
    /// It contains objects.
    NotEmpty,
}

/// Lists all buckets of the account whose name has the prefix of test buckets, and checks those that would be deleted.
///
/// # Errors
/// When S3 rejects the request, or cannot be reached.
pub async fn find(access: &Access, account: &AccountId, older_than: Duration, now: SystemTime) -> Result<Vec<Found>> {
    let all = list(access, BUCKET_PREFIX, account, older_than, now).await?;
    let looks = stream::iter(all).map(async |mut found| {
        if found.left.is_none() {
            match look_into(access, &found, account).await {
                Ok((tags, left)) => (found.tags, found.left) = (tags, left),
                // Its own run, or another cleanup, has deleted it in the meantime.
                Err(error) if test_bucket::is_absent(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok::<_, Error>(Some(found))
    });
    looks.buffered(AT_ONCE).try_filter_map(async |found| Ok(found)).try_collect().await
}

/// Lists the account's buckets whose names have this prefix.
async fn list(
    access: &Access,
    prefix: &str,
    account: &AccountId,
    older_than: Duration,
    now: SystemTime,
) -> Result<Vec<Found>> {
    const CALL: Call = Call::s3("ListBuckets");
    // Unpaginated lists fail in accounts with more than 10,000 buckets (S3 API reference, ListBuckets).
    let mut pages = access.s3().list_buckets().prefix(prefix).max_buckets(1000).into_paginator().send();
    let mut all = Vec::new();
    for number in 0.. {
        let Some(page) = pages.next().await else { break };
        if number == MOST_PAGES {
            return Err(CALL.is_endless());
        }
        for bucket in page.map_err(|error| CALL.failed(error))?.buckets() {
            let Some(name) = bucket.name().filter(|name| name.starts_with(prefix)) else { continue };
            let region = bucket.bucket_region().and_then(|region| region.parse().ok());
            let region: Region = region.unwrap_or_else(|| access.region.clone());
            let created = bucket.creation_date().and_then(|date| SystemTime::try_from(*date).ok());
            let age = created.and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            let left = match () {
                () if !is_test_bucket(name, account, &region) => Some(Left::OtherName),
                () if age < older_than => Some(Left::Young),
                () => None,
            };
            all.push(Found { name: name.to_owned(), region, created, age, tags: BTreeMap::new(), left });
        }
    }
    Ok(all)
}

/// Returns in what the bucket is not as it was found, by looking once more; `None` if it is gone.
///
/// # Errors
/// When S3 rejects a request, or cannot be reached.
pub async fn changed(access: &Access, found: &Found, owner: &AccountId) -> Result<Option<Vec<&'static str>>> {
    let (listed, looked) = tokio::join!(
        list(access, &found.name, owner, Duration::ZERO, SystemTime::now()),
        look_into(access, found, owner),
    );
    let Some(now) = listed?.into_iter().find(|listed| listed.name == found.name) else { return Ok(None) };
    let (tags, left) = match looked {
        Err(error) if test_bucket::is_absent(&error) => return Ok(None),
        looked => looked?,
    };
    let parts = [
        ("age", now.created != found.created),
        ("region", now.region != found.region),
        ("tags", tags != found.tags),
        ("content", left == Some(Left::NotEmpty)),
    ];
    Ok(Some(parts.into_iter().filter_map(|(part, differs)| differs.then_some(part)).collect()))
}

/// Reads the tags of a bucket, and why it is kept, if it is.
async fn look_into(
    access: &Access,
    found: &Found,
    owner: &AccountId,
) -> Result<(BTreeMap<String, String>, Option<Left>)> {
    let s3 = access.in_region(&found.region).s3();
    let tags = s3.get_bucket_tagging().bucket(&found.name).expected_bucket_owner(owner.to_string()).send().await;
    let tags: BTreeMap<_, _> = match tags.map_err(|error| Call::s3("GetBucketTagging").failed(error)) {
        Ok(tags) => tags.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        Err(error) if error.code() == Some("NoSuchTagSet") => BTreeMap::new(),
        Err(error) => return Err(error.context(format!("bucket {}", found.name))),
    };
    if !tags.contains_key(PURPOSE_TAG.0) {
        return Ok((tags, Some(Left::NoTag)));
    }
    let objects = s3.list_objects_v2().bucket(&found.name).max_keys(1).expected_bucket_owner(owner.to_string());
    let objects = objects
        .send()
        .await
        .map_err(|error| Call::s3("ListObjectsV2").failed(error).context(format!("bucket {}", found.name)))?;
    Ok((tags, (!objects.contents().is_empty()).then_some(Left::NotEmpty)))
}

/// Deletes the bucket if it is still empty and the account owns it; S3 checks both. Otherwise returns why it is kept.
///
/// # Errors
/// When S3 rejects the request, or cannot be reached.
pub async fn delete(access: &Access, found: &Found, owner: &AccountId) -> Result<Option<Left>> {
    match test_bucket::delete(&access.in_region(&found.region), &found.name, owner).await {
        Ok(()) => Ok(None),
        Err(error) if test_bucket::is_absent(&error) => Ok(None),
        Err(error) if error.code() == Some("BucketNotEmpty") => Ok(Some(Left::NotEmpty)),
        Err(error) => Err(error),
    }
}
