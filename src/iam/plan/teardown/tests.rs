use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::iam::orphans::Named;
use crate::iam::state::{FoundDocument, Quota};
use crate::iam::templates;

const NOW: OffsetDateTime = time::macros::datetime!(2026-03-10 12:00 UTC);

/// A use this many hours ago.
fn used(hours: i64) -> LastUse {
    LastUse { at: NOW - time::Duration::hours(hours), region: "eu-west-1".to_owned() }
}

fn role(name: &str) -> RoleArn {
    format!("arn:aws:iam::222222222222:role/{name}").parse().unwrap()
}

fn user() -> PrincipalArn {
    "arn:aws:iam::111111111111:user/alice".parse().unwrap()
}

fn removal() -> Removal {
    Removal {
        role: role("xacct"),
        source: "111111111111".parse().unwrap(),
        identity: Identity { id: Some("abc".parse().unwrap()), ..Identity::default() },
        attachments: BTreeSet::from(["arn:aws:iam::aws:policy/ReadOnlyAccess".parse().unwrap()]),
        boundary: None,
        tests: Vec::new(),
        now: NOW,
        even_if_used: false,
        shown_use: None,
        even_if_extended: false,
    }
}

fn standing() -> StandingRole {
    StandingRole {
        id: "AROAEXAMPLE".to_owned(),
        trust: FoundDocument::parse("{}"),
        arn: role("xacct").to_string(),
        tags: [("managed-by", "xacct"), ("xacct:source-account", "111111111111"), ("xacct:link", "abc")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        boundary: None,
        attachments: BTreeSet::from(["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()]),
        inline: BTreeSet::from(["xacct-verify".to_owned()]),
        instance_profiles: BTreeSet::new(),
        last_used: None,
    }
}

fn objections_after(change: impl FnOnce(&mut StandingRole)) -> Vec<Objection> {
    let mut standing = standing();
    change(&mut standing);
    plan_role_removal(&removal(), Some(&standing)).unwrap_err()
}

#[test]
fn policies_go_before_the_role() {
    let plan = plan_role_removal(&removal(), Some(&standing())).unwrap();
    assert_eq!(
        plan.changes,
        [
            Change::DeleteRolePolicy { name: "xacct-verify".to_owned() },
            Change::DetachPolicy { policy: "arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned() },
            Change::DeleteRole { role: role("xacct") },
        ]
    );
    assert_eq!(plan_role_removal(&removal(), None).unwrap(), Plan::default());
}

#[test]
fn foreign_and_extended_roles_are_refused() {
    assert!(matches!(objections_after(|role| role.tags.clear())[..], [Objection::Foreign(_)]));
    let other = |role: &mut StandingRole| *role.tags.get_mut(SOURCE_TAG).unwrap() = "333333333333".to_owned();
    assert!(matches!(objections_after(other)[..], [Objection::OtherSource { .. }]));
    let link = |role: &mut StandingRole| drop(role.tags.insert("xacct:link".to_owned(), "other".to_owned()));
    assert!(matches!(objections_after(link)[..], [Objection::OtherLink { .. }]));
    let untagged = |role: &mut StandingRole| drop(role.tags.remove("xacct:link"));
    assert!(matches!(objections_after(untagged)[..], [Objection::OtherLink { .. }]));
    let path = |role: &mut StandingRole| role.arn = role.arn.replace("role/", "role/team/");
    assert!(matches!(objections_after(path)[..], [Objection::OtherArn { .. }]));
    let all = objections_after(|role| {
        role.inline.insert("custom".to_owned());
        role.instance_profiles.insert("web".to_owned());
        role.last_used = Some(used(3));
    });
    let said: Vec<_> = all.iter().map(ToString::to_string).collect();
    let parts = ["instance profiles (web)", "inline policy custom", "3 hours ago in Region eu-west-1"];
    assert_eq!(said.len(), parts.len());
    for (said, part) in said.iter().zip(parts) {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn an_old_use_does_not_matter() {
    let mut standing = standing();
    standing.last_used = Some(used(48));
    assert_eq!(plan_role_removal(&removal(), Some(&standing)).unwrap().warnings, []);
}

#[test]
fn a_use_that_was_shown_is_a_warning() {
    let mut standing = standing();
    standing.last_used = Some(used(3));
    let shown = Removal { shown_use: Some(used(3)), ..removal() };
    let plan = plan_role_removal(&shown, Some(&standing)).unwrap();
    let [warning] = plan.warnings.as_slice() else { panic!("{plan:?}") };
    assert!(warning.to_string().contains("was used 3 hours ago in Region eu-west-1"), "{warning}");
    let asked_for = Removal { even_if_used: true, ..removal() };
    assert_eq!(plan_role_removal(&asked_for, Some(&standing)).unwrap().warnings, []);
    // It was used again since it was shown.
    standing.last_used = Some(used(2));
    let refused = plan_role_removal(&shown, Some(&standing)).unwrap_err();
    assert!(matches!(refused[..], [Objection::UsedLately(_)]), "{refused:?}");
}

fn found(document: Option<FoundDocument>) -> ObservedPrincipal {
    ObservedPrincipal {
        arn: user(),
        grant: document,
        other_policies_size: Some(0),
        quota: Quota { most: 2048, is_read: true },
        managed: None,
    }
}

fn plan(roles: &BTreeSet<RoleArn>, observed: &ObservedPrincipal) -> Plan {
    losing(roles, &BTreeSet::new(), observed)
}

fn losing(roles: &BTreeSet<RoleArn>, gone: &BTreeSet<RolePattern>, observed: &ObservedPrincipal) -> Plan {
    plan_grant_removal(&user(), &"xacct".parse().unwrap(), Lost { roles, gone }, Some(observed))
}

fn apply(change: &Change) -> Option<FoundDocument> {
    match change {
        Change::ShrinkGrant { to, .. } => Some(FoundDocument::parse(&to.to_string())),
        Change::DeleteGrant { .. } => None,
        _ => panic!("{change:?}"),
    }
}

#[test]
fn a_deny_statement_with_our_sid_stays() {
    let document = templates::grant(&[role("xacct")].into(), &BTreeSet::new()).to_string().replace("Allow", "Deny");
    let plan = plan(&[role("xacct")].into(), &found(Some(FoundDocument::parse(&document))));
    assert_eq!(plan.changes, []);
    assert_eq!(plan.notes, [Note::OtherGrant("xacct".to_owned())]);
}

#[test]
fn a_statement_for_an_organization_goes_with_the_last_link_that_uses_it() {
    let pattern = RolePattern::from(&role("xacct"));
    let wide = OrganizationGrant {
        organization: "o-a1b2c3d4e5".parse().unwrap(),
        roles: [pattern.clone(), RolePattern::from(&role("other"))].into(),
        with_session_tags: [pattern.clone()].into(),
    };
    let observed = found(Some(FoundDocument::Policy(wide.document())));
    let roles = [role("xacct")].into();
    let stays = plan(&roles, &observed);
    assert_eq!(stays.changes, []);
    assert_eq!(stays.notes, [Note::OrganizationGrantStays { principal: user(), roles: pattern.clone() }]);
    let goes = losing(&roles, &[pattern].into(), &observed);
    let [Change::ShrinkGrant { removed, to, .. }] = goes.changes.as_slice() else { panic!("{goes:?}") };
    assert_eq!(*removed, roles);
    let rest = OrganizationGrant::of(to).unwrap();
    assert_eq!((rest.roles.len(), rest.with_session_tags.len()), (1, 0));
    assert!(rest.covers(&role("other")));
    assert_eq!(goes.notes, []);
}

#[test]
fn only_roles_of_other_links_of_the_principal_keep_a_name_in_use() {
    let of = |account: &str, principal: &str| {
        let mut named = Named::default();
        named.add_role(&"222222222222".parse().unwrap(), &"xacct".parse().unwrap(), &[user().reference()]);
        named.add_role(&account.parse().unwrap(), &"xacct".parse().unwrap(), &[principal.parse().unwrap()]);
        named.names_lost(&user().reference(), &[role("xacct")].into())
    };
    let alice = user().reference().to_string();
    let gone = BTreeSet::from([RolePattern::from(&role("xacct"))]);
    assert_eq!(of("222222222222", &alice), gone);
    assert_eq!(of("333333333333", "user/somebody"), gone);
    assert_eq!(of("333333333333", &alice), BTreeSet::new());
}

fn any_roles() -> impl Strategy<Value = BTreeSet<RoleArn>> {
    btree_set(select(&["a", "b", "team/c", "A"][..]).prop_map(role), 0..4)
}

fn any_grant() -> impl Strategy<Value = FoundDocument> {
    const OTHERS: &str =
        "\"Statement\": [{\"Sid\": \"Theirs\", \"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"},";
    let edits = [("\"Statement\": [", "\"Statement\": ["), ("\"Statement\": [", OTHERS), ("role/a\"", "role/*\"")];
    (any_roles(), any_roles(), select(edits.to_vec())).prop_map(|(roles, tagged, (from, to))| {
        FoundDocument::parse(&templates::grant(&roles, &tagged).to_string().replacen(from, to, 1))
    })
}

/// Returns everything in the policy except these roles.
fn others(document: Option<&FoundDocument>, roles: &BTreeSet<RoleArn>) -> Vec<String> {
    let mut lines: Vec<_> = document.and_then(FoundDocument::policy).map_or_else(Vec::new, |policy| {
        let lines = policy.statements.iter().flat_map(|statement| match &statement.resource {
            Some(Element::Is(resources)) => resources.iter().map(|it| format!("{:?} {it}", statement.sid)).collect(),
            other => vec![format!("{:?} {other:?}", statement.sid)],
        });
        lines.collect()
    });
    lines.retain(|line| !roles.iter().any(|role| line.ends_with(&format!(" {role}"))));
    lines
}

proptest! {
    #[test]
    fn only_the_removed_roles_disappear(roles in any_roles(), grant in any_grant()) {
        let before = found(Some(grant.clone()));
        let changes = plan(&roles, &before).changes;
        prop_assert!(changes.len() <= 1);
        let after = changes.first().map_or_else(|| Some(grant.clone()), apply);
        prop_assert_eq!(others(after.as_ref(), &roles), others(Some(&grant), &roles));
        prop_assert_eq!(plan(&roles, &found(after)).changes, &[]);
    }

    #[test]
    fn a_plan_contains_nothing_unmanaged(
        inline in btree_set("(xacct-[ab]|custom|xacct)", 0..3),
        attachments in btree_set(select(&["ReadOnlyAccess", "Others"][..]), 0..2),
        boundary in option::of(Just("arn:aws:iam::aws:policy/Others".to_owned())),
        tags in btree_map("(managed-by|xacct:source-account)", "(xacct|111111111111|333333333333)", 0..3),
        hours in option::of(0i64..100),
    ) {
        let attachments: BTreeSet<_> = attachments.iter().map(|it| format!("arn:aws:iam::aws:policy/{it}")).collect();
        let last_used = hours.map(used);
        let tags = tags.into_iter().chain([("xacct:link".to_owned(), "abc".to_owned())]).collect();
        let found = StandingRole { tags, boundary, attachments, inline, last_used, ..standing() };
        let Ok(plan) = plan_role_removal(&removal(), Some(&found)) else { return Ok(()) };
        prop_assert_eq!(found.tags.get("managed-by").map(String::as_str), Some("xacct"));
        prop_assert!(found.boundary.is_none());
        for change in &plan.changes {
            match change {
                Change::DeleteRolePolicy { name } => prop_assert!(name.starts_with("xacct-")),
                Change::DetachPolicy { policy } => prop_assert!(policy.ends_with("ReadOnlyAccess")),
                Change::DeleteRole { role: deleted } => prop_assert_eq!(deleted, &role("xacct")),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(plan.changes.len(), found.inline.len() + found.attachments.len() + 1);
    }
}
