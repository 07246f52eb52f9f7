use hcl::{Body, Expression};
use proptest::prelude::*;

use super::*;

fn backend(version: &str) -> Backend {
    Backend {
        version: version.parse().unwrap(),
        access: Access {
            target: "dev".to_owned(),
            role: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
            region: None,
            external_id: Some("q7Hc:Zk".parse().unwrap()),
            needs_mfa: false,
            session_name: Some("alice".parse().unwrap()),
            session_tags: Vec::new(),
            source_identity: None,
            duration: "90m".parse().unwrap(),
            profile: None,
            principals: Vec::new(),
        },
        bucket: "my-state".to_owned(),
        key: "a/terraform.tfstate".to_owned(),
        region: Some("eu-west-1".parse().unwrap()),
        lock_table: None,
        kms_key: None,
    }
}

/// Returns the arguments of the backend, from an independent parser.
fn arguments(text: &str) -> hcl::Map<String, Expression> {
    let body: Body = hcl::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let terraform = body.blocks().next().unwrap();
    let backend = terraform.body().blocks().next().unwrap();
    assert_eq!((terraform.identifier(), backend.identifier()), ("terraform", "backend"));
    assert_eq!((body.iter().count(), terraform.body().iter().count(), backend.body().blocks().count()), (1, 1, 0));
    let arguments = backend.body().attributes();
    arguments.map(|argument| (argument.key().to_owned(), argument.expr().clone())).collect()
}

fn keys(map: &hcl::Map<String, Expression>) -> Vec<&str> {
    map.keys().map(String::as_str).collect()
}

#[test]
fn a_backend_is_formatted_like_terraform_fmt() {
    insta::assert_snapshot!(document(&backend("1.11")), @r#"
    # Contains no credentials. Terraform gets the credentials of the user from the environment:
    #   AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    terraform {
      backend "s3" {
        bucket       = "my-state"
        key          = "a/terraform.tfstate"
        region       = "eu-west-1"
        use_lockfile = true

        assume_role = {
          role_arn     = "arn:aws:iam::222222222222:role/xacct"
          external_id  = "q7Hc:Zk"
          session_name = "alice"
          duration     = "1h30m"
        }
      }
    }
    "#);
    let old = Backend { lock_table: Some("locks".to_owned()), region: None, ..backend("1.5.7") };
    insta::assert_snapshot!(document(&old), @r#"
    # Contains no credentials. Terraform gets the credentials of the user from the environment:
    #   AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    # The bucket's Region comes from AWS_REGION.
    terraform {
      backend "s3" {
        bucket                       = "my-state"
        key                          = "a/terraform.tfstate"
        dynamodb_table               = "locks"
        role_arn                     = "arn:aws:iam::222222222222:role/xacct"
        external_id                  = "q7Hc:Zk"
        session_name                 = "alice"
        assume_role_duration_seconds = 5400
      }
    }
    "#);
}

#[test]
fn a_backend_has_only_arguments_of_its_version() {
    let usual = ["bucket", "key", "region"];
    let top = ["role_arn", "external_id", "session_name", "assume_role_duration_seconds"];
    for (version, more) in [
        ("1.0", &top[..]),
        ("1.5.7", &top),
        ("1.6", &["assume_role"]),
        ("terraform-1.9.8", &["assume_role"]),
        ("1.10", &["use_lockfile", "assume_role"]),
        ("1.15.0", &["use_lockfile", "assume_role"]),
        ("opentofu-1.6", &["assume_role"]),
        ("opentofu-1.9.1", &["assume_role"]),
        ("opentofu-1.10", &["use_lockfile", "assume_role"]),
    ] {
        let found = arguments(&document(&backend(version)));
        assert_eq!(keys(&found), [&usual[..], more].concat(), "{version}");
        if let Some(Expression::Object(role)) = found.get("assume_role") {
            let keys: Vec<_> = role.keys().map(ToString::to_string).collect();
            assert_eq!(keys, ["role_arn", "external_id", "session_name", "duration"]);
        }
    }
}

#[test]
fn invalid_versions_are_refused() {
    for bad in
        ["", "1", "1.x", "v1.5", "1.5.", "1.5.7.1", "tofu-1.8", "1.-1", "1.+5", "1.99999", "opentofu-", "\u{661}.1"]
    {
        let error = bad.parse::<Version>().unwrap_err();
        assert_eq!(error.message, format!("`{}` is not a valid version", bad.escape_debug()));
    }
    for (bad, message) in [
        ("0.12.31", "Terraform 0.12 is too old; xacct supports Terraform 1.0 and later"),
        ("opentofu-1.5", "OpenTofu 1.5 does not exist; the first version of OpenTofu is 1.6"),
    ] {
        assert_eq!(bad.parse::<Version>().unwrap_err().message, message);
    }
}

#[test]
fn a_newer_version_counts_as_the_newest_supported_one() {
    for (newer, known) in [("1.12", "1.11"), ("1.99.3", "1.11"), ("2.0", "1.11"), ("opentofu-1.13", "opentofu-1.12")] {
        let (newer, known): (Version, Version) = (newer.parse().unwrap(), known.parse().unwrap());
        assert_eq!(newer.as_known(), Some(known));
        let of = |version| document(&Backend { version, ..backend("1.11") });
        assert_eq!(of(newer), of(known));
    }
    for known in ["1.11.4", "1.0", "opentofu-1.12.6"] {
        assert_eq!(known.parse::<Version>().unwrap().as_known(), None, "{known}");
    }
}

#[test]
fn invalid_buckets_keys_and_tables_are_refused() {
    for bad in ["", "ab", "A-b", "-ab", "ab-", "a_b", "a/b", "a\"b", &"a".repeat(64)] {
        check_bucket(bad).unwrap_err();
    }
    for bad in ["", "/a", "a/", "a//b", "a\nb", "\u{0}"] {
        check_key(bad).unwrap_err();
    }
    for bad in ["", "ab", "a b", "a/b", "é..."] {
        check_table(bad).unwrap_err();
    }
    check_bucket("my.state-1").unwrap();
    check_table("My_locks-1.").unwrap();
}

proptest! {
    #[test]
    fn an_independent_parser_reads_the_key_and_the_role_as_they_were_meant(
        key in prop_oneof!["[$%{}\"\\\\~#;a]{1,12}", any::<String>()],
        path in r#"(/[$%{}"\\~]{1,10})?/"#,
        minor in 0..=NEWEST_TERRAFORM.1,
    ) {
        prop_assume!(check_key(&key).is_ok());
        let mut backend = Backend { key: key.clone(), ..backend(&format!("1.{minor}")) };
        backend.access.role = format!("arn:aws:iam::222222222222:role{path}x").parse().unwrap();
        let found = arguments(&document(&backend));
        let text = |expression: &Expression| {
            let value = hcl::eval::Evaluate::evaluate(expression, &hcl::eval::Context::new()).unwrap();
            value.as_str().map(str::to_owned)
        };
        prop_assert_eq!(text(&found["key"]), Some(key));
        let role = match found.get("assume_role") {
            Some(Expression::Object(role)) => role.values().next().unwrap().clone(),
            _ => found["role_arn"].clone(),
        };
        prop_assert_eq!(text(&role), Some(backend.access.role.to_string()));
    }
}
