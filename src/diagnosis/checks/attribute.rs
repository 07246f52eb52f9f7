//! Session tags and the source identity: what a request can carry, and which action it needs for that.

use crate::diagnosis::cause::{Cause, Side};
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::Finding;
use crate::diagnosis::fix::Fix;

/// Returns the cause if this action is not allowed, and what needs it, as a clause; `None` for `sts:AssumeRole` itself.
pub fn needing(facts: &Facts, action: &str) -> Option<(Cause, &'static str)> {
    match action {
        "sts:TagSession" if inherits_tags(facts) => {
            Some((Cause::InheritedSessionTags, "the session inherits session tags"))
        }
        "sts:TagSession" => Some((Cause::SessionTagsNotAllowed, "the request sends session tags")),
        "sts:SetSourceIdentity" => Some((Cause::SourceIdentityNotAllowed, "the request sends a source identity")),
        _ => None,
    }
}

/// Returns whether tags can only be inherited: the request sends none, and its credentials are a session, whose transitive
/// tags go on to the next session (IAM User Guide, Pass session tags in AWS STS).
fn inherits_tags(facts: &Facts) -> bool {
    facts.request.tags.is_empty() && facts.caller.is_session
}

/// Says where inherited tags come from.
pub fn explained(finding: Finding) -> Finding {
    if finding.cause != Cause::InheritedSessionTags {
        return finding;
    }
    finding.fact(
        "transitive tags of a session go on to the next one, even if the request sends none: EKS Pod Identity sets some, and \
         GitHub's action configure-aws-credentials sends tags of its own; trust policy and grant must allow sts:TagSession",
    )
}

/// Adds the alternative: a session without tags.
pub fn or_without(facts: &Facts, finding: Finding) -> Finding {
    if finding.cause != Cause::InheritedSessionTags {
        return finding;
    }
    finding.fix(Fix::by(Side::Source, facts).step_do(
        "start the first session without tags: disableSessionTags for the association of EKS Pod Identity, \
         role-skip-session-tagging: true for configure-aws-credentials",
    ))
}
