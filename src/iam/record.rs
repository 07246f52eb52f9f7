//! The record of what xacct gave a role: a tag with short digests of its policies.
//!
//! It says which attached policies are xacct's, though no `xacct.toml` names them any more, and which permissions the
//! operator has already agreed to, so that a run that was interrupted can go on.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::iam::arn::PolicyArn;
use crate::iam::names::PolicyName;
use crate::iam::policy::PolicyDocument;
use crate::iam::templates::VERIFY_POLICY;

/// The tag that holds the record.
pub const POLICIES_TAG: &str = "xacct:policies";

/// The longest value of a tag (IAM User Guide, "Tagging IAM resources"). The digests of the 20 managed policies that a role
/// can have fit, so that only inline policies may be left out.
const LONGEST: usize = 256;

/// The digests of a role's policies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record(BTreeSet<String>);

impl Record {
    /// Returns the value of the tag for these policies; empty if there is nothing to record. The policy for the test bucket
    /// is the same for every role.
    #[must_use]
    pub fn value(attachments: &BTreeSet<PolicyArn>, inline: &BTreeMap<PolicyName, PolicyDocument>) -> String {
        let inline = inline.iter().filter(|(name, _)| name.as_str() != VERIFY_POLICY);
        let inline = inline.map(|(name, document)| of_inline(name, document));
        let digests = attachments.iter().map(|arn| of_attached(&arn.to_string())).chain(inline);
        let mut value = String::new();
        for digest in digests {
            let more = if value.is_empty() { digest } else { format!(" {digest}") };
            if value.len() + more.len() > LONGEST {
                break;
            }
            value.push_str(&more);
        }
        value
    }

    /// Reads the tag of a role; empty if the role has none.
    #[must_use]
    pub fn of_tags(tags: &BTreeMap<String, String>) -> Self {
        let value = tags.get(POLICIES_TAG).map(String::as_str).unwrap_or_default();
        Self(value.split_whitespace().map(str::to_owned).collect())
    }

    /// Returns whether xacct attached this managed policy.
    #[must_use]
    pub fn has_attached(&self, arn: &str) -> bool {
        self.0.contains(&of_attached(arn))
    }

    /// Returns whether xacct wrote this inline policy with this text.
    #[must_use]
    pub fn has_inline(&self, name: &PolicyName, document: &PolicyDocument) -> bool {
        self.0.contains(&of_inline(name, document))
    }
}

fn of_attached(arn: &str) -> String {
    digest(arn, 4)
}

/// Longer than that of an ARN: whoever writes a policy file could try texts until one has a short digest that was agreed to.
fn of_inline(name: &PolicyName, document: &PolicyDocument) -> String {
    digest(&format!("{name}\n{}", document.minified()), 8)
}

fn digest(text: &str, bytes: usize) -> String {
    Sha256::digest(text).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
