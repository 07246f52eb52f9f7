use proptest::prelude::*;

use super::*;

const NOW: OffsetDateTime = time::macros::datetime!(2026-03-10 12:00 UTC);

fn minutes(minutes: i64) -> OffsetDateTime {
    NOW - time::Duration::minutes(minutes)
}

/// A use this many minutes ago.
fn used(ago: i64) -> LastUse {
    LastUse { at: minutes(ago), region: "eu-west-1".to_owned() }
}

/// A test of ten seconds, this many minutes ago.
fn test(ago: i64, read: Option<Option<LastUse>>, earlier: &[TestUse]) -> TestUse {
    let time = (minutes(ago), minutes(ago) + time::Duration::seconds(10));
    TestUse::new(time, vec!["eu-west-1".to_owned(), "us-east-1".to_owned()], read.map(Used::from), earlier)
}

fn recent(last: &LastUse, tests: &[TestUse]) -> Option<String> {
    let role = "arn:aws:iam::222222222222:role/xacct".parse().unwrap();
    RecentUse::of(&role, last, tests, NOW).map(|used| used.to_string())
}

#[track_caller]
fn assert_recent(last: &LastUse, tests: &[TestUse], text: &str) {
    let said = recent(last, tests);
    assert!(said.as_ref().is_some_and(|said| said.contains(text)), "{said:?}");
}

#[test]
fn a_use_of_two_days_ago_does_not_matter() {
    assert_eq!(recent(&used(48 * 60), &[]), None);
    assert_recent(&used(47 * 60), &[], "was used 47 hours ago in Region eu-west-1");
    // AWS's clock is ahead.
    assert_recent(&used(-30), &[], "less than an hour ago");
}

#[test]
fn a_test_excuses_its_own_use_if_nothing_recent_came_before() {
    for before in [None, Some(used(49 * 60))] {
        assert_eq!(recent(&used(60), &[test(60, Some(before), &[])]), None);
    }
    // What came before grows old.
    let before = used(40 * 60);
    let tests = [test(60, Some(Some(before)), &[])];
    assert_recent(&used(60), &tests, "was used 40 hours ago");
}

#[test]
fn excuses_only_the_seconds_of_the_test() {
    let tests = [test(60, Some(None), &[])];
    // The test took ten seconds.
    for (after, is_excused) in [(-5, true), (0, true), (10, true), (15, true), (-6, false), (16, false)] {
        let last = LastUse { at: minutes(60) + time::Duration::seconds(after), region: "eu-west-1".to_owned() };
        assert_eq!(recent(&last, &tests).is_none(), is_excused, "{after} s");
    }
}

/// Nobody but a person, or a broken disk, writes such times.
#[test]
fn impossible_times_excuse_nothing_and_break_nothing() {
    let far = time::macros::datetime!(9999-12-31 23:59:59 UTC);
    for (from, to) in [(minutes(60), far), (far, far), (minutes(10), minutes(60))] {
        let test = TestUse::new((from, to), vec!["eu-west-1".to_owned()], Some(Used::Never), &[]);
        assert!(!test.is_late(NOW), "{from} {to}");
        let _ = recent(&used(10), &[test]);
    }
}

#[test]
fn a_use_in_another_region_is_not_the_tests() {
    let tests = [test(60, Some(None), &[])];
    for (region, is_excused) in [("us-east-1", true), ("eu-central-1", false)] {
        let last = LastUse { region: region.to_owned(), ..used(60) };
        assert_eq!(recent(&last, &tests).is_none(), is_excused, "{region}");
    }
}

#[test]
fn tests_in_a_row_keep_what_was_before_the_first() {
    for (before, is_excused) in [(None, true), (Some(used(20 * 60)), false)] {
        let mut tests = vec![test(600, Some(before), &[])];
        // AWS shows the first test at the second, and still only that at the third.
        for ago in [300, 240] {
            tests.push(test(ago, Some(Some(used(600))), &tests));
        }
        for last in [600, 300, 240] {
            assert_eq!(recent(&used(last), &tests).is_none(), is_excused, "{last}");
            // The record need not have the first one any more.
            assert_eq!(recent(&used(240), &tests[2..]).is_none(), is_excused);
        }
    }
    let first = test(600, Some(None), &[]);
    // Others between the tests.
    let second = test(300, Some(Some(used(400))), std::slice::from_ref(&first));
    assert_recent(&used(300), &[first, second], "was used 6 hours ago");
}

#[test]
fn what_could_not_be_read_may_be_a_use() {
    let unread = test(60, None, &[]);
    // AWS already shows the test itself.
    let own = test(60, Some(Some(used(60))), &[]);
    for test in [unread, own] {
        assert_recent(
            &used(60),
            &[test],
            "was used an hour ago in Region eu-west-1 by xacct's own test; xacct could not read the use before it",
        );
    }
    // Two days later, it does not matter.
    let old = test(48 * 60, None, &[]);
    let second = test(60, Some(Some(used(48 * 60))), std::slice::from_ref(&old));
    assert_eq!(recent(&used(60), &[old, second]), None);
}

#[test]
fn the_record_of_a_test_is_read_as_it_was_written() {
    for read in [None, Some(None), Some(Some(used(400)))] {
        let test = test(60, read, &[]);
        let text = serde_json::to_string(&test).unwrap();
        assert_eq!(serde_json::from_str::<TestUse>(&text).unwrap(), test, "{text}");
    }
}

/// What happens to a role: a test, or a use by others.
fn any_history() -> impl Strategy<Value = Vec<(i64, bool)>> {
    proptest::collection::btree_map(0i64..400, any::<bool>(), 1..8).prop_map(|history| {
        // Every ten minutes at most, the oldest first.
        history.into_iter().rev().map(|(ago, is_test)| (ago * 10, is_test)).collect()
    })
}

proptest! {
    /// However late AWS reports, a recent use by others that it reported to the next test is never excused.
    #[test]
    fn a_reported_use_by_others_is_never_excused(history in any_history(), lag in 0i64..240) {
        let mut tests = Vec::new();
        let known = |until: i64| history.iter().map(|(ago, _)| *ago).filter(|ago| *ago > until + lag).min();
        for (ago, _) in history.iter().filter(|(_, is_test)| *is_test) {
            tests.push(test(*ago, Some(known(*ago).map(used)), &tests));
        }
        let shown = history.last().map(|(ago, _)| *ago).unwrap();
        let (others, own): (Vec<_>, Vec<_>) = history.iter().partition(|(_, is_test)| !is_test);
        let is_reported = |ago: i64| own.iter().map(|(test, _)| *test).filter(|test| *test < ago).max()
            .is_none_or(|next| ago > next + lag);
        let must_ask = others.iter().any(|(ago, _)| is_reported(*ago) && *ago < 48 * 60);
        let is_excused = recent(&used(shown), &tests).is_none();
        prop_assert!(!(must_ask && is_excused), "{history:?} {tests:?}");
        if others.is_empty() {
            prop_assert!(is_excused);
        }
    }
}
