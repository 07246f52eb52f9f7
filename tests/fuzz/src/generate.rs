//! Random parts of policies and facts, each valid in its place. What is mutated as text is JSON that the parser accepts,
//! so that the mutations are spent on what comes after it.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Returns a new value for a member, given its path in the document; `None` if nothing is known about the member.
pub fn member(path: &[&str], random: &mut Rng) -> Option<Value> {
    Some(match path {
        [.., "Effect"] => pick(&["Allow", "Deny"], random),
        [.., "Principal" | "NotPrincipal"] => principals(random),
        [.., "Action" | "NotAction"] => one_or_more(ACTIONS, random),
        [.., "Resource" | "NotResource"] => one_or_more(RESOURCES, random),
        [.., "Condition"] => conditions(random),
        [.., "Statement"] => statements(random),
        [.., "Version"] => pick(&["2012-10-17", "2008-10-17"], random),
        ["target", "role", "present", "trust"] => policy(random),
        ["source" | "target", "boundary"] => reading(random, policy),
        [.., "boundary"] => json!("arn:aws:iam::aws:policy/ReadOnlyAccess"),
        [.., "inline" | "attached"] => policies(random),
        [.., "policies"] => holder(random),
        ["source", "groups"] => groups(random),
        ["source", "user"] => reading(random, user),
        ["source", "mfa_devices"] => reading(random, |random| list(random, MFA_DEVICES)),
        ["target", "role"] => reading(random, role),
        ["target", "look_alikes"] => list(random, ROLES),
        [.., "tags"] => tags(random),
        [.., "identity"] | ["caller", "elsewhere"] => reading(random, |random| pick(CALLERS, random)),
        ["caller", "mfa"] => pick(&["present", "absent", "unknown"], random),
        ["caller"] => caller(random),
        ["answer"] => answer(random),
        ["s3"] => json!({"bucket": "xacct-verify-1", "region": pick(REGIONS, random), "answer": refusal(random)}),
        ["let_through"] => list(random, &["without_external_id", "with_wrong_external_id", "without_mfa"]),
        ["link"] => link(random),
        ["link", "role"] => pick(ROLES, random),
        ["link", "source_account"] => pick(ACCOUNTS, random),
        ["request"] => request(random),
        [.., "region"] => pick(REGIONS, random),
        [.., "external_id"] => pick(EXTERNAL_IDS, random),
        ["asked_at" | "written_seconds_ago"] | [_, "read_at"] => json!(random.u32(..)),
        [] => facts(random),
        _ => return None,
    })
}

/// Returns all facts of a link.
fn facts(random: &mut Rng) -> Value {
    let mut facts = json!({
        "schema_version": 1,
        "link": link(random),
        "caller": caller(random),
        "request": request(random),
        "answer": answer(random),
        "source": {
            "read_at": maybe(random, |random| random.u32(..).into()),
            "operator": {"identity": reading(random, |random| pick(CALLERS, random))},
            "user": reading(random, user),
            "policies": holder(random),
            "groups": groups(random),
            "boundary": reading(random, policy),
            "mfa_devices": reading(random, |random| list(random, MFA_DEVICES)),
        },
        "target": {
            "read_at": maybe(random, |random| random.u32(..).into()),
            "operator": {"identity": reading(random, |random| pick(CALLERS, random))},
            "role": reading(random, role),
            "policies": holder(random),
            "boundary": reading(random, policy),
        },
    });
    for optional in ["asked_at", "let_through", "s3", "written_seconds_ago"] {
        if random.u8(..3) == 0
            && let Some(value) = member(&[optional], random)
        {
            facts[optional] = value;
        }
    }
    facts
}

/// Returns a policy of one to three statements. Trust policies have principals and the others have resources, but one
/// may stand where the other belongs.
pub fn policy(random: &mut Rng) -> Value {
    let mut policy = json!({"Statement": statements(random)});
    if random.u8(..8) != 0 {
        policy["Version"] = pick(&["2012-10-17", "2012-10-17", "2008-10-17"], random);
    }
    policy
}

fn statements(random: &mut Rng) -> Value {
    let is_trust = random.bool();
    (0..random.u8(1..4)).map(|_| statement(is_trust, random)).collect()
}

fn statement(is_trust: bool, random: &mut Rng) -> Value {
    let mut not = |name: &str| if random.u8(..6) == 0 { format!("Not{name}") } else { name.to_owned() };
    let (principal, action, resource) = (not("Principal"), not("Action"), not("Resource"));
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), pick(&["Allow", "Allow", "Deny"], random));
    statement.insert(action, one_or_more(ACTIONS, random));
    if is_trust {
        statement.insert(principal, principals(random));
    } else {
        statement.insert(resource, one_or_more(RESOURCES, random));
    }
    if random.bool() {
        statement.insert("Condition".to_owned(), conditions(random));
    }
    if random.u8(..4) == 0 {
        statement.insert("Sid".to_owned(), pick(&["XacctAssumeRole", "XacctVerify", "Other"], random));
    }
    Value::Object(statement)
}

fn principals(random: &mut Rng) -> Value {
    match random.u8(..8) {
        0 => json!("*"),
        1 => json!({"Service": pick(&["ec2.amazonaws.com", "sts.amazonaws.com"], random)}),
        2 => json!({"AWS": one_or_more(PRINCIPALS, random), "Federated": "cognito-identity.amazonaws.com"}),
        _ => json!({"AWS": one_or_more(PRINCIPALS, random)}),
    }
}

fn conditions(random: &mut Rng) -> Value {
    let mut conditions = Map::new();
    for _ in 0..random.u8(1..4) {
        let prefix = random.choice(["", "", "", "ForAllValues:", "ForAnyValue:"]).unwrap_or_default();
        let suffix = random.choice(["", "", "", "IfExists"]).unwrap_or_default();
        let operator = format!("{prefix}{}{suffix}", random.choice(OPERATORS).unwrap_or(&"Bool"));
        let keys = (0..random.u8(1..3)).map(|_| {
            let key = (*random.choice(KEYS).unwrap_or(&"aws:username")).to_owned();
            (key, one_or_more(VALUES, random))
        });
        conditions.insert(operator, Value::Object(keys.collect()));
    }
    Value::Object(conditions)
}

fn link(random: &mut Rng) -> Value {
    json!({
        "name": pick(&["222222222222", "dev", "--yes", "a b"], random),
        "file": pick(&["xacct.toml", "../it's/xacct.toml"], random),
        "role": pick(ROLES, random),
        "source_account": pick(ACCOUNTS, random),
        "user": pick(&["alice", "bob"], random),
        "external_id": maybe(random, |random| pick(EXTERNAL_IDS, random)),
        "require_mfa": random.bool(),
        "restrict_to_user": random.bool(),
        "has_policies": random.bool(),
        "checks_s3": random.bool(),
    })
}

fn caller(random: &mut Rng) -> Value {
    json!({
        "origin": "profile alice",
        "profile": maybe(random, |_| json!("alice")),
        "profile_of_user": maybe(random, |_| json!("alice")),
        "hidden_profile": maybe(random, |_| json!("hidden")),
        "is_session": random.bool(),
        "mfa": pick(&["present", "absent", "unknown"], random),
        "identity": reading(random, |random| pick(CALLERS, random)),
        "elsewhere": maybe(random, |random| reading(random, |random| pick(CALLERS, random))),
    })
}

fn request(random: &mut Rng) -> Value {
    json!({
        "region": pick(REGIONS, random),
        "session_name": pick(&["alice", "check"], random),
        "external_id": maybe(random, |random| pick(EXTERNAL_IDS, random)),
        "duration_seconds": maybe(random, |random| random.choice([900, 3600, 43_200, -1]).into()),
        "tags": tags(random),
        "source_identity": maybe(random, |_| json!("alice")),
    })
}

fn answer(random: &mut Rng) -> Value {
    match random.u8(..8) {
        0 | 1 => json!({"accepted": pick(CALLERS, random)}),
        2 => json!({"not_sent": "not_the_users"}),
        3 => {
            let why = random.choice(["no_credentials", "no_mfa_code", "no_mfa_device"]).unwrap_or_default();
            json!({"not_sent": {why: "nobody was there"}})
        }
        _ => json!({"refused": refusal(random)}),
    }
}

fn refusal(random: &mut Rng) -> Value {
    let denial = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on resource: \
                  arn:aws:iam::222222222222:role/xacct";
    let message = match random.u8(..4) {
        0 => denial.to_owned(),
        1 => format!("{denial} because no {} allows the sts:AssumeRole action", pick_text(KINDS, random)),
        2 => format!("{denial} with an explicit deny in a {}", pick_text(KINDS, random)),
        _ => pick_text(MESSAGES, random).to_owned(),
    };
    json!({
        "service": pick(&["sts", "s3"], random),
        "operation": pick(&["AssumeRole", "GetCallerIdentity", "CreateBucket"], random),
        "code": maybe(random, |random| pick(CODES, random)),
        "message": maybe(random, |_| json!(message)),
        "request_id": null,
    })
}

fn user(random: &mut Rng) -> Value {
    json!({
        "arn": pick(CALLERS, random),
        "unique_id": "AIDAZAZ3XH6BN74Z5FIKH",
        "age_seconds": maybe(random, |random| random.u32(..).into()),
        "tags": tags(random),
    })
}

fn role(random: &mut Rng) -> Value {
    json!({
        "arn": pick(ROLES, random),
        "is_ours": random.bool(),
        "age_seconds": maybe(random, |random| random.u32(..).into()),
        "max_session_seconds": random.choice([3600, 43_200, 0, -1]),
        "tags": tags(random),
        "trust": policy(random),
    })
}

fn holder(random: &mut Rng) -> Value {
    json!({"inline": policies(random), "attached": policies(random)})
}

fn groups(random: &mut Rng) -> Value {
    reading(random, |random| {
        let groups = (0..random.u8(..3)).map(|number| (format!("group{number}"), holder(random)));
        Value::Object(groups.collect())
    })
}

fn policies(random: &mut Rng) -> Value {
    reading(random, |random| {
        let names = ["xacct", "xacct-verify", "arn:aws:iam::aws:policy/AdministratorAccess", "other"];
        let chosen = (0..random.u8(..3)).map(|_| (pick_text(&names, random).to_owned(), reading(random, policy)));
        Value::Object(chosen.collect())
    })
}

fn tags(random: &mut Rng) -> Value {
    let chosen = (0..random.u8(..3)).map(|_| {
        let key = pick_text(&["team", "managed-by", "xacct:source-account", "Team"], random).to_owned();
        (key, pick(&["platform", "xacct", "111111111111", ""], random))
    });
    Value::Object(chosen.collect())
}

/// Most things can be read: the evaluator has more to do then.
fn reading(random: &mut Rng, present: impl FnOnce(&mut Rng) -> Value) -> Value {
    match random.u8(..8) {
        0 => json!("absent"),
        1 => json!({"unreadable": {"permission": pick(&["iam:GetRole", ""], random), "answer": "no"}}),
        _ => json!({"present": present(random)}),
    }
}

fn maybe(random: &mut Rng, value: impl FnOnce(&mut Rng) -> Value) -> Value {
    if random.bool() { value(random) } else { Value::Null }
}

fn one_or_more(choices: &[&str], random: &mut Rng) -> Value {
    if random.bool() { pick(choices, random) } else { (0..random.u8(1..4)).map(|_| pick(choices, random)).collect() }
}

fn list(random: &mut Rng, choices: &[&str]) -> Value {
    (0..random.u8(..3)).map(|_| pick(choices, random)).collect()
}

fn pick(choices: &[&str], random: &mut Rng) -> Value {
    json!(pick_text(choices, random))
}

fn pick_text<'a>(choices: &[&'a str], random: &mut Rng) -> &'a str {
    random.choice(choices).copied().unwrap_or_default()
}

const ACCOUNTS: &[&str] = &["111111111111", "222222222222"];
const ROLES: &[&str] = &[
    "arn:aws:iam::222222222222:role/xacct",
    "arn:aws:iam::222222222222:role/xacct",
    "arn:aws:iam::222222222222:role/team/Xacct",
    "arn:aws-cn:iam::222222222222:role/xacct",
];
const CALLERS: &[&str] = &[
    "arn:aws:iam::111111111111:user/alice",
    "arn:aws:iam::111111111111:user/alice",
    "arn:aws:iam::111111111111:user/team/alice",
    "arn:aws:iam::111111111111:root",
    "arn:aws:sts::222222222222:assumed-role/xacct/alice",
    "arn:aws:sts::111111111111:federated-user/alice",
    "arn:aws-us-gov:iam::111111111111:user/bob",
];
const PRINCIPALS: &[&str] = &[
    "arn:aws:iam::111111111111:root",
    "arn:aws:iam::111111111111:user/alice",
    "111111111111",
    "*",
    "AIDAZAZ3XH6BN74Z5FIKH",
    "arn:aws:iam::222222222222:role/xacct",
    "arn:aws:sts::111111111111:assumed-role/x/alice",
    "arn:aws:iam::333333333333:root",
];
const ACTIONS: &[&str] = &[
    "sts:AssumeRole",
    "sts:AssumeRole",
    "STS:assume*",
    "sts:*",
    "*",
    "sts:TagSession",
    "sts:SetSourceIdentity",
    "s3:CreateBucket",
    "s3:*Bucket",
    "s3:?agResource",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:iam::222222222222:role/xacct",
    "arn:aws:iam::*:role/x?cct",
    "arn:aws:iam::222222222222:role/${aws:username}",
    "arn:aws:s3:::xacct-verify-*",
    "arn:*:s3:::xacct-verify-${aws:PrincipalTag/team, 'none'}",
    "arn:aws:iam::222222222222:role/${*}",
];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "ArnEquals",
    "ArnNotLike",
    "NumericEquals",
    "NumericLessThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateLessThanEquals",
    "DateGreaterThan",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "StringMatches",
];
const KEYS: &[&str] = &[
    "sts:ExternalId",
    "STS:externalid",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:PrincipalOrgID",
    "aws:PrincipalTag/team",
    "aws:RequestTag/team",
    "aws:ResourceTag/managed-by",
    "aws:TagKeys",
    "aws:username",
    "aws:userid",
    "aws:SourceIp",
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:RequestedRegion",
    "aws:SecureTransport",
    "sts:RoleSessionName",
    "sts:SourceIdentity",
    "sts:TransitiveTagKeys",
];
const VALUES: &[&str] = &[
    "ab",
    "a?",
    "*",
    "",
    "true",
    "false",
    "0",
    "3600",
    "1e400",
    "alice",
    "${aws:username}",
    "${aws:PrincipalTag/team}",
    "arn:aws:iam::111111111111:user/*",
    "111111111111",
    "platform",
    "10.0.0.0/8",
    "::/0",
    "2026-01-01T00:00:00Z",
    "QUJD",
    "eu-west-1",
];
const EXTERNAL_IDS: &[&str] = &["ab", "q7Hc:Zk"];
const REGIONS: &[&str] = &["us-east-1", "eu-west-1", "cn-north-1", "af-south-1", "us-gov-west-1"];
const MFA_DEVICES: &[&str] = &["arn:aws:iam::111111111111:mfa/alice", "GAHT12345678"];
const KINDS: &[&str] = &[
    "identity-based policy",
    "role trust policy",
    "permissions boundary",
    "session policy",
    "service control policy",
    "resource control policy",
    "VPC endpoint policy",
];
const CODES: &[&str] = &[
    "AccessDenied",
    "ExpiredToken",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "RegionDisabledException",
    "ValidationError",
    "Throttling",
    "BucketAlreadyExists",
];
const MESSAGES: &[&str] = &[
    "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z",
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    "MultiFactorAuthentication failed with invalid MFA one time pass code.",
    "The security token included in the request is invalid",
    "Rate exceeded",
];
