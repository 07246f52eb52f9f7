use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;

use super::*;

fn role(number: u32, name: &str) -> RoleArn {
    format!("arn:aws:iam::{:012}:role/{name}", 200_000_000_000 + u64::from(number)).parse().unwrap()
}

fn roles(numbers: impl IntoIterator<Item = u32>, name: &str) -> BTreeSet<RoleArn> {
    numbers.into_iter().map(|number| role(number, name)).collect()
}

const USER: Room = Room { inline: 2048, managed: 6144, policies: 10 };
const ROLE: Room = Room { inline: 10_240, ..USER };

fn fresh(wanted: &BTreeSet<RoleArn>, room: Room) -> Option<Distribution> {
    distribute(&Distribution::new(), wanted, &BTreeSet::new(), room)
}

fn counts(distribution: &Distribution) -> Vec<usize> {
    distribution.values().map(BTreeSet::len).collect()
}

/// Returns the characters of the document that holds these roles.
fn size(roles: &BTreeSet<RoleArn>, with_session_tags: &BTreeSet<RoleArn>) -> usize {
    templates::grant(roles, &with_session_tags.intersection(roles).cloned().collect()).size()
}

#[test]
fn what_fits_stays_in_the_inline_policy() {
    let wanted = roles(0..40, "xacct");
    assert_eq!(fresh(&wanted, USER).unwrap(), Distribution::from([(Place::Inline, wanted)]));
}

#[test]
fn a_role_holds_1000_targets_and_a_user_500() {
    // The figures of one statement are 184 and 35, and 109 for a managed policy, with names of 21 characters.
    let name = "a-name-of-21-characte";
    let role = fresh(&roles(0..1000, name), ROLE).unwrap();
    assert_eq!(counts(&role)[..2], [184, 109]);
    assert_eq!(role.len(), 9);
    let user = fresh(&roles(0..500, name), USER).unwrap();
    assert_eq!(counts(&user)[..2], [35, 109]);
    assert_eq!(user.len(), 6);
    assert_eq!(fresh(&roles(0..1126, name), USER), None);
    assert_eq!(fresh(&roles(0..1125, name), USER).unwrap().len(), 11);
}

#[test]
fn a_user_without_room_for_inline_policies_gets_managed_ones() {
    let wanted = roles(0..2, "xacct");
    let room = Room { inline: 0, ..USER };
    assert_eq!(fresh(&wanted, room).unwrap(), Distribution::from([(Place::Managed(1), wanted)]));
}

#[test]
fn a_growing_grant_moves_no_role() {
    let before = fresh(&roles(0..300, "xacct"), USER).unwrap();
    // Sorts before all others.
    let wanted: BTreeSet<_> = roles(0..300, "xacct").into_iter().chain(roles(0..5, "a")).collect();
    let after = distribute(&before, &wanted, &BTreeSet::new(), USER).unwrap();
    for (place, roles) in before {
        assert!(after[&place].is_superset(&roles), "{place:?}");
    }
}

#[test]
fn a_shrinking_grant_moves_back() {
    let before = fresh(&roles(0..300, "xacct"), USER).unwrap();
    assert_eq!(before.len(), 3);
    let wanted = roles(270..300, "xacct");
    let after = distribute(&before, &wanted, &BTreeSet::new(), USER).unwrap();
    assert_eq!(after, Distribution::from([(Place::Inline, wanted)]));
}

#[test]
fn what_no_longer_fits_beside_session_tags_moves() {
    let wanted = roles(0..50, "xacct");
    let before = fresh(&wanted, USER).unwrap();
    let with_tags = roles([3], "xacct");
    let after = distribute(&before, &wanted, &with_tags, USER).unwrap();
    assert!(!after[&Place::Managed(1)].is_empty());
    // What gave it up got nothing.
    assert!(before[&Place::Inline].is_superset(&after[&Place::Inline]));
}

/// As many as are said to fit do fit, and hardly more.
#[test]
fn what_is_left_is_about_what_still_fits() {
    let name = "a-name-of-21-characte";
    for (targets, room, tags) in [(36, USER, 0), (500, USER, 0), (1125, USER, 0), (300, ROLE, 0), (300, USER, 300)] {
        let with_tags = roles(0..tags, name);
        let spread =
            |count| distribute(&Distribution::new(), &roles(0..count, name), &roles(0..tags.min(count), name), room);
        let left = u32::try_from(left(&spread(targets).unwrap(), &with_tags, room)).unwrap();
        let fits = |more: u32| {
            let tagged = if tags == 0 { BTreeSet::new() } else { roles(0..targets + more, name) };
            distribute(&Distribution::new(), &roles(0..targets + more, name), &tagged, room).is_some()
        };
        assert!(fits(left), "{targets}: {left}");
        assert!(!fits(left + 11), "{targets}: {left}");
    }
    assert_eq!(left(&fresh(&roles(0..500, name), USER).unwrap(), &BTreeSet::new(), USER), 625);
}

prop_compose! {
    fn places()(places in btree_map(0..4_u32, btree_set(0..120_u32, 0..80), 0..4)) -> Distribution {
        let place = |number| if number == 0 { Place::Inline } else { Place::Managed(number) };
        places.into_iter().map(|(number, numbers)| (place(number), roles(numbers, "a-role"))).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Interrupted runs leave a role in two places, or in none.
    #[test]
    fn all_roles_are_somewhere_once_within_the_quotas(
        found in places(), wanted in btree_set(0..200_u32, 0..200), tagged in btree_set(0..200_u32, 0..60),
    ) {
        let (wanted, tagged) = (roles(wanted, "a-role"), roles(tagged, "a-role"));
        let placed = distribute(&found, &wanted, &tagged, USER).unwrap();
        let all: Vec<_> = placed.values().flatten().cloned().collect();
        prop_assert_eq!(all.len(), wanted.len());
        prop_assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), wanted);
        for (place, roles) in &placed {
            prop_assert!(size(roles, &tagged) <= USER.of(*place), "{:?}", place);
        }
    }

    /// What is written first, because it gains roles, gives up none that go elsewhere.
    #[test]
    fn no_place_gains_a_role_and_gives_up_another(
        found in places(), wanted in btree_set(0..200_u32, 0..200), tagged in btree_set(0..200_u32, 0..60),
    ) {
        let (wanted, tagged) = (roles(wanted, "a-role"), roles(tagged, "a-role"));
        let placed = distribute(&found, &wanted, &tagged, USER).unwrap();
        for (place, roles) in &placed {
            let before = found.get(place).cloned().unwrap_or_default();
            let elsewhere = |role: &&RoleArn| {
                wanted.contains(*role) && !found.iter().any(|(other, held)| other != place && held.contains(*role))
            };
            let lost = before.difference(roles).filter(elsewhere).count();
            let gained = roles.difference(&before).count();
            prop_assert!(lost == 0 || gained == 0, "{:?}: gains {}, loses {}", place, gained, lost);
        }
    }

    #[test]
    fn what_was_distributed_stays(found in places(), wanted in btree_set(0..200_u32, 0..200)) {
        let wanted = roles(wanted, "a-role");
        let placed = distribute(&found, &wanted, &BTreeSet::new(), USER).unwrap();
        prop_assert_eq!(&distribute(&placed, &wanted, &BTreeSet::new(), USER).unwrap(), &placed);
    }
}
