//! Generates callers, and trust policies that are likely to be about them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::caller::{COGNITO, GITHUB, OWN, SAML, SOURCE, Tried};
use crate::generate::Random;

/// A role with its trust policy, and a caller.
pub struct Scene {
    pub policy: Value,
    pub caller: Tried,
    /// The tags of the role, if they were read.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether the time is known.
    pub has_time: bool,
}

pub const NOW: &str = "2026-06-01T12:00:00Z";
/// A date in a form that xacct does not read, and the same as AWS may read it.
pub const ODD_DATE: &str = "20260101T000000Z";
pub const SAME_DATE: &str = "2026-01-01T00:00:00Z";
const ACCOUNTS: [&str; 4] = [SOURCE, OWN, "999999999999", "333333333333"];

/// Keys with values that policies compare with, and their operators.
const KEYS: [(&str, &[&str], &[&str]); 25] = [
    (
        "aws:PrincipalArn",
        ARN,
        &[
            "arn:aws:iam::111111111111:user/alice",
            "arn:aws:iam::999999999999:user/mallory",
            "arn:aws:iam::999999999999:role/ci",
            "arn:aws:iam::999999999999:role/*",
            "arn:aws:iam::111111111111:*",
            "arn:aws:iam::*:role/ci",
            "arn:aws:iam::*:user/*",
        ],
    ),
    (
        "aws:PrincipalAccount",
        TEXT,
        &[
            "111111111111",
            "222222222222",
            "999999999999",
            "333333333333",
            "9*",
            "${aws:ResourceAccount}",
            "${aws:PrincipalAccount, '111111111111'}",
            "${aws:PrincipalTag/home, '111111111111'}",
        ],
    ),
    ("aws:PrincipalOrgID", TEXT, &["o-a1b2c3d4e5", "o-zzzzzzzzzz", "o-*"]),
    ("aws:PrincipalOrgPaths", SET, &["o-a1b2c3d4e5/r-1/ou-1/*", "o-a1b2c3d4e5/*", "*/ou-1/*"]),
    ("aws:PrincipalTag/team", TEXT, &["red", "blue", "r*", "*"]),
    ("aws:PrincipalTag/on", &["Bool", "Bool", "StringLike", "StringEquals"], &["true", "TRUE", "T*", "False"]),
    ("aws:username", TEXT, &["alice", "mallory", "a*"]),
    ("aws:PrincipalType", TEXT, &["User", "AssumedRole"]),
    ("aws:PrincipalIsAWSService", BOOL, &["true", "false"]),
    ("aws:SourceArn", ARN, &["arn:aws:sns:eu-west-1:222222222222:topic", "arn:aws:sns:*:222222222222:*"]),
    ("aws:SourceAccount", TEXT, &["222222222222", "999999999999"]),
    ("sts:ExternalId", TEXT, &["abc-1", "abc-2"]),
    ("sts:RoleSessionName", TEXT, &["run-1", "run-*", "${aws:username}", "${aws:username, 'run-1'}"]),
    ("aws:SourceIp", IP, &["203.0.113.0/24", "198.51.100.0/24"]),
    ("aws:MultiFactorAuthPresent", BOOL, &["true", "true", "false"]),
    ("aws:UserAgent", TEXT, &["*tool*", "tool"]),
    ("aws:ResourceAccount", TEXT, &[OWN, SOURCE]),
    ("aws:ResourceTag/open", TEXT, &["yes", "no"]),
    ("aws:CurrentTime", DATE, &["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", ODD_DATE]),
    (
        "token.actions.githubusercontent.com:sub",
        TEXT,
        &["repo:octo/app:*", "repo:octo/app:pull_request", "repo:*", "repo:octo*"],
    ),
    ("token.actions.githubusercontent.com:aud", TEXT, &["sts.amazonaws.com"]),
    ("token.actions.githubusercontent.com:repository_id", TEXT, &["65", "66"]),
    ("cognito-identity.amazonaws.com:aud", TEXT, &["pool-1", "pool-2", "*"]),
    ("SAML:aud", TEXT, &["https://signin.aws.amazon.com/saml"]),
    ("gitlab.com:sub", TEXT, &["project_path:a/b:*"]),
];

const TEXT: &[&str] =
    &["StringEquals", "StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotEquals", "StringNotLike"];
const ARN: &[&str] =
    &["ArnLike", "ArnEquals", "StringLike", "StringEquals", "ArnNotLike", "ArnNotEquals", "StringNotEquals"];
const BOOL: &[&str] = &["Bool"];
const IP: &[&str] = &["IpAddress", "NotIpAddress"];
const DATE: &[&str] = &["DateLessThan", "DateGreaterThan"];
const SET: &[&str] =
    &["ForAnyValue:StringLike", "ForAnyValue:StringEquals", "ForAllValues:StringLike", "ForAllValues:StringNotLike"];

impl Scene {
    pub fn generate(random: &mut Random) -> Self {
        let tag = random.pick(&["yes", "no"]);
        let mut caller = caller(random);
        caller.set("aws:ResourceAccount", OWN);
        caller.set("aws:ResourceTag/open", tag);
        caller.set("aws:CurrentTime", NOW);
        let policy = policy(random, &caller);
        let tags = random.percent(75).then(|| BTreeMap::from([("open".to_owned(), tag.to_owned())]));
        Self { policy, caller, tags, has_time: random.percent(75) }
    }
}

/// Returns an ARN of a user, or those of a session and its role.
pub fn arns(account: &str, name: &str) -> Vec<String> {
    match name {
        "ci" => {
            vec![format!("arn:aws:sts::{account}:assumed-role/ci/run-1"), format!("arn:aws:iam::{account}:role/ci")]
        }
        user => vec![format!("arn:aws:iam::{account}:user/{user}")],
    }
}

fn caller(random: &mut Random) -> Tried {
    let mut caller = match random.below(8) {
        0 => Tried::service(random.pick(&["ec2.amazonaws.com", "sns.amazonaws.com"])),
        1 => Tried::federated(GITHUB),
        2 => Tried::federated(COGNITO),
        3 => Tried::federated(SAML),
        _ => {
            let name = random.pick(&["alice", "mallory", "bob", "ci"]);
            let mut caller = Tried::aws(&arns(random.pick(&ACCOUNTS), name));
            if random.percent(50) {
                caller.set("aws:PrincipalOrgID", "o-a1b2c3d4e5");
                caller.set("aws:PrincipalOrgPaths", random.pick(&["o-a1b2c3d4e5/r-1/ou-1/", "o-a1b2c3d4e5/r-1/ou-2/"]));
            }
            caller.set("aws:PrincipalType", if name == "ci" { "AssumedRole" } else { "User" });
            if name != "ci" {
                caller.set("aws:username", name);
            }
            caller
        }
    };
    let choices: &[(&str, &[&str])] = match caller.kind() {
        "service" => &[
            (
                "aws:SourceArn",
                &["arn:aws:sns:eu-west-1:222222222222:topic", "arn:aws:sns:eu-west-1:999999999999:topic"],
            ),
            ("aws:SourceAccount", &["222222222222", "999999999999"]),
        ],
        "token" if caller.request().principal == Tried::federated(GITHUB).caller => &[
            (
                "token.actions.githubusercontent.com:sub",
                &["repo:octo/app:pull_request", "repo:octopus/x:pull_request", "repo:evil/x:y"],
            ),
            ("token.actions.githubusercontent.com:aud", &["sts.amazonaws.com", "other"]),
            ("token.actions.githubusercontent.com:repository_id", &["65", "67"]),
        ],
        "token" => &[("cognito-identity.amazonaws.com:aud", &["pool-1", "pool-2", "pool-3"])],
        "assertion" => &[("SAML:aud", &["https://signin.aws.amazon.com/saml"])],
        _ => &[
            ("aws:PrincipalTag/team", &["red", "blue"]),
            ("aws:PrincipalTag/on", &["true", "TRUE", "False"]),
            ("aws:PrincipalTag/home", &ACCOUNTS),
            ("sts:ExternalId", &["abc-1", "abc-3"]),
            ("aws:MultiFactorAuthPresent", &["true", "false"]),
        ],
    };
    let everybody: &[(&str, &[&str])] = &[
        ("sts:RoleSessionName", &["run-1", "alice", "x"]),
        ("aws:SourceIp", &["203.0.113.5", "192.0.2.1"]),
        ("aws:UserAgent", &["tool", "x"]),
    ];
    for (key, values) in choices.iter().chain(everybody) {
        if random.percent(75) {
            caller.set(key, random.pick(values));
        }
    }
    caller
}

fn policy(random: &mut Random, caller: &Tried) -> Value {
    let mut statements = vec![statement(random, caller, "Allow", 90)];
    for _ in 0..random.below(3) {
        let effect = if random.percent(45) { "Deny" } else { "Allow" };
        let close = if effect == "Deny" { 30 } else { 50 };
        statements.push(statement(random, caller, effect, close));
    }
    let version = if random.percent(90) { "2012-10-17" } else { "2008-10-17" };
    json!({"Version": version, "Statement": statements})
}

fn statement(random: &mut Random, caller: &Tried, effect: &str, close: usize) -> Value {
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), effect.into());
    let not = random.percent(6);
    statement.insert(if not { "NotPrincipal" } else { "Principal" }.to_owned(), principal(random, caller, close, not));
    let own = caller.action();
    let actions = match random.below(10) {
        0 => json!("sts:*"),
        1 => json!("sts:Assume*"),
        2 => json!(["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"]),
        3 => json!([own, "sts:TagSession"]),
        4 if !random.percent(close) => json!("sts:TagSession"),
        5 if !random.percent(close) => json!("sts:AssumeRole"),
        _ => json!(own),
    };
    let name = if random.percent(3) { "NotAction" } else { "Action" };
    statement.insert(name.to_owned(), if name == "NotAction" { json!("sts:TagSession") } else { actions });
    let count = random.pick(&[0, 0, 1, 1, 1, 2, 2, 3]);
    let count = if effect == "Deny" { count.max(1) } else { count };
    let mut condition = Map::new();
    for _ in 0..count {
        let (operator, key, values) = test(random, caller, if effect == "Deny" { 50 } else { 85 });
        let keys = condition.entry(operator).or_insert_with(|| Map::new().into());
        keys.as_object_mut().unwrap().insert(key, values);
    }
    // Two conditions on one key, one of which reads its value as a boolean.
    if effect == "Allow"
        && let Some(found) = caller.keys.get("aws:PrincipalTag/on").filter(|_| random.percent(8))
    {
        for (operator, value) in [("Bool", found[0].to_lowercase()), ("StringEquals", found[0].clone())] {
            let keys = condition.entry(operator).or_insert_with(|| Map::new().into());
            keys.as_object_mut().unwrap().insert("aws:PrincipalTag/on".to_owned(), value.into());
        }
    }
    if !condition.is_empty() {
        statement.insert("Condition".to_owned(), condition.into());
    }
    statement.into()
}

fn principal(random: &mut Random, caller: &Tried, close: usize, not: bool) -> Value {
    if !not && random.percent(15) {
        return random.pick(&[json!("*"), json!({"AWS": "*"})]);
    }
    let mut kinds: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut add = |kind: &'static str, name: String| kinds.entry(kind).or_default().push(name);
    if !not && random.percent(close) {
        match &caller.caller {
            xacct::iam::evaluate::Caller::Aws(principal) => {
                let arns: Vec<_> = principal.arns.iter().cloned().collect();
                let account = &principal.account;
                let (root, arn) = (format!("arn:aws:iam::{account}:root"), random.pick(&arns));
                add("AWS", random.pick(&[root, account.to_string(), arn]));
            }
            xacct::iam::evaluate::Caller::Service(name) => add("Service", name.clone()),
            xacct::iam::evaluate::Caller::Federated(provider) => add("Federated", provider.clone()),
        }
    }
    for _ in 0..1 + random.below(2) {
        match random.below(8) {
            0 => add("Service", random.pick(&["ec2.amazonaws.com", "lambda.amazonaws.com"]).to_owned()),
            1 => add("Federated", random.pick(&[GITHUB, COGNITO, SAML]).to_owned()),
            2 => add("AWS", "AROAEXAMPLEOTHER00001".to_owned()),
            3 | 4 => add("AWS", format!("arn:aws:iam::{}:root", random.pick(&ACCOUNTS))),
            _ => {
                let name = random.pick(&["alice", "mallory", "ci"]);
                let arns = arns(random.pick(&ACCOUNTS), name);
                add("AWS", random.pick(&arns));
            }
        }
    }
    json!(kinds)
}

fn test(random: &mut Random, caller: &Tried, close: usize) -> (String, String, Value) {
    // Keys that the caller has are likelier.
    let (mut key, mut operators, mut choices) = random.pick(&KEYS);
    for _ in 0..4 {
        let is_foreign = key.contains('.') || key.starts_with("SAML");
        if caller.keys.contains_key(key) || !is_foreign && random.percent(15) {
            break;
        }
        (key, operators, choices) = random.pick(&KEYS);
    }
    if random.percent(1) {
        return ("StringResembles".to_owned(), key.to_owned(), json!("x"));
    }
    if random.percent(6) {
        return ("Null".to_owned(), key.to_owned(), json!(random.pick(&["true", "false", "false"])));
    }
    let operator = random.pick(operators);
    let found = caller.keys.get(key);
    let mut values: Vec<String> = Vec::new();
    let is_text = operators == TEXT || operators == ARN;
    for _ in 0..1 + random.below(2) {
        // A variable with a default is likelier than the one choice that it is.
        let defaults: Vec<_> = choices.iter().filter(|choice| choice.contains(", '")).collect();
        if !defaults.is_empty() && random.percent(30) {
            values.push((*random.pick(&defaults)).to_owned());
            continue;
        }
        let own = found.filter(|_| is_text && random.percent(close) && !operator.contains("Not"));
        values.push(own.map_or_else(|| random.pick(choices).to_owned(), |found| found[0].clone()));
    }
    if operators == BOOL || operators == DATE {
        values.truncate(1);
    }
    let suffix = if random.percent(15) { "IfExists" } else { "" };
    let prefix = match operators != SET && random.percent(6) {
        true => random.pick(&["ForAllValues:", "ForAnyValue:"]),
        false => "",
    };
    (format!("{prefix}{operator}{suffix}"), key.to_owned(), random.list(values))
}
