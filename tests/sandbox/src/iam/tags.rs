//! Tags in requests and responses.

use super::call::Call;
use crate::error::ApiError;
use crate::request::{Parameters, Pattern, Validator};
use crate::world::Tags;
use crate::xml::Xml;

/// Maximum number of tags on a role.
pub(super) const TAGS_PER_ENTITY: usize = 50;

/// Writes `<Tags>`.
pub(super) fn write(xml: &mut Xml, tags: &Tags) {
    xml.members("Tags", tags, |xml, (key, value)| {
        xml.text("Key", key);
        xml.text("Value", value);
    });
}

/// Parses and checks the tags of an IAM or STS request. Keys are unique case-insensitively; `duplicate` is the error code
/// for those that are not.
pub(crate) fn read(parameters: &Parameters, duplicate: &str) -> Result<Tags, ApiError> {
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
            return Err(ApiError::new(400, duplicate, message));
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

pub(super) fn given(call: &Call<'_>) -> Result<Tags, ApiError> {
    read(call.parameters, "InvalidInput")
}
