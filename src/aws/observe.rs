//! Every read of IAM. A refused read is reported as unreadable, never as absence.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::SummaryKeyType;
use futures_util::future::{join_all, try_join_all};
use percent_encoding::percent_decode_str;

use super::answer::Call;
use super::clients::Access;
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{CallerArn, PolicyArn, UserArn};
use crate::iam::halves::{
    DEFAULT_ROLE_POLICIES_QUOTA, DEFAULT_TRUST_POLICY_QUOTA, DEFAULT_USER_POLICIES_QUOTA, FoundDocument,
    OWN_POLICY_PREFIX, ObservedRole, ObservedUser, Reading, RoleQuotas,
};
use crate::iam::names::{PolicyName, RoleName, UserName};

/// Reads a role with all that bootstrap may change on it: in one round trip, if it has no inline policies of ours beyond
/// `expected`.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that is neither absence nor refusal.
pub async fn role(access: &Access, name: &RoleName, expected: &BTreeSet<String>) -> Result<Reading<ObservedRole>> {
    let (role, attachments, inline) =
        tokio::join!(get_role(access, name), attached(access, name), inline_policies(access, name, expected));
    let mut role = match role? {
        Reading::Present(role) => role,
        Reading::Absent => return Ok(Reading::Absent),
        Reading::Unreadable { permission, answer } => return Ok(Reading::Unreadable { permission, answer }),
    };
    // Absence here means that the role vanished between the calls; the next observation will say so.
    match attachments? {
        Reading::Present(attachments) => role.attachments = attachments,
        Reading::Absent => {}
        Reading::Unreadable { permission, answer } => return Ok(Reading::Unreadable { permission, answer }),
    }
    match inline? {
        Reading::Present(inline) => role.inline = inline,
        Reading::Absent => {}
        Reading::Unreadable { permission, answer } => return Ok(Reading::Unreadable { permission, answer }),
    }
    Ok(Reading::Present(role))
}

async fn get_role(access: &Access, name: &RoleName) -> Result<Reading<ObservedRole>> {
    const CALL: Call = Call::iam("GetRole");
    let answer = match access.iam().get_role().role_name(name.to_string()).send().await {
        Ok(answer) => answer,
        Err(error) => return unread(CALL.failed(error), "iam:GetRole"),
    };
    let role = answer.role().ok_or_else(|| CALL.lacks("a role"))?;
    let trust = role.assume_role_policy_document().ok_or_else(|| CALL.lacks("the trust policy"))?;
    Ok(Reading::Present(ObservedRole {
        arn: role.arn().to_owned(),
        description: role.description().unwrap_or_default().to_owned(),
        max_session: role.max_session_duration().unwrap_or(3600),
        boundary: role.permissions_boundary().and_then(|found| found.permissions_boundary_arn()).map(str::to_owned),
        tags: role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
        trust: document(trust),
        attachments: BTreeSet::new(),
        inline: BTreeMap::new(),
    }))
}

async fn attached(access: &Access, role: &RoleName) -> Result<Reading<BTreeSet<String>>> {
    const CALL: Call = Call::iam("ListAttachedRolePolicies");
    let mut pages = access.iam().list_attached_role_policies().role_name(role.to_string()).into_paginator().send();
    let mut arns = BTreeSet::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                arns.extend(
                    page.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)),
                );
            }
            Err(error) => return unread(CALL.failed(error), "iam:ListAttachedRolePolicies"),
        }
    }
    Ok(Reading::Present(arns))
}

/// The names of all inline policies, with the documents of those that are ours.
async fn inline_policies(
    access: &Access,
    role: &RoleName,
    expected: &BTreeSet<String>,
) -> Result<Reading<BTreeMap<String, Option<FoundDocument>>>> {
    let read = |names: Vec<String>| {
        try_join_all(names.into_iter().map(async |name| {
            let reading = role_policy(access, role, &name).await?;
            Ok::<_, Error>((name, reading))
        }))
    };
    // Those that should be there are read beside the list of those that are.
    let (names, mut documents) =
        tokio::try_join!(inline_policy_names(access, role), read(expected.iter().cloned().collect()))?;
    let names = match names {
        Reading::Present(names) => names,
        Reading::Absent => return Ok(Reading::Absent),
        Reading::Unreadable { permission, answer } => return Ok(Reading::Unreadable { permission, answer }),
    };
    let (own, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.starts_with(OWN_POLICY_PREFIX));
    documents.extend(read(own.into_iter().filter(|name| !expected.contains(name)).collect()).await?);
    let mut policies: BTreeMap<_, _> = others.into_iter().map(|name| (name, None)).collect();
    for (name, reading) in documents {
        match reading {
            Reading::Present(document) => {
                policies.insert(name, Some(document));
            }
            Reading::Absent => {}
            Reading::Unreadable { permission, answer } => return Ok(Reading::Unreadable { permission, answer }),
        }
    }
    Ok(Reading::Present(policies))
}

async fn inline_policy_names(access: &Access, role: &RoleName) -> Result<Reading<Vec<String>>> {
    const CALL: Call = Call::iam("ListRolePolicies");
    let mut pages = access.iam().list_role_policies().role_name(role.to_string()).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => names.extend(page.policy_names().iter().cloned()),
            Err(error) => return unread(CALL.failed(error), "iam:ListRolePolicies"),
        }
    }
    Ok(Reading::Present(names))
}

async fn role_policy(access: &Access, role: &RoleName, name: &str) -> Result<Reading<FoundDocument>> {
    const CALL: Call = Call::iam("GetRolePolicy");
    let request = access.iam().get_role_policy().role_name(role.to_string()).policy_name(name);
    match request.send().await {
        Ok(answer) => Ok(Reading::Present(document(answer.policy_document()))),
        Err(error) => unread(CALL.failed(error), "iam:GetRolePolicy"),
    }
}

/// The user who is granted, found by name: IAM knows the path.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that is neither absence nor refusal.
pub async fn user(access: &Access, name: &UserName) -> Result<Reading<UserArn>> {
    const CALL: Call = Call::iam("GetUser");
    match access.iam().get_user().user_name(name.to_string()).send().await {
        Ok(answer) => {
            let arn = answer.user().map(|user| CallerArn::parse(user.arn()));
            let arn = arn.as_ref().and_then(CallerArn::user).ok_or_else(|| CALL.lacks("the user's ARN"))?;
            Ok(Reading::Present(arn.clone()))
        }
        Err(error) => unread(CALL.failed(error), "iam:GetUser"),
    }
}

/// What bears on the grant of a user: the grant policy, and how much room the user's other inline policies leave.
#[derive(Debug, Clone)]
pub struct UserPolicies {
    grant: Option<FoundDocument>,
    other_policies_size: Option<usize>,
    quota: usize,
}

impl UserPolicies {
    /// Together with the user's ARN.
    #[must_use]
    pub fn of(self, arn: UserArn) -> ObservedUser {
        ObservedUser { arn, grant: self.grant, other_policies_size: self.other_policies_size, quota: self.quota }
    }
}

/// Reads the grant policy of a user, and measures the others.
///
/// # Errors
/// When AWS cannot be reached, or answers with an error that is neither absence nor refusal.
pub async fn user_policies(access: &Access, user: &UserName, grant: &PolicyName) -> Result<Reading<UserPolicies>> {
    let (found, others, quota) = tokio::join!(
        user_policy(access, user, grant.as_str()),
        other_policies_size(access, user, grant),
        quota(access, &SummaryKeyType::UserPolicySizeQuota),
    );
    let grant = match found? {
        Reading::Present(document) => Some(document),
        Reading::Absent => None,
        Reading::Unreadable { permission, answer } => return Ok(Reading::Unreadable { permission, answer }),
    };
    let quota = quota.unwrap_or(DEFAULT_USER_POLICIES_QUOTA);
    Ok(Reading::Present(UserPolicies { grant, other_policies_size: others?, quota }))
}

async fn user_policy(access: &Access, user: &UserName, name: &str) -> Result<Reading<FoundDocument>> {
    const CALL: Call = Call::iam("GetUserPolicy");
    match access.iam().get_user_policy().user_name(user.to_string()).policy_name(name).send().await {
        Ok(answer) => Ok(Reading::Present(document(answer.policy_document()))),
        Err(error) => unread(CALL.failed(error), "iam:GetUserPolicy"),
    }
}

/// `None` where a policy cannot be read: then the quota cannot be counted, and AWS has the last word.
async fn other_policies_size(access: &Access, user: &UserName, grant: &PolicyName) -> Result<Option<usize>> {
    const CALL: Call = Call::iam("ListUserPolicies");
    let mut pages = access.iam().list_user_policies().user_name(user.to_string()).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => names.extend(page.policy_names().iter().filter(|name| *name != grant.as_str()).cloned()),
            Err(error) => {
                return match unread::<()>(CALL.failed(error), "iam:ListUserPolicies")? {
                    Reading::Unreadable { .. } => Ok(None),
                    _ => Ok(Some(0)),
                };
            }
        }
    }
    let documents = try_join_all(names.iter().map(|name| user_policy(access, user, name))).await?;
    let sizes = documents.into_iter().map(|reading| match reading {
        Reading::Present(document) => Some(document.size()),
        Reading::Absent => Some(0),
        Reading::Unreadable { .. } => None,
    });
    Ok(sizes.sum())
}

/// The size quotas of a role, as the account has them; IAM's defaults where they cannot be read.
pub async fn role_quotas(access: &Access) -> RoleQuotas {
    let Ok(answer) = access.iam().get_account_summary().send().await else {
        return RoleQuotas::default();
    };
    let value = |key: SummaryKeyType, default| summary(answer.summary_map(), &key).unwrap_or(default);
    RoleQuotas {
        trust_policy: value(SummaryKeyType::AssumeRolePolicySizeQuota, DEFAULT_TRUST_POLICY_QUOTA),
        inline_policies: value(SummaryKeyType::RolePolicySizeQuota, DEFAULT_ROLE_POLICIES_QUOTA),
    }
}

async fn quota(access: &Access, key: &SummaryKeyType) -> Option<usize> {
    summary(access.iam().get_account_summary().send().await.ok()?.summary_map(), key)
}

fn summary(map: Option<&std::collections::HashMap<SummaryKeyType, i32>>, key: &SummaryKeyType) -> Option<usize> {
    usize::try_from(*map?.get(key)?).ok().filter(|quota| *quota > 0)
}

/// Checks that managed policies exist before anything is written.
///
/// One that may not be looked at is taken to exist: AWS will say so when it is attached.
///
/// # Errors
/// When one does not exist.
pub async fn managed_policies(access: &Access, policies: &[(&PolicyArn, &'static str)]) -> Result<()> {
    const CALL: Call = Call::iam("GetPolicy");
    let checks = policies.iter().map(async |(arn, role)| {
        match access.iam().get_policy().policy_arn(arn.to_string()).send().await {
            Ok(_) => Ok(()),
            Err(error) => match unread::<()>(CALL.failed(error), "iam:GetPolicy")? {
                Reading::Absent => Err(Error::new(Kind::Refused, format!("the {role} `{arn}` does not exist"))
                    .hint("see which there are: aws iam list-policies --query 'Policies[].Arn'")),
                _ => Ok(()),
            },
        }
    });
    join_all(checks).await.into_iter().collect()
}

/// What a failed read means.
fn unread<T>(error: Error, permission: &str) -> Result<Reading<T>> {
    match error.code() {
        Some("NoSuchEntity") => Ok(Reading::Absent),
        Some("AccessDenied" | "AccessDeniedException") => Ok(Reading::Unreadable {
            permission: permission.to_owned(),
            answer: error.aws.map(|answer| answer.to_string()).unwrap_or_default(),
        }),
        _ => Err(error),
    }
}

/// IAM returns documents percent-encoded (RFC 3986), in which `+` stands for itself.
fn document(encoded: &str) -> FoundDocument {
    FoundDocument::parse(&percent_decode_str(encoded).decode_utf8_lossy())
}
