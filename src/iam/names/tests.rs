use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::iam::invalid::Invalid;
use crate::iam::partition::Partition;

/// Asserts that `text` is accepted and round-trips through `Display` and serde.
fn accepts<T>(text: &str)
where
    T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let value: T = text.parse().unwrap();
    assert_eq!(value.to_string(), text);
    round_trips(value);
}

fn round_trips<T>(value: T)
where
    T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    assert_eq!(value.to_string().parse::<T>().as_ref(), Ok(&value));
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(json, serde_json::to_string(&value.to_string()).unwrap());
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
}

/// Asserts that `FromStr` and serde reject `text` with a printable message.
fn refuses<T>(text: &str) -> Invalid
where
    T: FromStr<Err = Invalid> + DeserializeOwned + Debug,
{
    let error = text.parse::<T>().unwrap_err();
    assert!(serde_json::from_value::<T>(text.into()).is_err());
    assert_printable(&error);
    error
}

fn assert_printable(error: &Invalid) {
    let message = error.to_string();
    for part in [&message, &error.fix] {
        assert!(!part.is_empty() && !part.ends_with('.'), "{part}");
        assert!(!part.chars().any(char::is_control), "{part:?}");
    }
}

/// Asserts that `text` is rejected with a printable message or round-trips.
fn survives<T>(text: &str)
where
    T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
{
    match text.parse::<T>() {
        Ok(value) => round_trips(value),
        Err(error) => assert_printable(&error),
    }
}

#[test]
fn lengths_are_exact() {
    fn check<T>(unit: &str, min: usize, max: usize)
    where
        T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
    {
        accepts::<T>(&unit.repeat(min));
        accepts::<T>(&unit.repeat(max));
        let long = refuses::<T>(&unit.repeat(max + 1));
        assert!(long.rule.starts_with(&format!("has {} characters, ", max + 1)), "{long}");
        if let Some(short) = min.checked_sub(1) {
            refuses::<T>(&unit.repeat(short));
        }
    }
    check::<AccountId>("7", 12, 12);
    check::<RoleName>("a", 1, 64);
    check::<UserName>("a", 1, 64);
    check::<GroupName>("a", 1, 128);
    check::<PermissionSetName>("a", 1, 32);
    check::<PolicyName>("a", 1, 128);
    check::<SessionName>("a", 2, 64);
    check::<SourceIdentity>("a", 2, 64);
    check::<ExternalId>("a", 2, 1224);
    check::<MfaSerial>("a", 9, 256);
    check::<TagKey>("é", 1, 128);
    check::<TagValue>("é", 0, 256);
    accepts::<IamPath>(&format!("/{}/", "a".repeat(510)));
    refuses::<IamPath>(&format!("/{}/", "a".repeat(511)));
}

#[test]
fn every_character_that_aws_allows_is_allowed() {
    accepts::<RoleName>("aZ09_+=,.@-");
    accepts::<UserName>("aZ09_+=,.@-");
    accepts::<PolicyName>("aZ09_+=,.@-");
    accepts::<SessionName>("aZ09_+=,.@-");
    accepts::<SourceIdentity>("aZ09_+=,.@-");
    accepts::<ExternalId>("aZ09_+=,.@:/-");
    accepts::<MfaSerial>("aZ09_+=/:,.@-");
    accepts::<MfaSerial>("arn:aws:iam::111111111111:mfa/alice");
    accepts::<TagKey>("aZ09 _.:/=+-@é中Ⅷ\u{a0}");
    accepts::<TagValue>("aws:x \u{3000}");
    accepts::<AccountId>("000000000000");
    for path in ["/", "/a/", "/a/b/", "/!~:/", "///"] {
        accepts::<IamPath>(path);
    }
}

#[test]
fn rules_are_anchored_and_ascii() {
    fn check<T>(good: &str)
    where
        T: FromStr<Err = Invalid> + Display + Serialize + DeserializeOwned + PartialEq + Debug,
    {
        accepts::<T>(good);
        let last = good.chars().last().unwrap();
        for bad in [
            format!("{good}\n"),
            format!("\n{good}"),
            format!("{good}\r\n"),
            format!("{good}\0"),
            format!("{good}\t{last}"),
        ] {
            refuses::<T>(&bad);
        }
        for bad in ["١", "１", "\u{202e}", "\u{200b}", "\u{7f}"] {
            refuses::<T>(&good.replace(last, bad));
            refuses::<T>(&format!("{bad}{good}"));
        }
    }
    check::<AccountId>("111111111111");
    check::<RoleName>("xacct");
    check::<UserName>("alice");
    check::<PolicyName>("xacct");
    check::<IamPath>("/team/");
    check::<SessionName>("alice");
    check::<ExternalId>("q7Hc:Zk");
    check::<SourceIdentity>("alice");
    check::<MfaSerial>("GAHT12345678");
    check::<Region>("eu-west-1");
    check::<SessionDuration>("1h");
    check::<MaxSessionDuration>("1h");
    refuses::<AccountId>("１２３４５６７８９０１２");
    for bad in ["a\n", "a\r", "a\t", "\u{85}", "a\u{200b}", "a#", "a\0"] {
        refuses::<TagKey>(bad);
        refuses::<TagValue>(bad);
    }
}

#[test]
fn errors_say_the_rule_and_the_fix() {
    let cases: &[(Invalid, &str, &str)] = &[
        (
            refuses::<AccountId>("1234-5678-9012"),
            "`1234-5678-9012` is not a valid account ID: contains `-` (only the digits 0 to 9 are allowed)",
            "use the 12 digits without dashes or spaces: `123456789012`",
        ),
        (
            refuses::<AccountId>("12345678901"),
            "`12345678901` is not a valid account ID: has 11 characters, exactly 12 are required",
            "use all 12 digits, including leading zeros",
        ),
        (
            refuses::<AccountId>("arn:aws:iam::111111111111:root"),
            "`arn:aws:iam::111111111111:root` is not a valid account ID: contains `a` (only the digits 0 to 9 are allowed)",
            "use only the account ID in that ARN: `111111111111`",
        ),
        (refuses::<AccountId>(""), "`` is not a valid account ID: is empty", "use the 12 digits without dashes"),
        (
            refuses::<AccountId>("111111111111\n"),
            "`111111111111\\n` is not a valid account ID: contains `\\n` (only the digits 0 to 9 are allowed)",
            "remove the whitespace around it",
        ),
        (
            refuses::<RoleName>("my role"),
            "`my role` is not a valid role name: contains ` ` (only ASCII letters, digits and _+=,.@- are allowed)",
            "use only ASCII letters, digits and _+=,.@-",
        ),
        (
            refuses::<RoleName>("arn:aws:iam::111111111111:role/team/xacct"),
            "`arn:aws:iam::111111111111:role/team/xacct` is not a valid role name: contains `:` \
             (only ASCII letters, digits and _+=,.@- are allowed)",
            "use only the name: `xacct`",
        ),
        (
            refuses::<SessionName>("team/a"),
            "`team/a` is not a valid session name: contains `/` (only ASCII letters, digits and _+=,.@- are allowed)",
            "use only ASCII letters, digits and _+=,.@-",
        ),
        (
            refuses::<SessionName>("a"),
            "`a` is not a valid session name: has 1 character, at least 2 are required",
            "use 2 to 64 characters",
        ),
        (
            refuses::<SourceIdentity>("AWS:alice"),
            "`AWS:alice` is not a valid source identity: begins with `aws:`, which is reserved for AWS",
            "use another prefix",
        ),
        (
            refuses::<TagKey>("Aws:x"),
            "`Aws:x` is not a valid tag key: begins with `aws:`, which is reserved for AWS",
            "use another prefix",
        ),
        (
            refuses::<IamPath>("team"),
            "`team` is not a valid IAM path: does not begin and end with `/`",
            "write it as `/team/`",
        ),
        (
            refuses::<IamPath>("//"),
            "`//` is not a valid IAM path: has nothing between its slashes",
            "use `/` for no path",
        ),
        (
            refuses::<Region>("eu-west-1a"),
            "`eu-west-1a` is not a valid Region: does not match the format of AWS Region names",
            "use the Region, not the Availability Zone: `eu-west-1`",
        ),
        (
            refuses::<SessionDuration>("3600"),
            "`3600` is not a valid session duration: has no unit",
            "add a unit: `3600s` or `1h`",
        ),
        (
            refuses::<SessionDuration>("5400"),
            "`5400` is not a valid session duration: has no unit",
            "add a unit: `5400s` or `1h30m`",
        ),
        (
            refuses::<SessionDuration>("1"),
            "`1` is not a valid session duration: has no unit",
            "add a unit: `3600s` or `1h`",
        ),
        (
            refuses::<SessionDuration>("14m59s"),
            "`14m59s` is not a valid session duration: is less than 15m",
            "use 15m to 12h",
        ),
        (
            refuses::<MaxSessionDuration>("59m"),
            "`59m` is not a valid maximum session duration: is less than 1h",
            "use 1h to 12h",
        ),
        (
            refuses::<MaxSessionDuration>("12h1s"),
            "`12h1s` is not a valid maximum session duration: is more than 12h",
            "use 1h to 12h",
        ),
    ];
    for (error, message, fix) in cases {
        assert_eq!((error.to_string().as_str(), error.fix.as_str()), (*message, *fix));
    }
    assert_eq!(refuses::<Region>("EU-WEST-1").fix, "write it as `eu-west-1`");
    let through_serde = serde_json::from_str::<RoleName>("\"\"").unwrap_err().to_string();
    assert!(
        through_serde.starts_with("`` is not a valid role name: is empty; use 1 to 64 characters"),
        "{through_serde}"
    );
}

#[test]
fn messages_shorten_and_escape_the_value() {
    let error = refuses::<RoleName>(&format!("\u{1b}[31m{}", "é".repeat(100)));
    assert!(error.to_string().starts_with("`\\u{1b}[31mé"), "{error}");
    assert!(error.to_string().contains("é…` is not"), "{error}");
    assert_eq!(error.value.chars().count(), 105);
}

#[test]
fn mfa_codes_are_hidden() {
    let code: MfaCode = "012345".parse().unwrap();
    assert_eq!(code.as_str(), "012345");
    assert_eq!(format!("{code:?}"), "MfaCode(…)");
    for bad in ["", "12345", "1234567", "12345x", "123456\n", " 123456", "１２３４５６"] {
        let error = bad.parse::<MfaCode>().unwrap_err();
        assert_printable(&error);
        assert!(bad.is_empty() || !format!("{error:?} {error}").contains(bad), "{error:?}");
    }
}

#[test]
fn external_ids_hold_every_random_bit() {
    let smallest = ExternalId::from_random_bytes(&[0; 20]);
    let largest = ExternalId::from_random_bytes(&[255; 20]);
    assert_eq!((smallest.as_str(), largest.as_str()), ("0".repeat(32).as_str(), "v".repeat(32).as_str()));
    let mut seen = std::collections::HashSet::from([smallest]);
    for bit in 0..160_usize {
        let mut bytes = [0; 20];
        *bytes.get_mut(bit / 8).unwrap() = 1 << (bit % 8);
        let id = ExternalId::from_random_bytes(&bytes);
        accepts::<ExternalId>(id.as_str());
        assert!(id.as_str().len() == 32 && seen.insert(id), "bit {bit} is lost");
    }
}

#[test]
fn durations_have_one_canonical_form() {
    let cases = [
        ("1h", 3600, "1h"),
        ("60m", 3600, "1h"),
        ("3600s", 3600, "1h"),
        ("90m", 5400, "1h30m"),
        ("1h30m", 5400, "1h30m"),
        ("1h0m1s", 3601, "1h1s"),
        ("01h", 3600, "1h"),
        ("12h", 43_200, "12h"),
        ("720m", 43_200, "12h"),
    ];
    for (typed, seconds, shown) in cases {
        let session: SessionDuration = typed.parse().unwrap();
        let maximum: MaxSessionDuration = typed.parse().unwrap();
        assert_eq!((session.as_secs(), session.to_string().as_str()), (seconds, shown));
        assert_eq!((maximum.as_secs(), maximum.to_string().as_str()), (seconds, shown));
    }
    accepts::<SessionDuration>("15m");
    assert_eq!(SessionDuration::default().to_string(), "1h");
    assert_eq!(MaxSessionDuration::default().to_string(), "1h");
    for bad in [
        "",
        "h",
        "1",
        "1d",
        "1 h",
        "1H",
        "1.5h",
        "-1h",
        "+1h",
        "30m1h",
        "1h1h",
        "1h30",
        "1hm",
        "1０h",
        "0h",
        "13h",
        "99999999999999999999h",
        "9223372036854775807s",
    ] {
        refuses::<SessionDuration>(bad);
        refuses::<MaxSessionDuration>(bad);
    }
    for (seconds, session, maximum) in [
        (i32::MIN, false, false),
        (899, false, false),
        (900, true, false),
        (3599, true, false),
        (3600, true, true),
        (43_200, true, true),
        (43_201, false, false),
        (i32::MAX, false, false),
    ] {
        assert_eq!(SessionDuration::from_secs(seconds).is_ok(), session, "{seconds}");
        assert_eq!(MaxSessionDuration::from_secs(seconds).is_ok(), maximum, "{seconds}");
    }
}

#[test]
fn durations_of_any_length_are_read() {
    assert_eq!(parse_duration("90s"), Ok(90));
    assert_eq!(parse_duration("0s"), Ok(0));
    assert_eq!(parse_duration("2m"), Ok(120));
    assert_eq!(parse_duration("99999999999h"), Ok(u32::MAX));
    assert_eq!(parse_duration("90"), Err("has no unit"));
    assert_eq!(parse_duration(""), Err("is empty"));
    assert_eq!(parse_duration("2d"), Err("must be hours, minutes and seconds, in that order"));
}

#[test]
fn tags_split_at_the_first_equals_sign() {
    let tag: Tag = "path=a=b".parse().unwrap();
    assert_eq!((tag.key.as_str(), tag.value.as_str()), ("path", "a=b"));
    assert_eq!("k=".parse::<Tag>().unwrap().to_string(), "k=");
    assert_eq!("k".parse::<Tag>().unwrap_err().to_string(), "`k` is not a valid tag: has no `=`");
    assert_eq!("=v".parse::<Tag>().unwrap_err().what, "tag key");
    let with_sign = Tag { key: "a=b".parse().unwrap(), value: "c".parse().unwrap() };
    let json = serde_json::to_string(&with_sign).unwrap();
    assert_eq!(json, r#"{"key":"a=b","value":"c"}"#);
    assert_eq!(serde_json::from_str::<Tag>(&json).unwrap(), with_sign);
}

#[test]
fn regions_belong_to_partitions() {
    for partition in Partition::ALL {
        let region: Region = partition.default_region().parse().unwrap();
        assert_eq!(region.partition(), partition);
    }
    for bad in [
        "",
        "global",
        "aws-global",
        "eu-west",
        "eu-west-",
        "eu--1",
        "-west-1",
        "xx-west-1",
        "eu-west-x",
        "eu-we.st-1",
        "us-gov-1x",
        "eusc-fr-west-1",
    ] {
        refuses::<Region>(bad);
    }
}

/// Any text, and text similar to accepted values.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "(?s).*",
        "[a-z0-9:/=@ \n-]{0,20}",
        "[0-9]{11,13}",
        "[0-9]{0,3}h?[0-9]{0,5}m?[0-9]{0,5}s?",
        "[a-z]{2,4}-[a-z]{3,5}-[0-9]{0,2}"
    ]
}

/// Inserts a text into `good` at any place.
fn insert(good: &str, place: prop::sample::Index, bad: &str) -> String {
    let mut text: Vec<char> = good.chars().collect();
    let place = place.index(text.len() + 1);
    text.splice(place..place, bad.chars());
    text.into_iter().collect()
}

proptest! {
    #[test]
    fn no_parser_panics_and_what_is_accepted_round_trips(text in any_text()) {
        survives::<AccountId>(&text);
        survives::<RoleName>(&text);
        survives::<UserName>(&text);
        survives::<PolicyName>(&text);
        survives::<IamPath>(&text);
        survives::<SessionName>(&text);
        survives::<ExternalId>(&text);
        survives::<SourceIdentity>(&text);
        survives::<MfaSerial>(&text);
        survives::<TagKey>(&text);
        survives::<TagValue>(&text);
        survives::<MaxSessionDuration>(&text);
        survives::<SessionDuration>(&text);
        survives::<Region>(&text);
        if let Err(error) = text.parse::<MfaCode>() {
            assert_printable(&error);
        }
        match text.parse::<Tag>() {
            Ok(tag) => prop_assert_eq!(tag.to_string(), text),
            Err(error) => assert_printable(&error),
        }
    }

    #[test]
    fn valid_values_are_accepted(
        account in "[0-9]{12}", name in r"[A-Za-z0-9_+=,.@-]{2,64}", policy in r"[A-Za-z0-9_+=,.@-]{1,128}",
        path in r"(/[!-~]{1,510})?/", external in r"[A-Za-z0-9_+=,.@:/-]{2,1224}", serial in r"[A-Za-z0-9_+=/:,.@-]{9,256}",
        key in r"[\p{L}\p{Z}\p{N}_./=+@-]{1,128}", value in r"[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}",
    ) {
        accepts::<AccountId>(&account);
        accepts::<RoleName>(&name);
        accepts::<UserName>(&name);
        accepts::<SessionName>(&name);
        accepts::<SourceIdentity>(&name);
        accepts::<PolicyName>(&policy);
        accepts::<IamPath>(&path);
        accepts::<ExternalId>(&external);
        accepts::<MfaSerial>(&serial);
        accepts::<TagKey>(&key);
        accepts::<TagValue>(&value);
    }

    #[test]
    fn one_forbidden_character_is_rejected(
        name in "[a-z]{9,12}", place in any::<prop::sample::Index>(), bad in r#"[\x00-\x1f\x7f-\x9f!"$%&'()*;<>?\[\]\\^`{|}~#«»\u{200b}-\u{200f}\u{202a}-\u{202e}€😀]"#,
        digits in "[0-9]{11}", other in "[^0-9]",
    ) {
        let text = insert(&name, place, &bad);
        refuses::<RoleName>(&text);
        refuses::<UserName>(&text);
        refuses::<PolicyName>(&text);
        refuses::<SessionName>(&text);
        refuses::<ExternalId>(&text);
        refuses::<SourceIdentity>(&text);
        refuses::<MfaSerial>(&text);
        refuses::<TagKey>(&text);
        refuses::<TagValue>(&text);
        refuses::<AccountId>(&insert(&digits, place, &other));
        let outside_names = insert(&name, place, " ");
        refuses::<RoleName>(&outside_names);
        refuses::<ExternalId>(&outside_names);
        refuses::<IamPath>(&format!("/{outside_names}/"));
    }

    #[test]
    fn durations_in_range_round_trip(seconds in 900..=43_200_i32) {
        round_trips(SessionDuration::from_secs(seconds).unwrap());
        prop_assert_eq!(format!("{seconds}s").parse::<SessionDuration>().unwrap().as_secs(), seconds);
        match MaxSessionDuration::from_secs(seconds) {
            Ok(duration) => round_trips(duration),
            Err(_) => prop_assert!(seconds < 3600),
        }
    }
}
