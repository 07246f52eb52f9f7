//! What holds in every state between two writes, and after one that failed.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::*;
use super::fixtures::{desired_role, document, parsed, trust};
use super::model::{apply_to_role, as_iam_returns};
use super::properties::{any_desired_role, any_observed_role};
use crate::iam::evaluate::{Context, Decision, Principal, Request, resource_policy};
use crate::iam::partition::Partition;
use crate::iam::plan::order::phases;
use crate::iam::templates::TrustTerms;

/// Those who might get in: an account, and the external ID that they send.
const PEOPLE: [(&str, Option<&str>); 6] = [
    ("111111111111", None),
    ("111111111111", Some("first")),
    ("111111111111", Some("second")),
    ("333333333333", None),
    ("333333333333", Some("first")),
    ("333333333333", Some("second")),
];

fn gets_in(role: &ObservedRole, (account, external_id): (&str, Option<&str>)) -> bool {
    let mut context = Context::default();
    context.set("sts:ExternalId", external_id);
    let request = Request {
        principal: Principal {
            account: account.parse().unwrap(),
            arns: BTreeSet::from([format!("arn:aws:iam::{account}:user/somebody")]),
            unique_id: None,
        }
        .into(),
        action: "sts:AssumeRole".to_owned(),
        resource: role.arn.clone(),
        context,
    };
    role.trust.policy().is_some_and(|policy| resource_policy(policy, &request).decision == Decision::Allowed)
}

/// What the role's sessions may do, in tokens. What a boundary lets through depends on both in a way that has no pattern.
fn permissions(role: &ObservedRole) -> BTreeSet<String> {
    let actions = |document: &FoundDocument| {
        let policy = document.policy()?;
        let actions = policy.statements.iter().map(|statement| format!("{:?}", statement.action).to_lowercase());
        Some(actions.collect::<Vec<_>>())
    };
    let inline = role.inline.iter().flat_map(|(name, document)| match document {
        Some(document) => actions(document).unwrap_or_default(),
        None => vec![name.clone()],
    });
    let allowed = inline.chain(role.attachments.iter().cloned());
    let passes = |permission: &String| match &role.boundary {
        Some(boundary) => boundary.bytes().chain(permission.bytes()).fold(0_u8, u8::wrapping_add) % 2 == 0,
        None => true,
    };
    let hours = (1..=role.max_session / 3600).map(|hour| format!("hour {hour}"));
    allowed.filter(passes).chain(hours).collect()
}

fn open_to(account: &str) -> PolicyDocument {
    templates::trust(&TrustTerms {
        partition: Partition::Aws,
        source: parsed(account),
        external_ids: Vec::new(),
        require_mfa: false,
        only: BTreeSet::new(),
        session_tags: false,
    })
}

fn any_trust() -> impl Strategy<Value = PolicyDocument> {
    let denying = trust("first").minified().replacen("Allow", "Deny", 1);
    let denying = PolicyDocument { statements: PolicyDocument::parse(&denying).unwrap().statements, ..trust("first") };
    let mut both = open_to("111111111111");
    both.statements.extend(denying.statements);
    select(vec![trust("first"), trust("second"), open_to("111111111111"), open_to("333333333333"), both])
}

/// A role as it is, and as it should be, with the changes between them.
fn any_change() -> impl Strategy<Value = (ObservedRole, DesiredRole)> {
    (any_observed_role(), any_desired_role(), any_trust(), any_trust()).prop_map(|(observed, desired, from, to)| {
        (ObservedRole { trust: as_iam_returns(&from), ..observed }, DesiredRole { trust: to, ..desired })
    })
}

fn changes(observed: &ObservedRole, desired: &DesiredRole) -> Vec<Change> {
    plan_role(desired, Some(observed), &RoleQuotas::default(), true).unwrap().changes
}

/// Every state that the role can be in: after each phase, with any part of the next.
fn states(observed: &ObservedRole, changes: &[Change]) -> Vec<ObservedRole> {
    let mut states = vec![observed.clone()];
    let mut role = observed.clone();
    let apply = |role, change: &&Change| apply_to_role(Some(role), change).unwrap();
    for phase in phases(changes, Some(observed), &RoleQuotas::default()) {
        for part in 1_u32..1 << phase.changes.len() {
            let done = phase.changes.iter().enumerate().filter(|(index, _)| part & (1 << index) != 0);
            states.push(done.map(|(_, change)| change).fold(role.clone(), apply));
        }
        role = phase.changes.iter().fold(role, apply);
    }
    states
}

proptest! {
    #[test]
    fn nobody_new_gets_in_to_more_than_was_wanted((before, desired) in any_change()) {
        let changes = changes(&before, &desired);
        let after = changes.iter().fold(Some(before.clone()), apply_to_role).unwrap();
        for now in states(&before, &changes) {
            for person in PEOPLE.into_iter().filter(|person| gets_in(&now, *person) && !gets_in(&before, *person)) {
                prop_assert!(gets_in(&after, person), "{person:?} was to stay out");
                prop_assert!(permissions(&now).is_subset(&permissions(&after)), "{person:?} {now:#?}");
            }
        }
    }

    #[test]
    fn whoever_was_let_in_gains_nothing_but_what_is_wanted((before, desired) in any_change()) {
        let changes = changes(&before, &desired);
        let after = changes.iter().fold(Some(before.clone()), apply_to_role).unwrap();
        let old = permissions(&before);
        let all = old.union(&permissions(&after)).cloned().collect();
        // AWS cannot replace trust policy and boundary at once: a new boundary holds for strangers, too.
        let is_recapped = changes.iter().any(|change| matches!(change, Change::SetBoundary { from: Some(_), .. }));
        for now in states(&before, &changes) {
            for person in PEOPLE.into_iter().filter(|person| gets_in(&now, *person) && gets_in(&before, *person)) {
                match gets_in(&after, person) {
                    true => prop_assert!(permissions(&now).is_subset(&all), "{person:?} {now:#?}"),
                    false if is_recapped => {}
                    false => prop_assert!(permissions(&now).is_subset(&old), "{person:?} {now:#?}"),
                }
            }
        }
    }

    #[test]
    fn where_nobody_new_gets_in_the_link_keeps_its_permissions((mut before, desired) in any_change()) {
        before.trust = as_iam_returns(&desired.trust);
        before.boundary = None;
        // One that is put in the place of another replaces it at once, whatever else is to be put elsewhere.
        before.inline.retain(|name, document| {
            let wanted = desired.inline.iter().find(|(wanted, _)| wanted.as_str() == name);
            document.as_ref().is_some_and(|found| wanted.is_none_or(|(_, wanted)| found.matches(wanted)))
        });
        let changes = changes(&before, &desired);
        prop_assert!(!narrows_first(&changes));
        let after = changes.iter().fold(Some(before.clone()), apply_to_role).unwrap();
        let kept: BTreeSet<_> = permissions(&before).intersection(&permissions(&after)).cloned().collect();
        for now in states(&before, &changes) {
            prop_assert!(kept.is_subset(&permissions(&now)), "{now:#?}");
        }
    }
}

/// The phases in words, of a role that changes from this to that.
fn order(change: impl FnOnce(&mut ObservedRole, &mut DesiredRole)) -> Vec<Vec<&'static str>> {
    let mut desired = desired_role();
    let made = plan_role(&desired, None, &RoleQuotas::default(), false).unwrap().changes;
    let mut observed = made.iter().fold(None, apply_to_role).unwrap();
    change(&mut observed, &mut desired);
    let changes = changes(&observed, &desired);
    let words = |change: &&Change| match change {
        Change::ReplaceTrustPolicy { .. } => "trust",
        Change::SetBoundary { .. } => "boundary",
        Change::AttachPolicy { .. } => "attach",
        Change::PutRolePolicy { .. } => "put",
        Change::DeleteRolePolicy { .. } => "delete",
        Change::DetachPolicy { .. } => "detach",
        Change::UpdateRole { .. } => "sessions",
        Change::TagRole { .. } => "tag",
        other => panic!("{other:?}"),
    };
    let phases = phases(&changes, Some(&observed), &RoleQuotas::default());
    phases.iter().map(|phase| phase.changes.iter().map(words).collect()).collect()
}

fn drift(role: &mut ObservedRole, desired: &mut DesiredRole) {
    desired.boundary = Some(parsed("arn:aws:iam::aws:policy/Boundary"));
    desired.max_session = parsed("2h");
    role.tags.clear();
    role.attachments.clear();
    role.inline = [("xacct-old", document("s3:*")), ("xacct-verify", document("s3:List*"))]
        .map(|(name, document)| (name.to_owned(), Some(FoundDocument::Policy(document))))
        .into();
}

#[test]
fn where_somebody_new_gets_in_the_role_is_narrowed_first_and_widened_last() {
    let order = order(|role, desired| {
        drift(role, desired);
        role.trust = FoundDocument::Policy(trust("second"));
    });
    assert_eq!(order, [vec!["boundary", "delete", "delete"], vec!["trust"], vec!["sessions", "tag", "attach", "put"]]);
}

#[test]
fn where_nobody_new_gets_in_what_is_not_wanted_goes_last() {
    let order = order(|role, desired| {
        drift(role, desired);
        role.trust = FoundDocument::Policy(open_to("111111111111"));
    });
    assert_eq!(order, [vec!["trust", "boundary"], vec!["sessions", "tag", "attach", "put"], vec!["delete"]]);
}

#[test]
fn what_goes_makes_room_where_both_do_not_fit() {
    let order = order(|role, desired| {
        drift(role, desired);
        role.inline.insert("custom".to_owned(), None);
    });
    assert_eq!(order, [vec!["boundary", "delete"], vec!["sessions", "tag", "attach", "put"]]);
}

#[test]
fn a_replaced_policy_goes_last_unless_the_new_one_needs_its_place() {
    let replace = |others: usize| {
        order(|role, desired| {
            desired.replaced = std::mem::take(&mut desired.attachments);
            desired.attachments.insert(parsed("arn:aws:iam::aws:policy/ReadOnlyAccess"));
            role.attachments.extend((0..others).map(|number| format!("arn:aws:iam::222222222222:policy/p{number}")));
        })
    };
    assert_eq!(replace(8), [["attach"], ["detach"], ["tag"]]);
    assert_eq!(replace(9), [["detach"], ["attach"], ["tag"]], "a role has at most ten managed policies");
}

#[test]
fn a_new_role_takes_two_phases() {
    let changes = plan_role(&desired_role(), None, &RoleQuotas::default(), false).unwrap().changes;
    let phases = phases(&changes, None, &RoleQuotas::default());
    assert_eq!(phases.iter().map(|phase| phase.changes.len()).collect::<Vec<_>>(), [1, 2]);
}
