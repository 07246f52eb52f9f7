//! The identity of a link: how xacct recognizes a link's role when everything else may change.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::iam::arn::UserArn;
use crate::iam::names::{AccountId, ExternalId, TagValue, UserName};
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
    /// The user who assumes the role.
    pub user: Option<UserArn>,
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
            user: None,
        }
    }

    /// Returns whether a role that xacct created belongs to this link. The tag decides. A role without it, created by
    /// xacct 0.1, belongs to the link if its trust policy requires an external ID of the link or trusts only its user, or
    /// if neither the role nor the recorded link has an external ID.
    #[must_use]
    pub fn owns(&self, tags: &BTreeMap<String, String>, trust: Option<&PolicyDocument>) -> bool {
        if let Some(tag) = tags.get(LINK_TAG) {
            return self.id.as_ref().is_some_and(|id| id.as_str() == tag);
        }
        let Some(trust) = trust else { return false };
        let found = trust.external_ids();
        let is_the_users = self.user.as_ref().is_some_and(|user| trust.compares("aws:PrincipalArn", &user.to_string()));
        let has_an_id = self.external_ids.iter().any(|id| found.contains(id.as_str()));
        let has_none = self.is_without_external_id && found.is_empty();
        is_the_users || has_an_id || has_none
    }

    /// Describes the link for people.
    #[must_use]
    pub fn in_words(&self) -> String {
        let ids = self.external_ids.iter().map(ExternalId::as_str);
        let user = self.user.as_ref().map(ToString::to_string);
        words(self.id.as_ref().map(TagValue::as_str), ids.collect(), user.as_deref())
    }
}

/// Describes the link that a role belongs to.
#[must_use]
pub fn found_in_words(tags: &BTreeMap<String, String>, trust: Option<&PolicyDocument>) -> String {
    let (ids, user) = trust.map_or_else(Default::default, |trust| {
        (trust.external_ids(), trust.condition_values("aws:PrincipalArn").into_iter().next())
    });
    words(tags.get(LINK_TAG).map(String::as_str), ids.into_iter().collect(), user)
}

fn words(id: Option<&str>, external_ids: Vec<&str>, user: Option<&str>) -> String {
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    format!(
        "link {}, external ID {}, user {}",
        id.unwrap_or("unnamed"),
        or_none(external_ids.join(" or ")),
        user.unwrap_or("any")
    )
}

/// Returns the ID of a new link: always the same for one user, and different for every other user. A link keeps its ID
/// when its user changes.
///
/// # Errors
/// Never in practice: hexadecimal digits are a tag's value.
pub fn new_id(source: &AccountId, user: &UserName) -> Result<TagValue, crate::iam::invalid::Invalid> {
    let hash = Sha256::digest(format!("{source}/{user}"));
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    digits.parse()
}

#[cfg(test)]
mod tests;
