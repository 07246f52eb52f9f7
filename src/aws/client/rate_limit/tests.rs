#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::cell::Cell;

use super::*;
use crate::error::{AwsAnswer, Kind};

fn refused(code: &str) -> Error {
    let answer = AwsAnswer {
        service: "sts".into(),
        operation: "AssumeRole".into(),
        code: Some(code.to_owned()),
        message: None,
        request_id: None,
    };
    Error { aws: Some(Box::new(answer)), ..Error::new(Kind::Aws, "no") }
}

#[tokio::test(start_paused = true)]
async fn no_second_has_more_than_its_share() {
    let (pace, start) = (Pace::new(5), Instant::now());
    let mut times = Vec::new();
    for number in 0..40 {
        // Some come at once, some late.
        sleep(Duration::from_millis(if number % 7 == 0 { 300 } else { 0 })).await;
        pace.turn().await;
        times.push(start.elapsed());
    }
    for (first, after) in times.iter().zip(times.iter().skip(5)) {
        assert!(*after >= *first + SECOND, "{times:?}");
    }
    // Nor less than could be had.
    assert!(times[39] < Duration::from_millis(8500), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_and_a_refusal_is_not() {
    for (code, tries) in [("Throttling", 4), ("AccessDenied", 1)] {
        let asked = Cell::new(0);
        let attempt = async || {
            asked.set(asked.get() + 1);
            if asked.get() < 4 { Err(refused(code)) } else { Ok(()) }
        };
        assert_eq!(unless_throttled(attempt).await.is_ok(), tries == 4);
        assert_eq!(asked.get(), tries, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn patience_with_throttling_ends() {
    let start = Instant::now();
    let error = unless_throttled(async || Err::<(), _>(refused("Throttling"))).await.unwrap_err();
    assert_eq!(error.code(), Some("Throttling"));
    assert!(start.elapsed() < PATIENCE);
}
