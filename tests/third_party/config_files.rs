//! xacct reads the AWS config files as botocore does, on which the AWS CLI rests.
//!
//! Differences that are meant: [`Reading::MoreTolerant`] and [`Reading::InParts`], and that an empty value counts as unset.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use xacct::aws::credentials::config_files::{Section, Sections, Setting};

use crate::support::third_party::{in_venv, skip, test_name};
use crate::support::{Output, TestEnvironment};

/// How xacct's reading of two files compares with botocore's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    /// Every profile, `sso-session` and `services` section is the same, with all its keys.
    Same,
    /// botocore stops for every profile. xacct stops only for the profiles of the line at fault: somebody else's mistake in
    /// a file of hundreds of profiles must not stop a run. It names the line.
    InParts,
    /// botocore stops. xacct reads on, because the text has only one meaning: a byte order mark (Notepad writes one), or a
    /// character that is not UTF-8.
    MoreTolerant,
}

/// Both files.
struct Case {
    name: String,
    config: Vec<u8>,
    credentials: Vec<u8>,
    expected: Option<Reading>,
}

const READ: &str = "
import json, sys
import botocore.session, botocore.exceptions
answers = []
session = botocore.session.Session()
for number in range(int(sys.argv[1])):
    session._config = None
    session.set_config_variable('config_file', f'case{number}/config')
    session.set_config_variable('credentials_file', f'case{number}/credentials')
    try:
        full = session.full_config
        answers.append({kind: full.get(kind, {}) for kind in ('profiles', 'sso_sessions', 'services')})
    except botocore.exceptions.ConfigParseError as error:
        answers.append(str(error))
print(json.dumps(answers))
";

/// Files that people have, and what is near them.
const CONFIGS: &[(&str, &str)] = &[
    ("empty", ""),
    ("usual", "[default]\nregion = us-east-1\n\n[profile a]\nrole_arn = x\nsource_profile = default\n"),
    ("indented keys", include_str!("../cases/config/indented-keys.ini")),
    ("name with a space", include_str!("../cases/config/name-with-space.ini")),
    ("sso-session with a space", include_str!("../cases/config/sso-session-with-space.ini")),
    ("text after a heading", include_str!("../cases/config/text-after-heading.ini")),
    ("indented heading", "  [profile a]\n  region = x\n  [profile b]\n  region = y\n"),
    ("heading deeper than the key above", "[profile a]\nregion = x\n  [profile b]\n  region = y\n"),
    ("tabs", "[profile\ta]\n\tregion\t=\tx\t\n\toutput=json\n"),
    ("colon", "[profile a]\nregion: x\nrole_arn: arn:aws:iam::1:role/x\n"),
    ("colon before the equals sign", "[profile a]\nregion:x=y\n"),
    ("equals sign in the value", "[profile a]\naws_secret_access_key = a+b/c==\n"),
    ("comment lines", "# a\n[profile a]\n; b\nregion = x\n  # c\noutput = y\n"),
    ("text behind a value", "[profile a]\nregion = x # home\noutput = y ; z\n"),
    ("comment behind a heading", "[profile a] # b\nregion = x\n"),
    ("comment with brackets behind a heading", "[profile a] # see [b]\nregion = x\n"),
    ("comment sign in a heading", "[profile a#b]\nregion = x\n[profile c;d]\nregion = y\n"),
    ("single quotes", "[profile 'alice smith']\nregion = x\n"),
    ("double quotes", "[profile \"alice smith\"]\nregion = x\n"),
    ("quotes for no reason", "[profile \"a\"]\nregion = x\n[profile 'b']\nregion = y\n"),
    ("quotes within a name", "[profile a'b c'd]\nregion = x\n"),
    ("escaped space", "[profile a\\ b]\nregion = x\n"),
    ("escaped quote", "[profile \"a\\\"b\"]\nregion = x\n"),
    ("backslash in double quotes", "[profile \"DOM\\user\"]\nregion = x\n"),
    ("backslash in single quotes", "[profile 'DOM\\user']\nregion = x\n"),
    ("open quote", "[profile 'a]\nregion = x\n[profile b]\nregion = y\n"),
    ("backslash at the end", "[profile a\\]\nregion = x\n[profile b]\nregion = y\n"),
    ("space without quotes", "[profile alice smith]\nregion = x\n"),
    ("empty name", "[profile '']\nregion = x\n[profile ]\nregion = y\n"),
    ("comma", "[profile a,b]\nregion = x\n"),
    ("equals sign in a name", "[profile a=b]\nregion = x\n"),
    ("colon in a name", "[profile a:b]\nregion = x\n"),
    ("umlauts", "[profile bücher]\nregion = x\nrole_session_name = Jürgen\n"),
    ("other scripts", "[profile 日本]\nregion = x\n[profile 🐱]\nregion = y\n"),
    ("umlaut in a key", "[profile a]\nÜBER = x\n"),
    ("CRLF", "[profile a]\r\nregion = x\r\n\r\n[profile b]\r\nregion = y\r\n"),
    ("CR", "[profile a]\rregion = x\r[profile b]\rregion = y\r"),
    ("no end of line", "[profile a]\nregion = x"),
    ("no-break space", "[profile a]\n\u{a0}region\u{a0}=\u{a0}x\u{a0}\n"),
    ("separator characters", "[profile a]\nregion = x\u{1c}\noutput = a\u{2028}b\n"),
    ("form feed", "[profile a]\n\u{c}region = x\n"),
    ("prefix without a space", "[profilea]\nregion = x\n"),
    ("longer prefix", "[profiles a]\nregion = x\n[sso-sessions b]\nsso_region = y\n[services-of c]\nx = y\n"),
    ("spaces within the brackets", "[ profile a ]\nregion = x\n[default ]\nregion = y\n"),
    ("no prefix", "[a]\nregion = x\n[preview]\ncloudfront = true\n"),
    ("upper-case prefix", "[PROFILE a]\nregion = x\n[Default]\nregion = y\n"),
    ("upper-case keys", "[profile a]\nREGION = x\nRole_Arn = y\n"),
    ("DEFAULT", "[profile a]\nregion = x\n[DEFAULT]\nregion = y\noutput = json\n[sso-session s]\nsso_region = z\n"),
    ("default twice", "[default]\nregion = x\noutput = json\n[profile default]\nregion = y\n"),
    ("default twice, the other way round", "[profile default]\nregion = y\n[default]\nregion = x\noutput = json\n"),
    ("one name in two forms", "[profile a]\nregion = x\noutput = y\n[profile 'a']\nregion = z\n"),
    ("value of several lines", "[profile a]\nrole_arn = x\n  y\n  z\nregion = w\n"),
    ("value of several lines with gaps", "[profile a]\nrole_arn = x\n\n  y\n  # c\n\n  z\n\nregion = w\n"),
    ("empty value", "[profile a]\nregion =\noutput = \n"),
    ("empty value before a deeper key", "[profile a]\nregion =\n    output = json\n"),
    ("nested", "[profile a]\ns3 =\n  max_concurrent_requests = 20\n  addressing_style=path\nregion = x\n"),
    ("nested deeper and deeper", "[profile a]\ns3 =\n  a = 1\n      b = 2\n    c = 3\n"),
    ("nested with gaps and comments", "[profile a]\ns3 =\n\n  a = 1\n  # b = 2\n\n  c =\n"),
    (
        "services",
        "[profile a]\nservices = s\n[services s]\nsts =\n  endpoint_url = http://x\ns3 =\n  endpoint_url = http://y\n",
    ),
    (
        "services with a space",
        "[profile a]\nservices = my services\n[services 'my services']\nsts =\n  endpoint_url = http://x\n",
    ),
    ("sections without keys", "[profile a]\n[profile b]\n[sso-session s]\n"),
    ("percent signs", "[profile a]\nregion = %(x)s\nrole_arn = 100%\n"),
    (
        "long lines",
        "[profile a]\nrole_arn = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
    ),
    ("only comments", "# a\n; b\n\n"),
    ("bracket in a value", "[profile a]\nrole_arn = [x]\n"),
    ("key that looks like a heading", "[profile a]\n[x = y\n"),
];

/// Files at which botocore stops.
const REFUSED: &[(&str, &str)] = &[
    ("no heading", "region = x\n[profile a]\nregion = y\n"),
    ("heading without an end", "[profile a]\nregion = x\n[profile b\nregion = y\n"),
    ("a line of text", "[profile a]\nregion = x\n[profile b]\nplease do not edit\n"),
    ("a block comment", "[profile a]\nregion = x\n/* old */\n[profile b]\nregion = x\n"),
    ("a key without a value", "[profile a]\nregion\n[profile b]\nregion = x\n"),
    ("a value without a key", "[profile a]\n= x\n[profile b]\nregion = x\n"),
    ("a key twice", "[profile a]\nregion = x\nregion = y\n[profile b]\nregion = x\n"),
    ("a key twice in other letters", "[profile a]\nregion = x\nRegion = y\n"),
    ("a section twice", "[profile a]\nregion = x\n[profile b]\nregion = y\n[profile a]\noutput = z\n"),
    ("a nested line without an equals sign", "[profile a]\ns3 =\n  path\n[profile b]\nregion = x\n"),
    ("a value on the next line", "[profile a]\nregion =\n  us-east-1\n"),
    ("empty brackets", "[]\nregion = x\n"),
    ("a mark of a merge conflict", "[profile a]\n<<<<<<< HEAD\nregion = x\n"),
];

/// Credentials files; there a heading is a name.
const CREDENTIALS: &[(&str, &str, &str)] = &[
    ("both files", "[profile a]\nregion = x\noutput = y\n", "[a]\naws_access_key_id = k\nregion = z\n"),
    ("only credentials", "", "[a]\naws_access_key_id = k\n[default]\naws_access_key_id = l\n"),
    ("credentials with a prefix", "[profile a]\nregion = x\n", "[profile a]\naws_access_key_id = k\n"),
    ("credentials with spaces", "[profile 'alice smith']\nregion = x\n", "[alice smith]\naws_access_key_id = k\n"),
    ("credentials with quotes", "[profile 'alice smith']\nregion = x\n", "['alice smith']\naws_access_key_id = k\n"),
    ("credentials with DEFAULT", "", "[DEFAULT]\nregion = x\n[a]\naws_access_key_id = k\n"),
    ("indented credentials", "", "[a]\n   aws_access_key_id: k\n   aws_secret_access_key : s\n"),
];

fn cases() -> Vec<Case> {
    let case = |name: &str, config: &[u8], credentials: &str, expected| Case {
        name: name.to_owned(),
        config: config.to_vec(),
        credentials: credentials.as_bytes().to_vec(),
        expected: Some(expected),
    };
    let same = CONFIGS.iter().map(|(name, text)| case(name, text.as_bytes(), "", Reading::Same));
    let both = CREDENTIALS.iter().map(|(name, text, keys)| case(name, text.as_bytes(), keys, Reading::Same));
    let refused = REFUSED.iter().map(|(name, text)| case(name, text.as_bytes(), "", Reading::InParts));
    let refused_keys = REFUSED.iter().map(|(name, text)| case(name, b"", text, Reading::InParts));
    let tolerated = [
        ("byte order mark", "\u{feff}[profile a]\nregion = x\n".as_bytes()),
        ("Latin-1", b"[profile a]\n# f\xfcr alle\nregion = x\n"),
    ];
    let tolerated = tolerated.into_iter().map(|(name, text)| case(name, text, "", Reading::MoreTolerant));
    same.chain(both).chain(refused).chain(refused_keys).chain(tolerated).chain(generated()).collect()
}

/// Files of lines as they occur, in any order; the same in every run.
fn generated() -> Vec<Case> {
    let line = prop_oneof![
        3 => r#"[ ]{0,2}\[(profile|sso-session|services) ?["']?[ab ü,=\\]{1,4}["']?\]( ?[#;/a\]] ?[a\]])?"#,
        1 => r"\[(default|DEFAULT|profile default|other)\]",
        6 => r"[ \t]{0,4}[ab]?(region|output|s3|Region)[ \t]?[=:][ \t]?[a-z#;=:\[\] ]{0,6}",
        1 => r"[ \t]{0,3}[#;][ a-z=\[]{0,5}",
        2 => r"[ \t]{0,3}",
        1 => r"[ \t]{1,3}[a-z]{1,3} ?=? ?[a-z]{0,3}",
    ];
    let file = proptest::collection::vec((line, prop_oneof![6 => Just("\n"), 1 => Just("\r\n")]), 0..7);
    let mut runner = TestRunner::deterministic();
    let text = |lines: Vec<(String, &str)>| lines.into_iter().map(|(line, end)| line + end).collect::<String>();
    let mut next = || text(file.new_tree(&mut runner).expect("a file").current());
    (0..400)
        .map(|number| Case {
            name: format!("generated {number}"),
            config: next().into_bytes(),
            credentials: if number % 3 == 0 { next().into_bytes() } else { Vec::new() },
            expected: None,
        })
        .collect()
}

fn sections(all: &BTreeMap<String, Section>) -> Value {
    let setting = |setting: &Setting| match setting {
        Setting::Text(text) => json!(text),
        Setting::Nested(inner) => json!(inner),
    };
    let section = |section: &Section| {
        section.settings.iter().map(|(key, value)| (key.clone(), setting(value))).collect::<Map<_, _>>()
    };
    all.iter().map(|(name, one)| (name.clone(), Value::Object(section(one)))).collect::<Map<_, _>>().into()
}

#[test]
fn botocore_and_xacct_read_the_same() {
    let python = match in_venv("python") {
        Ok(python) => python,
        Err(reason) => return skip(test_name!(), &reason),
    };
    let cases = cases();
    let environment = TestEnvironment::new();
    for (number, case) in cases.iter().enumerate() {
        for (file, bytes) in [("config", &case.config), ("credentials", &case.credentials)] {
            let path = environment.path(&format!("case{number}/{file}"));
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
    }
    let mut command = environment.command(python);
    command.args(["-X", "utf8", "-c", READ, &cases.len().to_string()]);
    let answers = Output::of(command).exits_with(0).json();

    let mut counts = BTreeMap::<Reading, usize>::new();
    for (case, theirs) in cases.iter().zip(answers.as_array().expect("an answer for each")) {
        let (config, keys) = (String::from_utf8_lossy(&case.config), String::from_utf8_lossy(&case.credentials));
        let ours = Sections::parse(("config", &config), ("credentials", &keys));
        let shown = || format!("{}\n--- config\n{config}\n--- credentials\n{keys}\n--- botocore\n{theirs}", case.name);
        let all = ours.profiles.values().chain(ours.sso_sessions.values()).chain(ours.services.values());
        let problems: BTreeSet<_> = all.flat_map(|section| &section.problems).chain(&ours.stray).collect();
        let reading = match theirs {
            Value::String(_) if case.expected == Some(Reading::MoreTolerant) => {
                assert!(!ours.profiles.is_empty() && problems.is_empty(), "{}", shown());
                Reading::MoreTolerant
            }
            // A line at fault in a section that is no profile's, such as `[preview]`, is nobody's.
            Value::String(_) => {
                assert!(!problems.is_empty() || case.expected.is_none(), "{}", shown());
                Reading::InParts
            }
            theirs => {
                let kinds =
                    [("profiles", &ours.profiles), ("sso_sessions", &ours.sso_sessions), ("services", &ours.services)];
                for (kind, ours) in kinds {
                    assert_eq!(sections(ours), theirs[kind], "{}", shown());
                }
                assert!(problems.is_empty(), "{problems:?}\n{}", shown());
                Reading::Same
            }
        };
        assert!(case.expected.is_none_or(|expected| expected == reading), "{reading:?}: {}", shown());
        *counts.entry(reading).or_default() += 1;
    }
    println!("{} pairs of files: {counts:?}", cases.len());
    assert!(counts[&Reading::Same] >= 120, "{counts:?}");
}
