//! Validation of JSON documents.

use std::sync::LazyLock;

use serde_json::Value;

/// Validates a document against the schema that xacct publishes.
#[track_caller]
pub fn assert_follows_the_schema(document: &Value) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema: Value = serde_json::from_str(xacct::report::JSON_SCHEMA).expect("the schema is JSON");
        jsonschema::validator_for(&schema).expect("a JSON schema")
    });
    let problems: Vec<_> = SCHEMA.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:#?}\n{document:#}");
}
