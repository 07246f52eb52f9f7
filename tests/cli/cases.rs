//! Writes the cases of `tests/cases/diagnose` from the scenes of these tests, if `XACCT_WRITE_CASES` is set.

use std::path::Path;

use serde_json::{Value, json};

use crate::scene::{Scene, text};

/// Writes a case named after the test, if that name begins with the first cause of the diagnosis.
pub fn record_for_test(scene: &Scene, words: &str, diagnosis: &Value) {
    let thread = std::thread::current();
    let test = thread.name().and_then(|name| name.rsplit("::").next()).unwrap_or_default();
    let cause = diagnosis["findings"][0]["cause"].as_str().unwrap_or_default();
    let options = words.split_once(' ').map_or("", |(_, options)| options);
    if !cause.is_empty() && test.starts_with(cause) {
        record_if(scene, test, options, Some(cause));
    }
}

/// Writes the case `name`: the facts that `xacct diagnose` collects with these options, and its findings.
pub fn record(scene: &Scene, name: &str, options: &str) {
    record_if(scene, name, options, None);
}

/// Writes the case only if this is the first cause.
fn record_if(scene: &Scene, name: &str, options: &str, cause: Option<&str>) {
    if std::env::var_os("XACCT_WRITE_CASES").is_none() {
        return;
    }
    scene.xacct(&format!("diagnose {options} --save-facts case.json --redact"));
    if !scene.environment.has("case.json") {
        return;
    }
    let output = scene.xacct("diagnose --facts case.json --output json").json();
    let targets = output["targets"].as_object().expect("targets");
    let diagnosis = &targets.values().next().expect("a target")["diagnosis"];
    let findings = diagnosis["findings"].as_array().expect("findings");
    if cause.is_some_and(|cause| findings.first().is_none_or(|first| first["cause"] != cause)) {
        return;
    }
    let mut facts: Value = serde_json::from_str(&scene.environment.read("case.json")).expect("JSON");
    without_request_ids(&mut facts);
    let mut case = json!({
        "name": name.replace('_', " "),
        "facts": facts,
        "expected": {"causes": findings.iter().map(|finding| text(&finding["cause"])).collect::<Vec<_>>()},
    });
    let possible = diagnosis["possible"].as_array().map_or(0, Vec::len);
    if possible > 0 {
        case["expected"]["possible"] = possible.into();
    }
    if let Some(first) = findings.first() {
        if let Some(waiting) = first.get("waiting_helps") {
            case["expected"]["waiting_helps"] = waiting.clone();
        }
        case["expected"]["says"] = first["summary"].clone();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/diagnose");
    std::fs::create_dir_all(&folder).expect("the directory of the cases");
    let file = folder.join(format!("{name}.json"));
    std::fs::write(file, serde_json::to_string_pretty(&case).expect("JSON") + "\n").expect("a case");
}

/// Removes request IDs, which differ from run to run and have no influence on the diagnosis.
fn without_request_ids(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(id) = object.get_mut("request_id") {
                *id = Value::Null;
            }
            object.values_mut().for_each(without_request_ids);
        }
        Value::Array(list) => list.iter_mut().for_each(without_request_ids),
        _ => {}
    }
}
