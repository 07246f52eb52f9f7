//! Mutates JSON as JSON, because random changes of bytes rarely result in valid JSON.

use fastrand::Rng;
use serde_json::{Value, json};
use xacct::diagnosis::Facts;
use xacct::iam::policy::PolicyDocument;

use crate::generate;
use crate::text::{self, changed};

/// Mutates a facts file; a case of `tests/cases/diagnose` becomes the facts in it.
pub fn mutate_facts(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let read = |text: &str| Facts::parse(text, "facts.json").is_ok();
    let valid = |random: &mut Rng| generate::member(&[], random).unwrap_or_default().to_string();
    text::mutate(data, size, most, seed, mutated, valid, read)
}

/// Mutates a policy.
pub fn mutate_policy(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let read = |text: &str| PolicyDocument::parse(text).is_ok();
    let valid = |random: &mut Rng| generate::policy(random).to_string();
    text::mutate(data, size, most, seed, mutated, valid, read)
}

fn mutated(text: &str, random: &mut Rng) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    if let Some(facts) = value.get_mut("facts") {
        value = facts.take();
    }
    for _ in 0..random.u8(1..4) {
        change(&mut value, random);
    }
    Some(value.to_string())
}

/// Changes one value of the document: in half of the cases to one that is valid in its place.
fn change(document: &mut Value, random: &mut Rng) {
    let mut places = Vec::new();
    pointers(document, String::new(), &mut places);
    let (Some(place), Some(other)) = (random.choice(&places), random.choice(&places)) else { return };
    let copy = document.pointer(other).cloned().unwrap_or_default();
    let is_policy = document.get("Statement").is_some();
    let Some(found) = document.pointer_mut(place) else { return };
    if random.bool() {
        let path: Vec<_> = place.split('/').skip(1).filter(|part| part.parse::<u8>().is_err()).collect();
        let valid =
            if path.is_empty() && is_policy { Some(generate::policy(random)) } else { generate::member(&path, random) };
        if let Some(valid) = valid {
            *found = valid;
            return;
        }
    }
    match random.u8(..8) {
        0 | 1 => *found = copy,
        2 => *found = fragment(random),
        3 => *found = json!([found.take()]),
        _ => match found {
            Value::Object(members) => {
                let keys: Vec<_> = members.keys().cloned().collect();
                let key = random.choice(keys).unwrap_or_default();
                if random.bool() {
                    members.shift_remove(&key);
                } else {
                    members.insert(changed(&key, random), copy);
                }
            }
            Value::Array(list) if random.bool() => drop(list.pop()),
            Value::Array(list) => list.push(copy),
            Value::String(text) => *text = changed(text, random),
            Value::Number(_) => *found = json!(random.i64(..) >> random.u8(..64)),
            Value::Bool(_) | Value::Null => *found = fragment(random),
        },
    }
}

/// Returns the pointers (RFC 6901) of all values in this one.
fn pointers(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                pointers(member, format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                pointers(item, format!("{place}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

fn fragment(random: &mut Rng) -> Value {
    let fragments = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("*"),
        json!([]),
        json!({}),
        json!("absent"),
        json!({"present": {}}),
        json!({"unreadable": {"permission": "iam:GetRole", "answer": "no"}}),
        json!("111111111111"),
        json!({"AWS": "arn:aws:iam::111111111111:root"}),
        json!({"Effect": "Deny", "NotAction": "*", "NotResource": "*"}),
        json!({"StringEquals": {"sts:ExternalId": ["a", "b"]}}),
        json!({"Version": "2012-10-17", "Statement": []}),
    ];
    random.choice(fragments).unwrap_or_default()
}
