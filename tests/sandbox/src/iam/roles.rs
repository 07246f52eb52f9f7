//! Roles: creation and deletion, trust policy, settings and boundary.

use std::sync::Arc;

use time::OffsetDateTime;

use super::call::{Call, Outcome, encoded, no_role, not_attachable};
use crate::clock::iso8601;
use crate::error::ApiError;
use crate::policy::{self, Use};
use crate::request::{Pattern, Validator};
use crate::world::{Account, Accounts, Role};
use crate::xml::Xml;

/// Default `MaxSessionDuration` of a role, in seconds.
const DEFAULT_SESSION_DURATION: i64 = 3600;

/// Returns the ARN of a role for authorization. The ARN of a role that does not exist has no path.
pub(super) fn resource(account: &Account, name: &str) -> String {
    match account.roles.get(name) {
        Some(role) => account.role_arn(role),
        None => format!("arn:aws:iam::{}:role/{name}", account.id),
    }
}

/// Writes the permissions boundary of a user or role.
pub(super) fn write_boundary(xml: &mut Xml, boundary: Option<&str>) {
    if let Some(boundary) = boundary {
        xml.element("PermissionsBoundary", |xml| {
            xml.text("PermissionsBoundaryType", "Policy");
            xml.text("PermissionsBoundaryArn", boundary);
        });
    }
}

/// Writes a role. Lists of roles do not include tags, boundary and last use. `used_until` is the time until which IAM knows
/// its uses; `None` for a list.
fn write(xml: &mut Xml, (role, arn): (&Role, &str), accounts: &Accounts, used_until: Option<OffsetDateTime>) {
    xml.text("Path", &role.path);
    xml.text("RoleName", &role.name);
    xml.text("RoleId", &role.id);
    xml.text("Arn", arn);
    xml.text("CreateDate", iso8601(role.created));
    xml.text("AssumeRolePolicyDocument", encoded(&role.trust, accounts));
    xml.optional("Description", role.description.as_ref());
    xml.text("MaxSessionDuration", role.max_session_duration);
    if let Some(until) = used_until {
        write_boundary(xml, role.boundary.as_deref());
        if !role.tags.is_empty() {
            super::tags::write(xml, &role.tags);
        }
        xml.element("RoleLastUsed", |xml| {
            if let Some(used) = role.uses.iter().filter(|used| used.at <= until).max_by_key(|used| used.at) {
                xml.text("LastUsedDate", iso8601(used.at));
                xml.text("Region", &used.region);
            }
        });
    }
}

/// Writes a role as `GetAccountAuthorizationDetails` does.
pub(super) fn write_details(xml: &mut Xml, call: &Call<'_>, account: &Account, role: &Role) {
    write(xml, (role, &account.role_arn(role)), &call.readable, Some(call.now - call.late_uses));
}

/// Parses and checks a trust policy, and returns it as IAM stores it.
fn trust(call: &Call<'_>, parameter: &str) -> Result<serde_json::Value, ApiError> {
    let text = call.document(parameter)?;
    let document = policy::parse(&text, Use::Trust)?;
    policy::check_principals(&document, &call.world.accounts)?;
    let quota = call.current()?.quotas.trust_policy_size;
    if policy::size(&text) > quota {
        return Err(ApiError::limit_exceeded(format!("Cannot exceed quota for ACLSizePerRole: {quota}")));
    }
    Ok(policy::as_stored(&document, &call.world.accounts))
}

struct Settings {
    description: Option<String>,
    max_session_duration: Option<i64>,
}

fn settings(call: &Call<'_>) -> Result<Settings, ApiError> {
    let mut validator = Validator::default();
    let description = call.parameters.get("Description");
    validator.text("description", description, 0..=1000, Pattern::DESCRIPTION);
    let duration = call.parameters.get("MaxSessionDuration");
    let max_session_duration = validator.number("maxSessionDuration", duration, 3600..=43200)?;
    validator.finish()?;
    Ok(Settings { description: description.map(str::to_owned), max_session_duration })
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let name = call.name("RoleName", 64)?;
    let path = call.path()?;
    let settings = settings(call)?;
    let tags = super::tags::given(call)?;
    let boundary = call.parameters.get("PermissionsBoundary").map(str::to_owned);
    let arn = format!("arn:aws:iam::{}:role{path}{name}", call.caller.account);
    call.authorize_with("iam:CreateRole", &arn, |context| {
        context.set_request_tags(&tags);
        if let Some(boundary) = &boundary {
            context.set("iam:PermissionsBoundary", boundary);
        }
    })?;
    if !tags.is_empty() {
        call.authorize_with("iam:TagRole", &arn, |context| context.set_request_tags(&tags))?;
    }
    let trust = trust(call, "AssumeRolePolicyDocument")?;
    let account = call.current()?;
    if account.roles.keys().any(|other| other.eq_ignore_ascii_case(&name)) {
        return Err(ApiError::already_exists(format!("Role with name {name} already exists.")));
    }
    let quota = account.quotas.roles;
    if account.roles.len() >= quota {
        return Err(ApiError::limit_exceeded(format!("Cannot exceed quota for RolesPerAccount: {quota}")));
    }
    if let Some(boundary) = &boundary
        && account.policy(boundary).is_none()
    {
        let message = format!("Scope ARN: {boundary} does not exist or is not attachable.");
        return Err(ApiError::no_such_entity(message));
    }
    let role = Role {
        created: call.now,
        description: settings.description,
        max_session_duration: settings.max_session_duration.unwrap_or(DEFAULT_SESSION_DURATION),
        boundary,
        tags,
        ..Role::new(&name, &path, trust)
    };
    call.account_mut().roles.insert(name, role.clone());
    let accounts = Arc::clone(&call.world.accounts);
    let account = call.current()?;
    Ok(Some(Xml::build(|xml| {
        xml.element("Role", |xml| write(xml, (&role, &account.role_arn(&role)), &accounts, Some(call.now)));
    })))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.name("RoleName", 64)?;
    call.authorize("iam:GetRole", &resource(call.current()?, &name))?;
    let account = call.account()?;
    let role = account.roles.get(&name).ok_or_else(|| no_role(&name))?;
    Ok(Some(Xml::build(|xml| {
        xml.element("Role", |xml| {
            // Right after CreateRole, IAM may not know the ARN yet.
            let age = call.now - role.created;
            let is_new = !age.is_negative() && age < call.unique_ids;
            let arn = if is_new { role.id.clone() } else { account.role_arn(role) };
            write(xml, (role, &arn), &call.readable, Some(call.now - call.late_uses));
        });
    })))
}

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let prefix = call.parameters.get("PathPrefix").unwrap_or("/");
    let arn = format!("arn:aws:iam::{}:role{prefix}", call.caller.account);
    call.authorize("iam:ListRoles", &arn)?;
    let account = call.account()?;
    let roles = account.roles.values().filter(|role| role.path.starts_with(prefix));
    call.list("Roles", roles.collect(), |xml, role| {
        write(xml, (role, &account.role_arn(role)), &call.readable, None);
    })
}

/// Authorizes a change, and returns the name of a role that exists and may be changed.
fn changeable(call: &Call<'_>, action: &str) -> Result<String, ApiError> {
    let name = authorized(call, action)?;
    call.check_modifiable(&name)?;
    Ok(name)
}

/// Authorizes the call, and returns the name of a role that exists.
fn authorized(call: &Call<'_>, action: &str) -> Result<String, ApiError> {
    let name = call.name("RoleName", 64)?;
    let account = call.current()?;
    call.authorize(action, &resource(account, &name))?;
    if account.roles.contains_key(&name) { Ok(name) } else { Err(no_role(&name)) }
}

fn change(call: &mut Call<'_>, name: &str, change: impl FnOnce(&mut Role)) -> Outcome {
    let role = call.account_mut().roles.get_mut(name);
    change(role.ok_or_else(|| no_role(name))?);
    Ok(None)
}

pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let settings = settings(call)?;
    let name = changeable(call, "iam:UpdateRole")?;
    change(call, &name, |role| {
        role.description = settings.description.or(role.description.take());
        // Without a description, the old one stays; without a duration, the default applies.
        role.max_session_duration = settings.max_session_duration.unwrap_or(DEFAULT_SESSION_DURATION);
    })?;
    // UpdateRole has a result element, which is empty.
    Ok(Some(Xml::default()))
}

pub(super) fn update_trust(call: &mut Call<'_>) -> Outcome {
    let name = changeable(call, "iam:UpdateAssumeRolePolicy")?;
    let trust = trust(call, "PolicyDocument")?;
    change(call, &name, |role| role.trust = trust)
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let name = changeable(call, "iam:DeleteRole")?;
    let roles = &call.current()?.roles;
    let role = roles.get(&name).ok_or_else(|| no_role(&name))?;
    if !role.instance_profiles.is_empty() {
        let message = "Cannot delete entity, must remove roles from instance profile first.";
        return Err(ApiError::delete_conflict(message));
    }
    let policies = &role.policies;
    if !policies.attached.is_empty() {
        return Err(ApiError::delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !policies.inline.is_empty() {
        return Err(ApiError::delete_conflict("Cannot delete entity, must delete policies first."));
    }
    call.account_mut().roles.remove(&name);
    Ok(None)
}

pub(super) fn put_boundary(call: &mut Call<'_>) -> Outcome {
    let boundary = call.arn("PermissionsBoundary")?;
    let name = call.name("RoleName", 64)?;
    let account = call.current()?;
    call.authorize_with("iam:PutRolePermissionsBoundary", &resource(account, &name), |context| {
        context.set("iam:PermissionsBoundary", &boundary);
    })?;
    call.check_modifiable(&name)?;
    if account.policy(&boundary).is_none() {
        return Err(not_attachable(&boundary));
    }
    change(call, &name, |role| role.boundary = Some(boundary))
}

pub(super) fn delete_boundary(call: &mut Call<'_>) -> Outcome {
    let name = changeable(call, "iam:DeleteRolePermissionsBoundary")?;
    change(call, &name, |role| role.boundary = None)
}

/// Returns the instance profiles of a role. The sandbox knows only their names.
pub(super) fn list_instance_profiles(call: &mut Call<'_>) -> Outcome {
    let name = authorized(call, "iam:ListInstanceProfilesForRole")?;
    let account = call.account()?;
    let role = account.roles.get(&name).ok_or_else(|| no_role(&name))?;
    call.list("InstanceProfiles", role.instance_profiles.iter().collect(), |xml, profile| {
        xml.text("Path", "/");
        xml.text("InstanceProfileName", profile);
        xml.text("InstanceProfileId", "AIPASANDBOXSANDBOXAAA");
        xml.text("Arn", format!("arn:aws:iam::{}:instance-profile/{profile}", account.id));
        xml.text("CreateDate", iso8601(role.created));
        xml.members("Roles", [role], |xml, role| write(xml, (role, &account.role_arn(role)), &call.readable, None));
    })
}
