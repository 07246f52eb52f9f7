#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// A session that AWS opened for an hour, by its clock.
fn opened(at: SystemTime) -> Opened {
    let credentials = SessionCredentials::for_test(Some(at + HOUR));
    Opened { credentials, whose: "role x".to_owned(), region: None, at: Some(at) }
}

#[test]
fn is_due_ahead_of_the_end_but_not_before_half_of_the_life_and_not_at_once() {
    for (life, after) in [(43_200, 42_000), (3600, 2400), (2400, 1200), (1800, 900), (40, 20), (4, 15), (0, 15)] {
        assert_eq!(until_renewal(Duration::from_secs(life)), Duration::from_secs(after), "{life}");
    }
}

#[test]
fn a_session_lasts_as_long_as_by_the_clock_of_aws() {
    let now = SystemTime::now();
    for at in [now, now - 2 * HOUR, now + 2 * HOUR] {
        let current = Current::new(opened(at), HOUR, now);
        assert!(current.is_alive(now + HOUR - TOLERATED));
        assert!(!current.is_alive(now + HOUR));
        // By this computer's clock.
        let expires = current.reveal(now).expires.unwrap();
        assert!(between(expires, now + HOUR) < Duration::from_secs(5), "{expires:?}");
    }
}

#[test]
fn small_errors_of_the_clock_leave_the_expiry_as_it_is() {
    let now = SystemTime::now();
    for at in [now - TOLERATED / 2, now + TOLERATED / 2] {
        assert_eq!(Current::new(opened(at), HOUR, now).reveal(now).expires, Some(at + HOUR));
    }
}

#[test]
fn a_session_lasts_no_longer_than_requested() {
    let now = SystemTime::now();
    let wrong = Opened { at: Some(SystemTime::UNIX_EPOCH), ..opened(now) };
    assert!(!Current::new(wrong, HOUR, now).is_alive(now + HOUR));
}

/// The computer slept, or somebody set its clock.
#[test]
fn the_clock_that_went_further_counts() {
    let now = SystemTime::now();
    let moment = Moment::of(now);
    assert!(moment.elapsed(now + HOUR) >= HOUR);
    std::thread::sleep(Duration::from_millis(20));
    let back = moment.elapsed(now - HOUR);
    assert!(back >= Duration::from_millis(20) && back < HOUR, "{back:?}");
}
