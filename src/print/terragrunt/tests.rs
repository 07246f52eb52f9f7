use std::sync::LazyLock;

use ::hcl::{Body, Expression};
use proptest::prelude::*;

use super::*;

fn access(external_id: Option<&str>) -> Access {
    Access {
        target: "dev".to_owned(),
        role: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
        region: Some("eu-west-1".parse().unwrap()),
        external_id: external_id.map(|id| id.parse().unwrap()),
        needs_mfa: false,
        session_name: Some("alice".parse().unwrap()),
        session_tags: Vec::new(),
        source_identity: None,
        duration: "90m".parse().unwrap(),
        profile: Some("alice".to_owned()),
        principals: vec!["user/alice".parse().unwrap()],
    }
}

fn state() -> State<'static> {
    static REGION: LazyLock<Region> = LazyLock::new(|| "eu-west-1".parse().unwrap());
    State { bucket: "my-state", region: &REGION }
}

fn parsed(text: &str) -> Body {
    ::hcl::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Returns the text of an expression, with its templates evaluated.
fn text_of(expression: &Expression) -> String {
    let value = ::hcl::eval::Evaluate::evaluate(expression, &::hcl::eval::Context::new()).unwrap();
    value.as_str().unwrap().to_owned()
}

fn attribute<'a>(body: &'a Body, key: &str) -> &'a Expression {
    body.attributes().find(|attribute| attribute.key() == key).unwrap().expr()
}

#[test]
fn terragrunt_assumes_a_role_without_conditions() {
    assert!(can_assume(&access(None)));
    insta::assert_snapshot!(assuming(&access(None), Names::Both, None), @r#"
    # Contains no credentials. Terragrunt gets the credentials of user alice from the environment:
    #   export AWS_PROFILE=alice
    # Don't use assume_role in providers or remote_state: a role cannot assume itself.
    # These options and variables override the settings below:
    #   --iam-assume-role, TG_IAM_ASSUME_ROLE
    #   --iam-assume-role-duration, TG_IAM_ASSUME_ROLE_DURATION
    #   --iam-assume-role-session-name, TG_IAM_ASSUME_ROLE_SESSION_NAME
    #   --terragrunt-iam-role, TERRAGRUNT_IAM_ROLE
    #   --terragrunt-iam-assume-role-duration, TERRAGRUNT_IAM_ASSUME_ROLE_DURATION
    #   --terragrunt-iam-assume-role-session-name,
    #     TERRAGRUNT_IAM_ASSUME_ROLE_SESSION_NAME
    # Terragrunt 0.73 added the new names, and 0.85 removed options that begin with --terragrunt-.
    iam_role                     = "arn:aws:iam::222222222222:role/xacct"
    iam_assume_role_duration     = 5400
    iam_assume_role_session_name = "alice"
    "#);
}

#[test]
fn a_role_with_conditions_is_in_a_generated_provider_and_the_state() {
    assert!(!can_assume(&access(Some("abc"))));
    assert!(!can_assume(&Access { needs_mfa: true, ..access(None) }));
    insta::assert_snapshot!(generating(&access(Some("abc")), Some(state()), true).unwrap(), @r#"
    # Contains no credentials. Terragrunt gets the credentials of user alice from the environment:
    #   export AWS_PROFILE=alice
    generate "provider" {
      path      = "provider.tf"
      if_exists = "overwrite_terragrunt"
      contents  = <<EOF
    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["222222222222"]

      assume_role {
        role_arn     = "arn:aws:iam::222222222222:role/xacct"
        external_id  = "abc"
        session_name = "alice"
        duration     = "1h30m"
      }
    }
    EOF
    }

    # use_lockfile and assume_role need Terraform or OpenTofu 1.10 or later.
    # Terragrunt 0.86.3 to 1.1.0 sends its own requests, such as those that create the bucket, without assume_role if
    # AWS_ACCESS_KEY_ID is set: use AWS_PROFILE, or the settings for --auth-provider-cmd.
    remote_state {
      backend = "s3"

      generate = {
        path      = "backend.tf"
        if_exists = "overwrite_terragrunt"
      }

      config = {
        bucket       = "my-state"
        key          = "${path_relative_to_include()}/terraform.tfstate"
        region       = "eu-west-1"
        encrypt      = true
        use_lockfile = true

        assume_role = {
          role_arn     = "arn:aws:iam::222222222222:role/xacct"
          external_id  = "abc"
          session_name = "alice"
          duration     = "1h30m"
        }
      }
    }
    "#);
}

#[test]
fn the_state_beside_iam_role_has_no_role() {
    let text = assuming(&access(None), Names::New, Some(state()));
    let (role, state) = text.split_once("\n# use_lockfile").unwrap();
    assert!(role.contains("iam_role ") && !state.contains("role"), "{text}");
    assert_eq!(parsed(&text).blocks().map(|block| block.identifier().to_owned()).collect::<Vec<_>>(), ["remote_state"]);
}

#[test]
fn nothing_assumes_a_role_where_xacct_opens_the_session() {
    insta::assert_snapshot!(handed_over(&access(Some("abc")), Some(state())), @r#"
    # Contains no credentials, and assumes no role. Terragrunt gets a session of role xacct from xacct:
    #   TG_AUTH_PROVIDER_CMD, or xacct exec
    generate "provider" {
      path      = "provider.tf"
      if_exists = "overwrite_terragrunt"
      contents  = <<EOF
    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["222222222222"]
    }
    EOF
    }

    # use_lockfile needs Terraform or OpenTofu 1.10 or later.
    remote_state {
      backend = "s3"

      generate = {
        path      = "backend.tf"
        if_exists = "overwrite_terragrunt"
      }

      config = {
        bucket       = "my-state"
        key          = "${path_relative_to_include()}/terraform.tfstate"
        region       = "eu-west-1"
        encrypt      = true
        use_lockfile = true
      }
    }
    "#);
    assert!(!handed_over(&access(None), None).contains("remote_state"));
}

#[test]
fn only_some_versions_need_a_warning_about_keys_in_the_environment() {
    let text = |warns| generating(&access(Some("abc")), Some(state()), warns).unwrap();
    assert!(text(true).contains("# AWS_ACCESS_KEY_ID is set") && !text(false).contains("AWS_ACCESS_KEY_ID"));
    for (version, has) in [("0.86.2", true), ("0.86.3", false), ("1.0", false), ("1.1.0", false), ("1.1.1", true)] {
        let version: Version = version.parse().unwrap();
        assert_eq!(version.versions().have(Argument::RemoteStateRoleWithKeys), has, "{version}");
    }
}

#[test]
fn each_version_has_its_own_option_names() {
    for (version, has_new, has_old) in [
        ("0.50", false, true),
        ("0.72.9", false, true),
        ("0.73.0", true, true),
        ("0.84.1", true, true),
        ("0.85.0", true, false),
        ("1.1.2", true, false),
        ("1.2", true, false),
        ("2.0", true, false),
    ] {
        let version: Version = version.parse().unwrap();
        let text = assuming(&access(None), version.names(), None);
        assert_eq!(text.contains(" --iam-assume-role,"), has_new, "{version}\n{text}");
        assert_eq!(text.contains(" --terragrunt-iam-role,"), has_old, "{version}\n{text}");
    }
    for bad in ["", "1", "v1.0", "1.0.", "0.85000", "1.1.1.1", "latest"] {
        assert_eq!(bad.parse::<Version>().unwrap_err().message, format!("`{bad}` is not a valid version"));
    }
    "0.49.9".parse::<Version>().unwrap_err();
    for (text, known) in
        [("1.1.3", None), ("0.99", None), ("1.2.0", Some("Terragrunt 1.1")), ("2.0", Some("Terragrunt 1.1"))]
    {
        let version: Version = text.parse().unwrap();
        assert_eq!(version.as_known().map(|known| known.to_string()).as_deref(), known, "{text}");
    }
    let itself: Vec<_> = ["1.1.0", "1.1", "1.1.1", "1.1.2", "0.1111.1"]
        .into_iter()
        .filter(|text| text.parse().is_ok_and(Version::has_a_role_assume_itself))
        .collect();
    assert_eq!(itself, ["1.1.1"]);
}

proptest! {
    #[test]
    fn an_independent_parser_reads_the_role_as_it_was_meant(
        path in prop_oneof![r#"(/[$%{}"\\~]{1,10})?/"#, r"(/[!-~]{1,20})?/"],
        name in "[A-Za-z0-9_+=,.@-]{1,64}",
    ) {
        let role: crate::iam::arn::RoleArn = format!("arn:aws:iam::222222222222:role{path}{name}").parse().unwrap();
        let plain = Access { role: role.clone(), ..access(None) };
        let body = parsed(&assuming(&plain, Names::Both, None));
        prop_assert_eq!(text_of(attribute(&body, "iam_role")), role.to_string());

        let guarded = Access { role: role.clone(), ..access(Some("abc")) };
        let Ok(text) = generating(&guarded, Some(state()), false) else {
            let has_template = path.contains("${") || path.contains("%{");
            prop_assert!(has_template, "{}", role);
            return Ok(());
        };
        let body = parsed(&text);
        let mut blocks = body.blocks();
        let provider = text_of(attribute(blocks.next().unwrap().body(), "contents"));
        let provider = parsed(&provider);
        let assumed = provider.blocks().next().unwrap().body().blocks().next().unwrap();
        prop_assert_eq!(text_of(attribute(assumed.body(), "role_arn")), role.to_string());
        let Expression::Object(config) = attribute(blocks.next().unwrap().body(), "config") else { panic!("{text}") };
        let Some(Expression::Object(assumed)) = config.values().next_back() else { panic!("{text}") };
        prop_assert_eq!(text_of(assumed.values().next().unwrap()), role.to_string());
    }
}
