//! Errors in xacct.toml are reported before any request is sent, with line, value, rule and fix.

use crate::scene::Scene;

/// The text of a file, the line of the error, and the expected message.
type Case = (&'static str, usize, &'static [&'static str]);

/// An invalid line in an otherwise valid target.
const TARGET_LINES: &[(&str, &[&str])] = &[
    ("profile = \"\"", &["`profile` is empty", "remove the line"]),
    ("profile = 1", &["`profile` must be a string, not an integer"]),
    ("enter_role = \"a/b\"", &["`a/b`", "contains `/`", "`b`"]),
    ("role = \"\"", &["`role` is empty"]),
    ("role = \"a b\"", &["`a b`", "contains ` `", "use only"]),
    ("role = [\"a\"]", &["`role` must be a string, not an array"]),
    ("role_path = \"engineering\"", &["does not begin and end", "`/engineering/`"]),
    ("external_id = \"a\"", &["`a`", "at least 2", "2 to 1224"]),
    ("external_id = 12", &["`external_id` must be a string, not an integer"]),
    ("<<<<<<< HEAD", &["conflict marker", "a merge of two versions is not finished", "remove the lines"]),
    ("external_id = []", &["`external_id` must not be an empty list", "remove `external_id`"]),
    ("external_id = [\"ab\", \"ab\"]", &["contains `ab` twice", "the new one first"]),
    ("external_id = [\"ab\", 1]", &["`external_id`", "a list of strings"]),
    ("external_id = [\"ab\", \"a\"]", &["`a`", "at least 2"]),
    ("external-id = \"abc\"", &["unknown setting `external-id`", "`external_id`"]),
    ("require_mfa = \"true\"", &["`require_mfa` must be true or false", "not a string"]),
    ("restrict_to_user = 1", &["`restrict_to_user` must be true or false", "not an integer"]),
    ("allow_session_tags = \"no\"", &["`allow_session_tags` must be true or false", "not a string"]),
    ("policy_arns = \"PowerUserAccess\"", &["`policy_arns`", "a list of strings"]),
    ("policy_arns = [1]", &["`policy_arns`", "a list of strings"]),
    ("policy_arns = [\"a b\"]", &["`a b`", "contains ` `"]),
    ("policy_arns = [\"arn:aws:iam::333333333333:policy/x\"]", &["belongs to account 333333333333"]),
    ("policy_files = \"a.json\"", &["`policy_files`", "a list of strings"]),
    ("trust_statement_files = \"a.json\"", &["`trust_statement_files`", "a list of strings"]),
    ("session_name = \"a b\"", &["`a b`", "contains ` `"]),
    ("session_name = 1", &["`session_name` must be a string, not an integer"]),
    ("session_tags = [\"a=b\"]", &["`session_tags`", "a table of strings"]),
    ("source_identity = \"x\"", &["`x`", "at least 2"]),
    ("permissions_boundary = \"a b\"", &["`a b`", "contains ` `"]),
    ("permissions_boundary = true", &["`permissions_boundary` must be a string, not a boolean"]),
    ("max_session_duration = 3600", &["`max_session_duration` must be a string, not an integer"]),
    ("max_session_duration = \"30m\"", &["`30m`", "is less than 1h", "1h to 12h"]),
    ("max_session_duration = \"1 hour\"", &["`1 hour`", "`1h`"]),
    ("tags = [\"a=b\"]", &["`tags`", "a table of strings"]),
    ("tags = { team = 1 }", &["`tags`", "a table of strings"]),
    ("tags = { \"aws:x\" = \"1\" }", &["reserved for AWS"]),
    ("region = \"europe\"", &["`europe`", "`eu-west-1`"]),
    ("region = \"eu-west-1b\"", &["`eu-west-1b`", "not the Availability Zone: `eu-west-1`"]),
    ("probe = \"disk\"", &["`disk`", "`auto`, `bucket` or `identity`"]),
    ("probe = true", &["`probe` must be a string, not a boolean"]),
    ("bucket_tags = \"a=b\"", &["`bucket_tags`", "a table of strings"]),
    ("bucket_namespace = \"mine\"", &["`mine`", "`global` or `account-regional`"]),
    ("accept = \"everyone\"", &["`accept`", "a list of tables with `who` and `reason`"]),
    ("accept = [\"everyone\"]", &["`accept`", "a list of tables with `who` and `reason`"]),
    ("accept = [{ who = \"everyone\" }]", &["an entry of `accept` has no `reason`", "for example: accept = ["]),
    ("accept = [{ reason = \"audit\" }]", &["an entry of `accept` has no `who`"]),
    ("accept = [{ who = \"everyone\", reason = \" \" }]", &["`reason` in `accept` is empty"]),
    ("accept = [{ who = 9, reason = \"audit\" }]", &["`who` in `accept` must be a string"]),
    ("accept = [{ who = \"everyone\", reason = \"x\", until = \"y\" }]", &["unknown setting `until` in `accept`"]),
    ("accept = [{ who = \"account 99\", reason = \"x\" }]", &["`99`", "12 digits"]),
    ("accept = [{ who = \"anyone\", reason = \"x\" }]", &["`anyone`", "none of the forms", "use `everyone`"]),
    (
        "accept = [{ who = \"everyone\", reason = \"x\" }, { who = \"everyone\", reason = \"y\" }]",
        &["`accept` has `everyone` twice", "keep one"],
    ),
    ("exclusive = 1", &["`exclusive` must be true or false"]),
    ("polciy_arns = []", &["unknown setting `polciy_arns`", "did you mean `policy_arns`"]),
    ("colour = \"red\"", &["unknown setting `colour` in [targets.dev]", "the settings are"]),
    ("account = \"333333333333\"", &["xacct.toml:6: duplicate key"]),
];

const FILES: &[Case] = &[
    ("[source\n", 1, &["unclosed table"]),
    ("\n\nsource = \n", 3, &[]),
    ("[source]\naccount = \"1111\"\n", 2, &["`1111`", "has 4 characters", "all 12 digits"]),
    ("[source]\naccount = 111111111111\n", 2, &["`account` must be a string, not an integer"]),
    ("[source]\nuser = \"al ice\"\n", 2, &["`al ice`", "contains ` `"]),
    (
        "[source]\nuser = \"arn:aws:iam::111111111111:role/x\"\n",
        2,
        &["is a role, not a user", "principals = [\"arn:aws:iam::111111111111:role/x\"]"],
    ),
    ("[source]\nprofile = 7\n", 2, &["`profile` must be a string"]),
    ("[source]\nuser_profile = \"\"\n", 2, &["`user_profile` is empty"]),
    ("[source]\nacount = \"111111111111\"\n", 2, &["unknown setting `acount` in [source]", "`account`"]),
    ("source = \"alice\"\n", 1, &["`source` must be a table", "[source]"]),
    ("[sources]\n", 1, &["unknown setting `sources` at the top level", "`source`"]),
    ("[targets]\ndev = \"222222222222\"\n", 2, &["`dev` must be a table", "[targets.dev]"]),
    ("targets = []\n", 1, &["`targets` must be a table"]),
    ("[targets.dev]\nrole = \"x\"\n", 2, &["[targets.dev] has no `account`", "12-digit"]),
    ("[targets.dev]\naccount = \"2222 2222 2222\"\n", 2, &["contains ` `", "`222222222222`"]),
    (
        "[targets.dev]\naccount = \"222222222222\"\nprofile = \"a\"\nenter_role = \"b\"\n",
        4,
        &["cannot be used together", "keep the one"],
    ),
    (
        "[targets.dev]\naccount = \"222222222222\"\n[targets.prod]\naccount = \"222222222222\"\n",
        3,
        &["[targets.dev] and [targets.prod] have the same role", "`role`"],
    ),
    (
        "[targets.dev]\naccount = \"222222222222\"\n[targets.prod]\nrole = \"xacct\"\naccount = \"222222222222\"\n",
        3,
        &["have the same role"],
    ),
];

#[test]
fn invalid_target_settings() {
    let scene = Scene::new();
    let mut problems = Vec::new();
    for (line, texts) in TARGET_LINES {
        let text = format!("[source]\nuser = \"alice\"\n\n[targets.dev]\naccount = \"222222222222\"\n{line}\n");
        let checked_later = line.contains("arn:aws:iam::333333333333");
        check(&scene, &text, (!checked_later).then_some(6), texts, &mut problems);
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), TARGET_LINES.len(), problems.join("\n"));
}

#[test]
fn invalid_files() {
    let scene = Scene::new();
    let mut problems = Vec::new();
    for (text, line, texts) in FILES {
        check(&scene, text, Some(*line), texts, &mut problems);
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), FILES.len(), problems.join("\n"));
}

fn check(scene: &Scene, text: &str, line: Option<usize>, texts: &[&str], problems: &mut Vec<String>) {
    scene.environment.write("xacct.toml", text);
    let output = scene.xacct("bootstrap --yes --profile security-admin");
    let place = line.map(|line| format!("xacct.toml:{line}:")).unwrap_or_default();
    let missing: Vec<_> =
        texts.iter().copied().chain([place.as_str()]).filter(|text| !output.stderr.contains(text)).collect();
    let sent = scene.sandbox.requests().len();
    scene.sandbox.clear_requests();
    if output.code != 2 || !missing.is_empty() || sent > 0 {
        problems.push(format!("{text}exit code {}, {sent} requests, no {missing:?}\n{}", output.code, output.stderr));
    }
    assert_eq!(scene.environment.read("xacct.toml"), text, "the file is unchanged");
}

#[test]
fn conflicting_user_and_source_account() {
    let scene = Scene::new();
    let source = "[source]\naccount = \"333333333333\"\nuser = \"arn:aws:iam::111111111111:user/alice\"\n";
    scene.environment.write("xacct.toml", &format!("{source}[targets.dev]\naccount = \"222222222222\"\n"));
    for words in ["bootstrap --yes", "verify"] {
        scene.xacct(words).exits_with(2).says(&["111111111111", "333333333333"]);
        assert!(scene.sandbox.requests().is_empty(), "{words}");
    }
}

#[test]
fn an_unreadable_file() {
    let scene = Scene::new();
    scene.environment.write("folder/file", "");
    scene.xacct("verify --config folder").exits_with(1).says(&["cannot read `folder`"]);
    std::fs::write(scene.environment.path("xacct.toml"), b"\xff\xfe").unwrap();
    scene.xacct("verify").says(&["xacct.toml"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_file_without_the_user() {
    let scene = Scene::new();
    scene.environment.write("xacct.toml", "[targets.dev]\naccount = \"222222222222\"\n");
    scene.xacct("verify").exits_with(2).says(&["user = \"NAME\"", "[source]"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn an_empty_file_has_no_targets() {
    let scene = Scene::new();
    scene.environment.write("xacct.toml", "");
    for command in ["verify", "print-provider-hcl", "bootstrap"] {
        scene.xacct(command).exits_with(2).says(&["has no targets", "xacct bootstrap ID --name NAME"]);
    }
}
