//! The test bucket: made, proven to be the target account's, and deleted again on every way out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, Tag};
use aws_smithy_types::retry::RetryConfig;

use crate::aws::client::access::Access;
use crate::aws::client::error::Call;
use crate::error::{Error, Kind, Result};
use crate::iam::names::{self, AccountId, Region};

/// What every test bucket's name begins with; `policies/verify-bucket.json` allows these names and no others.
pub const BUCKET_PREFIX: &str = "xacct-verify-";

/// What the random part of a name is made of.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The length of the random part.
const RANDOM_LETTERS: usize = 12;

/// The tag that says what a test bucket is for, in case someone finds one.
pub(in crate::aws) const PURPOSE_TAG: (&str, &str) = ("xacct:purpose", "verify");

/// How a test bucket is made.
#[derive(Debug, Clone)]
pub struct BucketSpec {
    /// Its name.
    pub name: String,
    /// The account that must own it.
    pub owner: AccountId,
    /// Tags that the organization demands.
    pub tags: Vec<names::Tag>,
    /// Whether the name stands in the account's own namespace.
    pub account_regional: bool,
}

impl BucketSpec {
    /// A bucket with a name that nobody can have taken: 60 random bits.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(
        random: fn(&mut [u8]) -> std::io::Result<()>,
        owner: &AccountId,
        region: &Region,
        tags: Vec<names::Tag>,
        account_regional: bool,
    ) -> Result<Self> {
        let mut bytes = [0; RANDOM_LETTERS];
        random(&mut bytes).map_err(|error| Error::new(Kind::Internal, format!("no random bytes: {error}")))?;
        // Bucket names are lower case: five bits a character.
        let suffix: String =
            bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31))).map(|c| char::from(*c)).collect();
        let name = if account_regional {
            // S3 demands this ending (S3 User Guide, general purpose bucket naming rules).
            format!("{BUCKET_PREFIX}{suffix}-{owner}-{region}-an")
        } else {
            format!("{BUCKET_PREFIX}{owner}-{suffix}")
        };
        Ok(Self { name, owner: owner.clone(), tags, account_regional })
    }
}

/// Whether a bucket of this name is one that [`BucketSpec::new`] may have named.
#[must_use]
pub fn is_test_bucket(name: &str, owner: &AccountId, region: &Region) -> bool {
    let Some(rest) = name.strip_prefix(BUCKET_PREFIX) else { return false };
    let regional = rest.strip_suffix(&format!("-{owner}-{region}-an"));
    let random = regional.or_else(|| rest.strip_prefix(&format!("{owner}-")));
    random.is_some_and(|random| random.len() == RANDOM_LETTERS && random.bytes().all(|byte| LETTERS.contains(&byte)))
}

/// The buckets that this run has made, or may have made, and not yet seen gone.
///
/// A name is entered before the bucket is asked for and removed after it is gone, so that whatever ends the run (an
/// error, Ctrl-C, SIGTERM, a panic) leaves behind here what must still be deleted.
#[derive(Debug, Clone, Default)]
pub struct Leftovers(Arc<Mutex<Vec<Leftover>>>);

#[derive(Debug, Clone)]
struct Leftover {
    access: Access,
    name: String,
    owner: AccountId,
    answered: bool,
}

impl Leftovers {
    /// Deletes what is left. Returns the names that could not be deleted.
    pub async fn delete_all(&self) -> Vec<String> {
        let left = std::mem::take(&mut *self.lock());
        let deletions =
            left.into_iter().map(|left| async move { left.delete().await.err().map(|_| left.name.clone()) });
        futures_util::future::join_all(deletions).await.into_iter().flatten().collect()
    }

    /// The names that are left.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().iter().map(|left| left.name.clone()).collect()
    }

    fn enter(&self, left: Leftover) {
        self.lock().push(left);
    }

    fn answered(&self, name: &str) {
        self.lock().iter_mut().filter(|left| left.name == name).for_each(|left| left.answered = true);
    }

    fn gone(&self, name: &str) {
        self.lock().retain(|left| left.name != name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Leftover>> {
        // The list is whole after every statement, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leftover {
    /// A request that was interrupted may still be on its way, so absence is believed only after a while.
    async fn delete(&self) -> Result<()> {
        let mut pause = Duration::from_millis(250);
        let patience = if self.answered { 1 } else { 6 };
        for attempt in 1..=patience {
            match delete(&self.access, &self.name, &self.owner).await {
                Err(error) if is_absent(&error) && attempt < patience => tokio::time::sleep(pause).await,
                Err(error) if !is_absent(&error) => return Err(error),
                _ => return Ok(()),
            }
            pause *= 2;
        }
        Ok(())
    }
}

/// Lets the connection to S3 be opened while something else is waited for: somebody without a name asks for the bucket that
/// is about to be made. The answer, that there is none, is of no interest.
pub fn connect_ahead(access: &Access, spec: &BucketSpec) {
    if let Some(s3) = access.anonymous_s3() {
        tokio::spawn(s3.head_bucket().bucket(&spec.name).send());
    }
}

/// Makes the bucket. Whatever comes of it, its name is in `leftovers` until it is seen to be gone.
///
/// # Errors
/// When S3 refuses, or cannot be reached.
pub async fn create(access: &Access, spec: &BucketSpec, leftovers: &Leftovers) -> Result<()> {
    const CALL: Call = Call::s3("CreateBucket");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let own = (!spec.tags.iter().any(|given| given.key.as_str() == PURPOSE_TAG.0)).then_some(PURPOSE_TAG);
    let tags = own
        .into_iter()
        .map(|(key, value)| tag(key, value))
        .chain(spec.tags.iter().map(|given| tag(given.key.as_str(), given.value.as_str())))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| Error::new(Kind::Internal, error.to_string()))?;
    // us-east-1 is the one region that must not be named (S3 API reference, CreateBucket).
    let elsewhere =
        (access.region.as_str() != "us-east-1").then(|| BucketLocationConstraint::from(access.region.as_str()));
    let configuration =
        CreateBucketConfiguration::builder().set_location_constraint(elsewhere).set_tags(Some(tags)).build();
    leftovers.enter(Leftover {
        access: access.clone(),
        name: spec.name.clone(),
        owner: spec.owner.clone(),
        answered: false,
    });
    let request = access
        .s3()
        .create_bucket()
        .bucket(&spec.name)
        .create_bucket_configuration(configuration)
        .set_bucket_namespace(spec.account_regional.then_some(BucketNamespace::AccountRegional));
    let mut pause = Duration::from_millis(200);
    let mut may_exist = false;
    for attempt in 1.. {
        // Sent again here and not by the SDK, which would not tell a first refusal from one after a lost answer.
        let once = aws_sdk_s3::config::Builder::new().retry_config(RetryConfig::disabled());
        let sent = request.clone().customize().config_override(once).send().await;
        let error = match sent.map_err(|error| CALL.failed(error)) {
            Ok(_) => break,
            // Nobody else knows the name: the answer to an earlier request was lost.
            Err(error) if may_exist && error.code() == Some("BucketAlreadyOwnedByYou") => break,
            Err(error) => error,
        };
        // The SDK has learnt the server's time from the answer, and signs the next request with it.
        if error.code() == Some("RequestTimeTooSkewed") && attempt < 3 {
            continue;
        }
        if !may_have_been_done(&error) {
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

/// Whether a failed request may have had its effect, or may have it yet.
fn may_have_been_done(error: &Error) -> bool {
    match error.code() {
        None => error.kind == Kind::Network,
        Some(code) => {
            matches!(
                code,
                "InternalError"
                    | "ServiceUnavailable"
                    | "SlowDown"
                    | "TooManyRequestsException"
                    | "RequestTimeout"
                    | "OperationAborted"
            )
        }
    }
}

/// Asks S3 whether the bucket exists and is owned by `owner`.
///
/// # Errors
/// `NotFound` when there is no such bucket, `AccessDenied` when it belongs to someone else.
pub async fn head(access: &Access, name: &str, owner: &AccountId) -> Result<()> {
    const CALL: Call = Call::s3("HeadBucket");
    let request = access.s3().head_bucket().bucket(name).expected_bucket_owner(owner.to_string());
    request.send().await.map(drop).map_err(|error| CALL.failed(error))
}

/// What is known of a bucket that was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// S3 deleted it on condition that it has the right owner.
    ByItsOwner,
    /// It is gone, but the answer that would have confirmed its owner was lost.
    Unconfirmed,
}

/// Deletes the bucket if `owner` owns it, and strikes it from `leftovers` once it is gone.
///
/// # Errors
/// When S3 refuses, or cannot be reached.
pub async fn remove(access: &Access, name: &str, owner: &AccountId, leftovers: &Leftovers) -> Result<Removed> {
    let mut pause = Duration::from_millis(200);
    let mut looked = 0;
    loop {
        match delete(access, name, owner).await {
            Ok(()) => {
                leftovers.gone(name);
                return Ok(Removed::ByItsOwner);
            }
            // Another change to the bucket is under way, such as a deletion whose answer was lost.
            Err(error) if error.code() == Some("OperationAborted") && looked < 4 => looked += 1,
            Err(error) if !is_absent(&error) => return Err(error),
            // Either the answer to an earlier request was lost, or S3 does not see the bucket yet.
            Err(_) if looked == 4 => {
                leftovers.gone(name);
                return Ok(Removed::Unconfirmed);
            }
            Err(_) => looked += 1,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

pub(in crate::aws) async fn delete(access: &Access, name: &str, owner: &AccountId) -> Result<()> {
    const CALL: Call = Call::s3("DeleteBucket");
    let request = access.s3().delete_bucket().bucket(name).expected_bucket_owner(owner.to_string());
    request.send().await.map(drop).map_err(|error| CALL.failed(error))
}

/// Whether S3 says that there is no such bucket.
#[must_use]
pub fn is_absent(error: &Error) -> bool {
    matches!(error.code(), Some("NoSuchBucket" | "NotFound"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn names_that_are_given_are_known_and_no_others() {
        let (owner, region): (AccountId, Region) = ("222222222222".parse().unwrap(), "eu-west-1".parse().unwrap());
        for account_regional in [false, true] {
            let random = |bytes: &mut [u8]| {
                (0..).zip(bytes).for_each(|(number, byte)| *byte = number * 21);
                Ok(())
            };
            let spec = BucketSpec::new(random, &owner, &region, Vec::new(), account_regional).unwrap();
            assert!(is_test_bucket(&spec.name, &owner, &region), "{}", spec.name);
        }
        for name in [
            "xacct-verify-",
            "xacct-verify-222222222222-",
            "xacct-verify-222222222222-abc",
            "xacct-verify-222222222222-abcdefghijkmn",
            "xacct-verify-222222222222-abcdefghijk1",
            "xacct-verify-222222222222-abcdefghijkL",
            "xacct-verify-333333333333-abcdefghijkm",
            "xacct-verify-abcdefghijkm-222222222222-eu-west-2-an",
            "xacct-verify-abcdefghijkm-333333333333-eu-west-1-an",
            "my-xacct-verify-222222222222-abcdefghijkm",
            "xacct-verify-222222222222-abcdefghijkm-logs",
        ] {
            assert!(!is_test_bucket(name, &owner, &region), "{name}");
        }
    }
}
