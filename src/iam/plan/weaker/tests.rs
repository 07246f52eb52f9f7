use serde_json::{Value, json};

use super::super::bootstrap::plan_role;
use super::*;
use crate::iam::identity::{Identity, LINK_TAG};
use crate::iam::names::MaxSessionDuration;
use crate::iam::plan::Plan;
use crate::iam::record::POLICIES_TAG;
use crate::iam::risks::Counted;
use crate::iam::risks::Risk;
use crate::iam::state::{MANAGED_BY, RoleQuotas};

const ALICE: &str = "arn:aws:iam::111111111111:user/alice";
const POWER_USER: &str = "arn:aws:iam::aws:policy/PowerUserAccess";

fn document(statements: &Value) -> PolicyDocument {
    PolicyDocument::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

fn trust_of(principal: &str, conditions: &Value) -> PolicyDocument {
    let mut statement = json!({
        "Sid": "XacctAssumeRole", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole",
    });
    if conditions != &json!({}) {
        statement["Condition"] = conditions.clone();
    }
    document(&json!([statement]))
}

fn trust(conditions: &Value) -> PolicyDocument {
    trust_of("arn:aws:iam::111111111111:root", conditions)
}

fn external_id(id: &Value) -> PolicyDocument {
    trust(&json!({"StringEquals": {"sts:ExternalId": id}}))
}

fn allow(action: &str) -> PolicyDocument {
    document(&json!([{"Effect": "Allow", "Action": action, "Resource": "*"}]))
}

fn desired(trust: PolicyDocument) -> DesiredRole {
    DesiredRole {
        arn: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
        source: "111111111111".parse().unwrap(),
        identity: Identity { id: Some("0123".parse().unwrap()), ..Identity::default() },
        description: "a link".to_owned(),
        max_session: MaxSessionDuration::default(),
        boundary: None,
        boundary_version: None,
        tags: BTreeMap::new(),
        trust,
        attachments: BTreeSet::new(),
        inline: BTreeMap::new(),
        replaced: BTreeSet::new(),
        exclusive: false,
        accepted: Vec::new(),
        rotates_to: None,
        gives_to: None,
    }
}

/// A role of the link as xacct made it.
fn made(desired: &DesiredRole) -> ObservedRole {
    ObservedRole {
        id: "AROAEXAMPLE".to_owned(),
        arn: desired.arn.to_string(),
        description: desired.description.clone(),
        max_session: desired.max_session.as_secs(),
        boundary: desired.boundary.as_ref().map(ToString::to_string),
        tags: desired.all_tags(),
        trust: FoundDocument::Policy(desired.trust.clone()),
        attachments: desired.attachments.iter().map(ToString::to_string).collect(),
        inline: desired
            .inline
            .iter()
            .map(|(name, document)| (name.to_string(), Some(FoundDocument::Policy(document.clone()))))
            .collect(),
        last_used: None,
    }
}

fn plan(desired: &DesiredRole, observed: &ObservedRole) -> Plan {
    let desired = desired.clone().replacing_recorded(Some(observed));
    plan_role(&desired, Some(observed), &RoleQuotas::default(), true).unwrap()
}

fn ids(desired: &DesiredRole, observed: &ObservedRole) -> Vec<&'static str> {
    plan(desired, observed).weaker().map(Weaker::id).collect()
}

/// Returns the IDs for a trust policy that replaces another.
fn from_to(from: PolicyDocument, to: PolicyDocument) -> Vec<&'static str> {
    ids(&desired(to), &made(&desired(from)))
}

const NONE: [&str; 0] = [];

#[test]
fn a_new_role_and_one_that_is_as_it_should_be_are_not_weaker() {
    let mut wanted = desired(external_id(&json!("a")));
    wanted.attachments.insert(POWER_USER.parse().unwrap());
    let new = plan_role(&wanted, None, &RoleQuotas::default(), false).unwrap();
    assert_eq!(new.weaker().count(), 0);
    assert_eq!(ids(&wanted, &made(&wanted)), NONE);
}

#[test]
fn an_external_id_that_is_dropped_or_changed() {
    assert_eq!(from_to(external_id(&json!("a")), trust(&json!({}))), ["external_id_dropped"]);
    assert_eq!(from_to(external_id(&json!("a")), external_id(&json!("b"))), ["external_id_changed"]);
    assert_eq!(from_to(external_id(&json!("a")), external_id(&json!(["a", "b"]))), ["external_id_added"]);
    assert_eq!(from_to(external_id(&json!(["a", "b"])), external_id(&json!(["a", "c"]))), ["external_id_changed"]);
    assert_eq!(from_to(external_id(&json!(["a", "b"])), external_id(&json!("a"))), NONE);
    assert_eq!(from_to(trust(&json!({})), external_id(&json!("a"))), NONE);
}

/// A run of `rotate` adds one ID, and no other.
#[test]
fn the_external_id_with_which_a_rotation_begins() {
    let found = made(&desired(external_id(&json!("old"))));
    let rotating = |ids: &Value| DesiredRole { rotates_to: Some("new".parse().unwrap()), ..desired(external_id(ids)) };
    assert_eq!(ids(&rotating(&json!(["new", "old"])), &found), NONE);
    let plan = plan(&rotating(&json!(["new", "old", "mine"])), &found);
    let shown: Vec<_> = plan.weaker().map(ToString::to_string).collect();
    assert_eq!(shown, ["the trust policy also accepts external ID mine"]);
    assert_eq!(ids(&rotating(&json!("new")), &found), ["external_id_changed"]);
}

#[test]
fn mfa_that_is_dropped() {
    let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    assert_eq!(from_to(trust(&mfa), trust(&json!({}))), ["mfa_dropped"]);
    assert_eq!(from_to(trust(&json!({})), trust(&mfa)), NONE);
    let both = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"sts:ExternalId": "a"}});
    assert_eq!(from_to(trust(&both), trust(&json!({}))), ["external_id_dropped", "mfa_dropped"]);
    assert_eq!(from_to(trust(&both), external_id(&json!("a"))), ["mfa_dropped"]);
}

#[test]
fn a_restriction_to_the_user_that_is_dropped_or_moved() {
    let only = |user: &str| trust(&json!({"ArnEquals": {"aws:PrincipalArn": user}}));
    assert_eq!(from_to(only(ALICE), trust(&json!({}))), ["restriction_dropped"]);
    assert_eq!(from_to(only(ALICE), only("arn:aws:iam::111111111111:user/bob")), ["caller_added"]);
    assert_eq!(from_to(trust(&json!({})), only(ALICE)), NONE);
}

#[test]
fn a_further_principal() {
    let mut wider = external_id(&json!("a"));
    let other = document(&json!([
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::333333333333:root"}, "Action": "sts:AssumeRole"},
    ]));
    wider.statements.extend(other.statements.clone());
    assert_eq!(from_to(external_id(&json!("a")), wider.clone()), ["caller_added"]);
    assert_eq!(from_to(wider, external_id(&json!("a"))), NONE);
    // The account of the link was trusted before, as the role's tag says.
    assert_eq!(from_to(other.clone(), external_id(&json!("a"))), NONE);
    let mut foreign = made(&desired(other));
    foreign.tags.clear();
    assert_eq!(ids(&desired(external_id(&json!("a"))), &foreign), ["caller_added"]);
}

#[test]
fn a_further_condition_that_is_dropped() {
    let inside = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "StringEquals": {"sts:ExternalId": "a"}});
    assert_eq!(from_to(trust(&inside), external_id(&json!("a"))), ["condition_dropped"]);
    assert_eq!(from_to(external_id(&json!("a")), trust(&inside)), NONE);
}

/// Whatever key it is: a role session of the user, a tag, a key that AWS adds tomorrow.
#[test]
fn a_condition_of_which_no_class_tells() {
    for key in
        ["aws:SourceIdentity", "aws:TagKeys", "aws:SecureTransport", "aws:UserId", "aws:PrincipalTag/team", "sts:New"]
    {
        for principal in [ALICE, "arn:aws:iam::333333333333:root"] {
            let wanted = trust_of(principal, &json!({}));
            let found = trust_of(principal, &json!({"StringEquals": {key: "alice"}}));
            assert_eq!(from_to(found.clone(), wanted.clone()), ["condition_dropped"], "{key} of {principal}");
            assert_eq!(from_to(wanted, found), NONE, "{key} of {principal}");
        }
    }
    let tokens = |conditions: Value| {
        let provider = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com";
        document(&json!([{
            "Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": conditions},
        }]))
    };
    let (sub, aud) = ("token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:aud");
    let narrow = tokens(json!({sub: "repo:octo/app:ref:refs/heads/main", aud: "sts.amazonaws.com"}));
    assert_eq!(
        from_to(narrow.clone(), tokens(json!({sub: "repo:octo/app:ref:refs/heads/main"}))),
        ["condition_dropped"]
    );
    let two = json!(["repo:octo/app:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/next"]);
    assert_eq!(from_to(tokens(json!({sub: two, aud: "sts.amazonaws.com"})), narrow), NONE);
}

/// Neither the class of callers nor its conditions change with a Deny that only some of them meet.
#[test]
fn a_deny_of_the_trust_policy_that_goes() {
    let denying = |statements: &[Value]| {
        let mut policy = external_id(&json!("a"));
        policy.statements.extend(document(&json!(statements)).statements);
        policy
    };
    let bob = json!({
        "Sid": "NotBob", "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111111111111:user/bob"}, "Action": "sts:*",
    });
    let elsewhere = json!({
        "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    });
    let both = denying(&[bob.clone(), elsewhere.clone()]);
    assert_eq!(from_to(both.clone(), external_id(&json!("a"))), ["trust_denial_dropped"; 2]);
    assert_eq!(from_to(both.clone(), denying(std::slice::from_ref(&elsewhere))), ["trust_denial_dropped"]);
    let plan = plan(&desired(denying(&[elsewhere])), &made(&desired(both.clone())));
    let shown: Vec<_> = plan.weaker().map(ToString::to_string).collect();
    assert_eq!(shown, ["the trust policy no longer denies what its statement 2 (NotBob) denies now"]);
    let mut renamed = bob.clone();
    renamed["Sid"] = json!("Other");
    assert_eq!(from_to(denying(&[bob]), denying(&[renamed])), NONE);
    assert_eq!(from_to(external_id(&json!("a")), both), NONE);
}

#[test]
fn session_tags_that_are_allowed() {
    let with = |sid: &str, principal: &Value, actions: &Value| {
        let mut policy = external_id(&json!("a"));
        let further = json!([{"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions}]);
        policy.statements.extend(document(&further).statements);
        policy
    };
    let root = json!({"AWS": "arn:aws:iam::111111111111:root"});
    let own = with("XacctSessionTags", &root, &json!(["sts:TagSession", "sts:SetSourceIdentity"]));
    assert_eq!(from_to(external_id(&json!("a")), own.clone()), ["session_tags_allowed"]);
    assert_eq!(from_to(own.clone(), external_id(&json!("a"))), NONE);
    for principal in [root, json!({"AWS": ALICE}), json!("*")] {
        assert_eq!(from_to(with("Tags", &principal, &json!("sts:Tag*")), own.clone()), NONE, "{principal}");
    }
    let other = json!({"AWS": "arn:aws:iam::333333333333:root"});
    assert_eq!(from_to(with("Tags", &other, &json!("sts:TagSession")), own), ["session_tags_allowed"]);
}

#[test]
fn a_trust_policy_that_cannot_be_compared() {
    let wanted = desired(trust(&json!({})));
    let found = ObservedRole { trust: FoundDocument::parse("{}"), ..made(&wanted) };
    assert_eq!(ids(&wanted, &found), ["trust_policy_not_compared"]);
}

#[test]
fn another_boundary_but_not_a_first_one() {
    let mut wanted = desired(trust(&json!({})));
    wanted.boundary = Some("arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap());
    let under = |boundary: Option<&str>| ObservedRole { boundary: boundary.map(str::to_owned), ..made(&wanted) };
    assert_eq!(ids(&wanted, &under(Some("arn:aws:iam::aws:policy/ViewOnlyAccess"))), ["boundary_replaced"]);
    assert_eq!(ids(&wanted, &under(None)), NONE);
    assert_eq!(ids(&wanted, &under(Some("arn:aws:iam::aws:policy/AdministratorAccess"))), NONE);
}

#[test]
fn longer_sessions_but_not_shorter_ones() {
    let wanted = DesiredRole { max_session: "2h".parse().unwrap(), ..desired(trust(&json!({}))) };
    let found = |seconds| ObservedRole { max_session: seconds, ..made(&wanted) };
    assert_eq!(ids(&wanted, &found(3600)), ["session_longer"]);
    assert_eq!(ids(&wanted, &found(43_200)), NONE);
}

#[test]
fn a_managed_policy_unless_the_role_may_do_everything_already() {
    let before = desired(trust(&json!({})));
    let mut wanted = before.clone();
    wanted.attachments.insert(POWER_USER.parse().unwrap());
    let mut found = made(&before);
    assert_eq!(ids(&wanted, &found), ["policy_attached"]);
    found.attachments.insert("arn:aws:iam::aws:policy/AdministratorAccess".to_owned());
    assert_eq!(ids(&wanted, &found), NONE);
}

/// A run that was interrupted between creating the role and attaching its policies goes on.
#[test]
fn what_the_role_records_is_no_more_than_was_agreed_to() {
    let mut wanted = desired(trust(&json!({})));
    wanted.attachments.insert(POWER_USER.parse().unwrap());
    wanted.inline.insert("xacct-deploy".parse().unwrap(), allow("s3:*"));
    let unfinished = ObservedRole { attachments: BTreeSet::new(), inline: BTreeMap::new(), ..made(&wanted) };
    assert_eq!(ids(&wanted, &unfinished), NONE);
    for tag in [LINK_TAG, MANAGED_BY.0, POLICIES_TAG] {
        let mut foreign = unfinished.clone();
        foreign.tags.insert(tag.to_owned(), "other".to_owned());
        assert_eq!(ids(&wanted, &foreign), ["policy_attached", "policy_wider"], "{tag}");
    }
}

#[test]
fn an_inline_policy_that_may_allow_more() {
    let with = |name: &str, document: PolicyDocument| {
        let mut wanted = desired(trust(&json!({})));
        wanted.inline.insert(name.parse().unwrap(), document);
        wanted
    };
    let found = made(&with("xacct-deploy", allow("s3:Get*")));
    assert_eq!(ids(&with("xacct-deploy", allow("s3:*")), &found), ["policy_wider"]);
    assert_eq!(ids(&with("xacct-other", allow("s3:*")), &found), ["policy_wider"]);
    // Narrower, under the same name or another one.
    assert_eq!(ids(&with("xacct-deploy", allow("s3:GetObject")), &found), NONE);
    assert_eq!(ids(&with("xacct-other", allow("s3:GetObject")), &found), NONE);
    // Narrowed to nothing but the test bucket.
    let test = with(
        "xacct-verify",
        templates::verify_bucket(found.arn.parse::<crate::iam::arn::RoleArn>().unwrap().partition),
    );
    assert_eq!(ids(&test, &found), NONE);
    assert_eq!(ids(&with("xacct-verify", allow("iam:*")), &found), ["policy_wider"]);
}

#[test]
fn a_denial_that_goes() {
    let with = |statements: &Value| {
        let mut wanted = desired(trust(&json!({})));
        wanted.inline.insert("xacct-deploy".parse().unwrap(), document(statements));
        wanted
    };
    let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"});
    let found = made(&with(&json!([allow, deny])));
    assert_eq!(ids(&with(&json!([allow])), &found), ["denial_dropped"]);
    let named = json!({"Sid": "Other", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"});
    assert_eq!(ids(&with(&json!([named])), &found), NONE);
    assert_eq!(ids(&desired(trust(&json!({}))), &found), ["denial_dropped"]);
}

#[test]
fn a_managed_policy_of_aws_that_only_denies() {
    let wanted = DesiredRole { exclusive: true, ..desired(trust(&json!({}))) };
    for (arn, expected) in [
        ("arn:aws:iam::aws:policy/AWSDenyAll", &["denial_dropped"][..]),
        ("arn:aws-cn:iam::aws:policy/AWSCompromisedKeyQuarantineV3", &["denial_dropped"]),
        ("arn:aws:iam::222222222222:policy/AWSDenyAll", &[]),
        (POWER_USER, &[]),
    ] {
        let mut found = made(&wanted);
        found.attachments.insert(arn.to_owned());
        assert_eq!(ids(&wanted, &found), expected, "{arn}");
        assert_eq!(ids(&desired(trust(&json!({}))), &found), NONE, "{arn} stays");
    }
}

#[test]
fn an_inline_policy_that_cannot_be_compared() {
    let mut wanted = DesiredRole { exclusive: true, ..desired(trust(&json!({}))) };
    let unread = |name: &str, document: Option<FoundDocument>| {
        let mut found = made(&desired(trust(&json!({}))));
        found.inline.insert(name.to_owned(), document);
        found
    };
    let unparsed = Some(FoundDocument::parse("{}"));
    assert_eq!(ids(&wanted, &unread("theirs", None)), ["policy_not_compared"]);
    assert_eq!(ids(&wanted, &unread("xacct-deploy", unparsed.clone())), ["policy_not_compared"]);
    wanted.exclusive = false;
    assert_eq!(ids(&wanted, &unread("theirs", None)), NONE);
    wanted.inline.insert("xacct-deploy".parse().unwrap(), allow("s3:*"));
    assert_eq!(ids(&wanted, &unread("xacct-deploy", unparsed.clone())), ["policy_wider", "policy_not_compared"]);
    // Restored as the role records it.
    let found = ObservedRole { tags: made(&wanted).tags, ..unread("xacct-deploy", unparsed) };
    assert_eq!(ids(&wanted, &found), NONE);
}

#[test]
fn a_policy_that_left_the_file_is_detached_because_the_role_records_it() {
    let mut before = desired(trust(&json!({})));
    before.attachments.insert(POWER_USER.parse().unwrap());
    let mut found = made(&before);
    let theirs = "arn:aws:iam::222222222222:policy/theirs";
    found.attachments.insert(theirs.to_owned());
    let plan = plan(&desired(trust(&json!({}))), &found);
    let record = Change::TagRole { tags: [(POLICIES_TAG.to_owned(), String::new())].into() };
    assert_eq!(plan.changes, [Change::DetachPolicy { policy: POWER_USER.to_owned() }, record]);
    assert_eq!(plan.weaker().count(), 0);
    assert_eq!(plan.undeclared_policies().count(), 1, "{theirs} is named, and stays");
    // A record of another link is no record.
    found.tags.insert(LINK_TAG.to_owned(), "other".to_owned());
    let plan = self::plan(&desired(trust(&json!({}))), &found);
    assert!(!plan.changes.iter().any(|change| matches!(change, Change::DetachPolicy { .. })), "{plan:#?}");
}

/// `--check` is not changed by the version of xacct that made the role.
#[test]
fn a_role_without_a_record_gets_one_and_is_no_difference() {
    let mut wanted = desired(trust(&json!({})));
    wanted.attachments.insert(POWER_USER.parse().unwrap());
    let mut found = made(&wanted);
    found.tags.remove(POLICIES_TAG);
    let plan = plan(&wanted, &found);
    assert!(matches!(plan.changes.as_slice(), [Change::TagRole { .. }]), "{plan:#?}");
    assert!(!plan.is_difference());
}

#[test]
fn a_quota_that_has_no_room_for_both_is_named() {
    let with = |name: &str| {
        let mut wanted = desired(trust(&json!({})));
        wanted.inline.insert(name.parse().unwrap(), allow(&format!("s3:{}", "a".repeat(6000))));
        wanted
    };
    let warned = |wanted: &DesiredRole, found: &ObservedRole| {
        plan(wanted, found).warnings.contains(&Risk::RemovesFirst(Counted::RolePolicies))
    };
    let found = made(&with("xacct-a"));
    assert!(warned(&with("xacct-b"), &found));
    assert!(!warned(&with("xacct-a"), &found));
    let mut small = desired(trust(&json!({})));
    small.inline.insert("xacct-b".parse().unwrap(), allow("s3:*"));
    assert!(!warned(&small, &found));
}
