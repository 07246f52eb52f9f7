//! Removes everything whose name begins with a prefix from an account.

use aws_sdk_iam::error::DisplayErrorContext;
use aws_sdk_iam::types::UserDetail;

use crate::keys::{EU_WEST_1, Keys, US_EAST_1};
use crate::place::Accounts;
use crate::server::Server;

/// Removes everything with this prefix from both accounts, and returns what could not be removed.
pub async fn sweep(accounts: &Accounts, prefix: &str) -> Vec<String> {
    let mut left = Vec::new();
    for (id, keys) in accounts.ids.iter().zip(&accounts.keys) {
        let server = Server::plain(accounts.endpoint.clone());
        if let Err(error) = of_iam(&server.iam(keys), prefix).await {
            left.push(format!("IAM of {id}: {error}"));
        }
        if let Err(error) = buckets(&server, keys, prefix).await {
            left.push(format!("buckets of {id}: {error}"));
        }
    }
    left
}

fn words(error: impl std::error::Error) -> String {
    DisplayErrorContext(error).to_string()
}

/// Removes users, roles and groups, and then the policies, which must not be in use.
async fn of_iam(iam: &aws_sdk_iam::Client, prefix: &str) -> Result<(), String> {
    let (mut users, mut roles, mut groups, mut policies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut pages = iam.get_account_authorization_details().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(words)?;
        users.extend(page.user_detail_list().to_vec());
        roles.extend(page.role_detail_list().to_vec());
        groups.extend(page.group_detail_list().to_vec());
        policies.extend(page.policies().to_vec());
    }
    let is_ours = |name: Option<&str>| name.is_some_and(|name| name.starts_with(prefix));
    for user in users.iter().filter(|user| is_ours(user.user_name())) {
        remove_user(iam, user).await?;
    }
    for role in roles.iter().filter(|role| is_ours(role.role_name())) {
        let name = role.role_name().unwrap_or_default();
        for policy in role.role_policy_list().iter().filter_map(|policy| policy.policy_name()) {
            iam.delete_role_policy().role_name(name).policy_name(policy).send().await.map_err(words)?;
        }
        for arn in role.attached_managed_policies().iter().filter_map(|policy| policy.policy_arn()) {
            iam.detach_role_policy().role_name(name).policy_arn(arn).send().await.map_err(words)?;
        }
        iam.delete_role().role_name(name).send().await.map_err(words)?;
    }
    for group in groups.iter().filter(|group| is_ours(group.group_name())) {
        let name = group.group_name().unwrap_or_default();
        for policy in group.group_policy_list().iter().filter_map(|policy| policy.policy_name()) {
            iam.delete_group_policy().group_name(name).policy_name(policy).send().await.map_err(words)?;
        }
        for arn in group.attached_managed_policies().iter().filter_map(|policy| policy.policy_arn()) {
            iam.detach_group_policy().group_name(name).policy_arn(arn).send().await.map_err(words)?;
        }
        iam.delete_group().group_name(name).send().await.map_err(words)?;
    }
    for policy in policies.iter().filter(|policy| is_ours(policy.policy_name())) {
        let arn = policy.arn().unwrap_or_default();
        let others = policy.policy_version_list().iter().filter(|version| !version.is_default_version());
        for version in others.filter_map(|version| version.version_id()) {
            iam.delete_policy_version().policy_arn(arn).version_id(version).send().await.map_err(words)?;
        }
        iam.delete_policy().policy_arn(arn).send().await.map_err(words)?;
    }
    Ok(())
}

async fn remove_user(iam: &aws_sdk_iam::Client, user: &UserDetail) -> Result<(), String> {
    let name = user.user_name().unwrap_or_default();
    let keys = iam.list_access_keys().user_name(name).send().await.map_err(words)?;
    for key in keys.access_key_metadata().iter().filter_map(|key| key.access_key_id()) {
        iam.delete_access_key().user_name(name).access_key_id(key).send().await.map_err(words)?;
    }
    for group in user.group_list() {
        iam.remove_user_from_group().user_name(name).group_name(group).send().await.map_err(words)?;
    }
    for policy in user.user_policy_list().iter().filter_map(|policy| policy.policy_name()) {
        iam.delete_user_policy().user_name(name).policy_name(policy).send().await.map_err(words)?;
    }
    for arn in user.attached_managed_policies().iter().filter_map(|policy| policy.policy_arn()) {
        iam.detach_user_policy().user_name(name).policy_arn(arn).send().await.map_err(words)?;
    }
    if user.permissions_boundary().is_some() {
        iam.delete_user_permissions_boundary().user_name(name).send().await.map_err(words)?;
    }
    iam.delete_user().user_name(name).send().await.map_err(words)?;
    Ok(())
}

/// Removes buckets. Behaviours write at most an object without content.
async fn buckets(server: &Server, keys: &Keys, prefix: &str) -> Result<(), String> {
    let found = server.s3(keys, US_EAST_1).list_buckets().send().await.map_err(words)?;
    for name in found.buckets().iter().filter_map(|bucket| bucket.name()).filter(|name| name.starts_with(prefix)) {
        let mut s3 = server.s3(keys, US_EAST_1);
        // Requests for a bucket in another Region are redirected, which the SDK does not follow.
        if s3.head_bucket().bucket(name).send().await.is_err() {
            s3 = server.s3(keys, EU_WEST_1);
        }
        let objects = s3.list_objects_v2().bucket(name).send().await.map_err(words)?;
        for key in objects.contents().iter().filter_map(|object| object.key()) {
            s3.delete_object().bucket(name).key(key).send().await.map_err(words)?;
        }
        s3.delete_bucket().bucket(name).send().await.map_err(words)?;
    }
    Ok(())
}
