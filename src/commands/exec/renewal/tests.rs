use super::*;

#[test]
fn is_due_ahead_of_the_end_but_not_before_half_of_the_life() {
    let now = SystemTime::now();
    for (life, after) in [(43_200, 42_000), (3600, 2400), (2400, 1200), (1800, 900), (4, 2), (0, 0)] {
        let due = due(Some(now + Duration::from_secs(life)), now);
        assert_eq!(due, Some(now + Duration::from_secs(after)), "{life}");
    }
    // A session that expired in the past is due at once.
    let past = now - Duration::from_secs(60);
    assert_eq!(due(Some(past), now), Some(past));
    assert_eq!(due(None, now), None);
}
