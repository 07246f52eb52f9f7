//! Policy documents.

use serde_json::{Value, json};

/// Returns a document with these statements: a list of them, or one.
pub fn document(statements: impl Into<Value>) -> Value {
    let statements: Value = statements.into();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Returns a document that allows an action, or a list of them, on a resource.
pub fn allow(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    only("Allow", action, resource)
}

/// Returns a document that denies an action, or a list of them, on a resource.
pub fn deny(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    only("Deny", action, resource)
}

fn only(effect: &str, action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    let (action, resource): (Value, Value) = (action.into(), resource.into());
    document(json!([{"Effect": effect, "Action": action, "Resource": resource}]))
}
