use super::*;
use crate::iam::arn::{Partition, PermissionSetRoles, RoleArn, RolePattern};
use crate::iam::state::{ManagedPolicies, Quota};

fn set() -> PrincipalArn {
    PrincipalArn::PermissionSet(PermissionSetRoles {
        partition: Partition::Aws,
        account: "111111111111".parse().unwrap(),
        name: "Deployer".parse().unwrap(),
    })
}

fn role(account: &str) -> RoleArn {
    format!("arn:aws:iam::{account}:role/xacct").parse().unwrap()
}

fn desired(accounts: &[&str]) -> DesiredGrant {
    let roles: BTreeSet<_> = accounts.iter().map(|account| role(account)).collect();
    DesiredGrant {
        principal: set(),
        policy_name: "xacct".parse().unwrap(),
        declared: roles.clone(),
        own: roles.clone(),
        roles,
        with_session_tags: BTreeSet::new(),
        is_referenced: true,
        organization: None,
    }
}

fn observed(document: Option<PolicyDocument>, is_attached: bool) -> ObservedPrincipal {
    let part = document.map(|document| GrantPart { document: FoundDocument::Policy(document), is_attached });
    ObservedPrincipal {
        arn: set(),
        grant: None,
        other_policies_size: Some(0),
        quota: Quota { most: 0, is_read: true },
        managed: Some(ManagedPolicies {
            parts: part.map(|part| (SET_PART, part)).into_iter().collect(),
            others: 0,
            size: Quota { most: 300, is_read: true },
            attachments: Quota { most: 1, is_read: true },
        }),
    }
}

fn planned(desired: &DesiredGrant, document: Option<PolicyDocument>) -> Plan {
    plan_set_policy(desired, &observed(document, true), false).unwrap()
}

/// Returns the document that the plan writes.
fn written(plan: &Plan) -> PolicyDocument {
    let [Change::PutGrantPart { name, to, attaches: false, .. }] = plan.changes.as_slice() else { panic!("{plan:?}") };
    assert_eq!(name, "xacct-permission-set-Deployer-1");
    (**to).clone()
}

#[test]
fn the_policy_lists_the_roles_and_keeps_those_of_other_links() {
    let one = written(&planned(&desired(&["222222222222"]), None));
    assert_eq!(covers(&one), [role("222222222222").to_string()].into());
    assert!(planned(&desired(&["222222222222"]), Some(one.clone())).is_empty());
    let plan = planned(&desired(&["333333333333"]), Some(one));
    let Change::PutGrantPart { added, removes, .. } = &plan.changes[0] else { panic!("{plan:?}") };
    assert_eq!((added, removes.len()), (&[role("333333333333")].into(), 0));
    assert_eq!(covers(&written(&plan)).len(), 2);
}

#[test]
fn what_others_wrote_is_replaced_only_when_asked() {
    let mut edited = written(&planned(&desired(&["222222222222"]), None));
    let other = serde_json::json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]});
    edited.statements.extend(PolicyDocument::from_value(&other).unwrap().statements);
    let (desired, observed) = (desired(&["222222222222"]), observed(Some(edited), true));
    let refusal = plan_set_policy(&desired, &observed, false).unwrap_err();
    assert!(matches!(*refusal, Refusal::ForeignPart { .. }), "{refusal:?}");
    assert_eq!(written(&plan_set_policy(&desired, &observed, true).unwrap()).statements.len(), 1);
}

#[test]
fn a_list_that_does_not_fit_is_refused_but_a_pattern_fits() {
    let accounts = ["222222222222", "333333333333", "444444444444", "555555555555", "666666666666"];
    let mut desired = desired(&accounts);
    let refusal = plan_set_policy(&desired, &observed(None, false), false).unwrap_err();
    assert!(matches!(*refusal, Refusal::TooManyRoles { roles: 5, .. }), "{refusal:?}");
    desired.organization = Some("o-a1b2c3d4e5".parse().unwrap());
    let plan = planned(&desired, None);
    assert_eq!(covers(&written(&plan)), [RolePattern::from(&role("222222222222")).to_string()].into());
    assert!(plan.weaker().next().is_none());
    // A list that gets that wide is weaker.
    let listed = written(&planned(&self::desired(&accounts[..1]), None));
    assert!(planned(&desired, Some(listed)).weaker().next().is_some());
}

#[test]
fn the_policy_goes_with_the_last_role_unless_the_set_refers_to_it() {
    let both = written(&planned(&desired(&["222222222222", "333333333333"]), None));
    let (one, all) = ([role("222222222222")].into(), [role("222222222222"), role("333333333333")].into());
    let gone = BTreeSet::new();
    let removal = |roles, is_attached| {
        plan_set_policy_removal(&set(), Lost { roles, gone: &gone }, &observed(Some(both.clone()), is_attached))
    };
    let plan = removal(&one, true);
    assert_eq!(covers(&written(&plan)), [role("333333333333").to_string()].into());
    let plan = removal(&all, false);
    let [Change::DeleteGrantPart { removed, .. }] = plan.changes.as_slice() else { panic!("{plan:?}") };
    assert_eq!(removed, &all);
    let plan = removal(&all, true);
    assert!(plan.is_empty());
    assert!(matches!(plan.notes.as_slice(), [Note::PermissionSetRefers { .. }]), "{plan:?}");
    let none = BTreeSet::new();
    assert!(removal(&none, false).is_empty());
}
