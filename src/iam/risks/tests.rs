use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::permissions::allows_everything;
use super::*;
use crate::iam::admission::Subject;
use crate::iam::arn::Partition;
use crate::iam::state::Quota;
use crate::iam::templates::{self, TrustTerms};

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn parsed<T: std::str::FromStr<Err = crate::iam::invalid::Invalid>>(text: &str) -> T {
    text.parse().unwrap()
}

fn document(statements: &Value) -> PolicyDocument {
    PolicyDocument::from_value(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn allow(principal: &Value, condition: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition})
}

fn deny(condition: &Value) -> Value {
    json!({"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": condition})
}

/// Returns the risks of a trust policy of a role in account 222222222222.
fn risks(statements: &Value) -> Vec<Risk> {
    of_trust(&document(statements), Subject::from(&parsed("arn:aws:iam::222222222222:role/app")))
}

/// Returns the risks of one statement that trusts everyone on this condition.
fn of_everyone(condition: &Value) -> Vec<Risk> {
    risks(&json!([allow(&json!("*"), condition)]))
}

fn of_account(condition: &Value) -> Vec<Risk> {
    risks(&json!([allow(&json!({"AWS": "arn:aws:iam::111111111111:root"}), condition)]))
}

fn deputy(account: &str) -> Risk {
    Risk::ConfusedDeputy { account: parsed(account) }
}

#[test]
fn everyone_is_a_risk_however_it_is_written() {
    for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["*", "111111111111"]})] {
        for action in ["sts:AssumeRole", "STS:assume*", "sts:*", "*", "sts:AssumeRoleWithWebIdentity"] {
            let mut statement = allow(&principal, &json!({}));
            statement["Action"] = json!(action);
            assert_eq!(risks(&json!([statement])), [Risk::Everyone], "{statement}");
        }
    }
    let others = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"});
    assert_eq!(risks(&json!([others])), [Risk::Everyone]);
    let all_but_tags = json!({"Effect": "Allow", "Principal": "*", "NotAction": "sts:TagSession"});
    assert_eq!(risks(&json!([all_but_tags])), [Risk::Everyone]);
}

#[test]
fn everyone_is_no_risk_in_a_denial_or_without_assume_role() {
    let tags = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:TagSession"});
    assert_eq!(risks(&json!([deny(&json!({})), tags])), []);
}

#[test]
fn a_condition_on_the_caller_narrows_everyone() {
    for condition in [
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        json!({"StringLike": {"AWS:principalorgid": ["o-a1b2c3d4e5", "o-other"]}}),
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/deploy-*"}}),
        json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:user/*"}}),
        json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}}),
        json!({"StringEquals": {"aws:PrincipalAccount": "222222222222"}}),
    ] {
        assert_eq!(of_everyone(&condition), [], "{condition}");
    }
    for condition in [
        json!({"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        json!({"StringLike": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "*"]}}),
        json!({"StringEquals": {"aws:PrincipalOrgID": []}}),
        json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        json!({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}),
        json!({"Null": {"aws:PrincipalOrgID": "false"}}),
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}),
        json!({"StringLike": {"aws:PrincipalArn": "*"}}),
        json!({"StringEquals": {"sts:ExternalId": "abc"}}),
        json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
    ] {
        assert_eq!(of_everyone(&condition), [Risk::Everyone], "{condition}");
    }
}

#[test]
fn a_denial_of_the_rest_narrows_everyone() {
    let everyone = allow(&json!("*"), &json!({}));
    let other = json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}});
    assert_eq!(risks(&json!([everyone, deny(&other)])), []);
    for hole in [
        // Requests that do not meet the second condition are not denied.
        json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:PrincipalAccount": "111111111111"}}),
        json!({"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    ] {
        assert_eq!(risks(&json!([everyone, deny(&hole)])), [Risk::Everyone], "{hole}");
    }
}

#[test]
fn a_whole_other_account_is_a_risk_without_an_external_id() {
    for condition in [
        json!({}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        json!({"StringEqualsIfExists": {"sts:ExternalId": "abc"}}),
        json!({"StringLike": {"sts:ExternalId": "*"}}),
        json!({"Null": {"sts:ExternalId": "false"}}),
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:*"}}),
    ] {
        assert_eq!(of_account(&condition), [deputy("111111111111")], "{condition}");
    }
    for condition in [
        json!({"StringEquals": {"sts:ExternalId": "abc"}}),
        json!({"StringLike": {"STS:externalid": "abc-*"}}),
        json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/alice"}}),
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/deploy-*"}}),
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
    ] {
        assert_eq!(of_account(&condition), [], "{condition}");
    }
    let denied = json!([
        allow(&json!({"AWS": "111111111111"}), &json!({})),
        deny(&json!({"StringNotEquals": {"sts:ExternalId": "abc"}}))
    ]);
    assert_eq!(risks(&denied), []);
}

#[test]
fn each_other_account_is_reported_once_and_the_own_account_never() {
    let accounts = json!({"AWS": ["111111111111", "arn:aws:iam::333333333333:root", "222222222222"]});
    let statement = allow(&accounts, &json!({}));
    assert_eq!(risks(&json!([statement, statement])), [deputy("111111111111"), deputy("333333333333")]);
    let by_condition = of_everyone(&json!({"StringEquals": {"aws:PrincipalAccount": "111111111111"}}));
    assert_eq!(by_condition, [deputy("111111111111")]);
    let users = json!({"AWS": ["arn:aws:iam::111111111111:user/alice"], "Service": "ec2.amazonaws.com"});
    assert_eq!(risks(&json!([allow(&users, &json!({}))])), []);
}

#[test]
fn mfa_with_if_exists_is_not_required() {
    let own = |condition: &Value| allow(&json!({"AWS": "222222222222"}), condition);
    for (operator, key, value) in [
        ("BoolIfExists", "aws:MultiFactorAuthPresent", json!(true)),
        ("boolifexists", "AWS:multifactorauthpresent", json!("True")),
        ("ForAllValues:Bool", "aws:MultiFactorAuthPresent", json!("true")),
        ("NumericLessThanIfExists", "aws:MultiFactorAuthAge", json!("3600")),
        ("NumericLessThanEqualsIfExists", "aws:MultiFactorAuthAge", json!(3600)),
    ] {
        let statement = own(&json!({operator: {key: value}}));
        assert_eq!(risks(&json!([statement])), [Risk::MfaIfExists { operator: operator.to_owned() }]);
    }
    for condition in [
        json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        json!({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}),
        json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}, "Null": {"aws:MultiFactorAuthPresent": "false"}}),
        json!({"BoolIfExists": {"aws:SecureTransport": "true"}}),
    ] {
        assert_eq!(risks(&json!([own(&condition)])), [], "{condition}");
    }
    let asking = own(&json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}));
    let denied = deny(&json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}));
    assert_eq!(risks(&json!([asking, denied])), []);
    let only_sessions_are_denied = deny(&json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}));
    assert_eq!(risks(&json!([asking, only_sessions_are_denied])).len(), 1);
}

#[test]
fn unique_ids_are_deleted_principals() {
    let principals =
        json!({"AWS": ["AIDAEXAMPLEOFALICE123", "AROAEXAMPLEOFAROLE123", "arn:aws:iam::222222222222:user/AIDA"]});
    let names: Vec<_> = risks(&json!([allow(&principals, &json!({}))])).iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "the trust policy names a deleted user (AIDAEXAMPLEOFALICE123): a new user with the same name is not trusted",
            "the trust policy names a deleted role (AROAEXAMPLEOFAROLE123): a new role with the same name is not trusted",
        ]
    );
    let denial = json!({"Effect": "Deny", "Principal": {"AWS": "AIDAEXAMPLEOFALICE123"}, "Action": "sts:AssumeRole"});
    assert!(risks(&json!([denial]))[0].to_string().ends_with("is not denied"));
}

#[test]
fn a_grant_on_more_than_exact_roles_is_a_risk() {
    let wide = |action: &str, resource: &Value| {
        of_grant(&document(&json!([{"Effect": "Allow", "Action": action, "Resource": resource}])))
    };
    let role = "arn:aws:iam::222222222222:role/xacct";
    for action in ["sts:AssumeRole", "sts:*", "*", "STS:Assume*"] {
        assert_eq!(wide(action, &json!(role)), []);
        for pattern in ["*", "arn:aws:iam::*:role/xacct", "arn:aws:iam::222222222222:role/xacc?"] {
            let risk = Risk::WideGrant { resource: Some(pattern.to_owned()) };
            assert_eq!(wide(action, &json!([role, pattern])), [risk], "{action} on {pattern}");
        }
    }
    assert_eq!(wide("s3:*", &json!("*")), []);
    let but = json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "NotResource": role}]);
    assert_eq!(of_grant(&document(&but)), [Risk::WideGrant { resource: None }]);
    assert_eq!(of_grant(&document(&json!([{"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}]))), []);
}

#[test]
fn a_quota_is_near_above_nine_tenths() {
    let quota = Quota { most: 2000, is_read: true };
    assert_eq!(of_size(Counted::TrustPolicy, 1800, quota), None);
    let near = Risk::NearQuota { what: Counted::TrustPolicy, size: 1801, quota: 2000 };
    assert_eq!(of_size(Counted::TrustPolicy, 1801, quota), Some(near));
    assert_eq!(of_size(Counted::TrustPolicy, 2001, quota), None, "that is a refusal, or a warning of its own");
}

fn trust(external_id: Option<&str>, require_mfa: bool) -> PolicyDocument {
    templates::trust(&TrustTerms {
        partition: Partition::Aws,
        source: parsed("111111111111"),
        external_ids: external_id.map(parsed).into_iter().collect(),
        require_mfa,
        only: BTreeSet::new(),
        session_tags: true,
    })
}

fn desired(trust: PolicyDocument) -> DesiredRole {
    DesiredRole {
        arn: parsed("arn:aws:iam::222222222222:role/xacct"),
        source: parsed("111111111111"),
        identity: crate::iam::identity::Identity::default(),
        description: String::new(),
        max_session: parsed("1h"),
        boundary: None,
        boundary_version: None,
        tags: [].into(),
        trust,
        attachments: [].into(),
        inline: [].into(),
        replaced: std::collections::BTreeSet::new(),
        exclusive: false,
        accepted: Vec::new(),
        rotates_to: None,
        gives_to: None,
    }
}

fn found(trust: FoundDocument) -> ObservedRole {
    ObservedRole {
        id: String::new(),
        arn: "arn:aws:iam::222222222222:role/xacct".to_owned(),
        description: String::new(),
        max_session: 3600,
        boundary: None,
        tags: [].into(),
        trust,
        attachments: [].into(),
        inline: [].into(),
        last_used: None,
    }
}

fn of(desired: &DesiredRole, observed: Option<&ObservedRole>) -> Vec<Risk> {
    of_role(desired, observed, &RoleQuotas::default())
}

/// The people of the link set the tags of the source account, so a condition on them chooses callers.
#[test]
fn a_condition_on_tags_narrows_the_source_account_and_no_other() {
    let of_tagged = |account: &str| {
        let tagged = json!({"StringEquals": {"aws:PrincipalTag/team": "red"}});
        document(&json!([allow(&json!({"AWS": account}), &tagged)]))
    };
    let old = |account: &str| found(FoundDocument::Policy(of_tagged(account)));
    assert_eq!(of(&desired(of_tagged("111111111111")), None), []);
    assert_eq!(of(&desired(trust(Some("abc"), false)), Some(&old("111111111111"))), []);
    assert_eq!(of(&desired(of_tagged("333333333333")), None), [deputy("333333333333")]);
    let until_applied = Risk::UntilApplied(Box::new(deputy("333333333333")));
    assert_eq!(of(&desired(trust(Some("abc"), false)), Some(&old("333333333333"))), [until_applied]);
}

fn until_applied(risk: Risk) -> Risk {
    Risk::UntilApplied(Box::new(risk))
}

#[test]
fn a_missing_external_id_is_a_risk_and_session_tags_are_not() {
    assert_eq!(of(&desired(trust(None, false)), None), [deputy("111111111111")]);
    assert_eq!(of(&desired(trust(Some("abc"), false)), None), []);
}

#[test]
fn a_replaced_policy_is_reported_only_if_it_is_worse() {
    let wide = document(&json!([allow(&json!({"AWS": ["111111111111", "333333333333"]}), &json!({}))]));
    let observed = found(FoundDocument::Policy(wide.clone()));
    let with_id = of(&desired(trust(Some("abc"), false)), Some(&observed));
    assert_eq!(with_id, [until_applied(deputy("111111111111")), until_applied(deputy("333333333333"))]);
    let without_id = of(&desired(trust(None, false)), Some(&observed));
    assert_eq!(without_id, [deputy("111111111111"), until_applied(deputy("333333333333"))]);
    // A policy that is not replaced stays in effect.
    assert_eq!(of(&desired(wide), Some(&observed)), [deputy("111111111111"), deputy("333333333333")]);
}

#[test]
fn access_keys_without_mfa_stay_accepted_if_mfa_is_no_longer_required() {
    let found =
        found(FoundDocument::parse(&trust(Some("abc"), true).minified().replace("\"Bool\"", "\"BoolIfExists\"")));
    let risk = Risk::MfaIfExists { operator: "BoolIfExists".to_owned() };
    assert_eq!(of(&desired(trust(Some("abc"), true)), Some(&found)), [until_applied(risk.clone())]);
    assert_eq!(of(&desired(trust(Some("abc"), false)), Some(&found)), [risk]);
}

#[test]
fn unparsable_policies_are_reported() {
    let mut observed = found(FoundDocument::parse("{}"));
    observed.inline.insert("xacct-x".to_owned(), Some(FoundDocument::parse("[")));
    observed.inline.insert("by-hand".to_owned(), None);
    let said: Vec<_> =
        of(&desired(trust(Some("abc"), false)), Some(&observed)).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(said[1], "xacct cannot evaluate the trust policy in its current form: document: has no `Statement`");
    assert!(
        said[2].starts_with("xacct cannot evaluate policy xacct-x in its current form: document: is not JSON"),
        "{said:?}"
    );
}

#[test]
fn an_administrator_needs_a_boundary() {
    let everything = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let administrator = |policy: &str| Risk::Administrator { policy: policy.to_owned() };
    let mut role = desired(trust(Some("abc"), false));
    role.inline.insert(parsed("xacct-all"), document(&everything));
    assert_eq!(of(&role, None), [administrator("xacct-all")]);
    role.attachments.insert(parsed(ADMINISTRATOR));
    assert_eq!(of(&role, None), [administrator(ADMINISTRATOR), administrator("xacct-all")]);
    role.boundary = Some(parsed(ADMINISTRATOR));
    assert_eq!(of(&role, None).len(), 2, "it caps nothing");
    role.boundary = Some(parsed("arn:aws:iam::222222222222:policy/cap"));
    assert_eq!(of(&role, None), []);
}

#[test]
fn unmanaged_policies_and_boundaries_count() {
    let role = desired(trust(Some("abc"), false));
    let mut observed = found(FoundDocument::Policy(role.trust.clone()));
    observed.attachments.insert(ADMINISTRATOR.to_owned());
    let undeclared = |policy| Risk::UndeclaredPolicy { role: role.arn.clone(), policy, exclusive: false };
    let attached = undeclared(Undeclared::Attached(ADMINISTRATOR.to_owned()));
    let administrator = |policy: &str| Risk::Administrator { policy: policy.to_owned() };
    assert_eq!(of(&role, Some(&observed)), [administrator(ADMINISTRATOR), attached.clone()]);
    let everything = document(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    observed.inline.insert("by-hand".to_owned(), Some(FoundDocument::Policy(everything)));
    let inline = undeclared(Undeclared::Inline("by-hand".to_owned()));
    let risks = [administrator(ADMINISTRATOR), administrator("by-hand"), attached.clone(), inline.clone()];
    assert_eq!(of(&role, Some(&observed)), risks);
    observed.boundary = Some("arn:aws:iam::222222222222:policy/cap".to_owned());
    assert_eq!(of(&role, Some(&observed)), [attached, inline]);
}

#[test]
fn less_than_everything_is_no_administrator() {
    for statement in [
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::x"}),
        json!({"Effect": "Deny", "Action": "*", "Resource": "*"}),
        json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
    ] {
        assert!(!allows_everything(&document(&json!([statement]))), "{statement}");
    }
}

#[test]
fn the_roles_policies_share_a_quota() {
    let mut role = desired(trust(Some("abc"), false));
    for name in ["xacct-a", "xacct-b"] {
        role.inline.insert(
            parsed(name),
            document(&json!([{"Sid": "x".repeat(4700), "Effect": "Allow", "Action": "s3:*", "Resource": "*"}])),
        );
    }
    let size = role.inline.values().map(PolicyDocument::size).sum();
    assert_eq!(of(&role, None), [Risk::NearQuota { what: Counted::RolePolicies, size, quota: 10_240 }]);
}

#[test]
fn the_grant_shares_a_quota_with_the_users_other_policies() {
    let grant = document(
        &json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::222222222222:role/xacct"}]),
    );
    let wide = document(&json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]));
    let mut observed = ObservedPrincipal {
        arn: parsed("arn:aws:iam::111111111111:user/alice"),
        grant: Some(FoundDocument::Policy(wide)),
        other_policies_size: Some(1800),
        quota: Quota { most: 2048, is_read: true },
        managed: None,
    };
    let near = Risk::NearQuota { what: Counted::UserPolicies, size: grant.size() + 1800, quota: 2048 };
    let wide = until_applied(Risk::WideGrant { resource: Some("*".to_owned()) });
    assert_eq!(of_principal(&grant, &observed), [near, wide]);
    observed.other_policies_size = None;
    observed.grant = Some(FoundDocument::Policy(grant.clone()));
    assert_eq!(of_principal(&grant, &observed), []);
    observed.grant = Some(FoundDocument::parse("{}"));
    assert!(matches!(&of_principal(&grant, &observed)[..], [Risk::NotEvaluated { .. }]));
}
