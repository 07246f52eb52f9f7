//! IAM operations on the account as a whole.

use super::call::{Call, Outcome};
use crate::xml::Xml;

pub(super) fn summary(call: &mut Call<'_>) -> Outcome {
    call.authorize("iam:GetAccountSummary", "*")?;
    let account = call.account()?;
    let quotas = &account.quotas;
    let mfa_devices: usize = account.users.values().map(|user| user.mfa_devices.len()).sum();
    let entries = [
        ("Users", account.users.len()),
        ("Groups", account.groups.len()),
        ("GroupsPerUserQuota", quotas.groups_per_user),
        ("Roles", account.roles.len()),
        ("RolesQuota", quotas.roles),
        ("Policies", account.policies.len()),
        ("PolicySizeQuota", quotas.policy_size),
        ("VersionsPerPolicyQuota", quotas.versions_per_policy),
        ("MFADevices", mfa_devices),
        ("MFADevicesInUse", mfa_devices),
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", usize::from(!account.root_keys.is_empty())),
        ("AccessKeysPerUserQuota", 2),
        ("AssumeRolePolicySizeQuota", quotas.trust_policy_size),
        ("UserPolicySizeQuota", quotas.user_policy_size),
        ("GroupPolicySizeQuota", quotas.group_policy_size),
        ("RolePolicySizeQuota", quotas.role_policy_size),
        ("AttachedPoliciesPerUserQuota", quotas.attached_per_user),
        ("AttachedPoliciesPerGroupQuota", quotas.attached_per_group),
        ("AttachedPoliciesPerRoleQuota", quotas.attached_per_role),
        ("GlobalEndpointTokenVersion", 1),
    ];
    Ok(Some(Xml::build(|xml| {
        xml.element("SummaryMap", |xml| {
            for (key, value) in entries {
                xml.element("entry", |xml| {
                    xml.text("key", key);
                    xml.text("value", value);
                });
            }
        });
    })))
}

pub(super) fn aliases(call: &mut Call<'_>) -> Outcome {
    call.authorize("iam:ListAccountAliases", "*")?;
    let alias = call.account()?.alias.iter().collect();
    call.list("AccountAliases", alias, |xml, alias| xml.content(alias))
}
