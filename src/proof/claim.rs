//! What is claimed of a link, and how far the proof of it goes.

use super::wait::Freshness;
use crate::aws::s3::test_bucket::BucketSpec;
use crate::error::Result;
use crate::iam::arn::RoleArn;
use crate::iam::names::{ExternalId, Region, SessionDuration, SessionName, Tag};

/// What is claimed of one link.
#[derive(Debug)]
pub struct Claim {
    /// The role that the user may assume.
    pub role: RoleArn,
    /// The external ID without which it must be refused.
    pub external_id: Option<ExternalId>,
    /// Whether it must be refused without MFA.
    pub require_mfa: bool,
    /// The region of session and bucket, where it is not the user's own.
    pub region: Option<Region>,
    /// What the request has besides what the link demands.
    pub request: RequestOptions,
    /// How far the proof goes.
    pub extent: Extent,
    /// Whether what is proven was just written.
    pub freshness: Freshness,
}

/// What an AssumeRole request may have besides what the link demands.
#[derive(Debug, Clone, Default)]
pub struct RequestOptions {
    /// The session's name, where it is not the user's.
    pub session_name: Option<SessionName>,
    /// How long the session lasts; AWS's default is one hour.
    pub duration: Option<SessionDuration>,
    /// Session tags, which the trust policy must allow.
    pub tags: Vec<Tag>,
    /// The source identity, which stays with sessions that are made with this one.
    pub source_identity: Option<SessionName>,
}

/// How far a proof goes.
#[derive(Debug)]
pub enum Extent {
    /// To the session, or the refusal of it.
    Session,
    /// To what must be refused, without a bucket.
    Refusals,
    /// To a bucket, made and deleted.
    Bucket(TestBucket),
}

/// How a test bucket is made.
#[derive(Debug)]
pub struct TestBucket {
    /// Where its name comes from.
    pub random: fn(&mut [u8]) -> std::io::Result<()>,
    /// Tags that the organization demands.
    pub tags: Vec<Tag>,
    /// Whether its name stands in the account's own namespace.
    pub account_regional: bool,
}

/// Returns the test bucket of a claim, if there is to be one.
pub(super) fn bucket_spec(claim: &Claim, region: &Region) -> Result<Option<BucketSpec>> {
    let Extent::Bucket(test) = &claim.extent else { return Ok(None) };
    let TestBucket { random, tags, account_regional } = test;
    BucketSpec::new(*random, &claim.role.account, region, tags.clone(), *account_regional).map(Some)
}
