use super::fixtures::*;
use super::*;
use crate::iam::arn::RolePattern;

fn wide(names: &[&str]) -> DesiredGrant {
    DesiredGrant { organization: Some(parsed("o-a1b2c3d4e5")), ..desired_grant(names) }
}

fn written(plan: &Plan) -> &PolicyDocument {
    let [Change::PutGrant { to, .. }] = plan.changes.as_slice() else { panic!("{plan:?}") };
    to
}

fn is_weaker(plan: &Plan) -> bool {
    plan.weaker().next().is_some()
}

fn pattern(name: &str) -> RolePattern {
    RolePattern::from(&role(name))
}

#[test]
fn one_statement_covers_the_organization_and_new_targets_do_not_change_it() {
    let plan = plan_grant(&wide(&["xacct"]), &user(None), false).unwrap();
    let document = written(&plan).clone();
    assert_eq!(document.statements.len(), 1);
    assert_eq!(OrganizationGrant::of(&document).unwrap().roles, [pattern("xacct")].into());
    let Change::PutGrant { added, removes, .. } = &plan.changes[0] else { panic!() };
    assert_eq!((added, removes.len()), (&roles(&["xacct"]), 0));
    // A risk in any case, but nothing gets wider that there was.
    assert!(plan.warnings.iter().any(|risk| matches!(risk, Risk::GrantForOrganization { is_declared: true, .. })));
    assert!(!is_weaker(&plan));
    assert_eq!(plan.notes, [Note::OrganizationKeyUntested]);
    let mut more = wide(&["xacct"]);
    more.roles.insert(parsed("arn:aws:iam::333333333333:role/xacct"));
    let again = plan_grant(&more, &user(Some(&document)), false).unwrap();
    assert_eq!((again.changes, again.notes), (vec![], vec![]));
    assert!(again.warnings.iter().any(|risk| matches!(risk, Risk::GrantForOrganization { .. })));
}

#[test]
fn a_list_becomes_the_statement_and_the_statement_a_list() {
    let listed = grant(&["xacct", "of-others"], &[]);
    let plan = plan_grant(&wide(&["xacct"]), &user(Some(&listed)), false).unwrap();
    assert!(is_weaker(&plan));
    let document = written(&plan).clone();
    assert_eq!(covers(&document), [role("of-others").to_string(), pattern("xacct").to_string()].into());
    let Change::PutGrant { added, removes, .. } = &plan.changes[0] else { panic!() };
    assert_eq!((added.len(), removes.len()), (0, 0));
    assert!(plan_grant(&wide(&["xacct"]), &user(Some(&document)), false).unwrap().is_empty());
    // Back again.
    let mut back = desired_grant(&["xacct"]);
    let unread: RoleArn = parsed("arn:aws:iam::333333333333:role/xacct");
    back.own.insert(unread.clone());
    let plan = plan_grant(&back, &user(Some(&document)), false).unwrap();
    let listed = covers(written(&plan));
    assert_eq!(listed, [role("xacct"), role("of-others"), unread].map(|role| role.to_string()).into());
    let Change::PutGrant { removes, .. } = &plan.changes[0] else { panic!() };
    assert_eq!(*removes, [pattern("xacct").to_string()].into());
    assert!(!is_weaker(&plan));
}

#[test]
fn a_role_is_listed_until_a_run_covers_it_otherwise() {
    let listed = grant(&["xacct"], &[]);
    let mut partial = wide(&[]);
    partial.own = roles(&["xacct"]);
    partial.roles = [parsed("arn:aws:iam::333333333333:role/xacct")].into();
    let plan = plan_grant(&partial, &user(Some(&listed)), false).unwrap();
    assert!(covers(written(&plan)).contains(&role("xacct").to_string()));
}

#[test]
fn patterns_of_other_files_stay_and_are_named() {
    let of_others = OrganizationGrant {
        organization: parsed("o-a1b2c3d4e5"),
        roles: [pattern("of-others")].into(),
        with_session_tags: BTreeSet::new(),
    };
    let of_others = of_others.document();
    for desired in [wide(&["xacct"]), desired_grant(&["xacct"])] {
        let plan = plan_grant(&desired, &user(Some(&of_others)), false).unwrap();
        assert!(covers(written(&plan)).contains(&pattern("of-others").to_string()), "{desired:?}");
        assert!(plan.warnings.iter().any(|risk| matches!(risk, Risk::GrantForOrganization { is_declared: false, .. })));
        assert_eq!(is_weaker(&plan), desired.organization.is_some());
    }
}

#[test]
fn another_organization_is_wider_and_an_edited_condition_is_repaired() {
    let plan = plan_grant(&wide(&["xacct"]), &user(None), false).unwrap();
    let document = written(&plan).to_string();
    let other = FoundDocument::parse(&document.replace("o-a1b2c3d4e5", "o-zzzzzzzzzz"));
    let plan = plan_grant(&wide(&["xacct"]), &ObservedPrincipal { grant: Some(other), ..user(None) }, false).unwrap();
    assert!(is_weaker(&plan));
    assert_eq!(OrganizationGrant::of(written(&plan)).unwrap().organization.as_str(), "o-a1b2c3d4e5");
    // Without the condition it is xacct's statement no more.
    let mut edited: serde_json::Value = serde_json::from_str(&document).unwrap();
    edited["Statement"][0]["Condition"] = serde_json::json!({});
    let edited = ObservedPrincipal { grant: Some(FoundDocument::parse(&edited.to_string())), ..user(None) };
    let plan = plan_grant(&wide(&["xacct"]), &edited, false).unwrap();
    assert_eq!(OrganizationGrant::of(written(&plan)).unwrap().organization.as_str(), "o-a1b2c3d4e5");
}

#[test]
fn roles_in_managed_policies_move_into_the_statement() {
    let names: Vec<_> = (0..60).map(|number| format!("role-with-a-long-name-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let managed = crate::iam::state::ManagedPolicies {
        parts: BTreeMap::from([(
            1,
            crate::iam::state::GrantPart {
                document: FoundDocument::Policy(grant(&["xacct", "of-others"], &[])),
                is_attached: true,
            },
        )]),
        others: 0,
        size: read(6144),
        attachments: read(10),
    };
    let observed = ObservedPrincipal { managed: Some(managed), ..user(Some(&grant(&names[..1], &[]))) };
    let plan = plan_grant(&wide(&["xacct"]), &observed, false).unwrap();
    let put = plan.changes.iter().find_map(|change| match change {
        Change::PutGrant { to, removes, .. } => Some((to, removes)),
        _ => None,
    });
    let (to, removes) = put.unwrap();
    assert!(OrganizationGrant::of(to).unwrap().covers(&role("xacct")));
    assert!(removes.is_empty(), "{removes:?}");
    // What remains of the list moves back, and the grant grows before it shrinks.
    assert!(covers(to).contains(&role("of-others").to_string()));
    let last = plan.changes.last().unwrap();
    assert!(matches!(last, Change::DeleteGrantPart { .. }), "{last:?}");
}
