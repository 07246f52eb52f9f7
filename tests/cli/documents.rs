//! The JSON schema.

use serde_json::Value;

#[test]
fn the_schema_lists_every_cause() {
    let schema: Value = serde_json::from_str(xacct::report::JSON_SCHEMA).expect("the schema is JSON");
    let listed = &schema["$defs"]["finding"]["properties"]["cause"]["enum"];
    let all: Vec<_> = xacct::diagnosis::Cause::ALL.iter().map(|cause| cause.id()).collect();
    assert_eq!(listed, &Value::from(all));
}
