use std::time::{Duration, SystemTime};

use super::*;

fn keys() -> Keys<'static> {
    Keys {
        access_key_id: "ASIA'1",
        secret_access_key: r"a/b+c\d$e`f",
        session_token: Some("to'ken’"),
        expires: Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)),
    }
}

fn region() -> Region {
    "eu-west-1".parse().unwrap()
}

#[test]
fn the_process_document() {
    let document: Value = serde_json::from_str(&process(&keys())).unwrap();
    let wanted = json!({
        "Version": 1,
        "AccessKeyId": "ASIA'1",
        "SecretAccessKey": r"a/b+c\d$e`f",
        "SessionToken": "to'ken’",
        "Expiration": "2023-11-14T22:13:20Z",
    });
    assert_eq!(document, wanted);
}

#[test]
fn the_document_of_terragrunt() {
    let document: Value = serde_json::from_str(&terragrunt(&keys(), Some(&region()))).unwrap();
    assert_eq!(document["awsCredentials"]["SESSION_TOKEN"], "to'ken’");
    assert_eq!(document["envs"], json!({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}));
    let without: Value = serde_json::from_str(&terragrunt(&keys(), None)).unwrap();
    assert_eq!(without["envs"], json!({}));
}

#[test]
fn quoting_for_sh_is_undone_by_a_shell() {
    let text = sh(&keys(), None, std::iter::empty());
    let line = text.lines().find(|line| line.contains("AWS_SESSION_TOKEN")).unwrap();
    assert_eq!(shlex::split(line).unwrap(), ["export", "AWS_SESSION_TOKEN=to'ken’"]);
    assert!(text.starts_with("unset AWS_PROFILE "), "{text}");
    assert!(!text.lines().next().unwrap().contains("EXPIRATION ") || text.contains("AWS_SESSION_EXPIRATION"));
    assert!(!text.lines().next().unwrap().contains("AWS_CREDENTIAL_EXPIRATION"), "{text}");
}

#[test]
fn quoting_for_fish_and_powershell() {
    assert!(fish(&keys(), None, std::iter::empty()).contains(r"set --global --export AWS_SESSION_TOKEN 'to\'ken’'"));
    assert!(fish(&keys(), None, std::iter::empty()).contains(r"'a/b+c\\d$e`f'"));
    assert!(powershell(&keys(), None, std::iter::empty()).contains("$Env:AWS_SESSION_TOKEN = 'to''ken’’'"));
    assert!(powershell(&keys(), Some(&region()), std::iter::empty()).contains("$Env:AWS_REGION = 'eu-west-1'"));
}

#[test]
fn keys_are_not_shown_by_debug() {
    assert_eq!(format!("{:?}", keys()), "Keys(…)");
}
