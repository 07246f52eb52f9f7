//! Groups and their members. A membership change is authorized on the group ("Service Authorization Reference, IAM").

use super::call::{Call, Outcome, no_group, no_user};
use super::users;
use crate::error::ApiError;
use crate::world::{Account, Group};
use crate::xml::Xml;

/// Returns the ARN of a group for authorization. The ARN of a group that does not exist has no path.
pub(super) fn resource(account: &Account, name: &str) -> String {
    match account.groups.get(name) {
        Some(group) => account.group_arn(group),
        None => format!("arn:aws:iam::{}:group/{name}", account.id),
    }
}

pub(super) fn write(xml: &mut Xml, account: &Account, group: &Group) {
    xml.text("Path", &group.path);
    xml.text("GroupName", &group.name);
    xml.text("GroupId", &group.id);
    xml.text("Arn", account.group_arn(group));
    xml.text("CreateDate", "2020-01-01T00:00:00Z");
}

/// Authorizes the call, and returns the group's name.
fn authorized(call: &Call<'_>, action: &str) -> Result<String, ApiError> {
    let name = call.name("GroupName", 128)?;
    call.authorize(action, &resource(call.current()?, &name))?;
    Ok(name)
}

pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let name = call.name("GroupName", 128)?;
    let path = call.path()?;
    call.authorize("iam:CreateGroup", &format!("arn:aws:iam::{}:group{path}{name}", call.caller.account))?;
    if call.current()?.groups.keys().any(|other| other.eq_ignore_ascii_case(&name)) {
        return Err(ApiError::already_exists(format!("Group with name {name} already exists.")));
    }
    let group = Group::new(&name, &path);
    let account = call.account_mut();
    account.groups.insert(name, group.clone());
    Ok(Some(Xml::build(|xml| xml.element("Group", |xml| write(xml, account, &group)))))
}

pub(super) fn get(call: &mut Call<'_>) -> Outcome {
    let name = authorized(call, "iam:GetGroup")?;
    let account = call.account()?;
    let group = account.groups.get(&name).ok_or_else(|| no_group(&name))?;
    let members = account.users.values().filter(|user| user.groups.contains(&name));
    let users = call.list("Users", members.collect(), |xml, user| users::write(xml, account, user, false))?;
    Ok(Some(Xml::build(|xml| {
        xml.element("Group", |xml| write(xml, account, group));
        users.iter().for_each(|users| xml.append(users));
    })))
}

pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let name = authorized(call, "iam:DeleteGroup")?;
    let account = call.current()?;
    let policies = &account.groups.get(&name).ok_or_else(|| no_group(&name))?.policies;
    let obstacle = [
        (account.users.values().any(|user| user.groups.contains(&name)), "remove users from group"),
        (!policies.attached.is_empty(), "detach all policies"),
        (!policies.inline.is_empty(), "delete policies"),
    ]
    .into_iter()
    .find_map(|(there, what)| there.then_some(what));
    if let Some(what) = obstacle {
        return Err(ApiError::delete_conflict(format!("Cannot delete entity, must {what} first.")));
    }
    call.account_mut().groups.remove(&name);
    Ok(None)
}

/// Returns the group and the user of a membership change, both of which must exist.
fn membership(call: &Call<'_>, action: &str) -> Result<(String, String), ApiError> {
    let user = call.name("UserName", 128)?;
    let group = authorized(call, action)?;
    let account = call.current()?;
    if !account.groups.contains_key(&group) {
        return Err(no_group(&group));
    }
    if account.users.contains_key(&user) { Ok((group, user)) } else { Err(no_user(&user)) }
}

/// Adds a user to a group. Succeeds if the user is a member already.
pub(super) fn add_user(call: &mut Call<'_>) -> Outcome {
    let (group, name) = membership(call, "iam:AddUserToGroup")?;
    let quota = call.current()?.quotas.groups_per_user;
    let groups = &mut call.account_mut().users.get_mut(&name).ok_or_else(|| no_user(&name))?.groups;
    if !groups.contains(&group) && groups.len() >= quota {
        return Err(ApiError::limit_exceeded(format!("Cannot exceed quota for GroupsPerUser: {quota}")));
    }
    groups.insert(group);
    Ok(None)
}

pub(super) fn remove_user(call: &mut Call<'_>) -> Outcome {
    let (group, name) = membership(call, "iam:RemoveUserFromGroup")?;
    let user = call.account_mut().users.get_mut(&name).ok_or_else(|| no_user(&name))?;
    if user.groups.remove(&group) {
        Ok(None)
    } else {
        Err(ApiError::no_such_entity(format!("The user with name {name} is not in the group {group}.")))
    }
}

pub(super) fn list_for_user(call: &mut Call<'_>) -> Outcome {
    let name = call.name("UserName", 128)?;
    call.authorize("iam:ListGroupsForUser", &users::resource(call.current()?, &name))?;
    let account = call.account()?;
    let user = account.users.get(&name).ok_or_else(|| no_user(&name))?;
    let groups = user.groups.iter().filter_map(|group| account.groups.get(group));
    call.list("Groups", groups.collect(), |xml, group| write(xml, account, group))
}
