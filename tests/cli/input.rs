//! Invalid arguments are rejected before any request is sent, with value, rule and fix.

use crate::scene::Scene;
use crate::support::Output;

/// An invalid argument, and the expected rule and fix in the message.
type Case = (&'static [&'static str], &'static str, &'static str);

const LETTERS_65: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

const BOOTSTRAP_OPTIONS: &[Case] = &[
    (&["--target-account", ""], "", "hint:"),
    (&["--target-account", "12345"], "has 5 characters", "use all 12 digits"),
    (&["--target-account", "1234567890123"], "has 13 characters", "use the 12 digits"),
    (&["--target-account", "2222-22222222"], "contains `-`", "`222222222222`"),
    (&["--target-account", "12345678901a"], "contains `a`", "use the 12 digits"),
    (&["--target-account", " 222222222222"], "contains ` `", "hint:"),
    (&["--target-account", "arn:aws:iam::222222222222:root"], "contains `a`", "`222222222222`"),
    (&["--target-account", "２２２２２２２２２２２２"], "contains", "use the 12 digits"),
    (&["--user", ""], "is empty", "use 1 to 64 characters"),
    (&["--user", "al ice"], "contains ` `", "use only"),
    (&["--user", "al*ce"], "contains `*`", "use only"),
    (&["--user", "staff/alice"], "contains `/`", "use only the name: `alice`"),
    (&["--user", LETTERS_65], "has 65 characters", "use 1 to 64 characters"),
    (&["--user", "arn:aws:iam::111111111111:role/x"], "is a role", "--principal arn:aws:iam::111111111111:role/x"),
    (&["--user", "arn:aws:iam::1111:user/alice"], "has 4 characters", "hint:"),
    (&["--user", "arn:aws:sts::111111111111:assumed-role/x/y"], "sts", "hint:"),
    (&["--user", "arn:aws:iam::222222222222:root"], "root", "hint:"),
    (&["--source-account", "1"], "has 1 character", "use all 12 digits"),
    (&["--role-name", ""], "is empty", "use 1 to 64 characters"),
    (&["--role-name", "a/b"], "contains `/`", "use only the name: `b`"),
    (&["--role-name", "rôle"], "contains `ô`", "use only ASCII"),
    (&["--role-name", LETTERS_65], "has 65 characters", "use 1 to 64"),
    (&["--role-name", "a\u{1b}[31m"], "contains", "use only"),
    (&["--role-path", "engineering"], "does not begin and end with `/`", "`/engineering/`"),
    (&["--role-path", "/engineering"], "does not begin and end with `/`", "`/engineering/`"),
    (&["--role-path", "//"], "nothing between its slashes", "use `/`"),
    (&["--role-path", ""], "is empty", "hint:"),
    (&["--role-path", "/a b/"], "contains ` `", "visible ASCII"),
    (&["--external-id", "a"], "has 1 character", "use 2 to 1224"),
    (&["--external-id", ""], "is empty", "use 2 to 1224"),
    (&["--external-id", "has space"], "contains ` `", "use only"),
    (&["--external-id", "line\nbreak"], "contains `\\n`", "use only"),
    (&["--external-id", "ünicode"], "contains `ü`", "use only"),
    (&["--require-mfa=maybe"], "invalid value 'maybe'", "true, false"),
    (&["--restrict-to-user=1"], "invalid value '1'", "true, false"),
    (&["--allow-session-tags=no"], "invalid value 'no'", "true, false"),
    (&["--policy-arn", ""], "is empty", "hint:"),
    (&["--policy-arn", "Power User"], "contains ` `", "`PowerUserAccess`"),
    (&["--policy-arn", "arn:aws:iam::aws:role/x"], "role", "policy/NAME"),
    (&["--policy-arn", "arn:aws:s3:::bucket"], "s3", "hint:"),
    (&["--policy-arn", "arn:foo:iam::aws:policy/X"], "is not one of aws", "hint:"),
    (&["--policy-arn", "arn:aws:iam::22:policy/X"], "has 2 characters", "hint:"),
    (&["--policy-arn", "arn:aws:iam::333333333333:policy/x"], "belongs to account 333333333333", "hint:"),
    (&["--permissions-boundary", "a b"], "contains ` `", "hint:"),
    (&["--permissions-boundary", "arn:aws:iam::333333333333:policy/x"], "belongs to account 333333333333", "hint:"),
    (&["--permissions-boundary", "arn:aws:iam::aws:user/x"], "user", "policy/NAME"),
    (&["--max-session-duration", "3600"], "has no unit", "`3600s` or `1h`"),
    (&["--max-session-duration", "59m"], "is less than 1h", "use 1h to 12h"),
    (&["--max-session-duration", "13h"], "is more than 12h", "use 1h to 12h"),
    (&["--max-session-duration", ""], "is empty", "`1h`"),
    (&["--max-session-duration", "1d"], "hours, minutes and seconds", "`1h30m`"),
    (&["--max-session-duration", "30m1h"], "in that order", "`1h30m`"),
    (&["--max-session-duration", "99999999999h"], "is more than 12h", "use 1h to 12h"),
    (&["--tag", "team"], "has no `=`", "`KEY=VALUE`"),
    (&["--tag", "=platform"], "is empty", "use 1 to 128"),
    (&["--tag", "aws:team=platform"], "reserved for AWS", "another prefix"),
    (&["--tag", "team=<b>"], "contains `<`", "use only"),
    (&["--bucket-tag", "cost-center"], "has no `=`", "`KEY=VALUE`"),
    (&["--only", "both"], "invalid value 'both'", "source, target"),
    (&["--timeout", "30"], "has no unit", "`90s` or `2m`"),
    (&["--timeout", "2h"], "is more than an hour", "`1h`"),
    (&["--timeout", "soon"], "hours, minutes and seconds", "`90s` or `2m`"),
    (&["--region", ""], "is empty", "`eu-west-1`"),
    (&["--region", "eu-west"], "does not match the format of AWS Region names", "`eu-west-1`"),
    (&["--region", "eu-west1"], "does not match the format of AWS Region names", "did you mean `eu-west-1`?"),
    (&["--region", "eu-wset-1"], "no Region has this name", "did you mean `eu-west-1`?"),
    (&["--region", "us-esat-2"], "no Region has this name", "did you mean `us-east-2`?"),
    (&["--region", "EU-WEST-1"], "does not match the format of AWS Region names", "`eu-west-1`"),
    (
        &["--region", "eu-west-1a"],
        "does not match the format of AWS Region names",
        "not the Availability Zone: `eu-west-1`",
    ),
    (&["--probe", "disk"], "invalid value 'disk'", "auto, bucket, identity"),
    (&["--bucket-namespace", "mine"], "invalid value 'mine'", "global, account-regional"),
    (&["--output", "xml"], "invalid value 'xml'", "table, json"),
    (&["--concurrency", "0"], "0 is not in 1..=64", "--concurrency"),
    (&["--concurrency", "65"], "65 is not in 1..=64", "--concurrency"),
    (&["--concurrency", "many"], "invalid digit", "--concurrency"),
    (&["--enter-role", "arn:aws:iam::222222222222:role/x"], "contains", "use only the name: `x`"),
    (&["--target-profile", "a", "--enter-role", "b"], "cannot be used with", "--enter-role"),
    (&["--external-id", "abc", "--generate-external-id"], "cannot be used with", "--generate-external-id"),
    (&["--check", "--dry-run"], "cannot be used with", "--dry-run"),
    (&["--only", "target", "--enter-role", "b", "--user", "alice"], "only target", "hint:"),
    (&["--only", "target", "--target-profile", "dev-admin"], "only target", "arn:aws:iam::ACCOUNT:user/NAME"),
    (&["--source-account", "222222222222"], "the same account, 222222222222", "xacct bootstrap ID --name NAME"),
    (
        &["--source-account", "333333333333", "--user", "arn:aws:iam::111111111111:user/alice"],
        "the user is in account 111111111111",
        "hint:",
    ),
    (&["--no-such-option"], "unexpected argument", "--help"),
];

const OTHERS: &[Case] = &[
    (&["verify", "--region", "x"], "does not match the format of AWS Region names", "`eu-west-1`"),
    (&["verify", "--timeout", "-5s"], "", "--help"),
    (&["verify", "--regoin"], "unexpected argument", "hint: a similar argument exists"),
    (&["verify", "nobody"], "has no target `nobody`", "its targets: `dev`"),
    (&["print-provider-hcl", "nobody"], "has no target `nobody`", "its targets: `dev`"),
    (&["print-provider-hcl", "--version-constraint", "latest"], "`latest`", "`~> 5.67`"),
    (&["print-provider-hcl", "--version-constraint", "~>"], "`~>`", "`~> 5.67`"),
    (&["print-provider-hcl", "--version-constraint", "5.x"], "`5.x`", "`~> 5.67`"),
    (&["print-provider-hcl", "--version-constraint", "5\" }"], "`5\" }`", "`~> 5.67`"),
    (&["print-provider-hcl", "--duration", "10m"], "is less than 15m", "use 15m to 12h"),
    (&["print-provider-hcl", "--duration", "2h"], "allows sessions of at most", "--duration 1h"),
    (&["print-provider-hcl", "--region", "moon-1"], "does not match the format of AWS Region names", "`eu-west-1`"),
    (&["completions", "tcsh"], "invalid value 'tcsh'", "bash"),
    (&["completions"], "SHELL is not set to a shell", "xacct completions bash"),
    (&["print"], "needs the tool", "xacct print provider-hcl"),
    (&["profile"], "unrecognized subcommand", "'print profile'"),
    (&["man", "no-such-command"], "has no command `no-such-command`", "xacct help"),
    (&["no-such-command"], "unrecognized subcommand", "--help"),
];

/// Returns the value that the message must show. Control characters are escaped, and if several options conflict no
/// single value is invalid.
fn value<'a>(arguments: &[&'a str]) -> &'a str {
    let last = arguments.last().copied().unwrap_or_default();
    if arguments.iter().filter(|argument| argument.starts_with("--")).count() > 1 || last.starts_with("-5") {
        return "";
    }
    let value = last.split_once('=').filter(|_| last.starts_with("--")).map_or(last, |(_, value)| value);
    if value.contains(char::is_control) { "" } else { value }
}

#[track_caller]
fn assert_refused(scene: &Scene, output: &Output, (arguments, rule, fix): &Case, problems: &mut Vec<String>) {
    let mut missing = Vec::new();
    if output.code != 2 {
        missing.push(format!("exit code {}", output.code));
    }
    for text in [value(arguments), rule, fix] {
        if !output.stderr.contains(text) {
            missing.push(format!("no `{text}`"));
        }
    }
    if output.stderr.contains('\u{1b}') {
        missing.push("an escape sequence".to_owned());
    }
    if !output.stdout.is_empty() {
        missing.push("something on stdout".to_owned());
    }
    if !scene.sandbox.requests().is_empty() {
        missing.push(format!("{} requests", scene.sandbox.requests().len()));
        scene.sandbox.clear_requests();
    }
    if !missing.is_empty() {
        problems.push(format!("{arguments:?}: {}\n{}", missing.join(", "), output.stderr));
    }
}

#[test]
fn invalid_options_of_bootstrap() {
    let scene = Scene::new();
    let mut problems = Vec::new();
    for case in BOOTSTRAP_OPTIONS {
        let mut arguments = vec!["bootstrap", "--yes", "--profile", "security-admin"];
        arguments.extend(case.0);
        let typed = |option: &str| case.0.iter().any(|argument| argument.starts_with(option));
        if !typed("--target-account") {
            arguments.extend(["--target-account", "222222222222"]);
        }
        let output = scene.environment.xacct(&arguments);
        assert_refused(&scene, &output, case, &mut problems);
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), BOOTSTRAP_OPTIONS.len(), problems.join("\n"));
}

#[test]
fn invalid_options_of_other_commands() {
    let scene = Scene::new();
    scene.environment.write(
        "xacct.toml",
        "[source]\nuser = \"alice\"\nuser_profile = \"alice\"\n[targets.dev]\naccount = \"222222222222\"\n",
    );
    let mut problems = Vec::new();
    for case in OTHERS {
        let output = scene.environment.xacct(case.0);
        assert_refused(&scene, &output, case, &mut problems);
    }
    assert!(problems.is_empty(), "{} of {}:\n{}", problems.len(), OTHERS.len(), problems.join("\n"));
}

#[test]
fn checks_variables_like_options() {
    for (name, value, rule) in [
        ("XACCT_TARGET_ACCOUNT", "12345", "has 5 characters"),
        ("XACCT_USER", "al ice", "contains ` `"),
        ("XACCT_ROLE_NAME", "a/b", "contains `/`"),
        ("XACCT_EXTERNAL_ID", "a", "at least 2"),
        ("XACCT_TIMEOUT", "30", "has no unit"),
        ("XACCT_REGION", "moon", "Region name"),
        ("XACCT_OUTPUT", "xml", "table, json"),
        ("XACCT_CONCURRENCY", "0", "1..=64"),
        ("XACCT_PROBE", "disk", "bucket, identity"),
        ("XACCT_ENTER_ROLE", "a/b", "contains `/`"),
    ] {
        let mut scene = Scene::new();
        scene.environment.set(name, value);
        scene.xacct("bootstrap --yes --profile security-admin").exits_with(2).says(&[rule, value]);
        assert!(scene.sandbox.requests().is_empty(), "{name}");
    }
}

#[test]
fn does_not_show_a_malformed_mfa_code() {
    for code in ["12345", "1234567", "12345a", "98 7654"] {
        let mut scene = Scene::linked("--no-verify");
        let output = scene.environment.xacct(&["verify", "--mfa-code", code]).exits_with(2);
        assert!(!output.everything().contains(code), "{output}");
        scene.environment.set("XACCT_MFA_CODE", code);
        let output = scene.xacct("verify").exits_with(2);
        assert!(!output.everything().contains(code), "{output}");
        assert!(scene.sandbox.requests().is_empty());
    }
}

#[test]
fn shortens_long_values_in_errors() {
    let scene = Scene::new();
    for (option, length) in [("--external-id", 1225), ("--role-path", 513), ("--role-name", 100_000), ("--user", 5000)]
    {
        let value = "x".repeat(length);
        let output =
            scene.environment.xacct(&["bootstrap", "--target-account", "222222222222", option, &value]).exits_with(2);
        assert!(output.stderr.contains(&format!("has {length} characters")) || option == "--role-path", "{option}");
        assert!(scene.sandbox.requests().is_empty());
    }
    let tag = format!("{}=x", "k".repeat(129));
    let arguments = ["bootstrap", "--target-account", "222222222222", "--tag", &tag];
    scene.environment.xacct(&arguments).exits_with(2).says(&["has 129 characters"]);
    let tag = format!("k={}", "x".repeat(257));
    let arguments = ["bootstrap", "--target-account", "222222222222", "--tag", &tag];
    scene.environment.xacct(&arguments).exits_with(2).says(&["has 257 characters"]);
}

#[test]
fn invalid_policy_files() {
    let scene = Scene::new();
    let statement = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    for (file, text, rule) in [
        ("empty.json", "", "empty.json"),
        ("broken.json", "{", "broken.json"),
        ("list.json", "[]", "list.json"),
        ("none.json", r#"{"Version":"2012-10-17","Statement":[]}"#, "none.json"),
        (
            "principal.json",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}"#,
            "statement 1 has a principal",
        ),
        (
            "resource.json",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*"}}"#,
            "statement 1 has no resource",
        ),
        (
            "effect.json",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"allow","Action":"s3:*","Resource":"*"}}"#,
            "allow",
        ),
        (
            "key.json",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Actions":"s3:*","Resource":"*"}}"#,
            "Actions",
        ),
        (
            "equal-keys.json",
            include_str!("../cases/policy/equal-keys.json"),
            "duplicate key `StringEquals` at line 10 column 22",
        ),
        (
            "twice.json",
            "{\"Version\":\"2012-10-17\",\n\"Statement\":[],\n\"Statement\":[]}",
            "duplicate key `Statement` at line 3 column 11",
        ),
        (
            "sids.json",
            include_str!("../cases/policy/sids.json"),
            "statement 1, Sid: is `read-state`, but IAM accepts only",
        ),
        (
            "sid.json",
            &format!(
                r#"{{"Version":"2012-10-17","Statement":[{0},{1},{1}]}}"#,
                statement,
                statement.replace('{', r#"{"Sid":"a1","#)
            ),
            "statement 3, Sid: is `a1`, but another statement has the same Sid",
        ),
        ("a name.json", &format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#), "rename the file"),
    ] {
        scene.environment.write(file, text);
        let arguments = ["bootstrap", "--yes", "--target-account", "222222222222", "--policy-file", file];
        scene.environment.xacct(&arguments).exits_with(2).says(&[rule]);
        assert!(scene.sandbox.requests().is_empty(), "{file}");
    }
}

#[test]
fn a_missing_policy_file() {
    let scene = Scene::new();
    let words = "bootstrap --yes --target-account 222222222222 --policy-file nothing.json";
    scene.xacct(words).exits_with(1).says(&["cannot read policy file `nothing.json`"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn a_missing_target() {
    let scene = Scene::new();
    scene
        .xacct("bootstrap --yes")
        .exits_with(2)
        .says(&["there is no xacct.toml here", "xacct bootstrap ID --name NAME"]);
    assert!(scene.sandbox.requests().is_empty());
}

#[test]
fn reports_usage_errors_as_json() {
    let scene = Scene::new();
    let document = scene.xacct_json("bootstrap --target-account 12", 2);
    assert!(document["error"]["message"].to_string().contains("has 2 characters"), "{document:#}");
}
