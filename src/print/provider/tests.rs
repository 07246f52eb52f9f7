use hcl::{Block, Body, Expression};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::iam::names::SessionDuration;

fn provider() -> Provider {
    Provider { alias: None, access: access(), extras: Extras::default() }
}

fn access() -> Access {
    Access {
        target: "dev".to_owned(),
        needs_mfa: false,
        region: Some("eu-west-1".parse().unwrap()),
        role: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
        external_id: Some("q7Hc:Zk".parse().unwrap()),
        session_name: Some("alice".parse().unwrap()),
        session_tags: Vec::new(),
        source_identity: None,
        duration: SessionDuration::default(),
        profile: Some("alice".to_owned()),
        principals: vec!["user/alice".parse().unwrap()],
    }
}

/// Returns an attribute's text as Terraform reads it, with its templates evaluated.
fn text_of(body: &Body, key: &str) -> Option<String> {
    let attribute = body.attributes().find(|attribute| attribute.key() == key)?;
    let value = hcl::eval::Evaluate::evaluate(attribute.expr(), &hcl::eval::Context::new()).unwrap();
    Some(value.as_str().unwrap().to_owned())
}

fn only_block<'a>(body: &'a Body, identifier: &str) -> &'a Block {
    let blocks: Vec<_> = body.blocks().collect();
    assert_eq!(blocks.len(), 1, "{body:?}");
    assert_eq!(blocks.first().unwrap().identifier(), identifier);
    blocks.first().unwrap()
}

fn keys(body: &Body) -> Vec<&str> {
    body.attributes().map(hcl::Attribute::key).collect()
}

/// Checks that the block has exactly the values of `provider`.
fn assert_says(block: &Block, provider: &Provider) {
    assert_eq!(block.identifier(), "provider");
    let labels: Vec<_> = block.labels().iter().map(hcl::BlockLabel::as_str).collect();
    assert_eq!(labels, ["aws"]);
    let body = block.body();
    let has = |key: &'static str, is_there: bool| is_there.then_some(key);
    let expected = [
        has("alias", provider.alias.is_some()),
        has("region", provider.access.region.is_some()),
        has("allowed_account_ids", true),
    ];
    assert_eq!(keys(body), expected.into_iter().flatten().collect::<Vec<_>>());
    assert_eq!(text_of(body, "alias"), provider.alias);
    assert_eq!(text_of(body, "region"), provider.access.region.as_ref().map(ToString::to_string));
    let accounts = body.attributes().find(|attribute| attribute.key() == "allowed_account_ids");
    let only_account = Expression::Array(vec![provider.access.role.account.as_str().into()]);
    assert_eq!(accounts.unwrap().expr(), &only_account);

    let body = only_block(body, "assume_role").body();
    let expected = [
        has("role_arn", true),
        has("external_id", provider.access.external_id.is_some()),
        has("session_name", provider.access.session_name.is_some()),
        has("duration", true),
    ];
    assert_eq!(keys(body), expected.into_iter().flatten().collect::<Vec<_>>());
    assert_eq!(body.blocks().count(), 0);
    assert_eq!(text_of(body, "role_arn"), Some(provider.access.role.to_string()));
    assert_eq!(text_of(body, "external_id"), provider.access.external_id.as_ref().map(ToString::to_string));
    assert_eq!(text_of(body, "session_name"), provider.access.session_name.as_ref().map(ToString::to_string));
    assert_eq!(text_of(body, "duration"), Some(provider.access.duration.to_string()));
}

#[test]
fn a_provider_is_formatted_like_terraform_fmt() {
    let with_constraint = document(&[provider()], Some(check_version_constraint("~> 5.67").unwrap()));
    insta::assert_snapshot!(with_constraint, @r#"
    terraform {
      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = "~> 5.67"
        }
      }
    }

    # Contains no credentials. Terraform gets the credentials of user alice from the environment:
    #   export AWS_PROFILE=alice
    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["222222222222"]

      assume_role {
        role_arn     = "arn:aws:iam::222222222222:role/xacct"
        external_id  = "q7Hc:Zk"
        session_name = "alice"
        duration     = "1h"
      }
    }
    "#);
}

#[test]
fn two_providers_have_aliases_and_only_known_arguments() {
    let first = Provider { alias: Some("dev".to_owned()), access: Access { region: None, ..access() }, ..provider() };
    let second = Provider {
        alias: Some("prod".to_owned()),
        access: Access {
            external_id: None,
            session_name: None,
            profile: None,
            principals: Vec::new(),
            duration: "1h30m".parse().unwrap(),
            ..access()
        },
        ..provider()
    };
    insta::assert_snapshot!(document(&[first, second], None), @r#"
    # Contains no credentials. Terraform gets the credentials of user alice from the environment:
    #   export AWS_PROFILE=alice
    provider "aws" {
      alias               = "dev"
      allowed_account_ids = ["222222222222"]

      assume_role {
        role_arn     = "arn:aws:iam::222222222222:role/xacct"
        external_id  = "q7Hc:Zk"
        session_name = "alice"
        duration     = "1h"
      }
    }

    # Contains no credentials. Terraform gets the credentials of the user from the environment:
    #   AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    provider "aws" {
      alias               = "prod"
      region              = "eu-west-1"
      allowed_account_ids = ["222222222222"]

      assume_role {
        role_arn = "arn:aws:iam::222222222222:role/xacct"
        duration = "1h30m"
      }
    }
    "#);
}

#[test]
fn session_settings_and_the_first_role_of_a_chain_are_printed() {
    let extras = Extras {
        transitive_tag_keys: vec!["project".parse().unwrap()],
        through: Some("arn:aws:iam::111111111111:role/ci".parse().unwrap()),
        ..Extras::default()
    };
    let access = Access {
        source_identity: Some("alice".parse().unwrap()),
        session_tags: ["project=x", "a:b c=é=/"].map(|tag| tag.parse().unwrap()).into(),
        ..access()
    };
    insta::assert_snapshot!(document(&[Provider { access, extras, ..provider() }], None), @r#"
    # Contains no credentials. Terraform gets the credentials of user alice from the environment:
    #   export AWS_PROFILE=alice
    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["222222222222"]

      # The provider assumes these roles in order, which needs provider version 5.67 or later.
      assume_role {
        role_arn     = "arn:aws:iam::111111111111:role/ci"
        session_name = "alice"
        duration     = "1h"
      }

      assume_role {
        role_arn        = "arn:aws:iam::222222222222:role/xacct"
        external_id     = "q7Hc:Zk"
        session_name    = "alice"
        duration        = "1h"
        source_identity = "alice"
        tags = {
          project = "x"
          "a:b c" = "é=/"
        }
        transitive_tag_keys = ["project"]
      }
    }
    "#);
}

#[test]
fn valid_version_constraints_are_printed_unchanged() {
    for good in [
        "5",
        "5.67",
        "5.67.0",
        "= 5.67.0",
        "=5.67.0",
        "!= 5.67.1",
        "~> 5.67",
        "~>5.67",
        ">= 5.67, < 7",
        ">=5.67,<7,!= 6.1.0",
        "6.0.0-beta1",
        ">= 6.0.0-rc.1",
    ] {
        let text = document(&[], Some(check_version_constraint(good).unwrap()));
        let body = hcl::parse(&text).unwrap();
        let Expression::Object(aws) = only_block(only_block(&body, "terraform").body(), "required_providers")
            .body()
            .attributes()
            .next()
            .unwrap()
            .expr()
        else {
            panic!("{text}")
        };
        let values: Vec<_> = aws.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        let expected = [("source", "hashicorp/aws"), ("version", good)];
        assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value.into())));
    }
}

#[test]
fn a_constraint_decides_how_the_duration_is_printed() {
    let printed = |constraint: &str, duration: &str| {
        let constraint = check_version_constraint(constraint).unwrap();
        let access = Access { duration: duration.parse().unwrap(), ..access() };
        provider_for(Provider { access, ..provider() }, constraint)
    };
    for new in ["4.0", "~> 4.0", ">= 4.0.0", "~> 5.67", "> 3.99, != 3.99.1, >= 4", ">= 4, < 5", "~> 6"] {
        let text = printed(new, "2h").unwrap();
        assert!(text.contains("duration     = \"2h\"") && !text.contains("duration_seconds"), "{new}\n{text}");
    }
    for old in ["3.0", "~> 3", "~> 3.0", "~> 3.76.0", "< 4, >= 3.1", ">= 3.0, < 5", "<= 4.67.0, > 3.5", "3.0.0-beta1"] {
        let text = printed(old, "2h").unwrap();
        assert!(text.contains("duration_seconds = 7200\n") && !text.contains("\"2h\""), "{old}\n{text}");
    }
    for (neither, message, hint) in [
        ("~> 2.70", "the AWS provider lacks `duration_seconds` before 3.0", "use 3.0 or later"),
        ("< 4", "the AWS provider lacks `duration_seconds` before 3.0", "use 3.0 or later"),
        (">= 3.0", "the AWS provider 5.0 and later lack `duration_seconds`", "or 4.0 and later, which have `duration`"),
        (">= 3.5, < 6", "the AWS provider 5.0 and later lack `duration_seconds`", "use versions before 5.0"),
    ] {
        let error = printed(neither, "2h").unwrap_err();
        assert_eq!(error.message, message, "{neither}");
        assert!(error.hints.join(" ").contains(hint), "{neither}: {:?}", error.hints);
    }
}

#[test]
fn a_constraint_must_admit_the_arguments_that_the_link_needs() {
    let through = Some("arn:aws:iam::111111111111:role/ci".parse().unwrap());
    let chained = Provider { extras: Extras { through, ..Extras::default() }, ..provider() };
    let identity = Access { source_identity: Some("alice".parse().unwrap()), ..access() };
    let tags = Access { session_tags: vec!["project=x".parse().unwrap()], ..access() };
    for (provider, lacks, has, argument) in [
        (chained, "~> 5.66", "~> 5.67", "several `assume_role` blocks"),
        (Provider { access: identity, ..provider() }, ">= 4.28", ">= 4.29", "`source_identity`"),
        (Provider { access: tags, ..provider() }, "2.99", "3.0", "session tags"),
    ] {
        provider_for(provider.clone(), check_version_constraint(has).unwrap()).unwrap();
        let error = provider_for(provider, check_version_constraint(lacks).unwrap()).unwrap_err();
        assert!(error.message.contains(&format!("lacks {argument}")), "{}", error.message);
    }
}

fn provider_for(provider: Provider, constraint: VersionConstraint<'_>) -> Result<String> {
    Ok(document(&[provider.for_versions(constraint.versions)?], Some(constraint)))
}

#[test]
fn a_constraint_that_no_version_meets_is_refused() {
    for none in [">= 5, < 4", "~> 5.67, ~> 4.0", "= 5.0.0, > 5.0.0", "< 0.0.0"] {
        let error = check_version_constraint(none).map(|_| ()).unwrap_err();
        assert_eq!(error.message, format!("no version meets the constraint `{none}`"));
    }
}

#[test]
fn invalid_version_constraints_are_refused() {
    for bad in [
        "",
        " ",
        ",",
        "5,",
        "latest",
        "5.x",
        "v5",
        "5.67.0.1",
        "5..6",
        ".5",
        "5.",
        "=> 5",
        "== 5",
        "~ 5",
        "^5",
        "> > 5",
        ">=",
        "5 6",
        "5.0.0-",
        "5\"\n}",
        "${x}",
        "５",
        "~> 5\n",
        "~> 5,\u{2028}< 7",
    ] {
        let error = check_version_constraint(bad).map(|_| ()).unwrap_err();
        assert_eq!(error.message, format!("`{bad}` is not a Terraform version constraint"));
        assert_eq!(error.hints, ["use operators and versions, such as `~> 5.67` or `>= 5.67, < 7`"]);
    }
}

#[test]
fn aliases_are_identifiers() {
    let cases = [
        (&["dev", "prod"][..], &["dev", "prod"][..]),
        (&["222222222222"], &["account_222222222222"]),
        (&["222222222222-2"], &["account_222222222222-2"]),
        (&["a b", "a_b", "a.b"], &["a_b", "a_b_2", "a_b_3"]),
        (&["a_2", "a", "a"], &["a_2", "a", "a_3"]),
        (&["_x", "-x", "é"], &["account__x", "account_-x", "account__"]),
        (&["", "${x}"], &["account_", "account___x_"]),
    ];
    for (names, expected) in cases {
        assert_eq!(aliases(names.iter().copied()), expected);
    }
}

#[test]
fn the_note_on_credentials_is_a_comment_for_any_profile_name() {
    for profile in ["a\nprovider \"x\" {}", "a\r\n}", "a\u{2028}b", "*/ ${x}", "\u{85}x = 1"] {
        let provider =
            Provider { alias: None, access: Access { profile: Some(profile.to_owned()), ..access() }, ..provider() };
        let text = document(std::slice::from_ref(&provider), None);
        assert_says(only_block(&hcl::parse(&text).unwrap(), "provider"), &provider);
        assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 2, "{text}");
    }
}

/// Text that tries to end its string or to become a template.
fn hostile() -> impl Strategy<Value = String> {
    const PARTS: [&str; 14] = ["$", "${", "%{", "%", "{", "}", "\"", "\\", "\n", "\r", "\t", "\u{0}", "é", "~"];
    let parts = proptest::collection::vec(select(&PARTS[..]), 0..8).prop_map(|parts| parts.concat());
    prop_oneof![parts, any::<String>()]
}

fn any_provider() -> impl Strategy<Value = Provider> {
    let path = prop_oneof![r#"(/[$%{}"\\~]{1,10})?/"#, r"(/[!-~]{1,20})?/"];
    (
        option::of(hostile()),
        option::of(select(&["eu-west-1", "us-gov-west-1"][..])),
        (path, "[A-Za-z0-9_+=,.@-]{1,64}"),
        option::of("[A-Za-z0-9_+=,.@:/-]{2,40}"),
        option::of("[A-Za-z0-9_+=,.@-]{2,64}"),
        900..=43_200_i32,
        option::of(hostile()),
        option::of("[A-Za-z0-9_+=,.@-]{1,64}"),
    )
        .prop_map(|(alias, region, (path, name), external_id, session_name, seconds, profile, user)| Provider {
            alias,
            access: Access {
                target: "dev".to_owned(),
                needs_mfa: false,
                region: region.map(|region| region.parse().unwrap()),
                role: format!("arn:aws:iam::222222222222:role{path}{name}").parse().unwrap(),
                external_id: external_id.map(|id| id.parse().unwrap()),
                session_name: session_name.map(|name| name.parse().unwrap()),
                session_tags: Vec::new(),
                source_identity: None,
                duration: SessionDuration::from_secs(seconds).unwrap(),
                profile,
                principals: user.map(|name| format!("user/{name}").parse().unwrap()).into_iter().collect(),
            },
            extras: Extras::default(),
        })
}

proptest! {
    #[test]
    fn an_independent_parser_reads_exactly_what_was_printed(providers in proptest::collection::vec(any_provider(), 0..3)) {
        let text = document(&providers, None);
        let body = hcl::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let blocks: Vec<_> = body.blocks().collect();
        prop_assert_eq!((blocks.len(), body.attributes().count()), (providers.len(), 0), "{}", text);
        for (block, provider) in blocks.into_iter().zip(&providers) {
            assert_says(block, provider);
        }
    }

    #[test]
    fn what_is_accepted_as_a_version_constraint_cannot_leave_its_line(
        text in prop_oneof![any::<String>(), "[0-9 .,<>=!~\u{a0}\u{2028}\n-]{0,12}"],
    ) {
        if check_version_constraint(&text).is_ok() {
            prop_assert!(text.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{:?}", text);
        }
    }

    #[test]
    fn aliases_are_identifiers_and_each_is_used_once(names in proptest::collection::vec(prop_oneof!["[ab_2]{0,4}", hostile()], 0..8)) {
        let aliases = aliases(names.iter().map(String::as_str));
        prop_assert_eq!(aliases.len(), names.len());
        for alias in &aliases {
            let is_rest = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            prop_assert!(alias.starts_with(|c: char| c.is_ascii_alphabetic()) && alias.chars().all(is_rest), "{}", alias);
        }
        let once: BTreeSet<_> = aliases.iter().collect();
        prop_assert_eq!(once.len(), aliases.len(), "{:?}", aliases);
    }
}
