//! `TagRole`, `UntagRole` and `ListRoleTags`.

use super::call::{Call, Outcome, no_role};
use super::{roles, tags};
use crate::error::ApiError;

pub(super) fn tag_role(call: &mut Call<'_>) -> Outcome {
    let name = call.name("RoleName", 64)?;
    let new = tags::given(call)?;
    let resource = roles::resource(call.current()?, &name);
    call.authorize_with("iam:TagRole", &resource, |context| context.set_request_tags(&new))?;
    call.check_modifiable(&name)?;
    let role = call.current()?.roles.get(&name).ok_or_else(|| no_role(&name))?;
    let mut tags = role.tags.clone();
    tags.retain(|key, _| !new.keys().any(|other| other.eq_ignore_ascii_case(key)));
    tags.extend(new);
    if tags.len() > tags::TAGS_PER_ENTITY {
        return Err(ApiError::limit_exceeded("The number of tags has reached the maximum limit."));
    }
    if let Some(role) = call.account_mut().roles.get_mut(&name) {
        role.tags = tags;
    }
    Ok(None)
}

pub(super) fn untag_role(call: &mut Call<'_>) -> Outcome {
    let name = call.name("RoleName", 64)?;
    let keys = call.parameters.strings("TagKeys");
    let resource = roles::resource(call.current()?, &name);
    call.authorize_with("iam:UntagRole", &resource, |context| {
        context.set_list("aws:TagKeys", keys.clone());
    })?;
    call.check_modifiable(&name)?;
    let roles = &mut call.account_mut().roles;
    let role = roles.get_mut(&name).ok_or_else(|| no_role(&name))?;
    role.tags.retain(|key, _| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
    Ok(None)
}

pub(super) fn list_role_tags(call: &mut Call<'_>) -> Outcome {
    let name = call.name("RoleName", 64)?;
    call.authorize("iam:ListRoleTags", &roles::resource(call.current()?, &name))?;
    let roles = &call.account()?.roles;
    let role = roles.get(&name).ok_or_else(|| no_role(&name))?;
    call.list("Tags", role.tags.iter().collect(), |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    })
}
