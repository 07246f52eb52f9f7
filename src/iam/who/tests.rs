use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::iam::arn::RoleArn;
use crate::iam::state::{FoundDocument, Reading};

const ROLE: &str = "arn:aws:iam::222222222222:role/xacct";
const CI: &str = "arn:aws:iam::111111111111:role/ci";

fn text(statements: Value) -> Text {
    Arc::new(FoundDocument::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()))
}

fn allow(resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource})
}

fn with(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

fn trusting(principal: Value) -> Text {
    text(json!([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]))
}

fn source() -> Text {
    trusting(json!({"AWS": "111111111111"}))
}

fn holder(kind: HolderKind, name: &str, statements: Value) -> Holder {
    Holder {
        kind,
        name: name.to_owned(),
        arn: format!("arn:aws:iam::111111111111:{}/{name}", kind.word()),
        unique_id: format!("A{}000000000{name}", kind.word().to_uppercase()),
        tags: BTreeMap::from([("team".to_owned(), "red".to_owned())]),
        policies: Policies {
            inline: BTreeMap::from([("own".to_owned(), text(statements))]),
            attached: BTreeSet::new(),
        },
        groups: Vec::new(),
        boundary: None,
        trust: (kind == HolderKind::Role).then(|| trusting(json!({"AWS": "111111111111"}))),
    }
}

fn user(name: &str, statements: Value) -> Holder {
    holder(HolderKind::User, name, statements)
}

fn role(name: &str, statements: Value) -> Holder {
    holder(HolderKind::Role, name, statements)
}

fn account(holders: Vec<Holder>) -> Account {
    Account { is_read: true, holders, ..Account::unreadable("111111111111".parse().unwrap()) }
}

/// Returns who reaches the role, each with what it needs and what is undecided.
fn of(account: &Account, trust: &Text) -> Vec<String> {
    let index = Index::new(account, 1_800_000_000);
    let tags = BTreeMap::from([("env".to_owned(), "dev".to_owned())]);
    let target = Target { arn: ROLE.parse::<RoleArn>().unwrap(), trust: Some(trust), tags: &tags };
    let found = reach(&index, &target);
    let reached = found.reached.iter().map(|one| {
        let mut words = index.holder(one.holder).unwrap().in_words();
        if one.needs.external_id {
            words.push_str(" +id");
        }
        if one.needs.mfa {
            words.push_str(" +mfa");
        }
        for undecided in &one.undecided {
            words.push_str(&format!(" ? {undecided}"));
        }
        words
    });
    reached.collect()
}

/// Returns the classes from elsewhere, each with the roles that it becomes, what it needs, and `?` if it is undecided.
fn from_elsewhere(account: &Account, trust: &Text) -> Vec<String> {
    let index = Index::new(account, 1_800_000_000);
    let tags = BTreeMap::new();
    let target = Target { arn: ROLE.parse::<RoleArn>().unwrap(), trust: Some(trust), tags: &tags };
    let classes = reach(&index, &target).outside.into_iter().map(|one| {
        let mut words = one.admitted.who.to_string();
        words.extend(one.via.iter().map(|role| format!(" as {}", index.holder(*role).unwrap().name)));
        for (applies, mark) in [
            (one.admitted.needs.external_id, " +id"),
            (one.admitted.needs.mfa, " +mfa"),
            (!one.undecided.is_empty(), " ?"),
        ] {
            words.push_str(if applies { mark } else { "" });
        }
        words
    });
    classes.collect()
}

#[track_caller]
fn assert_one(statements: Value, trust: &Text, expected: &str) {
    let found = of(&account(vec![user("u", statements.clone())]), trust);
    assert_eq!(found.join(", "), expected, "{statements:#}");
}

#[test]
fn a_condition_is_decided_needed_chosen_or_named() {
    let cases = [
        (json!({"StringEquals": {"aws:PrincipalTag/team": "red"}}), "user u"),
        (json!({"StringEquals": {"aws:PrincipalTag/team": "blue"}}), ""),
        (json!({"StringEquals": {"aws:ResourceTag/env": "dev"}}), "user u"),
        (json!({"StringEquals": {"aws:ResourceTag/env": "prod"}}), ""),
        (json!({"StringEquals": {"aws:ResourceAccount": "222222222222"}}), "user u"),
        (json!({"StringEquals": {"aws:username": "u"}}), "user u"),
        (json!({"StringEquals": {"sts:ExternalId": "abc"}}), "user u +id"),
        (json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}), "user u +mfa"),
        (json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}), "user u +mfa"),
        (json!({"StringEquals": {"sts:RoleSessionName": "me"}}), "user u"),
        (json!({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}), ""),
        (json!({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}), "user u"),
        (json!({"StringLike": {"aws:CurrentTime": "20*"}}), "user u"),
        (json!({"StringLike": {"aws:CurrentTime": "19*"}}), ""),
        (json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), "user u ? condition on aws:SourceIp"),
        (json!({"StringEquals": {"aws:PrincipalOrgID": "o-x"}}), "user u ? condition on aws:PrincipalOrgID"),
        (json!({"StringLike": {"aws:username": "${*}"}}), ""),
        (json!({"StringNotLike": {"aws:username": "${*}"}}), "user u"),
        (json!({"StringAlmost": {"aws:username": "u"}}), "user u ? condition operator StringAlmost"),
        (json!({"StringEquals": {"aws:username": "v"}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}), ""),
    ];
    for (condition, expected) in cases {
        assert_one(json!([with(allow(ROLE), condition)]), &source(), expected);
    }
}

#[test]
fn a_deny_keeps_out_only_where_it_is_certain() {
    let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    let cases = [
        (deny.clone(), ""),
        (with(deny.clone(), json!({"StringEquals": {"aws:username": "u"}})), ""),
        (with(deny.clone(), json!({"StringEquals": {"aws:username": "v"}})), "user u"),
        (with(deny.clone(), json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})), "user u +mfa"),
        // Access keys have no such key, so this denies only sessions without MFA.
        (with(deny.clone(), json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}})), "user u"),
        (with(deny.clone(), json!({"StringNotEquals": {"sts:ExternalId": "abc"}})), "user u +id"),
        (with(deny.clone(), json!({"StringLike": {"aws:UserAgent": "evil"}})), "user u"),
        (
            with(deny.clone(), json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})),
            "user u ? condition on aws:SourceIp",
        ),
        (json!({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::333333333333:*"}), "user u"),
        // The default of a variable holds only if the request lacks the key.
        (
            with(deny.clone(), json!({"StringEquals": {"aws:PrincipalAccount": "${aws:SourceVpc, '111111111111'}"}})),
            "user u ? condition on aws:PrincipalAccount",
        ),
        (
            with(deny, json!({"StringNotEquals": {"aws:username": "${aws:SourceVpc}"}})),
            "user u ? condition on aws:username",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "Resource": "arn:aws:iam::222222222222:role/${aws:SourceVpc, 'xacct'}"}),
            "user u ? variable aws:SourceVpc",
        ),
        (
            json!({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:iam::222222222222:role/${aws:SourceVpc}"}),
            "user u ? variable aws:SourceVpc",
        ),
        (json!({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:iam::222222222222:role/${*}"}), ""),
    ];
    for (deny, expected) in cases {
        assert_one(json!([allow("*"), deny]), &source(), expected);
    }
}

#[test]
fn resources_are_matched_with_wildcards_variables_and_not() {
    let cases = [
        (json!([allow("arn:aws:iam::*:role/x*")]), "user u"),
        (json!([allow("arn:aws:iam::222222222222:role/y*")]), ""),
        (json!([{"Effect": "Allow", "Action": "sts:*", "NotResource": "arn:aws:iam::222222222222:role/a"}]), "user u"),
        (json!([{"Effect": "Allow", "Action": "sts:*", "NotResource": ROLE}]), ""),
        (json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]), "user u"),
        (json!([{"Effect": "Allow", "Action": "sts:AssumeRoleWithSAML", "Resource": "*"}]), ""),
        (json!([allow("arn:aws:iam::222222222222:role/${aws:username}")]), ""),
        (
            json!([allow("arn:aws:iam::222222222222:role/${aws:PrincipalOrgID}")]),
            "user u ? variable aws:PrincipalOrgID",
        ),
    ];
    for (statements, expected) in cases {
        assert_one(statements, &source(), expected);
    }
    let named = user("xacct", json!([allow("arn:aws:iam::222222222222:role/${aws:username}")]));
    assert_eq!(of(&account(vec![named]), &source()), ["user xacct"]);
}

#[test]
fn both_the_trust_policy_and_the_grant_must_allow() {
    let only = |arn: &str| {
        text(json!([{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}}]))
    };
    let people =
        account(vec![user("u", json!([allow(ROLE)])), user("v", json!([allow(ROLE)])), user("w", json!([allow(CI)]))]);
    assert_eq!(of(&people, &only("arn:aws:iam::111111111111:user/v")), ["user v +mfa"]);
    assert_eq!(of(&people, &trusting(json!({"AWS": "arn:aws:iam::111111111111:user/w"}))), [""; 0]);
    assert_eq!(of(&people, &trusting(json!({"AWS": "333333333333"}))), [""; 0]);
    assert_eq!(of(&people, &trusting(json!({"AWS": "AUSER000000000u"}))), ["user u"]);
}

#[test]
fn within_the_account_a_trust_policy_that_names_somebody_suffices() {
    let mut ci = role("ci", json!([allow(ROLE)]));
    ci.trust = Some(trusting(json!({"AWS": ["arn:aws:iam::111111111111:user/named",
        "arn:aws:sts::111111111111:assumed-role/hop/session"]})));
    let nothing = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let denied = json!([{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]);
    let holders = vec![user("named", nothing.clone()), user("other", json!([allow(CI)])), ci, role("hop", nothing)];
    assert_eq!(of(&account(holders.clone()), &source()), ["role ci", "user named", "role hop"]);
    let mut holders = holders;
    holders[0] = user("named", denied);
    assert_eq!(of(&account(holders), &source()), ["role ci", "role hop"]);
}

/// A session of another account's role of the same name is somebody else.
#[test]
fn a_session_of_another_account_does_not_name_the_role() {
    let nothing = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let reached = |session: &str| {
        let mut ci = role("ci", json!([allow(ROLE)]));
        // The whole account is admitted beside the session, so that only the name of the session could suffice.
        ci.trust = Some(trusting(json!({"AWS": ["111111111111", session]})));
        of(&account(vec![ci, role("hop", nothing.clone())]), &source())
    };
    assert_eq!(reached("arn:aws:sts::333333333333:assumed-role/hop/session"), ["role ci"]);
    assert_eq!(reached("arn:aws:sts::111111111111:assumed-role/hop/session"), ["role ci", "role hop"]);
}

#[test]
fn within_the_account_a_trust_policy_for_everyone_suffices() {
    let nothing = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let denied = json!([{"Effect": "Deny", "Action": "sts:*", "Resource": "*"}]);
    let everyone = |principal: Value, condition: Value| {
        let admits = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        text(json!([
            {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"},
            with(admits, condition),
        ]))
    };
    let only_bob = json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/bob"}});
    let only_b = json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/b*"}});
    let of_account = json!({"StringEquals": {"aws:PrincipalAccount": "111111111111"}});
    let cases = [
        (everyone("*".into(), only_bob.clone()), "role ci, user bob"),
        (everyone(json!({"AWS": ["*", "333333333333"]}), only_bob), "role ci, user bob"),
        (everyone("*".into(), only_b), "role ci, user bob"),
        (everyone("*".into(), of_account), "role ci, user bob, user carol, role hop"),
        (everyone("*".into(), json!({"StringEquals": {"aws:PrincipalAccount": "333333333333"}})), "role ci"),
        (
            everyone("*".into(), json!({"StringEquals": {"aws:PrincipalOrgID": "o-x"}})),
            "role ci, user bob ? condition on aws:PrincipalOrgID, user carol ? condition on aws:PrincipalOrgID, \
             role hop ? condition on aws:PrincipalOrgID",
        ),
    ];
    for (trust, expected) in cases {
        let mut ci = role("ci", json!([allow(ROLE)]));
        ci.trust = Some(trust);
        let holders = vec![
            ci,
            user("bob", nothing.clone()),
            user("carol", nothing.clone()),
            user("dave", denied.clone()),
            role("hop", nothing.clone()),
        ];
        assert_eq!(of(&account(holders), &source()).join(", "), expected);
    }
}

/// A way that is certain, or asks for less, counts. Two ways that ask for different things are no way that asks for
/// nothing.
#[test]
fn the_best_way_of_a_class_from_elsewhere_counts() {
    let on = |condition: Value| {
        let partner = json!({"Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Action": "sts:AssumeRole"});
        with(partner, condition)
    };
    let perhaps = || on(json!({"StringEquals": {"aws:PrincipalOrgID": "o-x"}}));
    let id = || on(json!({"StringEquals": {"sts:ExternalId": "abc"}}));
    let mfa = || on(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}));
    let both =
        || on(json!({"StringEquals": {"sts:ExternalId": "abc"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}));
    let nothing = || on(json!({}));
    let of_account = || json!({"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"});
    // The statements of the trust policies of the link's role, and of the roles ci and hop.
    let cases = [
        (json!([perhaps(), nothing()]), json!([]), json!([]), "account 333333333333"),
        (json!([nothing(), perhaps()]), json!([]), json!([]), "account 333333333333"),
        (json!([id(), mfa()]), json!([]), json!([]), "account 333333333333 +id"),
        (json!([both(), mfa()]), json!([]), json!([]), "account 333333333333 +mfa"),
        (json!([nothing()]), json!([perhaps()]), json!([]), "account 333333333333"),
        (json!([perhaps()]), json!([nothing()]), json!([]), "account 333333333333 ?, account 333333333333 as ci"),
        (json!([of_account()]), json!([perhaps(), nothing()]), json!([]), "account 333333333333 as ci"),
        (json!([of_account()]), json!([perhaps()]), json!([nothing()]), "account 333333333333 as hop as ci"),
        (json!([of_account()]), json!([id()]), json!([mfa()]), "account 333333333333 as ci as hop +id"),
    ];
    for (own, ci, hop, expected) in cases {
        let mut holders = vec![role("ci", json!([allow(ROLE)])), role("hop", json!([allow(ROLE)]))];
        for (holder, statements) in holders.iter_mut().zip([ci, hop]) {
            holder.trust = Some(text(statements));
        }
        let mut own = own;
        own.as_array_mut().unwrap().push(of_account());
        assert_eq!(from_elsewhere(&account(holders), &text(own.clone())).join(", "), expected, "{own:#}");
    }
}

/// Of the `aws:userid` of a role's session, only the part before the session's name is known.
#[test]
fn the_name_of_a_session_is_not_known() {
    let perhaps = "role ci ? condition on aws:userid";
    let cases = [
        ("StringEquals", "AROLE000000000ci:deploy", perhaps),
        ("StringNotEquals", "AROLE000000000ci:deploy", perhaps),
        ("StringEquals", "AROLE000000000ci:session", perhaps),
        ("StringLike", "AROLE000000000ci:dep*", perhaps),
        ("StringLike", "*:deploy", perhaps),
        ("StringLike", "AROLE000000000ci:*", "role ci"),
        ("StringLike", "AROLE*", "role ci"),
        ("StringLike", "*", "role ci"),
        ("StringEquals", "AROLE000000000other:deploy", ""),
        ("StringLike", "AROLE000000000other:*", ""),
        ("StringNotLike", "AROLE000000000other:*", "role ci"),
    ];
    for (operator, value, expected) in cases {
        let statement = with(allow(ROLE), json!({operator: {"aws:userid": value}}));
        let found = of(&account(vec![role("ci", json!([statement]))]), &source());
        assert_eq!(found.join(", "), expected, "{operator} {value}");
    }
}

#[test]
fn circles_end_and_certain_ways_come_first() {
    let at_office = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    let other = "arn:aws:iam::111111111111:role/other";
    let holders = vec![
        user("u", json!([with(allow(ROLE), at_office), allow(other)])),
        role("ci", json!([allow(ROLE), allow(other)])),
        role("other", json!([allow(CI)])),
    ];
    assert_eq!(of(&account(holders), &source()), ["role ci", "role other", "user u"]);
}

#[test]
fn a_boundary_limits_and_an_unread_one_leaves_it_open() {
    let boundary = "arn:aws:iam::111111111111:policy/boundary";
    let mut one = user("u", json!([allow(ROLE)]));
    one.boundary = Some(boundary.to_owned());
    let mut account = account(vec![one]);
    let set = |account: &mut Account, reading| drop(account.managed.insert(boundary.to_owned(), reading));
    set(&mut account, Reading::Present(text(json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]))));
    assert_eq!(of(&account, &source()), [""; 0]);
    set(&mut account, Reading::Present(text(json!([allow("*")]))));
    assert_eq!(of(&account, &source()), ["user u"]);
    let unread = Reading::Unreadable { permission: "iam:GetPolicy".to_owned(), answer: "no".to_owned() };
    set(&mut account, unread);
    let open = format!("user u ? permissions boundary {boundary} could not be read");
    assert_eq!(of(&account, &source()), [open]);
    assert_eq!(account.unread(), [format!("policy {boundary}: needs iam:GetPolicy")]);
}

#[test]
fn what_is_missing_or_no_policy_makes_it_undecided() {
    let mut in_group = user("u", json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]));
    in_group.groups.push("gone".to_owned());
    let mut broken = user("v", json!([allow(ROLE)]));
    broken.policies.inline.insert("broken".to_owned(), text(json!("what")));
    let account = account(vec![in_group, broken]);
    assert_eq!(
        of(&account, &source()),
        ["user u ? group gone could not be read", "user v ? policy broken could not be read"]
    );
    assert_eq!(account.unread().len(), 2, "{:?}", account.unread());
    assert_eq!(of(&account, &text(json!("what"))).len(), 2, "a trust policy that is none");
}

#[test]
fn reserved_roles_have_the_name_of_their_permission_set() {
    let mut reserved = role("AWSReservedSSO_Team_Admin_0123456789abcdef", json!([allow(ROLE)]));
    assert_eq!(reserved.permission_set(), None, "anybody may give a role such a name");
    reserved.arn = format!("arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/{}", reserved.name);
    assert_eq!(reserved.permission_set(), Some("Team_Admin"));
}

/// Many roles that get through, and many users whom their trust policies do not admit, are not asked for every pair.
#[test]
fn many_roles_and_users_are_no_product() {
    let mut holders = Vec::new();
    for number in 0..1500 {
        holders.push(user(&format!("u{number}"), json!([allow("arn:aws:iam::111111111111:role/*")])));
        let mut one = role(&format!("r{number}"), json!([allow(ROLE)]));
        one.trust = Some(trusting(json!({"Service": "ec2.amazonaws.com"})));
        holders.push(one);
    }
    let start = std::time::Instant::now();
    assert_eq!(of(&account(holders), &source()).len(), 1500);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
