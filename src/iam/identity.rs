//! The identity of a link: how xacct recognizes a link's role when everything else may change.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::iam::arn::{PrincipalArn, PrincipalRef};
use crate::iam::names::{AccountId, ExternalId, TagValue};
use crate::iam::policy::PolicyDocument;

/// The tag that holds the ID of the role's link.
pub const LINK_TAG: &str = "xacct:link";

/// What identifies the role of a link.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The value of [`LINK_TAG`].
    pub id: Option<TagValue>,
    /// Whether `xacct.toml` records the link without an external ID.
    pub is_without_external_id: bool,
    /// The external IDs in `xacct.toml` and the options.
    pub external_ids: BTreeSet<ExternalId>,
    /// The principals that assume the role.
    pub principals: BTreeSet<PrincipalArn>,
}

impl Identity {
    /// Returns the identity of the link that this role belongs to, whichever it is.
    #[must_use]
    pub fn of_role(tags: &BTreeMap<String, String>, trust: Option<&PolicyDocument>) -> Self {
        let found = trust.map(PolicyDocument::external_ids).unwrap_or_default();
        Self {
            id: tags.get(LINK_TAG).and_then(|id| id.parse().ok()),
            is_without_external_id: found.is_empty(),
            external_ids: found.into_iter().filter_map(|id| id.parse().ok()).collect(),
            principals: BTreeSet::new(),
        }
    }

    /// Returns whether a role that xacct created belongs to this link. The tag decides. A role without it, created by
    /// xacct 0.1, belongs to the link if its trust policy requires an external ID of the link or trusts only its principals, or
    /// if neither the role nor the recorded link has an external ID.
    #[must_use]
    pub fn owns(&self, tags: &BTreeMap<String, String>, trust: Option<&PolicyDocument>) -> bool {
        if let Some(tag) = tags.get(LINK_TAG) {
            return self.id.as_ref().is_some_and(|id| id.as_str() == tag);
        }
        let Some(trust) = trust else { return false };
        let found = trust.external_ids();
        let mut principals = self.principals.iter();
        let is_theirs = principals.any(|principal| trust.compares("aws:PrincipalArn", &principal.to_string()));
        let has_an_id = self.external_ids.iter().any(|id| found.contains(id.as_str()));
        let has_none = self.is_without_external_id && found.is_empty();
        is_theirs || has_an_id || has_none
    }

    /// Describes the link for people.
    #[must_use]
    pub fn in_words(&self) -> String {
        let ids = self.external_ids.iter().map(ExternalId::as_str);
        let principals: Vec<_> = self.principals.iter().map(ToString::to_string).collect();
        words(self.id.as_ref().map(TagValue::as_str), ids.collect(), &principals)
    }
}

/// Describes the link that a role belongs to.
#[must_use]
pub fn found_in_words(tags: &BTreeMap<String, String>, trust: Option<&PolicyDocument>) -> String {
    let (ids, principals) =
        trust.map_or_else(Default::default, |trust| (trust.external_ids(), trust.condition_values("aws:PrincipalArn")));
    let principals: Vec<_> = principals.into_iter().map(str::to_owned).collect();
    words(tags.get(LINK_TAG).map(String::as_str), ids.into_iter().collect(), &principals)
}

fn words(id: Option<&str>, external_ids: Vec<&str>, principals: &[String]) -> String {
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    format!(
        "link {}, external ID {}, principal {}",
        id.unwrap_or("unnamed"),
        or(external_ids.join(" or "), "none"),
        or(principals.join(" or "), "any")
    )
}

/// Returns the ID of a new link: always the same for one principal, and different for every other. A link keeps its ID
/// when its principals change.
///
/// # Errors
/// Never in practice: hexadecimal digits are a tag's value.
pub fn new_id(source: &AccountId, principal: &PrincipalRef) -> Result<TagValue, crate::iam::invalid::Invalid> {
    // A user's name alone, as before other principals could have links.
    let hash = Sha256::digest(format!("{source}/{}", principal.label()));
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    digits.parse()
}

#[cfg(test)]
mod tests;
