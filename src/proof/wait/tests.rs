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
