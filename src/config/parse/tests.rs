use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

const EVERYTHING: &str = r#"# All settings.
[source]
account = "111111111111"
user = "alice"
profile = "security admin"
user_profile = "alice"
other_files = ["bob.toml"]
grant = "organization"
set_grant = "inline"
organization = "o-a1b2c3d4e5"

[targets.dev]
account = "222222222222"
profile = "dev-admin"
role = "deployer"
role_path = "/team/"
moved_from = "arn:aws:iam::222222222222:role/old"
link = "0123456789abcdef"
external_id = "q7Hc:Zk"
require_mfa = true
principals = ["user/bob", "role/ci/terraform"]
restrict_to_user = true
allow_session_tags = false
policy_arns = ["PowerUserAccess", "arn:aws:iam::222222222222:policy/own"]
policy_files = ["policies/state bucket.json"]
trust_statement_files = ["policies/hcp.json"]
permissions_boundary = "arn:aws:iam::222222222222:policy/boundary"
max_session_duration = "2h"
description = "Deploys"
tags = { team = "platform", "cost center" = "" }
session_name = "alice@example.com"
session_tags = { project = "x" }
source_identity = "alice"
region = "eu-west-1"
probe = "identity"
bucket_tags = { owner = "me" }
bucket_namespace = "account-regional"
accept = [{ who = "account 999999999999", reason = "audit" }]
exclusive = true
managed_by = "terraform"

[targets."prod 1"]
account = "333333333333"
enter_role = "OrganizationAccountAccessRole"
"#;

fn parse(text: &str) -> Result<ConfigFile> {
    ConfigFile::parse(Path::new("xacct.toml"), text.to_owned())
}

/// Returns the error as text: the message, its notes and its hints.
fn complaint(text: &str) -> String {
    let error = parse(text).unwrap_err();
    assert_eq!(error.kind, Kind::Usage, "{text}");
    let details = error.notes.iter().chain(&error.hints).map(|detail| format!("\n- {detail}"));
    format!("{}{}", error.message, details.collect::<String>())
}

/// Returns a file with one target, with this third line.
fn with_target_line(line: &str) -> String {
    format!("[targets.dev]\naccount = \"222222222222\"\n{line}\n")
}

fn shown<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[test]
fn every_setting_is_read() {
    let file = parse(EVERYTHING).unwrap();
    let RecordedSource { account, principals, lists_principals, profile, user_profile, other_files, grant } =
        file.source;
    assert_eq!(account.unwrap().as_str(), "111111111111");
    assert_eq!((shown(&principals), lists_principals), (vec!["user/alice".to_owned()], false));
    assert_eq!(profile.as_deref(), Some("security admin"));
    assert_eq!(user_profile.as_deref(), Some("alice"));
    assert_eq!(other_files, [PathBuf::from("bob.toml")]);
    assert_eq!((grant.scope, grant.set_grant), (Some(GrantScope::Organization), Some(SetGrant::Inline)));
    assert_eq!(grant.organization.unwrap().as_str(), "o-a1b2c3d4e5");

    let [(dev_name, dev), (prod_name, prod)] = <[_; 2]>::try_from(file.targets).unwrap();
    assert_eq!((dev_name.as_str(), prod_name.as_str()), ("dev", "prod 1"));
    let Recorded {
        account,
        profile,
        enter_role,
        role,
        role_path,
        other_role,
        link,
        external_id,
        old_external_ids,
        is_external_id_elsewhere,
        require_mfa,
        principals,
        restrict_to_user,
        allow_session_tags,
        policy_arns,
        policy_files,
        trust_statement_files,
        permissions_boundary,
        max_session_duration,
        description,
        tags,
        session_name,
        session_tags,
        source_identity,
        region,
        probe,
        bucket_tags,
        bucket_namespace,
        accept,
        exclusive,
        managed_by,
    } = dev;
    assert_eq!(account.as_str(), "222222222222");
    assert_eq!((profile.as_deref(), enter_role), (Some("dev-admin"), None));
    assert_eq!(role.unwrap().as_str(), "deployer");
    assert_eq!(role_path.unwrap().as_str(), "/team/");
    assert_eq!(other_role.unwrap().old().unwrap().to_string(), "arn:aws:iam::222222222222:role/old");
    assert_eq!(link.unwrap().as_str(), "0123456789abcdef");
    assert_eq!((external_id.unwrap().as_str(), old_external_ids), ("q7Hc:Zk", vec![]));
    assert!(!is_external_id_elsewhere);
    assert_eq!((require_mfa, restrict_to_user, allow_session_tags), (Some(true), Some(true), Some(false)));
    assert_eq!(shown(&principals), ["user/bob", "role/ci/terraform"]);
    let own = "arn:aws:iam::222222222222:policy/own";
    assert_eq!(shown(&policy_arns), ["PowerUserAccess", own]);
    assert_eq!(policy_files, [Path::new("policies/state bucket.json")]);
    assert_eq!(trust_statement_files, [Path::new("policies/hcp.json")]);
    let boundary = "arn:aws:iam::222222222222:policy/boundary";
    assert_eq!(permissions_boundary.unwrap().to_string(), boundary);
    assert_eq!(max_session_duration.unwrap().as_secs(), 7200);
    assert_eq!(description.unwrap().as_str(), "Deploys");
    assert_eq!(shown(&tags), ["cost center=", "team=platform"]);
    assert_eq!(session_name.unwrap().as_str(), "alice@example.com");
    assert_eq!(shown(&session_tags), ["project=x"]);
    assert_eq!(source_identity.unwrap().as_str(), "alice");
    assert_eq!(region.unwrap().as_str(), "eu-west-1");
    assert_eq!(probe, Some(Probe::Identity));
    assert_eq!(shown(&bucket_tags), ["owner=me"]);
    assert_eq!(bucket_namespace, Some(BucketNamespace::AccountRegional));
    assert_eq!(accept, [Accepted { who: "account 999999999999".to_owned(), reason: "audit".to_owned() }]);
    assert_eq!((exclusive, managed_by), (Some(true), Some(Manager::Terraform)));

    assert_eq!(prod.enter_role.unwrap().as_str(), "OrganizationAccountAccessRole");
    assert_eq!((prod.role, prod.require_mfa, prod.probe), (None, None, None));
    assert_eq!((prod.policy_arns, prod.tags), (vec![], vec![]));
}

#[test]
fn a_section_can_have_any_toml_syntax() {
    let ways = [
        "[targets.dev]\naccount = \"222222222222\"\n[targets.dev.tags]\nteam = \"x\"",
        "targets.dev = { account = \"222222222222\", tags = { team = \"x\" } }",
        "targets = { dev = { account = \"222222222222\", tags.team = \"x\" } }",
        "[targets]\ndev.account = '222222222222'\ndev.tags.team = '''x'''",
    ];
    for text in ways {
        let file = parse(text).unwrap();
        let [(name, dev)] = <[_; 1]>::try_from(file.targets).unwrap();
        assert_eq!((name.as_str(), dev.account.as_str()), ("dev", "222222222222"), "{text}");
        assert_eq!(shown(&dev.tags), ["team=x"], "{text}");
    }
}

#[test]
fn tells_the_line_of_each_target() {
    let text = "[source]\n\n[targets.dev]\naccount = '111111111111'\n# prod\n[targets.\"a b\"]\naccount = '222222222222'\n\
                [targets]\ninline = { account = '333333333333' }\n";
    let lines = parse(text).unwrap().lines_of_targets();
    let lines: Vec<_> = lines.iter().map(|(name, line)| (name.as_str(), *line)).collect();
    assert_eq!(lines, [("a b", 6), ("dev", 3), ("inline", 9)]);
}

#[test]
fn accepted_callers_can_be_sections() {
    let text = with_target_line("[[targets.dev.accept]]\nwho = \"everyone\"\nreason = \"public\"");
    let [(_, dev)] = <[_; 1]>::try_from(parse(&text).unwrap().targets).unwrap();
    assert_eq!(dev.accept, [Accepted { who: "everyone".to_owned(), reason: "public".to_owned() }]);
}

#[test]
fn a_missing_file_is_empty_and_an_unreadable_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xacct.toml");
    let file = ConfigFile::load(&path).unwrap();
    assert_eq!((file.path.as_path(), file.text, file.targets.len()), (&*path, None, 0));

    std::fs::write(&path, EVERYTHING).unwrap();
    assert_eq!(ConfigFile::load(&path).unwrap().text.as_deref(), Some(EVERYTHING));

    let error = ConfigFile::load(folder.path()).unwrap_err();
    assert_eq!(error.kind, Kind::File);
    let start = format!("cannot read `{}`: ", folder.path().display());
    assert!(error.message.starts_with(&start), "{}", error.message);

    std::fs::write(&path, b"[source]\nuser = \"\xff\"\n").unwrap();
    assert_eq!(ConfigFile::load(&path).unwrap_err().kind, Kind::File);
}

#[test]
fn an_empty_file_has_no_links() {
    for text in ["", "# nothing\n", "[source]\n", "[targets]\n"] {
        assert_eq!(parse(text).unwrap().targets.len(), 0, "{text}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_setting() {
    insta::assert_snapshot!(complaint(&with_target_line("requires_mfa = true")), @"
    xacct.toml:3: unknown setting `requires_mfa` in [targets.dev]
    - did you mean `require_mfa`?
    ");
    insta::assert_snapshot!(complaint(&with_target_line("external = \"x1\"")), @"
    xacct.toml:3: unknown setting `external` in [targets.dev]
    - did you mean `external_id`?
    ");
    insta::assert_snapshot!(complaint("[source]\nacount = \"111111111111\""), @"
    xacct.toml:2: unknown setting `acount` in [source]
    - did you mean `account`?
    ");
    insta::assert_snapshot!(complaint("[source]\nexternal_id = \"x1\""), @"
    xacct.toml:2: unknown setting `external_id` in [source]
    - the settings are account, user, principals, profile, user_profile, other_files, grant, set_grant, organization
    - remove it, or use one of these
    ");
    insta::assert_snapshot!(complaint("\n\n[target.dev]\naccount = \"222222222222\""), @"
    xacct.toml:3: unknown setting `target` at the top level
    - did you mean `targets`?
    ");
    insta::assert_snapshot!(complaint("account = \"222222222222\""), @"
    xacct.toml:1: unknown setting `account` at the top level
    - the settings are source, targets
    - remove it, or use one of these
    ");
    insta::assert_snapshot!(complaint(&with_target_line("duration_in_seconds = 3600")), @"
    xacct.toml:3: unknown setting `duration_in_seconds` in [targets.dev]
    - the settings are account, profile, enter_role, role, role_path, moving_to, moved_from, link, external_id, require_mfa, principals, restrict_to_user, allow_session_tags, policy_arns, policy_files, trust_statement_files, permissions_boundary, max_session_duration, description, tags, session_name, session_tags, source_identity, region, probe, bucket_tags, bucket_namespace, accept, exclusive, managed_by
    - remove it, or use one of these
    ");
}

#[test]
fn a_wrong_type_is_refused_with_an_example() {
    insta::assert_snapshot!(complaint("[source]\naccount = 111111111111"), @r#"
    xacct.toml:2: `account` must be a string, not an integer
    - for example: account = "222222222222"
    "#);
    insta::assert_snapshot!(complaint(&with_target_line("require_mfa = \"true\"")), @"
    xacct.toml:3: `require_mfa` must be true or false, not a string
    - for example: require_mfa = true
    ");
    insta::assert_snapshot!(complaint(&with_target_line("policy_arns = \"PowerUserAccess\"")), @r#"
    xacct.toml:3: `policy_arns` must be a list of strings
    - for example: policy_arns = ["…"]
    "#);
    insta::assert_snapshot!(complaint(&with_target_line("policy_files = [\"a.json\", 7]")), @r#"
    xacct.toml:3: `policy_files` must be a list of strings
    - for example: policy_files = ["…"]
    "#);
    insta::assert_snapshot!(complaint(&with_target_line("tags = [\"team=x\"]")), @r#"
    xacct.toml:3: `tags` must be a table of strings
    - for example: tags = { team = "platform" }
    "#);
    insta::assert_snapshot!(complaint(&with_target_line("tags = { team = 7 }")), @r#"
    xacct.toml:3: `tags` must be a table of strings
    - for example: tags = { team = "platform" }
    "#);
    insta::assert_snapshot!(complaint(&with_target_line("max_session_duration = 3600")), @r#"
    xacct.toml:3: `max_session_duration` must be a string, not an integer
    - for example: max_session_duration = "1h"
    "#);
    insta::assert_snapshot!(complaint("source = \"111111111111\""), @"
    xacct.toml:1: `source` must be a table
    - write [source] with the settings below it
    ");
    insta::assert_snapshot!(complaint("[targets]\ndev = \"222222222222\""), @"
    xacct.toml:2: `dev` must be a table
    - write [targets.dev] with the settings below it
    ");
    insta::assert_snapshot!(complaint("[[targets.dev]]\naccount = \"222222222222\""), @"
    xacct.toml:1: `dev` must be a table
    - write [targets.dev] with the settings below it
    ");
}

#[test]
fn an_invalid_value_is_refused_with_its_rule_and_a_fix() {
    insta::assert_snapshot!(complaint("[source]\naccount = \"1111-11111111\""), @"
    xacct.toml:2: `1111-11111111` is not a valid account ID: contains `-` (only the digits 0 to 9 are allowed)
    - use the 12 digits without dashes or spaces: `111111111111`
    ");
    insta::assert_snapshot!(complaint("[source]\nuser = \"arn:aws:iam::111111111111:root\""), @"
    xacct.toml:2: `arn:aws:iam::111111111111:root` is not a valid user ARN: names the root user
    - use an IAM user, because the root user cannot assume roles
    ");
    insta::assert_snapshot!(complaint("[source]\nprofile = \"\""), @"
    xacct.toml:2: `profile` is empty
    - set a value, or remove the line
    ");
    insta::assert_snapshot!(complaint(&with_target_line("external_id = \"x\"")), @"
    xacct.toml:3: `x` is not a valid external ID: has 1 character, at least 2 are required
    - use 2 to 1224 characters
    ");
    insta::assert_snapshot!(complaint(&with_target_line("max_session_duration = \"13h\"")), @"
    xacct.toml:3: `13h` is not a valid maximum session duration: is more than 12h
    - use 1h to 12h
    ");
    insta::assert_snapshot!(complaint(&with_target_line("region = \"eu-west-1a\"")), @"
    xacct.toml:3: `eu-west-1a` is not a valid Region: does not match the format of AWS Region names
    - use the Region, not the Availability Zone: `eu-west-1`
    ");
    insta::assert_snapshot!(complaint(&with_target_line("probe = \"buckets\"")), @"
    xacct.toml:3: `buckets` is not a valid value of `probe`
    - use `auto`, `bucket` or `identity`
    ");
    insta::assert_snapshot!(complaint(&with_target_line("tags = { \"aws:x\" = \"y\" }")), @"
    xacct.toml:3: `aws:x` is not a valid tag key: begins with `aws:`, which is reserved for AWS
    - use another prefix
    ");
    insta::assert_snapshot!(complaint(&with_target_line("policy_arns = [\n  \"Power User\",\n]")), @"
    xacct.toml:3: `Power User` is not a valid managed policy: its policy name `Power User` contains ` ` (only ASCII letters, digits and _+=,.@- are allowed)
    - use the policy's ARN, or the name of an AWS managed policy such as `PowerUserAccess`
    ");
}

#[test]
fn settings_that_exclude_each_other_are_refused() {
    insta::assert_snapshot!(complaint(&with_target_line("profile = \"a\"\nenter_role = \"b\"")), @"
    xacct.toml:4: `profile` and `enter_role` cannot be used together
    - keep the one that gives access to the target account
    ");
    insta::assert_snapshot!(complaint("[targets.dev]\n# no number\nrole = \"xacct\""), @r#"
    xacct.toml:3: [targets.dev] has no `account`
    - add the 12-digit ID of the target account: account = "222222222222"
    "#);
    insta::assert_snapshot!(complaint("[targets.dev]"), @r#"
    xacct.toml:1: [targets.dev] has no `account`
    - add the 12-digit ID of the target account: account = "222222222222"
    "#);
    let twins = "[targets.a]\naccount = \"222222222222\"\n\n[targets.b]\naccount = \"222222222222\"\n";
    insta::assert_snapshot!(complaint(twins), @"
    xacct.toml:4: [targets.a] and [targets.b] have the same role in account 222222222222
    - remove one of them, or set a different `role` in one
    ");
}

#[test]
fn two_targets_cannot_have_the_same_role() {
    for role in ["xacct", "Xacct"] {
        let twins = format!(
            "[targets.a]\naccount = \"222222222222\"\n[targets.b]\naccount = \"222222222222\"\nrole = \"{role}\"\n"
        );
        assert!(complaint(&twins).contains("have the same role"), "{role}");
    }
}

#[test]
fn two_targets_can_have_different_roles_in_one_account() {
    let text = "[targets.a]\naccount = \"222222222222\"\n[targets.b]\naccount = \"222222222222\"\nrole = \"b\"\n";
    assert_eq!(parse(text).unwrap().targets.len(), 2);
}

#[test]
fn a_tag_key_can_contain_an_equals_sign() {
    match parse(&with_target_line("tags = { \"a=b\" = \"c\" }")) {
        Ok(file) => {
            let (_, dev) = file.targets.first().unwrap();
            let tag = dev.tags.first().unwrap();
            assert_eq!((tag.key.as_str(), tag.value.as_str()), ("a=b", "c"));
        }
        Err(error) => assert!(error.message.contains("a=b"), "{error}"),
    }
}

#[test]
fn an_error_in_an_empty_target_names_its_line() {
    let message = complaint("[source]\nuser = \"alice\"\n\n[targets.dev]\n");
    assert!(message.starts_with("xacct.toml:4: [targets.dev] has no `account`"), "{message}");
}

#[test]
fn invalid_toml_is_refused_with_its_line() {
    insta::assert_snapshot!(complaint("[source]\naccount = 1111-1111\n"), @"
    xacct.toml:2: invalid date, expected `-` (MM-DD)
    - the file must be TOML (https://toml.io)
    ");
    insta::assert_snapshot!(complaint("[source]\nuser = \"a\"\nuser = \"b\"\n"), @"
    xacct.toml:3: duplicate key
    - the file must be TOML (https://toml.io)
    ");
    insta::assert_snapshot!(complaint("[source\n"), @"
    xacct.toml:1: unclosed table, expected `]`
    - the file must be TOML (https://toml.io)
    ");
    insta::assert_snapshot!(complaint("[source]\nuser = \"alice\n"), @r#"
    xacct.toml:2: invalid basic string, expected `"`
    - the file must be TOML (https://toml.io)
    "#);
}

#[test]
fn line_numbers_are_right_with_any_line_endings_and_characters() {
    for text in [
        "# 1\n# 2\n[source]\nuser = 7\n",
        "# 1\r\n# 2\r\n[source]\r\nuser = 7\r\n",
        "# é中😀\u{2028}\u{85}\n# 2\n[source]\nuser = 7\n",
        "\u{feff}# 1\n# 2\n[source]\nuser = 7\n",
        "# 1\n# 2\n[source]\n\"us\\u0065r\" = 7",
        "[targets.\"é\"]\naccount = \"222222222222\"\nprofile = \"\"\"\nä\"\"\"\nrole=\"\"",
    ] {
        let message = complaint(text);
        let line = if text.starts_with("[targets") { 5 } else { 4 };
        assert!(message.starts_with(&format!("xacct.toml:{line}: ")), "{text:?}: {message}");
    }
}

#[test]
fn a_setting_of_the_source_has_a_file_and_a_line() {
    let file = parse("# who\r\n[source]\r\n# é\r\naccount = \"111111111111\"\r\n").unwrap();
    assert_eq!(file.place_of_source("account").as_deref(), Some("xacct.toml:4"));
    assert_eq!(file.place_of_source("user"), None);
    assert_eq!(ConfigFile::default().place_of_source("account"), None);
}

#[test]
fn the_distance_between_words_counts_edits() {
    for (a, b, edits) in [
        ("", "", 0),
        ("", "abc", 3),
        ("role", "role", 0),
        ("role", "rolle", 1),
        ("profile", "porfile", 2),
        ("kitten", "sitting", 3),
        ("é", "e", 1),
    ] {
        assert_eq!((distance(a, b), distance(b, a)), (edits, edits), "{a} {b}");
    }
}

/// Text that resembles the file.
fn any_text() -> impl Strategy<Value = String> {
    const LINES: [&str; 12] = [
        "[source]",
        "[targets.dev]",
        "[targets]",
        "[[targets.dev]]",
        "account = \"222222222222\"",
        "role = \"é\"",
        "tags = { a = 1 }",
        "tags.team = \"x\"",
        "policy_arns = [1]",
        "user = 7",
        "dev = {}",
        "targets.dev.account = 1979-05-27",
    ];
    let near = proptest::collection::vec(select(&LINES[..]), 0..8);
    prop_oneof![any::<String>(), r#"[\[\]{}a-z =".\r\n#]{0,60}"#, near.prop_map(|lines| lines.join("\n"))]
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_and_every_error_names_a_line_of_the_file(text in any_text()) {
        if let Err(error) = parse(&text) {
            let rest = error.message.strip_prefix("xacct.toml:").unwrap();
            let line: usize = rest.split_once(": ").unwrap().0.parse().unwrap();
            prop_assert!((1..=text.split('\n').count()).contains(&line), "{}", error);
            prop_assert!(!error.message.contains('\n'), "{}", error);
        }
    }

    #[test]
    fn the_line_of_an_error_is_the_line_of_its_cause(blank in proptest::collection::vec("(# [^\\pC]*)?(\r)?\n", 0..20), at in any::<Index>()) {
        let mut lines = blank.clone();
        let at = at.index(lines.len() + 1);
        lines.insert(at, "sourse = {}\n".to_owned());
        let start = format!("xacct.toml:{}: unknown setting `sourse` at the top level", at + 1);
        prop_assert!(complaint(&lines.concat()).starts_with(&start), "{}", complaint(&lines.concat()));
    }
}

#[test]
fn an_error_is_one_short_line() {
    let long = "x\\n\\u001b".repeat(10_000);
    let cases = [
        format!("\"{long}\" = 1"),
        format!("[targets]\n\"{long}\" = 1"),
        format!("[targets.\"{long}\"]\nx = 1"),
        format!("[targets.\"{long}\"]"),
        with_target_line(&format!("probe = \"{long}\"")),
        format!("[targets.\"{long}1\"]\naccount = \"222222222222\"\n[targets.\"{long}2\"]\naccount = \"222222222222\""),
        format!("\"{long}"),
        format!("x = {}", "y".repeat(100_000)),
    ];
    for text in cases {
        let error = parse(&text).unwrap_err();
        for line in [&error.message].into_iter().chain(&error.notes).chain(&error.hints) {
            assert!(line.chars().count() < 2500 && !line.contains(char::is_control), "{line:.500}");
        }
    }
}

fn local(text: &str) -> Result<super::Local> {
    super::Local::parse(Path::new("xacct.local.toml"), text.to_owned())
}

#[test]
fn the_local_file_has_profiles_and_external_ids_and_nothing_else() {
    let read = local(
        "[source]\nprofile = \"p\"\nuser_profile = \"u\"\n[targets.dev]\nprofile = \"d\"\n\
         [targets.prod]\nexternal_id = [\"new-id\", \"old-id\"]\n",
    );
    let read = read.unwrap();
    assert_eq!((read.profile.as_deref(), read.user_profile.as_deref()), (Some("p"), Some("u")));
    assert_eq!(read.targets["dev"].profile.as_deref(), Some("d"));
    assert_eq!(shown(&read.targets["prod"].external_ids), ["new-id", "old-id"]);

    let complaint = |text: &str| {
        let error = local(text).unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        let details = error.notes.iter().chain(&error.hints).map(|detail| format!("\n- {detail}"));
        format!("{}{}", error.message, details.collect::<String>())
    };
    insta::assert_snapshot!(complaint("[targets.dev]\nprofile = \"p\"\nrequire_mfa = true\n"), @r#"
    xacct.local.toml:3: `require_mfa` is a setting of the link, not of one person
    - this file contains only profiles and external IDs
    - move it to [targets.dev] in xacct.toml
    "#);
    insta::assert_snapshot!(complaint("[source]\nuser = \"alice\"\n"), @r#"
    xacct.local.toml:2: `user` is a setting of the link, not of one person
    - this file contains only profiles and external IDs
    - move it to [source] in xacct.toml
    "#);
    insta::assert_snapshot!(complaint("[targets.dev]\nprofil = \"p\"\n"), @r#"
    xacct.local.toml:2: unknown setting `profil` in [targets.dev]
    - did you mean `profile`?
    "#);
    insta::assert_snapshot!(complaint("[targets.dev]\nexternal_id = \"x\"\n"), @r#"
    xacct.local.toml:2: `x` is not a valid external ID: has 1 character, at least 2 are required
    - use 2 to 1224 characters
    "#);
    insta::assert_snapshot!(complaint("[other]\nsecret = \"x\"\n"), @r#"
    xacct.local.toml:1: unknown setting
    - the settings are source, targets
    - specify the file with your links: --config FILE
    "#);
}

#[test]
fn the_place_of_an_external_id_is_read_and_filled() {
    let text = with_target_line("external_id = \"$XACCT_EXTERNAL_ID\"");
    let file = |own: &str, variable: Option<&str>| {
        let local = super::Local { variable: variable.map(str::to_owned), ..local(own).unwrap() };
        parse(&text).unwrap().with_local(local)
    };
    let ids = |own: &str, variable| {
        let file = file(own, variable).unwrap();
        let dev = &file.targets[0].1;
        assert!(dev.is_external_id_elsewhere);
        dev.external_id.iter().chain(&dev.old_external_ids).map(ToString::to_string).collect::<Vec<_>>()
    };
    let own = "[targets.dev]\nexternal_id = \"own-id\"\n[targets.of-another-branch]\nprofile = \"x\"\n";
    assert_eq!(ids("", None), [""; 0]);
    assert_eq!(ids(own, None), ["own-id"]);
    assert_eq!(ids("", Some("of-the-variable")), ["of-the-variable"]);
    assert_eq!(ids(own, Some("of-the-variable")), ["of-the-variable", "own-id"]);
    assert_eq!(ids(own, Some("own-id")), ["own-id"]);
    let error = file("", Some("x")).unwrap_err();
    assert!(error.message.starts_with("XACCT_EXTERNAL_ID: `x` is not a valid external ID"), "{}", error.message);

    let both = parse(&with_target_line("external_id = \"in-the-file\"")).unwrap().with_local(local(own).unwrap());
    insta::assert_snapshot!(both.unwrap_err().message, @"`xacct.toml` and `xacct.local.toml` both have the external ID of target `dev`");
}

#[test]
fn a_manager_is_terraform() {
    insta::assert_snapshot!(complaint(&with_target_line("managed_by = \"pulumi\"")), @r#"
    xacct.toml:3: `pulumi` is not a valid value of `managed_by`
    - use `terraform`
    "#);
}
