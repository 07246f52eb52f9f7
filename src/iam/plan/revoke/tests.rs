use std::collections::{BTreeMap, BTreeSet};

use time::Duration;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-29 18:00 UTC);

fn link() -> Revocation {
    Revocation {
        role: "arn:aws:iam::222222222222:role/xacct".parse().unwrap(),
        source: "111111111111".parse().unwrap(),
        identity: Identity { id: Some("abc".parse().unwrap()), ..Identity::default() },
    }
}

fn role() -> ObservedRole {
    ObservedRole {
        id: "AROAEXAMPLE".to_owned(),
        arn: link().role.to_string(),
        description: String::new(),
        max_session: 3600,
        boundary: None,
        tags: [("managed-by", "xacct"), ("xacct:source-account", "111111111111"), ("xacct:link", "abc")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        trust: FoundDocument::parse("{}"),
        attachments: BTreeSet::new(),
        inline: BTreeMap::new(),
        last_used: None,
    }
}

fn revoked(before: OffsetDateTime) -> ObservedRole {
    let document = FoundDocument::Policy(templates::revoke_sessions(before));
    ObservedRole { inline: [(REVOKE_POLICY.to_owned(), Some(document))].into(), ..role() }
}

#[test]
fn a_later_revocation_replaces_an_earlier_one() {
    let plan = plan_revocation(&link(), Some(&role()), NOW).unwrap();
    let [Change::PutRolePolicy { from: None, to, .. }] = plan.changes.as_slice() else { panic!("{plan:?}") };
    assert_eq!(**to, templates::revoke_sessions(NOW));
    let plan = plan_revocation(&link(), Some(&revoked(NOW - Duration::HOUR)), NOW).unwrap();
    assert!(matches!(plan.changes.as_slice(), [Change::PutRolePolicy { from: Some(_), .. }]), "{plan:?}");
}

#[test]
fn a_revocation_is_lifted_only_when_no_revoked_session_is_valid() {
    for (hours, is_over) in [(0, false), (11, false), (12, true), (100, true)] {
        let lifted = plan_lift(&link(), Some(&revoked(NOW - Duration::hours(hours))), NOW);
        assert_eq!(lifted.is_ok(), is_over, "{hours} h: {lifted:?}");
    }
    assert_eq!(plan_lift(&link(), Some(&role()), NOW), Ok(Plan::default()));
}

/// A condition that somebody added says nothing about when the revoked sessions end.
#[test]
fn a_revocation_that_was_changed_is_not_lifted() {
    let mut policy = templates::revoke_sessions(NOW - Duration::days(2));
    let statement = policy.statements.first_mut().unwrap();
    let more = [("aws:SourceIp".to_owned(), BTreeSet::from(["203.0.113.0/24".to_owned()]))];
    statement.condition.insert("NotIpAddress".to_owned(), more.into());
    let found = [FoundDocument::Policy(policy), FoundDocument::parse("not a policy")];
    for document in found {
        let role = ObservedRole { inline: [(REVOKE_POLICY.to_owned(), Some(document))].into(), ..role() };
        assert_eq!(plan_lift(&link(), Some(&role), NOW), Err(Refusal::Changed(link().role)));
    }
}

#[test]
fn only_the_links_role_is_changed() {
    assert!(matches!(plan_revocation(&link(), None, NOW), Err(Refusal::NoRole(_))));
    let changes: [fn(&mut ObservedRole); 4] = [
        |role| role.tags.clear(),
        |role| role.arn.push('x'),
        |role| drop(role.tags.insert("xacct:source-account".to_owned(), "333333333333".to_owned())),
        |role| drop(role.tags.insert("xacct:link".to_owned(), "other".to_owned())),
    ];
    for change in changes {
        let mut role = revoked(NOW - Duration::days(2));
        change(&mut role);
        assert!(matches!(plan_revocation(&link(), Some(&role), NOW), Err(Refusal::Objection(_))), "{role:?}");
        assert!(matches!(plan_lift(&link(), Some(&role), NOW), Err(Refusal::Objection(_))), "{role:?}");
    }
}
