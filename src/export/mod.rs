//! A session's credentials in the formats of programs and shells. All functions return secrets.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::aws::keys::Keys;
use crate::iam::names::Region;

/// Variables that would override those of the session in some tool: profiles (the SDK for JavaScript prefers
/// `AWS_PROFILE` to keys), roles for web identities and containers, and the old name of the session token, which botocore
/// still reads. `AWS_ACCOUNT_ID` would be the ID of another account.
pub const STALE: [&str; 13] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_EXPIRATION",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// Returns the expiry in AWS's format: RFC 3339, in UTC, to the second.
#[must_use]
pub fn expiration(keys: &Keys<'_>) -> Option<String> {
    let expires = OffsetDateTime::from(keys.expires?);
    expires.replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

/// Returns the variables of a session, with the names of the AWS CLI (`aws configure export-credentials`).
#[must_use]
pub fn variables(keys: &Keys<'_>, region: Option<&Region>) -> Vec<(&'static str, String)> {
    let region = region.map(ToString::to_string);
    let all = [
        ("AWS_ACCESS_KEY_ID", Some(keys.access_key_id.to_owned())),
        ("AWS_SECRET_ACCESS_KEY", Some(keys.secret_access_key.to_owned())),
        ("AWS_SESSION_TOKEN", keys.session_token.map(str::to_owned)),
        ("AWS_CREDENTIAL_EXPIRATION", expiration(keys)),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Returns the stale variables that a shell must unset: those that the session does not set.
fn unset(set: &[(&'static str, String)]) -> Vec<&'static str> {
    STALE.into_iter().filter(|stale| !set.iter().any(|(name, _)| name == stale)).collect()
}

/// Returns the document for `credential_process` (AWS CLI User Guide, "Sourcing credentials with an external process").
#[must_use]
pub fn process(keys: &Keys<'_>) -> String {
    let mut document = Map::new();
    document.insert("Version".to_owned(), json!(1));
    document.insert("AccessKeyId".to_owned(), json!(keys.access_key_id));
    document.insert("SecretAccessKey".to_owned(), json!(keys.secret_access_key));
    document.insert("SessionToken".to_owned(), json!(keys.session_token));
    if let Some(expiration) = expiration(keys) {
        document.insert("Expiration".to_owned(), json!(expiration));
    }
    pretty(&Value::Object(document))
}

/// Returns xacct's own JSON document.
#[must_use]
pub fn json(keys: &Keys<'_>, region: Option<&Region>) -> String {
    pretty(&json!({
        "schema_version": 1,
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "session_token": keys.session_token,
        "expiration": expiration(keys),
        "region": region,
    }))
}

/// Returns the document for Terragrunt's `--auth-provider-cmd` (Terragrunt documentation, "Auth provider command"), which
/// has no field for an expiry.
#[must_use]
pub fn terragrunt(keys: &Keys<'_>, region: Option<&Region>) -> String {
    let region = variables(keys, region).into_iter().filter(|(name, _)| name.ends_with("REGION"));
    let envs: Map<_, _> = region.map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
    pretty(&json!({
        "awsCredentials": {
            "ACCESS_KEY_ID": keys.access_key_id,
            "SECRET_ACCESS_KEY": keys.secret_access_key,
            "SESSION_TOKEN": keys.session_token,
        },
        "envs": envs,
    }))
}

/// Returns commands for `eval` in sh, bash and zsh.
#[must_use]
pub fn sh(keys: &Keys<'_>, region: Option<&Region>) -> String {
    let set = variables(keys, region);
    let mut text = format!("unset {}\n", unset(&set).join(" "));
    for (name, value) in &set {
        // Between single quotes, only the single quote itself is special (POSIX, Shell Command Language, 2.2.2).
        let _ = writeln!(text, "export {name}='{}'", value.replace('\'', r"'\''"));
    }
    text
}

/// Returns commands for `source` in fish.
#[must_use]
pub fn fish(keys: &Keys<'_>, region: Option<&Region>) -> String {
    let set = variables(keys, region);
    let mut text = format!("set --erase {}\n", unset(&set).join(" "));
    for (name, value) in &set {
        // Between single quotes, fish has the escapes `\'` and `\\` (fish documentation, "Quotes").
        let quoted = value.replace('\\', r"\\").replace('\'', r"\'");
        let _ = writeln!(text, "set --global --export {name} '{quoted}'");
    }
    text
}

/// Returns commands for `Invoke-Expression` in PowerShell.
#[must_use]
pub fn powershell(keys: &Keys<'_>, region: Option<&Region>) -> String {
    let set = variables(keys, region);
    let stale: Vec<_> = unset(&set).into_iter().map(|name| format!("Env:{name}")).collect();
    let mut text = format!("Remove-Item {} -ErrorAction SilentlyContinue\n", stale.join(", "));
    for (name, value) in &set {
        // PowerShell also accepts typographic quotes, so each is doubled (about_Quoting_Rules).
        let quoted = value.chars().fold(String::new(), |mut quoted, letter| {
            if matches!(letter, '\'' | '\u{2018}'..='\u{201b}') {
                quoted.push(letter);
            }
            quoted.push(letter);
            quoted
        });
        let _ = writeln!(text, "$Env:{name} = '{quoted}'");
    }
    text
}

fn pretty(value: &Value) -> String {
    // Serializing a document of strings cannot fail.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
