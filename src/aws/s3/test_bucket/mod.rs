//! The test bucket: xacct creates it, checks that the target account owns it, and deletes it, however the run ends.

use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, Tag};
use aws_smithy_types::retry::RetryConfig;
use tokio::sync::watch;

use crate::aws::client::access::Access;
use crate::aws::client::endpoints;
use crate::aws::client::error::Call;
use crate::error::{Error, Kind, Result};
use crate::iam::names::AccountId;

mod cleanup;
mod requests;
mod spec;

pub use cleanup::Leftovers;
pub(in crate::aws) use requests::delete;
pub use requests::{head, is_absent};
pub(in crate::aws) use spec::PURPOSE_TAG;
pub use spec::{BucketSpec, is_test_bucket};

/// Opens the connection to S3 in the background, by an anonymous request for the bucket that is about to be created. The
/// answer (no such bucket) is ignored.
pub fn connect_ahead(access: &Access, spec: &mut BucketSpec) {
    let Some(s3) = access.anonymous_s3() else { return };
    let (sender, opening) = watch::channel(());
    spec.opening = Some(opening);
    let asking = s3.head_bucket().bucket(&spec.name).send();
    tokio::spawn(async move {
        let _ = asking.await;
        drop(sender);
    });
}

/// Creates the bucket. Its name is in `leftovers` until the bucket is known not to exist.
///
/// # Errors
/// When S3 rejects the request, or cannot be reached.
pub async fn create(access: &Access, spec: &BucketSpec, leftovers: &Leftovers) -> Result<()> {
    const CALL: Call = Call::s3("CreateBucket");
    endpoints::check_s3(&access.config, &access.region)?;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let own = (!spec.tags.iter().any(|given| given.key.as_str() == PURPOSE_TAG.0)).then_some(PURPOSE_TAG);
    let tags = own
        .into_iter()
        .map(|(key, value)| tag(key, value))
        .chain(spec.tags.iter().map(|given| tag(given.key.as_str(), given.value.as_str())))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    // us-east-1 is the only Region that must not be given (S3 API reference, CreateBucket).
    let elsewhere =
        (access.region.as_str() != "us-east-1").then(|| BucketLocationConstraint::from(access.region.as_str()));
    let configuration =
        CreateBucketConfiguration::builder().set_location_constraint(elsewhere).set_tags(Some(tags)).build();
    spec.opened().await;
    leftovers.enter(access, &spec.name, &spec.owner);
    let request = access
        .s3()
        .create_bucket()
        .bucket(&spec.name)
        .create_bucket_configuration(configuration)
        .set_bucket_namespace(spec.account_regional.then_some(BucketNamespace::AccountRegional));
    let mut pause = Duration::from_millis(200);
    let mut may_exist = false;
    for attempt in 1.. {
        // Retried here, because the SDK cannot tell a first `BucketAlreadyOwnedByYou` from one after a lost answer.
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        let sent = request.clone().customize().config_override(once).send().await;
        let error = match sent.map_err(|error| CALL.failed(error)) {
            Ok(_) => break,
            // The name is random, so the answer to an earlier request was lost.
            Err(error) if may_exist && error.code() == Some("BucketAlreadyOwnedByYou") => break,
            Err(error) => error,
        };
        // The SDK takes the server's time from the answer to sign the next request.
        if error.code() == Some("RequestTimeTooSkewed") && attempt < 3 {
            continue;
        }
        if !error.may_have_been_done {
            if !may_exist {
                leftovers.gone(&spec.name);
            }
            return Err(error);
        }
        may_exist = true;
        if attempt == 3 {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    leftovers.answered(&spec.name);
    Ok(())
}

/// How the deletion of a bucket was confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// S3 deleted it and checked its owner.
    ByItsOwner,
    /// It is gone, but the answer that confirms its owner was lost.
    Unconfirmed,
}

/// Deletes the bucket if `owner` owns it, and removes it from `leftovers` once it is gone.
///
/// # Errors
/// When S3 rejects the request, or cannot be reached.
pub async fn remove(access: &Access, name: &str, owner: &AccountId, leftovers: &Leftovers) -> Result<Removed> {
    let mut pause = Duration::from_millis(200);
    let mut looked = 0;
    loop {
        match delete(access, name, owner).await {
            Ok(()) => {
                leftovers.gone(name);
                return Ok(Removed::ByItsOwner);
            }
            // Another change to the bucket is in progress, such as a deletion whose answer was lost.
            Err(error) if error.code() == Some("OperationAborted") && looked < 4 => looked += 1,
            Err(error) if !is_absent(&error) => return Err(error),
            // Either the answer to an earlier request was lost, or S3 does not see the bucket yet.
            Err(_) if looked == 4 => {
                // It stays on the list unless a read does not see it either.
                if head(access, name, owner).await.is_err_and(|error| is_absent(&error)) {
                    leftovers.gone(name);
                }
                return Ok(Removed::Unconfirmed);
            }
            Err(_) => looked += 1,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}
