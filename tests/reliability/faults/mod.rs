//! Tests every call of every online command with every kind of fault of AWS and networks.

mod judge;
mod kinds;
mod scenario;

use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::Instant;

use crate::places;
use judge::{Outcome, Point};
use kinds::Kind;
use scenario::Scenario;

/// The number of pairs of faults in each round after the first.
const PAIRS: usize = 300;

#[test]
fn bootstrap() {
    hold(&Scenario::bootstrap());
}

#[test]
fn verify() {
    hold(&Scenario::verify());
}

#[test]
fn teardown() {
    hold(&Scenario::teardown());
}

#[test]
fn sweep() {
    hold(&Scenario::sweep());
}

#[test]
fn diagnose() {
    hold(&Scenario::diagnose());
}

#[test]
fn credentials() {
    hold(&Scenario::credentials());
}

/// The calls that links of other principals have beside those of a user's.
#[test]
fn other_principals() {
    let (bootstrap, teardown) = (Scenario::bootstrap(), Scenario::teardown());
    hold(&Scenario::bootstrap_of_a_group().beyond(&bootstrap));
    hold(&Scenario::teardown_of_a_group().beyond(&teardown));
    hold(&Scenario::bootstrap_of_a_role().beyond(&bootstrap));
    hold(&Scenario::bootstrap_of_a_permission_set().beyond(&bootstrap));
}

/// Tests all points concurrently and prints their number.
fn hold(scenario: &Scenario) {
    let kinds = kinds::all();
    let rounds = crate::rounds();
    let mut points = every_point(scenario, &kinds, rounds == 1);
    points.extend((1..rounds).flat_map(|_| 0..PAIRS).map(|_| pair(scenario, &kinds)));
    let (start, tried) = (Instant::now(), points.len());
    // Hanging runs only wait, so they need no slot.
    let (slow, quick): (Vec<_>, Vec<_>) =
        points.into_iter().partition(|point| point.faults.iter().any(|(_, kind, _)| kind.is_slow()));
    let outcomes = &Mutex::new(Vec::new());
    let queues = [slow, quick].map(|points| Mutex::new(points.into_iter()));
    std::thread::scope(|scope| {
        for (points, threads, hangs) in [(&queues[0], 64, true), (&queues[1], places::PLACES, false)] {
            for _ in 0..threads {
                scope.spawn(move || {
                    while let Some(point) = take(points) {
                        let outcome = if hangs { point.try_it() } else { places::take_one(|| point.try_it()) };
                        if let Err(why) = &outcome {
                            println!("{why}\n");
                        }
                        outcomes.lock().unwrap().push(outcome);
                    }
                });
            }
        }
    });
    let (held, failures): (Vec<_>, Vec<_>) =
        std::mem::take(&mut *outcomes.lock().unwrap()).into_iter().partition(Result::is_ok);
    let held: Vec<Outcome> = held.into_iter().flatten().collect();
    let count = |is: fn(&Outcome) -> bool| held.iter().filter(|outcome| is(outcome)).count();
    let (succeeded, left) = (count(|it| it.succeeded), count(|it| it.left));
    println!(
        "{}: {tried} points at {} calls, {succeeded} succeeded, {} clear errors, {} converged, slowest {:.1?}, \
         {left} buckets that could not be deleted (named, and swept up later), {} points failed; {:.0?} in all",
        scenario.name,
        scenario.calls.len(),
        held.len() - succeeded,
        held.len(),
        held.iter().map(|outcome| outcome.took).max().unwrap_or_default(),
        failures.len(),
        start.elapsed(),
    );
    assert!(failures.is_empty(), "{} points failed", failures.len());
}

/// Takes the next point and releases the lock.
fn take<T>(queue: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    queue.lock().unwrap().next()
}

/// Returns every call with every kind, once and persistently, and a server with clock skew. A short run tests
/// persistent faults only at some of the calls.
fn every_point<'a>(scenario: &'a Scenario, kinds: &'a [Kind], is_short: bool) -> Vec<Point<'a>> {
    let point = |faults, skew| Point { scenario, faults, skew };
    let mut points: Vec<_> = [-900, 900].map(|skew| point(Vec::new(), skew)).into();
    for (row, call) in scenario.calls.iter().enumerate() {
        for (column, kind) in kinds.iter().enumerate().filter(|(_, kind)| (kind.strikes)(call)) {
            points.push(point(vec![(call, kind, false)], 0));
            if kind.lasts && (!is_short || (row + column) % 2 == 0) {
                points.push(point(vec![(call, kind, true)], 0));
            }
        }
    }
    points
}

/// Returns two faults in one command.
fn pair<'a>(scenario: &'a Scenario, kinds: &'a [Kind]) -> Point<'a> {
    #[expect(clippy::cast_possible_truncation, reason = "it is below a `usize`")]
    let random = |below: usize| (RandomState::new().hash_one(below) % below as u64) as usize;
    let fault = || loop {
        let (call, kind) = (&scenario.calls[random(scenario.calls.len())], &kinds[random(kinds.len())]);
        if (kind.strikes)(call) {
            break (call, kind, kind.lasts && random(2) == 0);
        }
    };
    Point { scenario, faults: vec![fault(), fault()], skew: 0 }
}
