//! Tags of roles.

use super::{Call, Outcome, no_role, roles};
use crate::error::ApiError;
use crate::request::{Parameters, Pattern, Validator};
use crate::world::Tags;
use crate::xml::Xml;

/// Most tags on a role.
const TAGS_PER_ENTITY: usize = 50;

/// Writes `<Tags>`.
pub(super) fn write(xml: &mut Xml, tags: &Tags) {
    xml.members("Tags", tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

/// Reads and checks the tags of a request, in IAM or STS: keys differ in more than case.
pub(crate) fn read(parameters: &Parameters) -> Result<Tags, ApiError> {
    let pairs = parameters.pairs("Tags", "Key", "Value");
    let mut validator = Validator::default();
    if pairs.len() > TAGS_PER_ENTITY {
        validator.broken(format!(
            "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to {TAGS_PER_ENTITY}"
        ));
    }
    for (number, (key, value)) in pairs.iter().enumerate() {
        let number = number + 1;
        validator.text(&format!("tags.{number}.member.key"), Some(key), 1..=128, Pattern::TAG);
        validator.text(&format!("tags.{number}.member.value"), Some(value), 0..=256, Pattern::TAG);
    }
    validator.finish()?;
    let mut tags = Tags::new();
    for (key, value) in pairs {
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = format!("Invalid tag key: {key}. System tags are not allowed.");
            return Err(ApiError::new(400, "InvalidInput", message));
        }
        if tags.keys().any(|other: &String| other.eq_ignore_ascii_case(&key)) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(ApiError::new(400, "InvalidInput", message));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

pub(super) fn given(call: &Call<'_>) -> Result<Tags, ApiError> {
    read(call.parameters)
}

pub(super) fn tag_role(call: &mut Call<'_>) -> Outcome {
    let name = call.name("RoleName", 64)?;
    let new = given(call)?;
    let resource = roles::resource(call.current()?, &name);
    call.authorize_with("iam:TagRole", &resource, |context| context.set_request_tags(&new))?;
    let role = call.current()?.roles.get(&name).ok_or_else(|| no_role(&name))?;
    let mut tags = role.tags.clone();
    tags.retain(|key, _| !new.keys().any(|other| other.eq_ignore_ascii_case(key)));
    tags.extend(new);
    if tags.len() > TAGS_PER_ENTITY {
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
