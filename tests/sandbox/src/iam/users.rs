//! Users, their keys, devices and boundaries.

use super::call::{Call, Outcome, no_user, not_attachable};
use crate::caller::Kind;
use crate::clock::iso8601;
use crate::error::ApiError;
use crate::random::{secret_key, unique_id};
use crate::world::{AccessKey, Account, User};
use crate::xml::Xml;

/// Returns the ARN of a user for authorization. The ARN of a user who does not exist has no path.
pub(super) fn resource(account: &Account, name: &str) -> String {
    match account.users.get(name) {
        Some(user) => account.user_arn(user),
        None => format!("arn:aws:iam::{}:user/{name}", account.id),
    }
}

/// Returns the `UserName` parameter, or the caller if it is absent.
fn named_or_caller(call: &Call<'_>) -> Result<String, ApiError> {
    match (call.parameters.get("UserName"), call.caller.kind) {
        (Some(_), _) => call.name("UserName", 128),
        (None, Kind::User) => Ok(call.caller.name.clone()),
        (None, _) => Err(ApiError::validation("Must specify userName when calling with non-User credentials")),
    }
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    if call.caller.kind == Kind::Root && call.parameters.get("UserName").is_none() {
        return Ok(Some(Xml::build(|xml| {
            xml.element("User", |xml| {
                xml.text("UserId", &call.caller.account);
                xml.text("Arn", &call.caller.arn);
                xml.text("CreateDate", "2020-01-01T00:00:00Z");
            });
        })));
    }
    let name = named_or_caller(call)?;
    call.authorize("iam:GetUser", &resource(call.current()?, &name))?;
    let account = call.account()?;
    let user = account.users.get(&name).ok_or_else(|| no_user(&name))?;
    Ok(Some(described(account, user)))
}

/// Writes a user. Lists of users do not include tags and boundary.
pub(super) fn write(xml: &mut Xml, account: &Account, user: &User, whole: bool) {
    xml.text("Path", &user.path);
    xml.text("UserName", &user.name);
    xml.text("UserId", &user.id);
    xml.text("Arn", account.user_arn(user));
    xml.text("CreateDate", iso8601(user.created));
    if whole {
        super::roles::write_boundary(xml, user.boundary.as_deref());
        if !user.tags.is_empty() {
            super::tags::write(xml, &user.tags);
        }
    }
}

fn described(account: &Account, user: &User) -> Xml {
    Xml::build(|xml| xml.element("User", |xml| write(xml, account, user, true)))
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let name = call.name("UserName", 64)?;
    let path = call.path()?;
    let tags = super::tags::given(call)?;
    let arn = format!("arn:aws:iam::{}:user{path}{name}", call.caller.account);
    call.authorize_with("iam:CreateUser", &arn, |context| context.set_request_tags(&tags))?;
    if !tags.is_empty() {
        call.authorize_with("iam:TagUser", &arn, |context| context.set_request_tags(&tags))?;
    }
    if call.current()?.users.keys().any(|other| other.eq_ignore_ascii_case(&name)) {
        return Err(ApiError::already_exists(format!("User with name {name} already exists.")));
    }
    let user = User { created: call.now, tags, ..User::new(&name, &path) };
    let account = call.account_mut();
    account.users.insert(name, user.clone());
    Ok(Some(described(account, &user)))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let name = call.name("UserName", 128)?;
    call.authorize("iam:DeleteUser", &resource(call.current()?, &name))?;
    let user = call.current()?.users.get(&name).ok_or_else(|| no_user(&name))?;
    let obstacle = [
        (!user.policies.attached.is_empty(), "detach all policies"),
        (!user.policies.inline.is_empty(), "delete policies"),
        (!user.keys.is_empty(), "delete access keys"),
        (!user.groups.is_empty(), "remove users from group"),
        (!user.mfa_devices.is_empty(), "delete MFA device"),
    ]
    .into_iter()
    .find_map(|(there, what)| there.then_some(what));
    if let Some(what) = obstacle {
        return Err(ApiError::delete_conflict(format!("Cannot delete entity, must {what} first.")));
    }
    call.account_mut().users.remove(&name);
    Ok(None)
}

pub(super) fn create_access_key(call: &mut Call<'_>) -> Outcome {
    let name = named_or_caller(call)?;
    call.authorize("iam:CreateAccessKey", &resource(call.current()?, &name))?;
    let now = call.now;
    let users = &mut call.account_mut().users;
    let user = users.get_mut(&name).ok_or_else(|| no_user(&name))?;
    if user.keys.len() >= 2 {
        return Err(ApiError::limit_exceeded("Cannot exceed quota for AccessKeysPerUser: 2"));
    }
    let key = AccessKey {
        // Access key IDs are three characters shorter than other unique IDs: 20 in total.
        id: unique_id("AKIA")[..20].to_owned(),
        secret: secret_key(),
    };
    user.keys.push(key.clone());
    Ok(Some(Xml::build(|xml| {
        xml.element("AccessKey", |xml| {
            xml.text("UserName", &name);
            xml.text("AccessKeyId", &key.id);
            xml.text("Status", "Active");
            xml.text("SecretAccessKey", &key.secret);
            xml.text("CreateDate", iso8601(now));
        });
    })))
}

pub(super) fn list_access_keys(call: &mut Call<'_>) -> Outcome {
    let name = named_or_caller(call)?;
    call.authorize("iam:ListAccessKeys", &resource(call.current()?, &name))?;
    let users = &call.account()?.users;
    let user = users.get(&name).ok_or_else(|| no_user(&name))?;
    call.list("AccessKeyMetadata", user.keys.iter().collect(), |xml, key| {
        xml.text("UserName", &name);
        xml.text("AccessKeyId", &key.id);
        xml.text("Status", if user.inactive_keys.contains(&key.id) { "Inactive" } else { "Active" });
    })
}

pub(super) fn update_access_key(call: &mut Call<'_>) -> Outcome {
    let name = named_or_caller(call)?;
    call.authorize("iam:UpdateAccessKey", &resource(call.current()?, &name))?;
    let id = call.parameters.get("AccessKeyId").unwrap_or_default().to_owned();
    let status = call.parameters.get("Status").unwrap_or_default().to_owned();
    let user = call.account_mut().users.get_mut(&name).ok_or_else(|| no_user(&name))?;
    if !user.keys.iter().any(|key| key.id == id) {
        return Err(ApiError::no_such_entity(format!("The Access Key with id {id} cannot be found.")));
    }
    match status.as_str() {
        "Active" => drop(user.inactive_keys.remove(&id)),
        "Inactive" => drop(user.inactive_keys.insert(id)),
        other => {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '{other}' at 'status' failed to satisfy constraint: Member must \
                 satisfy enum value set: [Active, Inactive]"
            )));
        }
    }
    Ok(None)
}

pub(super) fn delete_access_key(call: &mut Call<'_>) -> Outcome {
    let name = named_or_caller(call)?;
    call.authorize("iam:DeleteAccessKey", &resource(call.current()?, &name))?;
    let id = call.parameters.get("AccessKeyId").unwrap_or_default().to_owned();
    let users = &mut call.account_mut().users;
    let user = users.get_mut(&name).ok_or_else(|| no_user(&name))?;
    let count = user.keys.len();
    user.keys.retain(|key| key.id != id);
    user.inactive_keys.remove(&id);
    if user.keys.len() == count {
        return Err(ApiError::no_such_entity(format!("The Access Key with id {id} cannot be found.")));
    }
    Ok(None)
}

pub(super) fn list_mfa_devices(call: &mut Call<'_>) -> Outcome {
    let name = named_or_caller(call)?;
    call.authorize("iam:ListMFADevices", &resource(call.current()?, &name))?;
    let users = &call.account()?.users;
    let user = users.get(&name).ok_or_else(|| no_user(&name))?;
    call.list("MFADevices", user.mfa_devices.iter().collect(), |xml, device| {
        xml.text("UserName", &name);
        xml.text("SerialNumber", &device.serial);
        xml.text("EnableDate", iso8601(device.enabled));
    })
}

pub(super) fn put_boundary(call: &mut Call<'_>) -> Outcome {
    let boundary = call.arn("PermissionsBoundary")?;
    let name = call.name("UserName", 128)?;
    let account = call.current()?;
    call.authorize_with("iam:PutUserPermissionsBoundary", &resource(account, &name), |context| {
        context.set("iam:PermissionsBoundary", &boundary);
    })?;
    if account.policy(&boundary).is_none() {
        return Err(not_attachable(&boundary));
    }
    set_boundary(call, &name, Some(boundary))
}

pub(super) fn delete_boundary(call: &mut Call<'_>) -> Outcome {
    let name = call.name("UserName", 128)?;
    call.authorize("iam:DeleteUserPermissionsBoundary", &resource(call.current()?, &name))?;
    set_boundary(call, &name, None)
}

fn set_boundary(call: &mut Call<'_>, name: &str, boundary: Option<String>) -> Outcome {
    let user = call.account_mut().users.get_mut(name);
    user.ok_or_else(|| no_user(name))?.boundary = boundary;
    Ok(None)
}
