//! AssumeRole: trust policy and grant, with conditions, denials and limits.

use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use serde_json::{Value, json};

use crate::scene::{ROLE, allow, deny, document, in_full, several, told, trust};
use crate::sources::*;
use crate::suite::{Behaviour, behaviour};

const ADMITTED: &str = "ok";
const REFUSED: &str = "403 AccessDenied";
const TARGET: &str = "arn:aws:iam::<B>:role/target";

/// The setup of an AssumeRole call by alice of account A on a role of account B.
#[derive(Clone)]
struct Link {
    trust: Value,
    /// The policies of alice.
    grants: Vec<Value>,
    /// Her permissions boundary.
    boundary: Option<Value>,
    /// The parameters other than ARN and session name.
    call: fn(AssumeRoleFluentBuilder) -> AssumeRoleFluentBuilder,
}

/// The simplest working link; the others are variations of it.
fn link() -> Link {
    Link {
        trust: trust(account_a(), json!({})),
        grants: vec![allow("sts:AssumeRole", TARGET)],
        boundary: None,
        call: |call| call,
    }
}

fn account_a() -> Value {
    json!({ "AWS": "arn:aws:iam::<A>:root" })
}

fn alice() -> Value {
    json!({ "AWS": "arn:aws:iam::<A>:user/alice" })
}

fn trusting(principal: Value) -> Link {
    Link { trust: trust(principal, json!({})), ..link() }
}

/// Trusts account A under a condition.
fn demanding(condition: Value) -> Link {
    Link { trust: trust(account_a(), condition), ..link() }
}

fn requiring_external_id() -> Link {
    demanding(json!({ "StringEquals": { "sts:ExternalId": "right" } }))
}

fn granting(grant: Value) -> Link {
    Link { grants: vec![grant], ..link() }
}

fn without_grant(link: Link) -> Link {
    Link { grants: Vec::new(), ..link }
}

fn case(name: &'static str, source: Source, expected: &'static str, link: Link) -> Behaviour {
    behaviour(name, source, expected, async move |scene| {
        scene.role(&link.trust).await;
        for (number, grant) in link.grants.iter().enumerate() {
            scene.grant(&format!("grant-{number}"), grant).await;
        }
        if let Some(boundary) = &link.boundary {
            scene.limit(boundary).await;
        }
        told((link.call)(scene.assume()).send().await)
    })
}

pub fn behaviours() -> Vec<Behaviour> {
    [halves(), conditions(), limits(), within_an_account(), refusals()].into_iter().flatten().collect()
}

/// Both halves must allow.
fn halves() -> Vec<Behaviour> {
    let everyone = || trusting(json!("*"));
    let but = |role: &str| json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": role });
    vec![
        case("trust in the account, and a grant", CROSS_ACCOUNT, ADMITTED, link()),
        case("trust in the account's number, and a grant", PRINCIPAL, ADMITTED, trusting(json!({ "AWS": "<A>" }))),
        case("trust in the account without a grant", CROSS_ACCOUNT, REFUSED, without_grant(link())),
        case(
            "a grant without trust",
            CROSS_ACCOUNT,
            REFUSED,
            trusting(json!({ "AWS": "arn:aws:iam::<B>:user/admin" })),
        ),
        case("trust in the user, and a grant", PRINCIPAL, ADMITTED, trusting(alice())),
        case("trust in the user without a grant", CROSS_ACCOUNT, REFUSED, without_grant(trusting(alice()))),
        case(
            "trust in another user of the account",
            PRINCIPAL,
            REFUSED,
            trusting(json!({ "AWS": "arn:aws:iam::<A>:user/admin" })),
        ),
        case("trust in everyone, and a grant", PRINCIPAL, ADMITTED, everyone()),
        case("trust in everyone, written as an account", PRINCIPAL, ADMITTED, trusting(json!({ "AWS": "*" }))),
        case("trust in everyone without a grant", LIVE, REFUSED, without_grant(everyone())),
        case("trust in a service", PRINCIPAL, REFUSED, trusting(json!({ "Service": "ec2.amazonaws.com" }))),
        case(
            "a grant on another role",
            EVALUATION,
            REFUSED,
            granting(allow("sts:AssumeRole", "arn:aws:iam::<B>:role/targets")),
        ),
        case(
            "a grant on the role of that name in any account",
            EVALUATION,
            ADMITTED,
            granting(allow("sts:AssumeRole", "arn:aws:iam::*:role/target")),
        ),
        case("a grant on everything", EVALUATION, ADMITTED, granting(allow("sts:AssumeRole", "*"))),
        case("a grant of another action", EVALUATION, REFUSED, granting(allow("sts:TagSession", TARGET))),
        case(
            "a grant with both wildcards",
            GRAMMAR,
            ADMITTED,
            granting(allow("sts:Assume*", "arn:aws:iam::<B>:role/targ?t")),
        ),
        case(
            "a grant on all roles but this one",
            GRAMMAR,
            REFUSED,
            granting(document(but("arn:aws:iam::<B>:role/target"))),
        ),
        case(
            "a grant on all roles but another",
            GRAMMAR,
            ADMITTED,
            granting(document(but("arn:aws:iam::<B>:role/other"))),
        ),
        case("a grant in different case", GRAMMAR, ADMITTED, granting(allow("STS:assumerole", TARGET))),
    ]
}

/// Conditions in the trust policy.
fn conditions() -> Vec<Behaviour> {
    let principal = |user: &str| json!({ "aws:PrincipalArn": format!("arn:aws:iam::<A>:user/{user}") });
    let session_name = |name: &str| demanding(json!({ "StringEquals": { "sts:RoleSessionName": name } }));
    let mfa = |operator: &str| demanding(json!({ operator: { "aws:MultiFactorAuthPresent": "true" } }));
    let capitals = demanding(json!({ "StringEquals": { "STS:externalid": "right" } }));
    let right = |link| Link { call: |call| call.external_id("right"), ..link };
    let wrong = |link| Link { call: |call| call.external_id("wrong"), ..link };
    vec![
        case("external ID required and missing", EXTERNAL_ID, REFUSED, requiring_external_id()),
        case("external ID required and wrong", EXTERNAL_ID, REFUSED, wrong(requiring_external_id())),
        case("external ID required and right", EXTERNAL_ID, ADMITTED, right(requiring_external_id())),
        case("external ID that is not required", LIVE, ADMITTED, right(link())),
        case("condition key in different case", CONDITION_KEYS, ADMITTED, right(capitals)),
        case(
            "external ID required by the grant and right",
            STS_KEYS,
            ADMITTED,
            right(granting(document(json!({
                "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": TARGET,
                "Condition": { "StringEquals": { "sts:ExternalId": "right" } },
            })))),
        ),
        case(
            "ArnEquals on aws:PrincipalArn, right",
            CONDITION_KEYS,
            ADMITTED,
            demanding(json!({ "ArnEquals": principal("alice") })),
        ),
        case(
            "ArnEquals on aws:PrincipalArn, wrong",
            CONDITION_KEYS,
            REFUSED,
            demanding(json!({ "ArnEquals": principal("bob") })),
        ),
        case(
            "ArnEquals on aws:PrincipalArn with a wildcard",
            CONDITION_OPERATORS,
            ADMITTED,
            demanding(json!({ "ArnEquals": principal("a*") })),
        ),
        case(
            "StringLike on aws:PrincipalArn",
            CONDITION_OPERATORS,
            ADMITTED,
            demanding(json!({ "StringLike": principal("*") })),
        ),
        case(
            "StringEquals does not support wildcards",
            CONDITION_OPERATORS,
            REFUSED,
            demanding(json!({ "StringEquals": principal("*") })),
        ),
        case(
            "aws:PrincipalAccount under trust in everyone",
            CONDITION_KEYS,
            ADMITTED,
            Link { trust: trust("*", json!({ "StringEquals": { "aws:PrincipalAccount": "<A>" } })), ..link() },
        ),
        case(
            "several values of a condition: one must match",
            CONDITION_OPERATORS,
            ADMITTED,
            right(demanding(json!({ "StringEquals": { "sts:ExternalId": ["wrong", "right"] } }))),
        ),
        case(
            "several keys of a condition: all must match",
            CONDITION_OPERATORS,
            REFUSED,
            right(demanding(json!({ "StringEquals": { "sts:ExternalId": "right", "sts:RoleSessionName": "other" } }))),
        ),
        case(
            "a negated condition on an absent key",
            CONDITION_OPERATORS,
            ADMITTED,
            demanding(json!({ "StringNotEquals": { "sts:ExternalId": "wrong" } })),
        ),
        case(
            "an external ID that must be absent, and is",
            CONDITION_OPERATORS,
            ADMITTED,
            demanding(json!({ "Null": { "sts:ExternalId": "true" } })),
        ),
        case(
            "an external ID that must be absent, and is present",
            CONDITION_OPERATORS,
            REFUSED,
            right(demanding(json!({ "Null": { "sts:ExternalId": "true" } }))),
        ),
        case(
            "aws:PrincipalArn as the account's root",
            CONDITION_KEYS,
            REFUSED,
            demanding(json!({ "ArnEquals": { "aws:PrincipalArn": "arn:aws:iam::<A>:root" } })),
        ),
        case("sts:RoleSessionName required and right", STS_KEYS, ADMITTED, session_name("session")),
        case("sts:RoleSessionName required and wrong", STS_KEYS, REFUSED, session_name("other")),
        case("StringEquals in different case", CONDITION_OPERATORS, REFUSED, session_name("Session")),
        case(
            "StringEqualsIgnoreCase in different case",
            CONDITION_OPERATORS,
            ADMITTED,
            demanding(json!({ "StringEqualsIgnoreCase": { "sts:RoleSessionName": "Session" } })),
        ),
        case(
            "aws:SourceIp of this machine",
            CONDITION_KEYS,
            ADMITTED,
            demanding(json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } })),
        ),
        case(
            "aws:SourceIp of other machines",
            CONDITION_KEYS,
            REFUSED,
            demanding(json!({ "IpAddress": { "aws:SourceIp": "192.0.2.0/24" } })),
        ),
        case(
            "aws:CurrentTime before and after a date",
            CONDITION_KEYS,
            ADMITTED,
            demanding(json!({
                "DateGreaterThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" },
                "DateLessThan": { "aws:CurrentTime": "2120-01-01T00:00:00Z" },
            })),
        ),
        case(
            "aws:username in the grant",
            CONDITION_KEYS,
            ADMITTED,
            granting(document(json!({
                "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": TARGET,
                "Condition": { "StringEquals": { "aws:username": "alice" } },
            }))),
        ),
        case(
            "session tags required by aws:RequestTag, and missing",
            SESSION_TAGS,
            REFUSED,
            demanding(json!({ "StringEquals": { "aws:RequestTag/team": "blue" } })),
        ),
        case("MFA required and missing", MFA, REFUSED, mfa("Bool")),
        case("MFA required if the key exists, with keys without MFA", CONDITION_KEYS, ADMITTED, mfa("BoolIfExists")),
        behaviour("MFA required and given", MFA, ADMITTED, async |scene| {
            scene.link().await;
            let condition = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
            scene.set_trust(&trust(account_a(), condition)).await;
            let (serial, code) = scene.server.add_mfa_device(&scene.a.id, &scene.a.iam, "alice").await;
            told(scene.assume().serial_number(serial).token_code(code).send().await)
        }),
        behaviour("MFA with an unknown device", ASSUME_ROLE, REFUSED, async |scene| {
            scene.link().await;
            let serial = format!("arn:aws:iam::{}:mfa/nobody", scene.a.id);
            told(scene.assume().serial_number(serial).token_code("123456").send().await)
        }),
    ]
}

/// A trust policy that admits the account, but denies requests without the external ID.
fn denied_without_id() -> Link {
    let trust = document(json!([
        { "Effect": "Allow", "Principal": account_a(), "Action": "sts:AssumeRole" },
        {
            "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
            "Condition": { "StringNotEquals": { "sts:ExternalId": "right" } },
        },
    ]));
    Link { trust, ..link() }
}

fn denied_without_mfa(operator: &str) -> Value {
    document(json!({
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": { operator: { "aws:MultiFactorAuthPresent": "false" } },
    }))
}

/// Policies that break a working link.
fn limits() -> Vec<Behaviour> {
    let denied_by_trust = document(json!([
        { "Effect": "Allow", "Principal": account_a(), "Action": "sts:AssumeRole" },
        { "Effect": "Deny", "Principal": alice(), "Action": "sts:AssumeRole" },
    ]));
    let bounded = |boundary: Value| Link { boundary: Some(boundary), ..link() };
    vec![
        case(
            "an explicit deny beside the grant",
            EVALUATION,
            REFUSED,
            Link { grants: vec![allow("sts:AssumeRole", TARGET), deny("sts:*", "*")], ..link() },
        ),
        case("a deny without the external ID, which is missing", EXTERNAL_ID, REFUSED, denied_without_id()),
        case(
            "a deny without the external ID, which is right",
            EXTERNAL_ID,
            ADMITTED,
            Link { call: |call| call.external_id("right"), ..denied_without_id() },
        ),
        case(
            "a deny of calls without MFA, BoolIfExists",
            CONDITION_KEYS,
            REFUSED,
            Link { grants: vec![allow("sts:AssumeRole", TARGET), denied_without_mfa("BoolIfExists")], ..link() },
        ),
        case(
            "a deny of calls without MFA, Bool, with a context without the key",
            CONDITION_KEYS,
            ADMITTED,
            Link { grants: vec![allow("sts:AssumeRole", TARGET), denied_without_mfa("Bool")], ..link() },
        ),
        case("an explicit deny in the trust policy", EVALUATION, REFUSED, Link { trust: denied_by_trust, ..link() }),
        case("a boundary without the grant", BOUNDARIES, REFUSED, bounded(allow("s3:*", "*"))),
        case("a boundary with the grant", BOUNDARIES, ADMITTED, bounded(allow("sts:*", "*"))),
        case(
            "a boundary that allows more than the policies",
            BOUNDARIES,
            REFUSED,
            without_grant(bounded(allow("sts:*", "*"))),
        ),
    ]
}

/// Within one account, the trust policy alone can be enough.
fn within_an_account() -> Vec<Behaviour> {
    let local = |name, source, expected, principal: Value, boundary: Option<Value>| {
        behaviour(name, source, expected, async move |scene| {
            let trust = scene.filled(&trust(principal.clone(), json!({})));
            let role = scene.a.iam.create_role().role_name(ROLE).assume_role_policy_document(trust);
            role.send().await.expect("a role");
            if let Some(boundary) = &boundary {
                scene.limit(boundary).await;
            }
            let role = format!("arn:aws:iam::{}:role/{ROLE}", scene.a.id);
            told(scene.assume().role_arn(role).send().await)
        })
    };
    // A session of the role, named `session`, assumes another role of its account that trusts this principal.
    let second = |name, expected, principal: &'static str| {
        behaviour(name, PRINCIPAL, expected, async move |scene| {
            scene.link().await;
            let session = scene.session().await;
            let trust = scene.filled(&trust(json!({ "AWS": principal }), json!({})));
            let role = scene.b.iam.create_role().role_name("second").assume_role_policy_document(trust);
            role.send().await.expect("a role");
            told(scene.assume_as(&session).role_arn(scene.role_arn("second")).send().await)
        })
    };
    vec![
        local("same account: trust in the user is enough", ASSUME_ROLE, ADMITTED, alice(), None),
        local("same account: trust in the account is not enough", ASSUME_ROLE, REFUSED, account_a(), None),
        local(
            "same account: a boundary does not limit trust in the user",
            BOUNDARIES,
            ADMITTED,
            alice(),
            Some(allow("s3:*", "*")),
        ),
        behaviour("a role does not trust itself", TROUBLESHOOTING_ROLES, REFUSED, async |scene| {
            scene.link().await;
            scene.role_may(&allow("sts:AssumeRole", TARGET)).await;
            let session = scene.session().await;
            told(scene.assume_as(&session).send().await)
        }),
        second("trust in a role", ADMITTED, TARGET),
        second("trust in a session", ADMITTED, "arn:aws:sts::<B>:assumed-role/target/session"),
        second("trust in another session", REFUSED, "arn:aws:sts::<B>:assumed-role/target/other"),
    ]
}

/// The texts of denials.
fn refusals() -> Vec<Behaviour> {
    let text = "403 AccessDenied: User: arn:aws:iam::<A>:user/alice is not authorized to perform: sts:AssumeRole on \
                resource: arn:aws:iam::<B>:role/target";
    let within = "403 AccessDenied: User: arn:aws:iam::<A>:user/alice is not authorized to perform: sts:AssumeRole on \
                  resource: arn:aws:iam::<A>:role/target";
    vec![
        behaviour("no such role: the message of the denial", LIVE, text, async |scene| {
            scene.grant("grant", &allow("sts:AssumeRole", TARGET)).await;
            in_full(scene.assume().send().await)
        }),
        behaviour("denied by the trust policy: the message has no reason", LIVE, text, async |scene| {
            scene.link().await;
            scene.set_trust(&requiring_external_id().trust).await;
            in_full(scene.assume().send().await)
        }),
        behaviour("denied without a grant: the message has no reason", LIVE, text, async |scene| {
            scene.role(&link().trust).await;
            in_full(scene.assume().send().await)
        }),
        behaviour("denied within one account: the message has no reason", PASTED, within, async |scene| {
            let trust = scene.filled(&trust(account_a(), json!({})));
            let role = scene.a.iam.create_role().role_name(ROLE).assume_role_policy_document(trust);
            role.send().await.expect("a role");
            let role = format!("arn:aws:iam::{}:role/{ROLE}", scene.a.id);
            in_full(scene.assume().role_arn(role).send().await)
        }),
        behaviour(
            "the root user assumes no role",
            PASTED,
            "403 AccessDenied: Roles may not be assumed by root accounts.",
            async |scene| {
                scene.link().await;
                in_full(scene.assume_as(scene.root()).send().await)
            },
        ),
        behaviour("the name of a role in different case", TROUBLESHOOTING_ROLES, REFUSED, async |scene| {
            scene.link().await;
            scene.grant("more", &allow("sts:AssumeRole", "*")).await;
            told(scene.assume().role_arn(scene.role_arn("TARGET")).send().await)
        }),
        behaviour("a role with a path, by an ARN with and without it", ARNS, "ok, 403 AccessDenied", async |scene| {
            let trust = scene.filled(&link().trust);
            let role = scene.b.iam.create_role().role_name("deep").path("/one/two/").assume_role_policy_document(trust);
            role.send().await.expect("a role");
            scene.grant("grant", &allow("sts:AssumeRole", "*")).await;
            let assume = async |name: &str| told(scene.assume().role_arn(scene.role_arn(name)).send().await);
            several([assume("one/two/deep").await, assume("deep").await])
        }),
    ]
}
