//! IAM operations on the account as a whole.

use super::call::{Call, Outcome};
use super::{managed, permissions, roles};
use crate::xml::Xml;

pub(super) fn summary(call: &mut Call<'_>) -> Outcome {
    call.authorize("iam:GetAccountSummary", "*")?;
    let account = call.account()?;
    let mfa_devices: usize = account.users.values().map(|user| user.mfa_devices.len()).sum();
    let entries = [
        ("Users", account.users.len()),
        ("Groups", account.groups.len()),
        ("Roles", account.roles.len()),
        ("RolesQuota", roles::ROLES_PER_ACCOUNT),
        ("Policies", account.policies.len()),
        ("PolicySizeQuota", managed::POLICY_SIZE),
        ("MFADevices", mfa_devices),
        ("MFADevicesInUse", mfa_devices),
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", usize::from(!account.root_keys.is_empty())),
        ("AccessKeysPerUserQuota", 2),
        ("AssumeRolePolicySizeQuota", roles::TRUST_POLICY_SIZE),
        ("UserPolicySizeQuota", permissions::USER_POLICY_SIZE),
        ("RolePolicySizeQuota", permissions::ROLE_POLICY_SIZE),
        ("AttachedPoliciesPerUserQuota", permissions::ATTACHED_POLICIES),
        ("AttachedPoliciesPerRoleQuota", permissions::ATTACHED_POLICIES),
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
