#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::cell::Cell;

use super::*;
use crate::error::{AwsAnswer, Kind};

fn failed_with(code: &str) -> Error {
    let answer = AwsAnswer {
        service: "sts".into(),
        operation: "AssumeRole".into(),
        code: Some(code.to_owned()),
        message: None,
        request_id: None,
        status: None,
    };
    Error { aws: Some(Box::new(answer)), ..Error::new(Kind::Aws, "no") }
}

#[tokio::test(start_paused = true)]
async fn never_exceeds_the_limit_in_any_second() {
    let (pace, start) = (Pace::new(5), Instant::now());
    let mut times = Vec::new();
    for number in 0..40 {
        // Some requests come at once, some later.
        sleep(Duration::from_millis(if number % 7 == 0 { 300 } else { 0 })).await;
        pace.turn().await;
        times.push(start.elapsed());
    }
    for (first, after) in times.iter().zip(times.iter().skip(5)) {
        assert!(*after >= *first + SECOND, "{times:?}");
    }
    // The limiter must not be slower than necessary either.
    assert!(times[39] < Duration::from_millis(8500), "{times:?}");
}

/// A link needs a few requests at once; those of many come evenly.
#[tokio::test(start_paused = true)]
async fn sends_a_few_at_once_and_the_rest_evenly() {
    let (pace, start) = (Pace::new(200), Instant::now());
    let mut times = Vec::new();
    for _ in 0..1000 {
        pace.turn().await;
        times.push(start.elapsed().as_millis());
    }
    assert_eq!(times[40], 0, "{times:?}");
    let tenth = |at: u128| times.iter().filter(|time| (at..at + 100).contains(*time)).count();
    let most = (0..times[999]).map(tenth).max().unwrap();
    assert!(most <= 62, "{most} in a tenth of a second");
    assert!(times[999] <= 4_900 + 100, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn retries_throttled_requests_but_not_denied_ones() {
    for (code, tries) in [("Throttling", 4), ("AccessDenied", 1)] {
        let attempts = Cell::new(0);
        let attempt = async || {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 4 { Err(failed_with(code)) } else { Ok(()) }
        };
        assert_eq!(unless_throttled(attempt).await.is_ok(), tries == 4);
        assert_eq!(attempts.get(), tries, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn stops_retrying_throttled_requests() {
    let start = Instant::now();
    let error = unless_throttled(async || Err::<(), _>(failed_with("Throttling"))).await.unwrap_err();
    assert_eq!(error.code(), Some("Throttling"));
    assert!(start.elapsed() < PATIENCE);
}
