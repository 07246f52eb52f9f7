mod fixtures;
mod model;
mod order;
mod organization;
mod properties;

use super::*;
use crate::iam::admission::Accepted;
use crate::iam::names::{MaxSessionDuration, PolicyName};
use crate::iam::risks::Undeclared;
use crate::iam::state::{MANAGED_BY, PolicyVersion};
use fixtures::{LINK, desired_grant, desired_role, document, found, grant, parsed, read, roles, trust, user};
use model::{apply_to_role, apply_to_user};

const BOUNDARY: &str = "arn:aws:iam::aws:policy/Boundary";

fn plan(desired: &DesiredRole, observed: &ObservedRole) -> Plan {
    plan_role(desired, Some(observed), &RoleQuotas::default(), false).unwrap()
}

fn refused(desired: &DesiredRole, observed: Option<&ObservedRole>, adopt: bool) -> Refusal {
    *plan_role(desired, observed, &RoleQuotas::default(), adopt).unwrap_err()
}

/// Returns the role in IAM after the first run.
fn made(desired: &DesiredRole) -> ObservedRole {
    let plan = plan_role(desired, None, &RoleQuotas::default(), false).unwrap();
    plan.changes.iter().fold(None, apply_to_role).unwrap()
}

/// Returns the plan for a created role after this drift.
fn plan_after(drift: impl FnOnce(&mut ObservedRole)) -> Plan {
    let mut observed = made(&desired_role());
    drift(&mut observed);
    plan(&desired_role(), &observed)
}

fn only(changes: Vec<Change>) -> Change {
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.into_iter().next().unwrap()
}

fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn undeclared(plan: &Plan) -> Vec<Undeclared> {
    let policies = plan.warnings.iter().filter_map(|risk| match risk {
        Risk::UndeclaredPolicy { policy, .. } => Some(policy.clone()),
        _ => None,
    });
    policies.collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn an_absent_role_is_created_whole_and_then_given_its_permissions() {
    let desired = desired_role();
    let plan = plan_role(&desired, None, &RoleQuotas::default(), false).unwrap();
    let expected = [
        Change::CreateRole(Box::new(desired.clone())),
        Change::AttachPolicy { policy: parsed("arn:aws:iam::aws:policy/PowerUserAccess") },
        Change::PutRolePolicy { name: parsed("xacct-verify"), from: None, to: Box::new(document("s3:CreateBucket")) },
    ];
    assert_eq!(plan.changes, expected);
    assert_eq!(plan.notes, []);
    assert_eq!(
        desired.all_tags(),
        tags(&[
            ("managed-by", "xacct"),
            ("team", "platform"),
            ("xacct:source-account", "111111111111"),
            ("xacct:link", LINK),
            ("xacct:policies", "d193bff1")
        ])
    );
}

#[test]
fn a_matching_role_is_not_changed() {
    assert_eq!(plan_after(|_| ()), Plan::default());
}

#[test]
fn another_trust_policy_is_replaced_and_nothing_else() {
    for other in [
        FoundDocument::Policy(trust("second")),
        FoundDocument::parse(&trust("first").minified().replace("StringEquals", "StringLike")),
        FoundDocument::parse("{}"),
    ] {
        let plan = plan_after(|role| role.trust = other.clone());
        let change = only(plan.changes);
        assert_eq!(change.document(), Some(&trust("first")));
        assert_eq!(change.replaced(), Some(&other));
        assert!(matches!(change, Change::ReplaceTrustPolicy { .. }), "{change:?}");
    }
}

#[test]
fn description_and_session_limit_are_always_set_together() {
    let wanted = |description: &str, seconds| Change::UpdateRole {
        from: (description.to_owned(), seconds),
        description: "a link".to_owned(),
        max_session: MaxSessionDuration::default(),
    };
    let plan = plan_after(|role| role.description = String::new());
    assert_eq!(only(plan.changes), wanted("", 3600));
    let plan = plan_after(|role| role.max_session = 7200);
    assert_eq!(only(plan.changes), wanted("a link", 7200));
}

#[test]
fn a_boundary_is_set_if_configured_and_kept_otherwise() {
    let mut desired = desired_role();
    let plan_without = plan_after(|role| role.boundary = Some("arn:other".to_owned()));
    assert!(plan_without.is_empty());
    assert_eq!(plan_without.notes, [Note::OtherBoundary("arn:other".to_owned())]);

    desired.boundary = Some(parsed(BOUNDARY));
    let mut observed = made(&desired);
    assert_eq!(observed.boundary.as_deref(), Some(BOUNDARY));
    for other in [None, Some("arn:other".to_owned())] {
        observed.boundary.clone_from(&other);
        let expected = Change::SetBoundary { from: other, to: parsed(BOUNDARY) };
        let plan = plan(&desired, &observed);
        assert_eq!((only(plan.changes), plan.notes), (expected, vec![]));
    }
}

#[test]
fn only_missing_or_different_tags_are_written_and_unmanaged_ones_are_noted() {
    let plan = plan_after(|role| {
        role.tags.insert("team".to_owned(), "other".to_owned());
        role.tags.remove(SOURCE_TAG);
        role.tags.insert("cost-center".to_owned(), "7".to_owned());
    });
    let expected = tags(&[("team", "platform"), (SOURCE_TAG, "111111111111")]);
    assert_eq!(only(plan.changes), Change::TagRole { tags: expected });
    assert_eq!(plan.notes, [Note::OtherTags(names(&["cost-center"]))]);
}

#[test]
fn a_missing_attachment_is_added_and_undeclared_ones_are_warned_about() {
    let plan = plan_after(|role| role.attachments = names(&["arn:aws:iam::aws:policy/ReadOnlyAccess"]));
    let policy = parsed("arn:aws:iam::aws:policy/PowerUserAccess");
    assert_eq!(undeclared(&plan), [Undeclared::Attached("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned())]);
    assert_eq!(only(plan.changes), Change::AttachPolicy { policy });
}

#[test]
fn an_inline_policy_that_is_missing_or_differs_is_written() {
    for there in [None, Some(found("s3:*")), Some(FoundDocument::parse("not JSON"))] {
        let plan = plan_after(|role| match &there {
            None => role.inline.clear(),
            Some(document) => {
                role.inline.insert("xacct-verify".to_owned(), Some(document.clone()));
            }
        });
        let expected = Change::PutRolePolicy {
            name: parsed("xacct-verify"),
            from: there.map(Box::new),
            to: Box::new(document("s3:CreateBucket")),
        };
        assert_eq!(only(plan.changes), expected);
    }
}

/// Without it, revoked sessions could be used again.
#[test]
fn a_revocation_that_was_changed_stays_unless_it_allows_something() {
    let found = |statements: &str| {
        FoundDocument::parse(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#))
    };
    let denial = r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan":
        {"aws:TokenIssueTime": "2026-11-29T18:00:00Z"}, "Bool": {"aws:ViaAWSService": "false"}}}"#;
    let allowance = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
    for exclusive in [false, true] {
        let desired = DesiredRole { exclusive, ..desired_role() };
        let removes = |document: &FoundDocument| desired.removes_inline("xacct-revoke-sessions", Some(document));
        assert!(!removes(&found(denial)));
        assert!(removes(&found(&format!("{denial}, {allowance}"))));
    }
}

#[test]
fn only_our_own_inline_policies_are_removed_and_undeclared_ones_are_warned_about() {
    let plan = plan_after(|role| {
        role.inline.insert("xacct-old".to_owned(), Some(found("s3:*")));
        for others in ["custom", "xacct", "XACCT-old", "my-xacct-old"] {
            role.inline.insert(others.to_owned(), None);
        }
    });
    let others = ["XACCT-old", "custom", "my-xacct-old", "xacct"];
    assert_eq!(undeclared(&plan), others.map(|name| Undeclared::Inline(name.to_owned())));
    let name = "xacct-old".to_owned();
    assert_eq!(only(plan.changes), Change::DeleteRolePolicy { name });
}

#[test]
fn a_large_policy_under_a_new_name_fits_beside_what_is_there_at_every_step() {
    let large = document(&"x".repeat(6000));
    let mut desired = desired_role();
    desired.inline = BTreeMap::from([(parsed("xacct-old"), large.clone())]);
    let mut observed = made(&desired);
    desired.inline = BTreeMap::from([(parsed("xacct-new"), large)]);
    for change in plan(&desired, &observed).changes {
        observed = apply_to_role(Some(observed), &change).unwrap();
        let size: usize = observed.inline.values().flatten().map(FoundDocument::size).sum();
        assert!(size <= RoleQuotas::default().inline_policies.most, "{size} after {change:?}");
    }
}

#[test]
fn a_role_that_xacct_did_not_create_is_refused_with_the_differences() {
    let desired = desired_role();
    let mut observed = made(&desired);
    observed.tags.remove(MANAGED_BY.0);
    observed.trust = FoundDocument::Policy(trust("second"));
    let refusal = refused(&desired, Some(&observed), false);
    assert_eq!(refusal.to_string(), "role `xacct` in account 222222222222 exists, but xacct did not create it");
    let Refusal::ForeignRole { role, differences } = refusal else { panic!("{refusal:?}") };
    let adoption = plan_role(&desired, Some(&observed), &RoleQuotas::default(), true).unwrap();
    assert_eq!((role, &differences), (desired.arn.clone(), &adoption));
    let expected = Change::TagRole { tags: tags(&[("managed-by", "xacct")]) };
    assert_eq!(adoption.changes.last(), Some(&expected));
    assert_eq!(adoption.changes.len(), 2);
    let adopted = adoption.changes.iter().fold(Some(observed), apply_to_role).unwrap();
    assert!(adopted.is_ours());
    assert!(plan(&desired, &adopted).is_empty());
}

#[test]
fn a_role_marked_as_managed_by_something_else_is_foreign() {
    let mut observed = made(&desired_role());
    observed.tags.insert(MANAGED_BY.0.to_owned(), "terraform".to_owned());
    let refusal = refused(&desired_role(), Some(&observed), false);
    assert!(matches!(refusal, Refusal::ForeignRole { .. }), "{refusal:?}");
}

#[test]
fn a_role_of_another_source_account_is_replaced_only_when_adopted() {
    let mut observed = made(&desired_role());
    observed.tags.insert(SOURCE_TAG.to_owned(), "333333333333".to_owned());
    let refusal = refused(&desired_role(), Some(&observed), false);
    assert_eq!(
        refusal.to_string(),
        "role `xacct` in account 222222222222 belongs to the link from source account 333333333333"
    );
    let plan = plan_role(&desired_role(), Some(&observed), &RoleQuotas::default(), true).unwrap();
    let expected = tags(&[(SOURCE_TAG, "111111111111")]);
    assert_eq!(only(plan.changes), Change::TagRole { tags: expected });
}

#[test]
fn a_role_under_another_path_or_spelling_is_refused_even_when_adopted() {
    for other in ["arn:aws:iam::222222222222:role/team/xacct", "arn:aws:iam::222222222222:role/Xacct"] {
        let mut observed = made(&desired_role());
        observed.arn = other.to_owned();
        let expected = format!(
            "the role exists as `{other}`, but IAM cannot rename or move it to `arn:aws:iam::222222222222:role/xacct`"
        );
        for adopt in [false, true] {
            let refusal = refused(&desired_role(), Some(&observed), adopt);
            assert_eq!(refusal.to_string(), expected);
        }
    }
}

#[test]
fn a_trust_policy_beyond_the_quota_is_refused_before_any_change() {
    let desired = desired_role();
    let size = desired.trust.size();
    let with_quota = |trust_policy| {
        let quotas = RoleQuotas { trust_policy: read(trust_policy), ..RoleQuotas::default() };
        plan_role(&desired, None, &quotas, true)
    };
    assert!(with_quota(size).is_ok());
    let expected = format!(
        "the trust policy of role `xacct` would have {size} characters, but account 222222222222 allows {}",
        size - 1
    );
    assert_eq!(with_quota(size - 1).unwrap_err().to_string(), expected);
}

#[test]
fn inline_policies_beyond_the_quota_are_refused_by_their_sum() {
    let mut desired = desired_role();
    let large = document(&"x".repeat(5100));
    desired.inline = BTreeMap::from([(parsed("xacct-a"), large.clone()), (parsed("xacct-b"), large.clone())]);
    let expected = format!(
        "the inline policies of role `xacct` would have {} characters in total, but account 222222222222 allows 10240",
        2 * large.size()
    );
    let quotas = RoleQuotas { inline_policies: read(10_240), ..RoleQuotas::default() };
    assert_eq!(plan_role(&desired, None, &quotas, false).unwrap_err().to_string(), expected);
    desired.inline.remove("xacct-b".parse::<PolicyName>().as_ref().unwrap());
    assert!(plan_role(&desired, None, &quotas, false).is_ok());
    // What somebody else put on the role counts.
    let mut observed = made(&desired_role());
    observed.inline.insert("custom".to_owned(), Some(FoundDocument::Policy(large)));
    let refusal = *plan_role(&desired, Some(&observed), &quotas, false).unwrap_err();
    assert!(matches!(refusal, Refusal::RolePoliciesTooLarge { .. }), "{refusal:?}");
}

#[test]
fn more_managed_policies_than_the_quota_are_refused_if_it_was_read() {
    let mut desired = desired_role();
    desired.attachments = (0..12).map(|number| parsed(&format!("arn:aws:iam::aws:policy/p{number:02}"))).collect();
    let quotas = |most| RoleQuotas { attached_policies: read(most), ..RoleQuotas::default() };
    assert_eq!(
        plan_role(&desired, None, &quotas(10), false).unwrap_err().to_string(),
        "role `xacct` would have 12 attached managed policies, but account 222222222222 allows 10"
    );
    let made = made(&desired);
    assert!(plan_role(&desired, None, &quotas(12), false).is_ok());
    assert!(plan_role(&desired, Some(&made), &quotas(10), false).is_ok(), "nothing has to be attached");

    let assumed = plan_role(&desired, None, &RoleQuotas::default(), false).unwrap();
    let over = assumed.warnings.iter().find(|risk| matches!(risk, Risk::OverQuota { .. })).unwrap().to_string();
    assert!(
        over.starts_with(
            "AWS rejects attaching arn:aws:iam::aws:policy/p10, attaching arn:aws:iam::aws:policy/p11 if the account"
        ),
        "{over}"
    );
    let again = plan_role(&desired, Some(&made), &RoleQuotas::default(), false).unwrap();
    assert_eq!(again, Plan::default(), "the account has a higher quota");
}

#[test]
fn an_assumed_quota_names_the_change_that_aws_would_reject() {
    let mut desired = desired_role();
    let large = document(&"x".repeat(5100));
    desired.inline = BTreeMap::from([(parsed("xacct-a"), large.clone()), (parsed("xacct-b"), large)]);
    let plan = plan_role(&desired, None, &RoleQuotas::default(), false).unwrap();
    let over: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(over.len(), 1, "{over:?}");
    assert!(over[0].starts_with("AWS rejects writing policy xacct-b if the account has the default quota of 10240"));
}

#[test]
fn an_exclusive_link_removes_whatever_else_is_on_the_role() {
    let mut observed = made(&desired_role());
    observed.inline.insert("custom".to_owned(), None);
    observed.attachments.insert(BOUNDARY.to_owned());
    assert!(!plan(&desired_role(), &observed).is_difference());
    let exclusive = plan(&DesiredRole { exclusive: true, ..desired_role() }, &observed);
    let removed =
        [Change::DeleteRolePolicy { name: "custom".to_owned() }, Change::DetachPolicy { policy: BOUNDARY.to_owned() }];
    assert_eq!(exclusive.changes, removed);
    assert_eq!(exclusive.undeclared_policies().count(), 2, "they are named, too");
    assert!(exclusive.is_difference());
}

#[test]
fn what_the_link_declared_until_now_is_detached() {
    let policy = |name: &str| format!("arn:aws:iam::aws:policy/{name}");
    let mut observed = made(&desired_role());
    observed.attachments.insert(policy("Others"));
    let narrowed = DesiredRole {
        attachments: BTreeSet::from([parsed(&policy("ReadOnlyAccess"))]),
        replaced: BTreeSet::from([parsed(&policy("PowerUserAccess")), parsed(&policy("NotThere"))]),
        ..desired_role()
    };
    let plan = plan(&narrowed, &observed);
    let changes = [
        Change::DetachPolicy { policy: policy("PowerUserAccess") },
        Change::AttachPolicy { policy: parsed(&policy("ReadOnlyAccess")) },
    ];
    let (record, first) = plan.changes.split_last().unwrap();
    assert_eq!(first, changes);
    assert!(record.updates_record(), "{record:?}");
    assert_eq!(plan.undeclared_policies().count(), 1, "{:?}", plan.warnings);
}

#[test]
fn the_version_of_the_boundary_is_recorded() {
    let mut desired = desired_role();
    desired.boundary = Some(parsed(BOUNDARY));
    let old = made(&desired);
    let version = PolicyVersion { version: "v2".to_owned(), policy_id: "ANPAEXAMPLE".to_owned() };
    desired.boundary_version = Some(version.clone());
    let plan = plan(&desired, &old);
    assert!(!plan.is_difference(), "a role of an earlier xacct only lacks the record");
    assert_eq!(only(plan.changes), Change::TagRole { tags: tags(&[(BOUNDARY_TAG, "v2/ANPAEXAMPLE")]) });

    let new = made(&desired);
    assert_eq!(PolicyVersion::from_tag(&new.tags[BOUNDARY_TAG]), Some(version));
    desired.boundary_version = None;
    assert_eq!(plan_role(&desired, Some(&new), &RoleQuotas::default(), false).unwrap(), Plan::default(), "unread");
}

/// Returns the written grant and the roles that are new in it.
fn written(plan: Plan) -> (PolicyDocument, BTreeSet<RoleArn>) {
    match only(plan.changes) {
        Change::PutGrant { to, added, .. } => (*to, added),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_absent_grant_is_written() {
    let plan = plan_grant(&desired_grant(&["a"]), &user(None), false).unwrap();
    let expected = Change::PutGrant {
        principal: parsed("arn:aws:iam::111111111111:user/alice"),
        name: parsed("xacct"),
        added: roles(&["a"]),
        removes: BTreeSet::new(),
        from: None,
        to: Box::new(grant(&["a"], &[])),
    };
    assert_eq!((only(plan.changes), plan.notes), (expected, vec![]));
}

#[test]
fn a_grant_that_covers_the_roles_is_not_changed() {
    for standing in [grant(&["a"], &[]), grant(&["a", "b"], &[]), grant(&["a", "b"], &["b"])] {
        let observed = user(Some(&standing));
        assert_eq!(plan_grant(&desired_grant(&["a"]), &observed, false).unwrap(), Plan::default());
    }
}

#[test]
fn roles_of_other_links_stay_in_the_grant() {
    let observed = user(Some(&grant(&["a", "b"], &["b"])));
    let plan = plan_grant(&desired_grant(&["c"]), &observed, false).unwrap();
    let (document, added) = written(plan);
    assert_eq!(document, grant(&["a", "b", "c"], &["b"]));
    assert_eq!(added, roles(&["c"]));
}

#[test]
fn session_tags_change_only_for_the_roles_of_this_run() {
    let mut desired = desired_grant(&["a"]);
    let observed = user(Some(&grant(&["a", "b"], &["a", "b"])));
    let (document, added) = written(plan_grant(&desired, &observed, false).unwrap());
    assert_eq!((document, added), (grant(&["a", "b"], &["b"]), BTreeSet::new()));

    desired.with_session_tags = roles(&["a"]);
    let observed = user(Some(&grant(&["a", "b"], &[])));
    let (document, added) = written(plan_grant(&desired, &observed, false).unwrap());
    assert_eq!((document, added), (grant(&["a", "b"], &["a"]), BTreeSet::new()));
}

#[test]
fn a_wildcard_in_our_grant_is_removed() {
    let text = grant(&["a", "b"], &[]).minified();
    for wildcard in [
        "arn:aws:iam::222222222222:role/*",
        "arn:aws:iam::222222222222:role/?",
        "arn:aws:iam::222222222222:role/${aws:username}/a",
        "*",
    ] {
        let edited = text.replace("arn:aws:iam::222222222222:role/a", wildcard);
        let observed = user(Some(&PolicyDocument::parse(&edited).unwrap()));
        let plan = plan_grant(&desired_grant(&["b"]), &observed, false).unwrap();
        assert_eq!(written(plan).0, grant(&["b"], &[]), "{wildcard}");
    }
}

#[test]
fn a_policy_of_that_name_that_xacct_did_not_write_is_replaced_only_when_adopted() {
    let foreign = [
        FoundDocument::parse("{}"),
        found("sts:AssumeRole"),
        FoundDocument::parse(&grant(&["z"], &[]).minified().replace("XacctAssumeRole", "Other")),
    ];
    for foreign in foreign {
        let observed = ObservedPrincipal { grant: Some(foreign.clone()), ..user(None) };
        let refusal = *plan_grant(&desired_grant(&["a"]), &observed, false).unwrap_err();
        assert_eq!(refusal.to_string(), "user `alice` has an inline policy `xacct` that xacct did not write");
        let plan = plan_grant(&desired_grant(&["a"]), &observed, true).unwrap();
        assert_eq!(plan.changes.first().unwrap().replaced(), Some(&foreign));
        assert_eq!(written(plan), (grant(&["a"], &[]), roles(&["a"])));
    }
}

#[test]
fn an_edited_grant_is_repaired_and_keeps_its_roles() {
    let edited = grant(&["a", "b"], &[]).minified().replace(r#""sts:AssumeRole""#, r#""sts:*""#);
    let observed = user(Some(&PolicyDocument::parse(&edited).unwrap()));
    let plan = plan_grant(&desired_grant(&["a"]), &observed, false).unwrap();
    assert_eq!(written(plan), (grant(&["a", "b"], &[]), BTreeSet::new()));
}

/// Grants of ours with what others wrote into them, and how that is named.
fn edited_by_others() -> Vec<(PolicyDocument, &'static str)> {
    let text = grant(&["a", "b"], &["b"]).minified();
    let allowed = r#""Sid":"XacctSessionTags","Effect":"Allow""#;
    assert!(text.contains(allowed), "{text}");
    [
        (r#""Statement":["#, r#""Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},"#, "s3:*"),
        (r#""Statement":["#, r#""Statement":[{"Effect":"Deny","Action":"sts:*","Resource":"*"},"#, "Deny"),
        (allowed, r#""Sid":"XacctSessionTags","Effect":"Deny""#, "Deny"),
        (
            allowed,
            r#""Sid":"XacctSessionTags","Condition":{"Bool":{"aws:SecureTransport":"true"}},"Effect":"Allow""#,
            "aws:SecureTransport",
        ),
    ]
    .map(|(from, to, named)| (PolicyDocument::parse(&text.replacen(from, to, 1)).unwrap(), named))
    .to_vec()
}

#[test]
fn what_others_wrote_into_the_grant_is_named_and_goes_only_when_it_is_adopted() {
    for (edited, named) in edited_by_others() {
        let observed = user(Some(&edited));
        let refusal = *plan_grant(&desired_grant(&["c"]), &observed, false).unwrap_err();
        let Refusal::ForeignStatements { statements, .. } = refusal else { panic!("{refusal:?}") };
        assert!(statements.iter().any(|statement| statement.contains(named)), "{statements:?}");
        let plan = plan_grant(&desired_grant(&["c"]), &observed, true).unwrap();
        assert_eq!(plan.notes, [Note::ReplacedStatements(statements)]);
        assert!(written(plan).0.statements.iter().all(is_own_statement));
    }
}

#[test]
fn what_others_wrote_into_the_grant_stays_where_nothing_has_to_be_written() {
    let text = grant(&["a", "b"], &[]).minified();
    let denial = r#""Statement":[{"Effect":"Deny","Action":"sts:*","Resource":"*"},"#;
    let observed = user(Some(&PolicyDocument::parse(&text.replacen(r#""Statement":["#, denial, 1)).unwrap()));
    let plan = plan_grant(&desired_grant(&["a"]), &observed, false).unwrap();
    assert_eq!(plan.changes, []);
    assert!(matches!(plan.notes.as_slice(), [Note::OtherStatements(statements)] if statements.len() == 1));
}

/// A denial on a condition, or on a resource that depends on who asks, may leave the user alone.
#[test]
fn only_a_certain_denial_in_the_grant_breaks_the_link() {
    let plain = r#""Effect":"Deny","Action":"sts:*","#;
    for (rest, breaks) in [
        (r#""Resource":"*""#, true),
        (r#""NotResource":"arn:aws:iam::222222222222:role/b""#, true),
        (r#""Resource":"arn:aws:iam::222222222222:role/c""#, false),
        (r#""Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}"#, false),
        (r#""NotResource":"arn:aws:iam::222222222222:role/${aws:PrincipalTag/team}""#, false),
        (r#""NotResource":"arn:aws:iam::222222222222:role/${aws:username, 'b'}""#, false),
    ] {
        let denial = format!(r#""Statement":[{{{plain}{rest}}},"#);
        let text = grant(&["a", "b"], &[]).minified().replacen(r#""Statement":["#, &denial, 1);
        let observed = user(Some(&PolicyDocument::parse(&text).unwrap()));
        let plan = plan_grant(&desired_grant(&["a"]), &observed, false).unwrap();
        let is_named = plan.warnings.iter().any(|risk| matches!(risk, Risk::DeniedByGrant { .. }));
        assert_eq!(is_named, breaks, "{rest}");
    }
}

#[test]
fn a_role_that_the_file_does_not_declare_is_named_and_stays() {
    let observed = user(Some(&grant(&["a", "b", "other-file"], &[])));
    let desired = DesiredGrant { declared: roles(&["a", "b"]), ..desired_grant(&["a"]) };
    let plan = plan_grant(&desired, &observed, false).unwrap();
    let undeclared: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    let expected =
        "the grant also covers arn:aws:iam::222222222222:role/other-file, which this xacct.toml does not declare";
    assert_eq!((plan.changes.len(), undeclared), (0, vec![expected.to_owned()]));
    let observed = user(Some(&grant(&["a", "b", "other-file", "another-file"], &[])));
    let plan = plan_grant(&desired, &observed, false).unwrap();
    let undeclared: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    let expected = "the grant also covers 2 roles that this xacct.toml does not declare: \
                    arn:aws:iam::222222222222:role/another-file, arn:aws:iam::222222222222:role/other-file";
    assert_eq!(undeclared, [expected]);
    // Accounts that are no target here are the business of other files.
    let elsewhere = BTreeSet::from([parsed("arn:aws:iam::333333333333:role/a")]);
    let desired = DesiredGrant { declared: elsewhere, ..desired_grant(&["a"]) };
    assert_eq!(plan_grant(&desired, &observed, false).unwrap(), Plan::default());
}

#[test]
fn a_replaced_grant_names_what_it_no_longer_covers() {
    for (resource, named) in [("*", "*"), ("arn:aws:iam::999999999999:role/x", "arn:aws:iam::999999999999:role/x")] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sts:*","Resource":"{resource}"}}}}"#
        );
        let observed = ObservedPrincipal { grant: Some(FoundDocument::parse(&text)), ..user(None) };
        let plan = plan_grant(&desired_grant(&["a"]), &observed, true).unwrap();
        let Change::PutGrant { removes, .. } = only(plan.changes) else { panic!("a grant") };
        assert_eq!(removes, names(&[named]));
    }
}

#[test]
fn a_deny_statement_is_not_read_as_a_grant() {
    let denied = grant(&["b"], &[]).minified().replace("Allow", "Deny");
    let observed = user(Some(&PolicyDocument::parse(&denied).unwrap()));
    // A refusal is fine too; `b` must not become allowed.
    if let Ok(plan) = plan_grant(&desired_grant(&["a"]), &observed, false) {
        assert_eq!(written(plan).0, grant(&["a"], &[]));
    }
}

#[test]
fn a_grant_shares_the_quota_with_the_other_policies_of_the_user() {
    let size = grant(&["a"], &[]).size();
    let beside = |others| {
        let observed = ObservedPrincipal { other_policies_size: Some(others), ..user(None) };
        plan_grant(&desired_grant(&["a"]), &observed, false)
    };
    assert!(beside(2048 - size).is_ok());
    let others = 2048 - size + 1;
    let refusal = *beside(others).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!(
            "the grant for user `alice` needs {size} characters, but the user's other inline policies use {others} \
             of the 2048 allowed"
        )
    );
    assert!(matches!(refusal, Refusal::GrantTooLarge { .. }), "{refusal:?}");
}

#[test]
fn an_unknown_quota_is_noted_only_with_a_change() {
    let unreadable = |grant| ObservedPrincipal { other_policies_size: None, ..user(grant) };
    let plan = plan_grant(&desired_grant(&["a"]), &unreadable(None), false).unwrap();
    assert_eq!((plan.changes.len(), plan.notes), (1, vec![Note::QuotaNotCounted]));
    let standing = grant(&["a"], &[]);
    let plan = plan_grant(&desired_grant(&["a"]), &unreadable(Some(&standing)), false).unwrap();
    assert_eq!(plan, Plan::default());
}

#[test]
fn a_grant_that_is_applied_is_not_planned_again() {
    let observed = user(None);
    let plan = plan_grant(&desired_grant(&["a"]), &observed, false).unwrap();
    let observed = plan.changes.iter().fold(observed, apply_to_user);
    assert!(plan_grant(&desired_grant(&["a"]), &observed, false).unwrap().is_empty());
}

#[test]
fn a_plain_grant_differs_from_one_with_more() {
    for document in [grant(&["a"], &[]), grant(&["a", "b"], &["b"])] {
        assert!(is_plain_grant(&FoundDocument::Policy(document)));
    }
    let plain = grant(&["a"], &[]).to_string();
    for (from, to) in [
        ("sts:AssumeRole", "sts:*"),
        ("role/a", "role/*"),
        ("XacctAssumeRole", "Other"),
        ("\"Allow\",", "\"Allow\", \"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"true\"}},"),
    ] {
        let other = plain.replace(from, to);
        assert_ne!(other, plain);
        assert!(!is_plain_grant(&FoundDocument::parse(&other)), "{other}");
    }
    assert!(!is_plain_grant(&FoundDocument::parse("not a policy")));
}

#[test]
fn a_role_is_compared_with_a_created_one_except_for_policies() {
    let unlike = |drift: fn(&mut ObservedRole)| {
        let mut found = made(&desired_role());
        drift(&mut found);
        unlike_created(&desired_role(), &found).into_iter().collect::<Vec<_>>().join(", ")
    };
    assert_eq!(unlike(|_| {}), "");
    assert_eq!(unlike(|role| role.attachments.clear()), "");
    assert_eq!(unlike(|role| role.arn = role.arn.replace("role/", "role/x/")), "path or spelling");
    assert_eq!(unlike(|role| role.trust = FoundDocument::Policy(trust("second"))), "trust policy");
    assert_eq!(unlike(|role| role.max_session = 7200), "description or session limit");
    assert_eq!(unlike(|role| role.boundary = Some(BOUNDARY.to_owned())), "boundary");
    assert_eq!(unlike(|role| drop(role.tags.remove("managed-by"))), "tags");
    assert_eq!(unlike(|role| drop(role.tags.insert("more".to_owned(), String::new()))), "tags");
}

/// One entry of `accept` for each subject of a statement is as good as one for all, as for diagnose and verify.
#[test]
fn a_statement_stays_if_each_of_its_subjects_is_accepted() {
    let provider = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com";
    let host = "token.actions.githubusercontent.com";
    let tokens = PolicyDocument::from_value(&serde_json::json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{host}:sub"): ["repo:acme/a:ref:refs/heads/main", "repo:acme/b:ref:refs/heads/main"]}},
    }}))
    .unwrap();
    let accept = |name: &str| Accepted {
        who: format!("tokens of {provider} for repo:acme/{name}:ref:refs/heads/main"),
        reason: "releases".to_owned(),
    };
    let planned = |accepted: Vec<Accepted>| {
        let desired = DesiredRole { accepted, ..desired_role() };
        let mut observed = made(&desired);
        let mut both = trust("first");
        both.statements.extend(tokens.statements.clone());
        observed.trust = FoundDocument::Policy(both);
        plan(&desired, &observed)
    };
    let kept = planned(vec![accept("a"), accept("b")]);
    assert_eq!((kept.changes, kept.warnings), (vec![], vec![]));
    assert_eq!(kept.notes, [Note::Accepted(accept("a")), Note::Accepted(accept("b"))]);
    let replaced = planned(vec![accept("a")]);
    assert!(matches!(only(replaced.changes), Change::ReplaceTrustPolicy { .. }));
    assert_eq!(replaced.notes, [Note::Accepted(accept("a"))], "it is admitted until then");
}
