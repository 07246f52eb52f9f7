//! What the owner of the other account needs, where each makes one half.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use super::work::{Job, Work};
use crate::cli::Half;
use crate::config::{DEFAULT_ROLE_NAME, Link};
use crate::iam::policy::PolicyDocument;
use crate::iam::templates;
use crate::text::word;

/// The other half of a link, for whoever makes it.
#[derive(Debug, Serialize)]
pub struct OtherHalf {
    /// Whose it is, in words.
    pub owner: String,
    /// The command that makes it.
    pub command: String,
    /// The trust policy of the role, or the policy on the user.
    pub document: PolicyDocument,
}

/// The options that name one link and no other.
pub fn naming(link: &Link) -> String {
    let mut options = format!("--target-account {}", link.account);
    if link.role.as_str() != DEFAULT_ROLE_NAME {
        let _ = write!(options, " --role-name {}", link.role);
    }
    options
}

/// The half that `only` leaves to another owner.
pub fn other_half(work: &Work, job: &Job, only: Half) -> OtherHalf {
    match only {
        Half::Source => role_for_the_target(work, job),
        Half::Target => grant_for_the_source(work, job),
    }
}

fn role_for_the_target(work: &Work, job: &Job) -> OtherHalf {
    let link = &job.link;
    let mut command = format!("xacct bootstrap --only target {} --user {}", naming(link), work.source.user);
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(command, " {name} {}", word(&value));
        }
    };
    option("--role-path", (!link.role_path.is_root()).then(|| link.role_path.to_string()));
    option("--external-id", link.external_id.known().map(ToString::to_string));
    for policy in &link.policy_arns {
        option("--policy-arn", Some(policy.to_string()));
    }
    option("--permissions-boundary", link.permissions_boundary.as_ref().map(ToString::to_string));
    let longest = link.max_session_duration.to_string();
    option("--max-session-duration", (longest != "1h").then_some(longest));
    for (wanted, name) in [
        (link.require_mfa, "--require-mfa"),
        (link.restrict_to_user, "--restrict-to-user"),
        (link.allow_session_tags, "--allow-session-tags"),
    ] {
        if wanted {
            let _ = write!(command, " {name}");
        }
    }
    OtherHalf { owner: format!("target account {}", link.account), command, document: job.state.desired.trust.clone() }
}

fn grant_for_the_source(work: &Work, job: &Job) -> OtherHalf {
    let link = &job.link;
    let mut command = format!("xacct bootstrap --only source {} --user {}", naming(link), work.source.user.name);
    if !link.role_path.is_root() {
        let _ = write!(command, " --role-path {}", word(link.role_path.as_str()));
    }
    // The grant does not depend on it, but the owner's xacct.toml should know it.
    if let Some(id) = link.external_id.known() {
        let _ = write!(command, " --external-id {id}");
    }
    for (wanted, name) in [(link.require_mfa, "--require-mfa"), (link.allow_session_tags, "--allow-session-tags")] {
        if wanted {
            let _ = write!(command, " {name}");
        }
    }
    let roles = BTreeSet::from([job.role.clone()]);
    let with_session_tags = if link.allow_session_tags { roles.clone() } else { BTreeSet::new() };
    let document = templates::grant(&roles, &with_session_tags);
    OtherHalf { owner: format!("source account {}", work.source.account), command, document }
}
