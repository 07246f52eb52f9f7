//! The claim about a link, and the extent of its proof.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use time::OffsetDateTime;

use super::foresight::Foresight;
use super::step::StepId;
use super::wait::Freshness;
use crate::aws::client::access::Access;
use crate::aws::s3::test_bucket::BucketSpec;
use crate::error::Result;
use crate::iam::admission::{Accepted, Declared, Subject};
use crate::iam::arn::{PrincipalRef, RoleArn};
use crate::iam::names::{AccountId, ExternalId, Region, SessionDuration, SessionName, Tag};
use crate::iam::policy::PolicyDocument;

/// The claim about one link.
#[derive(Debug)]
pub struct Claim {
    /// The role that the principals may assume.
    pub role: RoleArn,
    /// The principals; none means those of the prover.
    pub principals: Vec<PrincipalRef>,
    /// The external ID that the role must require.
    pub external_id: Option<ExternalId>,
    /// Those that it no longer accepts.
    pub former_external_ids: Vec<ExternalId>,
    /// Whether the role must require MFA.
    pub require_mfa: bool,
    /// The Region of session and bucket; `None` for the user's.
    pub region: Option<Region>,
    /// Optional parameters of the request.
    pub request: RequestOptions,
    /// The session name to try first if none is set: one that tells a test from work with the role.
    pub test_name: Option<TestName>,
    /// Why the requests that must be denied are not sent, if they are not.
    pub unsent_refusals: Option<String>,
    /// How far the proof goes.
    pub extent: Extent,
    /// Whether the link was just written.
    pub freshness: Freshness,
    /// Whom the role may admit.
    pub declaration: Declaration,
}

/// Whom a role may admit according to the link.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Only these principals of the source account; all of it if there are none.
    pub only: Vec<PrincipalRef>,
    /// Statements that `xacct.toml` adds to the trust policy.
    pub statements: PolicyDocument,
    /// Callers that `xacct.toml` accepts.
    pub accepted: Vec<Accepted>,
    /// Whether `xacct.toml` records that xacct created or adopted the role, whatever its tags say.
    pub is_recorded: bool,
    /// Whether this also holds for a role that xacct does not manage.
    pub exclusive: bool,
    /// Whether a trust policy that cannot be read fails the proof.
    pub require_read: bool,
    /// The time, for conditions on it.
    pub now: Option<OffsetDateTime>,
}

impl Claim {
    /// Returns the steps with requests that must be denied.
    pub(super) fn refusals(&self) -> impl Iterator<Item = StepId> {
        use StepId as S;
        let of_id = self.external_id.iter().flat_map(|_| [S::RefusedWithoutExternalId, S::RefusedWithWrongExternalId]);
        of_id.chain(self.require_mfa.then_some(S::RefusedWithoutMfa))
    }

    /// Returns the role, with these tags, for the review of its trust policy.
    pub(super) fn subject<'a>(&'a self, tags: &'a BTreeMap<String, String>) -> Subject<'a> {
        Subject { tags: Some(tags), now: self.declaration.now, ..Subject::from(&self.role) }
    }
}

impl Declaration {
    /// Returns whom a link from this source account declares.
    #[must_use]
    pub fn of(&self, source: AccountId) -> Declared {
        Declared {
            source,
            only: self.only.clone(),
            statements: self.statements.clone(),
            accepted: self.accepted.clone(),
        }
    }
}

/// The session name of tests. A policy may allow sessions only with the user's name, which other sessions have.
#[derive(Debug)]
pub struct TestName {
    name: SessionName,
    /// Whether AWS denied it last.
    is_denied: AtomicBool,
}

impl TestName {
    /// Returns a name that has not been tried.
    #[must_use]
    pub fn new(name: SessionName) -> Self {
        Self { name, is_denied: AtomicBool::new(false) }
    }

    /// Returns whether this is the name.
    pub(super) fn is(&self, name: &SessionName) -> bool {
        self.name == *name
    }

    pub(super) fn set_denied(&self, is_denied: bool) {
        self.is_denied.store(is_denied, Ordering::Relaxed);
    }

    /// Returns the name, unless AWS denied it.
    pub(super) fn usable(&self) -> Option<&SessionName> {
        (!self.is_denied.load(Ordering::Relaxed)).then_some(&self.name)
    }

    /// Returns the name if AWS denied it.
    pub(super) fn denied(&self) -> Option<&SessionName> {
        self.is_denied.load(Ordering::Relaxed).then_some(&self.name)
    }
}

/// Optional parameters of an AssumeRole request.
#[derive(Debug, Clone, Default)]
pub struct RequestOptions {
    /// The session's name; `None` for the user's, or that of tests.
    pub session_name: Option<SessionName>,
    /// How long the session lasts; AWS's default is one hour.
    pub duration: Option<SessionDuration>,
    /// Session tags, which the trust policy must allow.
    pub tags: Vec<Tag>,
    /// The source identity, which sessions made with this one inherit.
    pub source_identity: Option<SessionName>,
}

/// How far a proof goes.
#[derive(Debug)]
pub enum Extent {
    /// Up to AssumeRole.
    Session,
    /// Up to the requests that must be denied, without a bucket for this reason.
    Refusals(String),
    /// Up to a bucket, created and deleted.
    Bucket(TestBucket),
}

/// The settings of a test bucket.
#[derive(Debug)]
pub struct TestBucket {
    /// The role's policies, if nobody has read them yet: they are, once S3 has denied the bucket.
    pub foresight: Option<Box<Foresight>>,
    /// The access to read them with; `None` for the session's own.
    pub reader: Option<Box<Access>>,
    /// Whether the test fails without a bucket, even if the policies can never allow one.
    pub is_required: bool,
    /// Random bytes for its name.
    pub random: fn(&mut [u8]) -> std::io::Result<()>,
    /// Tags that the organization requires.
    pub tags: Vec<Tag>,
    /// Whether its name is in the account-regional namespace.
    pub account_regional: bool,
}

/// Returns the specification of the test bucket, if the claim has one.
pub(super) fn bucket_spec(claim: &Claim, region: &Region) -> Result<Option<BucketSpec>> {
    let Extent::Bucket(test) = &claim.extent else { return Ok(None) };
    let TestBucket { random, tags, account_regional, .. } = test;
    BucketSpec::new(*random, &claim.role.account, region, tags.clone(), *account_regional).map(Some)
}
