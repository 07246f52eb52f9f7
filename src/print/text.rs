//! Text escaped for HCL and YAML.

use serde_json::Value;

/// Returns arguments, one per line, aligned as `terraform fmt` does: arguments on adjacent lines align with each other;
/// an argument with several lines aligns with no other.
pub fn aligned(arguments: &[(impl AsRef<str>, String)], indent: &str) -> String {
    let mut text = String::new();
    for neighbours in arguments.chunk_by(|(_, one), (_, next)| !one.contains('\n') && !next.contains('\n')) {
        let width = neighbours.iter().map(|(name, _)| name.as_ref().chars().count()).max().unwrap_or_default();
        for (name, value) in neighbours {
            text.push_str(&format!("{indent}{:width$} = {value}\n", name.as_ref()));
        }
    }
    text
}

/// Returns a value as an HCL expression. All lines except the first begin with the indent.
pub fn expression(value: &Value, indent: &str) -> String {
    let deeper = format!("{indent}  ");
    match value {
        Value::String(text) => quoted(text),
        Value::Array(list) if list.iter().all(|item| !item.is_array() && !item.is_object()) => {
            let items: Vec<_> = list.iter().map(|item| expression(item, &deeper)).collect();
            let line = format!("[{}]", items.join(", "));
            if line.len() + indent.len() <= 100 {
                return line;
            }
            let items: String = items.iter().map(|item| format!("{deeper}{item},\n")).collect();
            format!("[\n{items}{indent}]")
        }
        Value::Array(list) => {
            let items: String = list.iter().map(|item| format!("{deeper}{},\n", expression(item, &deeper))).collect();
            format!("[\n{items}{indent}]")
        }
        Value::Object(object) if object.is_empty() => "{}".to_owned(),
        Value::Object(object) => {
            let entries: Vec<_> =
                object.iter().map(|(key, value)| (object_key(key), expression(value, &deeper))).collect();
            format!("{{\n{}{indent}}}", aligned(&entries, &deeper))
        }
        other => other.to_string(),
    }
}

/// Returns a key of an HCL object, quoted if it is not an identifier.
fn object_key(key: &str) -> String {
    let is_identifier = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !["true", "false", "null", "for", "if", "in"].contains(&key);
    if is_identifier { key.to_owned() } else { quoted(key) }
}

/// Returns a quoted HCL string. `${` and `%{` begin templates, so their first character is doubled.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns a value as YAML, in block style; its lines begin with the indent.
pub fn yaml(value: &Value, indent: &str) -> String {
    match value {
        Value::Object(object) if !object.is_empty() => object
            .iter()
            .map(|(key, value)| match is_block(value) {
                true => format!("{indent}{}:\n{}", yaml_scalar(key), yaml(value, &format!("{indent}  "))),
                false => format!("{indent}{}: {}\n", yaml_scalar(key), yaml(value, "")),
            })
            .collect(),
        Value::Array(list) if !list.is_empty() => list
            .iter()
            .map(|item| match is_block(item) {
                // The first line of the block follows the dash.
                true => {
                    let block = yaml(item, &format!("{indent}  "));
                    format!("{indent}- {}", block.trim_start())
                }
                false => format!("{indent}- {}\n", yaml(item, "")),
            })
            .collect(),
        Value::String(text) => yaml_scalar(text),
        other => other.to_string(),
    }
}

fn is_block(value: &Value) -> bool {
    value.as_object().is_some_and(|object| !object.is_empty()) || value.as_array().is_some_and(|list| !list.is_empty())
}

/// Returns a string in YAML: plain if no parser can read it as another type, otherwise quoted with JSON's escapes, which
/// YAML supports too.
fn yaml_scalar(text: &str) -> String {
    let is_plain = text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(':')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_:/.-".contains(c))
        // YAML 1.1 reads these as other types.
        && !["true", "false", "yes", "no", "on", "off", "null", "inf", "nan"].contains(&&*text.to_ascii_lowercase());
    if is_plain {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(c),
            c if u32::from(c) > 0xffff => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            // YAML does not allow every character outside ASCII, so all of them are escaped.
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}
