//! Whether a role can have a test bucket at all, from the policies that a plan leaves on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::client::access::Access;
use crate::aws::iam::observe;
use crate::iam::names::BUCKET_ACTIONS;
use crate::iam::state::{DesiredRole, ObservedRole};

/// The role as a plan leaves it.
#[derive(Debug, Clone)]
pub struct Foresight {
    /// The role as it should be.
    pub desired: DesiredRole,
    /// The role as it was before; `None` if it is new.
    pub shown: Option<ObservedRole>,
    /// The default versions of managed policies, as far as they are known, by ARN.
    pub versions: BTreeMap<String, String>,
}

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreseen {
    /// The bucket may be allowed.
    Possible,
    /// It can never be, for this reason.
    Impossible(String),
    /// Some of the policies could not be read.
    Unread,
}

impl Foresight {
    /// Returns the role as it was before the plan; `None` if it is new.
    #[must_use]
    pub fn before(&self) -> Option<Self> {
        let shown = self.shown.clone()?;
        // Of the desired role, only what says which role it is.
        let own = shown
            .inline
            .iter()
            .filter_map(|(name, found)| Some((name.parse().ok()?, found.as_ref()?.policy()?.clone())));
        let desired = DesiredRole {
            boundary: None,
            attachments: BTreeSet::new(),
            replaced: BTreeSet::new(),
            inline: own.collect(),
            exclusive: false,
            ..self.desired.clone()
        };
        Some(Self { desired, shown: Some(shown), versions: self.versions.clone() })
    }

    /// Reads with this access what the policies say of a bucket with this name. Nothing that fails is an error: then the
    /// test tells.
    pub async fn look(&self, access: &Access, bucket: &str) -> Foreseen {
        let role = &self.desired.arn;
        let policies = observe::effective_policies(access, &self.desired, self.shown.as_ref(), &self.versions).await;
        let bucket = format!("arn:{}:s3:::{bucket}", role.partition);
        // A bucket that cannot be deleted would stay.
        match BUCKET_ACTIONS.into_iter().find_map(|action| policies.never_allowed(&role.account, action, &bucket)) {
            Some(why) => Foreseen::Impossible(why),
            None if policies.are_read() => Foreseen::Possible,
            None => Foreseen::Unread,
        }
    }
}
