//! Policy documents: what IAM accepts, stores, and returns.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::world::Accounts;

/// The use of a policy document, which decides what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Permissions of a user or role, and session policies.
    Identity,
    /// A role's trust policy.
    Trust,
}

/// Parses and checks a document as IAM does before it stores one.
pub(crate) fn parse(text: &str, usage: Use) -> Result<Value, ApiError> {
    let document: Value =
        serde_json::from_str(text).map_err(|_| ApiError::malformed_policy("This policy contains invalid Json"))?;
    check(&document, usage)?;
    // IAM and the evaluator must agree on what is well-formed.
    awsim_iam_policy::parse_value(&document).map_err(|_| syntax())?;
    Ok(document)
}

fn syntax() -> ApiError {
    ApiError::malformed_policy("Syntax errors in policy.")
}

fn check(document: &Value, usage: Use) -> Result<(), ApiError> {
    let fields = document.as_object().ok_or_else(syntax)?;
    if fields.keys().any(|key| !["Version", "Id", "Statement"].contains(&key.as_str())) {
        return Err(syntax());
    }
    match fields.get("Version") {
        None => {}
        Some(Value::String(version)) if ["2012-10-17", "2008-10-17"].contains(&version.as_str()) => {}
        Some(_) => return Err(syntax()),
    }
    let statements = fields.get("Statement").ok_or_else(syntax)?;
    let statements = match statements {
        Value::Array(statements) if !statements.is_empty() => statements.iter().collect(),
        Value::Object(_) => vec![statements],
        _ => return Err(syntax()),
    };
    let mut sids = Vec::new();
    for statement in statements {
        let statement = statement.as_object().ok_or_else(syntax)?;
        check_statement(statement, usage)?;
        if let Some(sid) = statement.get("Sid") {
            let sid = sid.as_str().ok_or_else(syntax)?;
            if usage == Use::Identity && !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(ApiError::malformed_policy(
                    "Statement IDs (SID) can only contain alphanumeric characters.",
                ));
            }
            if !sid.is_empty() && sids.contains(&sid) {
                return Err(ApiError::malformed_policy("Statement IDs (SID) in a single policy must be unique."));
            }
            sids.push(sid);
        }
    }
    Ok(())
}

fn check_statement(statement: &Map<String, Value>, usage: Use) -> Result<(), ApiError> {
    const FIELDS: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    if statement.keys().any(|key| !FIELDS.contains(&key.as_str())) {
        return Err(syntax());
    }
    let has = |name: &str| statement.contains_key(name);
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(syntax());
    }
    if has("Action") == has("NotAction") {
        return Err(if has("Action") {
            syntax()
        } else {
            ApiError::malformed_policy("Policy statement must contain actions.")
        });
    }
    let actions = strings(statement.get("Action").or(statement.get("NotAction"))).ok_or_else(syntax)?;
    for action in &actions {
        if *action != "*" && !action.contains(':') {
            return Err(ApiError::malformed_policy(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ));
        }
    }
    match usage {
        Use::Trust => {
            for field in ["Resource", "NotResource"] {
                if has(field) {
                    return Err(ApiError::malformed_policy(format!("Has prohibited field {field}")));
                }
            }
            if has("Principal") == has("NotPrincipal") {
                return Err(ApiError::malformed_policy("Missing required field Principal"));
            }
            // Assumed: these words, for what the IAM User Guide (NotPrincipal) calls "not supported".
            if has("NotPrincipal") && statement["Effect"] == "Allow" {
                return Err(ApiError::malformed_policy("Allow with NotPrincipal is not allowed."));
            }
            // Assumed: these words, which other emulators use, too.
            let allowed = |action: &str| action.to_ascii_lowercase().starts_with("sts:");
            if !actions.iter().all(|action| allowed(action)) {
                return Err(ApiError::malformed_policy("AssumeRole policy may only specify STS AssumeRole actions."));
            }
        }
        Use::Identity => {
            for field in ["Principal", "NotPrincipal"] {
                if has(field) {
                    return Err(ApiError::malformed_policy("Policy document should not specify a principal."));
                }
            }
            if has("Resource") == has("NotResource") {
                return Err(if has("Resource") {
                    syntax()
                } else {
                    ApiError::malformed_policy("Policy statement must contain resources.")
                });
            }
            let resources = strings(statement.get("Resource").or(statement.get("NotResource"))).ok_or_else(syntax)?;
            for resource in resources {
                if resource != "*" && resource.splitn(6, ':').count() < 6 {
                    return Err(ApiError::malformed_policy(format!(
                        "Resource {resource} must be in ARN format or \"*\"."
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Returns whether a value is a string or a non-empty list of strings.
fn strings(value: Option<&Value>) -> Option<Vec<&str>> {
    match value? {
        Value::String(one) => Some(vec![one]),
        Value::Array(many) if !many.is_empty() => many.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Returns the size of a document for IAM's quotas: characters without whitespace ("IAM User Guide, IAM quotas").
pub(crate) fn size(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// Checks that every AWS principal of a trust policy exists, as IAM does before it stores one.
pub(crate) fn check_principals(document: &Value, accounts: &Accounts) -> Result<(), ApiError> {
    let mut invalid = None;
    let mut document = document.clone();
    change_principals(&mut document, &mut |principal| {
        if stored_principal(principal, accounts).is_none() && invalid.is_none() {
            invalid = Some(principal.to_owned());
        }
        None
    });
    match invalid {
        None => Ok(()),
        Some(principal) => {
            Err(ApiError::malformed_policy(format!("Invalid principal in policy: \"AWS\":\"{principal}\"")))
        }
    }
}

/// Returns a trust policy as IAM stores it: users and roles as unique IDs, accounts as the ARN of their root ("IAM User Guide,
/// AWS JSON policy elements: Principal"). Principals that do not exist stay unchanged.
pub(crate) fn as_stored(document: &Value, accounts: &Accounts) -> Value {
    let mut document = document.clone();
    change_principals(&mut document, &mut |principal| stored_principal(principal, accounts));
    document
}

/// Returns a document as IAM returns it: as it was sent, but with unique IDs as ARNs if the user or role still exists. The
/// order of several principals changes from read to read, which `turn` decides.
pub(crate) fn as_read(document: &Value, accounts: &Accounts, turn: usize) -> Value {
    let mut document = document.clone();
    change_principals(&mut document, &mut |principal| shown_principal(principal, accounts));
    for statement in statements_mut(&mut document) {
        for field in ["Principal", "NotPrincipal"] {
            let principals = statement.get_mut(field).and_then(Value::as_object_mut);
            for principals in principals.into_iter().flat_map(Map::values_mut).filter_map(Value::as_array_mut) {
                let count = principals.len().max(1);
                principals.rotate_left(turn % count);
            }
        }
    }
    document
}

/// Returns the statements of a document, which may be one or a list.
pub(crate) fn statements_mut(document: &mut Value) -> Vec<&mut Map<String, Value>> {
    match document.get_mut("Statement") {
        Some(Value::Array(list)) => list.iter_mut().filter_map(Value::as_object_mut).collect(),
        Some(Value::Object(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// Replaces AWS principals for which `change` returns another one.
fn change_principals(document: &mut Value, change: &mut dyn FnMut(&str) -> Option<String>) {
    for statement in statements_mut(document) {
        for field in ["Principal", "NotPrincipal"] {
            let principals = match statement.get_mut(field).and_then(|field| field.get_mut("AWS")) {
                Some(Value::Array(list)) => list.iter_mut().collect(),
                Some(one) => vec![one],
                None => Vec::new(),
            };
            for principal in principals {
                if let Some(new) = principal.as_str().and_then(&mut *change) {
                    *principal = Value::String(new);
                }
            }
        }
    }
}

/// Returns the account ID if a principal is one.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns what IAM stores for a principal, or `None` if it does not exist. IAM does not accept unique IDs, so it rejects
/// a policy with a dangling one.
fn stored_principal(principal: &str, accounts: &Accounts) -> Option<String> {
    if principal == "*" {
        return Some(principal.to_owned());
    }
    if is_account_id(principal) {
        return Some(format!("arn:aws:iam::{principal}:root"));
    }
    let parts: Vec<&str> = principal.splitn(6, ':').collect();
    let ["arn", "aws", service, "", account, resource] = parts[..] else {
        return None;
    };
    if !is_account_id(account) {
        return None;
    }
    match (service, resource.split_once('/')) {
        // IAM's check accepts accounts outside this world, too.
        ("iam", None) if resource == "root" => Some(principal.to_owned()),
        ("iam", Some(("user", _))) => {
            let account = accounts.get(account)?;
            let user = account.users.values().find(|user| account.user_arn(user) == principal)?;
            Some(user.id.clone())
        }
        ("iam", Some(("role", _))) => {
            let account = accounts.get(account)?;
            let role = account.roles.values().find(|role| account.role_arn(role) == principal)?;
            Some(role.id.clone())
        }
        ("sts", Some(("assumed-role", session))) => {
            let (role, _) = session.split_once('/')?;
            accounts.get(account)?.roles.get(role).map(|_| principal.to_owned())
        }
        ("sts", Some(("federated-user", _))) => Some(principal.to_owned()),
        _ => None,
    }
}

/// Returns the ARN for a unique ID, if its user or role still exists.
fn shown_principal(principal: &str, accounts: &Accounts) -> Option<String> {
    if principal.starts_with("AIDA") {
        accounts.values().find_map(|account| account.user_by_id(principal).map(|user| account.user_arn(user)))
    } else if principal.starts_with("AROA") {
        accounts.values().find_map(|account| account.role_by_id(principal).map(|role| account.role_arn(role)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::World;

    fn message(text: &str, usage: Use) -> String {
        parse(text, usage).unwrap_err().message
    }

    #[test]
    fn what_iam_refuses() {
        let statement = |fields: &str| format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{{{fields}}}]}}");
        assert_eq!(message("{", Use::Trust), "This policy contains invalid Json");
        assert_eq!(message("{}", Use::Trust), "Syntax errors in policy.");
        assert_eq!(message("[]", Use::Identity), "Syntax errors in policy.");
        let trust = r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole""#;
        assert!(parse(&statement(trust), Use::Trust).is_ok());
        let with_resource = statement(&format!("{trust},\"Resource\":\"*\""));
        assert_eq!(message(&with_resource, Use::Trust), "Has prohibited field Resource");
        assert_eq!(
            message(&statement(r#""Effect":"Allow","Action":"s3:*","Resource":"bucket""#), Use::Identity),
            "Resource bucket must be in ARN format or \"*\"."
        );
        assert_eq!(
            message(&statement(r#""Effect":"Allow","Action":"s3:*""#), Use::Identity),
            "Policy statement must contain resources."
        );
        assert_eq!(
            message(
                &statement(r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Nonsense":{"a:b":"c"}}"#),
                Use::Identity
            ),
            "Syntax errors in policy."
        );
    }

    #[test]
    fn principals_become_unique_ids_and_come_back() {
        let mut world = World::default();
        let trust = |principal: Value| {
            json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["sts:AssumeRole"]}]})
        };
        let alice = "arn:aws:iam::111111111111:user/alice";
        let written = trust(json!([alice, "111111111111"]));
        check_principals(&written, &world.accounts).unwrap();
        let stored = as_stored(&written, &world.accounts);
        let principals = &stored["Statement"][0]["Principal"]["AWS"];
        assert!(principals[0].as_str().unwrap().starts_with("AIDA"));
        assert_eq!(principals[1], "arn:aws:iam::111111111111:root");
        let shown = as_read(&stored, &world.accounts, 0);
        assert_eq!(shown["Statement"][0]["Principal"]["AWS"][0], alice);
        assert_eq!(shown["Statement"][0]["Action"], json!(["sts:AssumeRole"]));
        let turned = as_read(&stored, &world.accounts, 1);
        assert_eq!(turned["Statement"][0]["Principal"]["AWS"][1], alice);

        world.recreate_user("111111111111", "alice");
        let dangling = as_read(&stored, &world.accounts, 0);
        assert_eq!(dangling, stored);
        let error = check_principals(&dangling, &world.accounts).unwrap_err();
        assert!(error.message.starts_with("Invalid principal in policy: \"AWS\":\"AIDA"));
    }
}
