//! ARNs, names and durations, as users enter them.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde_json::Value;
use xacct::iam::arn::{CallerArn, ManagedPolicy, Partition, PolicyArn, RoleArn, UserArn, UserRef};
use xacct::iam::invalid::Invalid;
use xacct::iam::names::{
    AccountId, ExternalId, IamPath, MaxSessionDuration, MfaCode, MfaSerial, PolicyName, Region, RoleName,
    SessionDuration, SessionName, SourceIdentity, Tag, TagKey, TagValue, UserName, parse_duration,
};
use xacct::iam::policy::{account_principal, is_unique_id};

use super::{is_plain, text};

/// The maximum length of an error: one or two values of at most 80 characters, each up to ten characters when escaped,
/// and the rule.
const LONGEST_REFUSAL: usize = 2000;

/// Valid values round-trip; for invalid ones the error is short, and its fix works. Returns whether the text is
/// valid for any type but those of tags, which take nearly everything.
pub fn names(data: &[u8]) -> bool {
    let text = text(data);

    exact::<TagKey>(&text);
    exact::<TagValue>(&text);
    // A policy, tag or duration has several spellings.
    let valid = [
        exact::<AccountId>(&text),
        exact::<RoleName>(&text),
        exact::<UserName>(&text),
        exact::<PolicyName>(&text),
        exact::<IamPath>(&text),
        exact::<SessionName>(&text),
        exact::<ExternalId>(&text),
        exact::<SourceIdentity>(&text),
        exact::<MfaSerial>(&text),
        exact::<Region>(&text),
        exact::<Partition>(&text),
        exact::<RoleArn>(&text),
        exact::<UserArn>(&text),
        exact::<PolicyArn>(&text),
        exact::<UserRef>(&text),
        same::<ManagedPolicy>(&text).is_some(),
        same::<MaxSessionDuration>(&text).is_some(),
        same::<SessionDuration>(&text).is_some(),
    ];
    if let Some(tag) = read::<Tag>(&text) {
        assert_eq!(tag.to_string(), text);
    }
    if let Some(code) = read::<MfaCode>(&text) {
        assert_eq!(code.as_str(), text);
        assert!(!format!("{code:?}").contains(&text));
    }

    assert_eq!(CallerArn::parse(&text).to_string(), text);
    let caller = CallerArn::parse(&text);
    assert_eq!(caller.account().is_some(), caller.partition().is_some());
    assert_eq!(caller.user().cloned(), text.parse::<UserArn>().ok());

    let region = text.parse::<Region>().ok();
    assert_eq!(region.map(|region| region.partition()), Partition::of_region(&text));
    if let Some(account) = account_principal(&text) {
        assert!(text.contains(account.as_str()));
    }
    assert!(!is_unique_id(&text) || text.parse::<RoleName>().is_ok() || text.len() > 64);
    let _ = parse_duration(&text);
    valid.contains(&true)
}

fn read<T: FromStr<Err = Invalid>>(text: &str) -> Option<T> {
    match text.parse() {
        Ok(value) => Some(value),
        Err(invalid) => {
            for words in [&invalid.to_string(), &invalid.fix] {
                assert!(is_plain(words), "{words:?}");
                assert!(words.chars().count() <= LONGEST_REFUSAL, "{words}");
            }
            // For an ARN, the fix may be for a part of it.
            if let Some(advised) = invalid.fix.split('`').nth(1)
                && !text.starts_with("arn:")
                && !text.contains('`')
                && !advised.contains('…')
                // An option that takes it.
                && !advised.starts_with("--")
            {
                assert!(advised.parse::<T>().is_ok(), "{invalid}: {}", invalid.fix);
            }
            None
        }
    }
}

/// Asserts that parsing the written form returns the same value.
fn same<T>(text: &str) -> Option<T>
where
    T: FromStr<Err = Invalid> + Display + Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    let value = read::<T>(text)?;
    let written = value.to_string();
    assert_eq!(written.parse().as_ref(), Ok(&value));
    let json = serde_json::to_value(&value).unwrap();
    assert_eq!(json, Value::String(written));
    assert_eq!(serde_json::from_value::<T>(json).unwrap(), value);
    Some(value)
}

/// Asserts the same for a type with only one spelling.
fn exact<T>(text: &str) -> bool
where
    T: FromStr<Err = Invalid> + Display + Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned,
{
    let value = same::<T>(text);
    if let Some(value) = &value {
        assert_eq!(value.to_string(), text);
    }
    value.is_some()
}
