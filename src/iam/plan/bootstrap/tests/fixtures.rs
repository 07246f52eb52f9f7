//! A role and a grant, desired and observed.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::arn::RoleArn;
use crate::iam::identity::Identity;
use crate::iam::names::MaxSessionDuration;
use crate::iam::partition::Partition;
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredGrant, DesiredRole, FoundDocument, ObservedPrincipal, Quota};
use crate::iam::templates::{self, GRANT_POLICY, TrustTerms};

pub fn parsed<T: std::str::FromStr<Err = crate::iam::invalid::Invalid>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn document(action: &str) -> PolicyDocument {
    let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
    PolicyDocument::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#)).unwrap()
}

pub fn found(action: &str) -> FoundDocument {
    FoundDocument::Policy(document(action))
}

pub fn trust(external_id: &str) -> PolicyDocument {
    templates::trust(&TrustTerms {
        partition: Partition::Aws,
        source: parsed("111111111111"),
        external_ids: vec![parsed(external_id)],
        require_mfa: false,
        only: BTreeSet::new(),
        session_tags: false,
    })
}

/// The tag of the link.
pub const LINK: &str = "0123456789abcdef";

pub fn desired_role() -> DesiredRole {
    DesiredRole {
        arn: parsed("arn:aws:iam::222222222222:role/xacct"),
        source: parsed("111111111111"),
        identity: Identity {
            id: Some(parsed(LINK)),
            is_without_external_id: false,
            external_ids: BTreeSet::from([parsed("first")]),
            principals: BTreeSet::from([parsed("arn:aws:iam::111111111111:user/alice")]),
        },
        description: "a link".to_owned(),
        max_session: MaxSessionDuration::default(),
        boundary: None,
        boundary_version: None,
        tags: BTreeMap::from([(parsed("team"), parsed("platform"))]),
        trust: trust("first"),
        attachments: BTreeSet::from([parsed("arn:aws:iam::aws:policy/PowerUserAccess")]),
        inline: BTreeMap::from([(parsed("xacct-verify"), document("s3:CreateBucket"))]),
        replaced: BTreeSet::new(),
        exclusive: false,
        accepted: Vec::new(),
        rotates_to: None,
        gives_to: None,
    }
}

/// A quota that AWS gave.
pub fn read(most: usize) -> Quota {
    Quota { most, is_read: true }
}

pub fn role(name: &str) -> RoleArn {
    parsed(&format!("arn:aws:iam::222222222222:role/{name}"))
}

pub fn roles(names: &[&str]) -> BTreeSet<RoleArn> {
    names.iter().map(|name| role(name)).collect()
}

pub fn desired_grant(names: &[&str]) -> DesiredGrant {
    DesiredGrant {
        principal: parsed("arn:aws:iam::111111111111:user/alice"),
        policy_name: parsed(GRANT_POLICY),
        roles: roles(names),
        declared: BTreeSet::new(),
        with_session_tags: BTreeSet::new(),
        own: roles(names),
        is_referenced: false,
        organization: None,
    }
}

pub fn user(grant: Option<&PolicyDocument>) -> ObservedPrincipal {
    ObservedPrincipal {
        arn: parsed("arn:aws:iam::111111111111:user/alice"),
        grant: grant.cloned().map(FoundDocument::Policy),
        other_policies_size: Some(0),
        quota: read(2048),
        managed: None,
    }
}

pub fn grant(names: &[&str], with_session_tags: &[&str]) -> PolicyDocument {
    templates::grant(&roles(names), &roles(with_session_tags))
}
