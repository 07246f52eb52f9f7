//! IAM policy documents: read, compared by meaning, measured and written.
//!
//! IAM never returns a document as it was sent: it may swap a string and a one-element list, reorder lists, and write
//! an account principal in its long form. So documents are compared as normalised values, never as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::names::{AccountId, shown};

/// The only policy language version that xacct writes.
pub const VERSION: &str = "2012-10-17";

/// The longest document the IAM API accepts in a request, in characters (IAM API reference, CreateRole). The quotas
/// are far below it; see [`PolicyDocument::size`].
pub const MAX_DOCUMENT_CHARS: usize = 131_072;

/// A policy document: what a trust policy, a permissions policy, a boundary or a grant is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    /// `Version`, when given. Absent means `2008-10-17`, in which policy variables are plain text.
    pub version: Option<String>,
    /// `Id`, when given.
    pub id: Option<String>,
    /// The statements in the order they were written.
    pub statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// `Sid`, when given.
    pub sid: Option<String>,
    /// Whether the statement allows or denies.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`: only in resource policies, such as a role's trust policy.
    pub principal: Option<Element<Principals>>,
    /// `Action` or `NotAction`.
    pub action: Element<BTreeSet<String>>,
    /// `Resource` or `NotResource`: absent from trust policies.
    pub resource: Option<Element<BTreeSet<String>>>,
    /// Operator → condition key → values.
    pub condition: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// `"Effect": "Allow"`
    Allow,
    /// `"Effect": "Deny"`
    Deny,
}

/// An element that has a `Not…` twin, such as `Action` and `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element<T> {
    /// Matches what is listed.
    Is(T),
    /// Matches everything but what is listed.
    Not(T),
}

/// Who a resource policy speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principals {
    /// `"*"`, or `{"AWS": "*"}`: everyone, in every account.
    Everyone,
    /// Kind (`AWS`, `Service`, `Federated`, `CanonicalUser`) → identifiers.
    Listed(BTreeMap<String, BTreeSet<String>>),
}

/// A text that is not a policy document: where it goes wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct PolicyError {
    /// The place in the document, such as `statement 2, Action`.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

impl PolicyError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl PolicyDocument {
    /// Reads a document from JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, not a policy, longer than the API accepts, or has characters that IAM refuses
    /// (anything but tab, line feed, carriage return and U+0020 to U+00FF).
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let chars = text.chars().count();
        if chars > MAX_DOCUMENT_CHARS {
            return Err(PolicyError::new(
                "document",
                format!("has {chars} characters, IAM accepts {MAX_DOCUMENT_CHARS}"),
            ));
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(c) = line.chars().find(|c| !is_accepted(*c)) {
                return Err(PolicyError::new(format!("line {}", number + 1), refused_character(c)));
            }
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| PolicyError::new("document", format!("is not JSON: {error}")))?;
        let document = Self::from_value(&value)?;
        // `\u20ac` is plain ASCII in the file, and what it stands for is sent.
        match document.minified().chars().find(|c| !is_accepted(*c)) {
            None => Ok(document),
            Some(c) => Err(PolicyError::new("document", refused_character(c))),
        }
    }

    /// Reads a document from a JSON value.
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
                format!("is `{}`, and must be `{VERSION}` or `2008-10-17`", shown(version)),
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

    /// The document as a JSON value, strings and lists in their shortest form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        if let Some(version) = &self.version {
            object.insert("Version".into(), version.clone().into());
        }
        if let Some(id) = &self.id {
            object.insert("Id".into(), id.clone().into());
        }
        object.insert("Statement".into(), self.statements.iter().map(Statement::to_value).collect());
        Value::Object(object)
    }

    /// The document as IAM is sent it: without insignificant whitespace.
    #[must_use]
    pub fn minified(&self) -> String {
        self.to_value().to_string()
    }

    /// Characters that count against IAM's size quotas, which ignore whitespace (IAM User Guide, quotas).
    #[must_use]
    pub fn size(&self) -> usize {
        self.minified().chars().filter(|c| !c.is_ascii_whitespace()).count()
    }

    /// Whether two documents mean the same, however they were written down.
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        self.normalised() == other.normalised()
    }

    /// The statement with this `Sid`.
    #[must_use]
    pub fn statement(&self, sid: &str) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.sid.as_deref() == Some(sid))
    }

    /// The external IDs that statements of this trust policy compare against, with any operator.
    #[must_use]
    pub fn external_ids(&self) -> BTreeSet<&str> {
        self.condition_values("sts:ExternalId")
    }

    /// Whether any statement compares this condition key with this value.
    #[must_use]
    pub fn compares(&self, key: &str, value: &str) -> bool {
        self.condition_values(key).contains(value)
    }

    /// The values that any statement compares with this condition key.
    #[must_use]
    pub fn condition_values(&self, key: &str) -> BTreeSet<&str> {
        self.statements
            .iter()
            .flat_map(|statement| statement.condition.values())
            .flatten()
            .filter(|(name, _)| name.eq_ignore_ascii_case(key))
            .flat_map(|(_, values)| values.iter().map(String::as_str))
            .collect()
    }

    /// Actions and condition keys in lower case, account principals in their short form, statements in order of
    /// content: two documents that IAM treats alike come out equal.
    fn normalised(&self) -> Self {
        let mut statements: Vec<_> = self.statements.iter().map(Statement::normalised).collect();
        statements.sort();
        Self { version: self.version.clone(), id: None, statements }
    }
}

impl fmt::Display for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value holds only strings, lists and objects, so writing it cannot fail.
        f.write_str(&serde_json::to_string_pretty(&self.to_value()).unwrap_or_default())
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
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
                let problem = format!("is `{}`, and must be `Allow` or `Deny`", shown(other));
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

    /// The statement as a JSON value, strings and lists in their shortest form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        if let Some(sid) = &self.sid {
            object.insert("Sid".into(), sid.clone().into());
        }
        object.insert("Effect".into(), if self.effect == Effect::Allow { "Allow" } else { "Deny" }.into());
        if let Some(principal) = &self.principal {
            let (name, principals) = principal.named("Principal", "NotPrincipal");
            object.insert(name.into(), principals_value(principals));
        }
        let (name, actions) = self.action.named("Action", "NotAction");
        object.insert(name.into(), shortest(actions));
        if let Some(resource) = &self.resource {
            let (name, resources) = resource.named("Resource", "NotResource");
            object.insert(name.into(), shortest(resources));
        }
        if !self.condition.is_empty() {
            let operators = self.condition.iter().map(|(operator, keys)| {
                let keys = keys.iter().map(|(key, values)| (key.clone(), shortest(values))).collect();
                (operator.clone(), Value::Object(keys))
            });
            object.insert("Condition".into(), Value::Object(operators.collect()));
        }
        Value::Object(object)
    }

    fn normalised(&self) -> Self {
        let lower = |set: &BTreeSet<String>| set.iter().map(|s| s.to_ascii_lowercase()).collect();
        let condition = lower_keys(&self.condition, lower_keys_of_values);
        Self {
            principal: self.principal.as_ref().map(|element| element.map(Principals::normalised)),
            action: self.action.map(lower),
            condition,
            ..self.clone()
        }
    }
}

/// The same map with keys in lower case. Two keys that differ only in case stay as they were written: one must not
/// hide the other.
fn lower_keys<T>(map: &BTreeMap<String, T>, value: impl Fn(&T) -> T) -> BTreeMap<String, T> {
    let twins = |key: &str| map.keys().filter(|other| other.eq_ignore_ascii_case(key)).count();
    let lowered = map.iter().map(|(key, found)| {
        let key = if twins(key) > 1 { key.clone() } else { key.to_ascii_lowercase() };
        (key, value(found))
    });
    lowered.collect()
}

fn lower_keys_of_values(keys: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    lower_keys(keys, Clone::clone)
}

impl<T> Element<T> {
    fn named<'a>(&'a self, is: &'a str, not: &'a str) -> (&'a str, &'a T) {
        match self {
            Self::Is(value) => (is, value),
            Self::Not(value) => (not, value),
        }
    }

    fn map<U>(&self, f: impl FnOnce(&T) -> U) -> Element<U> {
        match self {
            Self::Is(value) => Element::Is(f(value)),
            Self::Not(value) => Element::Not(f(value)),
        }
    }
}

impl Principals {
    fn normalised(&self) -> Self {
        let Self::Listed(kinds) = self else {
            return Self::Everyone;
        };
        let kinds = kinds.iter().map(|(kind, ids)| {
            let ids =
                ids.iter().map(|id| account_principal(id).map_or_else(|| id.clone(), |account| account.to_string()));
            (kind.clone(), ids.collect())
        });
        Self::Listed(kinds.collect())
    }
}

/// The account that a principal names as a whole: `111111111111` and `arn:aws:iam::111111111111:root` are the same
/// principal (IAM User Guide, AWS JSON policy elements: Principal).
#[must_use]
pub fn account_principal(principal: &str) -> Option<AccountId> {
    if let Ok(account) = principal.parse() {
        return Some(account);
    }
    let mut parts = principal.splitn(6, ':');
    let (arn, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    (arn == "arn" && service == "iam" && region.is_empty() && resource == "root").then(|| account.parse().ok())?
}

/// IDs begin with four letters that say of what they are (IAM User Guide, "IAM identifiers", unique IDs); accounts
/// and ARNs look otherwise.
#[must_use]
pub fn is_unique_id(identifier: &str) -> bool {
    identifier.len() >= 16
        && identifier.starts_with('A')
        && identifier.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// What IAM accepts in a document, line breaks aside (IAM API reference, CreateRole).
fn is_accepted(c: char) -> bool {
    matches!(c, '\t' | '\r' | ' '..='\u{ff}')
}

fn refused_character(c: char) -> String {
    format!("contains `{}`, and IAM accepts only tab, line breaks and U+0020 to U+00FF", c.escape_default())
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, PolicyError> {
    value.as_object().ok_or_else(|| PolicyError::new(place, "must be a JSON object"))
}

fn only_known(object: &Map<String, Value>, known: &[&str], place: &str) -> Result<(), PolicyError> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let problem = format!("`{}` is not an element of a policy; there are {}", shown(key), known.join(", "));
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

/// IAM takes `true` and `3600` where it means `"true"` and `"3600"`.
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

fn shortest(set: &BTreeSet<String>) -> Value {
    match (set.len(), set.first()) {
        (1, Some(one)) => one.clone().into(),
        _ => set.iter().cloned().collect(),
    }
}

fn principals_value(principals: &Principals) -> Value {
    match principals {
        Principals::Everyone => "*".into(),
        Principals::Listed(kinds) => {
            Value::Object(kinds.iter().map(|(kind, ids)| (kind.clone(), shortest(ids))).collect())
        }
    }
}

#[cfg(test)]
mod tests;
