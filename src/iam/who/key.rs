//! Condition keys of a request of sts:AssumeRole, and what can be known of them beforehand.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::account::{Holder, HolderKind};
use crate::iam::arn::RoleArn;
use crate::iam::evaluate::{Context, Principal, Request};
use crate::iam::names::AccountId;

/// What is known of a condition key before somebody calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The request has the value, or has none.
    Value,
    /// The caller chooses it: the session's name, tags, the user agent.
    Chosen,
    /// The external ID, which a caller may know.
    ExternalId,
    /// Whether the session has MFA.
    Mfa,
    /// Where the call comes from, the organization: nothing that policies say.
    Nothing,
}

/// Keys that a caller sends as it likes (IAM User Guide, "Available keys for AWS STS"; global condition context keys).
const CHOSEN: [&str; 8] = [
    "sts:rolesessionname",
    "sts:sourceidentity",
    "sts:transitivetagkeys",
    "sts:durationseconds",
    "aws:tagkeys",
    "aws:useragent",
    "aws:referer",
    "aws:requestedregion",
];

/// Keys that [`request`] sets, and those that a request of a user or role of the same partition never has.
const VALUES: [&str; 17] = [
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
    "aws:resourceaccount",
    "aws:securetransport",
    "aws:currenttime",
    "aws:epochtime",
    "aws:principalisawsservice",
    "aws:viaawsservice",
    "aws:calledvia",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:principalservicename",
];

/// Returns what is known of a key in requests of this holder.
pub(super) fn known(key: &str, holder: &Holder) -> Known {
    let key = key.to_ascii_lowercase();
    match key.as_str() {
        "sts:externalid" => Known::ExternalId,
        "aws:multifactorauthpresent" | "aws:multifactorauthage" => Known::Mfa,
        key if CHOSEN.contains(&key) || key.starts_with("aws:requesttag/") => Known::Chosen,
        key if VALUES.contains(&key) => Known::Value,
        key if key.starts_with("aws:resourcetag/") || key.starts_with("iam:resourcetag/") => Known::Value,
        // A session of a role may have other tags than the role.
        key if key.starts_with("aws:principaltag/") && holder.kind == HolderKind::User => Known::Value,
        _ => Known::Nothing,
    }
}

/// Returns whether it depends on the name of a role's session whether its `aws:userid`, `ROLE_ID:SESSION_NAME`, matches
/// this value, with or without wildcards.
pub(super) fn depends_on_session(value: &str, holder: &Holder) -> bool {
    let known = format!("{}:", holder.unique_id).to_ascii_lowercase();
    let end = value.find(['*', '?', '$']).unwrap_or(value.len());
    let (literal, rest) = value.split_at(end);
    let literal = literal.to_ascii_lowercase();
    let may_match = literal.starts_with(&known) || !rest.is_empty() && known.starts_with(&literal);
    let is_any_session = rest == "*" && literal.len() <= known.len();
    may_match && !is_any_session
}

/// Returns a holder's request to assume a role. `sessions` are the session ARNs of the holder that a trust policy names.
pub(super) fn request(
    holder: &Holder,
    account: &AccountId,
    role: &RoleArn,
    role_tags: &BTreeMap<String, String>,
    sessions: impl IntoIterator<Item = String>,
    now: i64,
) -> Request {
    let mut context = Context::default();
    context.set("aws:PrincipalArn", [&holder.arn]);
    context.set("aws:PrincipalAccount", [account.as_str()]);
    context.set("aws:ResourceAccount", [role.account.as_str()]);
    context.set("aws:SecureTransport", ["true"]);
    context.set("aws:ViaAWSService", ["false"]);
    context.set("aws:PrincipalIsAWSService", ["false"]);
    context.set("aws:EpochTime", [now.to_string()]);
    context.set("aws:CurrentTime", date(now));
    match holder.kind {
        HolderKind::User => {
            context.set("aws:PrincipalType", ["User"]);
            context.set("aws:userid", [&holder.unique_id]);
            context.set("aws:username", [&holder.name]);
            for (key, value) in &holder.tags {
                context.set(&format!("aws:PrincipalTag/{key}"), [value]);
            }
        }
        HolderKind::Role => {
            context.set("aws:PrincipalType", ["AssumedRole"]);
            // The session's name is the caller's choice.
            context.set("aws:userid", [format!("{}:session", holder.unique_id)]);
        }
    }
    for (key, value) in role_tags {
        context.set(&format!("aws:ResourceTag/{key}"), [value]);
        context.set(&format!("iam:ResourceTag/{key}"), [value]);
    }
    let arns = std::iter::once(holder.arn.clone()).chain(sessions).collect();
    let principal = Principal { account: account.clone(), arns, unique_id: Some(holder.unique_id.clone()) };
    Request { principal: principal.into(), action: ASSUME_ROLE.to_owned(), resource: role.to_string(), context }
}

/// Returns a time as AWS writes it.
fn date(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

/// The action.
pub(super) const ASSUME_ROLE: &str = "sts:AssumeRole";
