//! A session's credentials in the formats of programs and shells. All functions return secrets.

mod stale;

use std::fmt::Write;
use std::time::UNIX_EPOCH;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::aws::keys::Keys;
use crate::iam::arn::RoleArn;
use crate::iam::names::Region;

pub use stale::is_stale;

/// Returns the expiry in AWS's format: RFC 3339, in UTC, to the second.
#[must_use]
pub fn expiration(keys: &Keys<'_>) -> Option<String> {
    let seconds = keys.expires?.duration_since(UNIX_EPOCH).ok()?.as_secs();
    OffsetDateTime::from_unix_timestamp(seconds.try_into().ok()?).ok()?.format(&Rfc3339).ok()
}

/// Returns the variables of a session, with the names of the AWS CLI (`aws configure export-credentials`).
#[must_use]
pub fn variables(keys: &Keys<'_>, region: Option<&Region>) -> Vec<(&'static str, String)> {
    let all = [
        ("AWS_ACCESS_KEY_ID", Some(keys.access_key_id.to_owned())),
        ("AWS_SECRET_ACCESS_KEY", Some(keys.secret_access_key.to_owned())),
        ("AWS_SESSION_TOKEN", keys.session_token.map(str::to_owned)),
        ("AWS_CREDENTIAL_EXPIRATION", expiration(keys)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).chain(region_variables(region)).collect()
}

/// Returns the variables of a Region.
pub fn region_variables(region: Option<&Region>) -> impl Iterator<Item = (&'static str, String)> {
    let names = region.map(|_| ["AWS_REGION", "AWS_DEFAULT_REGION"]).into_iter().flatten();
    names.filter_map(move |name| Some((name, region?.to_string())))
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

/// Returns the document of a container's credentials endpoint (AWS SDKs and Tools Reference Guide, "Container credential
/// provider").
#[must_use]
pub fn container(keys: &Keys<'_>, role: &RoleArn) -> String {
    pretty(&json!({
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "Token": keys.session_token,
        "Expiration": expiration(keys),
        "AccountId": role.account.as_str(),
        "RoleArn": role.to_string(),
    }))
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
    let envs: Map<_, _> =
        region_variables(region).map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
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
pub fn sh<'a>(keys: &Keys<'_>, region: Option<&Region>, inherited: impl Iterator<Item = &'a str>) -> String {
    let set = variables(keys, region);
    let mut text = format!("unset {}\n", stale::to_unset(inherited, &set).join(" "));
    for (name, value) in &set {
        // Between single quotes, only the single quote itself is special (POSIX, Shell Command Language, 2.2.2).
        let _ = writeln!(text, "export {name}='{}'", value.replace('\'', r"'\''"));
    }
    text
}

/// Returns commands for `source` in fish.
#[must_use]
pub fn fish<'a>(keys: &Keys<'_>, region: Option<&Region>, inherited: impl Iterator<Item = &'a str>) -> String {
    let set = variables(keys, region);
    let mut text = format!("set --erase {}\n", stale::to_unset(inherited, &set).join(" "));
    for (name, value) in &set {
        // Between single quotes, fish has the escapes `\'` and `\\` (fish documentation, "Quotes").
        let quoted = value.replace('\\', r"\\").replace('\'', r"\'");
        let _ = writeln!(text, "set --global --export {name} '{quoted}'");
    }
    text
}

/// Returns commands for `Invoke-Expression` in PowerShell.
#[must_use]
pub fn powershell<'a>(keys: &Keys<'_>, region: Option<&Region>, inherited: impl Iterator<Item = &'a str>) -> String {
    let set = variables(keys, region);
    let stale: Vec<_> = stale::to_unset(inherited, &set).into_iter().map(|name| format!("Env:{name}")).collect();
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
