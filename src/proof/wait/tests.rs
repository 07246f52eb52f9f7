use std::cell::Cell;

use super::*;
use crate::error::{Error, Kind};

async fn ask(freshness: Freshness, answers: &[bool]) -> (bool, usize) {
    let asked = Cell::new(0);
    let attempt = async || {
        let answer = *answers.get(asked.get()).or(answers.last()).unwrap();
        asked.set(asked.get() + 1);
        if answer { Ok(()) } else { Err(Error::new(Kind::Aws, "no")) }
    };
    let settled = freshness.settle(2, attempt, Result::is_ok, Result::is_err, |_| {}).await;
    (settled.answer.is_ok(), asked.get())
}

fn just_written() -> Freshness {
    Freshness::JustWritten { at: Instant::now(), patience: Duration::from_secs(60) }
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_counts_when_nothing_was_written() {
    assert_eq!(ask(Freshness::Settled, &[false, true]).await, (false, 1));
    assert_eq!(ask(Freshness::Settled, &[true, false]).await, (true, 1));
}

#[tokio::test(start_paused = true)]
async fn two_welcome_answers_in_a_row_are_required_after_a_write() {
    assert_eq!(ask(just_written(), &[false, true, false, true, true]).await, (true, 5));
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let start = Instant::now();
    let (welcome, _) = ask(just_written(), &[false]).await;
    assert!(!welcome);
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn little_time_is_lost_after_propagation() {
    const LATENCY: Duration = Duration::from_millis(50);
    let moments = (0..=110_000).step_by(130).map(Duration::from_millis);
    for usable in moments {
        let start = Instant::now();
        let asked = Cell::new(start);
        let attempt = async || {
            asked.set(Instant::now());
            sleep(LATENCY).await;
            if start.elapsed() >= usable { Ok(()) } else { Err(Error::new(Kind::Aws, "no")) }
        };
        let freshness = Freshness::JustWritten { at: start, patience: Duration::from_secs(120) };
        freshness.settle(1, attempt, Result::is_ok, Result::is_err, |_| {}).await.answer.unwrap();
        let wasted = asked.get().duration_since(start).saturating_sub(usable);
        let bar = Duration::from_millis(500).max(usable / 10);
        assert!(wasted <= bar, "usable after {usable:?}, wasted {wasted:?}");
    }
}

/// Settles while something may be in the way; returns the answer, why waiting ended, the attempts and the seconds.
async fn ask_unless(
    freshness: Freshness,
    obstacle: impl Future<Output = Option<&'static str>>,
    answers: &[bool],
) -> (bool, Option<String>, usize, u64) {
    let (start, asked) = (Instant::now(), Cell::new(0));
    let attempt = async || {
        let answer = *answers.get(asked.get()).or(answers.last()).unwrap();
        asked.set(asked.get() + 1);
        if answer { Ok(()) } else { Err(Error::new(Kind::Aws, "no")) }
    };
    let obstacle = async { obstacle.await.map(str::to_owned) };
    let settled = freshness.settle_unless(obstacle, attempt, Result::is_err, |_| {}).await;
    (settled.answer.is_ok(), settled.in_vain, asked.get(), start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn an_obstacle_ends_the_wait_at_once() {
    let (is_ok, why, asked, seconds) = ask_unless(just_written(), async { Some("a boundary") }, &[false]).await;
    assert_eq!((is_ok, why.as_deref(), asked, seconds), (false, Some("a boundary"), 1, 0));
}

#[tokio::test(start_paused = true)]
async fn attempts_go_on_while_an_obstacle_is_looked_for() {
    let slow = async {
        sleep(Duration::from_secs(30)).await;
        Some("a boundary")
    };
    let (is_ok, why, asked, _) = ask_unless(just_written(), slow, &[false, false, true]).await;
    assert_eq!((is_ok, why, asked), (true, None, 3));
}

#[tokio::test(start_paused = true)]
async fn without_an_obstacle_patience_ends_the_wait() {
    let (is_ok, why, asked, seconds) = ask_unless(just_written(), async { None }, &[false]).await;
    assert_eq!((is_ok, why, seconds), (false, None, 60));
    assert!(asked > 10, "{asked}");
}

/// Nobody looks for an obstacle to what works, or to what is not waited for.
#[tokio::test(start_paused = true)]
async fn an_obstacle_is_looked_for_only_after_a_denial() {
    for (freshness, answer) in [(just_written(), true), (Freshness::Settled, true), (Freshness::Settled, false)] {
        let looked = Cell::new(false);
        let obstacle = async {
            looked.set(true);
            Some("a boundary")
        };
        let (is_ok, why, ..) = ask_unless(freshness, obstacle, &[answer]).await;
        assert_eq!((is_ok, why, looked.get()), (answer, None, false));
    }
}

/// Servers with and without the change answer in turn: what has worked once is not in vain, and must work twice in a row.
#[tokio::test(start_paused = true)]
async fn what_has_worked_once_is_asked_again() {
    for (answers, attempts) in [(&[true][..], 1), (&[false, true, true], 3), (&[false, true, false, true, true], 5)] {
        let asked = Cell::new(0);
        let attempt = async || {
            let answer = *answers.get(asked.get()).or(answers.last()).unwrap();
            asked.set(asked.get() + 1);
            if answer { Ok(()) } else { Err(Error::new(Kind::Aws, "no")) }
        };
        let first = Instant::now();
        let settled = just_written().settle_after(Some(first), 2, attempt, Result::is_ok, Result::is_err, |_| {}).await;
        assert_eq!((settled.answer.is_ok(), asked.get()), (true, attempts), "{answers:?}");
        assert_eq!(settled.since == first, attempts == 1, "{answers:?}");
    }
}

#[test]
fn a_denial_by_the_organization_is_final() {
    let denied = |code: &str, message: &str| {
        let answer = crate::error::AwsAnswer {
            service: "sts".into(),
            operation: "AssumeRole".into(),
            code: Some(code.to_owned()),
            message: Some(format!("User: u is not authorized to perform: sts:AssumeRole on resource: r{message}")),
            request_id: None,
            status: None,
        };
        Err::<(), _>(Error { aws: Some(Box::new(answer)), ..Error::new(Kind::Aws, "no") })
    };
    let policies = ["service control policy", "resource control policy", "VPC endpoint policy"];
    for policy in policies {
        assert!(!may_pass(&denied("AccessDenied", &format!(" with an explicit deny in a {policy}"))), "{policy}");
        assert!(!may_pass(&denied("AccessDenied", &format!(" because no {policy} allows the action"))), "{policy}");
    }
    assert!(may_pass(&denied("AccessDenied", "")));
    assert!(may_pass(&denied("AccessDenied", " with an explicit deny in a permissions boundary")));
    assert!(!may_pass(&denied("ValidationError", "")));
    assert!(!may_pass(&Ok(())));
}
