//! The cases are those of smithy-rs (`aws-config/test-data/assume-role-tests.json`) and of botocore
//! (`tests/functional/test_credentials.py`, `TestAssumeRole`), with `duration_seconds` added where
//! necessary, so that xacct resolves the chain itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use super::*;

/// Resolves profile A of a config file: `[A]` begins a profile, `key = value` is a setting.
fn resolve(text: &'static str) -> Result<Option<Chain>> {
    let mut settings = Vec::new();
    let mut profiles = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_once('=') {
            Some((key, value)) => settings.push((*profiles.last().unwrap(), key.trim(), value.trim())),
            None => profiles.push(line.trim_matches(['[', ']'])),
        }
    }
    let exists = |name: &str| profiles.contains(&name);
    let get = |name: &str, key: &str| {
        let found = settings.iter().find(|(profile, known, _)| *profile == name && *known == key);
        found.map(|(_, _, value)| (*value).to_owned())
    };
    chain(&exists, &get, "A")
}

/// Returns the base, and the roles in the order in which they are assumed.
fn shape(text: &'static str) -> (Base, Vec<String>) {
    let chain = resolve(text).unwrap().expect("xacct resolves this chain itself");
    (chain.base, chain.steps.into_iter().map(|step| step.role_arn).collect())
}

fn error_message(text: &'static str) -> String {
    resolve(text).unwrap_err().message
}

#[test]
fn leaves_other_profiles_to_aws_config() {
    for text in [
        "[A]\nrole_arn = arn:A\nsource_profile = B\nexternal_id = x\nrole_session_name = s\n[B]\naws_access_key_id = k\naws_secret_access_key = s",
        "[A]\naws_access_key_id = k\naws_secret_access_key = s\nmfa_serial = arn:aws:iam::111111111111:mfa/a",
        "[A]\nrole_arn = arn:A\nweb_identity_token_file = /t\nduration_seconds = 900",
        "[A]\nrole_arn = arn:A\ncredential_source = Ec2InstanceMetadata",
        "[A]\nsso_session = x",
        "[B]",
    ] {
        assert_eq!(resolve(text).unwrap(), None, "{text}");
    }
}

#[test]
fn reads_every_setting_of_a_step() {
    let text = "[A]\nrole_arn = arn:A\nsource_profile = B\nexternal_id = x\nrole_session_name = me\nduration_seconds = 7200\n\
                mfa_serial = arn:aws:iam::111111111111:mfa/alice\n[B]\ncredential_process = p";
    let chain = resolve(text).unwrap().unwrap();
    assert_eq!(chain.base, Base::Profile("B".to_owned()));
    let step = Step {
        profile: "A".to_owned(),
        role_arn: "arn:A".to_owned(),
        session_name: Some("me".to_owned()),
        external_id: Some("x".to_owned()),
        duration: Some("2h".parse().unwrap()),
        mfa: Some("arn:aws:iam::111111111111:mfa/alice".parse().unwrap()),
    };
    assert_eq!(chain.steps, [step]);
}

#[test]
fn ignores_the_access_key_of_the_first_profile_if_it_has_a_source() {
    let text = "[A]\naws_access_key_id = k\naws_secret_access_key = s\nrole_arn = arn:A\nsource_profile = B\n\
                duration_seconds = 900\n[B]\naws_access_key_id = k\naws_secret_access_key = s";
    assert_eq!(shape(text), (Base::Profile("B".to_owned()), vec!["arn:A".to_owned()]));
}

#[test]
fn a_profile_with_an_access_key_may_be_its_own_source() {
    let with_keys = "[A]\naws_access_key_id = k\naws_secret_access_key = s\nrole_arn = arn:A\nsource_profile = A\nduration_seconds = 900";
    assert_eq!(shape(with_keys), (Base::Keys("A".to_owned()), vec!["arn:A".to_owned()]));
    let without = "[A]\nrole_arn = arn:A\nsource_profile = A\nduration_seconds = 900";
    assert!(error_message(without).contains("cycle: A, A"));
}

#[test]
fn assumes_the_last_role_of_a_chain_first() {
    let text = "[A]\nrole_arn = arn:A\nsource_profile = B\n[B]\nrole_arn = arn:B\nsource_profile = C\nduration_seconds = 900\n[C]\n\
                aws_access_key_id = k\naws_secret_access_key = s";
    assert_eq!(shape(text), (Base::Profile("C".to_owned()), vec!["arn:B".to_owned(), "arn:A".to_owned()]));
}

#[test]
fn a_chain_ends_at_an_access_key() {
    let text = "[A]\nrole_arn = arn:A\naws_access_key_id = k\naws_secret_access_key = s\nsource_profile = B\nduration_seconds = 900\n\
                [B]\nrole_arn = arn:B\nsource_profile = C\naws_access_key_id = k\naws_secret_access_key = s\n[C]\n";
    assert_eq!(shape(text), (Base::Keys("B".to_owned()), vec!["arn:A".to_owned()]));
}

#[test]
fn a_chain_ends_at_a_web_identity() {
    let text = "[A]\nrole_arn = arn:A\nsource_profile = B\nduration_seconds = 900\n[B]\nrole_arn = arn:B\nweb_identity_token_file = /t";
    assert_eq!(shape(text), (Base::Profile("B".to_owned()), vec!["arn:A".to_owned()]));
}

#[test]
fn credential_source_is_case_insensitive() {
    for (source, base) in [
        ("Environment", Base::Environment),
        ("environment", Base::Environment),
        ("Ec2InstanceMetadata", Base::Instance),
        ("EcsContainer", Base::Container),
    ] {
        let get = |_: &str, key: &str| match key {
            "role_arn" => Some("arn:A".to_owned()),
            "credential_source" => Some(source.to_owned()),
            "duration_seconds" => Some("900".to_owned()),
            _ => None,
        };
        assert_eq!(chain(&|_| true, &get, "A").unwrap().unwrap().base, base);
    }
}

#[test]
fn reports_cycles() {
    let plain = "[A]\nrole_arn = arn:A\nsource_profile = B\n[B]\nrole_arn = arn:B\nsource_profile = A";
    let with_keys =
        "[A]\nrole_arn = arn:A\naws_access_key_id = k\nsource_profile = B\n[B]\nrole_arn = arn:B\nsource_profile = B";
    assert!(error_message(plain).contains("source_profile forms a cycle: A, B, A"));
    assert!(error_message(with_keys).contains("cycle: A, B, B"));
}

#[test]
fn reports_invalid_settings() {
    for (text, wanted) in [
        ("[A]\nrole_arn = arn:A\nsource_profile = B", "profile `B`, the source_profile of `A`, does not exist"),
        ("[A]\nrole_arn = arn:A", "neither source_profile nor credential_source"),
        ("[A]\nrole_arn = arn:A\nsource_profile = B\ncredential_source = Environment\n[B]", "both source_profile"),
        ("[A]\nrole_arn = arn:A\ncredential_source = Floozle", "is invalid: `Floozle`"),
        ("[A]\nrole_arn = arn:A\nsource_profile = B\nduration_seconds = 1h\n[B]", "which is not a number of seconds"),
        ("[A]\nrole_arn = arn:A\nsource_profile = B\nduration_seconds = 60\n[B]", "duration_seconds of profile `A`"),
        ("[A]\nrole_arn = arn:A\nsource_profile = B\nmfa_serial = me\n[B]", "mfa_serial of profile `A`"),
    ] {
        let message = error_message(text);
        assert!(message.contains(wanted), "{message}");
    }
}
