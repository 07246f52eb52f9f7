//! Single reads of IAM. Each returns whether a resource is present, absent or unreadable: a denied read is never
//! taken for absence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{PolicyScopeType, PolicyUsageType, StatusType, Tag};
use percent_encoding::percent_decode_str;

use crate::answers::Meaning;
use crate::aws::client::access::Access;
use crate::aws::client::bounds::{MOST_ITEMS, MOST_PAGES};
use crate::aws::client::error::Call;
use crate::error::{Error, Result};
use crate::iam::arn::PolicyArn;
use crate::iam::last_use::LastUse;
use crate::iam::names::{MfaSerial, RoleName, UserName};
use crate::iam::state::{FoundDocument, PolicyVersion, Reading};

/// A principal or group with policies.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// A user, by name.
    User(&'a str),
    /// A group, by name.
    Group(&'a str),
    /// A role, by name.
    Role(&'a str),
}

/// A role, without its permissions policies.
#[derive(Debug, Clone)]
pub struct FoundRole {
    /// The ARN, with the path.
    pub arn: String,
    /// The unique ID, `AROA…`.
    pub unique_id: String,
    /// Seconds since its creation, by this machine's clock.
    pub age_seconds: Option<u64>,
    /// The description; empty if there is none.
    pub description: String,
    /// The maximum session duration, in seconds.
    pub max_session: i32,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The trust policy.
    pub trust: FoundDocument,
    /// The last use of the role; `None` if AWS knows of none.
    pub last_used: Option<LastUse>,
}

/// A user, without its policies.
#[derive(Debug, Clone)]
pub struct FoundUser {
    /// The ARN, with the path.
    pub arn: String,
    /// The unique ID, `AIDA…`.
    pub unique_id: String,
    /// Seconds since its creation, by this machine's clock.
    pub age_seconds: Option<u64>,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A group, without its policies.
#[derive(Debug, Clone)]
pub struct FoundGroup {
    /// The ARN, with the path.
    pub arn: String,
    /// The unique ID, `AGPA…`.
    pub unique_id: String,
    /// Seconds since its creation, by this machine's clock.
    pub age_seconds: Option<u64>,
    /// The names of its members, at most 1000.
    pub members: Vec<String>,
    /// Whether it has more.
    pub is_truncated: bool,
}

/// Reads all pages of a list.
macro_rules! pages {
    ($operation:literal, $request:expr, |$page:ident| $items:expr) => {{
        let mut pages = $request.into_paginator().send();
        let (mut all, mut count) = (Vec::new(), 0);
        loop {
            if count > MOST_PAGES || all.len() > MOST_ITEMS {
                break Err(Call::iam($operation).is_endless());
            }
            count += 1;
            match pages.next().await {
                None => break Ok(Reading::Present(all)),
                Some(Ok($page)) => all.extend($items),
                Some(Err(error)) => break unread(Call::iam($operation).failed(error)),
            }
        }
    }};
}

/// Sends a request. If it fails, the calling function returns the reading of the failure.
macro_rules! one {
    ($operation:literal, $request:expr) => {
        match $request.send().await {
            Ok(answer) => answer,
            Err(error) => return unread(Call::iam($operation).failed(error)),
        }
    };
}

/// Reads a role by name, whatever its path.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that means neither absence nor denial.
pub async fn role(access: &Access, name: &RoleName) -> Result<Reading<FoundRole>> {
    const CALL: Call = Call::iam("GetRole");
    let answer = one!("GetRole", access.iam().get_role().role_name(name.to_string()));
    let role = answer.role().ok_or_else(|| CALL.lacks("role"))?;
    let trust = role.assume_role_policy_document().ok_or_else(|| CALL.lacks("trust policy"))?;
    Ok(Reading::Present(FoundRole {
        arn: role.arn().to_owned(),
        unique_id: role.role_id().to_owned(),
        age_seconds: age_seconds(*role.create_date()),
        description: role.description().unwrap_or_default().to_owned(),
        max_session: role.max_session_duration().unwrap_or(3600),
        boundary: role.permissions_boundary().and_then(|found| found.permissions_boundary_arn()).map(str::to_owned),
        tags: tags(role.tags()),
        trust: document(trust),
        last_used: role.role_last_used().and_then(|used| {
            let at = SystemTime::try_from(*used.last_used_date()?).ok()?;
            Some(LastUse { at: at.into(), region: used.region().unwrap_or_default().to_owned() })
        }),
    }))
}

/// Returns the seconds since this time, by this machine's clock.
fn age_seconds(created: DateTime) -> Option<u64> {
    let created = SystemTime::try_from(created).ok()?;
    Some(SystemTime::now().duration_since(created).ok()?.as_secs())
}

/// Returns the ARNs of all roles whose path begins with this one.
///
/// # Errors
/// As for [`role`].
pub async fn roles_below(access: &Access, path: &str) -> Result<Reading<Vec<String>>> {
    pages!("ListRoles", access.iam().list_roles().path_prefix(path), |page| {
        page.roles().iter().map(|role| role.arn().to_owned())
    })
}

/// Returns the ARNs of roles whose names differ from this one only in case. Checks at most 2,000 roles.
///
/// # Errors
/// As for [`role`].
pub async fn roles_like(access: &Access, name: &RoleName) -> Result<Reading<Vec<String>>> {
    let (mut alike, mut marker) = (Vec::new(), None);
    for _ in 0..2 {
        let page = one!("ListRoles", access.iam().list_roles().max_items(1000).set_marker(marker));
        let names = page.roles().iter().filter(|role| role.role_name().eq_ignore_ascii_case(name.as_str()));
        alike.extend(names.map(|role| role.arn().to_owned()));
        marker = page.marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    Ok(Reading::Present(alike))
}

/// Reads a user by name, whatever the path.
///
/// # Errors
/// As for [`role`].
pub async fn user(access: &Access, name: &UserName) -> Result<Reading<FoundUser>> {
    let answer = one!("GetUser", access.iam().get_user().user_name(name.to_string()));
    let user = answer.user().ok_or_else(|| Call::iam("GetUser").lacks("user"))?;
    Ok(Reading::Present(FoundUser {
        arn: user.arn().to_owned(),
        unique_id: user.user_id().to_owned(),
        age_seconds: age_seconds(*user.create_date()),
        boundary: user.permissions_boundary().and_then(|found| found.permissions_boundary_arn()).map(str::to_owned),
        tags: tags(user.tags()),
    }))
}

/// Reads a group by name, whatever the path, and its first 1,000 members.
///
/// # Errors
/// As for [`role`].
pub async fn group(access: &Access, name: &str) -> Result<Reading<FoundGroup>> {
    let answer = one!("GetGroup", access.iam().get_group().group_name(name).max_items(1000));
    let group = answer.group().ok_or_else(|| Call::iam("GetGroup").lacks("group"))?;
    Ok(Reading::Present(FoundGroup {
        arn: group.arn().to_owned(),
        unique_id: group.group_id().to_owned(),
        age_seconds: age_seconds(*group.create_date()),
        members: answer.users().iter().map(|user| user.user_name().to_owned()).collect(),
        is_truncated: answer.is_truncated(),
    }))
}

/// Tests whether a session of GetSessionToken has MFA. IAM accepts only such sessions, and answers as if the token of any
/// other were invalid (STS API reference, GetSessionToken). `None` if the answer is inconclusive.
pub async fn carries_mfa(access: &Access) -> Option<bool> {
    match access.iam().get_user().send().await {
        Ok(_) => Some(true),
        Err(error) => match Call::iam("GetUser").failed(error) {
            error if error.is_denial() => Some(true),
            error => (error.code()? == "InvalidClientTokenId").then_some(false),
        },
    }
}

/// Lists the instance profiles of a role.
///
/// # Errors
/// As for [`role`].
pub async fn instance_profiles(access: &Access, role: &RoleName) -> Result<Reading<BTreeSet<String>>> {
    let request = access.iam().list_instance_profiles_for_role().role_name(role.to_string());
    let names: Result<Reading<Vec<String>>> = pages!("ListInstanceProfilesForRole", request, |page| {
        page.instance_profiles().iter().map(|profile| profile.instance_profile_name().to_owned())
    });
    Ok(names?.map(|names| names.into_iter().collect()))
}

/// Lists the groups of a user.
///
/// # Errors
/// As for [`role`].
pub async fn groups(access: &Access, user: &str) -> Result<Reading<Vec<String>>> {
    pages!("ListGroupsForUser", access.iam().list_groups_for_user().user_name(user), |page| {
        page.groups().iter().map(|group| group.group_name().to_owned())
    })
}

/// Returns the serials of a user's MFA devices.
///
/// # Errors
/// When listing them is denied or AWS cannot be reached.
pub async fn mfa_serials(access: &Access, user: &UserName) -> Result<Vec<MfaSerial>> {
    const CALL: Call = Call::iam("ListMFADevices");
    let request = access.iam().list_mfa_devices().user_name(user.to_string());
    let answer = request.send().await.map_err(|error| CALL.failed(error))?;
    Ok(answer.mfa_devices().iter().filter_map(|device| device.serial_number().parse().ok()).collect())
}

/// Returns the same serials as a reading, in which a denied list differs from an empty one.
///
/// # Errors
/// As for [`role`].
pub async fn mfa_devices(access: &Access, user: &UserName) -> Result<Reading<Vec<String>>> {
    match mfa_serials(access, user).await {
        Ok(serials) => Ok(Reading::Present(serials.iter().map(ToString::to_string).collect())),
        Err(error) => unread(error),
    }
}

/// Returns whether an access key of the user is active; absent if the user has no such key.
///
/// # Errors
/// As for [`role`].
pub async fn is_key_active(access: &Access, user: &UserName, id: &str) -> Result<Reading<bool>> {
    let request = access.iam().list_access_keys().user_name(user.to_string());
    // A user has at most two (IAM User Guide, IAM quotas), so there is only one page.
    let answer = one!("ListAccessKeys", request);
    let found = answer.access_key_metadata().iter().find(|key| key.access_key_id() == Some(id));
    Ok(found.map_or(Reading::Absent, |key| Reading::Present(key.status() != Some(&StatusType::Inactive))))
}

/// Lists the names of inline policies.
///
/// # Errors
/// As for [`role`].
pub async fn inline_names(access: &Access, of: Holder<'_>) -> Result<Reading<Vec<String>>> {
    let iam = access.iam();
    match of {
        Holder::User(name) => {
            pages!("ListUserPolicies", iam.list_user_policies().user_name(name), |page| page.policy_names().to_vec())
        }
        Holder::Group(name) => {
            pages!("ListGroupPolicies", iam.list_group_policies().group_name(name), |page| page.policy_names().to_vec())
        }
        Holder::Role(name) => {
            pages!("ListRolePolicies", iam.list_role_policies().role_name(name), |page| page.policy_names().to_vec())
        }
    }
}

/// Reads an inline policy.
///
/// # Errors
/// As for [`role`].
pub async fn inline(access: &Access, of: Holder<'_>, policy: &str) -> Result<Reading<FoundDocument>> {
    let iam = access.iam();
    let document = match of {
        Holder::User(name) => {
            let answer = one!("GetUserPolicy", iam.get_user_policy().user_name(name).policy_name(policy));
            document(answer.policy_document())
        }
        Holder::Group(name) => {
            let answer = one!("GetGroupPolicy", iam.get_group_policy().group_name(name).policy_name(policy));
            document(answer.policy_document())
        }
        Holder::Role(name) => {
            let answer = one!("GetRolePolicy", iam.get_role_policy().role_name(name).policy_name(policy));
            document(answer.policy_document())
        }
    };
    Ok(Reading::Present(document))
}

/// Lists the ARNs of attached managed policies.
///
/// # Errors
/// As for [`role`].
pub async fn attached(access: &Access, to: Holder<'_>) -> Result<Reading<BTreeSet<String>>> {
    let iam = access.iam();
    let arn = |policy: &aws_sdk_iam::types::AttachedPolicy| policy.policy_arn().map(str::to_owned);
    let arns: Result<Reading<Vec<String>>> = match to {
        Holder::User(name) => {
            pages!("ListAttachedUserPolicies", iam.list_attached_user_policies().user_name(name), |page| {
                page.attached_policies().iter().filter_map(arn)
            })
        }
        Holder::Group(name) => {
            pages!("ListAttachedGroupPolicies", iam.list_attached_group_policies().group_name(name), |page| {
                page.attached_policies().iter().filter_map(arn)
            })
        }
        Holder::Role(name) => {
            pages!("ListAttachedRolePolicies", iam.list_attached_role_policies().role_name(name), |page| {
                page.attached_policies().iter().filter_map(arn)
            })
        }
    };
    Ok(arns?.map(|arns| arns.into_iter().collect()))
}

/// Returns the default versions of all managed policies that are attached or used as a boundary. Empty if the list is
/// denied: then each policy takes one more round trip.
pub async fn versions(access: &Access) -> BTreeMap<String, String> {
    let attached = access.iam().list_policies().only_attached(true).max_items(1000);
    let boundaries =
        access.iam().list_policies().policy_usage_filter(PolicyUsageType::PermissionsBoundary).max_items(1000);
    let (attached, boundaries) = tokio::join!(attached.send(), boundaries.send());
    let policies = [attached, boundaries].into_iter().flatten().flat_map(|page| page.policies.unwrap_or_default());
    policies.filter_map(|policy| Some((policy.arn?, policy.default_version_id?))).collect()
}

/// Reads the text of a managed policy's default version.
///
/// # Errors
/// As for [`role`].
pub async fn managed(
    access: &Access,
    arn: &str,
    versions: &BTreeMap<String, String>,
) -> Result<Reading<FoundDocument>> {
    Ok(managed_with_time(access, arn, versions).await?.map(|(document, _)| document))
}

/// Reads the same, and when that version was created, in seconds since 1970.
///
/// # Errors
/// As for [`role`].
pub async fn managed_with_time(
    access: &Access,
    arn: &str,
    versions: &BTreeMap<String, String>,
) -> Result<Reading<(FoundDocument, Option<i64>)>> {
    let version = match versions.get(arn) {
        Some(version) => version.clone(),
        None => {
            let answer = one!("GetPolicy", access.iam().get_policy().policy_arn(arn));
            let version = answer.policy().and_then(|policy| policy.default_version_id());
            version.ok_or_else(|| Call::iam("GetPolicy").lacks("default version"))?.to_owned()
        }
    };
    version_with_time(access, arn, &version).await
}

/// Reads the text of one version of a managed policy.
///
/// # Errors
/// As for [`role`].
pub async fn managed_version(access: &Access, arn: &str, version: &str) -> Result<Reading<FoundDocument>> {
    Ok(version_with_time(access, arn, version).await?.map(|(document, _)| document))
}

async fn version_with_time(access: &Access, arn: &str, version: &str) -> Result<Reading<(FoundDocument, Option<i64>)>> {
    let answer = one!("GetPolicyVersion", access.iam().get_policy_version().policy_arn(arn).version_id(version));
    let version = answer.policy_version();
    let text = version.and_then(|version| version.document());
    let text = text.ok_or_else(|| Call::iam("GetPolicyVersion").lacks("policy document"))?;
    let created = version.and_then(|version| version.create_date()).map(DateTime::secs);
    Ok(Reading::Present((document(text), created)))
}

/// Lists the managed policies of the account under this path: each ARN, with its default version.
///
/// # Errors
/// As for [`role`].
pub async fn policies_under(access: &Access, path: &str) -> Result<Reading<Vec<(String, String)>>> {
    let request = access.iam().list_policies().scope(PolicyScopeType::Local).path_prefix(path).max_items(1000);
    pages!("ListPolicies", request, |page| {
        page.policies()
            .iter()
            .filter_map(|policy| Some((policy.arn()?.to_owned(), policy.default_version_id()?.to_owned())))
    })
}

/// Lists the versions of a managed policy that are not the default one.
///
/// # Errors
/// As for [`role`].
pub async fn versions_of(access: &Access, arn: &str) -> Result<Reading<Vec<String>>> {
    pages!("ListPolicyVersions", access.iam().list_policy_versions().policy_arn(arn), |page| {
        let others = page.versions().iter().filter(|version| !version.is_default_version());
        others.filter_map(|version| version.version_id().map(str::to_owned))
    })
}

/// Reads which version of a managed policy is the default one.
///
/// # Errors
/// As for [`role`].
pub async fn default_version(access: &Access, arn: &PolicyArn) -> Result<Reading<PolicyVersion>> {
    let answer = one!("GetPolicy", access.iam().get_policy().policy_arn(arn.to_string()));
    let policy = answer.policy();
    let version = policy.and_then(|policy| policy.default_version_id()).map(str::to_owned);
    let id = policy.and_then(|policy| policy.policy_id()).map(str::to_owned);
    Ok(match (version, id) {
        (Some(version), Some(policy_id)) => Reading::Present(PolicyVersion { version, policy_id }),
        // The policy exists, which is all that most callers ask.
        _ => Reading::Unreadable { permission: String::new(), answer: "GetPolicy returned no version".to_owned() },
    })
}

pub(super) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// Turns a failed read into a reading. The permission for a call has the name of the call.
pub(in crate::aws) fn unread<T>(error: Error) -> Result<Reading<T>> {
    match error.aws.as_deref() {
        Some(answer) if answer.row().is_some_and(|row| row.meaning == Meaning::Absent) => Ok(Reading::Absent),
        Some(answer) if answer.is_denial() => Ok(Reading::Unreadable {
            permission: format!("{}:{}", answer.service, answer.operation),
            answer: answer.to_string(),
        }),
        _ => Err(error),
    }
}

/// Decodes a policy document. IAM percent-encodes documents (RFC 3986), so `+` is a literal plus sign.
pub(super) fn document(encoded: &str) -> FoundDocument {
    FoundDocument::parse(&percent_decode_str(encoded).decode_utf8_lossy())
}
