//! Parses policy documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::document::{Effect, Element, PolicyDocument, Principals, Statement, VERSION};
use crate::iam::invalid::shown;
use crate::iam::json;

/// The longest document the IAM API accepts in a request, in characters (IAM API reference, CreateRole). The quotas
/// are far below it; see [`PolicyDocument::size`].
pub const MAX_DOCUMENT_CHARS: usize = 131_072;

/// Why a text is not a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct PolicyError {
    /// The place in the document, such as `statement 2, Action`.
    pub place: String,
    /// The problem at that place.
    pub problem: String,
}

impl PolicyError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl PolicyDocument {
    /// Parses a document from JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, not a policy, longer than the API accepts, or has characters that IAM rejects
    /// (anything but tab, line feed, carriage return and U+0020 to U+00FF).
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let chars = text.chars().count();
        if chars > MAX_DOCUMENT_CHARS {
            return Err(PolicyError::new(
                "document",
                format!("has {chars} characters, IAM accepts at most {MAX_DOCUMENT_CHARS}"),
            ));
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(c) = line.chars().find(|c| !is_accepted(*c)) {
                return Err(PolicyError::new(format!("line {}", number + 1), rejected_character(c)));
            }
        }
        let value = json::parse(text).map_err(|error| {
            let problem = if error.is_data() { error.to_string() } else { format!("is not JSON: {error}") };
            PolicyError::new("document", problem)
        })?;
        let document = Self::from_value(&value)?;
        // An escape such as `\u20ac` is ASCII in the file, but xacct sends its character.
        match document.minified().chars().find(|c| !is_accepted(*c)) {
            None => Ok(document),
            Some(c) => Err(PolicyError::new("document", rejected_character(c))),
        }
    }

    /// Parses a document from a JSON value.
    ///
    /// # Errors
    /// When the value is not a policy; the error names the place.
    pub fn from_value(value: &Value) -> Result<Self, PolicyError> {
        let place = "document";
        let object = object(value, place)?;
        only_known(object, &["Version", "Id", "Statement"], place)?;
        let version = optional_string(object, "Version", place)?;
        if let Some(version) = &version
            && version != VERSION
            && version != "2008-10-17"
        {
            return Err(PolicyError::new(
                "Version",
                format!("is `{}`, but must be `{VERSION}` or `2008-10-17`", shown(version)),
            ));
        }
        let statements = match object.get("Statement") {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            Some(_) => return Err(PolicyError::new("Statement", "must be an object or a list of objects")),
            None => return Err(PolicyError::new(place, "has no `Statement`")),
        };
        if statements.is_empty() {
            return Err(PolicyError::new("Statement", "is empty"));
        }
        let statements = statements
            .into_iter()
            .enumerate()
            .map(|(index, value)| Statement::from_value(value, &format!("statement {}", index + 1)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { version, id: optional_string(object, "Id", place)?, statements })
    }
}

impl PolicyDocument {
    /// Checks what IAM demands of the `Sid`s of a document that it is sent (IAM User Guide, "IAM JSON policy elements:
    /// Sid"). Other services accept more.
    ///
    /// # Errors
    /// When one has another character than a letter or digit, or two are equal.
    pub fn check_sids(&self) -> Result<(), PolicyError> {
        let mut seen = BTreeSet::new();
        for (index, statement) in self.statements.iter().enumerate() {
            let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty()) else { continue };
            let refuse = |problem: &str| {
                let place = format!("statement {}, Sid", index + 1);
                Err(PolicyError::new(place, format!("is `{}`, {problem}", shown(sid))))
            };
            if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
                return refuse("but IAM accepts only letters and digits there");
            }
            if !seen.insert(sid) {
                return refuse("but another statement has the same Sid, and IAM requires unique Sids");
            }
        }
        Ok(())
    }
}

impl Statement {
    fn from_value(value: &Value, place: &str) -> Result<Self, PolicyError> {
        let object = object(value, place)?;
        let known = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        only_known(object, &known, place)?;
        let effect = match object.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(other) => {
                let problem = format!("is `{}`, but must be `Allow` or `Deny`", shown(other));
                return Err(PolicyError::new(format!("{place}, Effect"), problem));
            }
            None => return Err(PolicyError::new(place, "has no `Effect` (`Allow` or `Deny`)")),
        };
        let strings = |value: &Value, name: &str| string_set(value, &format!("{place}, {name}"));
        let action = element(object, "Action", "NotAction", place, strings)?
            .ok_or_else(|| PolicyError::new(place, "has neither `Action` nor `NotAction`"))?;
        let condition = match object.get("Condition") {
            None => BTreeMap::new(),
            Some(value) => condition(value, &format!("{place}, Condition"))?,
        };
        Ok(Self {
            sid: optional_string(object, "Sid", place)?,
            effect,
            principal: element(object, "Principal", "NotPrincipal", place, |value, name| {
                principals(value, &format!("{place}, {name}"))
            })?,
            action,
            resource: element(object, "Resource", "NotResource", place, strings)?,
            condition,
        })
    }
}

/// Returns whether IAM accepts this character in a document, line breaks aside (IAM API reference, CreateRole).
fn is_accepted(c: char) -> bool {
    matches!(c, '\t' | '\r' | ' '..='\u{ff}')
}

fn rejected_character(c: char) -> String {
    format!("contains `{}`, but IAM accepts only tab, line breaks and U+0020 to U+00FF", c.escape_default())
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, PolicyError> {
    value.as_object().ok_or_else(|| PolicyError::new(place, "must be a JSON object"))
}

fn only_known(object: &Map<String, Value>, known: &[&str], place: &str) -> Result<(), PolicyError> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let problem = format!("unknown element `{}`; known elements are {}", shown(key), known.join(", "));
            Err(PolicyError::new(place, problem))
        }
    }
}

fn optional_string(object: &Map<String, Value>, key: &str, place: &str) -> Result<Option<String>, PolicyError> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(PolicyError::new(format!("{place}, {key}"), "must be a string")),
    }
}

fn element<T>(
    object: &Map<String, Value>,
    is: &str,
    not: &str,
    place: &str,
    read: impl Fn(&Value, &str) -> Result<T, PolicyError>,
) -> Result<Option<Element<T>>, PolicyError> {
    match (object.get(is), object.get(not)) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(Element::Is(read(value, is)?))),
        (None, Some(value)) => Ok(Some(Element::Not(read(value, not)?))),
        (Some(_), Some(_)) => Err(PolicyError::new(place, format!("has both `{is}` and `{not}`"))),
    }
}

fn string_set(value: &Value, place: &str) -> Result<BTreeSet<String>, PolicyError> {
    let strings = match value {
        Value::String(one) => return Ok(BTreeSet::from([one.clone()])),
        Value::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>(),
        _ => None,
    };
    let strings: BTreeSet<String> =
        strings.ok_or_else(|| PolicyError::new(place, "must be a string or a list of strings"))?;
    if strings.is_empty() { Err(PolicyError::new(place, "is empty")) } else { Ok(strings) }
}

fn principals(value: &Value, place: &str) -> Result<Principals, PolicyError> {
    if value.as_str() == Some("*") {
        return Ok(Principals::Everyone);
    }
    let kinds = object(value, place)
        .map_err(|_| PolicyError::new(place, "must be `\"*\"` or an object such as {\"AWS\": …}"))?;
    let known = ["AWS", "Service", "Federated", "CanonicalUser"];
    only_known(kinds, &known, place)?;
    let kinds = kinds
        .iter()
        .map(|(kind, ids)| Ok((kind.clone(), string_set(ids, &format!("{place}, {kind}"))?)))
        .collect::<Result<BTreeMap<_, _>, PolicyError>>()?;
    if kinds.is_empty() {
        return Err(PolicyError::new(place, "is empty"));
    }
    if kinds.get("AWS").is_some_and(|ids| ids.contains("*")) {
        return Ok(Principals::Everyone);
    }
    Ok(Principals::Listed(kinds))
}

type Condition = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn condition(value: &Value, place: &str) -> Result<Condition, PolicyError> {
    let mut condition = Condition::new();
    for (operator, keys) in object(value, place)? {
        let place = format!("{place}, {}", shown(operator));
        let keys = object(keys, &place)?
            .iter()
            .map(|(key, values)| Ok((key.clone(), condition_values(values, &format!("{place}, {}", shown(key)))?)))
            .collect::<Result<_, PolicyError>>()?;
        condition.insert(operator.clone(), keys);
    }
    Ok(condition)
}

/// Parses the values of a condition. IAM accepts `true` and `3600` for `"true"` and `"3600"`.
fn condition_values(value: &Value, place: &str) -> Result<BTreeSet<String>, PolicyError> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    let values = match value {
        Value::Array(list) => list.iter().map(scalar).collect(),
        one => scalar(one).map(|text| BTreeSet::from([text])),
    };
    values.ok_or_else(|| PolicyError::new(place, "must be a string, number or boolean, or a list of them"))
}
