//! Policies of a role that end its sessions: they deny everything to each session that was issued before a time.
//!
//! AWS recommends them because a session cannot be deleted (IAM User Guide, "Revoke IAM role temporary security
//! credentials"). A policy that revokes denies nothing to later sessions, so that it can stay.

use std::collections::BTreeSet;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::policy::{Effect, Element, PolicyDocument};

/// The name of xacct's own inline policy that revokes sessions.
pub const REVOKE_POLICY: &str = "xacct-revoke-sessions";

/// The name of the inline policy that the console's "Revoke active sessions" writes (IAM User Guide, as above).
pub const CONSOLE_POLICY: &str = "AWSRevokeOlderSessions";

/// The longest session of a role (STS API reference, AssumeRole). A role's present limit says nothing about sessions that
/// were issued before it was lowered.
pub const LONGEST_SESSION: Duration = Duration::from_hours(12);

/// Returns the time before which sessions are revoked, if that is all that this policy does.
#[must_use]
pub fn revoked_before(document: &PolicyDocument) -> Option<OffsetDateTime> {
    let [statement] = document.statements.as_slice() else { return None };
    let is_everything =
        |element: &Element<BTreeSet<String>>| matches!(element, Element::Is(values) if values.iter().eq(["*"]));
    if statement.effect != Effect::Deny
        || !is_everything(&statement.action)
        || !statement.resource.as_ref().is_some_and(is_everything)
    {
        return None;
    }
    let mut conditions = statement.condition.iter().flat_map(|(operator, keys)| {
        keys.iter().flat_map(move |(key, values)| values.iter().map(move |value| (operator, key, value)))
    });
    let (Some((operator, key, value)), None) = (conditions.next(), conditions.next()) else { return None };
    let is_it = operator.eq_ignore_ascii_case("DateLessThan") && key.eq_ignore_ascii_case("aws:TokenIssueTime");
    OffsetDateTime::parse(value, &Rfc3339).ok().filter(|_| is_it)
}

/// Writes a time as policies and reports have it, such as `2026-11-29T18:00:00Z`.
#[must_use]
pub fn in_words(time: OffsetDateTime) -> String {
    let seconds = time.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(time);
    seconds.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests;
