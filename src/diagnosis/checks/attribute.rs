//! Session tags and the source identity: what a request can carry, and which action it needs for that.

use crate::diagnosis::cause::Cause;

/// Returns the cause if this action is not allowed, and what needs it, in words; `None` for `sts:AssumeRole` itself.
pub fn needing(action: &str) -> Option<(Cause, &'static str)> {
    match action {
        "sts:TagSession" => Some((Cause::SessionTagsNotAllowed, "session tags")),
        "sts:SetSourceIdentity" => Some((Cause::SourceIdentityNotAllowed, "a source identity")),
        _ => None,
    }
}
