//! Counts the results of all interruptions of one command.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::strike::{Signal, Struck};
use super::trial::Trial;

/// The results of all interruptions of one command.
pub struct Tally {
    name: &'static str,
    /// The number of calls by operation in an uninterrupted run.
    operations: BTreeMap<String, usize>,
    rows: Vec<Row>,
    /// The failed checks, with their points.
    pub problems: Vec<String>,
}

/// The results of one signal.
struct Row {
    signal: Signal,
    points: usize,
    converged: usize,
    left: usize,
    through: usize,
    slowest: Duration,
}

impl Tally {
    /// Adds a result.
    pub fn of(trial: &Trial, all: &[Struck]) -> Self {
        let problems = all.iter().flat_map(|it| it.problems.iter().map(move |what| format!("{:?}: {what}", it.blow)));
        let problems = problems.collect();
        let rows = Signal::ALL.map(|signal| {
            let these: Vec<_> = all.iter().filter(|struck| struck.blow.signal == signal).collect();
            let count = |holds: fn(&Struck) -> bool| these.iter().filter(|struck| holds(struck)).count();
            Row {
                signal,
                points: these.len(),
                converged: count(|struck| struck.converged),
                left: these.iter().map(|struck| struck.left).sum(),
                through: count(|struck| struck.was_through),
                slowest: these.iter().map(|struck| struck.ended_after).max().unwrap_or_default(),
            }
        });
        let mut operations = BTreeMap::new();
        for call in &trial.calls {
            *operations.entry(call.operation.clone()).or_default() += 1;
        }
        Self { name: trial.name, operations, rows: rows.into(), problems }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, operations, rows, .. } = self;
        let calls: usize = operations.values().sum();
        let names: Vec<_> = operations.iter().map(|(name, times)| format!("{name} {times}")).collect();
        writeln!(f, "{name}: {calls} calls: {}", names.join(", "))?;
        for Row { signal, points, converged, left, through, slowest } in rows.iter().filter(|row| row.points > 0) {
            writeln!(
                f,
                "  {:<8} {points:>5} points, {converged:>5} converged when run again, {left:>3} buckets left, \
                 {through:>3} runs were through; slowest end {:.1} s",
                format!("{signal:?}"),
                slowest.as_secs_f32()
            )?;
        }
        Ok(())
    }
}
