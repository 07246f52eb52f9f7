//! Mutates JSON as JSON, because random changes of bytes rarely result in valid JSON.

use serde_json::{Value, json};

/// A mutator for `fuzz_mutator!`. One mutation in four changes bytes.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = fastrand::Rng::with_seed(seed.into());
    if random.u8(..4) != 0
        && let Some(mut value) = data.get(..size).and_then(|text| serde_json::from_slice(text).ok())
    {
        for _ in 0..random.u8(1..4) {
            change(&mut value, &mut random);
        }
        let text = value.to_string();
        if let Some(place) = data.get_mut(..text.len().min(max_size))
            && place.len() == text.len()
        {
            place.copy_from_slice(text.as_bytes());
            return text.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}

/// Changes one value of the document.
fn change(document: &mut Value, random: &mut fastrand::Rng) {
    let mut places = Vec::new();
    pointers(document, String::new(), &mut places);
    let (Some(place), Some(other)) = (random.choice(&places), random.choice(&places)) else { return };
    let copy = document.pointer(other).cloned().unwrap_or_default();
    let Some(found) = document.pointer_mut(place) else { return };
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

/// Mutates a text; the fuzzer's dictionary supplies some of the new bytes.
fn changed(text: &str, random: &mut fastrand::Rng) -> String {
    let size = text.len();
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(size + usize::from(random.u8(1..40)), 0);
    let most = bytes.len();
    let size = libfuzzer_sys::fuzzer_mutate(&mut bytes, size, most);
    bytes.truncate(size);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn fragment(random: &mut fastrand::Rng) -> Value {
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
