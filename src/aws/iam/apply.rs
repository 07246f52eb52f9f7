//! All writes to IAM: applies the changes of a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::types::Tag;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::answers::{Meaning, Passes};
use crate::aws::client::access::Access;
use crate::aws::client::error::Call;
use crate::aws::client::fate::Fate;
use crate::aws::iam::{observe, read};
use crate::error::{Error, Kind, Result};
use crate::iam::arn::{PrincipalArn, RoleArn};
use crate::iam::grant_names::{GRANT_PATH, grant_part_arn};
use crate::iam::plan::bootstrap::unlike_created;
use crate::iam::plan::order::Phase;
use crate::iam::plan::{Change, Plan};
use crate::iam::policy::PolicyDocument;
use crate::iam::state::{DesiredRole, FoundDocument, Reading};
use crate::text::shell::ShellCommand;

/// A change, and whether AWS accepted it.
pub type Applied<'a> = (&'a Change, Result<()>);

/// How long IAM may take to agree about a change: as long as Terraform's provider waits (`propagationTimeout` in
/// `internal/service/iam`).
const AGREEMENT: Duration = Duration::from_mins(2);

/// How long to look for a role that IAM says exists. If another role's name differs only in case, it never shows.
const LOOK: Duration = Duration::from_secs(12);

/// Applies one phase of the changes to a role; `is_new` says that the role was created a moment ago. Waits no longer than
/// `patience` for IAM to agree about earlier changes.
pub async fn to_role<'a>(
    access: &Access,
    role: &RoleArn,
    phase: &Phase<'a>,
    is_new: bool,
    patience: Duration,
) -> Vec<Applied<'a>> {
    // A role that was created a moment ago may be unknown where the next call arrives; one that was there is not waited
    // for.
    let apply = async |change: &'a Change| {
        let once = async || write(access, role, change, patience).await;
        let result =
            if is_new { patiently(Passes::AfterWrite, Meaning::Absent, patience, once).await } else { once().await };
        (change, result)
    };
    join_all(phase.changes.iter().copied().map(apply)).await
}

/// How long a new policy takes until all of AWS honours it: a new inline policy of a role was reported to need about 15 s
/// (aws/aws-sdk-js#850).
const PROPAGATION: Duration = Duration::from_secs(15);

/// Writes the grant: first the policies by which it grows. Roles that move to another policy leave the old one only when
/// the new one is in effect, so that their links work all the time. After a failure, xacct skips the rest.
pub async fn to_principal<'a>(access: &Access, changes: &'a [Change], patience: Duration) -> Vec<Applied<'a>> {
    let (grows, shrinks): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.grows_grant());
    let write = async |change: &'a Change| (change, write_grant(access, change, patience).await);
    let mut applied = join_all(grows.into_iter().map(write)).await;
    if applied.iter().any(|(_, result)| result.is_err()) {
        return applied;
    }
    if !applied.is_empty() && !shrinks.is_empty() {
        sleep(PROPAGATION.min(patience)).await;
    }
    applied.extend(join_all(shrinks.into_iter().map(write)).await);
    applied
}

/// Removes a role in two steps: its policies, inline and attached, and the role (IAM API reference, DeleteRole). After a
/// step that failed, xacct skips the rest.
pub async fn remove_role<'a>(
    access: &Access,
    role: &RoleArn,
    changes: &'a [Change],
    patience: Duration,
) -> Vec<Applied<'a>> {
    let is_last = |change: &Change| matches!(change, Change::DeleteRole { .. });
    let has_policies = changes.iter().any(|change| !is_last(change));
    let (last, first): (Vec<_>, Vec<_>) = changes.iter().partition(|change| is_last(change));
    let mut applied: Vec<Applied<'a>> = Vec::new();
    for step in [first, last] {
        let remove = async |change: &'a Change| {
            let once = async || gone(write(access, role, change, patience).await);
            // The server that deletes the role may not know yet that its policies are gone.
            let waits = is_last(change) && has_policies;
            let result =
                if waits { patiently(Passes::AfterWrite, Meaning::InUse, patience, once).await } else { once().await };
            (change, result)
        };
        applied.extend(join_all(step.into_iter().map(remove)).await);
        if applied.iter().any(|(_, result)| result.is_err()) {
            break;
        }
    }
    applied
}

/// Treats absence as success: the resource was deleted by an earlier request whose answer was lost, or by another
/// operator.
fn gone(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.meaning() == Some(Meaning::Absent) => Ok(()),
        result => result,
    }
}

/// Sends a request, and repeats it while IAM answers that another change to the same resource is in progress.
macro_rules! send {
    ($operation:literal, $request:expr, $patience:expr) => {{
        let request = $request;
        patiently(Passes::InMoments, Meaning::InProgress, $patience, async || {
            let (call, fate) = (Call::iam($operation), Fate::default());
            let sent = request.clone().customize().interceptor(fate.clone()).send().await;
            sent.map(drop).map_err(|error| fate.of(call.failed(error)))
        })
        .await
    }};
}

async fn write_grant(access: &Access, change: &Change, patience: Duration) -> Result<()> {
    let (principal, policy, to) = match change {
        Change::PutGrant { principal, name, to, .. } | Change::ShrinkGrant { principal, name, to, .. } => {
            (principal, name.to_string(), Some(to.minified()))
        }
        Change::DeleteGrant { principal, name, .. } => (principal, name.to_string(), None),
        Change::PutGrantPart { principal, name, from, to, attaches, .. } => {
            return put_part(access, principal, name, from.as_deref(), to, *attaches, patience).await;
        }
        Change::DeleteGrantPart { principal, name, .. } => return delete_part(access, principal, name, patience).await,
        _ => return Ok(()),
    };
    let (iam, name) = (access.iam(), principal.name());
    let result = match (principal, to) {
        (PrincipalArn::User(_), Some(to)) => {
            let request = iam.put_user_policy().user_name(name).policy_name(policy);
            send!("PutUserPolicy", request.policy_document(to), patience)
        }
        (PrincipalArn::Group(_), Some(to)) => {
            let request = iam.put_group_policy().group_name(name).policy_name(policy);
            send!("PutGroupPolicy", request.policy_document(to), patience)
        }
        // Of a permission set, nothing is planned.
        (PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_), Some(to)) => {
            let request = iam.put_role_policy().role_name(name).policy_name(policy);
            send!("PutRolePolicy", request.policy_document(to), patience)
        }
        (PrincipalArn::User(_), None) => {
            gone(send!("DeleteUserPolicy", iam.delete_user_policy().user_name(name).policy_name(policy), patience))
        }
        (PrincipalArn::Group(_), None) => {
            gone(send!("DeleteGroupPolicy", iam.delete_group_policy().group_name(name).policy_name(policy), patience))
        }
        (PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_), None) => {
            gone(send!("DeleteRolePolicy", iam.delete_role_policy().role_name(name).policy_name(policy), patience))
        }
    };
    result.map_err(|error| match error.meaning() {
        Some(Meaning::Quota) => {
            let most = match principal {
                PrincipalArn::User(_) => "a user share a limit of 2,048",
                PrincipalArn::Group(_) => "a group share a limit of 5,120",
                PrincipalArn::Role(_) | PrincipalArn::PermissionSet(_) => "a role share a limit of 10,240",
            };
            let error = error.note(format!("all inline policies of {most} characters"));
            error.hint("move some of them to a managed policy")
        }
        _ => error,
    })
}

/// Writes a managed policy of a grant, and attaches it.
async fn put_part(
    access: &Access,
    principal: &PrincipalArn,
    name: &str,
    from: Option<&FoundDocument>,
    to: &PolicyDocument,
    attaches: bool,
    patience: Duration,
) -> Result<()> {
    let (iam, arn) = (access.iam(), grant_part_arn(principal, name));
    match from {
        // An interrupted run did not attach it.
        Some(from) if from.matches(to) => {}
        Some(_) => new_version(access, &arn, to, patience).await?,
        None => {
            let request = iam.create_policy().policy_name(name).path(GRANT_PATH).policy_document(to.minified());
            let description = format!("Created by xacct: roles that {} may assume", principal.in_words());
            match send!("CreatePolicy", request.description(description), patience) {
                // An earlier request whose answer was lost created it, or another run.
                Err(error) if error.meaning() == Some(Meaning::Exists) => {
                    match read::managed(access, &arn, &BTreeMap::new()).await? {
                        Reading::Absent => return Err(name_taken(principal, name)),
                        Reading::Present(found) if found.matches(to) => {}
                        _ => new_version(access, &arn, to, patience).await?,
                    }
                }
                result => result?,
            }
        }
    }
    if !attaches {
        return Ok(());
    }
    // A policy that was created a moment ago may be unknown where the next call arrives.
    let attached = patiently(Passes::AfterWrite, Meaning::Absent, patience, async || match principal {
        PrincipalArn::User(user) => {
            let request = iam.attach_user_policy().user_name(user.name.to_string()).policy_arn(&arn);
            send!("AttachUserPolicy", request, patience)
        }
        PrincipalArn::Role(role) => {
            let request = iam.attach_role_policy().role_name(role.name.to_string()).policy_arn(&arn);
            send!("AttachRolePolicy", request, patience)
        }
        PrincipalArn::Group(group) => {
            let request = iam.attach_group_policy().group_name(group.name.to_string()).policy_arn(&arn);
            send!("AttachGroupPolicy", request, patience)
        }
        // Its grant has no managed policies.
        PrincipalArn::PermissionSet(_) => Ok(()),
    });
    attached.await
}

/// Makes this the default version of a managed policy. Where IAM keeps no more versions, the oldest one goes.
async fn new_version(access: &Access, arn: &str, to: &PolicyDocument, patience: Duration) -> Result<()> {
    let create = async || {
        let request = access.iam().create_policy_version().policy_arn(arn).policy_document(to.minified());
        send!("CreatePolicyVersion", request.set_as_default(true), patience)
    };
    match create().await {
        Err(error) if error.meaning() == Some(Meaning::Quota) => {
            let oldest = other_versions(access, arn).await?.into_iter().min_by_key(|(number, _)| *number);
            let Some((_, oldest)) = oldest else { return Err(error) };
            delete_version(access, arn, &oldest, patience).await?;
            // The list of versions may lag behind.
            patiently(Passes::Never, Meaning::Quota, patience.min(LOOK), create).await
        }
        result => result,
    }
}

/// Returns the versions of a managed policy that are not the default one, with their numbers.
async fn other_versions(access: &Access, arn: &str) -> Result<Vec<(u32, String)>> {
    let found = match read::versions_of(access, arn).await? {
        Reading::Present(found) => found,
        Reading::Absent => Vec::new(),
        Reading::Unreadable { permission, answer } => {
            let error = Error::new(Kind::Aws, format!("cannot list the versions of {arn}: {answer}"));
            return Err(error.hint(format!("allow {permission} and run the command again")));
        }
    };
    let number = |id: &String| id.trim_start_matches('v').parse().unwrap_or(u32::MAX);
    Ok(found.into_iter().map(|id| (number(&id), id)).collect())
}

async fn delete_version(access: &Access, arn: &str, id: &str, patience: Duration) -> Result<()> {
    let request = access.iam().delete_policy_version().policy_arn(arn).version_id(id);
    gone(send!("DeletePolicyVersion", request, patience))
}

/// Detaches a managed policy of a grant, deletes its versions, and then the policy (IAM API reference, DeletePolicy).
async fn delete_part(access: &Access, principal: &PrincipalArn, name: &str, patience: Duration) -> Result<()> {
    let (iam, arn) = (access.iam(), grant_part_arn(principal, name));
    gone(match principal {
        PrincipalArn::User(user) => {
            let request = iam.detach_user_policy().user_name(user.name.to_string()).policy_arn(&arn);
            send!("DetachUserPolicy", request, patience)
        }
        PrincipalArn::Role(role) => {
            let request = iam.detach_role_policy().role_name(role.name.to_string()).policy_arn(&arn);
            send!("DetachRolePolicy", request, patience)
        }
        PrincipalArn::Group(group) => {
            let request = iam.detach_group_policy().group_name(group.name.to_string()).policy_arn(&arn);
            send!("DetachGroupPolicy", request, patience)
        }
        PrincipalArn::PermissionSet(_) => Ok(()),
    })?;
    let others = other_versions(access, &arn).await?;
    let deleted = others.iter().map(async |(_, id)| delete_version(access, &arn, id, patience).await);
    join_all(deleted).await.into_iter().collect::<Result<()>>()?;
    // The server that deletes the policy may not know yet that it is detached.
    let once = async || gone(send!("DeletePolicy", iam.delete_policy().policy_arn(&arn), patience));
    let deleted = patiently(Passes::AfterWrite, Meaning::InUse, patience.min(LOOK), once).await;
    deleted.map_err(|error| match error.meaning() {
        Some(Meaning::InUse) => {
            let list = ShellCommand::new("aws").args(["iam", "list-entities-for-policy"]).option("--policy-arn", &arn);
            error
                .note("it may be attached to another principal, or used as a boundary; xacct detached only its own")
                .hint(format!("show what uses it: {list}"))
        }
        _ => error,
    })
}

/// Refuses a plan whose new policies of the grant have names that other policies of the account have. IAM compares names
/// without regard to paths and case. A list that is denied refuses nothing: then IAM tells.
///
/// # Errors
/// When a name is taken, or AWS cannot be reached.
pub async fn refuse_taken_names(access: &Access, plan: &Plan) -> Result<()> {
    let new = plan.changes.iter().filter_map(|change| match change {
        Change::PutGrantPart { principal, name, from: None, .. } => Some((principal, name)),
        _ => None,
    });
    let new: Vec<_> = new.collect();
    let Some((principal, _)) = new.first() else { return Ok(()) };
    let in_source = |error: Error| error.context(format!("source account {}", principal.account()));
    let Reading::Present(policies) = read::policies_under(access, "/").await.map_err(in_source)? else {
        return Ok(());
    };
    let is_named = |arn: &str, name: &str| arn.rsplit('/').next().is_some_and(|other| other.eq_ignore_ascii_case(name));
    // Another run of xacct may have created it since it was found absent.
    let is_taken = |principal: &PrincipalArn, name: &String| {
        policies.iter().any(|(arn, _)| is_named(arn, name) && *arn != grant_part_arn(principal, name))
    };
    let taken = new.into_iter().find(|(principal, name)| is_taken(principal, name));
    taken.map_or(Ok(()), |(principal, name)| Err(name_taken(principal, name)))
}

/// Returns the error for a policy of this name under another path, which xacct did not create.
fn name_taken(principal: &PrincipalArn, name: &str) -> Error {
    let find = ShellCommand::new("aws").args(["iam", "list-policies"]).option("--scope", "Local");
    let find = find.option("--query", format!("Policies[?PolicyName=='{name}'].Arn"));
    let account = principal.account();
    Error::new(Kind::Refused, format!("account {account} has a policy `{name}` that xacct did not create"))
        .note(format!("the grant of {} needs a managed policy of this name", principal.in_words()))
        .hint(format!("find it: {find}"))
        .hint("then create it under another name, delete it, and run the command again")
}

async fn write(access: &Access, role: &RoleArn, change: &Change, patience: Duration) -> Result<()> {
    let iam = access.iam();
    let role = role.name.to_string();
    match change {
        Change::CreateRole(desired) => create_role(access, desired, patience).await,
        Change::ReplaceTrustPolicy { to, .. } => {
            send!(
                "UpdateAssumeRolePolicy",
                iam.update_assume_role_policy().role_name(role).policy_document(to.minified()),
                patience
            )
        }
        Change::UpdateRole { description, max_session, .. } => {
            let request = iam.update_role().role_name(role).description(description);
            send!("UpdateRole", request.max_session_duration(max_session.as_secs()), patience)
        }
        Change::SetBoundary { to, .. } => {
            let request = iam.put_role_permissions_boundary().role_name(role);
            send!("PutRolePermissionsBoundary", request.permissions_boundary(to.to_string()), patience)
        }
        Change::TagRole { tags } => {
            send!("TagRole", iam.tag_role().role_name(role).set_tags(Some(tag_list(tags)?)), patience)
        }
        Change::AttachPolicy { policy } => {
            send!("AttachRolePolicy", iam.attach_role_policy().role_name(role).policy_arn(policy.to_string()), patience)
        }
        Change::PutRolePolicy { name, to, .. } => {
            let request = iam.put_role_policy().role_name(role).policy_name(name.to_string());
            send!("PutRolePolicy", request.policy_document(to.minified()), patience)
        }
        Change::DeleteRolePolicy { name } => {
            send!("DeleteRolePolicy", iam.delete_role_policy().role_name(role).policy_name(name), patience)
        }
        Change::DetachPolicy { policy } => {
            send!("DetachRolePolicy", iam.detach_role_policy().role_name(role).policy_arn(policy), patience)
        }
        Change::DeleteRole { .. } => send!("DeleteRole", iam.delete_role().role_name(role), patience),
        Change::PutGrant { .. }
        | Change::ShrinkGrant { .. }
        | Change::DeleteGrant { .. }
        | Change::PutGrantPart { .. }
        | Change::DeleteGrantPart { .. } => write_grant(access, change, patience).await,
    }
}

async fn create_role(access: &Access, desired: &DesiredRole, patience: Duration) -> Result<()> {
    let request = access
        .iam()
        .create_role()
        .role_name(desired.arn.name.to_string())
        .path(desired.arn.path.to_string())
        .description(&desired.description)
        .max_session_duration(desired.max_session.as_secs())
        .set_permissions_boundary(desired.boundary.as_ref().map(ToString::to_string))
        .set_tags(Some(tag_list(&desired.all_tags())?))
        .assume_role_policy_document(desired.trust.minified());
    match send!("CreateRole", request, patience) {
        Err(error) if error.meaning() == Some(Meaning::Exists) => made_already(access, desired, error, patience).await,
        // The request may have taken effect nevertheless.
        Err(error) if error.may_have_been_done && is_made(access, desired).await => Ok(()),
        result => result,
    }
}

/// Whether the role exists exactly as `create_role` creates it, checked by a read with a short timeout.
async fn is_made(access: &Access, desired: &DesiredRole) -> bool {
    let look = observe::role_frame(access, &desired.arn.name);
    let found = tokio::time::timeout(Duration::from_secs(5), look).await;
    matches!(found, Ok(Ok(Reading::Present(found))) if unlike_created(desired, &found).is_empty())
}

/// Handles a role that appeared since the plan. It is accepted if it is exactly what `create_role` creates: then an earlier
/// request whose answer was lost created it, or another run with the same plan. Any other role is left unchanged.
async fn made_already(access: &Access, desired: &DesiredRole, error: Error, patience: Duration) -> Result<()> {
    // The code is explained below: there is no need to look it up.
    let error = Error { hints: Vec::new(), ..error };
    let look = async || observe::role_frame(access, &desired.arn.name).await;
    let found = match repeat(patience.min(LOOK), look, |reading| matches!(reading, Ok(Reading::Absent))).await? {
        Reading::Present(found) => found,
        Reading::Absent => {
            return Err(error
                .note("another role's name may differ only in case: role names are unique regardless of case")
                .hint("run the command again to see the current state"));
        }
        Reading::Unreadable { permission, answer } => {
            return Err(error
                .note(format!("cannot tell whether xacct manages the role: {permission} was denied ({answer})"))
                .note("the role was not changed")
                .hint(format!("allow {permission} and run the command again")));
        }
    };
    let differences: Vec<_> = unlike_created(desired, &found).into_iter().collect();
    if differences.is_empty() {
        return Ok(());
    }
    let whose = if found.is_ours() { "another run of xacct" } else { "another principal" };
    Err(Error {
        kind: Kind::Refused,
        message: format!("{whose} created `{}` during this run; it differs in {}", found.arn, differences.join(", ")),
        ..error
    }
    .note("the role was not changed")
    .hint("run the command again: it plans from the current state and shows each change before applying it"))
}

fn tag_list(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|error| Error::new(Kind::Internal, format!("invalid tag `{key}`: {error}")))
        })
        .collect()
}

/// Retries while IAM gives an answer of this meaning, which passes by itself. AWS recommends it for overlapping changes to
/// one resource (`ConcurrentModification`), and right after a write other requests may arrive where it is not known yet
/// (`NoSuchEntity`, `DeleteConflict`); the SDK retries none of them.
async fn patiently(
    passes: Passes,
    meaning: Meaning,
    patience: Duration,
    attempt: impl AsyncFn() -> Result<()>,
) -> Result<()> {
    let is_it = |error: &Error| error.meaning() == Some(meaning) && error.passes() == passes;
    repeat(patience, attempt, |result| result.as_ref().is_err_and(is_it)).await
}

/// Retries with growing pauses while the result is transient, for [`AGREEMENT`] or `patience`, whichever is shorter.
async fn repeat<T>(patience: Duration, attempt: impl AsyncFn() -> T, passes: impl Fn(&T) -> bool) -> T {
    let (start, patience) = (Instant::now(), patience.min(AGREEMENT));
    let mut pause = Duration::from_millis(100);
    loop {
        let result = attempt().await;
        let left = patience.saturating_sub(start.elapsed());
        if left.is_zero() || !passes(&result) {
            return result;
        }
        sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}
